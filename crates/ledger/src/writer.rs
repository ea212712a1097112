//! The one thread that writes.

use std::{
    fmt,
    path::Path,
    sync::{
        Arc,
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
};

use rusqlite::{Connection, TransactionBehavior};
use tokio::sync::oneshot;

use crate::LedgerError;

/// Operations waiting beyond this are refused, so that a slow disk shows as an error and not as memory.
const QUEUE: usize = 1024;
/// Operations that share one transaction, at most.
const BATCH: usize = 128;

/// Takes operations and carries them out one after the other, as many as have queued up in one transaction.
pub(crate) struct Writer {
    queue: SyncSender<Operation>,
    path: Arc<Path>,
}

/// Runs inside a transaction; what it returns is told the fate of that transaction.
type Operation = Box<dyn FnOnce(&Connection) -> Done + Send>;

struct Done {
    /// Why the transaction must not be committed.
    failed: Option<LedgerError>,
    tell: Box<dyn FnOnce(Result<(), LedgerError>) + Send>,
}

impl Writer {
    pub(crate) fn start(connection: Connection, path: Arc<Path>) -> std::io::Result<Self> {
        let (queue, operations) = sync_channel(QUEUE);
        let place = Arc::clone(&path);
        thread::Builder::new()
            .name("ledger-writer".into())
            .spawn(move || run(connection, &operations, &place))?;
        Ok(Self { queue, path })
    }

    /// Carries `operation` out; returns what it returned once that is on disk. An operation that fails takes the others
    /// of its transaction with it, so it fails only when the file does: refusals are values.
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
            let result = operation(connection).map_err(|error| LedgerError::sqlite(&path, &error));
            let failed = result.as_ref().err().cloned();
            Done { failed, tell: Box::new(move |committed| tell(committed.and(result))) }
        });
        self.queue.try_send(operation).map_err(|error| {
            let problem = match error {
                TrySendError::Full(_) => "has too much to write already: the disk is too slow",
                TrySendError::Disconnected(_) => "is closed",
            };
            LedgerError::new(&self.path, problem)
        })
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer(..)")
    }
}

fn run(mut connection: Connection, operations: &Receiver<Operation>, path: &Path) {
    while let Ok(first) = operations.recv() {
        let batch = std::iter::once(first).chain(operations.try_iter()).take(BATCH);
        let mut tellers = Vec::new();
        let committed = carry_out(&mut connection, batch, &mut tellers, path);
        for tell in tellers {
            tell(committed.clone());
        }
    }
}

type Tell = Box<dyn FnOnce(Result<(), LedgerError>) + Send>;

fn carry_out(
    connection: &mut Connection,
    batch: impl Iterator<Item = Operation>,
    tellers: &mut Vec<Tell>,
    path: &Path,
) -> Result<(), LedgerError> {
    let failed = |error: rusqlite::Error| LedgerError::sqlite(path, &error);
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate);
    let mut outcome = transaction.as_ref().map(|_| ()).map_err(|error| LedgerError::sqlite(path, error));
    let Ok(transaction) = transaction else {
        // Those who wait are told; their operations were not begun.
        for operation in batch {
            drop(operation);
        }
        return outcome;
    };
    for operation in batch {
        if outcome.is_err() {
            // Dropping what was not begun closes its channel, which tells its caller.
            drop(operation);
            continue;
        }
        let done = operation(&transaction);
        tellers.push(done.tell);
        outcome = done.failed.map_or(Ok(()), Err);
    }
    match outcome {
        Ok(()) => transaction.commit().map_err(failed),
        // Rolled back when dropped.
        Err(error) => Err(error),
    }
}
