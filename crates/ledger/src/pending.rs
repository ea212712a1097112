//! Requests that wait for a person, as they stand in the file.

use enrollment::{
    MOST_WAITING, MOST_WAITING_OF_ONE_OBJECT, PendingRequest, QueueOutcome, QueuedRequest, Verdict,
};
use issuance::{ChallengeId, Spend, TransactionKey};
use pki_core::{CertificationRequest, SerialNumber, UnixTime};
use rusqlite::{Connection, OptionalExtension as _, Row, ToSql, params};

use crate::{
    LedgerError, LedgerReader,
    challenges::{self, Spender},
    encoding,
};

/// Which requests to list. Start from `default()`, which lists those that wait, and set fields.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update")]
pub struct PendingQuery {
    /// Only those that wait at this time; `None` for those that were decided or given up, too.
    pub waiting_at: Option<UnixTime>,
    /// At most this many.
    pub limit: u32,
}

impl Default for PendingQuery {
    fn default() -> Self {
        Self { waiting_at: None, limit: 1000 }
    }
}

/// A request that waits or has waited, and who decided.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PendingRecord {
    /// The request and what was said.
    pub queued: QueuedRequest,
    /// Who said it.
    pub actor: Option<String>,
}

impl LedgerReader {
    /// Requests that wait or have waited, the oldest first.
    pub fn pending(&self, query: &PendingQuery) -> Result<Vec<PendingRecord>, LedgerError> {
        self.read(|connection| list(connection, query))
    }
}

const COLUMNS: &str = "SELECT transaction_key, poll_key, request, profile, object, csr, spends, renews, created, \
                       expires, approved, denied, reason, actor FROM pending";

/// Requests that are over are kept for that many seconds, so that whoever asks after them is told.
const KEPT: i64 = 30 * 24 * 60 * 60;

fn list(connection: &Connection, query: &PendingQuery) -> rusqlite::Result<Vec<PendingRecord>> {
    let sql = format!(
        "{COLUMNS} WHERE ?1 IS NULL OR (approved IS NULL AND denied IS NULL AND expires >= ?1) ORDER BY id LIMIT ?2"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params![query.waiting_at.map(encoding::seconds), query.limit], record)?;
    rows.collect()
}

pub(crate) fn of_transaction(
    connection: &Connection,
    transaction: TransactionKey,
) -> rusqlite::Result<Option<QueuedRequest>> {
    one(connection, "transaction_key = ?", transaction.as_bytes())
}

pub(crate) fn of_poll(
    connection: &Connection,
    poll: TransactionKey,
) -> rusqlite::Result<Option<QueuedRequest>> {
    one(connection, "poll_key = ? ORDER BY id DESC LIMIT 1", poll.as_bytes())
}

fn one(connection: &Connection, which: &str, key: &dyn ToSql) -> rusqlite::Result<Option<QueuedRequest>> {
    let mut statement = connection.prepare_cached(&format!("{COLUMNS} WHERE {which}"))?;
    Ok(statement.query_row([key], record).optional()?.map(|record| record.queued))
}

/// All or nothing of what [`EnrollmentStore::queue`](enrollment::EnrollmentStore::queue) promises; runs in a
/// transaction.
pub(crate) fn enqueue(connection: &Connection, request: &PendingRequest) -> rusqlite::Result<QueueOutcome> {
    const REMOVE: &str = "DELETE FROM pending WHERE transaction_key = ? OR expires < ?";
    const INSERT: &str = "INSERT INTO pending (transaction_key, poll_key, request, profile, object, csr, spends, \
                          renews, created, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
    let (key, now) = (request.transaction.as_bytes(), encoding::seconds(request.created));
    let earlier = of_transaction(connection, request.transaction)?;
    if let Some(earlier) = earlier.filter(|earlier| earlier.request.expires >= request.created) {
        match earlier.verdict {
            verdict if earlier.request.request == request.request => {
                return Ok(QueueOutcome::Repeated(verdict));
            }
            Verdict::Denied { .. } => {}
            Verdict::Waiting | Verdict::Approved { .. } => return Ok(QueueOutcome::TransactionTaken),
        }
    }
    if is_full(connection, request)? {
        return Ok(QueueOutcome::Full);
    }
    let by = Spender {
        transaction: request.transaction,
        profile: &request.profile,
        object: Some(request.object),
        at: request.created,
    };
    let spends = request.spends.map(|spend| challenges::spend(connection, spend, &by));
    if spends.transpose()? == Some(false) {
        return Ok(QueueOutcome::ChallengeSpent);
    }
    connection.prepare_cached(REMOVE)?.execute(params![key, now.saturating_sub(KEPT)])?;
    connection.prepare_cached(INSERT)?.execute(params![
        key,
        request.poll.as_bytes(),
        request.request,
        request.profile,
        encoding::object_octets(request.object),
        request.csr.as_der(),
        request.spends.map(|spend| *spend.id().as_bytes()),
        request.renews.as_ref().map(SerialNumber::as_be_bytes),
        now,
        encoding::seconds(request.expires),
    ])?;
    Ok(QueueOutcome::Queued)
}

fn is_full(connection: &Connection, request: &PendingRequest) -> rusqlite::Result<bool> {
    const SQL: &str = "SELECT count(*), count(*) FILTER (WHERE object = ?1) FROM pending \
                       WHERE approved IS NULL AND denied IS NULL AND expires >= ?2";
    let key = params![encoding::object_octets(request.object), encoding::seconds(request.created)];
    let counts = |row: &Row<'_>| Ok((count(row, 0)?, count(row, 1)?));
    let (all, of_object) = connection.prepare_cached(SQL)?.query_row(key, counts)?;
    Ok(all >= MOST_WAITING || of_object >= MOST_WAITING_OF_ONE_OBJECT)
}

fn count(row: &Row<'_>, column: usize) -> rusqlite::Result<usize> {
    usize::try_from(row.get::<_, i64>(column)?).map_err(|_| encoding::damaged("count", "a count"))
}

fn record(row: &Row<'_>) -> rusqlite::Result<PendingRecord> {
    let csr = CertificationRequest::from_der(&row.get::<_, Vec<u8>>("csr")?);
    let optional32 = |column: &str| match row.get::<_, Option<Vec<u8>>>(column)? {
        Some(_) => encoding::octets32(row, column).map(Some),
        None => Ok(None),
    };
    let renews = row.get::<_, Option<Vec<u8>>>("renews")?;
    let renews = renews.map(|serial| SerialNumber::from_be_bytes(&serial));
    let request = PendingRequest {
        transaction: TransactionKey::from_bytes(encoding::octets32(row, "transaction_key")?),
        poll: TransactionKey::from_bytes(encoding::octets32(row, "poll_key")?),
        request: encoding::octets32(row, "request")?,
        profile: row.get("profile")?,
        object: encoding::object(row, "object")?.ok_or_else(|| encoding::damaged("object", "an object"))?,
        csr: csr.map_err(|_| encoding::damaged("csr", "a certification request"))?,
        // Whatever it was, it is on record since it was spent.
        spends: optional32("spends")?.map(|octets| Spend::Stored(ChallengeId::from_bytes(octets))),
        renews: renews.transpose().map_err(|_| encoding::damaged("renews", "a serial number"))?,
        created: encoding::time(row, "created")?,
        expires: encoding::time(row, "expires")?,
    };
    Ok(PendingRecord { queued: QueuedRequest { request, verdict: verdict(row)? }, actor: row.get("actor")? })
}

fn verdict(row: &Row<'_>) -> rusqlite::Result<Verdict> {
    Ok(match (encoding::optional_time(row, "approved")?, encoding::optional_time(row, "denied")?) {
        (Some(at), _) => Verdict::Approved { at },
        (None, Some(at)) => {
            Verdict::Denied { at, reason: row.get::<_, Option<String>>("reason")?.unwrap_or_default() }
        }
        (None, None) => Verdict::Waiting,
    })
}
