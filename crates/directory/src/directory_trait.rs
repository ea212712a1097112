//! The seam behind which a directory lives.

use std::{collections::BTreeMap, fmt, time::Duration};

use pki_core::{BoxFuture, GeneralName, UnixTime};
use serial_binding::{BoundObject, ObjectKinds};

/// Looks devices and users up.
///
/// `Ok(None)` means that the directory was asked, by someone entitled to ask, and has no such object. Whatever else
/// goes wrong (no connection, no permission, an answer that cannot be read) is an error, never `Ok(None)`.
pub trait Directory: fmt::Debug + Send + Sync {
    /// Whether the object is enabled.
    fn state(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectState>, DirectoryError>>;

    /// The names that a certificate bound to the object may carry.
    fn names(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectNames>, DirectoryError>>;

    /// What else it knows of the object and templates of names may use, by name: `department`, say. [`SID_ATTRIBUTE`] is
    /// the security identifier of its Windows account; [`TENANT_ATTRIBUTE`] and [`DEVICE_ATTRIBUTE`] are ids of Microsoft
    /// Entra. Asked only where a profile needs it.
    fn attributes(
        &self,
        object: BoundObject,
    ) -> BoxFuture<'_, Result<BTreeMap<String, String>, DirectoryError>> {
        let _ = object;
        Box::pin(std::future::ready(Ok(BTreeMap::new())))
    }

    /// The one object that goes by `name` (a common name, an id, a host name, an address).
    fn identify<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<BoundObject>, DirectoryError>>;

    /// A number that changes whenever any object did; `None` for a directory that cannot tell, or cannot tell now
    /// because it has lost touch with what it answers from.
    fn epoch(&self) -> Option<u64>;

    /// The kinds of object that it holds: of these, `Ok(None)` means deleted; of others it is never asked. A directory
    /// beside another one must say so here, or each would call the other's objects deleted.
    fn kinds(&self) -> ObjectKinds {
        ObjectKinds::ALL
    }

    /// [`Directory::state`], and how old that knowledge is. A directory that answers from memory overrides this.
    fn observe(&self, object: BoundObject) -> BoxFuture<'_, Result<Observation, DirectoryError>> {
        Box::pin(async move {
            let state = self.state(object).await?;
            Ok(Observation { state, known_at: None, reliable_until: None })
        })
    }
}

/// The name of the attribute that is the security identifier of an object's Windows account, such as `S-1-5-21-…-1104`.
pub const SID_ATTRIBUTE: &str = "sid";
/// The name of the attribute that is the id of the tenant of Microsoft Entra that an object is of: a UUID.
pub const TENANT_ATTRIBUTE: &str = "tenant-id";
/// The name of the attribute that is the id of a device in Microsoft Entra (`deviceId`): a UUID.
pub const DEVICE_ATTRIBUTE: &str = "device-id";

/// The state of an object, and how old that knowledge is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built by every directory")]
pub struct Observation {
    /// The state; `None` when there is no such object.
    pub state: Option<ObjectState>,
    /// When it was known to be so; `None` for just now.
    pub known_at: Option<UnixTime>,
    /// Until when it may be relied on; `None` for as long as [`Directory::epoch`] stays the same or, in a directory
    /// that has none, for a few seconds.
    pub reliable_until: Option<UnixTime>,
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
    /// It asks to be left alone for a while.
    #[error("the directory {directory} asks for {} s without questions", retry_after.as_secs())]
    Throttled {
        /// Which directory, for the log.
        directory: String,
        /// How long, from now.
        retry_after: Duration,
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

impl DirectoryError {
    /// The directory of that name cannot be asked now.
    pub fn unavailable(directory: impl Into<String>, why: impl fmt::Display) -> Self {
        Self::Unavailable { directory: directory.into(), why: why.to_string() }
    }
}
