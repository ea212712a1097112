//! Challenges that say themselves what they are good for, and cannot be made without a key.

use std::{fmt, future::ready, sync::Arc};

use issuance::{ChallengeId, Spend};
use pki_core::{
    AuthenticatedCipher, BoxFuture, ChallengePassword, KeyError, RandomFailed, SecureRandom, UnixTime,
};
use serial_binding::KeyId;
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

use crate::{Asked, ChallengeValidator, InvalidTerms, Refusal, SealedTerms, SealedText, Validated};

const NONCE: usize = 12;

/// Makes and checks sealed challenges, by `docs/sealed-challenges.md`. All who have the keys can: there is no database.
///
/// As a [`ChallengeValidator`] it lets those through that were sealed for the profile asked for, have not expired, and are
/// for the key in the request. That each is used once is the ledger's business, where there is one.
#[derive(Debug, Clone)]
pub struct SealedChallenges {
    /// The first one seals.
    keys: Vec<SealingKey>,
    cipher: Arc<dyn AuthenticatedCipher>,
    random: Arc<dyn SecureRandom>,
}

impl SealedChallenges {
    /// Seals with `key`.
    pub fn new(key: SealingKey, cipher: Arc<dyn AuthenticatedCipher>, random: Arc<dyn SecureRandom>) -> Self {
        Self { keys: vec![key], cipher, random }
    }

    /// Opens what was sealed with `key`, too. A key whose id another one has already is not looked at.
    #[must_use]
    pub fn with_earlier_key(mut self, key: SealingKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Makes a challenge for the profile of that name. It has 61 characters, and more where the terms say more; fails when
    /// these are more than 255.
    pub fn seal(&self, terms: &SealedTerms, profile: &str) -> Result<ChallengePassword, SealError> {
        let mut nonce = [0; NONCE];
        self.random.fill(&mut nonce)?;
        self.seal_with(terms, profile, &nonce)
    }

    /// What a challenge says, if it was sealed for that profile. Whether it has expired is for the caller to tell.
    pub fn open(&self, challenge: &ChallengePassword, profile: &str) -> Option<OpenedChallenge> {
        let text = SealedText::parse(challenge.expose())?;
        let (id, rest) = text.octets().split_first()?;
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>()?;
        let key = self.keys.iter().find(|key| key.id.number() == *id)?;
        let plain = self.cipher.open(&key.octets, nonce, &associated(key.id, profile), sealed).ok()?;
        let terms = SealedTerms::decode(&plain).ok()?;
        Some(OpenedChallenge { id: remembered_as(text.octets()), terms })
    }

    fn seal_with(
        &self,
        terms: &SealedTerms,
        profile: &str,
        nonce: &[u8; NONCE],
    ) -> Result<ChallengePassword, SealError> {
        let key = self.keys.first().ok_or(KeyError::Refused)?;
        let plain = terms.encode()?;
        let sealed = self.cipher.seal(&key.octets, nonce, &associated(key.id, profile), &plain)?;
        let octets = [&[key.id.number()][..], nonce, &sealed].concat();
        let text = SealedText::of_octets(octets).ok_or(SealError::TooLong)?;
        Ok(ChallengePassword::new(text.to_string()))
    }

    fn check(&self, asked: &Asked<'_>) -> Result<Validated, Refusal> {
        let challenge = asked.challenge.ok_or(Refusal::ChallengeMissing)?;
        let OpenedChallenge { id, terms } =
            self.open(challenge, asked.profile).ok_or(Refusal::ChallengeUnknown)?;
        let SealedTerms { expires, object, key, names } = terms;
        if expires < asked.now {
            return Err(Refusal::ChallengeExpired);
        }
        if key.is_some_and(|key| key != asked.csr.public_key().fingerprint()) {
            return Err(Refusal::rejected_by("the sealed challenge", "it was made for another key"));
        }
        let names = Some(names).filter(|names| !names.is_empty());
        let spends = Some(Spend::SelfChecking { id, expires });
        Ok(Validated { object, spends, names, ..Validated::default() })
    }
}

impl ChallengeValidator for SealedChallenges {
    fn validate<'a>(&'a self, asked: &'a Asked<'a>) -> BoxFuture<'a, Result<Validated, Refusal>> {
        Box::pin(ready(self.check(asked)))
    }
}

/// A sealed challenge that was genuine.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenedChallenge {
    /// Under which it is remembered once it was used.
    pub id: ChallengeId,
    /// What it is good for.
    pub terms: SealedTerms,
}

impl OpenedChallenge {
    /// Whether it can be used at that time.
    pub fn is_live(&self, now: UnixTime) -> bool {
        self.terms.expires >= now
    }
}

/// A key that seals challenges: 32 secret octets and an id. Wiped when dropped, never printed. Whoever has it can enroll
/// for any object.
#[derive(Clone)]
pub struct SealingKey {
    id: KeyId,
    octets: Zeroizing<[u8; 32]>,
}

impl SealingKey {
    /// From 32 octets that were drawn at random, and are used for nothing else.
    pub fn new(id: KeyId, octets: [u8; 32]) -> Self {
        Self { id, octets: Zeroizing::new(octets) }
    }

    /// Which key this is.
    pub fn id(&self) -> KeyId {
        self.id
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealingKey(id {}, ..)", self.id)
    }
}

/// What is authenticated beside the sealed octets.
fn associated(key: KeyId, profile: &str) -> Vec<u8> {
    [b"CBS1", &[key.number()][..], profile.as_bytes()].concat()
}

fn remembered_as(octets: &[u8]) -> ChallengeId {
    ChallengeId::from_bytes(Sha256::new().chain_update("CBS1").chain_update(octets).finalize().into())
}

/// No challenge was sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SealError {
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomFailed),
    /// The terms cannot be said.
    #[error(transparent)]
    Terms(#[from] InvalidTerms),
    /// The cipher failed.
    #[error(transparent)]
    Cipher(#[from] KeyError),
    /// Nobody takes challenges of that length.
    #[error("expected terms that fit into a challenge of 255 characters: name fewer or shorter names")]
    TooLong,
}
