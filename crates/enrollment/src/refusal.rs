//! Why nobody gets a certificate, by who has to do something about it.

use std::{borrow::Cow, fmt};

use directory::DirectoryError;
use issuance::{IssueError, KeyNotAllowed, LogError, PrepareError, SignError};
use pki_core::{BadSignature, GeneralName, KeyError, Name, Oid};
use revocation::SourceError;

use crate::{StoreError, TextFlaw, template::NothingKnown};

/// Characters of an authority's reason that are passed on.
const LONGEST_REASON: usize = 200;

/// No certificate. `Display` is for the operator; [`Refusal::reply_text`] is for the requester. Neither tells a secret,
/// and whatever a stranger chose is escaped and cut.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// There is no profile of that name here.
    #[error("there is no such profile here: correct the URL")]
    ProfileUnknown,
    /// A part of the request is not what it should be.
    #[error("the certification request cannot be read: {0}")]
    Malformed(String),
    /// The request is signed with an algorithm that is not taken.
    #[error("a request signed with {0} is not taken: sign it with SHA-256")]
    AlgorithmNotAllowed(Oid),
    /// The profile does not take the key.
    #[error(transparent)]
    KeyNotAllowed(#[from] KeyNotAllowed),
    /// The request's own signature does not hold, so that there is no
    /// [`VerifiedRequest`](pki_core::VerifiedRequest) to be decided upon.
    #[error("the certification request was not signed by the key in it")]
    PossessionUnproven,
    /// The message around the request was signed by another key.
    #[error("the message must be signed by the key that is to be certified: it was signed by another")]
    SignerMismatch,
    /// The profile does not give that extended key usage.
    #[error("the profile does not give the extended key usage {0}: ask for others, or for none")]
    UsageNotAllowed(Oid),
    /// A name that no certificate may carry.
    #[error("{which} cannot be taken: {flaw}")]
    NameInvalid {
        /// Which name.
        which: &'static str,
        /// What is wrong with it.
        flaw: TextFlaw,
    },
    /// A name that is not the object's, or was not the certificate's that is renewed.
    #[error("{0}")]
    NamesNotAllowed(String),
    /// Names that no entry of the profile's whitelist has.
    #[error("the names asked for are not on the profile's list, letter by letter: ask for exactly those")]
    NamesNotListed,
    /// None of the key usages asked for is one that the profile gives.
    #[error("the profile gives none of the key usages that were asked for: ask for others, or for none")]
    KeyUsageNotAllowed,
    /// What the directory has for the names of the profile is missing or wrong.
    #[error("the directory does not say what the profile's names need: {0}")]
    AttributeUnusable(String),
    /// The transaction belongs to another request.
    #[error(
        "another request was made in this transaction: begin a new one, with a new transactionID or a new key"
    )]
    TransactionReused,
    /// No challenge where one is needed.
    #[error("expected a challenge: the request has none")]
    ChallengeMissing,
    /// No such challenge: wrong, expired, burnt or spent.
    #[error("the challenge is not known, has expired or was used before: get a new one")]
    ChallengeUnknown,
    /// The challenge was genuine, and is too old.
    #[error("the challenge has expired: get a new one")]
    ChallengeExpired,
    /// Another transaction spent the challenge meanwhile.
    #[error("the challenge was spent by another request: get a new one")]
    ChallengeSpent,
    /// The challenge was made for another profile, and is good for nothing any more.
    #[error("the challenge was made for another profile: get a new one")]
    ChallengeMisused,
    /// The authority that was asked says no.
    #[error("{authority} does not allow this: {why}")]
    ChallengeRejected {
        /// Who says so.
        authority: &'static str,
        /// What it says, escaped and cut; made by [`Refusal::rejected_by`].
        why: String,
    },
    /// The directory has no such object, or has it no more.
    #[error("the directory has no such object")]
    ObjectUnknown,
    /// The directory has several objects of that name.
    #[error("the directory has more than one object of that name: use a name that only one has")]
    ObjectAmbiguous,
    /// The object is disabled.
    #[error("the object is disabled in the directory")]
    ObjectDisabled,
    /// The profile has no renewal.
    #[error("certificates of this profile are not renewed: enroll anew with a challenge")]
    RenewalOff,
    /// The signer's certificate is not one of this CA's for an object.
    #[error("expected a renewal signed with a certificate of this CA: it was signed with another")]
    SignerForeign,
    /// The signer's certificate is not valid now.
    #[error("the certificate to be renewed is expired, or not yet valid: enroll anew with a challenge")]
    SignerNotValid,
    /// The signer's certificate is revoked or on hold, or nobody knows it.
    #[error("the certificate to be renewed is not in good standing")]
    SignerRevoked,
    /// The signer's certificate is of another profile.
    #[error("the certificate to be renewed was issued with another profile: renew it there")]
    RenewalElsewhere,
    /// The signer's certificate is too young.
    #[error("it is too early to renew: wait until the certificate is nearer to its end")]
    RenewalTooEarly,
    /// Nothing waits under that transactionID and key.
    #[error("no request of this transactionID and key is pending or was answered here: enroll anew")]
    NothingPending,
    /// A person said no.
    #[error("the request was denied: {0}")]
    ApprovalDenied(String),
    /// No person said anything in time, or nobody fetched the certificate in time.
    #[error("the request has waited too long and was given up: enroll anew")]
    ApprovalExpired,
    /// As many requests wait as may.
    #[error("too many requests wait for approval already: decide some")]
    ApprovalQueueFull,
    /// No certificate that the requester may have.
    #[error("there is no such certificate, or none that this requester may have")]
    CertificateUnknown,
    /// The directory could not be asked.
    #[error("{0}")]
    DirectoryUnavailable(String),
    /// Nobody could tell whether the certificate to be renewed is revoked.
    #[error("the standing of the certificate to be renewed cannot be told now: {0}")]
    StatusUnavailable(String),
    /// The authority that knows could not be asked.
    #[error("{0}")]
    AuthorityUnavailable(String),
    /// The store of challenges and transactions, or the record of issued certificates, failed.
    #[error("{0}")]
    StoreUnavailable(String),
    /// The CA's key cannot be used now.
    #[error("{0}")]
    KeyUnavailable(String),
    /// Something here is broken or misconfigured.
    #[error("{0}")]
    Internal(String),
}

/// What kind of answer a refusal is; services map it to their protocol's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "services must decide each case")]
pub enum RefusalClass {
    /// An algorithm or key that is not taken (SCEP `badAlg`).
    BadAlgorithm,
    /// Understood, and not permitted (SCEP `badRequest`).
    BadRequest,
    /// What is asked for is not there (SCEP `badCertId`).
    NotFound,
    /// No fault of the requester; the same may be tried again later (HTTP 503).
    TryLater,
    /// No fault of the requester, and trying again does not help (HTTP 500).
    Internal,
}

impl Refusal {
    /// What `authority` (a service or a kind of challenge, by name) says no with. The reason is shown to the requester.
    pub fn rejected_by(authority: &'static str, why: &str) -> Self {
        let why = why.chars().take(LONGEST_REASON).flat_map(char::escape_debug).collect();
        Self::ChallengeRejected { authority, why }
    }

    /// A name for machines that stays the same from version to version.
    pub fn code(&self) -> &'static str {
        match self {
            Self::ProfileUnknown => "profile-unknown",
            Self::Malformed(_) => "request-malformed",
            Self::AlgorithmNotAllowed(_) => "algorithm-not-allowed",
            Self::KeyNotAllowed(_) => "key-not-allowed",
            Self::PossessionUnproven => "possession-unproven",
            Self::SignerMismatch => "signer-mismatch",
            Self::UsageNotAllowed(_) => "usage-not-allowed",
            Self::NameInvalid { .. } => "name-invalid",
            Self::NamesNotAllowed(_) => "names-not-allowed",
            Self::NamesNotListed => "names-not-listed",
            Self::KeyUsageNotAllowed => "key-usage-not-allowed",
            Self::AttributeUnusable(_) => "attribute-unusable",
            Self::TransactionReused => "transaction-reused",
            Self::ChallengeMissing => "challenge-missing",
            Self::ChallengeUnknown => "challenge-unknown",
            Self::ChallengeExpired => "challenge-expired",
            Self::ChallengeSpent => "challenge-spent",
            Self::ChallengeMisused => "challenge-misused",
            Self::ChallengeRejected { .. } => "challenge-rejected",
            Self::ObjectUnknown => "object-unknown",
            Self::ObjectAmbiguous => "object-ambiguous",
            Self::ObjectDisabled => "object-disabled",
            Self::RenewalOff => "renewal-off",
            Self::SignerForeign => "renewal-signer-foreign",
            Self::SignerNotValid => "renewal-signer-not-valid",
            Self::SignerRevoked => "renewal-signer-revoked",
            Self::RenewalElsewhere => "renewal-other-profile",
            Self::RenewalTooEarly => "renewal-too-early",
            Self::NothingPending => "nothing-pending",
            Self::ApprovalDenied(_) => "approval-denied",
            Self::ApprovalExpired => "approval-expired",
            Self::ApprovalQueueFull => "approval-queue-full",
            Self::CertificateUnknown => "certificate-unknown",
            Self::DirectoryUnavailable(_) => "directory-unavailable",
            Self::StatusUnavailable(_) => "status-unavailable",
            Self::AuthorityUnavailable(_) => "authority-unavailable",
            Self::StoreUnavailable(_) => "store-unavailable",
            Self::KeyUnavailable(_) => "key-unavailable",
            Self::Internal(_) => "internal-error",
        }
    }

    /// What kind of answer it is.
    pub fn class(&self) -> RefusalClass {
        match self {
            Self::AlgorithmNotAllowed(_) | Self::KeyNotAllowed(_) => RefusalClass::BadAlgorithm,
            Self::NothingPending | Self::CertificateUnknown => RefusalClass::NotFound,
            Self::ApprovalQueueFull
            | Self::DirectoryUnavailable(_)
            | Self::StatusUnavailable(_)
            | Self::AuthorityUnavailable(_)
            | Self::StoreUnavailable(_)
            | Self::KeyUnavailable(_) => RefusalClass::TryLater,
            Self::Internal(_) | Self::AttributeUnusable(_) => RefusalClass::Internal,
            _ => RefusalClass::BadRequest,
        }
    }

    /// What the requester may be told: what is wrong with the request, but nothing of what is wrong here.
    pub fn reply_text(&self) -> Cow<'static, str> {
        match self.class() {
            RefusalClass::BadAlgorithm | RefusalClass::BadRequest | RefusalClass::NotFound => {
                Cow::Owned(self.to_string())
            }
            RefusalClass::TryLater => Cow::Borrowed("no decision can be made now: try again later"),
            RefusalClass::Internal => Cow::Borrowed("something is wrong here: tell the operator of this CA"),
        }
    }

    /// Whether only the certificate to be renewed is the matter.
    pub(crate) fn is_about_the_signer(&self) -> bool {
        matches!(
            self,
            Self::SignerForeign
                | Self::SignerNotValid
                | Self::SignerRevoked
                | Self::RenewalElsewhere
                | Self::RenewalTooEarly
        )
    }

    pub(crate) fn malformed(error: impl fmt::Display) -> Self {
        Self::Malformed(error.to_string())
    }

    pub(crate) fn nothing_known(nothing: &NothingKnown) -> Self {
        Self::AttributeUnusable(format!("nothing is known for {}", nothing.0))
    }

    pub(crate) fn names_not_exact(subject: &Name, alternative_names: &[GeneralName]) -> Self {
        let names: Vec<_> = alternative_names.iter().map(GeneralName::to_string).collect();
        let names = if names.is_empty() { "no alternative name".into() } else { names.join(", ") };
        let text = format!("expected a request for exactly {subject} and {names}");
        Self::NamesNotAllowed(text.chars().take(400).collect())
    }

    pub(crate) fn name_not_allowed(which: &str, asked: Option<&str>) -> Self {
        Self::NamesNotAllowed(match asked {
            None => format!("the object has no {which} that a certificate may carry"),
            Some(asked) => {
                let asked: String = asked.chars().take(80).flat_map(char::escape_debug).collect();
                format!("the {which} \"{asked}\" is not one that the certificate may carry")
            }
        })
    }
}

impl From<BadSignature> for Refusal {
    /// For those who verify a certification request.
    fn from(_: BadSignature) -> Self {
        Self::PossessionUnproven
    }
}

impl From<StoreError> for Refusal {
    fn from(error: StoreError) -> Self {
        Self::StoreUnavailable(error.to_string())
    }
}

impl From<LogError> for Refusal {
    fn from(error: LogError) -> Self {
        Self::StoreUnavailable(error.to_string())
    }
}

impl From<SourceError> for Refusal {
    fn from(error: SourceError) -> Self {
        Self::StatusUnavailable(error.to_string())
    }
}

impl From<DirectoryError> for Refusal {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::Ambiguous { .. } => Self::ObjectAmbiguous,
            other => Self::DirectoryUnavailable(other.to_string()),
        }
    }
}

impl From<IssueError> for Refusal {
    fn from(error: IssueError) -> Self {
        match error {
            IssueError::Prepare(PrepareError::Key(key)) => Self::KeyNotAllowed(key),
            IssueError::Prepare(PrepareError::BeyondProfile(_)) => Self::KeyUsageNotAllowed,
            IssueError::ChallengeSpent => Self::ChallengeSpent,
            IssueError::TransactionTaken => Self::TransactionReused,
            IssueError::Log(log) => log.into(),
            IssueError::Sign(SignError::Key(KeyError::Unavailable(why))) => Self::KeyUnavailable(why),
            other => Self::Internal(other.to_string()),
        }
    }
}
