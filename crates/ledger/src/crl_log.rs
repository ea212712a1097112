//! The record of CRLs.

use issuance::{CrlClaim, CrlLog, CrlName, CrlOutcome, CrlPublication, CrlRecord, CrlState, LogError};
use pki_core::{BoxFuture, Crl, IssuerId, UnixTime};
use rusqlite::{Connection, OptionalExtension as _, Row, params};

use crate::{Ledger, LedgerError, LedgerReader, encoding};

/// The tables of this module.
pub(crate) const TABLES: &str = r"
    CREATE TABLE crl_state (         -- how far each CA has come
        issuer     BLOB PRIMARY KEY, -- IssuerId
        claimed    INTEGER,          -- the last number taken
        claimed_at INTEGER,          -- and its thisUpdate
        complete   INTEGER,          -- numbers of lists in crl
        delta      INTEGER,
        base       INTEGER,
        scheduled  INTEGER
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE crl (               -- lists that crl_state names; others are dropped
        id          INTEGER PRIMARY KEY,
        issuer      BLOB NOT NULL,
        number      INTEGER NOT NULL,
        is_delta    INTEGER NOT NULL,
        this_update INTEGER NOT NULL,
        next_update INTEGER NOT NULL,
        der         BLOB NOT NULL,
        UNIQUE (issuer, number, is_delta)
    ) STRICT;
";

impl CrlLog for Ledger {
    fn state(&self, issuer: IssuerId) -> BoxFuture<'_, Result<CrlState, LogError>> {
        Box::pin(std::future::ready(self.reader().crl_state(issuer).map_err(LogError::new)))
    }

    fn crl(&self, issuer: IssuerId, name: CrlName) -> BoxFuture<'_, Result<Option<Crl>, LogError>> {
        Box::pin(std::future::ready(self.reader().crl(issuer, name).map_err(LogError::new)))
    }

    fn claim(
        &self,
        issuer: IssuerId,
        after: Option<CrlClaim>,
        claim: CrlClaim,
    ) -> BoxFuture<'_, Result<CrlOutcome, LogError>> {
        Box::pin(async move {
            let written = self.writer().write(move |connection| take(connection, issuer, after, claim));
            written.await.map(outcome).map_err(LogError::new)
        })
    }

    fn publish<'a>(
        &'a self,
        issuer: IssuerId,
        publication: &'a CrlPublication,
    ) -> BoxFuture<'a, Result<CrlOutcome, LogError>> {
        let publication = publication.clone();
        Box::pin(async move {
            let written = self.writer().write(move |connection| publish(connection, issuer, &publication));
            written.await.map(outcome).map_err(LogError::new)
        })
    }
}

impl LedgerReader {
    /// How far a CA has come with its CRLs.
    pub fn crl_state(&self, issuer: IssuerId) -> Result<CrlState, LedgerError> {
        self.read(|connection| state(connection, issuer))
    }

    /// The CRL of that name, if it is kept.
    pub fn crl(&self, issuer: IssuerId, name: CrlName) -> Result<Option<Crl>, LedgerError> {
        const SQL: &str = "SELECT der FROM crl WHERE issuer = ? AND number = ? AND is_delta = ?";
        let (number, is_delta) = key(name);
        let der = self.read(|connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let key = params![issuer.as_bytes(), whole(number), is_delta];
            statement.query_row(key, |row| row.get::<_, Vec<u8>>("der")).optional()
        })?;
        let damaged = |error| LedgerError::new(self.path(), format_args!("holds a damaged CRL: {error}"));
        der.map(Crl::from_vec).transpose().map_err(damaged)
    }
}

fn outcome(was_done: bool) -> CrlOutcome {
    if was_done { CrlOutcome::Done } else { CrlOutcome::Overtaken }
}

fn key(name: CrlName) -> (u64, u8) {
    match name {
        CrlName::Full(number) => (number, 0),
        CrlName::Delta(number) => (number, 1),
    }
}

/// SQLite's integers are signed; numbers grow with the seconds, and never get that far.
fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn number(row: &Row<'_>, column: &str) -> rusqlite::Result<Option<u64>> {
    let number = row.get::<_, Option<i64>>(column)?;
    number.map(|number| u64::try_from(number).map_err(|_| encoding::damaged(column, "a number"))).transpose()
}

fn take(
    connection: &Connection,
    issuer: IssuerId,
    after: Option<CrlClaim>,
    claim: CrlClaim,
) -> rusqlite::Result<bool> {
    const OPEN: &str = "INSERT INTO crl_state (issuer) VALUES (?) ON CONFLICT DO NOTHING";
    const TAKE: &str = "UPDATE crl_state SET claimed = ?, claimed_at = ? \
                        WHERE issuer = ? AND claimed IS ? AND claimed_at IS ?";
    connection.prepare_cached(OPEN)?.execute([issuer.as_bytes()])?;
    let taken = connection.prepare_cached(TAKE)?.execute(params![
        whole(claim.number),
        encoding::seconds(claim.this_update),
        issuer.as_bytes(),
        after.map(|after| whole(after.number)),
        after.map(|after| encoding::seconds(after.this_update)),
    ])?;
    Ok(taken == 1)
}

fn state(connection: &Connection, issuer: IssuerId) -> rusqlite::Result<CrlState> {
    const SQL: &str = "SELECT claimed, claimed_at, complete, delta, base, scheduled FROM crl_state \
                       WHERE issuer = ?";
    let mut statement = connection.prepare_cached(SQL)?;
    let read = statement.query_row([issuer.as_bytes()], |row| {
        let claimed_at = encoding::optional_time(row, "claimed_at")?;
        let claimed = number(row, "claimed")?.zip(claimed_at);
        let record = |column, name: fn(u64) -> CrlName| match number(row, column)? {
            Some(number) => record(connection, issuer, name(number)),
            None => Ok(None),
        };
        Ok(CrlState {
            claimed: claimed.map(|(number, this_update)| CrlClaim { number, this_update }),
            full: record("complete", CrlName::Full)?,
            delta: record("delta", CrlName::Delta)?,
            base: record("base", CrlName::Full)?,
            scheduled: record("scheduled", CrlName::Full)?,
        })
    });
    read.optional().map(Option::unwrap_or_default)
}

fn record(connection: &Connection, issuer: IssuerId, name: CrlName) -> rusqlite::Result<Option<CrlRecord>> {
    const SQL: &str =
        "SELECT this_update, next_update FROM crl WHERE issuer = ? AND number = ? AND is_delta = ?";
    let (number, is_delta) = key(name);
    let mut statement = connection.prepare_cached(SQL)?;
    let found = statement.query_row(params![issuer.as_bytes(), whole(number), is_delta], |row| {
        let (this_update, next_update) =
            (encoding::time(row, "this_update")?, encoding::time(row, "next_update")?);
        Ok(CrlRecord { number, this_update, next_update })
    });
    found.optional()
}

fn publish(
    connection: &Connection,
    issuer: IssuerId,
    publication: &CrlPublication,
) -> rusqlite::Result<bool> {
    const ADD: &str = "INSERT INTO crl (issuer, number, is_delta, this_update, next_update, der) \
                       VALUES (?, ?, ?, ?, ?, ?)";
    const SET: &str =
        "UPDATE crl_state SET complete = ?, delta = ?, base = ?, scheduled = ? WHERE issuer = ?";
    const DROP: &str = "DELETE FROM crl WHERE issuer = ?1 AND NOT EXISTS (SELECT 1 FROM crl_state s \
        WHERE s.issuer = ?1 AND (crl.is_delta AND crl.number IS s.delta OR NOT crl.is_delta AND \
        (crl.number IS s.complete OR crl.number IS s.base OR crl.number IS s.scheduled)))";
    let latest = state(connection, issuer)?.latest().map(|latest| latest.number);
    if latest != publication.after {
        return Ok(false);
    }
    for (name, crl) in &publication.lists {
        let (number, is_delta) = key(*name);
        connection.prepare_cached(ADD)?.execute(params![
            issuer.as_bytes(),
            whole(number),
            is_delta,
            encoding::seconds(crl.this_update()),
            encoding::seconds(crl.next_update().unwrap_or(UnixTime(0))),
            crl.as_der(),
        ])?;
    }
    let CrlState { full, delta, base, scheduled, .. } = publication.state;
    let [full, delta, base, scheduled] =
        [full, delta, base, scheduled].map(|record| record.map(|record| whole(record.number)));
    let row = params![full, delta, base, scheduled, issuer.as_bytes()];
    let updated = connection.prepare_cached(SET)?.execute(row)?;
    connection.prepare_cached(DROP)?.execute([issuer.as_bytes()])?;
    Ok(updated == 1)
}
