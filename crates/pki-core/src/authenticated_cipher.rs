//! The seam behind which secrets are sealed under a key that sealer and opener share.

use alloc::vec::Vec;
use core::fmt;

use crate::KeyError;

/// AES-256-GCM ([NIST SP 800-38D](https://csrc.nist.gov/pubs/sp/800/38/d/final)) with a nonce of 96 bits and a tag of 128.
pub trait AuthenticatedCipher: fmt::Debug + Send + Sync {
    /// The ciphertext, as long as `plain`, and the tag after it. No two calls with one key may have the same nonce.
    fn seal(
        &self,
        key: &[u8; 32],
        nonce: &[u8; 12],
        associated: &[u8],
        plain: &[u8],
    ) -> Result<Vec<u8>, KeyError>;

    /// What was sealed with the same key, nonce and associated octets; in time that does not depend on what of the tag is
    /// right.
    fn open(
        &self,
        key: &[u8; 32],
        nonce: &[u8; 12],
        associated: &[u8],
        sealed: &[u8],
    ) -> Result<Vec<u8>, NotAuthentic>;
}

/// Sealed with another key or nonce, for other associated octets, or changed since.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("what was sealed cannot be opened: it is not authentic")]
pub struct NotAuthentic;
