//! What runs out, for those who count.

use std::time::Duration;

use pki_core::UnixTime;
use rusqlite::{Connection, params};

use crate::{LedgerError, LedgerReader, certificates::HAS_NO_SUCCESSOR, encoding};

/// How many certificates of a profile run out within a time and have no successor.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Expiring {
    /// The profile.
    pub profile: String,
    /// For each time that was asked about, in that order: how many end within it from now.
    pub within: Vec<u64>,
}

impl LedgerReader {
    /// Counts the certificates that are valid now, end within each of `horizons` from now, are not revoked by order, and
    /// have no successor: no later certificate of the same profile for the same object. One entry for each profile
    /// that has ever issued, so that a gauge goes back to zero.
    ///
    /// Reads all of the table of certificates: about a second for a million. Ask every few minutes, not on every scrape.
    pub fn expiring(&self, now: UnixTime, horizons: &[Duration]) -> Result<Vec<Expiring>, LedgerError> {
        self.read(|connection| {
            let mut profiles = profiles(connection)?;
            for horizon in horizons {
                let counted = count(connection, now, now.saturating_add(*horizon))?;
                for Expiring { profile, within } in &mut profiles {
                    let found = counted.iter().find(|(name, _)| name == profile);
                    within.push(found.map_or(0, |(_, count)| *count));
                }
            }
            Ok(profiles)
        })
    }
}

fn profiles(connection: &Connection) -> rusqlite::Result<Vec<Expiring>> {
    let mut statement =
        connection.prepare_cached("SELECT DISTINCT profile FROM certificate ORDER BY profile")?;
    let rows = statement.query_map([], |row| Ok(Expiring { profile: row.get(0)?, within: Vec::new() }))?;
    rows.collect()
}

fn count(connection: &Connection, now: UnixTime, by: UnixTime) -> rusqlite::Result<Vec<(String, u64)>> {
    let sql = format!(
        "SELECT c.profile, count(*) FROM certificate c JOIN issuer i ON i.id = c.issuer \
         WHERE c.not_after > ?1 AND c.not_after <= ?2 AND c.issued IS NOT NULL AND {HAS_NO_SUCCESSOR} \
         AND NOT EXISTS (SELECT 1 FROM revocation r WHERE r.issuer = i.octets AND r.serial = c.serial) \
         GROUP BY c.profile"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let times = params![encoding::seconds(now), encoding::seconds(by)];
    let rows = statement.query_map(times, |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs())))?;
    rows.collect()
}
