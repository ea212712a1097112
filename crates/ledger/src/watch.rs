//! Notices what other processes write.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use pki_core::{Clock, UnixTime};
use revocation::ManualRevocations;
use rusqlite::Connection;

use crate::{
    LedgerError, LedgerSettings,
    reader::Connections,
    revocations,
    tombstones::{self, TombstoneIndex},
};

/// Deletions are asked for from this long before the last look, for clocks of other processes may differ.
const OVERLAP: Duration = Duration::from_secs(300);

/// Keeps the manual revocations and the tombstones in memory up to date, in a thread that ends with this.
#[derive(Debug)]
pub(crate) struct Watch {
    manual: Arc<ManualRevocations>,
    stop: Option<Sender<()>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Watch {
    /// Reads everything once before it returns.
    pub(crate) fn start(
        connections: Connections,
        tombstones: TombstoneIndex,
        settings: LedgerSettings,
    ) -> Result<Self, LedgerError> {
        let manual = Arc::new(ManualRevocations::new(Arc::clone(&settings.clock), settings.max_silence));
        let (stop, stopped) = channel();
        let (path, interval) = (connections.path().to_owned(), settings.poll_interval);
        let mut looker = Looker {
            connections,
            connection: None,
            tombstones,
            manual: Arc::clone(&manual),
            clock: settings.clock,
            seen: Seen::default(),
        };
        looker.look()?;
        let thread = thread::Builder::new().name("ledger-watch".into());
        let thread = thread.spawn(move || looker.run(interval, &stopped));
        let thread =
            thread.map_err(|error| LedgerError::new(&path, format_args!("cannot be watched: {error}")))?;
        Ok(Self { manual, stop: Some(stop), thread: Mutex::new(Some(thread)) })
    }

    pub(crate) fn manual_revocations(&self) -> Arc<ManualRevocations> {
        Arc::clone(&self.manual)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        drop(self.stop.take());
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // It panics on nothing; there is nobody to tell if it did.
            let _ = thread.join();
        }
    }
}

struct Looker {
    connections: Connections,
    connection: Option<Connection>,
    tombstones: TombstoneIndex,
    manual: Arc<ManualRevocations>,
    clock: Arc<dyn Clock>,
    seen: Seen,
}

/// What the last look saw.
#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    /// SQLite's count of other connections' commits.
    data: Option<i64>,
    order: Option<i64>,
    deletions: Option<UnixTime>,
}

impl Looker {
    fn run(&mut self, interval: Duration, stopped: &Receiver<()>) {
        while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
            // A failure shows in the age of what is served: ManualRevocations errs when it is not confirmed.
            if self.look().is_err() {
                self.connection = None;
                self.seen.data = None;
            }
        }
    }

    fn look(&mut self) -> Result<(), LedgerError> {
        let connection = self.connection.take().map_or_else(|| self.connections.connect(), Ok)?;
        let looked = self.look_through(&connection);
        let looked = looked.map_err(|error| LedgerError::sqlite(self.connections.path(), &error));
        self.connection = Some(connection);
        looked
    }

    fn look_through(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        let looked_at = self.clock.now();
        let data = Some(connection.pragma_query_value(None, "data_version", |row| row.get(0))?);
        if self.seen.data == data {
            self.manual.confirm(looked_at);
            return Ok(());
        }
        // Read within one transaction, so that the number and what it stands for belong together.
        let reading = connection.unchecked_transaction()?;
        let order = Some(revocations::last_order(&reading)?);
        if self.seen.order == order {
            self.manual.confirm(looked_at);
        } else {
            self.manual.replace_all(revocations::all(&reading)?, looked_at);
        }
        let since = self.seen.deletions.unwrap_or(UnixTime(0));
        self.tombstones.learn(tombstones::seen_since(&reading, since)?);
        reading.finish()?;
        self.seen = Seen { data, order, deletions: Some(looked_at.saturating_sub(OVERLAP)) };
        Ok(())
    }
}
