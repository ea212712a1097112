//! What can go wrong with the file, and with an operator's order.

use std::{
    fmt,
    path::{Path, PathBuf},
};

use pki_core::{CrlReason, SerialNumber};

/// The ledger could not be read or written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the ledger {} {problem}", path.display())]
pub struct LedgerError {
    path: PathBuf,
    problem: String,
}

impl LedgerError {
    pub(crate) fn new(path: &Path, problem: impl fmt::Display) -> Self {
        Self { path: path.to_owned(), problem: problem.to_string() }
    }

    pub(crate) fn sqlite(path: &Path, error: &rusqlite::Error) -> Self {
        use rusqlite::ErrorCode;
        let advice = match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => ": make room on the disk",
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                ": another program holds it; end that program"
            }
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
                ": the file is damaged; put a backup in its place"
            }
            Some(ErrorCode::CannotOpen) => ": see that its folder exists and belongs to this user",
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                ": let this user write to it and its folder"
            }
            _ => "",
        };
        Self::new(path, format_args!("failed ({error}){advice}"))
    }
}

/// An operator's order was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RevokeError {
    /// That CA has not issued such a certificate, as far as is on record.
    #[error("no certificate with the serial number {0} is on record")]
    NotOnRecord(SerialNumber),
    /// It is revoked for ever, which nothing changes.
    #[error("the certificate {serial} has been revoked for good ({reason}); that cannot be changed")]
    Final {
        /// Which one.
        serial: SerialNumber,
        /// Why it was.
        reason: CrlReason,
    },
    /// There is no hold to be lifted.
    #[error("the certificate {0} is not on hold")]
    NotOnHold(SerialNumber),
    /// `removeFromCRL` is no reason to revoke.
    #[error("removeFromCRL is no reason to revoke: lift the hold instead")]
    NotAReason,
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_name_the_file_and_say_what_to_do() {
        use rusqlite::ffi;
        for (code, advice) in [
            (ffi::SQLITE_FULL, "make room"),
            (ffi::SQLITE_BUSY, "another program"),
            (ffi::SQLITE_CORRUPT, "backup"),
            (ffi::SQLITE_NOTADB, "backup"),
            (ffi::SQLITE_CANTOPEN, "folder exists"),
            (ffi::SQLITE_READONLY, "let this user write"),
        ] {
            let error = rusqlite::Error::SqliteFailure(ffi::Error::new(code), None);
            let told = LedgerError::sqlite(Path::new("/data/ledger.sqlite"), &error).to_string();
            assert!(
                told.starts_with("the ledger /data/ledger.sqlite failed") && told.contains(advice),
                "{told}"
            );
        }
    }
}
