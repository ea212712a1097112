//! Seams that always say yes.

use pki_core::{
    BadSignature, ContentKey, KeyEncryptor, KeyError, KeyTransport, PublicKey, RandomFailed, SecureRandom,
    SignatureAlgorithm, SignatureVerifier,
};

/// Takes every signature.
#[derive(Debug)]
pub struct Anything;

impl SignatureVerifier for Anything {
    fn verify(&self, _: &PublicKey, _: SignatureAlgorithm, _: &[u8], _: &[u8]) -> Result<(), BadSignature> {
        Ok(())
    }
}

/// Wraps keys as they are.
#[derive(Debug)]
pub struct Plainly;

impl KeyEncryptor for Plainly {
    fn wrap_key(&self, _: &PublicKey, _: KeyTransport, key: &ContentKey) -> Result<Vec<u8>, KeyError> {
        Ok(key.expose().to_vec())
    }
}

/// 0, 1, 2 ... in place of randomness, so that a crash happens again.
#[derive(Debug)]
pub struct Counting;

impl SecureRandom for Counting {
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomFailed> {
        for (octet, count) in out.iter_mut().zip((0..=u8::MAX).cycle()) {
            *octet = count;
        }
        Ok(())
    }
}
