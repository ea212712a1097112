//! Objects that were seen to be deleted.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
};

use directory::{Tombstone, Tombstones};
use pki_core::{BoxFuture, CertRef, UnixTime};
use revocation::SourceError;
use rusqlite::{Connection, params};
use serial_binding::BoundObject;

use crate::{Ledger, LedgerReader, encoding};

/// Objects asked about that no certificate was issued to; beyond this many they are forgotten and looked up again.
const STRANGERS: usize = 4096;
/// Tombstones waiting to be written, at most: whoever makes serial numbers up must not keep enrollments from the queue.
const WAITING: usize = 64;

/// What is on record, in memory, because every status request asks.
#[derive(Debug, Clone, Default)]
pub(crate) struct TombstoneIndex(Arc<Index>);

#[derive(Debug, Default)]
struct Index {
    deleted: RwLock<HashMap<BoundObject, Tombstone>>,
    /// Objects whose deletion is being recorded, or was not worth recording.
    submitted: Mutex<HashSet<BoundObject>>,
    waiting: AtomicUsize,
}

impl TombstoneIndex {
    fn find(&self, object: BoundObject) -> Option<Tombstone> {
        self.0.deleted.read().unwrap_or_else(PoisonError::into_inner).get(&object).copied()
    }

    /// Takes tombstones over; of two for one object the one seen later counts.
    pub(crate) fn learn(&self, tombstones: impl IntoIterator<Item = (BoundObject, Tombstone)>) {
        let mut deleted = self.0.deleted.write().unwrap_or_else(PoisonError::into_inner);
        for (object, tombstone) in tombstones {
            let known = deleted.entry(object).or_insert(tombstone);
            if known.seen_at < tombstone.seen_at {
                *known = tombstone;
            }
        }
    }

    /// Forgets a tombstone that was not recorded, for what was known `before`.
    fn unlearn(&self, object: BoundObject, tombstone: Tombstone, before: Option<Tombstone>) {
        let mut deleted = self.0.deleted.write().unwrap_or_else(PoisonError::into_inner);
        if deleted.get(&object) == Some(&tombstone) {
            match before {
                Some(before) => deleted.insert(object, before),
                None => deleted.remove(&object),
            };
        }
    }

    /// A certificate is about to be issued to `object`: from now on its deletion is worth recording (again).
    pub(crate) fn expect_certificates_of(&self, object: BoundObject) {
        self.submitted().remove(&object);
    }

    /// Whether the tombstone is to be written now: it is the first of its object, and there are not too many.
    fn submit(&self, object: BoundObject) -> bool {
        if self.0.waiting.fetch_add(1, Ordering::Relaxed) < WAITING {
            let mut submitted = self.submitted();
            if submitted.len() >= STRANGERS {
                submitted.clear();
            }
            if submitted.insert(object) {
                return true;
            }
        }
        self.written();
        false
    }

    fn written(&self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }

    fn submitted(&self) -> std::sync::MutexGuard<'_, HashSet<BoundObject>> {
        self.0.submitted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The deletions recorded since, and with them the time to ask from next.
pub(crate) fn seen_since(
    connection: &Connection,
    since: UnixTime,
) -> rusqlite::Result<Vec<(BoundObject, Tombstone)>> {
    let mut statement =
        connection.prepare_cached("SELECT object, seen, since FROM deletion WHERE seen >= ?")?;
    let rows = statement.query_map([encoding::seconds(since)], |row| {
        let object =
            encoding::object(row, "object")?.ok_or_else(|| encoding::damaged("object", "an object"))?;
        let seen_at = encoding::time(row, "seen")?;
        Ok((object, Tombstone { seen_at, since: encoding::time(row, "since")? }))
    })?;
    rows.collect()
}

/// Whether it was recorded: objects that no certificate was issued to are not, for anyone can make up their ids.
fn record(connection: &Connection, object: BoundObject, tombstone: Tombstone) -> rusqlite::Result<bool> {
    const SQL: &str = "INSERT INTO deletion (object, seen, since) \
        SELECT ?1, ?2, ?3 WHERE EXISTS (SELECT 1 FROM certificate WHERE object = ?1) \
        ON CONFLICT (object) DO UPDATE SET seen = excluded.seen, since = excluded.since \
        WHERE excluded.seen > deletion.seen";
    let Tombstone { seen_at, since } = tombstone;
    let row = params![encoding::object_octets(object), encoding::seconds(seen_at), encoding::seconds(since)];
    Ok(connection.prepare_cached(SQL)?.execute(row)? == 1)
}

impl Tombstones for Ledger {
    fn find(&self, object: BoundObject) -> Option<Tombstone> {
        self.reader().tombstones().find(object)
    }

    fn record(&self, object: BoundObject, tombstone: Tombstone) {
        let index = self.reader().tombstones().clone();
        let known = index.find(object);
        if known.is_some_and(|known| known.seen_at >= tombstone.seen_at) || !index.submit(object) {
            return;
        }
        // Known at once, or an object that comes back while this is written would have its certificates back.
        index.learn([(object, tombstone)]);
        let retry = index.clone();
        let submitted = self.writer().submit(
            move |connection| record(connection, object, tombstone),
            move |recorded| {
                index.written();
                match recorded {
                    Ok(true) => {}
                    Ok(false) => index.unlearn(object, tombstone, known),
                    // The next request about the object tries again.
                    Err(_) => {
                        index.unlearn(object, tombstone, known);
                        index.expect_certificates_of(object);
                    }
                }
            },
        );
        if submitted.is_err() {
            retry.written();
            retry.unlearn(object, tombstone, known);
            retry.expect_certificates_of(object);
        }
    }

    fn issued_at(&self, certificate: CertRef) -> BoxFuture<'_, Result<Option<UnixTime>, SourceError>> {
        Tombstones::issued_at(self.reader(), certificate)
    }
}

/// Knows the deletions that the issuer recorded; what a responder sees itself it does not record.
impl Tombstones for LedgerReader {
    fn find(&self, object: BoundObject) -> Option<Tombstone> {
        self.tombstones().find(object)
    }

    fn record(&self, _object: BoundObject, _tombstone: Tombstone) {}

    fn issued_at(&self, certificate: CertRef) -> BoxFuture<'_, Result<Option<UnixTime>, SourceError>> {
        let issued_at = Self::issued_at(self, certificate);
        Box::pin(std::future::ready(issued_at.map_err(|error| SourceError::unavailable("the ledger", error))))
    }
}
