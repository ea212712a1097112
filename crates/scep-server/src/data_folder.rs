//! The folder in which a CA lives: made at the first start, taken up at every other.

use std::{fs::File, io::ErrorKind, path::Path, sync::Arc, time::Duration};

use issuance::{Issuer, create_root};
use keys_software::{AwsLc, RsaKey, SoftwareKey, create_key, create_secret, load_key, load_secret};
use ledger::{Ledger, LedgerSettings};
use ocsp_server::{
    ServerError,
    data_folder::{self, CA_CERTIFICATE, CA_KEY, LEDGER, read_certificate, serial_key_name},
};
use pki_core::{Certificate, Clock, IssuerId, SecureRandom as _, SigningKey, SystemClock, Validity};
use serial_binding::{KeyId, SerialKey};
use zeroize::Zeroizing;

use crate::settings::Settings;

const RA_CERTIFICATE: &str = "ra.pem";
const RA_KEY: &str = "ra.key.pem";
pub(crate) const CHALLENGE_KEY: &str = "challenge.key";
const LOCK: &str = "lock";

/// Certificates of the CA and the RA begin a day early: devices' clocks are behind.
const BACKDATING: Duration = Duration::from_secs(86_400);

/// What lies in a data folder.
///
/// Each file is made whole or not at all, keys before the certificates that name them; so a start that was cut off is
/// simply taken up by the next one.
#[derive(Debug)]
pub(crate) struct DataFolder {
    /// The CA.
    pub(crate) issuer: Issuer,
    /// Its key.
    pub(crate) ca_key: Arc<SoftwareKey>,
    /// The RA's certificate.
    pub(crate) ra_certificate: Certificate,
    /// Its key.
    pub(crate) ra_key: Arc<RsaKey>,
    /// The serial keys, the one for new serial numbers first.
    pub(crate) serial_keys: Vec<SerialKey>,
    /// Keys the hashes of challenges.
    pub(crate) challenge_key: Zeroizing<[u8; 32]>,
    /// The ledger.
    pub(crate) ledger: Ledger,
}

/// What commands on certificates need of a data folder that is there already.
#[derive(Debug)]
pub(crate) struct Records {
    /// The CA.
    pub(crate) id: IssuerId,
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
        let ca_key = Arc::new(key(&folder.join(CA_KEY), || SoftwareKey::generate(settings.ca.key))?);
        let issuer = ca(settings, &ca_key).await?;
        let ra_key = rsa(&folder.join(RA_KEY))?;
        let ra_certificate = ra(settings, &issuer, &ca_key, &ra_key).await?;
        Ok(Self {
            issuer,
            ca_key,
            ra_certificate,
            ra_key,
            serial_keys: serial_keys(folder, settings.serial.key)?,
            challenge_key: secret(&folder.join(CHALLENGE_KEY))?,
            ledger: open_ledger(folder)?,
        })
    }
}

impl Records {
    /// Opens the ledger of the CA in `folder`, which must be there.
    pub(crate) fn open(folder: &Path) -> Result<Self, ServerError> {
        let certificate = read_certificate(&folder.join(CA_CERTIFICATE))?;
        Ok(Self { id: IssuerId::of(&certificate), ledger: open_ledger(folder)? })
    }
}

impl FolderLock {
    /// Fails when a server runs on the folder.
    pub(crate) fn take(folder: &Path) -> Result<Self, ServerError> {
        make_folder(folder)?;
        let path = folder.join(LOCK);
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|error| ServerError::of_file(&path, error))?;
        file.try_lock().map_err(|error| match error {
            std::fs::TryLockError::WouldBlock => {
                let problem =
                    "a server runs on this folder already; stop it, or name another folder with --data";
                ServerError::of_file(folder, problem)
            }
            std::fs::TryLockError::Error(error) => ServerError::of_file(&path, error),
        })?;
        Ok(Self(file))
    }
}

fn open_ledger(folder: &Path) -> Result<Ledger, ServerError> {
    Ok(Ledger::open(folder.join(LEDGER), LedgerSettings::new(Arc::new(SystemClock)))?)
}

fn make_folder(folder: &Path) -> Result<(), ServerError> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(|error| ServerError::of_file(folder, error))
}

/// The key in the file, or a new one that is written there.
fn key<E: std::fmt::Display>(
    path: &Path,
    generate: impl FnOnce() -> Result<SoftwareKey, E>,
) -> Result<SoftwareKey, ServerError> {
    match load_key(path) {
        Err(error) if error.is_not_found() => {
            let key = generate().map_err(ServerError::new)?;
            create_key(path, &key)?;
            Ok(key)
        }
        found => Ok(found?),
    }
}

fn rsa(path: &Path) -> Result<Arc<RsaKey>, ServerError> {
    match key(path, || RsaKey::generate_2048().map(SoftwareKey::Rsa))? {
        SoftwareKey::Rsa(key) => Ok(Arc::new(key)),
        _ => Err(ServerError::of_file(path, "expected an RSA key: SCEP encrypts to RSA keys only")),
    }
}

fn secret(path: &Path) -> Result<Zeroizing<[u8; 32]>, ServerError> {
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

async fn ca(settings: &Settings, key: &SoftwareKey) -> Result<Issuer, ServerError> {
    let path = settings.data.join(CA_CERTIFICATE);
    if !path.exists() {
        let name =
            settings.ca.name.parse().map_err(|error| ServerError::new(format_args!("ca.name: {error}")))?;
        let made = create_root(&name, key, validity(settings)?, &AwsLc).await.map_err(ServerError::new)?;
        write_new(&path, made.certificate().to_pem().as_bytes())?;
    }
    let certificate = read_certificate(&path)?;
    Issuer::of_key(certificate, key).map_err(|error| ServerError::of_file(&path, error))
}

async fn ra(
    settings: &Settings,
    issuer: &Issuer,
    ca_key: &SoftwareKey,
    key: &RsaKey,
) -> Result<Certificate, ServerError> {
    let path = settings.data.join(RA_CERTIFICATE);
    if !path.exists() {
        let name = settings
            .ca
            .ra_name
            .parse()
            .map_err(|error| ServerError::new(format_args!("ca.ra_name: {error}")))?;
        let public_key = SigningKey::public_key(key);
        let made = issuer.create_ra(&name, public_key, validity(settings)?, ca_key, &AwsLc).await;
        let made = made.map_err(ServerError::new)?;
        write_new(&path, made.to_pem().as_bytes())?;
    }
    let certificate = read_certificate(&path)?;
    if certificate.public_key() != SigningKey::public_key(key) {
        let problem = format_args!("the certificate is for another key than the one in {RA_KEY}");
        return Err(ServerError::of_file(&path, problem));
    }
    Ok(certificate)
}

fn validity(settings: &Settings) -> Result<Validity, ServerError> {
    let now = SystemClock.now();
    let life = Duration::from_secs(u64::from(settings.ca.validity_days).saturating_mul(86_400));
    Ok(Validity::new(now.saturating_sub(BACKDATING), now.saturating_add(life))?)
}

/// Writes a file that others may read, whole or not at all; leaves one that is there.
fn write_new(path: &Path, contents: &[u8]) -> Result<(), ServerError> {
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
