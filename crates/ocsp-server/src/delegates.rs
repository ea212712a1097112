//! Where delegates come from: made here with the CA's key, or read from files.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use issuance::Issuer;
use keys_software::{KeyAlgorithm, SoftwareKey, load_key};
use ocsp_service::{DelegateSource, DelegateSourceError, IssuedDelegate};
use pki_core::{BoxFuture, Certificate, Clock, Name, PublicKey, SecureRandom, SigningKey, Validity};

use crate::ServerError;

/// Delegates begin this long before they are made: clients' clocks differ. No more than that, for half of a delegate's
/// life is counted from here.
const BACKDATING: Duration = Duration::from_secs(300);

/// Makes delegates in memory: a fresh key each time, on P-256 unless said otherwise, certified with the CA's key, gone when it is replaced.
#[derive(Debug)]
pub struct SelfIssuedDelegates {
    issuer: Issuer,
    ca_key: Arc<dyn SigningKey>,
    key: KeyAlgorithm,
    life: Duration,
    clock: Arc<dyn Clock>,
    random: Arc<dyn SecureRandom>,
}

impl SelfIssuedDelegates {
    /// For the CA that holds `ca` and `ca_key`; each delegate lives for `life`.
    pub fn new(
        ca: Certificate,
        ca_key: Arc<dyn SigningKey>,
        life: Duration,
        clock: Arc<dyn Clock>,
        random: Arc<dyn SecureRandom>,
    ) -> Result<Self, ServerError> {
        let issuer = Issuer::of_key(ca, &*ca_key).map_err(ServerError::new)?;
        Ok(Self { issuer, ca_key, key: KeyAlgorithm::P256, life, clock, random })
    }

    /// The same with keys of that kind.
    #[must_use]
    pub fn with_key(self, key: KeyAlgorithm) -> Self {
        Self { key, ..self }
    }

    /// The CA's certificate.
    pub fn certificate(&self) -> &Certificate {
        self.issuer.certificate()
    }

    /// Has `key` certified as a delegate for as long as delegates of this live.
    pub async fn certify(&self, key: &PublicKey) -> Result<Certificate, ServerError> {
        let now = self.clock.now();
        let validity = Validity::new(now.saturating_sub(BACKDATING), now.saturating_add(self.life))?;
        let name = Name::of_common_name("OCSP responder");
        let certificate =
            self.issuer.create_ocsp_delegate(&name, key, validity, &*self.ca_key, &*self.random);
        certificate.await.map_err(ServerError::new)
    }
}

impl DelegateSource for SelfIssuedDelegates {
    fn delegate(&self) -> BoxFuture<'_, Result<IssuedDelegate, DelegateSourceError>> {
        Box::pin(async {
            let key =
                SoftwareKey::generate(self.key).map_err(|error| DelegateSourceError(error.to_string()))?;
            let certificate = self.certify(key.public_key()).await;
            let certificate = certificate.map_err(|error| DelegateSourceError(error.to_string()))?;
            Ok(IssuedDelegate { certificate, key: Arc::new(key) })
        })
    }
}

/// Reads a delegate's certificate and key from files, where another program puts new ones in time.
#[derive(Debug)]
pub struct DelegateFiles {
    certificate: PathBuf,
    key: PathBuf,
}

impl DelegateFiles {
    /// From these PEM files.
    pub fn new(certificate: PathBuf, key: PathBuf) -> Self {
        Self { certificate, key }
    }

    fn read(&self) -> Result<IssuedDelegate, ServerError> {
        let key = Arc::new(load_key(&self.key)?);
        Ok(IssuedDelegate { certificate: read_delegate(&self.certificate)?, key })
    }
}

impl DelegateSource for DelegateFiles {
    fn delegate(&self) -> BoxFuture<'_, Result<IssuedDelegate, DelegateSourceError>> {
        Box::pin(std::future::ready(self.read().map_err(|error| DelegateSourceError(error.to_string()))))
    }
}

fn read_delegate(path: &Path) -> Result<Certificate, ServerError> {
    let pem = std::fs::read_to_string(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound => ServerError::of_file(
            path,
            "no such file: have the CA make a delegate with `scep-server delegate --out FOLDER`, or say where it is with delegate.certificate",
        ),
        _ => ServerError::of_file(path, error),
    })?;
    Certificate::from_pem(&pem).map_err(|error| ServerError::of_file(path, error))
}
