//! What people decide about requests that wait.

use issuance::TransactionKey;
use rusqlite::{Connection, params};

use crate::{Ledger, LedgerError, encoding, pending};

/// The longest reason of a denial, in characters; the requester is told it.
const LONGEST_REASON: usize = 200;

impl Ledger {
    /// Lets a request that waits have its certificate; whoever asks next gets it. `actor` is who decides.
    pub fn approve(&self, transaction: TransactionKey, actor: &str) -> Result<(), DecisionError> {
        const SQL: &str = "UPDATE pending SET approved = ?1, actor = ?2 \
                           WHERE transaction_key = ?3 AND approved IS NULL AND denied IS NULL AND expires >= ?1";
        let actor = actor.to_owned();
        self.decide(transaction, move |connection, now, key| {
            connection.prepare_cached(SQL)?.execute(params![now, actor, key])
        })
    }

    /// Refuses a request that waits. The requester is told `reason`, in one line and cut to 200 characters.
    pub fn deny(&self, transaction: TransactionKey, reason: &str, actor: &str) -> Result<(), DecisionError> {
        const SQL: &str = "UPDATE pending SET denied = ?1, actor = ?2, reason = ?4 \
                           WHERE transaction_key = ?3 AND approved IS NULL AND denied IS NULL AND expires >= ?1";
        let line = reason.chars().map(|c| if c.is_control() { ' ' } else { c });
        let (reason, actor) = (line.take(LONGEST_REASON).collect::<String>(), actor.to_owned());
        self.decide(transaction, move |connection, now, key| {
            connection.prepare_cached(SQL)?.execute(params![now, actor, key, reason])
        })
    }

    fn decide(
        &self,
        transaction: TransactionKey,
        update: impl FnOnce(&Connection, i64, &[u8; 32]) -> rusqlite::Result<usize> + Send + 'static,
    ) -> Result<(), DecisionError> {
        let now = self.settings().clock.now();
        let found = self.writer().write_blocking(move |connection| {
            if update(connection, encoding::seconds(now), transaction.as_bytes())? == 1 {
                return Ok(Ok(()));
            }
            Ok(Err(match pending::of_transaction(connection, transaction)? {
                None => DecisionError::NotOnRecord,
                Some(queued) if queued.verdict == enrollment::Verdict::Waiting => DecisionError::Expired,
                Some(_) => DecisionError::Decided,
            }))
        });
        found?
    }
}

/// A decision was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecisionError {
    /// There is no such request.
    #[error("no such request is on record")]
    NotOnRecord,
    /// It was decided before.
    #[error("the request was decided before, for good; a certificate that it got can be revoked")]
    Decided,
    /// It has waited too long.
    #[error("the request has waited too long and was given up: its sender must make another one")]
    Expired,
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}
