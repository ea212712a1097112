//! The signature algorithms that a CA may sign with.

use pki_core::{KeyKind, PublicKey, SignatureAlgorithm};

/// A signature algorithm that certificates are signed with. There is no SHA-1 among them, and no way to add it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum IssuingAlgorithm {
    /// sha256WithRSAEncryption.
    RsaPkcs1Sha256,
    /// sha384WithRSAEncryption.
    RsaPkcs1Sha384,
    /// sha512WithRSAEncryption.
    RsaPkcs1Sha512,
    /// ecdsa-with-SHA256.
    EcdsaSha256,
    /// ecdsa-with-SHA384.
    EcdsaSha384,
    /// ecdsa-with-SHA512.
    EcdsaSha512,
    /// id-RSASSA-PSS with SHA-256.
    RsaPssSha256,
    /// id-RSASSA-PSS with SHA-384.
    RsaPssSha384,
    /// id-RSASSA-PSS with SHA-512.
    RsaPssSha512,
    /// id-Ed25519.
    Ed25519,
    /// id-ml-dsa-65.
    MlDsa65,
}

impl IssuingAlgorithm {
    /// Whether `key` can make such signatures.
    pub fn fits(self, key: &PublicKey) -> bool {
        let is_short = matches!(key.kind(), KeyKind::Rsa { bits: ..2048 });
        !is_short && SignatureAlgorithm::from(self).fits(key.kind())
    }
}

impl TryFrom<SignatureAlgorithm> for IssuingAlgorithm {
    type Error = NotForIssuing;

    fn try_from(algorithm: SignatureAlgorithm) -> Result<Self, NotForIssuing> {
        match algorithm {
            SignatureAlgorithm::RsaPkcs1Sha256 => Ok(Self::RsaPkcs1Sha256),
            SignatureAlgorithm::RsaPkcs1Sha384 => Ok(Self::RsaPkcs1Sha384),
            SignatureAlgorithm::RsaPkcs1Sha512 => Ok(Self::RsaPkcs1Sha512),
            SignatureAlgorithm::EcdsaSha256 => Ok(Self::EcdsaSha256),
            SignatureAlgorithm::EcdsaSha384 => Ok(Self::EcdsaSha384),
            SignatureAlgorithm::EcdsaSha512 => Ok(Self::EcdsaSha512),
            SignatureAlgorithm::RsaPssSha256 => Ok(Self::RsaPssSha256),
            SignatureAlgorithm::RsaPssSha384 => Ok(Self::RsaPssSha384),
            SignatureAlgorithm::RsaPssSha512 => Ok(Self::RsaPssSha512),
            SignatureAlgorithm::Ed25519 => Ok(Self::Ed25519),
            SignatureAlgorithm::MlDsa65 => Ok(Self::MlDsa65),
            other => Err(NotForIssuing(other)),
        }
    }
}

impl From<IssuingAlgorithm> for SignatureAlgorithm {
    fn from(algorithm: IssuingAlgorithm) -> Self {
        match algorithm {
            IssuingAlgorithm::RsaPkcs1Sha256 => Self::RsaPkcs1Sha256,
            IssuingAlgorithm::RsaPkcs1Sha384 => Self::RsaPkcs1Sha384,
            IssuingAlgorithm::RsaPkcs1Sha512 => Self::RsaPkcs1Sha512,
            IssuingAlgorithm::EcdsaSha256 => Self::EcdsaSha256,
            IssuingAlgorithm::EcdsaSha384 => Self::EcdsaSha384,
            IssuingAlgorithm::EcdsaSha512 => Self::EcdsaSha512,
            IssuingAlgorithm::RsaPssSha256 => Self::RsaPssSha256,
            IssuingAlgorithm::RsaPssSha384 => Self::RsaPssSha384,
            IssuingAlgorithm::RsaPssSha512 => Self::RsaPssSha512,
            IssuingAlgorithm::Ed25519 => Self::Ed25519,
            IssuingAlgorithm::MlDsa65 => Self::MlDsa65,
        }
    }
}

/// Certificates are not signed with this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a CA signs with SHA-256, SHA-384 or SHA-512: its key signs with {}", .0.oid())]
#[expect(clippy::exhaustive_structs, reason = "the algorithm says it all")]
pub struct NotForIssuing(pub SignatureAlgorithm);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_30_sha1_is_no_issuing_algorithm() {
        let refused = IssuingAlgorithm::try_from(SignatureAlgorithm::RsaPkcs1Sha1);
        assert_eq!(refused, Err(NotForIssuing(SignatureAlgorithm::RsaPkcs1Sha1)));
    }

    #[test]
    fn converts_both_ways() {
        for algorithm in [
            SignatureAlgorithm::RsaPkcs1Sha256,
            SignatureAlgorithm::RsaPkcs1Sha384,
            SignatureAlgorithm::RsaPkcs1Sha512,
            SignatureAlgorithm::EcdsaSha256,
            SignatureAlgorithm::EcdsaSha384,
            SignatureAlgorithm::EcdsaSha512,
            SignatureAlgorithm::RsaPssSha256,
            SignatureAlgorithm::RsaPssSha384,
            SignatureAlgorithm::RsaPssSha512,
            SignatureAlgorithm::Ed25519,
            SignatureAlgorithm::MlDsa65,
        ] {
            assert_eq!(IssuingAlgorithm::try_from(algorithm).map(SignatureAlgorithm::from), Ok(algorithm));
        }
    }

    #[test]
    fn fits_the_key_or_not() {
        let (rsa, ec) = (testkit::rsa_ca(), testkit::ca());
        let (rsa, ec) = (rsa.certificate.public_key(), ec.certificate.public_key());
        assert!(IssuingAlgorithm::RsaPkcs1Sha512.fits(rsa) && !IssuingAlgorithm::RsaPkcs1Sha512.fits(ec));
        assert!(IssuingAlgorithm::EcdsaSha256.fits(ec) && !IssuingAlgorithm::EcdsaSha256.fits(rsa));
    }
}
