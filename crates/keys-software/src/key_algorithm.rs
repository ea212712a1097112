//! Which kind of key to make.

use std::{fmt, str::FromStr};

/// A kind of key that can be made. Prints and parses as `p256`, `p384`, `rsa2048`, `rsa3072`, `rsa4096`,
/// `ed25519`, `mldsa65`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyAlgorithm {
    /// ECDSA on P-256.
    P256,
    /// ECDSA on P-384.
    P384,
    /// RSA, 2048 bits.
    Rsa2048,
    /// RSA, 3072 bits.
    Rsa3072,
    /// RSA, 4096 bits.
    Rsa4096,
    /// Ed25519.
    Ed25519,
    /// ML-DSA-65.
    MlDsa65,
}

impl KeyAlgorithm {
    /// Every kind.
    pub const ALL: [Self; 7] =
        [Self::P256, Self::P384, Self::Rsa2048, Self::Rsa3072, Self::Rsa4096, Self::Ed25519, Self::MlDsa65];

    /// Its name, such as `p256`.
    pub fn name(self) -> &'static str {
        match self {
            Self::P256 => "p256",
            Self::P384 => "p384",
            Self::Rsa2048 => "rsa2048",
            Self::Rsa3072 => "rsa3072",
            Self::Rsa4096 => "rsa4096",
            Self::Ed25519 => "ed25519",
            Self::MlDsa65 => "mldsa65",
        }
    }
}

impl fmt::Display for KeyAlgorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for KeyAlgorithm {
    type Err = UnknownKeyAlgorithm;

    /// Reads a name in either case, with or without a dash: `P-256`, `rsa-2048`, `ML-DSA-65`.
    fn from_str(text: &str) -> Result<Self, UnknownKeyAlgorithm> {
        let name: String = text.chars().filter(|&c| c != '-').collect();
        let found = Self::ALL.into_iter().find(|kind| kind.name().eq_ignore_ascii_case(&name));
        found.ok_or_else(|| UnknownKeyAlgorithm { text: text.chars().take(40).collect() })
    }
}

/// Text that names no kind of key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected p256, p384, rsa2048, rsa3072, rsa4096, ed25519 or mldsa65: {text:?}")]
pub struct UnknownKeyAlgorithm {
    text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for kind in KeyAlgorithm::ALL {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        assert_eq!("P-256".parse(), Ok(KeyAlgorithm::P256));
        assert_eq!("RSA-2048".parse(), Ok(KeyAlgorithm::Rsa2048));
        assert_eq!("ML-DSA-65".parse(), Ok(KeyAlgorithm::MlDsa65));
        assert!("rsa1024".parse::<KeyAlgorithm>().is_err());
    }
}
