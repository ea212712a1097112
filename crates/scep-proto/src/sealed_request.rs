//! Opening requests, without becoming an oracle.

use alloc::vec::Vec;

use pki_core::{
    Certificate, ChallengePassword, ContentKey, SecureRandom, SignatureAlgorithm, SignatureVerifier,
    VerifiedRequest, WrappedKey,
};
use subtle::{Choice, ConditionallySelectable as _, ConstantTimeEq as _};

use crate::{
    MessageType, RejectReason, Rejection, Request, RequestMessage, Tolerances, VerifiedMessage,
    message::granted,
};

/// A request that is encrypted to a known recipient alone.
///
/// # No oracle
///
/// Whoever records a request can send its envelope again, changed, within a message of his own: the outer signature is
/// by a certificate that he makes himself, and CBC protects nothing. Any answer that depends on what such an envelope
/// decrypts to would decrypt the recorded one, challenge and all, in some hundred queries an octet. So
/// [`SealedRequest::open`] has one answer for every content but those that their author has vouched for:
///
/// * a PKCS #10 request counts when the key within has signed it;
/// * GetCert and GetCRL count when they name the issuer of the recipient's certificate, or the recipient itself;
/// * of CertPoll the content does not count at all. RFC 8894 section 3.3.3 wants polls told by their transactionID
///   anyway; who asks is told by the signer.
#[derive(Debug)]
pub struct SealedRequest<'m> {
    message: &'m VerifiedMessage,
    wrapped: &'m WrappedKey,
    recipient: Certificate,
    tolerated: Tolerances,
}

impl<'m> SealedRequest<'m> {
    pub(crate) fn new(
        message: &'m VerifiedMessage,
        wrapped: &'m WrappedKey,
        recipient: Certificate,
        tolerated: Tolerances,
    ) -> Self {
        Self { message, wrapped, recipient, tolerated }
    }

    /// The content key, for the recipient's [`DecryptionKey`](pki_core::DecryptionKey).
    pub fn wrapped_key(&self) -> &WrappedKey {
        self.wrapped
    }

    /// Decrypts and reads the request. `key` is what unwrapping gave; pass `None` when it gave an error, of whatever
    /// kind, and do not answer that error in any other way.
    ///
    /// A random key is drawn first, and takes the place of one that is absent or of a wrong length. From there on
    /// everything goes the same way, proof of possession included, and fails with the same
    /// [`RejectReason::Undecryptable`], so that nobody can tell a wrong padding of the key from a wrong padding of the
    /// content or a wrong content ([RFC 3218](https://www.rfc-editor.org/rfc/rfc3218)).
    #[expect(clippy::needless_pass_by_value, reason = "the key is used up and wiped here")]
    pub fn open(
        &self,
        key: Option<ContentKey>,
        verifier: &dyn SignatureVerifier,
        random: &dyn SecureRandom,
    ) -> Result<Request, Rejection> {
        let Self { message, recipient, tolerated, .. } = self;
        let opening = Opening { message, recipient, tolerated: *tolerated, under: None };
        opening.open(key.as_ref(), verifier, random)
    }
}

/// A message and what is known about it when it is opened.
pub(crate) struct Opening<'m> {
    pub(crate) message: &'m VerifiedMessage,
    /// Who answers.
    pub(crate) recipient: &'m Certificate,
    pub(crate) tolerated: Tolerances,
    /// The challenge that wrapped the content key, where one did.
    pub(crate) under: Option<&'m ChallengePassword>,
}

impl Opening<'_> {
    /// What [`SealedRequest::open`] says.
    pub(crate) fn open(
        &self,
        key: Option<&ContentKey>,
        verifier: &dyn SignatureVerifier,
        random: &dyn SecureRandom,
    ) -> Result<Request, Rejection> {
        let VerifiedMessage { exchange, message_type, envelope, .. } = self.message;
        let rejection = |reason| Rejection::new(reason, exchange);
        let stand_in = envelope.cipher().draw_key(random);
        let stand_in = stand_in.map_err(|_| rejection(RejectReason::NoRandomness))?;
        let (key, usable) = key_or(key, &stand_in);
        let plaintext = envelope.decrypt(&key);
        let message = plaintext.read(|der| RequestMessage::from_der(*message_type, der).ok());
        let message = message.filter(|message| usable.into() && self.came_under(message));
        let vouched = self.vouched_for(message, verifier);
        let (message, proven) = vouched.ok_or_else(|| rejection(RejectReason::Undecryptable))?;
        // Only now, when the author of the content has vouched for it, may an answer depend on what it is.
        let exchange = exchange.clone().tolerating(self.tolerated.union(of_request(&message)));
        let exchange = match self.under.or(message.challenge()) {
            Some(challenge) if !exchange.signer().public_key().can_encipher() => {
                exchange.with_challenge(challenge.clone())
            }
            _ => exchange,
        };
        let judged = granted(exchange.tolerated(), self.message.granted);
        let judged = if exchange.can_deliver() || *message_type == MessageType::CertPoll {
            judged
        } else {
            Err(RejectReason::SignerCannotDecrypt(exchange.signer().public_key().kind()))
        };
        judged.map_err(|reason| Rejection::new(reason, &exchange))?;
        Ok(Request { message, exchange, proven })
    }

    /// Whether the challenge within, if there is one, is the one that it came under, if it did.
    fn came_under(&self, message: &RequestMessage) -> bool {
        let pair = self.under.zip(message.challenge());
        pair.is_none_or(|(under, within)| under.matches(within))
    }

    /// With the certification request once more, where there is one.
    fn vouched_for(
        &self,
        message: Option<RequestMessage>,
        verifier: &dyn SignatureVerifier,
    ) -> Option<(RequestMessage, Option<VerifiedRequest>)> {
        let VerifiedMessage { exchange, message_type, signature, .. } = self.message;
        let (issuer, signer) = (self.recipient.issuer(), exchange.signer());
        if *message_type == MessageType::CertPoll {
            let (issuer, subject) = (issuer.clone(), signer.subject().clone());
            return Some((RequestMessage::CertPoll { issuer, subject }, None));
        }
        let proven = match &message {
            Some(RequestMessage::PkcsReq(request) | RequestMessage::RenewalReq(request)) => {
                Some(request.verified(verifier).ok()?)
            }
            Some(
                RequestMessage::GetCert { issuer: named, .. } | RequestMessage::GetCrl { issuer: named, .. },
            ) if named.matches(issuer) || named.matches(self.recipient.subject()) => None,
            Some(_) => return None,
            None => {
                // As long as checking a request would have taken.
                let (key, usual) = (signer.public_key(), SignatureAlgorithm::RsaPkcs1Sha256);
                let algorithm = SIGNATURES.into_iter().find(|algorithm| algorithm.fits(key.kind()));
                let _ = verifier.verify(key, algorithm.unwrap_or(usual), &[], signature);
                return None;
            }
        };
        Some((message?, proven))
    }
}

/// One for each kind of key.
const SIGNATURES: [SignatureAlgorithm; 4] = [
    SignatureAlgorithm::RsaPkcs1Sha256,
    SignatureAlgorithm::EcdsaSha256,
    SignatureAlgorithm::Ed25519,
    SignatureAlgorithm::MlDsa65,
];

pub(crate) fn of_request(message: &RequestMessage) -> Tolerances {
    let (RequestMessage::PkcsReq(request) | RequestMessage::RenewalReq(request)) = message else {
        return Tolerances::NONE;
    };
    let deviations = request.deviations().iter().copied().map(Tolerances::from);
    deviations.fold(Tolerances::NONE, Tolerances::union)
}

/// `key` if it is as long as `stand_in`, otherwise `stand_in`, by the same steps.
fn key_or(key: Option<&ContentKey>, stand_in: &ContentKey) -> (ContentKey, Choice) {
    let given = key.map(ContentKey::expose).unwrap_or_default();
    let fits = given.len().ct_eq(&stand_in.expose().len());
    let given = given.iter().chain(core::iter::repeat(&0));
    let pairs = stand_in.expose().iter().zip(given);
    let octets: Vec<u8> = pairs.map(|(other, given)| u8::conditional_select(other, given, fits)).collect();
    (ContentKey::new(octets), fits)
}
