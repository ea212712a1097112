//! Where results go, and in which order, so that no key is lost and none overwritten by accident.

use std::path::{Path, PathBuf};

use pki_core::Certificate;
use serde::{Deserialize, Serialize};

use crate::{arguments::KeyType, failure::Failure, files, keys::Key, terminal::Terminal};

/// The files of one enrollment.
///
/// A new key lies beside its place, as `KEY.new`, before anything is asked for, so that a certificate whose reply is
/// lost still has its key. The certificate lies beside its place, as `CERT.new`, before the key is moved; so whenever
/// the process dies, the next run finds either a transaction to go on with or a certificate to put in place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Outputs {
    /// Where the new key goes; `None` when there is none.
    key: Option<PathBuf>,
    cert: PathBuf,
    ca: Option<PathBuf>,
}

impl Outputs {
    /// For these files.
    pub(crate) fn new(key: Option<&Path>, cert: &Path, ca: Option<&Path>) -> Result<Self, Failure> {
        let absolute = |path: Option<&Path>| path.map(files::absolute).transpose();
        Ok(Self { key: absolute(key)?, cert: files::absolute(cert)?, ca: absolute(ca)? })
    }

    /// Where a transaction is kept until it is done.
    pub(crate) fn state(&self) -> PathBuf {
        files::beside(&self.cert, ".pending")
    }

    /// Where the certificate goes.
    pub(crate) fn cert(&self) -> &Path {
        &self.cert
    }

    /// Where the new key goes.
    pub(crate) fn key(&self) -> Option<&Path> {
        self.key.as_deref()
    }

    /// Where the CA certificate goes.
    pub(crate) fn ca(&self) -> Option<&Path> {
        self.ca.as_deref()
    }

    /// Where the new key lies until its certificate is here.
    pub(crate) fn waiting_key(&self) -> Option<PathBuf> {
        self.key.as_deref().map(|key| files::beside(key, ".new"))
    }

    fn waiting_cert(&self) -> PathBuf {
        files::beside(&self.cert, ".new")
    }

    /// The key of an earlier attempt that got no certificate, or else a new one.
    pub(crate) fn new_key(&self, kind: KeyType, terminal: Terminal) -> Result<Key, Failure> {
        let Some(waiting) = self.waiting_key() else {
            return Err(Failure::local("no place for a new key"));
        };
        if !waiting.exists() {
            terminal.progress(format_args!("making a key, {}", waiting.display()));
            return Key::create(&waiting, kind);
        }
        let key = Key::read(&waiting)?;
        if key.is(kind) {
            terminal.notice(format_args!("using the key of an earlier attempt, {}", waiting.display()));
            return Ok(key);
        }
        Err(Failure::local(format_args!(
            "{} is left from an earlier attempt with another --key-type: remove it",
            waiting.display()
        )))
    }

    /// Writes what came of it.
    pub(crate) fn write(&self, certificate: &Certificate, ca: &Certificate) -> Result<(), Failure> {
        if let Some(path) = &self.ca {
            files::replace(path, ca.to_pem().as_bytes())?;
        }
        files::replace(&self.waiting_cert(), certificate.to_pem().as_bytes())?;
        self.put_in_place()
    }

    /// Ends what an earlier run began with [`Outputs::write`]: the certificate, if there is one to put in place.
    pub(crate) fn finish_earlier(&self) -> Result<Option<Certificate>, Failure> {
        let waiting = self.waiting_cert();
        if !waiting.exists() {
            return Ok(None);
        }
        let certificate = files::certificate(&waiting)?;
        let key = self.waiting_key().filter(|key| key.exists()).or_else(|| self.key.clone());
        if let Some(key) = key
            && Key::read(&key)?.public_key() != certificate.public_key()
        {
            return Err(Failure::local(format_args!(
                "{} is not for the key in {}: remove whichever is not yours",
                waiting.display(),
                key.display()
            )));
        }
        self.put_in_place()?;
        Ok(Some(certificate))
    }

    fn put_in_place(&self) -> Result<(), Failure> {
        if let (Some(waiting), Some(key)) = (self.waiting_key(), &self.key)
            && waiting.exists()
        {
            files::rename(&waiting, key)?;
        }
        files::rename(&self.waiting_cert(), &self.cert)
    }
}

/// Fails when there is a file at `path` already.
pub(crate) fn refuse_existing(path: &Path, advice: &str) -> Result<(), Failure> {
    if path.exists() {
        return Err(Failure::local(format_args!("{} exists already: {advice}", path.display())));
    }
    Ok(())
}
