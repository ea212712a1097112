//! Why a message gets no CertRep.

use std::time::Duration;

use pki_core::{DecodeError, KeyError};
use scep_proto::EncodeError;

/// A message that no CertRep answers. Every refusal that SCEP has words for is a CertRep and no error.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ScepError {
    /// Not a pkiMessage, so that there is nobody to answer to; HTTP 400.
    #[error(transparent)]
    NotScep(#[from] DecodeError),
    /// The handler cannot decide now; HTTP 503.
    #[error("no decision can be made now; the same message may be sent again in {0:?}")]
    TryLater(Duration),
    /// The source, or the profile, has asked for as much as it may; HTTP 429.
    #[error("too many requests; one more is taken in {0:?}")]
    TooMany(Duration),
    /// The RA key cannot be reached now; HTTP 503.
    #[error("the RA key cannot be used now: {0}")]
    KeyUnavailable(KeyError),
    /// Something here is broken; HTTP 500.
    #[error("no reply could be made: {0}")]
    Internal(EncodeError),
}

impl From<EncodeError> for ScepError {
    fn from(error: EncodeError) -> Self {
        match error {
            EncodeError::Key(key @ KeyError::Unavailable(_)) => Self::KeyUnavailable(key),
            other => Self::Internal(other),
        }
    }
}

impl From<KeyError> for ScepError {
    fn from(error: KeyError) -> Self {
        EncodeError::Key(error).into()
    }
}
