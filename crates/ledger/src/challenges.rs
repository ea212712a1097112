//! Challenges for people who look after them.

use enrollment::StoredChallenge;
use issuance::{ChallengeId, Intent, Spend, TransactionKey};
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

/// Who spends a challenge, and for what.
pub(crate) struct Spender<'a> {
    pub(crate) transaction: TransactionKey,
    pub(crate) profile: &'a str,
    pub(crate) object: Option<BoundObject>,
    pub(crate) at: UnixTime,
}

impl<'a> From<&'a Intent> for Spender<'a> {
    fn from(intent: &'a Intent) -> Self {
        let Intent { profile, object, at, provenance, .. } = intent;
        Self { transaction: provenance.transaction, profile, object: *object, at: *at }
    }
}

/// Whether the challenge was there to be spent; runs in the transaction that it is spent for.
pub(crate) fn spend(connection: &Connection, spend: Spend, by: &Spender<'_>) -> rusqlite::Result<bool> {
    match spend {
        Spend::Stored(id) => spend_stored(connection, id, by.transaction, by.at),
        Spend::SelfChecking { id, expires } => spend_unseen(connection, id, expires, by),
    }
}

/// Undoes [`spend`] within the same transaction.
pub(crate) fn give_back(connection: &Connection, spend: Spend) -> rusqlite::Result<()> {
    const FREE: &str = "UPDATE challenge SET spent_by = NULL, spent = NULL WHERE id = ?";
    const FORGET: &str = "DELETE FROM challenge WHERE id = ?";
    let sql = match spend {
        Spend::Stored(_) => FREE,
        Spend::SelfChecking { .. } => FORGET,
    };
    connection.prepare_cached(sql)?.execute([spend.id().as_bytes()]).map(drop)
}

/// Remembers a challenge that proves itself as burnt; whether it had not been spent or burnt before.
pub(crate) fn burn_unseen(
    connection: &Connection,
    challenge: &StoredChallenge,
    why: &str,
) -> rusqlite::Result<bool> {
    const SQL: &str = "INSERT INTO challenge (id, profile, object, created, expires, burnt, why) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?4, ?6) ON CONFLICT (id) DO NOTHING";
    let StoredChallenge { id, profile, object, expires, created } = challenge;
    let (object, created) = (encoding::object_octets(*object), encoding::seconds(*created));
    let row = params![id.as_bytes(), profile, object, created, encoding::seconds(*expires), why];
    Ok(connection.prepare_cached(SQL)?.execute(row)? == 1)
}

/// Claims a challenge that proves itself for whoever comes first.
fn spend_unseen(
    connection: &Connection,
    id: ChallengeId,
    expires: UnixTime,
    by: &Spender<'_>,
) -> rusqlite::Result<bool> {
    const SQL: &str = "INSERT INTO challenge (id, profile, object, created, expires, spent_by, spent) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?4) ON CONFLICT (id) DO NOTHING";
    let Some(object) = by.object.filter(|_| expires >= by.at) else { return Ok(false) };
    let (key, at) = (by.transaction.as_bytes(), encoding::seconds(by.at));
    let (object, expires) = (encoding::object_octets(object), encoding::seconds(expires));
    let row = params![id.as_bytes(), by.profile, object, at, expires, key];
    Ok(connection.prepare_cached(SQL)?.execute(row)? == 1)
}

fn spend_stored(
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
