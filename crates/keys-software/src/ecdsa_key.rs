//! ECDSA keys.

use std::{fmt, future::ready};

use aws_lc_rs::{
    encoding::AsDer as _,
    rand::SystemRandom,
    signature::{self, EcdsaKeyPair, EcdsaSigningAlgorithm, KeyPair as _},
};
use pki_core::{BoxFuture, KeyError, KeyKind, PublicKey, RandomFailed, SignatureAlgorithm, SigningKey};
use zeroize::Zeroizing;

use crate::{InvalidKey, encoding};

const UNSOUND: InvalidKey = InvalidKey::Unsound("an EC key on P-256 or P-384");

/// A private key on P-256, which signs with SHA-256, or on P-384, which signs with SHA-384.
pub struct EcdsaKey {
    pair: EcdsaKeyPair,
    algorithm: SignatureAlgorithm,
    public_key: PublicKey,
}

impl EcdsaKey {
    /// A fresh key on P-256.
    pub fn generate_p256() -> Result<Self, RandomFailed> {
        Self::generate(&signature::ECDSA_P256_SHA256_ASN1_SIGNING)
    }

    /// A fresh key on P-384.
    pub fn generate_p384() -> Result<Self, RandomFailed> {
        Self::generate(&signature::ECDSA_P384_SHA384_ASN1_SIGNING)
    }

    /// From the DER of a PrivateKeyInfo (PKCS #8) or ECPrivateKey (SEC 1).
    pub fn from_der(der: &[u8]) -> Result<Self, InvalidKey> {
        let curves = [&signature::ECDSA_P256_SHA256_ASN1_SIGNING, &signature::ECDSA_P384_SHA384_ASN1_SIGNING];
        let pair = curves.into_iter().find_map(|curve| EcdsaKeyPair::from_private_key_der(curve, der).ok());
        Self::new(pair.ok_or(UNSOUND)?)
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

    pub(crate) fn pair(&self) -> &EcdsaKeyPair {
        &self.pair
    }

    fn generate(curve: &'static EcdsaSigningAlgorithm) -> Result<Self, RandomFailed> {
        let pair = EcdsaKeyPair::generate(curve).map_err(|_| RandomFailed)?;
        Self::new(pair).map_err(|_| RandomFailed)
    }

    fn new(pair: EcdsaKeyPair) -> Result<Self, InvalidKey> {
        let der = pair.public_key().as_der().map_err(|_| UNSOUND)?;
        let public_key = PublicKey::from_der(der.as_ref())?;
        let algorithm = match public_key.kind() {
            KeyKind::P256 => SignatureAlgorithm::EcdsaSha256,
            KeyKind::P384 => SignatureAlgorithm::EcdsaSha384,
            _ => return Err(UNSOUND),
        };
        Ok(Self { pair, algorithm, public_key })
    }

    fn sign_now(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let signature = self.pair.sign(&SystemRandom::new(), message).map_err(|_| KeyError::Refused)?;
        Ok(signature.as_ref().to_vec())
    }
}

impl SigningKey for EcdsaKey {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.algorithm
    }

    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, KeyError>> {
        Box::pin(ready(self.sign_now(message)))
    }
}

impl fmt::Debug for EcdsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EcdsaKey({}, ..)", self.public_key.kind())
    }
}
