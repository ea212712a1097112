//! Which CA is meant.

use core::fmt;

use sha2::{Digest, Sha256};

use crate::Certificate;

/// Names one CA by name and key: SHA-256 over the DER of its subject name and of its SubjectPublicKeyInfo.
///
/// Two CAs of the same name, or two names of the same key, differ.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct IssuerId([u8; 32]);

impl IssuerId {
    /// The id of the CA that holds `certificate`.
    pub fn of(certificate: &Certificate) -> Self {
        let mut hash = Sha256::new();
        hash.update(certificate.subject().as_der());
        hash.update(certificate.public_key().as_der());
        Self(hash.finalize().into())
    }

    /// An id read back from where [`IssuerId::as_bytes`] was stored.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The 32 octets.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for IssuerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IssuerId(")?;
        self.0.iter().take(6).try_for_each(|octet| write!(f, "{octet:02x}"))?;
        f.write_str("..)")
    }
}
