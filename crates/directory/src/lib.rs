//! Directories of devices and users, and certificate status derived from them.
//!
//! A [`Directory`] knows objects, their states and their names. [`FileDirectory`] is one kept in a file;
//! [`DirectoryRevocation`] tells a certificate's status from the state of the object that its serial number is bound
//! to: enabled is good, disabled is on hold, deleted is revoked for ever. [`GuardedDirectory`] stands before one that is
//! reached over a network: it remembers, and it does not believe everything.

mod breaker;
mod directory_revocation;
mod directory_trait;
mod document;
mod file_directory;
mod first_seen;
mod guarded_directory;
mod health;
mod side_by_side;
mod snapshot;
mod stamp;
mod tombstones;
mod unchecked;

pub use breaker::BreakerSettings;
pub use directory_revocation::{DirectoryRevocation, DirectoryRevocationParts};
pub use directory_trait::{
    DEVICE_ATTRIBUTE, Directory, DirectoryError, ObjectNames, ObjectState, Observation, SID_ATTRIBUTE,
    TENANT_ATTRIBUTE,
};
pub use file_directory::{FileDirectory, FileDirectoryError, FileDirectorySettings, Refresh};
pub use guarded_directory::{GuardSettings, GuardedDirectory};
pub use health::{DirectoryAnswers, DirectoryHealth};
pub use side_by_side::{KindHeldTwice, SideBySide};
pub use tombstones::{InMemoryTombstones, NoTombstones, Tombstone, Tombstones};
pub use unchecked::Unchecked;
