//! The tables, and how a file is brought up to them.

use std::path::Path;

use rusqlite::{Connection, config::DbConfig};

use crate::{LedgerError, crl_log, outbox};

/// Each step takes a file from the version that is its place here to the next; steps are only ever added.
const STEPS: [&str; 4] = [FIRST, PENDING_AND_REFUSED, crl_log::TABLES, outbox::TABLE];

const FIRST: &str = r"
    CREATE TABLE issuer (
        id     INTEGER PRIMARY KEY,
        octets BLOB NOT NULL UNIQUE  -- IssuerId
    ) STRICT;

    CREATE TABLE certificate (
        id         INTEGER PRIMARY KEY,
        issuer     INTEGER NOT NULL REFERENCES issuer (id),
        serial     BLOB NOT NULL,    -- content octets
        not_after  INTEGER NOT NULL,
        prepared   INTEGER NOT NULL,
        issued     INTEGER,
        profile    TEXT NOT NULL,
        subject    TEXT NOT NULL,
        object     BLOB,             -- kind, then id
        request    BLOB NOT NULL,    -- SHA-256 of what makes a repeat a repeat
        spends     BLOB,             -- ChallengeId
        renews     BLOB,             -- serial
        tbs        BLOB,             -- until it is signed
        der        BLOB              -- once it is
    ) STRICT;
    -- Entries of an index fall on pages at random, each of which every commit writes: these are narrow, and few. What
    -- only people look for is found by reading all of the table.
    CREATE UNIQUE INDEX certificate_serial ON certificate (serial, issuer);
    CREATE INDEX certificate_object ON certificate (object) WHERE object IS NOT NULL;

    CREATE TABLE enrollment (        -- TransactionKey -> its last run
        transaction_key BLOB PRIMARY KEY,
        certificate     INTEGER NOT NULL,
        begun           INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE challenge (
        id       BLOB PRIMARY KEY,   -- keyed hash, never the secret
        profile  TEXT NOT NULL,
        object   BLOB NOT NULL,
        created  INTEGER NOT NULL,
        expires  INTEGER NOT NULL,
        spent_by BLOB,               -- TransactionKey
        spent    INTEGER,
        burnt    INTEGER,
        why      TEXT
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE revocation (        -- what holds now
        issuer  BLOB NOT NULL,
        serial  BLOB NOT NULL,
        since   INTEGER NOT NULL,
        reason  INTEGER NOT NULL,
        PRIMARY KEY (issuer, serial)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE revocation_journal ( -- every order ever given; rows are only added
        id       INTEGER PRIMARY KEY,
        issuer   BLOB NOT NULL,
        serial   BLOB NOT NULL,
        reason   INTEGER,            -- NULL: a hold was lifted
        since    INTEGER NOT NULL,
        recorded INTEGER NOT NULL,
        actor    TEXT NOT NULL
    ) STRICT;

    CREATE TABLE deletion (          -- objects that were seen to be gone
        object BLOB PRIMARY KEY,
        seen   INTEGER NOT NULL,
        since  INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX deletion_seen ON deletion (seen);
";

const PENDING_AND_REFUSED: &str = r"
    CREATE TABLE pending (           -- requests that wait for a person, or have waited
        id              INTEGER PRIMARY KEY,
        transaction_key BLOB NOT NULL UNIQUE,
        poll_key        BLOB NOT NULL,
        request         BLOB NOT NULL,  -- SHA-256 of what makes a repeat a repeat
        profile         TEXT NOT NULL,
        object          BLOB NOT NULL,
        csr             BLOB NOT NULL,  -- less the challenge
        spends          BLOB,           -- ChallengeId
        renews          BLOB,           -- serial
        created         INTEGER NOT NULL,
        expires         INTEGER NOT NULL,
        approved        INTEGER,
        denied          INTEGER,
        reason          TEXT,           -- of the denial
        actor           TEXT
    ) STRICT;
    CREATE INDEX pending_poll ON pending (poll_key);

    CREATE TABLE refusal (           -- the latest ones; older ones go
        id          INTEGER PRIMARY KEY AUTOINCREMENT,
        at          INTEGER NOT NULL,
        code        TEXT NOT NULL,
        profile     TEXT NOT NULL,
        transaction_id TEXT NOT NULL,
        subject     TEXT NOT NULL,
        peer        TEXT NOT NULL,
        why         TEXT NOT NULL
    ) STRICT;
";

/// The version of a file that all steps have been taken on.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    reason = "there are not that many steps"
)]
const VERSION: i32 = STEPS.len() as i32;

/// Pages that the writer keeps in memory, in KiB.
const WRITER_CACHE: i32 = 8 * 1024;

/// Sets a connection up. Every connection of a ledger goes through here.
pub(crate) fn configure(connection: &Connection, path: &Path) -> Result<(), LedgerError> {
    let set = || {
        connection.busy_timeout(std::time::Duration::from_secs(10))?;
        connection.set_prepared_statement_cache_capacity(64);
        // Or statements that compare times would be planned anew whenever they are given other times.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        connection.pragma_update(None, "foreign_keys", true)
    };
    set().map_err(|error| LedgerError::sqlite(path, &error))
}

/// Sets a connection up to write: to a log, which [`disk`](crate::disk) waits for and tidies.
pub(crate) fn prepare_to_write(connection: &Connection, path: &Path) -> Result<(), LedgerError> {
    let failed = |error: rusqlite::Error| LedgerError::sqlite(path, &error);
    let mode = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get::<_, String>(0));
    let mode = mode.map_err(failed)?;
    if mode != "wal" {
        return Err(LedgerError::new(path, "cannot be put into WAL mode: keep it on a local disk"));
    }
    connection.pragma_update(None, "synchronous", "NORMAL").map_err(failed)?;
    connection.pragma_update(None, "wal_autocheckpoint", 0).map_err(failed)?;
    connection.pragma_update(None, "cache_size", -WRITER_CACHE).map_err(failed)
}

/// Makes the tables, or brings those of an older version up to date; refuses a file of a newer version.
pub(crate) fn migrate(connection: &mut Connection, path: &Path) -> Result<(), LedgerError> {
    let failed = |error: rusqlite::Error| LedgerError::sqlite(path, &error);
    let migration = connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate);
    let migration = migration.map_err(failed)?;
    let done = usize::try_from(version(&migration, path)?).unwrap_or(0);
    for step in STEPS.get(done..).unwrap_or_default() {
        migration.execute_batch(step).map_err(failed)?;
    }
    migration.pragma_update(None, "user_version", VERSION).map_err(failed)?;
    migration.commit().map_err(failed)
}

/// Refuses a file that is not of this version: a reader cannot bring it up to date.
pub(crate) fn expect_current(connection: &Connection, path: &Path) -> Result<(), LedgerError> {
    if version(connection, path)? == VERSION {
        return Ok(());
    }
    Err(LedgerError::new(path, "is of an older version: start scep-server on it once"))
}

fn version(connection: &Connection, path: &Path) -> Result<i32, LedgerError> {
    let version = connection.pragma_query_value(None, "user_version", |row| row.get::<_, i32>(0));
    let version = version.map_err(|error| LedgerError::sqlite(path, &error))?;
    if version > VERSION {
        let problem = format_args!("is of version {version}, this program knows {VERSION}: use a newer one");
        return Err(LedgerError::new(path, problem));
    }
    Ok(version)
}
