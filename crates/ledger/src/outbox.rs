//! What authorities elsewhere are still to be told.

use std::time::Duration;

use enrollment::{Outbox, StoreError};
use issuance::{Intent, Notice, TransactionKey};
use pki_core::{BoxFuture, CertRef, Certificate, UnixTime};
use rusqlite::{Connection, Row, params};

use crate::{Ledger, LedgerError, LedgerReader, encoding};

/// Notices that there is no certificate wait in this number at most; more are dropped. Those about certificates are as many
/// as there are certificates.
pub const MOST_NOTICES_OF_FAILURE: u32 = 100_000;

/// Notices that were given up are kept for that long, so that people can see them.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);

pub(crate) const TABLE: &str = r"
    CREATE TABLE outbox (            -- notices not yet delivered; those about a certificate wait until it is issued
        id              INTEGER PRIMARY KEY AUTOINCREMENT,
        transaction_key BLOB NOT NULL,
        certificate     INTEGER,     -- NULL: there will be none
        kind            TEXT NOT NULL,
        body            BLOB NOT NULL,
        created         INTEGER NOT NULL,
        due             INTEGER NOT NULL,
        attempts        INTEGER NOT NULL DEFAULT 0,
        why             TEXT,        -- the last attempt failed
        given_up        INTEGER
    ) STRICT;
    CREATE INDEX outbox_due ON outbox (due) WHERE given_up IS NULL;
    CREATE INDEX outbox_transaction ON outbox (transaction_key);
    CREATE INDEX outbox_certificate ON outbox (certificate) WHERE certificate IS NOT NULL;
";

/// A notice that is to be delivered now.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DueNotice {
    /// Names it.
    pub id: NoticeId,
    /// What is to be told.
    pub notice: Notice,
    /// The certificate that it is about, if any.
    pub issued: Option<(CertRef, Certificate)>,
    /// When it was made.
    pub created: UnixTime,
    /// How often it was tried in vain.
    pub attempts: u32,
}

/// Names a notice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NoticeId(i64);

/// How it stands with the notices about a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no fourth case")]
pub enum NoticeFate {
    /// There is none, or all were delivered.
    Settled,
    /// One waits, or is tried again and again.
    Waiting,
    /// One will never be delivered.
    GivenUp,
}

/// How many notices there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct OutboxSize {
    /// Those that wait.
    pub waiting: u64,
    /// Since when the first of these waits.
    pub oldest: Option<UnixTime>,
    /// Those that were given up in the last 30 days.
    pub given_up: u64,
}

impl Ledger {
    /// Has a notice delivered that there is no certificate in `transaction`; once, while one of these waits.
    pub fn post_notice<'a>(
        &'a self,
        transaction: TransactionKey,
        notice: &'a Notice,
    ) -> BoxFuture<'a, Result<(), LedgerError>> {
        const SQL: &str = "INSERT INTO outbox (transaction_key, kind, body, created, due) SELECT ?1, ?2, ?3, ?4, ?4 \
             WHERE NOT EXISTS (SELECT 1 FROM outbox \
             WHERE transaction_key = ?1 AND certificate IS NULL AND given_up IS NULL) \
             AND (SELECT count(*) FROM outbox WHERE certificate IS NULL AND given_up IS NULL) < ?5";
        let (notice, now) = (notice.clone(), encoding::seconds(self.settings().clock.now()));
        Box::pin(async move {
            let posted = self.writer().write(move |connection| {
                let Notice { kind, body } = notice;
                let row = params![transaction.as_bytes(), kind, body, now, MOST_NOTICES_OF_FAILURE];
                connection.prepare_cached(SQL)?.execute(row)
            });
            posted.await.map(drop)
        })
    }

    /// The notice was delivered.
    pub fn notice_delivered(&self, id: NoticeId) -> BoxFuture<'_, Result<(), LedgerError>> {
        const SQL: &str = "DELETE FROM outbox WHERE id = ?";
        self.settle(move |connection| connection.prepare_cached(SQL)?.execute([id.0]))
    }

    /// The notice was not delivered; it is due again at `again`.
    pub fn notice_failed(
        &self,
        id: NoticeId,
        again: UnixTime,
        why: String,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        const SQL: &str = "UPDATE outbox SET due = ?, why = ?, attempts = attempts + 1 WHERE id = ?";
        self.settle(move |connection| {
            connection.prepare_cached(SQL)?.execute(params![encoding::seconds(again), why, id.0])
        })
    }

    /// The notice will not be delivered; what it says is forgotten. Those given up long ago are forgotten altogether.
    pub fn notice_given_up(&self, id: NoticeId, why: String) -> BoxFuture<'_, Result<(), LedgerError>> {
        const GIVE_UP: &str =
            "UPDATE outbox SET given_up = ?, why = ?, attempts = attempts + 1, body = x'' WHERE id = ?";
        const FORGET: &str = "DELETE FROM outbox WHERE given_up < ?";
        let now = self.settings().clock.now();
        self.settle(move |connection| {
            connection.prepare_cached(FORGET)?.execute([encoding::seconds(now.saturating_sub(KEPT))])?;
            connection.prepare_cached(GIVE_UP)?.execute(params![encoding::seconds(now), why, id.0])
        })
    }

    fn settle(
        &self,
        operation: impl FnOnce(&Connection) -> rusqlite::Result<usize> + Send + 'static,
    ) -> BoxFuture<'_, Result<(), LedgerError>> {
        // Not waited for: what is lost with the machine is delivered twice.
        let settled = self.writer().commit(operation);
        Box::pin(async move { settled.await.map(drop) })
    }
}

impl Outbox for Ledger {
    fn post<'a>(
        &'a self,
        transaction: TransactionKey,
        notice: &'a Notice,
    ) -> BoxFuture<'a, Result<(), StoreError>> {
        let posted = self.post_notice(transaction, notice);
        Box::pin(async move { posted.await.map_err(StoreError::new) })
    }
}

impl LedgerReader {
    /// Notices that are due, the oldest first; of each transaction only the first that is not settled, so that nobody hears
    /// of a failure after the success that followed it.
    pub fn due_notices(&self, now: UnixTime, limit: u32) -> Result<Vec<DueNotice>, LedgerError> {
        const SQL: &str = "SELECT o.id, o.kind, o.body, o.created, o.attempts, c.serial, c.der, i.octets AS issuer \
             FROM outbox o LEFT JOIN certificate c ON c.id = o.certificate LEFT JOIN issuer i ON i.id = c.issuer \
             WHERE o.given_up IS NULL AND o.due <= ? AND (o.certificate IS NULL OR c.der IS NOT NULL) AND NOT EXISTS \
             (SELECT 1 FROM outbox e LEFT JOIN certificate d ON d.id = e.certificate \
             WHERE e.transaction_key = o.transaction_key AND e.id < o.id AND e.given_up IS NULL \
             AND (e.certificate IS NULL OR d.der IS NOT NULL)) ORDER BY o.id LIMIT ?";
        self.read(|connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let rows = statement.query_map(params![encoding::seconds(now), limit], due)?;
            rows.collect()
        })
    }

    /// How it stands with the notices about a certificate.
    pub fn notice_fate(&self, certificate: CertRef) -> Result<NoticeFate, LedgerError> {
        const SQL: &str = "SELECT max(o.given_up IS NULL) FROM outbox o JOIN certificate c ON c.id = o.certificate \
             JOIN issuer i ON i.id = c.issuer WHERE c.serial = ? AND i.octets = ?";
        let waits = self.read(|connection| {
            let key = params![certificate.serial.as_be_bytes(), certificate.issuer.as_bytes()];
            connection.prepare_cached(SQL)?.query_row(key, |row| row.get::<_, Option<bool>>(0))
        })?;
        Ok(match waits {
            None => NoticeFate::Settled,
            Some(true) => NoticeFate::Waiting,
            Some(false) => NoticeFate::GivenUp,
        })
    }

    /// How many notices there are.
    pub fn outbox_size(&self) -> Result<OutboxSize, LedgerError> {
        const SQL: &str = "SELECT count(*) FILTER (WHERE given_up IS NULL) AS waiting, \
             min(created) FILTER (WHERE given_up IS NULL) AS oldest, \
             count(*) FILTER (WHERE given_up IS NOT NULL) AS given_up FROM outbox \
             WHERE certificate IS NULL OR EXISTS (SELECT 1 FROM certificate c WHERE c.id = certificate AND c.der IS NOT NULL)";
        self.read(|connection| {
            let size = |row: &Row<'_>| {
                Ok(OutboxSize {
                    waiting: row.get::<_, i64>("waiting")?.unsigned_abs(),
                    oldest: encoding::optional_time(row, "oldest")?,
                    given_up: row.get::<_, i64>("given_up")?.unsigned_abs(),
                })
            };
            connection.prepare_cached(SQL)?.query_row([], size)
        })
    }
}

/// Puts the notice of an intent down, in its transaction; `certificate` is the row that was made for it.
pub(crate) fn put(connection: &Connection, intent: &Intent, certificate: i64) -> rusqlite::Result<()> {
    const SQL: &str = "INSERT INTO outbox (transaction_key, certificate, kind, body, created, due) \
                       VALUES (?1, ?2, ?3, ?4, ?5, ?5)";
    let Some(Notice { kind, body }) = &intent.provenance.notice else { return Ok(()) };
    let key = intent.provenance.transaction.as_bytes();
    let row = params![key, certificate, kind, body, encoding::seconds(intent.at)];
    connection.prepare_cached(SQL)?.execute(row).map(drop)
}

fn due(row: &Row<'_>) -> rusqlite::Result<DueNotice> {
    let der = row.get::<_, Option<Vec<u8>>>("der")?;
    let issued = match der {
        None => None,
        Some(der) => {
            let certificate = Certificate::from_der(&der);
            let certificate = certificate.map_err(|_| encoding::damaged("der", "a certificate"))?;
            Some((encoding::cert_ref(row)?, certificate))
        }
    };
    Ok(DueNotice {
        id: NoticeId(row.get("id")?),
        notice: Notice { kind: row.get("kind")?, body: row.get("body")? },
        issued,
        created: encoding::time(row, "created")?,
        attempts: row.get("attempts")?,
    })
}
