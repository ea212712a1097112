//! The requester's keys.

use std::{path::Path, sync::Arc};

use keys_software::{KeyAlgorithm, RsaKey, SoftwareKey, create_key, load_key};
use pki_core::{KeyKind, SigningKey as _};
use scep_client::ClientKey;

use crate::{arguments::KeyType, failure::Failure};

/// An RSA key: SCEP encrypts replies, which no other kind can read.
#[derive(Debug)]
pub(crate) struct Key(Arc<RsaKey>);

impl Key {
    /// Reads a key file, which nobody but its owner may be able to read.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        Self::of(load_key(path).map_err(Failure::local)?)
    }

    /// Makes a key and writes it to `path`, where nothing is yet.
    pub(crate) fn create(path: &Path, kind: KeyType) -> Result<Self, Failure> {
        let algorithm = match kind {
            KeyType::Rsa2048 => KeyAlgorithm::Rsa2048,
            KeyType::Rsa3072 => KeyAlgorithm::Rsa3072,
            KeyType::Rsa4096 => KeyAlgorithm::Rsa4096,
        };
        let key = SoftwareKey::generate(algorithm).map_err(Failure::local)?;
        create_key(path, &key).map_err(Failure::local)?;
        Self::of(key)
    }

    /// Whether it is one that [`Key::create`] would make.
    pub(crate) fn is(&self, kind: KeyType) -> bool {
        let bits = match kind {
            KeyType::Rsa2048 => 2048,
            KeyType::Rsa3072 => 3072,
            KeyType::Rsa4096 => 4096,
        };
        self.0.public_key().kind() == KeyKind::Rsa { bits }
    }

    /// For signing requests and opening replies.
    pub(crate) fn for_client(&self) -> ClientKey {
        ClientKey::new(Arc::clone(&self.0))
    }

    fn of(key: SoftwareKey) -> Result<Self, Failure> {
        match key {
            SoftwareKey::Rsa(key) => Ok(Self(Arc::new(key))),
            other => Err(Failure::local(format_args!(
                "SCEP needs an RSA key, because the reply is encrypted to it: this one is {}",
                other.public_key().kind()
            ))),
        }
    }
}
