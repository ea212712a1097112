//! What stands on a CRL: the list as it is now, and how it differs from one before.

use std::collections::BTreeMap;

use pki_core::{Crl, CrlReason, EncodedCrlEntries, SerialNumber, UnixTime};

use crate::{CrlCandidate, CrlStanding};

/// One entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Listed {
    serial: SerialNumber,
    reason: CrlReason,
    revoked_at: UnixTime,
    invalid_since: Option<UnixTime>,
}

/// Entries in the order of their serial numbers, none twice.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Listing(Vec<Listed>);

/// What the lists before said.
#[derive(Debug, Default)]
pub(crate) struct Past {
    /// What was told last: the latest full list with the latest delta list over it.
    told: Listing,
    /// The latest delta list.
    delta: Listing,
    /// When anything was told last.
    at: Option<UnixTime>,
}

impl Listing {
    /// The entries of one of our own lists.
    pub(crate) fn of(crl: &Crl) -> Self {
        let listed = crl.entries().filter_map(|entry| {
            Some(Listed {
                serial: entry.serial_number()?,
                reason: entry.reason().unwrap_or(CrlReason::Unspecified),
                revoked_at: entry.revoked_at(),
                invalid_since: entry.invalid_since(),
            })
        });
        Self::sorted(listed.collect())
    }

    fn sorted(mut listed: Vec<Listed>) -> Self {
        listed.sort_unstable_by_key(|entry| entry.serial);
        listed.dedup_by_key(|entry| entry.serial);
        Self(listed)
    }

    fn find(&self, serial: SerialNumber) -> Option<&Listed> {
        let at = self.0.binary_search_by_key(&serial, |entry| entry.serial).ok()?;
        self.0.get(at)
    }

    /// These, changed as the delta list `later` says.
    fn overlaid(self, later: &Self) -> Self {
        let kept = self.0.into_iter().filter(|entry| later.find(entry.serial).is_none());
        let listed = later.0.iter().filter(|entry| entry.reason != CrlReason::RemoveFromCrl);
        Self::sorted(kept.chain(listed.copied()).collect())
    }

    /// The entries as they go into a CRL.
    pub(crate) fn encoded(&self) -> EncodedCrlEntries {
        let mut entries = EncodedCrlEntries::with_capacity(self.0.len());
        for Listed { serial, reason, revoked_at, invalid_since } in &self.0 {
            entries.push(*serial, *revoked_at, *reason, *invalid_since);
        }
        entries
    }

    /// What leads from `base`, issued at `base_at`, to these: new and changed entries, and `removeFromCRL` for whatever
    /// stood on `base` or any list since and does not any more (RFC 5280 §5.2.4).
    pub(crate) fn since(&self, base: &Self, base_at: UnixTime, past: &Past, now: UnixTime) -> Self {
        let mut gone: BTreeMap<SerialNumber, UnixTime> = BTreeMap::new();
        let is_gone = |entry: &&Listed| self.find(entry.serial).is_none();
        for entry in base.0.iter().chain(&past.told.0).filter(is_gone) {
            gone.insert(entry.serial, now);
        }
        for entry in past.delta.0.iter().filter(is_gone) {
            let removed_at = if entry.reason == CrlReason::RemoveFromCrl { entry.revoked_at } else { now };
            // What was removed before the base was issued has been off every list since.
            if removed_at >= base_at || gone.contains_key(&entry.serial) {
                gone.insert(entry.serial, removed_at);
            }
        }
        let changed = self.0.iter().filter(|entry| base.find(entry.serial) != Some(entry)).copied();
        let removed = gone.into_iter().map(|(serial, revoked_at)| Listed {
            serial,
            reason: CrlReason::RemoveFromCrl,
            revoked_at,
            invalid_since: None,
        });
        Self::sorted(changed.chain(removed).collect())
    }
}

impl Past {
    /// `full` and `delta` as they were published, the delta list only if it is the later one, or as late.
    pub(crate) fn new(full: Option<&Crl>, delta: Option<&Crl>) -> Self {
        let [told, delta_entries] = [full, delta].map(|crl| crl.map(Listing::of).unwrap_or_default());
        let at = full.into_iter().chain(delta).map(Crl::this_update).max();
        Self { told: told.overlaid(&delta_entries), delta: delta_entries, at }
    }

    /// What a list of these candidates has on it at `now`, and whether some of it is only what was told before.
    ///
    /// An entry that was told before keeps its dates. A new one is dated no earlier than the lists before it, which did
    /// not have it; since when the certificate deserves no trust stands beside that (RFC 5280 §5.3.2).
    pub(crate) fn continued(&self, candidates: Vec<CrlCandidate>, now: UnixTime) -> (Listing, Certainty) {
        let mut certainty = Certainty::Told;
        let mut listed = Vec::with_capacity(candidates.len());
        for CrlCandidate { serial, standing, .. } in candidates {
            let before = self.told.find(serial).copied();
            match standing {
                CrlStanding::NotTold => {
                    certainty = Certainty::Presumed;
                    listed.extend(before);
                }
                CrlStanding::Revoked { since, reason } => {
                    let since = since.min(now);
                    let same = before.filter(|before| {
                        before.reason == reason && before.invalid_since.unwrap_or(before.revoked_at) == since
                    });
                    let revoked_at = since.max(self.at.unwrap_or(since)).min(now);
                    let invalid_since = (since < revoked_at).then_some(since);
                    listed.push(same.unwrap_or(Listed { serial, reason, revoked_at, invalid_since }));
                }
            }
        }
        (Listing::sorted(listed), certainty)
    }
}

/// Whether all of a list is known to be so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Certainty {
    /// It is.
    Told,
    /// Some of it is what was told before.
    Presumed,
}
