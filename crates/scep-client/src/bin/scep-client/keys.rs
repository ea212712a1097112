//! The requester's keys.

use std::{path::Path, sync::Arc};

use keys_software::{EcdsaKey, KeyAlgorithm, RsaKey, SoftwareKey, create_key, load_key};
use pki_core::{KeyKind, PublicKey, SigningKey};
use scep_client::ClientKey;

use crate::{arguments::KeyType, failure::Failure};

/// A key: RSA, which opens replies as well, or ECDSA, whose replies are encrypted under the challenge.
#[derive(Debug)]
pub(crate) enum Key {
    Rsa(Arc<RsaKey>),
    Ecdsa(Arc<EcdsaKey>),
}

impl Key {
    /// Reads a key file, which nobody but its owner may be able to read.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        Self::of(load_key(path).map_err(Failure::local)?)
    }

    /// Makes a key and writes it to `path`, where nothing is yet.
    pub(crate) fn create(path: &Path, kind: KeyType) -> Result<Self, Failure> {
        let key = SoftwareKey::generate(kind.into()).map_err(Failure::local)?;
        create_key(path, &key).map_err(Failure::local)?;
        Self::of(key)
    }

    /// Whether it is one that [`Key::create`] would make.
    pub(crate) fn is(&self, kind: KeyType) -> bool {
        self.public_key().kind()
            == match KeyAlgorithm::from(kind) {
                KeyAlgorithm::Rsa3072 => KeyKind::Rsa { bits: 3072 },
                KeyAlgorithm::Rsa4096 => KeyKind::Rsa { bits: 4096 },
                KeyAlgorithm::P256 => KeyKind::P256,
                KeyAlgorithm::P384 => KeyKind::P384,
                _ => KeyKind::Rsa { bits: 2048 },
            }
    }

    pub(crate) fn public_key(&self) -> &PublicKey {
        match self {
            Self::Rsa(key) => SigningKey::public_key(&**key),
            Self::Ecdsa(key) => key.public_key(),
        }
    }

    /// For signing requests and opening replies.
    pub(crate) fn for_client(&self) -> ClientKey {
        match self {
            Self::Rsa(key) => ClientKey::new(Arc::clone(key)),
            Self::Ecdsa(key) => ClientKey::signing_only(Arc::clone(key)),
        }
    }

    fn of(key: SoftwareKey) -> Result<Self, Failure> {
        match key {
            SoftwareKey::Rsa(key) => Ok(Self::Rsa(Arc::new(key))),
            SoftwareKey::Ecdsa(key) => Ok(Self::Ecdsa(Arc::new(key))),
            other => Err(Failure::local(format_args!(
                "expected a key of RSA or on P-256 or P-384: this one is {}",
                other.public_key().kind()
            ))),
        }
    }
}
