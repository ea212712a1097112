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
    /// A certificate of a CA that is not served here, or certificates of several CAs in one request, which no one
    /// delegate may answer.
    #[error(
        "the request asks about a certificate of a CA that is not served here, or of several CAs at once"
    )]
    IssuerNotServed,
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
}

impl Refusal {
    /// What the peer is told: the one place where that is decided.
    pub fn status(&self) -> ErrorStatus {
        match self {
            Self::Target(_) | Self::TooLong { .. } => ErrorStatus::MalformedRequest,
            Self::Request(error) => error.status(),
            Self::IssuerNotServed | Self::NotIssued => ErrorStatus::Unauthorized,
            Self::Source(_)
            | Self::OutOfDate
            | Self::Key(KeyError::Unavailable(_))
            | Self::Respond(RespondError::DelegateNotValid { .. } | RespondError::OutOfDate { .. }) => {
                ErrorStatus::TryLater
            }
            Self::Respond(_) | Self::Key(_) => ErrorStatus::InternalError,
        }
    }
}
