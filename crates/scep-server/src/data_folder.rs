//! The folder in which CAs live: made at the first start, taken up at every other.

use std::{fs::File, io::ErrorKind, path::Path, sync::Arc};

use keys_software::{AwsLc, create_secret, load_secret};
use ledger::{Ledger, LedgerSettings};
use ocsp_server::{
    ServerError,
    data_folder::{self, LEDGER, serial_key_name},
};
use pki_core::{CertRef, IssuerId, SecureRandom as _, SerialNumber, SystemClock};
use serial_binding::{KeyId, SerialKey};
use zeroize::Zeroizing;

use crate::{
    ca_folder::{CaFolder, ca_certificates, ca_folder},
    settings::{LedgerKind, Settings},
    state::{State, without_ledger},
};

pub(crate) const CHALLENGE_KEY: &str = "challenge.key";
const LOCK: &str = "lock";
/// Held while the files of a CA are made or moved.
const CA_LOCK: &str = "ca.lock";

/// What lies in a data folder.
#[derive(Debug)]
pub(crate) struct DataFolder {
    /// The CAs, in the order of the settings; at least one.
    pub(crate) cas: Vec<CaFolder>,
    /// The serial keys, the one for new serial numbers first.
    pub(crate) serial_keys: Vec<SerialKey>,
    /// Keys the hashes of challenges.
    pub(crate) challenge_key: Zeroizing<[u8; 32]>,
    /// What is remembered.
    pub(crate) state: State,
}

/// What commands on certificates need of a data folder that is there already.
#[derive(Debug)]
pub(crate) struct Records {
    /// Every generation of every CA, the first CA's at work first.
    issuers: Vec<IssuerId>,
    /// The ledger.
    pub(crate) ledger: Ledger,
}

/// Held by a running server, so that no second one serves the same folder.
#[derive(Debug)]
pub(crate) struct FolderLock(
    #[expect(dead_code, reason = "the lock lasts as long as the file is open")] File,
);

impl DataFolder {
    /// Makes what is missing in the folder of `settings`, and opens all of it.
    pub(crate) async fn open_or_make(settings: &Settings) -> Result<Self, ServerError> {
        let folder = &settings.data;
        make_folder(folder)?;
        let _changing = FolderLock::of_changes(folder)?;
        let mut cas = Vec::new();
        for ca in settings.ca.iter() {
            cas.push(CaFolder::open_or_make(folder, ca).await?);
        }
        let serial_keys = serial_keys(folder, settings.serial.key)?;
        let challenge_key = secret(&folder.join(CHALLENGE_KEY))?;
        let state = match (settings.ledger, serial_keys.first()) {
            (LedgerKind::Sqlite, _) => State::in_ledger(open_ledger(folder)?),
            (LedgerKind::None, Some(key)) => State::nowhere(key),
            (LedgerKind::None, None) => return Err(ServerError::new("no serial key")),
        };
        Ok(Self { cas, serial_keys, challenge_key, state })
    }
}

impl Records {
    /// Opens the ledger of the CAs of `settings`, which must be there.
    pub(crate) fn open(settings: &Settings) -> Result<Self, ServerError> {
        if settings.ledger == LedgerKind::None {
            return Err(without_ledger(
                "there is no record of challenges, certificates, requests and refusals",
            ));
        }
        let mut issuers = Vec::new();
        for ca in settings.ca.iter() {
            let certificates = ca_certificates(&ca_folder(&settings.data, &ca.id))?;
            issuers.extend(certificates.iter().map(|(_, certificate)| IssuerId::of(certificate)));
        }
        Ok(Self { issuers, ledger: open_ledger(&settings.data)? })
    }

    /// The certificate of that serial number, whichever of the CAs gave it; `None` when it is not on record.
    pub(crate) fn find(&self, serial: SerialNumber) -> Result<Option<CertRef>, ServerError> {
        for &issuer in &self.issuers {
            let certificate = CertRef { issuer, serial };
            if self.ledger.reader().certificate(certificate)?.is_some() {
                return Ok(Some(certificate));
            }
        }
        Ok(None)
    }
}

impl FolderLock {
    /// Fails when a server runs on the folder.
    pub(crate) fn take(folder: &Path) -> Result<Self, ServerError> {
        let taken = "a server runs on this folder already; stop it, or name another folder with --data";
        Self::of_file(folder, LOCK, taken)
    }

    /// Fails while somebody else makes or moves files of a CA in the folder.
    pub(crate) fn of_changes(folder: &Path) -> Result<Self, ServerError> {
        let taken = "another process changes the CAs in this folder; try again when it is done";
        Self::of_file(folder, CA_LOCK, taken)
    }

    fn of_file(folder: &Path, name: &str, taken: &str) -> Result<Self, ServerError> {
        make_folder(folder)?;
        let path = folder.join(name);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|error| ServerError::of_file(&path, error))?;
        file.try_lock().map_err(|error| match error {
            std::fs::TryLockError::WouldBlock => ServerError::of_file(folder, taken),
            std::fs::TryLockError::Error(error) => ServerError::of_file(&path, error),
        })?;
        Ok(Self(file))
    }
}

fn open_ledger(folder: &Path) -> Result<Ledger, ServerError> {
    Ok(Ledger::open(folder.join(LEDGER), LedgerSettings::new(Arc::new(SystemClock)))?)
}

pub(crate) fn make_folder(folder: &Path) -> Result<(), ServerError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| ServerError::of_file(folder, error))
}

/// Reads a secret, or makes one where there is none yet.
pub(crate) fn secret(path: &Path) -> Result<Zeroizing<[u8; 32]>, ServerError> {
    match load_secret(path) {
        Err(error) if error.is_not_found() => {
            let mut secret = Zeroizing::new([0; 32]);
            AwsLc.fill(&mut *secret)?;
            create_secret(path, &secret)?;
            Ok(secret)
        }
        found => Ok(found?),
    }
}

/// Every serial key there is, the one that the settings choose first; that one is made if it is missing.
fn serial_keys(folder: &Path, chosen: u8) -> Result<Vec<SerialKey>, ServerError> {
    let chosen =
        KeyId::new(chosen).ok_or_else(|| ServerError::new("serial.key: expected a number from 0 to 15"))?;
    secret(&folder.join(serial_key_name(chosen)))?;
    let mut keys = data_folder::read_serial_keys(folder)?;
    keys.sort_by_key(|key| key.id() != chosen);
    Ok(keys)
}

/// Writes a file that others may read, whole or not at all; leaves one that is there.
pub(crate) fn write_new(path: &Path, contents: &[u8]) -> Result<(), ServerError> {
    put(path, contents, |aside| match std::fs::hard_link(aside, path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => Err(error),
        _ => std::fs::remove_file(aside),
    })
}

/// Writes a file that others may read, whole or not at all, over one that is there.
pub(crate) fn write_over(path: &Path, contents: &[u8]) -> Result<(), ServerError> {
    put(path, contents, |aside| std::fs::rename(aside, path))
}

fn put(
    path: &Path,
    contents: &[u8],
    into_place: impl FnOnce(&Path) -> std::io::Result<()>,
) -> Result<(), ServerError> {
    let aside = path.with_extension("new");
    let write = || {
        let mut file = File::create(&aside)?;
        std::io::Write::write_all(&mut file, contents)?;
        file.sync_all()?;
        into_place(&aside)
    };
    write().map_err(|error| ServerError::of_file(path, error))
}
