//! Revocations that people ordered, in memory.

use std::{
    collections::HashMap,
    future::ready,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use pki_core::{BoxFuture, CertRef, Clock, CrlReason, UnixTime};

use crate::{RevocationSource, SourceError, Standing, StatusReport};

/// The revocations that people ordered, as the ledger knows them, in memory for fast reading.
///
/// Whoever holds the ledger feeds this: [`replace_all`](Self::replace_all) after reading all of it,
/// [`apply`](Self::apply) after recording one, [`confirm`](Self::confirm) after looking and finding nothing new. When
/// that has not happened for too long, the ledger is taken to be out of reach: what is revoked for ever stays
/// revoked, and about every other certificate the answer is an error.
#[derive(Debug)]
pub struct ManualRevocations {
    clock: Arc<dyn Clock>,
    max_age: Duration,
    index: RwLock<Index>,
}

#[derive(Debug, Default)]
struct Index {
    entries: HashMap<CertRef, ManualRevocation>,
    confirmed_at: Option<UnixTime>,
    /// Changes applied since the last reading began, which that reading may have missed.
    applied: Vec<Applied>,
    epoch: u64,
}

#[derive(Debug)]
struct Applied {
    at: UnixTime,
    certificate: CertRef,
    revocation: Option<ManualRevocation>,
}

/// One certificate revoked by order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ManualRevocation {
    since: UnixTime,
    reason: CrlReason,
}

impl ManualRevocation {
    /// `certificateHold` is a hold, every other reason is for ever; `removeFromCRL` is no revocation.
    pub fn new(since: UnixTime, reason: CrlReason) -> Result<Self, NotARevocation> {
        if reason == CrlReason::RemoveFromCrl { Err(NotARevocation) } else { Ok(Self { since, reason }) }
    }

    /// Since when.
    pub fn since(self) -> UnixTime {
        self.since
    }

    /// Why.
    pub fn reason(self) -> CrlReason {
        self.reason
    }

    fn is_permanent(self) -> bool {
        self.reason != CrlReason::CertificateHold
    }

    /// Never dated after `known_at`.
    fn report(self, known_at: UnixTime) -> StatusReport {
        let since = self.since.min(known_at);
        let standing = match self.reason {
            CrlReason::CertificateHold => Standing::Hold { since },
            reason => Standing::Revoked { since, reason },
        };
        StatusReport { standing, known_at, reliable_until: None }
    }
}

/// `removeFromCRL` lifts a hold; nothing is revoked for that reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("removeFromCRL is no reason to revoke; lift the hold instead")]
#[expect(clippy::exhaustive_structs, reason = "there is nothing more to say")]
pub struct NotARevocation;

impl ManualRevocations {
    /// An empty index that cannot tell anything until it is fed, and again when it has not been confirmed for longer
    /// than `max_age`.
    pub fn new(clock: Arc<dyn Clock>, max_age: Duration) -> Self {
        Self { clock, max_age, index: RwLock::default() }
    }

    /// Takes over all revocations on record. `read_at` is when reading them began, by the clock given to
    /// [`new`](Self::new): what was [applied](Self::apply) meanwhile is kept.
    pub fn replace_all(
        &self,
        revocations: impl IntoIterator<Item = (CertRef, ManualRevocation)>,
        read_at: UnixTime,
    ) {
        let mut entries: HashMap<_, _> = revocations.into_iter().collect();
        self.write(|index| {
            index.confirm(read_at);
            for change in &index.applied {
                set(&mut entries, change.certificate, change.revocation);
            }
            if index.entries != entries {
                index.entries = entries;
                index.epoch = index.epoch.wrapping_add(1);
            }
        });
    }

    /// Takes over one change that has just been recorded: a revocation, or `None` for a hold lifted.
    pub fn apply(&self, certificate: CertRef, revocation: Option<ManualRevocation>) {
        let at = self.clock.now();
        self.write(|index| {
            index.applied.push(Applied { at, certificate, revocation });
            if set(&mut index.entries, certificate, revocation) != revocation {
                index.epoch = index.epoch.wrapping_add(1);
            }
        });
    }

    /// The record was looked at and is as it was; `read_at` is when looking began.
    pub fn confirm(&self, read_at: UnixTime) {
        self.write(|index| index.confirm(read_at));
    }

    /// What stands against `certificate`, however long ago that was confirmed.
    pub fn find(&self, certificate: CertRef) -> Option<ManualRevocation> {
        self.read(|index| index.entries.get(&certificate).copied())
    }

    fn answer(&self, certificate: CertRef) -> Result<StatusReport, SourceError> {
        let now = self.clock.now();
        self.read(|index| {
            let entry = index.entries.get(&certificate).copied();
            if let Some(revocation) = entry.filter(|entry| entry.is_permanent()) {
                return Ok(revocation.report(now));
            }
            let known_at = index.confirmed_at.filter(|&at| self.is_recent(at, now)).ok_or_else(|| {
                SourceError::unavailable("the record of manual revocations", self.silence(index.confirmed_at))
            })?;
            let not_listed = StatusReport { standing: Standing::NotMine, known_at, reliable_until: None };
            Ok(entry.map_or(not_listed, |hold| hold.report(known_at.max(hold.since).min(now))))
        })
    }

    fn is_recent(&self, confirmed_at: UnixTime, now: UnixTime) -> bool {
        now.saturating_since(confirmed_at) <= self.max_age
    }

    fn silence(&self, confirmed_at: Option<UnixTime>) -> String {
        let limit = self.max_age.as_secs();
        match confirmed_at {
            Some(at) => format!("last read at {at}, more than the {limit} s ago that are allowed"),
            None => String::from("not read yet"),
        }
    }

    fn read<T>(&self, read: impl FnOnce(&Index) -> T) -> T {
        read(&self.index.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn write(&self, write: impl FnOnce(&mut Index)) {
        write(&mut self.index.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Index {
    fn confirm(&mut self, read_at: UnixTime) {
        self.applied.retain(|change| change.at >= read_at);
        self.confirmed_at = Some(read_at);
    }
}

/// Returns what was there before.
fn set(
    entries: &mut HashMap<CertRef, ManualRevocation>,
    certificate: CertRef,
    revocation: Option<ManualRevocation>,
) -> Option<ManualRevocation> {
    match revocation {
        Some(revocation) => entries.insert(certificate, revocation),
        None => entries.remove(&certificate),
    }
}

impl RevocationSource for ManualRevocations {
    fn status(&self, certificate: CertRef) -> BoxFuture<'_, Result<StatusReport, SourceError>> {
        Box::pin(ready(self.answer(certificate)))
    }

    fn name(&self) -> &'static str {
        "manual"
    }

    /// `None` while the record has not been confirmed for too long, so that nothing answered before is served on.
    fn epoch(&self) -> Option<u64> {
        let now = self.clock.now();
        self.read(|index| index.confirmed_at.filter(|&at| self.is_recent(at, now)).map(|_| index.epoch))
    }
}
