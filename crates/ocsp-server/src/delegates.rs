//! Where delegates come from: made here with the CA's key, or read from files.

use std::{path::PathBuf, sync::Arc, time::Duration};

use issuance::Issuer;
use keys_software::{EcdsaKey, load_key};
use ocsp_service::{DelegateSource, DelegateSourceError, IssuedDelegate};
use pki_core::{BoxFuture, Certificate, Clock, Name, SecureRandom, SigningKey, Validity};

use crate::{ServerError, data_folder::read_certificate};

/// Delegates begin this long before they are made: clients' clocks differ. No more than that, for half of a delegate's
/// life is counted from here.
const BACKDATING: Duration = Duration::from_secs(300);

/// Makes delegates in memory: a fresh P-256 key each time, certified with the CA's key, gone when it is replaced.
#[derive(Debug)]
pub struct SelfIssuedDelegates {
    issuer: Issuer,
    ca_key: Arc<dyn SigningKey>,
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
        Ok(Self { issuer, ca_key, life, clock, random })
    }

    /// Has `key` certified as a delegate for as long as delegates of this live.
    pub async fn certify(&self, key: &dyn SigningKey) -> Result<Certificate, ServerError> {
        let now = self.clock.now();
        let validity = Validity::new(now.saturating_sub(BACKDATING), now.saturating_add(self.life))?;
        let name = Name::of_common_name("OCSP responder");
        let certificate =
            self.issuer.create_ocsp_delegate(&name, key.public_key(), validity, &*self.ca_key, &*self.random);
        certificate.await.map_err(ServerError::new)
    }
}

impl DelegateSource for SelfIssuedDelegates {
    fn delegate(&self) -> BoxFuture<'_, Result<IssuedDelegate, DelegateSourceError>> {
        Box::pin(async {
            let key = EcdsaKey::generate_p256().map_err(|error| DelegateSourceError(error.to_string()))?;
            let certificate =
                self.certify(&key).await.map_err(|error| DelegateSourceError(error.to_string()))?;
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
        Ok(IssuedDelegate { certificate: read_certificate(&self.certificate)?, key })
    }
}

impl DelegateSource for DelegateFiles {
    fn delegate(&self) -> BoxFuture<'_, Result<IssuedDelegate, DelegateSourceError>> {
        Box::pin(std::future::ready(self.read().map_err(|error| DelegateSourceError(error.to_string()))))
    }
}
