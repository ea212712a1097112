//! Where one CA lives, through its generations: the one at work, the one to come, those before.

use std::{
    fs::File,
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use issuance::{Issuer, create_root};
use keys_software::{AwsLc, RsaKey, SoftwareKey, create_key, load_key};
use ocsp_server::{
    ServerError,
    data_folder::{CA_CERTIFICATE, CA_KEY, read_certificate},
};
use pki_core::{Certificate, Clock as _, SigningKey, SystemClock, Validity};

use crate::{
    data_folder::{make_folder, write_new},
    settings::{CaSettings, DEFAULT_CA},
};

pub(crate) const RA_CERTIFICATE: &str = "ra.pem";
const RA_KEY: &str = "ra.key.pem";
const NEXT: &str = "next";
const EARLIER: &str = "earlier";
/// Says that the next generation is to take over. While it is there, some files may have moved already.
const PROMOTE: &str = "promote";

/// A generation's files in the order in which a promotion moves them: the CA's certificate, which says which generation
/// is at work, comes last.
const FILES: [&str; 4] = [CA_KEY, RA_KEY, RA_CERTIFICATE, CA_CERTIFICATE];

/// Certificates of the CA and the RA begin a day early: devices' clocks are behind.
const BACKDATING: Duration = Duration::from_secs(86_400);

/// One CA: `ca.pem`, `ca.key.pem`, `ra.pem` and `ra.key.pem`, the same in `next`, and in a folder for each earlier
/// generation below `earlier`.
#[derive(Debug)]
pub(crate) struct CaFolder {
    /// The CA's short name.
    pub(crate) id: String,
    /// At work.
    pub(crate) current: Generation,
    /// To come, if it has been made.
    pub(crate) next: Option<Generation>,
    /// Those before, as long as their certificates are valid: they answer for what they issued.
    pub(crate) earlier: Vec<Generation>,
}

/// A CA's key and certificate, and those of its RA.
#[derive(Debug, Clone)]
pub(crate) struct Generation {
    /// The CA.
    pub(crate) issuer: Issuer,
    /// Its key.
    pub(crate) ca_key: Arc<SoftwareKey>,
    /// The RA's certificate.
    pub(crate) ra_certificate: Certificate,
    /// Its key.
    pub(crate) ra_key: Arc<RsaKey>,
}

/// The folder of the CA of that id.
pub(crate) fn ca_folder(data: &Path, id: &str) -> PathBuf {
    if id == DEFAULT_CA { data.to_owned() } else { data.join(format!("ca-{id}")) }
}

/// The certificates of all generations of the CA in `folder`, the one at work first, each with what it is.
pub(crate) fn ca_certificates(folder: &Path) -> Result<Vec<(&'static str, Certificate)>, ServerError> {
    let mut found = vec![("at work", read_certificate(&folder.join(CA_CERTIFICATE))?)];
    let next = next_folder(folder).map(|next| ("next", next));
    for (role, generation) in
        next.into_iter().chain(earlier_folders(folder)?.into_iter().map(|path| ("earlier", path)))
    {
        found.push((role, read_certificate(&generation.join(CA_CERTIFICATE))?));
    }
    Ok(found)
}

impl CaFolder {
    /// Makes what is missing of the CA, finishes a promotion that was cut off, and opens all of it.
    pub(crate) async fn open_or_make(data: &Path, settings: &CaSettings) -> Result<Self, ServerError> {
        let folder = ca_folder(data, &settings.id);
        make_folder(&folder)?;
        finish_promotion(&folder)?;
        let current = Generation::open_or_make(&folder, settings).await?;
        let next = next_folder(&folder).map(|next| Generation::open(&next)).transpose()?;
        let mut earlier = Vec::new();
        for path in earlier_folders(&folder)? {
            let generation = Generation::open(&path)?;
            if generation.issuer.certificate().validity().contains(SystemClock.now()) {
                earlier.push(generation);
            } else {
                tracing::info!(folder = %path.display(), "an earlier CA has expired, and is not served any more");
            }
        }
        Ok(Self { id: settings.id.clone(), current, next, earlier })
    }

    /// The one at work, the next one, those before.
    pub(crate) fn generations(&self) -> impl Iterator<Item = &Generation> {
        std::iter::once(&self.current).chain(&self.next).chain(&self.earlier)
    }
}

impl Generation {
    /// Each file is made whole or not at all, keys before the certificates that name them; so a start that was cut off
    /// is simply taken up by the next one.
    async fn open_or_make(folder: &Path, settings: &CaSettings) -> Result<Self, ServerError> {
        let ca_key = Arc::new(key(&folder.join(CA_KEY), || SoftwareKey::generate(settings.key))?);
        make_ca(folder, settings, &ca_key).await?;
        let issuer = issuer(folder, &ca_key)?;
        let ra_key = key(&folder.join(RA_KEY), || RsaKey::generate_2048().map(SoftwareKey::Rsa))?;
        make_ra(folder, settings, &issuer, &ca_key, &ra_key).await?;
        Self::open(folder)
    }

    fn open(folder: &Path) -> Result<Self, ServerError> {
        let ca_key = Arc::new(load_key(&folder.join(CA_KEY))?);
        let path = folder.join(RA_KEY);
        let SoftwareKey::Rsa(ra_key) = load_key(&path)? else {
            return Err(ServerError::of_file(&path, "expected an RSA key: SCEP encrypts to RSA keys only"));
        };
        let path = folder.join(RA_CERTIFICATE);
        let ra_certificate = read_certificate(&path)?;
        if ra_certificate.public_key() != SigningKey::public_key(&ra_key) {
            let problem = format_args!("the certificate is for another key than the one in {RA_KEY}");
            return Err(ServerError::of_file(&path, problem));
        }
        Ok(Self { issuer: issuer(folder, &ca_key)?, ca_key, ra_certificate, ra_key: Arc::new(ra_key) })
    }
}

/// Makes the next generation of the CA, unless there is one; one that was begun is finished.
pub(crate) async fn make_next(folder: &Path, settings: &CaSettings) -> Result<Generation, ServerError> {
    finish_promotion(folder)?;
    read_certificate(&folder.join(CA_CERTIFICATE))?;
    if next_folder(folder).is_some() {
        let problem = "there is a next CA already; `scep-server ca next promote` puts it to work";
        return Err(ServerError::of_file(&folder.join(NEXT), problem));
    }
    let next = folder.join(NEXT);
    make_folder(&next)?;
    Generation::open_or_make(&next, settings).await
}

/// Puts the next generation to work, and sets the one at work aside. Cut off anywhere, it is finished by the next start
/// of the server or the next such command.
pub(crate) fn promote(folder: &Path) -> Result<Generation, ServerError> {
    finish_promotion(folder)?;
    let next = next_folder(folder).ok_or_else(|| {
        ServerError::of_file(folder, "there is no next CA; `scep-server ca next create` makes one")
    })?;
    let now = SystemClock.now();
    let validity = Generation::open(&next)?.issuer.certificate().validity();
    if !validity.contains(now) {
        let problem =
            format_args!("the next CA is not valid now: its certificate ends at {}", validity.not_after());
        return Err(ServerError::of_file(&next, problem));
    }
    write_new(&next.join(PROMOTE), b"")?;
    finish_promotion(folder)?;
    Generation::open(folder)
}

fn finish_promotion(folder: &Path) -> Result<(), ServerError> {
    let next = folder.join(NEXT);
    let order = next.join(PROMOTE);
    if !order.exists() {
        return Ok(());
    }
    // The last file to move is still there, so what is at work is still the old generation, or most of it.
    if next.join(CA_CERTIFICATE).exists() {
        set_aside(folder)?;
        let moves = FILES.map(|name| (next.join(name), folder.join(name)));
        for (from, to) in moves.iter().filter(|(from, _)| from.exists()) {
            std::fs::rename(from, to).map_err(|error| ServerError::of_file(from, error))?;
            sync(folder)?;
        }
    }
    std::fs::remove_file(&order).map_err(|error| ServerError::of_file(&order, error))?;
    // What else may lie there is nobody's business here.
    let _ = std::fs::remove_dir(&next);
    Ok(())
}

/// Gives the files of the generation at work second names. Those that have one already keep it: they had it before the
/// first file moved.
fn set_aside(folder: &Path) -> Result<(), ServerError> {
    let fingerprint = read_certificate(&folder.join(CA_CERTIFICATE))?.fingerprint();
    let name = fingerprint.iter().take(8).fold(String::new(), |name, octet| format!("{name}{octet:02x}"));
    let aside = folder.join(EARLIER).join(name);
    make_folder(&aside)?;
    for name in FILES {
        let (from, to) = (folder.join(name), aside.join(name));
        match std::fs::hard_link(&from, &to) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                return Err(ServerError::of_file(&to, error));
            }
            _ => {}
        }
    }
    sync(&aside)
}

fn sync(folder: &Path) -> Result<(), ServerError> {
    let synced = File::open(folder).and_then(|folder| folder.sync_all());
    synced.map_err(|error| ServerError::of_file(folder, error))
}

/// The folder of the next generation; `None` until that is complete, its RA last.
fn next_folder(folder: &Path) -> Option<PathBuf> {
    let next = folder.join(NEXT);
    next.join(RA_CERTIFICATE).exists().then_some(next)
}

fn earlier_folders(folder: &Path) -> Result<Vec<PathBuf>, ServerError> {
    let path = folder.join(EARLIER);
    let entries = match std::fs::read_dir(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| ServerError::of_file(&path, error))?,
    };
    let found: Result<Vec<PathBuf>, _> = entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut found = found.map_err(|error| ServerError::of_file(&path, error))?;
    // One whose setting aside was cut off has no certificate yet.
    found.retain(|folder| folder.join(CA_CERTIFICATE).exists());
    found.sort();
    Ok(found)
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

fn issuer(folder: &Path, key: &SoftwareKey) -> Result<Issuer, ServerError> {
    let path = folder.join(CA_CERTIFICATE);
    Issuer::of_key(read_certificate(&path)?, key).map_err(|error| ServerError::of_file(&path, error))
}

async fn make_ca(folder: &Path, settings: &CaSettings, key: &SoftwareKey) -> Result<(), ServerError> {
    let path = folder.join(CA_CERTIFICATE);
    if path.exists() {
        return Ok(());
    }
    let name = settings.name.parse().map_err(|error| ServerError::new(format_args!("ca.name: {error}")))?;
    let made = create_root(&name, key, validity(settings)?, &AwsLc).await.map_err(ServerError::new)?;
    write_new(&path, made.certificate().to_pem().as_bytes())
}

async fn make_ra(
    folder: &Path,
    settings: &CaSettings,
    issuer: &Issuer,
    ca_key: &SoftwareKey,
    key: &SoftwareKey,
) -> Result<(), ServerError> {
    let path = folder.join(RA_CERTIFICATE);
    if path.exists() {
        return Ok(());
    }
    let name =
        settings.ra_name.parse().map_err(|error| ServerError::new(format_args!("ca.ra_name: {error}")))?;
    let made = issuer.create_ra(&name, key.public_key(), validity(settings)?, ca_key, &AwsLc).await;
    write_new(&path, made.map_err(ServerError::new)?.to_pem().as_bytes())
}

fn validity(settings: &CaSettings) -> Result<Validity, ServerError> {
    let now = SystemClock.now();
    let life = Duration::from_secs(u64::from(settings.validity_days).saturating_mul(86_400));
    Ok(Validity::new(now.saturating_sub(BACKDATING), now.saturating_add(life))?)
}

#[cfg(test)]
mod tests {
    use keys_software::KeyAlgorithm;

    use super::*;

    fn settings() -> CaSettings {
        CaSettings { key: KeyAlgorithm::P256, ..CaSettings::default() }
    }

    fn opened(folder: &Path) -> CaFolder {
        testkit::block_on(CaFolder::open_or_make(folder, &settings())).unwrap()
    }

    fn fingerprint(generation: &Generation) -> [u8; 32] {
        generation.issuer.certificate().fingerprint()
    }

    #[test]
    fn a_ca_goes_from_generation_to_generation() {
        let folder = tempfile::tempdir().unwrap();
        let first = opened(folder.path());
        assert!(first.next.is_none() && first.earlier.is_empty());
        assert!(promote(folder.path()).unwrap_err().to_string().contains("ca next create"));

        let next = testkit::block_on(make_next(folder.path(), &settings())).unwrap();
        let refused = testkit::block_on(make_next(folder.path(), &settings())).unwrap_err();
        assert!(refused.to_string().contains("already"));
        let second = opened(folder.path());
        assert_eq!(fingerprint(&second.current), fingerprint(&first.current));
        assert_eq!(second.next.as_ref().map(fingerprint), Some(fingerprint(&next)));

        assert_eq!(fingerprint(&promote(folder.path()).unwrap()), fingerprint(&next));
        let third = opened(folder.path());
        assert_eq!(fingerprint(&third.current), fingerprint(&next));
        assert!(third.next.is_none());
        assert_eq!(third.earlier.iter().map(fingerprint).collect::<Vec<_>>(), [fingerprint(&first.current)]);
        assert_eq!(ca_certificates(folder.path()).unwrap().len(), 2);
    }

    /// Every point at which the machine may stop, played by undoing what would not have been done yet.
    #[test]
    fn a_promotion_that_is_cut_off_anywhere_is_finished_at_the_next_start() {
        for moved in 0..=FILES.len() {
            let folder = tempfile::tempdir().unwrap();
            let folder = folder.path();
            let first = fingerprint(&opened(folder).current);
            let next = fingerprint(&testkit::block_on(make_next(folder, &settings())).unwrap());
            write_new(&folder.join(NEXT).join(PROMOTE), b"").unwrap();
            set_aside(folder).unwrap();
            for name in FILES.iter().take(moved) {
                std::fs::rename(folder.join(NEXT).join(name), folder.join(name)).unwrap();
            }
            let after = opened(folder);
            assert_eq!(fingerprint(&after.current), next, "{moved} files had moved");
            assert_eq!(after.earlier.iter().map(fingerprint).collect::<Vec<_>>(), [first], "{moved}");
            assert!(after.next.is_none() && !folder.join(NEXT).exists(), "{moved}");
        }
    }
}
