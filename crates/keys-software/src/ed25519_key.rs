//! Ed25519 keys.

use std::{fmt, future::ready};

use aws_lc_rs::{
    encoding::AsDer as _,
    signature::{Ed25519KeyPair, KeyPair as _},
};
use pki_core::{BoxFuture, KeyError, PublicKey, RandomFailed, SignatureAlgorithm, SigningKey};
use zeroize::Zeroizing;

use crate::{InvalidKey, encoding};

const UNSOUND: InvalidKey = InvalidKey::Unsound("an Ed25519 key");

/// A private key for Ed25519 ([RFC 8410](https://www.rfc-editor.org/rfc/rfc8410)).
pub struct Ed25519Key {
    pair: Ed25519KeyPair,
    public_key: PublicKey,
}

impl Ed25519Key {
    /// A fresh key.
    pub fn generate() -> Result<Self, RandomFailed> {
        let pair = Ed25519KeyPair::generate().map_err(|_| RandomFailed)?;
        Self::new(pair).map_err(|_| RandomFailed)
    }

    /// From the DER of a PrivateKeyInfo (PKCS #8), with or without the public key in it.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, InvalidKey> {
        Self::new(Ed25519KeyPair::from_pkcs8(der).map_err(|_| UNSOUND)?)
    }

    /// The DER of its PrivateKeyInfo (PKCS #8).
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let document = self.pair.to_pkcs8v1().map_err(|_| KeyError::Refused)?;
        Ok(Zeroizing::new(document.as_ref().to_vec()))
    }

    /// PEM of its PrivateKeyInfo (PKCS #8).
    pub fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        encoding::to_pem(&self.to_pkcs8_der()?)
    }

    fn new(pair: Ed25519KeyPair) -> Result<Self, InvalidKey> {
        let der = pair.public_key().as_der().map_err(|_| UNSOUND)?;
        Ok(Self { public_key: PublicKey::from_der(der.as_ref())?, pair })
    }

    fn sign_now(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let signature = self.pair.try_sign(message).map_err(|_| KeyError::Refused)?;
        Ok(signature.as_ref().to_vec())
    }
}

impl SigningKey for Ed25519Key {
    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::Ed25519
    }

    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, KeyError>> {
        Box::pin(ready(self.sign_now(message)))
    }
}

impl fmt::Debug for Ed25519Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Ed25519Key({}, ..)", self.public_key.kind())
    }
}
