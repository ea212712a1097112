//! The one thread that writes.

use std::{
    fmt,
    path::Path,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
};

use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::LedgerError;

/// Operations waiting beyond this are refused, so that a slow disk shows as an error and not as memory.
const QUEUE: usize = 1024;
/// Operations that share one transaction, at most.
const BATCH: usize = 128;

/// Takes operations and carries them out one after the other, as many as have queued up in one transaction. When it is
/// dropped, what has been taken is carried out first.
pub(crate) struct Writer {
    queue: Option<SyncSender<Operation>>,
    thread: Option<JoinHandle<()>>,
    path: Arc<Path>,
}

/// Runs inside a transaction; gets `None` where there is none any more.
type Operation = Box<dyn FnOnce(Option<&Connection>) -> Done + Send>;

/// What is left to do for an operation once the fate of its transaction is known.
struct Done {
    failed: Option<LedgerError>,
    tell: Box<dyn FnOnce(Result<(), LedgerError>)>,
}

impl Writer {
    pub(crate) fn start(connection: Connection, path: Arc<Path>) -> std::io::Result<Self> {
        let (queue, operations) = sync_channel(QUEUE);
        let place = Arc::clone(&path);
        let thread = thread::Builder::new().name("ledger-writer".into());
        let thread = thread.spawn(move || run(&connection, &operations, &place))?;
        Ok(Self { queue: Some(queue), thread: Some(thread), path })
    }

    /// Carries `operation` out; returns what it returned once that is on disk. What an operation that fails has done
    /// is undone.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (teller, told) = oneshot::channel();
        self.submit(operation, move |result| drop(teller.send(result)))?;
        told.await.map_err(|_| LedgerError::new(&self.path, "is closed"))?
    }

    /// The same for callers that have no runtime; they wait.
    pub(crate) fn write_blocking<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (teller, told) = sync_channel(1);
        self.submit(operation, move |result| drop(teller.send(result)))?;
        told.recv().map_err(|_| LedgerError::new(&self.path, "is closed"))?
    }

    /// Carries `operation` out when it gets to it, and tells `tell`.
    pub(crate) fn submit<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
        tell: impl FnOnce(Result<T, LedgerError>) + Send + 'static,
    ) -> Result<(), LedgerError> {
        let path = Arc::clone(&self.path);
        let operation: Operation = Box::new(move |connection| {
            let result = connection.map_or_else(
                || Err(LedgerError::new(&path, "was not written to")),
                |connection| operation(connection).map_err(|error| LedgerError::sqlite(&path, &error)),
            );
            let failed = result.as_ref().err().cloned();
            Done { failed, tell: Box::new(move |committed| tell(committed.and(result))) }
        });
        let closed = || LedgerError::new(&self.path, "is closed");
        self.queue.as_ref().ok_or_else(closed)?.try_send(operation).map_err(|error| match error {
            TrySendError::Full(_) => {
                LedgerError::new(&self.path, "has too much to write already: the disk is too slow")
            }
            TrySendError::Disconnected(_) => closed(),
        })
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        drop(self.queue.take());
        if let Some(thread) = self.thread.take() {
            // Its panics, if it had any, have been told to those who waited.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer(..)")
    }
}

fn run(connection: &Connection, operations: &Receiver<Operation>, path: &Path) {
    while let Ok(first) = operations.recv() {
        let rest = operations.try_iter().take(BATCH.saturating_sub(1));
        let batch: Vec<_> = std::iter::once(first).chain(rest).collect();
        let mut done = Vec::with_capacity(batch.len());
        let committed = carry_out(connection, batch, &mut done, path);
        for Done { tell, .. } in done {
            tell(committed.clone());
        }
    }
}

/// Carries the batch out in one transaction. Where that fails as a whole, so has every operation of it.
fn carry_out(
    connection: &Connection,
    batch: Vec<Operation>,
    done: &mut Vec<Done>,
    path: &Path,
) -> Result<(), LedgerError> {
    let isolation = if batch.len() > 1 { Isolation::Savepoint } else { Isolation::Transaction };
    let mut batch = batch.into_iter();
    let outcome = execute(connection, path, &["BEGIN IMMEDIATE"]).and_then(|()| {
        for operation in batch.by_ref() {
            carry_out_one(connection, operation, isolation, done, path)?;
        }
        if connection.is_autocommit() { Ok(()) } else { execute(connection, path, &["COMMIT"]) }
    });
    if outcome.is_err() {
        done.extend(batch.map(|operation| operation(None)));
        if !connection.is_autocommit() {
            // What fails now is told as the failure that led here.
            let _ = execute(connection, path, &["ROLLBACK"]);
        }
    }
    outcome
}

/// What keeps the changes of a failed operation from those of the others.
#[derive(Debug, Clone, Copy)]
enum Isolation {
    /// It is alone in its transaction.
    Transaction,
    Savepoint,
}

/// Errs only when the transaction cannot go on.
fn carry_out_one(
    connection: &Connection,
    operation: Operation,
    isolation: Isolation,
    done: &mut Vec<Done>,
    path: &Path,
) -> Result<(), LedgerError> {
    let (before, after, undo): (&[_], &[_], &[_]) = match isolation {
        Isolation::Transaction => (&[], &[], &["ROLLBACK"]),
        Isolation::Savepoint => (&["SAVEPOINT one"], &["RELEASE one"], &["ROLLBACK TO one", "RELEASE one"]),
    };
    let begun = execute(connection, path, before);
    let finished = operation(begun.is_ok().then_some(connection));
    let failed = finished.failed.clone();
    done.push(finished);
    begun?;
    match failed {
        None => execute(connection, path, after),
        // On some errors, such as a full disk, SQLite gives the whole transaction up.
        Some(error) if connection.is_autocommit() => Err(error),
        Some(_) => execute(connection, path, undo),
    }
}

fn execute(connection: &Connection, path: &Path, statements: &[&str]) -> Result<(), LedgerError> {
    statements.iter().try_for_each(|sql| {
        let executed = connection.prepare_cached(sql).and_then(|mut statement| statement.execute([]));
        executed.map(drop).map_err(|error| LedgerError::sqlite(path, &error))
    })
}
