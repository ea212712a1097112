//! A private key of any kind there is here.

use pki_core::{BoxFuture, KeyError, PublicKey, RandomFailed, SignatureAlgorithm, SigningKey};
use zeroize::Zeroizing;

use crate::{
    EcdsaKey, Ed25519Key, InvalidKey, KeyAlgorithm, MlDsaKey, RsaKey,
    encoding::{self, Found},
};

/// A private key in memory.
#[derive(Debug)]
#[non_exhaustive]
pub enum SoftwareKey {
    /// ECDSA on P-256 or P-384.
    Ecdsa(EcdsaKey),
    /// RSA, which can also decrypt.
    Rsa(RsaKey),
    /// Ed25519.
    Ed25519(Ed25519Key),
    /// ML-DSA-65.
    MlDsa(MlDsaKey),
}

impl SoftwareKey {
    /// A fresh key.
    pub fn generate(algorithm: KeyAlgorithm) -> Result<Self, RandomFailed> {
        match algorithm {
            KeyAlgorithm::P256 => EcdsaKey::generate_p256().map(Self::Ecdsa),
            KeyAlgorithm::P384 => EcdsaKey::generate_p384().map(Self::Ecdsa),
            KeyAlgorithm::Rsa2048 => RsaKey::generate_2048().map(Self::Rsa),
            KeyAlgorithm::Rsa3072 => RsaKey::generate_3072().map(Self::Rsa),
            KeyAlgorithm::Rsa4096 => RsaKey::generate_4096().map(Self::Rsa),
            KeyAlgorithm::Ed25519 => Ed25519Key::generate().map(Self::Ed25519),
            KeyAlgorithm::MlDsa65 => MlDsaKey::generate().map(Self::MlDsa),
        }
    }

    /// From DER: a PrivateKeyInfo (PKCS #8), an RSAPrivateKey (PKCS #1) or an ECPrivateKey (SEC 1).
    pub fn from_der(der: &[u8]) -> Result<Self, InvalidKey> {
        match encoding::recognize(der)? {
            Found::Pkcs8Rsa => RsaKey::from_pkcs8_der(der).map(Self::Rsa),
            Found::Pkcs8Ed25519 => Ed25519Key::from_pkcs8_der(der).map(Self::Ed25519),
            Found::Pkcs8MlDsa65 => MlDsaKey::from_pkcs8_der(der).map(Self::MlDsa),
            Found::Pkcs8Ec | Found::Sec1 => EcdsaKey::from_der(der).map(Self::Ecdsa),
            Found::Pkcs1 => RsaKey::from_pkcs8_der(&encoding::pkcs8_of_pkcs1(der)).map(Self::Rsa),
        }
    }

    /// From the first private key in PEM text: `PRIVATE KEY`, `RSA PRIVATE KEY` or `EC PRIVATE KEY`.
    pub fn from_pem(pem: &str) -> Result<Self, InvalidKey> {
        Self::from_der(&encoding::from_pem(pem)?)
    }

    /// The DER of its PrivateKeyInfo (PKCS #8).
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        match self {
            Self::Ecdsa(key) => key.to_pkcs8_der(),
            Self::Rsa(key) => key.to_pkcs8_der(),
            Self::Ed25519(key) => key.to_pkcs8_der(),
            Self::MlDsa(key) => key.to_pkcs8_der(),
        }
    }

    /// PEM of its PrivateKeyInfo (PKCS #8).
    pub fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        encoding::to_pem(&self.to_pkcs8_der()?)
    }

    fn signer(&self) -> &dyn SigningKey {
        match self {
            Self::Ecdsa(key) => key,
            Self::Rsa(key) => key,
            Self::Ed25519(key) => key,
            Self::MlDsa(key) => key,
        }
    }
}

impl SigningKey for SoftwareKey {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.signer().algorithm()
    }

    fn public_key(&self) -> &PublicKey {
        self.signer().public_key()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, KeyError>> {
        self.signer().sign(message)
    }
}
