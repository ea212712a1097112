//! What a tenant's lists of changes have told, in memory.

use std::{
    collections::{HashMap, HashSet},
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use pki_core::UnixTime;
use rest_client::time;
use serde_json::{Map, Value};
use serial_binding::{BoundObject, ObjectId, ObjectKind};

use crate::{
    policy::Account,
    records::{is_removed, uuid},
};

/// A list that Graph tells changes of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Collection {
    Devices,
    Users,
}

impl Collection {
    pub(crate) const ALL: [Self; 2] = [Self::Devices, Self::Users];

    pub(crate) fn kind(self) -> ObjectKind {
        match self {
            Self::Devices => ObjectKind::ENTRA_DEVICE,
            Self::Users => ObjectKind::ENTRA_USER,
        }
    }

    /// Where its changes are told from the beginning.
    pub(crate) fn start(self) -> &'static str {
        match self {
            Self::Devices => {
                "/v1.0/devices/delta?$select=id,deviceId,accountEnabled,isCompliant,registrationDateTime"
            }
            Self::Users => "/v1.0/users/delta?$select=id,accountEnabled",
        }
    }
}

/// Both lists, 100 octets or so an object.
#[derive(Debug, Default)]
pub(crate) struct Followed {
    devices: RwLock<List>,
    users: RwLock<List>,
}

/// The state of a list as of some time.
#[derive(Debug, Default)]
pub(crate) struct List {
    /// By the id that certificates are bound to.
    accounts: HashMap<ObjectId, Account>,
    /// From a device's object id, by which changes are told, to the id that certificates are bound to.
    devices: HashMap<ObjectId, ObjectId>,
    /// When it was asked for.
    as_of: Option<UnixTime>,
    /// Notified of since: the list is not believed about these until it is newer.
    doubted: HashMap<ObjectId, UnixTime>,
}

impl Followed {
    /// What is known of an object, and as of when; `None` sends the question to Graph.
    pub(crate) fn find(&self, object: BoundObject) -> Option<(Account, UnixTime)> {
        let collection = Collection::ALL.into_iter().find(|one| one.kind() == object.kind())?;
        let list = self.read(collection);
        let as_of = list.as_of?;
        let is_doubted = list.doubted.get(&object.id()).is_some_and(|since| as_of <= *since);
        list.accounts.get(&object.id()).filter(|_| !is_doubted).map(|account| (*account, as_of))
    }

    /// The object has changed by then.
    pub(crate) fn doubt(&self, collection: Collection, id: ObjectId, at: UnixTime) {
        self.write(collection).doubted.insert(id, at);
    }

    /// Takes over a list that was told from the beginning. Returns what has changed.
    pub(crate) fn replace(&self, collection: Collection, mut new: List, as_of: UnixTime) -> Vec<ObjectId> {
        new.as_of = Some(as_of);
        let mut list = self.write(collection);
        new.doubted = std::mem::take(&mut list.doubted);
        new.doubted.retain(|_, since| as_of <= *since);
        let has_changed = |id: &&ObjectId| list.accounts.get(*id) != new.accounts.get(*id);
        let gone = list.accounts.keys().filter(has_changed);
        let other = new.accounts.keys().filter(|id| list.accounts.contains_key(*id)).filter(has_changed);
        let changed: HashSet<ObjectId> = gone.chain(other).copied().collect();
        *list = new;
        changed.into_iter().collect()
    }

    /// Takes over changes. Returns which objects they are of.
    pub(crate) fn apply(
        &self,
        collection: Collection,
        changes: &[Map<String, Value>],
        as_of: UnixTime,
    ) -> Vec<ObjectId> {
        let mut list = self.write(collection);
        let touched = changes.iter().flat_map(|change| list.take(collection, change)).collect();
        list.as_of = Some(as_of);
        list.doubted.retain(|_, since| as_of <= *since);
        touched
    }

    pub(crate) fn len(&self, collection: Collection) -> usize {
        self.read(collection).accounts.len()
    }

    pub(crate) fn as_of(&self, collection: Collection) -> Option<UnixTime> {
        self.read(collection).as_of
    }

    fn list(&self, collection: Collection) -> &RwLock<List> {
        match collection {
            Collection::Devices => &self.devices,
            Collection::Users => &self.users,
        }
    }

    fn read(&self, collection: Collection) -> RwLockReadGuard<'_, List> {
        self.list(collection).read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, collection: Collection) -> RwLockWriteGuard<'_, List> {
        self.list(collection).write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl List {
    /// One change; what it does not name stays as it was. Returns the ids that certificates may be bound to.
    pub(crate) fn take(&mut self, collection: Collection, change: &Map<String, Value>) -> Vec<ObjectId> {
        let text = |name: &str| change.get(name).and_then(Value::as_str);
        let Some(own) = text("id").and_then(uuid) else { return Vec::new() };
        let before = match collection {
            Collection::Users => Some(own),
            Collection::Devices => self.devices.get(&own).copied(),
        };
        if is_removed(change) {
            // Whether it is gone, and for good, is asked when it matters.
            self.devices.remove(&own);
            return before.into_iter().filter(|id| self.accounts.remove(id).is_some()).collect();
        }
        let named = if collection == Collection::Users { Some(own) } else { text("deviceId").and_then(uuid) };
        let Some(id) = named.or(before) else { return Vec::new() };
        let moved = before.filter(|before| *before != id);
        let known = moved.and_then(|before| self.accounts.remove(&before));
        if collection == Collection::Devices {
            self.devices.insert(own, id);
        }
        let account = self.accounts.entry(id).or_insert(known.unwrap_or_default());
        update(account, change);
        moved.into_iter().chain([id]).collect()
    }
}

fn update(account: &mut Account, change: &Map<String, Value>) {
    if let Some(enabled) = change.get("accountEnabled") {
        account.enabled = enabled.as_bool();
    }
    if let Some(compliant) = change.get("isCompliant") {
        account.is_compliant = compliant.as_bool();
    }
    if let Some(registered) = change.get("registrationDateTime") {
        account.registered = registered.as_str().and_then(time);
    }
}
