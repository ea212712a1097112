//! Memory of deleted objects.

use std::{
    collections::HashMap,
    fmt,
    future::ready,
    sync::{PoisonError, RwLock},
};

use pki_core::{BoxFuture, CertRef, UnixTime};
use revocation::SourceError;
use serial_binding::BoundObject;

/// Remembers which objects were seen to be deleted, so that an object made anew under an old id does not bring the old
/// certificates back. Implemented where there is a ledger; a responder without one has [`NoTombstones`].
///
/// The first two calls are on the path of every status request: they answer from memory and return at once.
pub trait Tombstones: fmt::Debug + Send + Sync {
    /// The last deletion of `object` on record.
    fn find(&self, object: BoundObject) -> Option<Tombstone>;

    /// Remembers that `object` was deleted; a tombstone on record that was seen later stays. What is to outlast the
    /// process is written in the background. Someone who forges serial numbers can have this called for objects that
    /// never were: remember those that certificates were issued to, or a bounded number.
    fn record(&self, object: BoundObject, tombstone: Tombstone);

    /// When `certificate` was issued, if that is on record. Asked only about certificates whose object has a tombstone:
    /// one issued after the deletion belongs to the new object. `Ok(None)` counts as issued before.
    fn issued_at(&self, certificate: CertRef) -> BoxFuture<'_, Result<Option<UnixTime>, SourceError>> {
        let _ = certificate;
        Box::pin(ready(Ok(None)))
    }
}

/// One deletion of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_structs, reason = "read and written by every store")]
pub struct Tombstone {
    /// When it was seen: certificates issued up to then are revoked.
    pub seen_at: UnixTime,
    /// Since when they are, if the directory told; else the same.
    pub since: UnixTime,
}

/// Remembers nothing: a deleted object that comes back brings its certificates back.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "it has no state and never will")]
pub struct NoTombstones;

impl Tombstones for NoTombstones {
    fn find(&self, _object: BoundObject) -> Option<Tombstone> {
        None
    }

    fn record(&self, _object: BoundObject, _tombstone: Tombstone) {}
}

/// Remembers up to a number of deleted objects for as long as the process runs, the first ones seen.
#[derive(Debug)]
pub struct InMemoryTombstones {
    capacity: usize,
    deleted: RwLock<HashMap<BoundObject, Tombstone>>,
}

impl InMemoryTombstones {
    /// With room for `capacity` objects.
    pub fn new(capacity: usize) -> Self {
        Self { capacity, deleted: RwLock::default() }
    }
}

impl Tombstones for InMemoryTombstones {
    fn find(&self, object: BoundObject) -> Option<Tombstone> {
        self.deleted.read().unwrap_or_else(PoisonError::into_inner).get(&object).copied()
    }

    fn record(&self, object: BoundObject, tombstone: Tombstone) {
        let mut deleted = self.deleted.write().unwrap_or_else(PoisonError::into_inner);
        let has_room = deleted.len() < self.capacity;
        match deleted.get_mut(&object) {
            Some(earlier) if earlier.seen_at < tombstone.seen_at => *earlier = tombstone,
            None if has_room => drop(deleted.insert(object, tombstone)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use serial_binding::{ObjectId, ObjectKind};

    use super::*;

    #[test]
    fn the_last_deletion_stays_and_the_memory_is_bounded() {
        let number = |id| BoundObject::new(ObjectKind::NUMBERED, ObjectId::Number(id)).unwrap();
        let seen_at = |at| Tombstone { seen_at: UnixTime(at), since: UnixTime(at) };
        let tombstones = InMemoryTombstones::new(2);
        for (id, at) in [(1, 50), (1, 40), (1, 60), (2, 10), (3, 10)] {
            tombstones.record(number(id), seen_at(at));
        }
        assert_eq!(tombstones.find(number(1)), Some(seen_at(60)));
        assert_eq!(tombstones.find(number(2)), Some(seen_at(10)));
        assert_eq!(tombstones.find(number(3)), None);
    }
}
