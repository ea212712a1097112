//! Message digests by name.

use alloc::vec::Vec;

use sha2::Digest as _;

use crate::{Oid, UnknownAlgorithm};

/// The digests that messages name. MD5 is recognised so that it can be refused by name; it is never computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DigestAlgorithm {
    /// Never accepted (RFC 8894 §2.9).
    Md5,
    /// Where policy allows it.
    Sha1,
    /// The default.
    Sha256,
    /// Goes with P-384.
    Sha384,
    /// The strongest here.
    Sha512,
}

impl DigestAlgorithm {
    const TABLE: [(Self, Oid); 5] = [
        (Self::Md5, Oid::new_unwrap("1.2.840.113549.2.5")),
        (Self::Sha1, Oid::new_unwrap("1.3.14.3.2.26")),
        (Self::Sha256, Oid::new_unwrap("2.16.840.1.101.3.4.2.1")),
        (Self::Sha384, Oid::new_unwrap("2.16.840.1.101.3.4.2.2")),
        (Self::Sha512, Oid::new_unwrap("2.16.840.1.101.3.4.2.3")),
    ];

    /// The digest that `oid` names.
    pub fn from_oid(oid: Oid) -> Result<Self, UnknownAlgorithm> {
        let found = Self::TABLE.into_iter().find(|(_, known)| *known == oid);
        found.map(|(digest, _)| digest).ok_or(UnknownAlgorithm(oid))
    }

    /// The object identifier.
    pub fn oid(self) -> Oid {
        let found = Self::TABLE.into_iter().find(|(digest, _)| *digest == self);
        found.map_or(Oid::new_unwrap("2.16.840.1.101.3.4.2.1"), |(_, oid)| oid)
    }

    /// The digest of `data`; `None` for MD5.
    pub fn digest(self, data: &[u8]) -> Option<Vec<u8>> {
        Some(match self {
            Self::Md5 => return None,
            Self::Sha1 => sha1::Sha1::digest(data).to_vec(),
            Self::Sha256 => sha2::Sha256::digest(data).to_vec(),
            Self::Sha384 => sha2::Sha384::digest(data).to_vec(),
            Self::Sha512 => sha2::Sha512::digest(data).to_vec(),
        })
    }
}
