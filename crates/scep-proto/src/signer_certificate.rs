//! Self-signed certificates of clients that have none.

use alloc::vec::Vec;

use pki_core::{
    Certificate, DecodeError, Name, PublicKey, RandomFailed, SecureRandom, SignatureAlgorithm, Validity,
};

/// A self-signed certificate that lacks only its signature.
#[derive(Debug)]
#[must_use]
pub struct UnsignedSignerCertificate {
    tbs: Vec<u8>,
}

impl UnsignedSignerCertificate {
    /// For `subject` and `key`.
    pub fn new(
        _subject: &Name,
        _key: &PublicKey,
        _algorithm: SignatureAlgorithm,
        _validity: Validity,
        _random: &dyn SecureRandom,
    ) -> Result<Self, RandomFailed> {
        todo!()
    }

    /// Bytes to sign.
    pub fn tbs(&self) -> &[u8] {
        &self.tbs
    }

    /// Attaches the signature.
    pub fn finish(self, _signature: &[u8]) -> Result<Certificate, DecodeError> {
        todo!()
    }
}
