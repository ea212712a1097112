//! Why a server does not start.

use std::{fmt, path::Path};

/// A server cannot start, or an order cannot be carried out. The message is for the operator.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ServerError(String);

impl ServerError {
    /// `problem` says what was expected, what came, and what to do.
    pub fn new(problem: impl fmt::Display) -> Self {
        Self(problem.to_string())
    }

    /// The same, of a file.
    pub fn of_file(path: &Path, problem: impl fmt::Display) -> Self {
        Self(format!("{}: {problem}", path.display()))
    }
}

/// Errors of the parts a server is made of say themselves what is wrong.
macro_rules! from {
    ($($error:ty),* $(,)?) => {
        $(impl From<$error> for ServerError {
            fn from(error: $error) -> Self {
                Self::new(error)
            }
        })*
    };
}

from!(
    configuration::ConfigurationError,
    directory::FileDirectoryError,
    keys_software::FileError,
    ledger::LedgerError,
    ocsp_service::NoDelegate,
    pki_core::DecodeError,
    pki_core::RandomFailed,
    serial_binding::InvalidSerialKey,
    serial_binding::KeyIdTaken,
);
