//! Directories of devices and users, and certificate status derived from them.
//!
//! A [`Directory`] knows objects, their states and their names. [`FileDirectory`] is one kept in a file;
//! [`DirectoryRevocation`] tells a certificate's status from the state of the object that its serial number is bound
//! to: enabled is good, disabled is on hold, deleted is revoked for ever.

mod directory_revocation;
mod directory_trait;
mod document;
mod file_directory;
mod first_seen;
mod snapshot;
mod stamp;
mod tombstones;

pub use directory_revocation::{DirectoryRevocation, DirectoryRevocationParts};
pub use directory_trait::{Directory, DirectoryError, ObjectNames, ObjectState, Observation};
pub use file_directory::{FileDirectory, FileDirectoryError, FileDirectorySettings, Refresh};
pub use tombstones::{InMemoryTombstones, NoTombstones, Tombstone, Tombstones};
