//! Reading, which never waits for the writer.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use pki_core::{CertRef, UnixTime};
use rusqlite::{Connection, OpenFlags, OptionalExtension as _};

use crate::{
    CertificateQuery, CertificateRecord, LedgerError, LedgerSettings, RevocationRecord, certificates,
    encoding, revocations, schema, tombstones::TombstoneIndex, watch::Watch,
};

/// A ledger opened for reading: by a responder beside the issuer, or by a command. Cheap to clone.
#[derive(Debug, Clone)]
pub struct LedgerReader(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    connections: Connections,
    tombstones: TombstoneIndex,
    watch: Watch,
}

impl LedgerReader {
    /// Opens the file at `path`, which must be there. Notices what other processes write to it.
    pub fn open(path: impl Into<PathBuf>, settings: LedgerSettings) -> Result<Self, LedgerError> {
        let connections = Connections::new(path.into().into());
        connections.read(|connection| Ok(schema::expect_current(connection, &connections.path)))??;
        let tombstones = TombstoneIndex::default();
        let watch = Watch::start(connections.clone(), tombstones.clone(), settings)?;
        Ok(Self(Arc::new(Parts { connections, tombstones, watch })))
    }

    /// Where the file is.
    pub fn path(&self) -> &Path {
        &self.0.connections.path
    }

    /// The manual revocations on record, kept up to date: a source of status.
    pub fn manual_revocations(&self) -> Arc<revocation::ManualRevocations> {
        self.0.watch.manual_revocations()
    }

    /// The certificate of that serial number, if its issuer began to issue it.
    pub fn certificate(&self, certificate: CertRef) -> Result<Option<CertificateRecord>, LedgerError> {
        self.0.connections.read(|connection| certificates::find(connection, certificate))
    }

    /// Certificates, the latest first.
    pub fn certificates(&self, query: &CertificateQuery) -> Result<Vec<CertificateRecord>, LedgerError> {
        self.0.connections.read(|connection| certificates::search(connection, query))
    }

    /// Every order to revoke the certificate or to lift its hold, the first one first.
    pub fn revocation_history(&self, certificate: CertRef) -> Result<Vec<RevocationRecord>, LedgerError> {
        self.0.connections.read(|connection| revocations::history(connection, certificate))
    }

    /// When the certificate was issued; `None` when it was not.
    pub fn issued_at(&self, certificate: CertRef) -> Result<Option<UnixTime>, LedgerError> {
        const SQL: &str = "SELECT c.issued FROM certificate c JOIN issuer i ON i.id = c.issuer \
             WHERE i.octets = ? AND c.serial = ? AND c.issued IS NOT NULL";
        self.0.connections.read(|connection| {
            let mut statement = connection.prepare_cached(SQL)?;
            let key = (certificate.issuer.as_bytes(), certificate.serial.as_be_bytes());
            statement.query_row(key, |row| encoding::time(row, "issued")).optional()
        })
    }

    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, LedgerError> {
        self.0.connections.read(read)
    }

    pub(crate) fn tombstones(&self) -> &TombstoneIndex {
        &self.0.tombstones
    }

    pub(crate) fn watch(&self) -> &Watch {
        &self.0.watch
    }
}

/// Connections for reading, opened as they are needed and kept.
#[derive(Clone)]
pub(crate) struct Connections {
    path: Arc<Path>,
    idle: Arc<Mutex<Vec<Connection>>>,
}

impl Connections {
    fn new(path: Arc<Path>) -> Self {
        Self { path, idle: Arc::default() }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads in the calling thread: a look-up takes a few microseconds.
    pub(crate) fn read<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, LedgerError> {
        let idle = self.idle().pop();
        let connection = idle.map_or_else(|| self.connect(), Ok)?;
        let result = read(&connection).map_err(|error| LedgerError::sqlite(&self.path, &error));
        // One that failed may be tied to a file that is no longer there.
        if result.is_ok() {
            self.idle().push(connection);
        }
        result
    }

    /// A connection of its own for someone who keeps it.
    pub(crate) fn connect(&self) -> Result<Connection, LedgerError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(&self.path, flags)
            .map_err(|error| LedgerError::sqlite(&self.path, &error))?;
        schema::configure(&connection, &self.path)?;
        Ok(connection)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connections({})", self.path.display())
    }
}
