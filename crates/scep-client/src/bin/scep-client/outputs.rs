//! Where results go, and in which order, so that no key is lost and none overwritten by accident.

use std::path::PathBuf;

use pki_core::Certificate;

use crate::{
    arguments::{KeyType, Output},
    failure::Failure,
    files,
    keys::Key,
};

/// The files of one command.
#[derive(Debug)]
pub(crate) struct Outputs {
    key: Option<KeyFile>,
    cert: PathBuf,
    ca: PathBuf,
}

#[derive(Debug)]
struct KeyFile {
    path: PathBuf,
    /// Where the key lies until its certificate is here. It is written before anything is asked for, so that a
    /// certificate whose reply is lost still has its key.
    waiting: PathBuf,
}

impl Outputs {
    /// The key comes from elsewhere.
    pub(crate) fn without_key(output: &Output) -> Self {
        Self { key: None, cert: output.cert_out.clone(), ca: output.ca_out.clone() }
    }

    /// A new key is written as well. Fails when that would overwrite one.
    pub(crate) fn with_key(output: &Output) -> Result<Self, Failure> {
        let path = output.key_out.clone();
        if path.exists() && !output.force {
            return Err(Failure::local(format_args!(
                "{} exists already: write elsewhere with --key-out, replace it with --force, or enroll with it by --key",
                path.display()
            )));
        }
        let waiting = files::beside(&path, ".new");
        Ok(Self { key: Some(KeyFile { path, waiting }), ..Self::without_key(output) })
    }

    /// The key of an earlier attempt that got no certificate, or else a new one.
    ///
    /// With the same key the request is the same as well, and so a CA that granted it already answers with the
    /// certificate that got lost.
    pub(crate) fn new_key(&self, kind: KeyType) -> Result<Key, Failure> {
        let Some(KeyFile { waiting, .. }) = &self.key else {
            return Err(Failure::local("no place for a new key"));
        };
        if !waiting.exists() {
            return Key::create(waiting, kind);
        }
        let key = Key::read(waiting)?;
        if key.is(kind) {
            eprintln!("using the key of an earlier attempt, {}", waiting.display());
            return Ok(key);
        }
        Err(Failure::local(format_args!(
            "{} is left from an earlier attempt with another --key-type: remove it",
            waiting.display()
        )))
    }

    /// Writes what came of it.
    pub(crate) fn write(&self, certificate: &Certificate, ca: &Certificate) -> Result<(), Failure> {
        files::replace(&self.ca, ca.to_pem().as_bytes())?;
        // All that can well fail comes before the first rename, so that key and certificate change together.
        let staged = files::stage(&self.cert, certificate.to_pem().as_bytes())?;
        if let Some(KeyFile { path, waiting }) = &self.key {
            files::rename(waiting, path)?;
            println!("key          {}", path.display());
        }
        files::rename(&staged, &self.cert)?;
        println!(
            "certificate  {}  {}, serial {}, until {}",
            self.cert.display(),
            certificate.subject(),
            certificate.serial_number().map(|serial| serial.to_string()).unwrap_or_default(),
            certificate.validity().not_after()
        );
        println!("CA           {}  {}", self.ca.display(), ca.subject());
        Ok(())
    }
}
