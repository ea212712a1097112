//! Operations that wait for their turn.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread::{self, JoinHandle},
};

use rusqlite::Connection;

use crate::{
    LedgerError,
    writer::{Transacted, transact},
};

/// Operations waiting beyond this are refused, so that a file that is held shows as an error and not as memory.
const QUEUE: usize = 1024;

/// A thread that carries out one operation after the other, and waits for its turn to write. When it is dropped, what
/// has been taken is carried out first.
pub(crate) struct Queue {
    operations: Option<SyncSender<Operation>>,
    waiting: Arc<AtomicUsize>,
    thread: Option<JoinHandle<()>>,
    path: Arc<Path>,
}

/// Gets the connection, or why the operation before it did not get its turn; returns such a reason of its own.
type Operation = Box<dyn FnOnce(Result<&Connection, LedgerError>) -> Result<(), LedgerError> + Send>;

impl Queue {
    pub(crate) fn start(connection: Connection, path: Arc<Path>) -> Result<Self, LedgerError> {
        let (sender, operations) = sync_channel(QUEUE);
        let waiting = Arc::<AtomicUsize>::default();
        let thread = thread::Builder::new().name("ledger-queue".into());
        let thread = thread.spawn(move || run(&connection, &operations));
        let thread =
            thread.map_err(|error| LedgerError::new(&path, format_args!("has no writer: {error}")))?;
        Ok(Self { operations: Some(sender), waiting, thread: Some(thread), path })
    }

    /// Whether nothing is waiting.
    pub(crate) fn is_empty(&self) -> bool {
        self.waiting.load(Ordering::Acquire) == 0
    }

    /// Carries `operation` out when it gets to it, and tells `tell`.
    pub(crate) fn submit<T: Send + 'static>(
        &self,
        operation: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
        tell: impl FnOnce(Result<T, LedgerError>) + Send + 'static,
    ) -> Result<(), LedgerError> {
        let (path, waiting) = (Arc::clone(&self.path), Arc::clone(&self.waiting));
        let operation: Operation = Box::new(move |turn| {
            let (result, turn) = match turn.map(|connection| transact(connection, operation)) {
                Ok(Transacted::Done(result)) => {
                    (result.map_err(|error| LedgerError::sqlite(&path, &error)), Ok(()))
                }
                Ok(Transacted::Busy(_)) => {
                    let held =
                        LedgerError::new(&path, "is held by another program for too long; end that program");
                    (Err(held.clone()), Err(held))
                }
                Err(held) => (Err(held.clone()), Err(held)),
            };
            waiting.fetch_sub(1, Ordering::AcqRel);
            tell(result);
            turn
        });
        self.send(operation)
    }

    fn send(&self, operation: Operation) -> Result<(), LedgerError> {
        let closed = || LedgerError::new(&self.path, "is closed");
        let operations = self.operations.as_ref().ok_or_else(closed)?;
        self.waiting.fetch_add(1, Ordering::AcqRel);
        let sent = operations.try_send(operation);
        sent.map_err(|error| {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            match error {
                TrySendError::Full(_) => {
                    LedgerError::new(&self.path, "has too much to write already: the disk is too slow")
                }
                TrySendError::Disconnected(_) => closed(),
            }
        })
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        drop(self.operations.take());
        if let Some(thread) = self.thread.take() {
            // Its panics, if it had any, have been told to those who waited.
            let _ = thread.join();
        }
    }
}

/// Where one operation has waited in vain for as long as the connection's time-out, so have those behind it.
fn run(connection: &Connection, operations: &Receiver<Operation>) {
    while let Ok(first) = operations.recv() {
        if let Err(held) = first(Ok(connection)) {
            for behind in operations.try_iter().take(QUEUE) {
                // It says again what it is told.
                let _ = behind(Err(held.clone()));
            }
        }
    }
}
