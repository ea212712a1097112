//! From settings to the parts of a responder.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use directory::{InMemoryTombstones, Tombstones};
use keys_software::{AwsLc, KeyAlgorithm, load_key, load_secret};
use ledger::{LedgerReader, LedgerSettings};
use ocsp_service::DelegateSource;
use pki_core::{Certificate, Clock, SigningKey};
use revocation::CrlRevocations;
use serial_binding::SerialBinding;

use crate::{
    Credential, DelegateFiles, Directories, RemoteDelegates, ResponderParts, SelfIssuedDelegates,
    ServerError, data_folder,
    delegate_token::DelegateToken,
    follow_crls,
    settings::{CaSettings, PlainSerials, Settings},
};

/// Objects whose deletion a responder without a ledger remembers.
const TOMBSTONES: usize = 100_000;

/// Opens what the settings name.
pub(crate) struct Wiring<'a> {
    settings: &'a Settings,
    clock: Arc<dyn Clock>,
    /// By path, so that CAs that share a file share what is seen in it.
    directories: Vec<(PathBuf, Directories)>,
    crls: Vec<Arc<CrlRevocations>>,
}

impl<'a> Wiring<'a> {
    pub(crate) fn new(settings: &'a Settings, clock: Arc<dyn Clock>) -> Self {
        Self { settings, clock, directories: Vec::new(), crls: Vec::new() }
    }

    /// What every CA is answered with: for each as many parts as it has kinds of delegates. Runs within tokio.
    pub(crate) fn parts(mut self) -> Result<Vec<ResponderParts>, ServerError> {
        self.crls = follow_crls(&self.settings.revocation, &self.settings.data, &self.clock)?;
        let first = self.settings.first_ca();
        let mut parts = self.parts_of(&first)?;
        for further in &self.settings.ca {
            parts.extend(self.parts_of(further)?);
        }
        Ok(parts)
    }

    fn parts_of(&mut self, of: &CaSettings) -> Result<Vec<ResponderParts>, ServerError> {
        let data = if of.data.as_os_str().is_empty() { self.settings.data.clone() } else { of.data.clone() };
        let ca = data_folder::read_certificate(&data.join(&of.ca_certificate))?;
        let ledger = self.open_ledger(of, &data)?;
        let tombstones: Arc<dyn Tombstones> = match &ledger {
            Some(ledger) => Arc::new(ledger.clone()),
            None => Arc::new(InMemoryTombstones::new(TOMBSTONES)),
        };
        let binding = binding(of, &data, &ca)?;
        let directories = self.directories(of, &data)?;
        let with = |delegates| ResponderParts {
            binding: Arc::clone(&binding),
            directories: directories.clone(),
            ledger: ledger.clone(),
            tombstones: Arc::clone(&tombstones),
            crls: self.crls.clone(),
            delegates,
            path: self.settings.path.clone(),
            answers: self.settings.answers.clone(),
            clock: Arc::clone(&self.clock),
            ca: ca.clone(),
        };
        Ok(self.delegates(of, &data, &ca)?.into_iter().map(with).collect())
    }

    fn directories(&mut self, of: &CaSettings, data: &Path) -> Result<Directories, ServerError> {
        let path = data.join(&of.directory.file);
        let is_file_alone = of.directory.service.is_empty();
        if let Some((_, known)) = self.directories.iter().find(|(known, _)| is_file_alone && *known == path) {
            return Ok(known.clone());
        }
        let directories = Directories::open(&of.directory, data, &self.clock)?;
        if is_file_alone {
            self.directories.push((path, directories.clone()));
        }
        Ok(directories)
    }

    fn open_ledger(&self, of: &CaSettings, data: &Path) -> Result<Option<LedgerReader>, ServerError> {
        if of.ledger.as_os_str().is_empty() {
            return Ok(None);
        }
        let settings = LedgerSettings::new(Arc::clone(&self.clock));
        Ok(Some(LedgerReader::open(data.join(&of.ledger), settings)?))
    }

    /// In the order in which they are preferred; never empty.
    fn delegates(
        &self,
        of: &CaSettings,
        data: &Path,
        ca: &Certificate,
    ) -> Result<Vec<Arc<dyn DelegateSource>>, ServerError> {
        let given = &of.delegate;
        if !given.certificate.as_os_str().is_empty() {
            let [certificate, key] = [&given.certificate, &given.key].map(|path| data.join(path));
            return Ok(vec![Arc::new(DelegateFiles::new(certificate, key))]);
        }
        let kinds = given.keys.iter().map(|name| name.parse::<KeyAlgorithm>());
        let kinds = kinds.collect::<Result<Vec<_>, _>>();
        let kinds = kinds.map_err(|error| ServerError::new(format_args!("delegate.keys: {error}")))?;
        if kinds.is_empty() {
            return Err(ServerError::new(
                "delegate.keys: expected at least one kind of key, such as \"p256\"",
            ));
        }
        if given.issuer.is_empty() {
            let key: Arc<dyn SigningKey> = Arc::new(load_key(&data.join(&given.ca_key))?);
            let life = Duration::from_secs(given.hours.saturating_mul(3600));
            let made = kinds.into_iter().map(|kind| {
                let (clock, random) = (Arc::clone(&self.clock), Arc::new(AwsLc));
                let delegates = SelfIssuedDelegates::new(ca.clone(), Arc::clone(&key), life, clock, random)?;
                Ok(Arc::new(delegates.with_key(kind)) as Arc<dyn DelegateSource>)
            });
            return made.collect();
        }
        let credential = if given.client_certificate.as_os_str().is_empty() {
            Credential::Token(DelegateToken::new(load_secret(&data.join(&given.token))?))
        } else {
            let [certificate, key] =
                [&given.client_certificate, &given.client_key].map(|path| data.join(path));
            let own = of.ca_certificate.clone();
            let issuer_ca =
                if given.issuer_ca.as_os_str().is_empty() { own } else { given.issuer_ca.clone() };
            Credential::Certificate { certificate, key, issuer_ca: data.join(issuer_ca) }
        };
        let remote = kinds.into_iter().map(|kind| {
            let clock = Arc::clone(&self.clock);
            let delegates = RemoteDelegates::new(&given.issuer, ca, credential.clone(), kind, clock)?;
            Ok(Arc::new(delegates) as Arc<dyn DelegateSource>)
        });
        remote.collect()
    }
}

fn binding(of: &CaSettings, data: &Path, ca: &Certificate) -> Result<Arc<dyn SerialBinding>, ServerError> {
    let keys = data_folder::read_serial_keys(&data.join(&of.serial_keys))?;
    let sealed = data_folder::sealed_binding(&keys, ca.public_key())?;
    Ok(Arc::new(match of.plain_serials {
        PlainSerials::Ignored => sealed,
        PlainSerials::Read if of.ledger.as_os_str().is_empty() => {
            let problem = "plain_serials = \"read\" needs a ledger: without one anybody could make up a good certificate";
            return Err(ServerError::new(problem));
        }
        PlainSerials::Read => sealed.with_plain(),
    }))
}
