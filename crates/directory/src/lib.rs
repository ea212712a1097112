//! Directories of devices and users, and certificate status derived from them.

mod directory_trait;

pub use directory_trait::{Directory, DirectoryError, ObjectNames, ObjectState};
