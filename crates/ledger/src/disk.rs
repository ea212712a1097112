//! Puts on disk what has been committed, once for all who wait.

use std::{
    fs::{File, OpenOptions},
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rusqlite::Connection;

use crate::LedgerError;

/// After so many commits the log is copied into the file, so that it begins anew; about 8 MiB.
const COMMITS_IN_THE_LOG: usize = 256;

/// How long those who come together wait for each other. One wait for the disk costs as much time of a processor as all
/// that is written in it; whoever comes alone waits for nobody.
const GATHERING: Duration = Duration::from_millis(1);

/// A thread that waits for the disk. SQLite commits in WAL mode with `synchronous = NORMAL`: to the log, and without
/// waiting. Waiting for the log afterwards is what `FULL` would do with the file held; here others write meanwhile, and
/// one wait serves all whose commits came before it.
pub(crate) struct Disk {
    waiters: Option<Sender<Waiter>>,
    has_failed: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    path: Arc<Path>,
}

type Waiter = Box<dyn FnOnce(Result<(), LedgerError>) + Send>;

impl Disk {
    /// `sync` puts the log on disk. `tidying` copies the log into the file now and then, the rest of it while `writing`
    /// is held.
    pub(crate) fn start(
        sync: impl FnMut() -> io::Result<()> + Send + 'static,
        tidying: Connection,
        writing: Arc<Mutex<Connection>>,
        path: Arc<Path>,
    ) -> Result<Self, LedgerError> {
        let (sender, waiters) = channel();
        let has_failed = Arc::<AtomicBool>::default();
        let mut worker = Worker {
            sync,
            tidying,
            writing,
            commits: 0,
            has_failed: Arc::clone(&has_failed),
            path: Arc::clone(&path),
        };
        let thread = thread::Builder::new().name("ledger-disk".into());
        let thread = thread.spawn(move || worker.run(&waiters));
        let thread =
            thread.map_err(|error| LedgerError::new(&path, format_args!("has no disk thread: {error}")))?;
        Ok(Self { waiters: Some(sender), has_failed, thread: Some(thread), path })
    }

    /// Errs when the disk has failed before: what it holds since then nobody knows.
    pub(crate) fn check(&self) -> Result<(), LedgerError> {
        if self.has_failed.load(Ordering::Acquire) { Err(failed(&self.path)) } else { Ok(()) }
    }

    /// Tells `tell` when everything committed before is on disk, or that it never will be.
    pub(crate) fn reach(&self, tell: impl FnOnce(Result<(), LedgerError>) + Send + 'static) {
        let closed = || Err(LedgerError::new(&self.path, "is closed"));
        let Some(waiters) = &self.waiters else { return tell(closed()) };
        if let Err(unsent) = waiters.send(Box::new(tell)) {
            (unsent.0)(closed());
        }
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        drop(self.waiters.take());
        if let Some(thread) = self.thread.take() {
            // Its panics, if it had any, have been told to those who waited.
            let _ = thread.join();
        }
    }
}

/// What puts the log of the file at `path` on disk. The log must be there: open the file first.
pub(crate) fn log_of(path: &Path) -> io::Result<impl FnMut() -> io::Result<()> + Send + 'static> {
    let mut name = path.as_os_str().to_owned();
    name.push("-wal");
    let log = OpenOptions::new().read(true).write(true).open(PathBuf::from(name))?;
    sync_folder(path)?;
    Ok(move || log.sync_data())
}

/// So that a log that was just made is found again.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if cfg!(unix) { File::open(folder)?.sync_all() } else { Ok(()) }
}

fn failed(path: &Path) -> LedgerError {
    LedgerError::new(
        path,
        "could not be put on disk, and takes nothing more: see to the disk and start again",
    )
}

struct Worker<S> {
    sync: S,
    tidying: Connection,
    writing: Arc<Mutex<Connection>>,
    commits: usize,
    has_failed: Arc<AtomicBool>,
    path: Arc<Path>,
}

impl<S: FnMut() -> io::Result<()>> Worker<S> {
    fn run(&mut self, waiters: &Receiver<Waiter>) {
        let mut is_busy = false;
        while let Ok(first) = waiters.recv() {
            if is_busy {
                gather();
            }
            let waiting: Vec<_> = std::iter::once(first).chain(waiters.try_iter()).collect();
            is_busy = waiting.len() > 1;
            self.commits = self.commits.saturating_add(waiting.len());
            let reached = self.reach();
            for tell in waiting {
                tell(reached.clone());
            }
            if self.commits >= COMMITS_IN_THE_LOG && reached.is_ok() {
                self.commits = 0;
                self.tidy();
            }
        }
    }

    /// A disk that failed once is asked no more: the system may have thrown away what it could not write, and the next
    /// attempt would succeed without it.
    fn reach(&mut self) -> Result<(), LedgerError> {
        if self.has_failed.load(Ordering::Acquire) {
            return Err(failed(&self.path));
        }
        (self.sync)().map_err(|error| {
            self.has_failed.store(true, Ordering::Release);
            LedgerError::new(&self.path, format_args!("could not be put on disk ({error}): see to the disk"))
        })
    }

    /// Most of the log is copied while others write; the little that they wrote meanwhile while they wait, or the log
    /// would never begin anew under load. What cannot be copied now is copied the next time.
    fn tidy(&self) {
        if copy_log(&self.tidying) == Ok(Copied::Part) {
            let _held = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
            let _ = copy_log(&self.tidying);
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "being woken by each who comes is the cost that this saves")]
fn gather() {
    thread::sleep(GATHERING);
}

#[derive(Debug, PartialEq, Eq)]
enum Copied {
    All,
    Part,
}

fn copy_log(connection: &Connection) -> rusqlite::Result<Copied> {
    let mut statement = connection.prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?;
    statement.query_row([], |row| {
        let (length, copied) = (row.get::<_, i64>("log")?, row.get::<_, i64>("checkpointed")?);
        Ok(if length == copied { Copied::All } else { Copied::Part })
    })
}
