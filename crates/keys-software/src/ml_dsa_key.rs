//! ML-DSA keys.

use std::{fmt, future::ready};

use aws_lc_rs::{
    encoding::AsDer as _,
    signature::{KeyPair as _, ML_DSA_65_SIGNING, PqdsaKeyPair},
};
use pki_core::{BoxFuture, KeyError, KeyKind, PublicKey, RandomFailed, SignatureAlgorithm, SigningKey};
use zeroize::Zeroizing;

use crate::{InvalidKey, encoding};

const UNSOUND: InvalidKey = InvalidKey::Unsound("an ML-DSA-65 key");

/// A private key for ML-DSA-65 ([RFC 9881](https://www.rfc-editor.org/rfc/rfc9881)), which no quantum computer is known
/// to break. Its signatures have 3309 octets, its public key has 1952.
pub struct MlDsaKey {
    pair: PqdsaKeyPair,
    public_key: PublicKey,
}

impl MlDsaKey {
    /// A fresh key.
    pub fn generate() -> Result<Self, RandomFailed> {
        let pair = PqdsaKeyPair::generate(&ML_DSA_65_SIGNING).map_err(|_| RandomFailed)?;
        Self::new(pair).map_err(|_| RandomFailed)
    }

    /// From the DER of a PrivateKeyInfo (PKCS #8) that holds the seed, the expanded key or both.
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, InvalidKey> {
        Self::new(PqdsaKeyPair::from_pkcs8(&ML_DSA_65_SIGNING, der).map_err(|_| UNSOUND)?)
    }

    /// The DER of its PrivateKeyInfo (PKCS #8), which holds the seed; refused for a key that came without one.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let document = self.pair.to_pkcs8v1().map_err(|_| KeyError::Refused)?;
        Ok(Zeroizing::new(document.as_ref().to_vec()))
    }

    /// PEM of its PrivateKeyInfo (PKCS #8).
    pub fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        encoding::to_pem(&self.to_pkcs8_der()?)
    }

    fn new(pair: PqdsaKeyPair) -> Result<Self, InvalidKey> {
        let der = pair.public_key().as_der().map_err(|_| UNSOUND)?;
        let public_key = PublicKey::from_der(der.as_ref())?;
        if public_key.kind() == KeyKind::MlDsa65 { Ok(Self { pair, public_key }) } else { Err(UNSOUND) }
    }

    fn sign_now(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut signature = vec![0; self.pair.algorithm().signature_len()];
        let length = self.pair.sign(message, &mut signature).map_err(|_| KeyError::Refused)?;
        signature.truncate(length);
        Ok(signature)
    }
}

impl SigningKey for MlDsaKey {
    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::MlDsa65
    }

    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, KeyError>> {
        Box::pin(ready(self.sign_now(message)))
    }
}

impl fmt::Debug for MlDsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MlDsaKey({}, ..)", self.public_key.kind())
    }
}
