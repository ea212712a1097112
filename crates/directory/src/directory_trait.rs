//! The seam behind which a directory lives.

use std::fmt;

use pki_core::{BoxFuture, GeneralName, UnixTime};
use serial_binding::BoundObject;

/// Looks devices and users up.
///
/// `Ok(None)` means that the directory was asked, by someone entitled to ask, and has no such object. Whatever else
/// goes wrong (no connection, no permission, an answer that cannot be read) is an error, never `Ok(None)`.
pub trait Directory: fmt::Debug + Send + Sync {
    /// Whether the object is enabled.
    fn state(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectState>, DirectoryError>>;

    /// The names that a certificate bound to the object may carry.
    fn names(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectNames>, DirectoryError>>;

    /// The one object that goes by `name` (a common name, an id, a host name, an address).
    fn identify<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<BoundObject>, DirectoryError>>;

    /// A number that changes whenever any object did; `None` for a directory that cannot tell.
    fn epoch(&self) -> Option<u64>;
}

/// Whether certificates bound to an object are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ObjectState {
    /// They are.
    Enabled,
    /// They are on hold.
    Disabled {
        /// Since when, if the directory tells.
        since: Option<UnixTime>,
    },
    /// They are revoked for ever, though the directory still shows the object (wiped, retired).
    Gone {
        /// Since when, if the directory tells.
        since: Option<UnixTime>,
    },
}

/// The names of an object; a certificate bound to it carries these and no others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "built by every directory")]
pub struct ObjectNames {
    /// Values that the commonName may have, the preferred one first; never empty for a usable object.
    pub common_names: Vec<String>,
    /// Alternative names that a certificate may carry.
    pub alternative_names: Vec<GeneralName>,
}

/// The directory could not be asked, or its answer could not be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DirectoryError {
    /// Ask again later.
    #[error("the directory {directory} cannot be asked now: {why}")]
    Unavailable {
        /// Which directory, for the log.
        directory: String,
        /// What happened.
        why: String,
    },
    /// More than one object goes by that name.
    #[error("more than one object of {directory} is called {name:?}")]
    Ambiguous {
        /// Which directory.
        directory: String,
        /// The name asked for.
        name: String,
    },
}
