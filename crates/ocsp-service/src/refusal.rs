//! Why a request gets no status.

use ocsp_proto::{ErrorStatus, RequestError, RespondError};
use pki_core::{DecodeError, KeyError};
use revocation::SourceError;

/// Why a request gets no status. [`Refusal::status`] is what the peer sees of it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// The request target holds no base64.
    #[error(transparent)]
    Target(DecodeError),
    /// The request cannot be understood, or asks too much.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// The request has more octets than are taken.
    #[error("the request has more than {limit} octets")]
    TooLong {
        /// The most that is taken.
        limit: usize,
    },
    /// A certificate of a CA that is not served here.
    #[error("the request asks about a certificate of a CA that is not served here")]
    IssuerNotServed,
    /// Certificates of several CAs in one request, which no one delegate may answer.
    #[error("the request asks about certificates of several CAs; ask about those of one at a time")]
    SeveralIssuers,
    /// The CertID is made with a digest that is not known.
    #[error("the CertID of the request is made with another digest than SHA-1, SHA-256, SHA-384 and SHA-512")]
    UnknownDigest,
    /// There is no nonce, where one is required.
    #[error("the request has no nonce, and one is required here")]
    NoNonce,
    /// No source knows the certificate, and the configuration has that refused.
    #[error("no source knows the certificate")]
    NotIssued,
    /// A source could not tell.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// What the source told was reliable until a time that is past.
    #[error("the status is out of date")]
    OutOfDate,
    /// No response could be built.
    #[error(transparent)]
    Respond(#[from] RespondError),
    /// The response could not be signed.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// There is no responder certificate yet.
    #[error("there is no responder certificate yet")]
    NoDelegate,
    /// More requests at once than can be answered.
    #[error("too many requests wait already")]
    Overloaded,
    /// Sources and keys took too long.
    #[error("sources of status or the key took too long")]
    TimedOut,
    /// The clock is not to be believed.
    #[error("the clock has jumped")]
    ClockJumped,
}

impl Refusal {
    /// What the peer is told: the one place where that is decided.
    pub fn status(&self) -> ErrorStatus {
        match self {
            Self::Target(_) | Self::TooLong { .. } => ErrorStatus::MalformedRequest,
            Self::Request(error) => error.status(),
            Self::IssuerNotServed
            | Self::SeveralIssuers
            | Self::UnknownDigest
            | Self::NoNonce
            | Self::NotIssued => ErrorStatus::Unauthorized,
            Self::Source(_)
            | Self::OutOfDate
            | Self::NoDelegate
            | Self::Overloaded
            | Self::TimedOut
            | Self::ClockJumped
            | Self::Key(KeyError::Unavailable(_))
            | Self::Respond(RespondError::DelegateNotValid { .. } | RespondError::OutOfDate { .. }) => {
                ErrorStatus::TryLater
            }
            Self::Respond(_) | Self::Key(_) => ErrorStatus::InternalError,
        }
    }

    /// The same for metrics and logs: a short word for each way in which a request can fail.
    pub fn cause(&self) -> &'static str {
        match self {
            Self::Target(_) => "target",
            Self::Request(RequestError::Malformed(_)) => "syntax",
            Self::Request(RequestError::Nonce(_)) => "nonce",
            Self::Request(RequestError::TooManyCertIds { .. }) => "too-many-certificates",
            Self::Request(_) => "critical-extension",
            Self::TooLong { .. } => "too-long",
            Self::IssuerNotServed => "issuer",
            Self::SeveralIssuers => "several-issuers",
            Self::UnknownDigest => "digest",
            Self::NoNonce => "no-nonce",
            Self::NotIssued => "not-issued",
            Self::Source(_) => "source",
            Self::OutOfDate | Self::Respond(RespondError::OutOfDate { .. }) => "out-of-date",
            Self::NoDelegate | Self::Respond(RespondError::DelegateNotValid { .. }) => "no-delegate",
            Self::Respond(_) => "response",
            Self::Key(KeyError::Unavailable(_)) => "key-unavailable",
            Self::Key(_) => "key",
            Self::Overloaded => "overload",
            Self::TimedOut => "too-slow",
            Self::ClockJumped => "clock",
        }
    }
}
