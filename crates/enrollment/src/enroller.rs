//! The service that decides.

use std::{collections::HashMap, fmt, sync::Arc, time::Duration};

use directory::Directory;
use issuance::{CertificateAuthority, TransactionKey};
use pki_core::{Certificate, Clock, SignatureVerifier};
use revocation::RevocationSource;
use serial_binding::SerialBinding;

use crate::{
    ChallengeKey, Enrollment, EnrollmentProfile, EnrollmentRequest, EnrollmentStore, Refusal, RequestKind,
    request_policy,
};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What an [`Enroller`] is made of.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "required collaborators")]
pub struct EnrollerParts {
    /// Issues.
    pub authority: CertificateAuthority,
    /// What can be enrolled for; each of another name.
    pub profiles: Vec<EnrollmentProfile>,
    /// Remembers challenges and transactions; the same ledger as the authority's log.
    pub store: Arc<dyn EnrollmentStore>,
    /// Under which the store's challenges are remembered.
    pub challenge_key: ChallengeKey,
    /// Knows the objects, their names and states.
    pub directory: Arc<dyn Directory>,
    /// Knows which certificates may not be renewed; the sources that answer OCSP.
    pub revocation: Arc<dyn RevocationSource>,
    /// Checks the signature of a certificate to be renewed.
    pub verifier: Arc<dyn SignatureVerifier>,
    /// Tells what has expired.
    pub clock: Arc<dyn Clock>,
}

/// Decides who may have a certificate, and has it issued.
pub struct Enroller {
    parts: EnrollerParts,
    profiles: HashMap<String, EnrollmentProfile>,
    window: Duration,
    other_generations: Vec<Generation>,
}

/// Another generation of the CA: the one before a rollover, or the one after it.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "required collaborators")]
pub struct Generation {
    /// Its certificate.
    pub certificate: Certificate,
    /// What its serial numbers are bound to.
    pub binding: Arc<dyn SerialBinding>,
}

impl Enroller {
    /// Fails when there is no profile, or two have the same name.
    pub fn new(mut parts: EnrollerParts) -> Result<Self, InvalidEnroller> {
        let mut profiles = HashMap::with_capacity(parts.profiles.len());
        for profile in std::mem::take(&mut parts.profiles) {
            if let Some(other) = profiles.insert(profile.name().to_owned(), profile) {
                return Err(InvalidEnroller::SameName(other.name().to_owned()));
            }
        }
        if profiles.is_empty() {
            return Err(InvalidEnroller::NoProfile);
        }
        Ok(Self { parts, profiles, window: DAY, other_generations: Vec::new() })
    }

    /// Has certificates of other generations of the CA renewed as its own are; the new ones are this CA's. The parts'
    /// source of revocation must answer for them, too.
    #[must_use]
    pub fn with_other_generations(self, other_generations: Vec<Generation>) -> Self {
        Self { other_generations, ..self }
    }

    /// How long a repeated transaction gets the certificate that it got before; a day unless told otherwise. The
    /// ledger's own window must be the same.
    #[must_use]
    pub fn with_transaction_window(self, window: Duration) -> Self {
        Self { window, ..self }
    }

    /// The profile of that name.
    pub fn profile(&self, name: &str) -> Option<&EnrollmentProfile> {
        self.profiles.get(name)
    }

    /// The CA.
    pub fn authority(&self) -> &CertificateAuthority {
        &self.parts.authority
    }

    /// Issues the certificate that was asked for, or has the request wait for a person, or says why not. The same
    /// request in the same transaction gets the same certificate, for a day; another request in it is refused.
    ///
    /// A RenewalReq is authorized by the signer's certificate. So is a PKCSReq whose signer's certificate is of this CA,
    /// where the profile's [`RenewalPolicy`](crate::RenewalPolicy) says so; if that certificate does not suffice, a fresh
    /// challenge does. Everything else needs what the profile takes as authority.
    ///
    /// Asking the same again while a request waits is asking what became of it, as [`Enroller::poll`] does.
    pub async fn enroll(&self, request: EnrollmentRequest<'_>) -> Result<Enrollment, Refusal> {
        let profile = self.profiles.get(request.profile).ok_or(Refusal::ProfileUnknown)?;
        request_policy::check(&request.csr, profile)?;
        let form = (request.kind, profile.renewal());
        match form {
            (RequestKind::Renewal, None) => Err(Refusal::RenewalOff),
            (RequestKind::Renewal, Some(policy)) => self.renew(profile, *policy, &request).await,
            (RequestKind::Initial, Some(policy))
                if policy.accepts_pkcs_req() && self.is_issuer_of(&request) =>
            {
                let renewed = self.renew(profile, *policy, &request).await;
                self.or_anew(renewed, profile, &request).await
            }
            (RequestKind::Initial, _) => self.enroll_anew(profile, &request).await,
        }
    }

    /// A certificate that is no authority is no obstacle either: with a fresh challenge its holder enrolls anew.
    async fn or_anew(
        &self,
        renewed: Result<Enrollment, Refusal>,
        profile: &EnrollmentProfile,
        request: &EnrollmentRequest<'_>,
    ) -> Result<Enrollment, Refusal> {
        let challenge = request.csr.challenge_password();
        let has_challenge = challenge.is_some_and(|challenge| !challenge.expose().is_empty());
        match renewed {
            Err(about_signer) if has_challenge && about_signer.is_about_the_signer() => {
                match self.enroll_anew(profile, request).await {
                    // Clients send the challenge of their first enrollment again.
                    Err(
                        Refusal::ChallengeUnknown
                        | Refusal::ChallengeExpired
                        | Refusal::ChallengeSpent
                        | Refusal::ChallengeRejected { .. }
                        | Refusal::SignerMismatch,
                    ) => Err(about_signer),
                    anew => anew,
                }
            }
            renewed => renewed,
        }
    }

    /// The transaction that the holder of a public key (whose fingerprint is given) calls `id`. Two generations of a CA
    /// share profiles and clients, and a client may ask both for a certificate in one day.
    pub(crate) fn transaction(
        &self,
        profile: &EnrollmentProfile,
        id: &[u8],
        key: &[u8; 32],
    ) -> TransactionKey {
        TransactionKey::new(profile.name(), id, key).at(self.parts.authority.issuer().id())
    }

    pub(crate) fn window(&self) -> Duration {
        self.window
    }

    pub(crate) fn parts(&self) -> &EnrollerParts {
        &self.parts
    }

    fn is_issuer_of(&self, request: &EnrollmentRequest<'_>) -> bool {
        self.generations().any(|(ca, _)| request.signer.issuer().matches(ca.subject()))
    }

    /// Those whose certificates may be renewed here, this CA first.
    pub(crate) fn generations(&self) -> impl Iterator<Item = (&Certificate, &dyn SerialBinding)> {
        let authority = &self.parts.authority;
        let others = self.other_generations.iter().map(|other| (&other.certificate, &*other.binding));
        std::iter::once((authority.issuer().certificate(), authority.binding())).chain(others)
    }
}

impl fmt::Debug for Enroller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enroller").field("authority", &self.parts.authority).finish_non_exhaustive()
    }
}

/// Parts that make no [`Enroller`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidEnroller {
    /// Nothing could be enrolled for.
    #[error("expected at least one profile: none")]
    NoProfile,
    /// Nobody could tell which is meant.
    #[error("two profiles are called {0:?}: give each a name of its own")]
    SameName(String),
}
