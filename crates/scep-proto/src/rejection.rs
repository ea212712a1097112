//! Why a request was turned down.

use alloc::{boxed::Box, string::String};

use pki_core::{DecodeError, KeyKind, Oid};

use crate::{Exchange, FailInfo, MessageType, Tolerance};

/// A message that was turned down, with what is needed to say so to its sender.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{reason}")]
pub struct Rejection {
    reason: RejectReason,
    exchange: Box<Exchange>,
}

/// The precise cause, for logs and tests. What the peer may learn of it is [`RejectReason::fail_info`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RejectReason {
    /// A messageType that RFC 8894 does not have.
    #[error("expected a messageType of 17, 19, 20, 21 or 22: {0:?}")]
    UnknownMessageType(String),
    /// A messageType that is no request.
    #[error("expected a request: a {0}")]
    NotARequest(MessageType),
    /// An algorithm that the policy does not allow, or that nobody here knows.
    #[error("the {what} algorithm {oid} is not allowed")]
    AlgorithmNotAllowed {
        /// Which use: "digest", "signature", "content encryption" or "key transport".
        what: &'static str,
        /// The algorithm.
        oid: Oid,
    },
    /// No reply can or may be encrypted to the signer's key, so nothing may be issued.
    #[error(
        "expected a signer with an RSA key of 2048 to 8192 bits, to which the reply is encrypted, or a certification \
         request with a challenge: its key is {0}"
    )]
    SignerCannotDecrypt(KeyKind),
    /// contentType or messageDigest is absent, repeated or wrong.
    #[error("the signed attribute {0} is absent, repeated or wrong")]
    SignedAttribute(&'static str),
    /// The content could be taken for signed attributes
    /// (draft-ietf-lamps-cms-euf-cma-signeddata).
    #[error("the signed content reads as signed attributes")]
    AmbiguousContent,
    /// The signature does not hold.
    #[error("the signature of the message does not verify")]
    SignatureMismatch,
    /// There is no pkcsPKIEnvelope, or a malformed one.
    #[error(transparent)]
    Envelope(DecodeError),
    /// Not exactly one recipient, or another one than the certificate given.
    #[error("expected a message encrypted to the RA certificate alone")]
    NotForRecipient,
    /// The one recipient is not named by an RSA certificate: key agreement, another form that is not read, or a password
    /// where a certificate is asked for.
    #[error("expected a content key wrapped for an RSA key")]
    UnsupportedRecipient,
    /// Anything between unwrapping the content key and knowing that the message within is its author's: see
    /// [`SealedRequest`](crate::SealedRequest). Not told apart any further, here or anywhere.
    #[error("the envelope could not be opened")]
    Undecryptable,
    /// A departure from the RFC that the policy does not tolerate.
    #[error("{0} is not tolerated here: see {section}", section = .0.clause())]
    NotTolerated(Tolerance),
    /// The source of randomness failed, before anything depended on a key.
    #[error("the source of randomness failed")]
    NoRandomness,
}

impl RejectReason {
    /// A stable code, for logs and for machines that read them.
    pub fn code(&self) -> &'static str {
        match self {
            Self::UnknownMessageType(_) => "unknown-message-type",
            Self::NotARequest(_) => "not-a-request",
            Self::AlgorithmNotAllowed { .. } => "algorithm-not-allowed",
            Self::SignerCannotDecrypt(_) => "signer-cannot-decrypt",
            Self::SignedAttribute(_) => "signed-attribute",
            Self::AmbiguousContent => "ambiguous-content",
            Self::SignatureMismatch => "signature-mismatch",
            Self::Envelope(_) => "envelope",
            Self::NotForRecipient => "not-for-recipient",
            Self::UnsupportedRecipient => "unsupported-recipient",
            Self::Undecryptable => "undecryptable",
            Self::NotTolerated(_) => "not-tolerated",
            Self::NoRandomness => "no-randomness",
        }
    }

    /// What goes onto the wire: the only place that decides it.
    pub fn fail_info(&self) -> FailInfo {
        match self {
            // What makes a signature doubtful is said as if it had failed.
            Self::NotTolerated(Tolerance::MissingContentType | Tolerance::UnsortedAttributes) => {
                FailInfo::BadMessageCheck
            }
            Self::UnknownMessageType(_)
            | Self::NotARequest(_)
            | Self::NotTolerated(_)
            | Self::NoRandomness => FailInfo::BadRequest,
            Self::AlgorithmNotAllowed { .. } | Self::SignerCannotDecrypt(_) | Self::UnsupportedRecipient => {
                FailInfo::BadAlg
            }
            Self::SignedAttribute(_)
            | Self::AmbiguousContent
            | Self::SignatureMismatch
            | Self::Envelope(_)
            | Self::NotForRecipient
            | Self::Undecryptable => FailInfo::BadMessageCheck,
        }
    }
}

impl Rejection {
    pub(crate) fn new(reason: RejectReason, exchange: &Exchange) -> Self {
        Self { reason, exchange: Box::new(exchange.clone()) }
    }

    /// The failInfo to answer with.
    pub fn fail_info(&self) -> FailInfo {
        self.reason.fail_info()
    }

    /// The precise cause.
    pub fn reason(&self) -> &RejectReason {
        &self.reason
    }

    /// Whom to answer, and in what.
    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }
}
