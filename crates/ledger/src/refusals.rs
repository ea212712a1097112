//! The latest refusals, for people who are asked why something was refused.

use std::sync::{Arc, Mutex, PoisonError};

use pki_core::UnixTime;
use rusqlite::{Connection, Row, params};

use crate::{Ledger, LedgerError, LedgerReader, encoding, writer::Writer};

/// So many refusals are kept.
const KEPT: i64 = 10_000;
/// So many wait to be written; more that come at once are not noted.
const MOST_UNWRITTEN: usize = 256;
/// Texts are cut to that many characters.
const LONGEST_TEXT: usize = 300;

/// A refusal to be noted.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built by programs")]
pub struct RefusalNote {
    /// When.
    pub at: UnixTime,
    /// The stable code, see `docs/refusals.md`.
    pub code: String,
    /// The profile that was asked for.
    pub profile: String,
    /// The transactionID, as text.
    pub transaction_id: String,
    /// The subject of who signed the message.
    pub subject: String,
    /// Where it came from; empty when nobody knows.
    pub peer: String,
    /// Why, for a person to read.
    pub why: String,
}

/// A refusal on record.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RefusalRecord {
    /// Counts up.
    pub number: i64,
    /// What was refused.
    pub note: RefusalNote,
}

/// Which refusals to list. Start from `default()`, which lists the latest hundred, and set fields.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update")]
pub struct RefusalQuery {
    /// Only those of this code; empty for all.
    pub code: String,
    /// Only those that have this in the subject, the transactionID or the peer, in any case; empty for all.
    pub text: String,
    /// Only those at or after this time.
    pub since: UnixTime,
    /// At most this many.
    pub limit: u32,
}

impl Default for RefusalQuery {
    fn default() -> Self {
        Self { code: String::new(), text: String::new(), since: UnixTime(0), limit: 100 }
    }
}

impl Ledger {
    /// Notes a refusal, when the file is free for it: nobody waits for that, and in a flood of refusals some are left
    /// out. The latest 10 000 are kept.
    pub fn note_refusal(&self, note: RefusalNote) {
        self.refusals().add(note, self.writer());
    }
}

impl LedgerReader {
    /// Refusals, the latest first.
    pub fn refusals(&self, query: &RefusalQuery) -> Result<Vec<RefusalRecord>, LedgerError> {
        self.read(|connection| list(connection, query))
    }
}

/// What is still to be written. At most one operation waits for the writer on its behalf, and takes with it whatever has
/// come until its turn, so that no flood of refusals keeps others from writing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Refusals(Arc<Mutex<Unwritten>>);

#[derive(Debug, Default)]
struct Unwritten {
    notes: Vec<RefusalNote>,
    turn: Turn,
}

#[derive(Debug, Default, PartialEq)]
enum Turn {
    #[default]
    None,
    AwaitedByAnOperation,
}

impl Refusals {
    fn add(&self, note: RefusalNote, writer: &Writer) {
        let mut unwritten = self.lock();
        if unwritten.notes.len() < MOST_UNWRITTEN {
            unwritten.notes.push(note);
        }
        if unwritten.turn == Turn::AwaitedByAnOperation {
            return;
        }
        unwritten.turn = Turn::AwaitedByAnOperation;
        drop(unwritten);
        let refusals = self.clone();
        let submitted = writer.submit(move |connection| insert(connection, &refusals.take()), drop);
        if submitted.is_err() {
            self.lock().turn = Turn::None;
        }
    }

    fn take(&self) -> Vec<RefusalNote> {
        std::mem::take(&mut *self.lock()).notes
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Unwritten> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn insert(connection: &Connection, notes: &[RefusalNote]) -> rusqlite::Result<()> {
    const INSERT: &str = "INSERT INTO refusal (at, code, profile, transaction_id, subject, peer, why) \
                          VALUES (?, ?, ?, ?, ?, ?, ?)";
    const FORGET: &str = "DELETE FROM refusal WHERE id <= ?";
    let mut statement = connection.prepare_cached(INSERT)?;
    for note in notes {
        let at = encoding::seconds(note.at);
        let [profile, transaction, subject, peer, why] =
            [&note.profile, &note.transaction_id, &note.subject, &note.peer, &note.why]
                .map(|text| line(text));
        statement.execute(params![at, note.code, profile, transaction, subject, peer, why])?;
    }
    let oldest = connection.last_insert_rowid().saturating_sub(KEPT);
    connection.prepare_cached(FORGET)?.execute([oldest]).map(drop)
}

/// One line, cut.
fn line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_TEXT).collect()
}

fn list(connection: &Connection, query: &RefusalQuery) -> rusqlite::Result<Vec<RefusalRecord>> {
    const SQL: &str = "SELECT id, at, code, profile, transaction_id, subject, peer, why FROM refusal \
        WHERE (?1 = '' OR code = ?1) AND at >= ?3 \
        AND instr(lower(subject || char(10) || transaction_id || char(10) || peer), lower(?2)) > 0 \
        ORDER BY id DESC LIMIT ?4";
    let mut statement = connection.prepare_cached(SQL)?;
    let key = params![query.code, query.text, encoding::seconds(query.since), query.limit];
    let rows = statement.query_map(key, record)?;
    rows.collect()
}

fn record(row: &Row<'_>) -> rusqlite::Result<RefusalRecord> {
    let note = RefusalNote {
        at: encoding::time(row, "at")?,
        code: row.get("code")?,
        profile: row.get("profile")?,
        transaction_id: row.get("transaction_id")?,
        subject: row.get("subject")?,
        peer: row.get("peer")?,
        why: row.get("why")?,
    };
    Ok(RefusalRecord { number: row.get("id")?, note })
}
