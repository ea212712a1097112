//! Challenges for people who look after them.

use issuance::{ChallengeId, TransactionKey};
use pki_core::UnixTime;
use rusqlite::{Connection, Row, params};
use serial_binding::BoundObject;

use crate::{LedgerError, LedgerReader, encoding};

/// A one-time challenge as it is on record; never the secret itself.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChallengeRecord {
    /// The keyed hash of the secret.
    pub id: ChallengeId,
    /// The profile that it enrolls with.
    pub profile: String,
    /// The object that it is for.
    pub object: BoundObject,
    /// When it was made.
    pub created: UnixTime,
    /// Last second at which it can be spent.
    pub expires: UnixTime,
    /// What became of it.
    pub fate: ChallengeFate,
}

/// What became of a challenge.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChallengeFate {
    /// Nothing yet: it can be spent until it expires.
    Open,
    /// A certificate was issued for it.
    Spent {
        /// When.
        at: UnixTime,
    },
    /// It was used for what it was not made for.
    Burnt {
        /// When.
        at: UnixTime,
        /// For what.
        why: String,
    },
}

impl LedgerReader {
    /// The latest challenges, at most `limit`, the last one first.
    pub fn challenges(&self, limit: u32) -> Result<Vec<ChallengeRecord>, LedgerError> {
        self.read(|connection| latest(connection, limit))
    }
}

/// Whether the challenge was there to be spent; runs in the transaction that it is spent for.
pub(crate) fn spend(
    connection: &Connection,
    id: ChallengeId,
    transaction: TransactionKey,
    at: UnixTime,
) -> rusqlite::Result<bool> {
    const SQL: &str = "UPDATE challenge SET spent_by = ?, spent = ? \
                       WHERE id = ? AND spent_by IS NULL AND burnt IS NULL AND expires >= ?";
    let (key, at) = (transaction.as_bytes(), encoding::seconds(at));
    let spent = connection.prepare_cached(SQL)?.execute(params![key, at, id.as_bytes(), at])?;
    Ok(spent == 1)
}

fn latest(connection: &Connection, limit: u32) -> rusqlite::Result<Vec<ChallengeRecord>> {
    const SQL: &str = "SELECT id, profile, object, created, expires, spent, burnt, why FROM challenge \
                       ORDER BY created DESC, id LIMIT ?";
    let mut statement = connection.prepare_cached(SQL)?;
    let rows = statement.query_map([limit], record)?;
    rows.collect()
}

fn record(row: &Row<'_>) -> rusqlite::Result<ChallengeRecord> {
    let object = encoding::object(row, "object")?;
    Ok(ChallengeRecord {
        id: ChallengeId::from_bytes(encoding::octets32(row, "id")?),
        profile: row.get("profile")?,
        object: object.ok_or_else(|| encoding::damaged("object", "an object"))?,
        created: encoding::time(row, "created")?,
        expires: encoding::time(row, "expires")?,
        fate: fate(row)?,
    })
}

fn fate(row: &Row<'_>) -> rusqlite::Result<ChallengeFate> {
    let (spent, burnt) = (encoding::optional_time(row, "spent")?, encoding::optional_time(row, "burnt")?);
    Ok(match (spent, burnt) {
        (Some(at), _) => ChallengeFate::Spent { at },
        (None, Some(at)) => ChallengeFate::Burnt { at, why: row.get("why")? },
        (None, None) => ChallengeFate::Open,
    })
}
