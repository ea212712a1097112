//! The issuer's ledger.

use std::{
    fs::OpenOptions,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use pki_core::Clock;
use rusqlite::Connection;

use crate::{LedgerError, LedgerReader, disk, refusals::Refusals, schema, writer::Writer};

/// The issuer's ledger: one SQLite file, readable by its owner alone. Cheap to clone.
///
/// Any number of processes may have the same file open; what one writes the others see within
/// [`LedgerSettings::poll_interval`].
#[derive(Debug, Clone)]
pub struct Ledger {
    reader: LedgerReader,
    writer: Arc<Writer>,
    refusals: Refusals,
    settings: LedgerSettings,
}

/// What a ledger is opened with.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update")]
pub struct LedgerSettings {
    /// Tells when something is recorded.
    pub clock: Arc<dyn Clock>,
    /// How long a repeated transaction gets the certificate that it got before. Afterwards its id may be used anew.
    pub transaction_window: Duration,
    /// How often other processes' changes are looked for.
    pub poll_interval: Duration,
    /// How long manual revocations may be answered from memory while the file cannot be read.
    pub max_silence: Duration,
}

impl LedgerSettings {
    /// The defaults: a window of a day, looked at four times a second, silent for at most ten seconds.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            transaction_window: Duration::from_secs(24 * 60 * 60),
            poll_interval: Duration::from_millis(250),
            max_silence: Duration::from_secs(10),
        }
    }
}

impl Ledger {
    /// Opens the file at `path`, or makes it.
    pub fn open(path: impl Into<PathBuf>, settings: LedgerSettings) -> Result<Self, LedgerError> {
        let path: Arc<Path> = path.into().into();
        make_private(&path)?;
        let mut connection = connect(&path)?;
        schema::migrate(&mut connection, &path)?;
        let sync = disk::log_of(&path)
            .map_err(|error| LedgerError::new(&path, format_args!("has no log: {error}")))?;
        let connections = [connection, connect(&path)?, connect(&path)?];
        let writer = Writer::start(connections, sync, Arc::clone(&path))?;
        let reader = LedgerReader::open(&*path, settings.clone())?;
        Ok(Self { reader, writer: Arc::new(writer), refusals: Refusals::default(), settings })
    }

    /// Its reading side.
    pub fn reader(&self) -> &LedgerReader {
        &self.reader
    }

    pub(crate) fn writer(&self) -> &Writer {
        &self.writer
    }

    pub(crate) fn refusals(&self) -> &Refusals {
        &self.refusals
    }

    pub(crate) fn settings(&self) -> &LedgerSettings {
        &self.settings
    }
}

/// A connection to write with.
fn connect(path: &Path) -> Result<Connection, LedgerError> {
    let connection = Connection::open(path).map_err(|error| LedgerError::sqlite(path, &error))?;
    schema::configure(&connection, path)?;
    schema::prepare_to_write(&connection, path)?;
    Ok(connection)
}

/// SQLite gives its side files the mode of the file itself.
fn make_private(path: &Path) -> Result<(), LedgerError> {
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(LedgerError::new(path, format_args!("cannot be made: {error}"))),
    }
}
