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
        self.disk.reach(move |reached| drop(teller.send(reached)));
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
            Ok(value) => disk.reach(move |reached| tell(reached.map(|()| value))),
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

#[cfg(test)]
mod tests {
    use std::{
        io,
        pin::pin,
        sync::mpsc::{Receiver, Sender, channel},
        task::{Context, Poll, Waker},
    };

    use testkit::{TempDir, block_on, tempdir};

    use super::*;

    /// A writer whose disk does as it is told, once for each message.
    fn writer() -> (Writer, Sender<io::Result<()>>, TempDir) {
        let folder = tempdir().unwrap();
        let path: Arc<Path> = folder.path().join("file").into();
        let connect = || {
            let connection = Connection::open(&path).unwrap();
            connection.pragma_update(None, "journal_mode", "WAL").unwrap();
            connection
        };
        let connections = [connect(), connect(), connect()];
        connections[0].execute_batch("CREATE TABLE number (value INTEGER)").unwrap();
        let (tell, told): (_, Receiver<io::Result<()>>) = channel();
        (Writer::start(connections, move || told.recv().unwrap(), path).unwrap(), tell, folder)
    }

    fn insert(connection: &Connection) -> rusqlite::Result<usize> {
        connection.execute("INSERT INTO number VALUES (1)", [])
    }

    fn count(connection: &Connection) -> rusqlite::Result<i64> {
        connection.query_row("SELECT count(*) FROM number", [], |row| row.get(0))
    }

    #[test]
    fn what_is_written_is_told_when_it_is_on_disk_and_what_is_committed_at_once() {
        let (writer, disk, _folder) = writer();
        assert_eq!(block_on(writer.commit(insert)).unwrap(), 1);
        let mut write = pin!(writer.write(insert));
        let mut context = Context::from_waker(Waker::noop());
        for _ in 0..50 {
            assert!(write.as_mut().poll(&mut context).is_pending(), "the disk has not answered");
            std::thread::yield_now();
        }
        assert_eq!(block_on(writer.commit(count)).unwrap(), 2, "others see it meanwhile");
        disk.send(Ok(())).unwrap();
        assert_eq!(block_on(write).unwrap(), 1);
    }

    #[test]
    fn after_a_disk_that_failed_nothing_is_believed() {
        let (writer, disk, _folder) = writer();
        disk.send(Err(io::Error::other("a broken disk"))).unwrap();
        let error = block_on(writer.write(insert)).unwrap_err().to_string();
        assert!(error.contains("a broken disk"), "{error}");
        // A second attempt of the system's would succeed, without what the first one lost.
        disk.send(Ok(())).unwrap();
        for error in [
            block_on(writer.write(insert)).unwrap_err(),
            block_on(writer.commit(insert)).unwrap_err(),
            writer.write_blocking(insert).unwrap_err(),
        ] {
            assert!(error.to_string().contains("start again"), "{error}");
        }
    }

    #[test]
    fn an_operation_that_fails_or_panics_leaves_nothing_behind() {
        let (writer, _disk, _folder) = writer();
        let fails =
            |connection: &Connection| insert(connection).and(Err::<(), _>(rusqlite::Error::InvalidQuery));
        assert!(block_on(writer.commit(fails)).is_err());
        let panics = |connection: &Connection| -> rusqlite::Result<()> {
            insert(connection)?;
            panic!("in the middle of a transaction")
        };
        let caught =
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| block_on(writer.commit(panics))));
        assert!(caught.is_err());
        assert_eq!(block_on(writer.commit(count)).unwrap(), 0);
    }

    #[test]
    fn whoever_finds_the_file_held_waits_in_the_queue_and_those_who_come_later_behind() {
        let (writer, _disk, folder) = writer();
        let other = Connection::open(folder.path().join("file")).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        let mut context = Context::from_waker(Waker::noop());
        let (mut first, mut second) = (pin!(writer.commit(insert)), pin!(writer.commit(count)));
        assert!(first.as_mut().poll(&mut context).is_pending());
        assert!(matches!(second.as_mut().poll(&mut context), Poll::Pending));
        other.execute_batch("COMMIT").unwrap();
        assert_eq!(block_on(first).unwrap(), 1);
        assert_eq!(block_on(second).unwrap(), 1, "in the order of arrival");
    }
}
