//! Serves what the settings describe.

use std::{future::Future, net::SocketAddr, path::Path, sync::Arc, time::Duration};

use directory::{FileDirectory, FileDirectorySettings, InMemoryTombstones, Tombstones};
use http_listener::{Listener, ListenerLimits};
use keys_software::AwsLc;
use ledger::{LedgerReader, LedgerSettings};
use ocsp_service::{DelegateSource, OcspService};
use pki_core::{Certificate, Clock, SystemClock};
use serial_binding::SerialBinding;

use crate::{
    DelegateFiles, ResponderParts, SelfIssuedDelegates, ServerError, data_folder,
    settings::{DirectorySettings, LimitSettings, PlainSerials, Settings},
};

/// Objects whose deletion a responder without a ledger remembers.
const TOMBSTONES: usize = 100_000;

/// A responder that listens.
#[derive(Debug)]
pub struct Server {
    listener: Listener,
    service: OcspService,
}

impl Server {
    /// Opens what the settings name, gets the first delegate, and listens.
    pub async fn start(settings: &Settings) -> Result<Self, ServerError> {
        let responder = parts(settings)?.start().await?;
        let listener = listen(&settings.listen, &settings.limits).await?;
        Ok(Self { listener, service: responder.service })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.listener.local_addr()
    }

    /// Answers until `stop`, then finishes what has begun.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        self.listener.serve(self.service, stop).await;
    }
}

/// Listens at `address` within `limits`.
pub async fn listen(address: &str, limits: &LimitSettings) -> Result<Listener, ServerError> {
    let limits = ListenerLimits {
        header_timeout: Duration::from_secs(limits.header_seconds),
        max_connections: limits.connections,
        max_connections_per_ip: Some(limits.connections_per_address),
        ..ListenerLimits::default()
    };
    Listener::bind(address, limits).await.map_err(|error| {
        ServerError::new(format_args!(
            "cannot listen on {address}: {error}; name another address with --listen, such as 127.0.0.1:0 for any free port"
        ))
    })
}

/// Opens the directory file.
pub fn open_directory(
    settings: &DirectorySettings,
    data: &Path,
    clock: Arc<dyn Clock>,
) -> Result<Arc<FileDirectory>, ServerError> {
    let mut file = FileDirectorySettings::default();
    file.max_stale = Duration::from_secs(settings.max_stale_seconds);
    Ok(Arc::new(FileDirectory::open(data.join(&settings.file), clock, file)?))
}

fn parts(settings: &Settings) -> Result<ResponderParts, ServerError> {
    let data = &settings.data;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let ca = data_folder::read_certificate(&data.join(&settings.ca_certificate))?;
    let ledger = open_ledger(settings, &clock)?;
    let tombstones: Arc<dyn Tombstones> = match &ledger {
        Some(ledger) => Arc::new(ledger.clone()),
        None => Arc::new(InMemoryTombstones::new(TOMBSTONES)),
    };
    Ok(ResponderParts {
        binding: binding(settings, &ca)?,
        directory: open_directory(&settings.directory, data, Arc::clone(&clock))?,
        ledger,
        tombstones,
        delegates: delegates(settings, &ca, &clock)?,
        path: settings.path.clone(),
        answers: settings.answers.clone(),
        clock,
        ca,
    })
}

fn binding(settings: &Settings, ca: &Certificate) -> Result<Arc<dyn SerialBinding>, ServerError> {
    let keys = data_folder::read_serial_keys(&settings.data.join(&settings.serial_keys))?;
    let sealed = data_folder::sealed_binding(&keys, ca.public_key())?;
    Ok(Arc::new(match settings.plain_serials {
        PlainSerials::Ignored => sealed,
        PlainSerials::Read if settings.ledger.as_os_str().is_empty() => {
            let problem = "plain_serials = \"read\" needs a ledger: without one anybody could make up a good certificate";
            return Err(ServerError::new(problem));
        }
        PlainSerials::Read => sealed.with_plain(),
    }))
}

fn open_ledger(settings: &Settings, clock: &Arc<dyn Clock>) -> Result<Option<LedgerReader>, ServerError> {
    if settings.ledger.as_os_str().is_empty() {
        return Ok(None);
    }
    let path = settings.data.join(&settings.ledger);
    Ok(Some(LedgerReader::open(path, LedgerSettings::new(Arc::clone(clock)))?))
}

fn delegates(
    settings: &Settings,
    ca: &Certificate,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn DelegateSource>, ServerError> {
    let given = &settings.delegate;
    if !given.certificate.as_os_str().is_empty() {
        let [certificate, key] = [&given.certificate, &given.key].map(|path| settings.data.join(path));
        return Ok(Arc::new(DelegateFiles::new(certificate, key)));
    }
    let key = Arc::new(keys_software::load_key(&settings.data.join(&given.ca_key))?);
    let life = Duration::from_secs(given.hours.saturating_mul(3600));
    Ok(Arc::new(SelfIssuedDelegates::new(ca.clone(), key, life, Arc::clone(clock), Arc::new(AwsLc))?))
}
