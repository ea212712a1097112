//! Writing: in the calling thread while nobody else writes, otherwise in a thread that waits its turn.

use std::{
    fmt,
    path::Path,
    sync::{Arc, Mutex, PoisonError, mpsc::sync_channel},
};

use rusqlite::{Connection, ErrorCode};
use tokio::sync::oneshot;

use crate::{LedgerError, disk::Disk, queue::Queue};

/// Carries operations out, each in a transaction of its own, and knows when they are on disk.
///
/// A transaction takes some ten microseconds, for it is written to the log and not waited for: [`Disk`] does that, once
/// for all who wait. So the caller's thread carries its operation out, unless the file is held by somebody else.
pub(crate) struct Writer {
    // Dropped in this order: what has been taken is carried out first, then put on disk.
    queue: Queue,
    disk: Arc<Disk>,
    connection: Arc<Mutex<Connection>>,
    path: Arc<Path>,
}

impl Writer {
    /// Of three connections: one to write with at once, one to wait with, one to tidy the log with.
    pub(crate) fn start(
        connections: [Connection; 3],
        sync: impl FnMut() -> std::io::Result<()> + Send + 'static,
        path: Arc<Path>,
    ) -> Result<Self, LedgerError> {
        let [connection, waiting, tidying] = connections;
        let at_once = connection.busy_timeout(std::time::Duration::ZERO);
        at_once.map_err(|error| LedgerError::sqlite(&path, &error))?;
        let connection = Arc::new(Mutex::new(connection));
        let disk = Disk::start(sync, tidying, Arc::clone(&connection), Arc::clone(&path))?;
        let disk = Arc::new(disk);
        let queue = Queue::start(waiting, Arc::clone(&path))?;
        Ok(Self { queue, disk, connection, path })
    }

    /// Carries `operation` out; returns what it returned once that is on disk. What an operation that fails has done
    /// is undone.
    pub(crate) async fn write<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let value = self.commit(operation).await?;
        let (teller, told) = oneshot::channel();
        self.disk.reach(move |reached| drop(teller.send(reached)))?;
        told.await.map_err(|_| self.closed())??;
        Ok(value)
    }

    /// Carries `operation` out; returns what it returned once everybody sees it, whatever becomes of this process. It
    /// is on disk no later than what is written next.
    pub(crate) async fn commit<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LedgerError> {
        self.disk.check()?;
        match self.at_once(operation) {
            Ok(result) => result,
            Err(operation) => {
                let (teller, told) = oneshot::channel();
                self.queue.submit(operation, move |result| drop(teller.send(result)))?;
                told.await.map_err(|_| self.closed())?
            }
        }
    }

    /// [`write`](Self::write) for callers that have no runtime; they wait.
    pub(crate) fn write_blocking<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, LedgerError> {
        let (teller, told) = sync_channel(1);
        self.submit(operation, move |result| drop(teller.send(result)))?;
        told.recv().map_err(|_| self.closed())?
    }

    /// Carries `operation` out when it gets to it, and tells `tell` once that is on disk.
    pub(crate) fn submit<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
        tell: impl FnOnce(Result<T, LedgerError>) + Send + 'static,
    ) -> Result<(), LedgerError> {
        self.disk.check()?;
        let disk = Arc::clone(&self.disk);
        self.queue.submit(operation, move |result| match result {
            Ok(value) => disk.reach_or_fail(move |reached| tell(reached.map(|()| value))),
            Err(error) => tell(Err(error)),
        })
    }

    /// Gives the operation back when it would have to wait.
    fn at_once<T, O: FnOnce(&Connection) -> rusqlite::Result<T>>(
        &self,
        operation: O,
    ) -> Result<Result<T, LedgerError>, O> {
        // Whoever waits already comes first.
        if !self.queue.is_empty() {
            return Err(operation);
        }
        let connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        match transact(&connection, operation) {
            Transacted::Busy(operation) => Err(operation),
            Transacted::Done(result) => Ok(result.map_err(|error| LedgerError::sqlite(&self.path, &error))),
        }
    }

    fn closed(&self) -> LedgerError {
        LedgerError::new(&self.path, "is closed")
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Writer(..)")
    }
}

/// What became of an operation.
pub(crate) enum Transacted<T, O> {
    /// Another connection writes; the operation was not begun.
    Busy(O),
    /// It was carried out, or has failed and left nothing behind.
    Done(rusqlite::Result<T>),
}

/// Carries `operation` out in a transaction.
pub(crate) fn transact<T, O: FnOnce(&Connection) -> rusqlite::Result<T>>(
    connection: &Connection,
    operation: O,
) -> Transacted<T, O> {
    if !connection.is_autocommit() {
        // An operation panicked in the middle of its transaction.
        let _ = execute(connection, "ROLLBACK");
    }
    match execute(connection, "BEGIN IMMEDIATE") {
        Ok(()) => {}
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
            return Transacted::Busy(operation);
        }
        Err(error) => return Transacted::Done(Err(error)),
    }
    let result = operation(connection).and_then(|value| execute(connection, "COMMIT").map(|()| value));
    // On some errors, such as a full disk, SQLite has given the transaction up itself.
    if result.is_err() && !connection.is_autocommit() {
        let _ = execute(connection, "ROLLBACK");
    }
    Transacted::Done(result)
}

fn execute(connection: &Connection, sql: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}
