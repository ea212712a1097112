//! The seams behind which keys live.

use alloc::{string::String, vec::Vec};
use core::fmt;

use zeroize::Zeroizing;

use crate::{BoxFuture, KeyTransport, PublicKey, SignatureAlgorithm};

/// A key that signs, wherever it lives: memory, PKCS #11, a cloud vault.
pub trait SigningKey: fmt::Debug + Send + Sync {
    /// The algorithm of every signature it makes.
    fn algorithm(&self) -> SignatureAlgorithm;

    /// Its public half.
    fn public_key(&self) -> &PublicKey;

    /// Signs `message` (which it digests itself) and returns the signature as X.509 carries it: PKCS #1 octets, or
    /// the DER of Ecdsa-Sig-Value.
    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, KeyError>>;
}

/// A key that unwraps CMS content-encryption keys ([RFC 5652 §6.2.1](https://www.rfc-editor.org/rfc/rfc5652#section-6.2.1)).
pub trait DecryptionKey: fmt::Debug + Send + Sync {
    /// Its public half.
    fn public_key(&self) -> &PublicKey;

    /// Unwraps. Whoever calls this hides a failure from the peer: it must look like any other undecryptable message.
    fn unwrap_key<'a>(&'a self, wrapped: &'a WrappedKey) -> BoxFuture<'a, Result<ContentKey, KeyError>>;
}

/// Checks signatures; needs no secret.
pub trait SignatureVerifier: fmt::Debug + Send + Sync {
    /// `Ok` when `signature` over `message` was made by the private half of `key`.
    fn verify(
        &self,
        key: &PublicKey,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), BadSignature>;
}

/// Wraps content-encryption keys for a recipient; has its own randomness.
pub trait KeyEncryptor: fmt::Debug + Send + Sync {
    /// Wraps `key` so that only the private half of `recipient` opens it.
    fn wrap_key(
        &self,
        recipient: &PublicKey,
        transport: KeyTransport,
        key: &ContentKey,
    ) -> Result<Vec<u8>, KeyError>;
}

/// A content-encryption key wrapped for a recipient: `encryptedKey` and its algorithm.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrappedKey {
    transport: KeyTransport,
    octets: Vec<u8>,
}

impl WrappedKey {
    /// From the fields of a KeyTransRecipientInfo.
    pub fn new(transport: KeyTransport, octets: Vec<u8>) -> Self {
        Self { transport, octets }
    }

    /// How it was wrapped.
    pub fn transport(&self) -> KeyTransport {
        self.transport
    }

    /// The wrapped octets.
    pub fn as_bytes(&self) -> &[u8] {
        &self.octets
    }
}

/// A content-encryption key in the clear; wiped when dropped, never printed.
#[derive(Clone)]
pub struct ContentKey(Zeroizing<Vec<u8>>);

impl ContentKey {
    /// Takes the octets of a key.
    pub fn new(octets: Vec<u8>) -> Self {
        Self(Zeroizing::new(octets))
    }

    /// The secret octets.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for ContentKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ContentKey(..)")
    }
}

/// A key operation failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The key's home cannot be reached now; the same call may succeed later.
    #[error("the key is not available now: {0}")]
    Unavailable(String),
    /// The key will never do this: wrong algorithm, wrong padding, wrong size.
    #[error("the key refused the operation")]
    Refused,
}

/// The signature does not hold, or the key cannot make one of that algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature does not verify")]
pub struct BadSignature;
