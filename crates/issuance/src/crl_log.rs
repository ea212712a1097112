//! The seam behind which CRLs are numbered and kept.

use std::fmt;

use pki_core::{BoxFuture, Crl, IssuerId, UnixTime};

use crate::LogError;

/// Numbers CRLs, and keeps those that were published. All calls return only when what they did would survive a crash.
///
/// Two servers of one CA may share a log: whoever is overtaken by the other starts over with what the other published.
pub trait CrlLog: fmt::Debug + Send + Sync {
    /// How far the CA has come.
    fn state(&self, issuer: IssuerId) -> BoxFuture<'_, Result<CrlState, LogError>>;

    /// The list of that name, if it is kept.
    fn crl(&self, issuer: IssuerId, name: CrlName) -> BoxFuture<'_, Result<Option<Crl>, LogError>>;

    /// Durable before any signature is made: takes the number for whoever asks, if `after` is still the last one taken.
    fn claim(
        &self,
        issuer: IssuerId,
        after: Option<CrlClaim>,
        claim: CrlClaim,
    ) -> BoxFuture<'_, Result<CrlOutcome, LogError>>;

    /// Durable before a list leaves the process: keeps it, if `after` is still the latest that was published. Lists that
    /// the new state does not name are dropped.
    fn publish<'a>(
        &'a self,
        issuer: IssuerId,
        publication: &'a CrlPublication,
    ) -> BoxFuture<'a, Result<CrlOutcome, LogError>>;
}

/// A number taken, and the thisUpdate that goes with it. Neither ever goes back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built by issuance and by every log")]
pub struct CrlClaim {
    /// cRLNumber.
    pub number: u64,
    /// thisUpdate.
    pub this_update: UnixTime,
}

impl CrlClaim {
    /// What to take after `last`, at `now`: the number is the time in seconds unless that was reached before. So it
    /// grows though the log was lost, or an old backup of it was put in its place.
    pub(crate) fn after(last: Option<Self>, now: UnixTime) -> Self {
        match last {
            None => Self { number: now.0.max(1), this_update: now },
            Some(last) => Self {
                number: last.number.saturating_add(1).max(now.0),
                this_update: last.this_update.max(now),
            },
        }
    }
}

/// Names one list of a CA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "a list is either full or not")]
pub enum CrlName {
    /// The full list of that number.
    Full(u64),
    /// The delta list of that number.
    Delta(u64),
}

/// A list that was published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built by issuance and by every log")]
pub struct CrlRecord {
    /// cRLNumber.
    pub number: u64,
    /// thisUpdate.
    pub this_update: UnixTime,
    /// nextUpdate.
    pub next_update: UnixTime,
}

/// How far a CA has come with its CRLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "built by issuance and by every log")]
pub struct CrlState {
    /// The last number taken, whether or not a list came of it.
    pub claimed: Option<CrlClaim>,
    /// The latest full list.
    pub full: Option<CrlRecord>,
    /// The latest delta list.
    pub delta: Option<CrlRecord>,
    /// The full list that delta lists start from.
    pub base: Option<CrlRecord>,
    /// The latest full list that was made because it was time; the next base.
    pub scheduled: Option<CrlRecord>,
}

impl CrlState {
    /// The latest list of either kind.
    pub fn latest(&self) -> Option<CrlRecord> {
        self.full.into_iter().chain(self.delta).max_by_key(|record| record.number)
    }
}

/// Lists to be published, and the state they lead to.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "built by issuance, read by every log")]
pub struct CrlPublication {
    /// The number of the latest list that was published before.
    pub after: Option<u64>,
    /// New lists.
    pub lists: Vec<(CrlName, Crl)>,
    /// The state with them; its claim is not looked at.
    pub state: CrlState,
}

/// Whether it was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "issuance must decide each case")]
pub enum CrlOutcome {
    /// It was.
    Done,
    /// Another server came first; nothing was done.
    Overtaken,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        // clause: RFC 5280 132
        #[test]
        fn row_74_numbers_and_times_only_grow_whatever_the_clock_and_the_backup_do(
            clock in prop::collection::vec(0..4_000_000_000_u64, 1..20),
        ) {
            let mut last: Option<CrlClaim> = None;
            for now in clock.into_iter().map(UnixTime) {
                let next = CrlClaim::after(last, now);
                prop_assert!(last.is_none_or(|last| last.number < next.number));
                prop_assert!(last.is_none_or(|last| last.this_update <= next.this_update));
                prop_assert!(next.number >= now.0, "a lost log makes no number twice");
                last = Some(next);
            }
        }
    }
}
