//! What can go wrong between here and a service.

use std::{fmt, time::Duration};

use directory::DirectoryError;

/// No answer came that could be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestError {
    /// The service does not know us: the token or its source is wrong.
    #[error(
        "{service} does not accept our credentials ({why}): check id, secret or certificate, and their expiry"
    )]
    Unauthorized {
        /// Which service.
        service: String,
        /// What it says.
        why: String,
    },
    /// The service knows us and does not let us.
    #[error("{service} does not permit this ({why}): grant the permission and have an administrator consent")]
    Forbidden {
        /// Which service.
        service: String,
        /// What it says.
        why: String,
    },
    /// The service asks for patience.
    #[error("{service} asks for {} s without questions", retry_after.as_secs())]
    Throttled {
        /// Which service.
        service: String,
        /// How long, from now.
        retry_after: Duration,
    },
    /// The service took the request and refuses what is in it.
    #[error("{service} refuses the request with status {status}: {why}")]
    Refused {
        /// Which service.
        service: String,
        /// The HTTP status.
        status: u16,
        /// What it says.
        why: String,
    },
    /// The service, or the way to it, is out of order.
    #[error("{service} cannot be reached or is out of order: {why}")]
    Unavailable {
        /// Which service.
        service: String,
        /// What happened.
        why: String,
    },
    /// What came is no answer of such a service.
    #[error("{service} gave an answer that cannot be understood: {why}")]
    Garbage {
        /// Which service.
        service: String,
        /// What is wrong with it.
        why: String,
    },
}

impl RestError {
    pub(crate) fn unavailable(service: &str, why: impl fmt::Display) -> Self {
        Self::Unavailable { service: service.to_owned(), why: why.to_string() }
    }

    pub(crate) fn garbage(service: &str, why: impl fmt::Display) -> Self {
        Self::Garbage { service: service.to_owned(), why: why.to_string() }
    }

    pub(crate) fn unauthorized(service: &str, why: impl fmt::Display) -> Self {
        Self::Unauthorized { service: service.to_owned(), why: why.to_string() }
    }
}

/// None of them says anything about an object.
impl From<RestError> for DirectoryError {
    fn from(error: RestError) -> Self {
        let why = error.to_string();
        match error {
            RestError::Throttled { service, retry_after } => {
                Self::Throttled { directory: service, retry_after }
            }
            RestError::Unauthorized { service, .. }
            | RestError::Forbidden { service, .. }
            | RestError::Refused { service, .. }
            | RestError::Unavailable { service, .. }
            | RestError::Garbage { service, .. } => Self::Unavailable { directory: service, why },
        }
    }
}
