//! RSA keys.

use std::{fmt, future::ready};

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    rand::SystemRandom,
    rsa::{KeyPair, KeySize, OaepPrivateDecryptingKey, Pkcs1PrivateDecryptingKey, PrivateDecryptingKey},
    signature::{
        RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384, RSA_PSS_SHA512,
        RsaSignatureEncoding,
    },
};
use pki_core::{
    BoxFuture, ContentKey, DecryptionKey, KeyError, KeyTransport, PublicKey, RandomFailed,
    SignatureAlgorithm, SigningKey, WrappedKey,
};
use zeroize::Zeroizing;

use crate::{InvalidKey, aws_lc::oaep, encoding};

/// An RSA private key of 2048 to 8192 bits. Signs by PKCS #1 v1.5 with SHA-256, or as
/// [`RsaKey::with_signature_algorithm`] says; unwraps keys by PKCS #1 v1.5 and OAEP.
///
/// One key can do both, as a SCEP RA's does. A CA's key should only ever sign: what decrypts by PKCS #1 v1.5 may leak
/// to whoever can ask often enough, and then signs for him too.
pub struct RsaKey {
    pair: KeyPair,
    private: PrivateDecryptingKey,
    pkcs1: Pkcs1PrivateDecryptingKey,
    oaep: OaepPrivateDecryptingKey,
    public_key: PublicKey,
    algorithm: SignatureAlgorithm,
    encoding: &'static RsaSignatureEncoding,
}

impl RsaKey {
    /// A fresh key of 2048 bits; takes around 100 ms.
    pub fn generate_2048() -> Result<Self, RandomFailed> {
        Self::generate(KeySize::Rsa2048)
    }

    /// A fresh key of 3072 bits; takes a few hundred milliseconds.
    pub fn generate_3072() -> Result<Self, RandomFailed> {
        Self::generate(KeySize::Rsa3072)
    }

    /// A fresh key of 4096 bits; takes about a second.
    pub fn generate_4096() -> Result<Self, RandomFailed> {
        Self::generate(KeySize::Rsa4096)
    }

    /// From the DER of a PrivateKeyInfo (PKCS #8).
    pub fn from_pkcs8_der(der: &[u8]) -> Result<Self, InvalidKey> {
        Self::from_der(der).ok_or(InvalidKey::Unsound("an RSA key of 2048 to 8192 bits"))
    }

    /// The same key, whose signatures are of `algorithm` from now on: PKCS #1 v1.5 or PSS, with SHA-256, SHA-384 or
    /// SHA-512. A file does not say which.
    pub fn with_signature_algorithm(self, algorithm: SignatureAlgorithm) -> Result<Self, InvalidKey> {
        let encoding = signature_encoding(algorithm)
            .ok_or(InvalidKey::Unsound("an RSA signature algorithm other than SHA-1's"))?;
        Ok(Self { algorithm, encoding, ..self })
    }

    /// The DER of its PrivateKeyInfo (PKCS #8).
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&self.private).map_err(|_| KeyError::Refused)?;
        Ok(Zeroizing::new(der.as_ref().to_vec()))
    }

    /// PEM of its PrivateKeyInfo (PKCS #8).
    pub fn to_pkcs8_pem(&self) -> Result<Zeroizing<String>, KeyError> {
        encoding::to_pem(&self.to_pkcs8_der()?)
    }

    fn generate(size: KeySize) -> Result<Self, RandomFailed> {
        let private = PrivateDecryptingKey::generate(size).map_err(|_| RandomFailed)?;
        let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&private).map_err(|_| RandomFailed)?;
        Self::from_der(der.as_ref()).ok_or(RandomFailed)
    }

    fn from_der(der: &[u8]) -> Option<Self> {
        let pair = KeyPair::from_pkcs8(der).ok()?;
        let private = PrivateDecryptingKey::from_pkcs8(der).ok()?;
        let public = AsDer::<PublicKeyX509Der<'_>>::as_der(&private.public_key()).ok()?;
        Some(Self {
            pair,
            pkcs1: Pkcs1PrivateDecryptingKey::new(private.clone()).ok()?,
            oaep: OaepPrivateDecryptingKey::new(private.clone()).ok()?,
            private,
            public_key: PublicKey::from_der(public.as_ref()).ok()?,
            algorithm: SignatureAlgorithm::RsaPkcs1Sha256,
            encoding: &RSA_PKCS1_SHA256,
        })
    }

    fn sign_now(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        let signed = self.pair.sign(self.encoding, &SystemRandom::new(), message, &mut signature);
        signed.map(|()| signature).map_err(|_| KeyError::Refused)
    }

    fn unwrap_now(&self, wrapped: &WrappedKey) -> Option<ContentKey> {
        let mut out = Zeroizing::new(vec![0; self.private.key_size_bytes()]);
        let opened = match wrapped.transport() {
            KeyTransport::RsaPkcs1 => self.pkcs1.decrypt(wrapped.as_bytes(), &mut out),
            KeyTransport::RsaOaep(digest) => {
                self.oaep.decrypt(oaep(digest)?, wrapped.as_bytes(), &mut out, None)
            }
            _ => return None,
        };
        let length = opened.ok()?.len();
        out.truncate(length);
        Some(ContentKey::new(std::mem::take(&mut *out)))
    }
}

impl SigningKey for RsaKey {
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

impl DecryptionKey for RsaKey {
    fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    fn unwrap_key<'a>(&'a self, wrapped: &'a WrappedKey) -> BoxFuture<'a, Result<ContentKey, KeyError>> {
        Box::pin(ready(self.unwrap_now(wrapped).ok_or(KeyError::Refused)))
    }
}

fn signature_encoding(algorithm: SignatureAlgorithm) -> Option<&'static RsaSignatureEncoding> {
    Some(match algorithm {
        SignatureAlgorithm::RsaPkcs1Sha256 => &RSA_PKCS1_SHA256,
        SignatureAlgorithm::RsaPkcs1Sha384 => &RSA_PKCS1_SHA384,
        SignatureAlgorithm::RsaPkcs1Sha512 => &RSA_PKCS1_SHA512,
        SignatureAlgorithm::RsaPssSha256 => &RSA_PSS_SHA256,
        SignatureAlgorithm::RsaPssSha384 => &RSA_PSS_SHA384,
        SignatureAlgorithm::RsaPssSha512 => &RSA_PSS_SHA512,
        _ => return None,
    })
}

impl fmt::Debug for RsaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RsaKey({}, ..)", self.public_key.kind())
    }
}
