//! What can go wrong, by who is to blame.

use std::{fmt, time::Duration};

use directory::DirectoryError;

use crate::message::{BUSY, INVALID_CREDENTIALS, NO_SUCH_OBJECT, Outcome};

/// A server that has too much to do gets so much time.
const BUSY_PATIENCE: Duration = Duration::from_secs(5);

/// No answer about any object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LdapError {
    /// The settings cannot be used.
    #[error("{what}: {why}")]
    Settings {
        /// Which one.
        what: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The server, or the way to it, is out of order.
    #[error("{server} cannot be reached or is out of order: {why}")]
    Unavailable {
        /// Its address.
        server: String,
        /// What happened.
        why: String,
    },
    /// The server asks for patience.
    #[error("{server} is busy")]
    Busy {
        /// Its address.
        server: String,
    },
    /// The server took the request and refuses it.
    #[error("{server} refuses with result {code}{}: {text}", advice(*code))]
    Refused {
        /// Its address.
        server: String,
        /// The result code (RFC 4511 appendix A).
        code: u32,
        /// What it says.
        text: String,
    },
    /// What came is no answer of an LDAP server, or none to what was asked.
    #[error("{server} gave an answer that cannot be understood: {why}")]
    Garbage {
        /// Its address.
        server: String,
        /// What is wrong with it.
        why: String,
    },
    /// An entry is not there, and there is no saying whether it ever was.
    #[error("{server} does not show it, which proves nothing: {why}")]
    Unproven {
        /// Its address.
        server: String,
        /// What is missing to a proof.
        why: String,
    },
}

fn advice(code: u32) -> &'static str {
    match code {
        INVALID_CREDENTIALS => " (see bind_dn and its password)",
        NO_SUCH_OBJECT => " (there is no such base)",
        8 | 13 => " (it wants a connection that is protected)",
        50 => " (the account may not do this)",
        _ => "",
    }
}

impl LdapError {
    pub(crate) fn unavailable(server: &str, why: impl fmt::Display) -> Self {
        Self::Unavailable { server: server.into(), why: why.to_string() }
    }

    pub(crate) fn garbage(server: &str, why: impl fmt::Display) -> Self {
        Self::Garbage { server: server.into(), why: why.to_string() }
    }

    pub(crate) fn unproven(server: &str, why: impl fmt::Display) -> Self {
        Self::Unproven { server: server.into(), why: why.to_string() }
    }

    pub(crate) fn refused(server: &str, outcome: &Outcome) -> Self {
        if outcome.code == BUSY {
            return Self::Busy { server: server.into() };
        }
        Self::Refused { server: server.into(), code: outcome.code, text: outcome.text.clone() }
    }

    /// None of them says anything about an object.
    pub(crate) fn of(self, directory: &str) -> DirectoryError {
        match self {
            Self::Busy { .. } => {
                DirectoryError::Throttled { directory: directory.into(), retry_after: BUSY_PATIENCE }
            }
            error => DirectoryError::unavailable(directory, error),
        }
    }
}
