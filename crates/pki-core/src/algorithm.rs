//! Signature and key transport algorithms by name.

use alloc::vec::Vec;

use crate::{DecodeError, DigestAlgorithm, Oid, tlv};

/// The signature algorithms that certificates, requests and messages name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum SignatureAlgorithm {
    /// sha1WithRSAEncryption; verified where policy allows it, never made.
    RsaPkcs1Sha1,
    /// sha256WithRSAEncryption.
    RsaPkcs1Sha256,
    /// sha384WithRSAEncryption.
    RsaPkcs1Sha384,
    /// sha512WithRSAEncryption.
    RsaPkcs1Sha512,
    /// ecdsa-with-SHA256; on the curve of the key.
    EcdsaSha256,
    /// ecdsa-with-SHA384; on the curve of the key.
    EcdsaSha384,
    /// ecdsa-with-SHA512; on the curve of the key.
    EcdsaSha512,
}

const RSA_ENCRYPTION: Oid = Oid::new_unwrap("1.2.840.113549.1.1.1");
const RSA_OAEP: Oid = Oid::new_unwrap("1.2.840.113549.1.1.7");
const MGF1: Oid = Oid::new_unwrap("1.2.840.113549.1.1.8");

impl SignatureAlgorithm {
    const TABLE: [(Self, Oid); 7] = [
        (Self::RsaPkcs1Sha1, Oid::new_unwrap("1.2.840.113549.1.1.5")),
        (Self::RsaPkcs1Sha256, Oid::new_unwrap("1.2.840.113549.1.1.11")),
        (Self::RsaPkcs1Sha384, Oid::new_unwrap("1.2.840.113549.1.1.12")),
        (Self::RsaPkcs1Sha512, Oid::new_unwrap("1.2.840.113549.1.1.13")),
        (Self::EcdsaSha256, Oid::new_unwrap("1.2.840.10045.4.3.2")),
        (Self::EcdsaSha384, Oid::new_unwrap("1.2.840.10045.4.3.3")),
        (Self::EcdsaSha512, Oid::new_unwrap("1.2.840.10045.4.3.4")),
    ];

    /// The algorithm that `oid` names by itself.
    pub fn from_oid(oid: Oid) -> Result<Self, UnknownAlgorithm> {
        let found = Self::TABLE.into_iter().find(|(_, known)| *known == oid);
        found.map(|(algorithm, _)| algorithm).ok_or(UnknownAlgorithm(oid))
    }

    /// The algorithm of a CMS SignerInfo, where `rsaEncryption` stands for PKCS #1 with the signer's `digest`
    /// (RFC 5652 §5.3, RFC 3370 §3.2).
    pub fn of_signer(oid: Oid, digest: DigestAlgorithm) -> Result<Self, UnknownAlgorithm> {
        if oid != RSA_ENCRYPTION {
            return Self::from_oid(oid);
        }
        match digest {
            DigestAlgorithm::Md5 => Err(UnknownAlgorithm(DigestAlgorithm::Md5.oid())),
            DigestAlgorithm::Sha1 => Ok(Self::RsaPkcs1Sha1),
            DigestAlgorithm::Sha256 => Ok(Self::RsaPkcs1Sha256),
            DigestAlgorithm::Sha384 => Ok(Self::RsaPkcs1Sha384),
            DigestAlgorithm::Sha512 => Ok(Self::RsaPkcs1Sha512),
        }
    }

    /// From the DER of an AlgorithmIdentifier. The parameters, which none of these algorithms has, may be NULL or
    /// absent.
    pub fn from_der(der: &[u8]) -> Result<Self, AlgorithmError> {
        let mut fields = tlv::Cursor::into(der, tlv::SEQUENCE, "an AlgorithmIdentifier")?;
        let oid = fields.oid()?;
        if !fields.is_empty() && fields.next()?.bytes != [5, 0] {
            return Err(UnknownAlgorithm(oid).into());
        }
        fields.finish()?;
        Ok(Self::from_oid(oid)?)
    }

    /// The object identifier.
    pub fn oid(self) -> Oid {
        let found = Self::TABLE.into_iter().find(|(algorithm, _)| *algorithm == self);
        found.map_or(RSA_ENCRYPTION, |(_, oid)| oid)
    }

    /// The DER of the AlgorithmIdentifier: NULL parameters for RSA (RFC 4055 §5), none for ECDSA (RFC 5758 §3.2).
    pub fn to_der(self) -> Vec<u8> {
        let oid = tlv::oid(self.oid());
        let parameters: &[u8] = if self.is_rsa() { &[5, 0] } else { &[] };
        tlv::sequence([&oid, parameters])
    }

    /// The digest within.
    pub fn digest(self) -> DigestAlgorithm {
        match self {
            Self::RsaPkcs1Sha1 => DigestAlgorithm::Sha1,
            Self::RsaPkcs1Sha256 | Self::EcdsaSha256 => DigestAlgorithm::Sha256,
            Self::RsaPkcs1Sha384 | Self::EcdsaSha384 => DigestAlgorithm::Sha384,
            Self::RsaPkcs1Sha512 | Self::EcdsaSha512 => DigestAlgorithm::Sha512,
        }
    }

    fn is_rsa(self) -> bool {
        matches!(
            self,
            Self::RsaPkcs1Sha1 | Self::RsaPkcs1Sha256 | Self::RsaPkcs1Sha384 | Self::RsaPkcs1Sha512
        )
    }
}

/// How a content-encryption key is wrapped for an RSA key (RFC 3370 §4.2.1, RFC 3560).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyTransport {
    /// RSAES-PKCS1-v1_5.
    RsaPkcs1,
    /// RSAES-OAEP, MGF1, one digest for both, empty label.
    RsaOaep(DigestAlgorithm),
}

impl KeyTransport {
    /// From the DER of a keyEncryptionAlgorithm. OAEP is taken with SHA-1 or SHA-256 for both digests.
    pub fn from_der(der: &[u8]) -> Result<Self, AlgorithmError> {
        let mut fields = tlv::Cursor::into(der, tlv::SEQUENCE, "an AlgorithmIdentifier")?;
        let oid = fields.oid()?;
        let parameters = if fields.is_empty() { None } else { Some(fields.next()?) };
        fields.finish()?;
        match oid {
            RSA_ENCRYPTION => Ok(Self::RsaPkcs1),
            RSA_OAEP => oaep_digest(parameters.map(|element| element.bytes)).map(Self::RsaOaep),
            other => Err(UnknownAlgorithm(other).into()),
        }
    }

    /// The DER of the keyEncryptionAlgorithm.
    pub fn to_der(self) -> Vec<u8> {
        match self {
            Self::RsaPkcs1 => tlv::sequence([&*tlv::oid(RSA_ENCRYPTION), &[5, 0]]),
            Self::RsaOaep(digest) => {
                // Digests carry NULL here as RFC 4055 §2.1 has them; SHA-1 is the default and is left out.
                let hash = tlv::sequence([&*tlv::oid(digest.oid()), &[5, 0]]);
                let mgf = tlv::sequence([&*tlv::oid(MGF1), &hash]);
                let fields = if digest == DigestAlgorithm::Sha1 {
                    Vec::new()
                } else {
                    [tlv::wrap(0xA0, &hash), tlv::wrap(0xA1, &mgf)].concat()
                };
                tlv::sequence([&*tlv::oid(RSA_OAEP), &tlv::wrap(tlv::SEQUENCE, &fields)])
            }
        }
    }
}

/// ```text
/// RSAES-OAEP-params ::= SEQUENCE {
///     hashFunc     [0] AlgorithmIdentifier DEFAULT sha1Identifier,
///     maskGenFunc  [1] AlgorithmIdentifier DEFAULT mgf1SHA1Identifier,
///     pSourceFunc  [2] AlgorithmIdentifier DEFAULT pSpecifiedEmptyIdentifier }
/// ```
fn oaep_digest(parameters: Option<&[u8]>) -> Result<DigestAlgorithm, AlgorithmError> {
    const WHAT: &str = "RSAES-OAEP-params";
    let Some(parameters) = parameters else { return Ok(DigestAlgorithm::Sha1) };
    let mut fields = tlv::Cursor::into(parameters, tlv::SEQUENCE, WHAT)?;
    let mut hash = DigestAlgorithm::Sha1;
    let mut mgf_hash = DigestAlgorithm::Sha1;
    if let Some(explicit) = fields.optional(0xA0)? {
        let mut algorithm = tlv::Cursor::into(explicit.value, tlv::SEQUENCE, WHAT)?;
        hash = DigestAlgorithm::from_oid(algorithm.oid()?)?;
    }
    if let Some(explicit) = fields.optional(0xA1)? {
        let mut algorithm = tlv::Cursor::into(explicit.value, tlv::SEQUENCE, WHAT)?;
        let generator = algorithm.oid()?;
        if generator != MGF1 {
            return Err(UnknownAlgorithm(generator).into());
        }
        mgf_hash = DigestAlgorithm::from_oid(algorithm.enter(tlv::SEQUENCE)?.oid()?)?;
    }
    if let Some(explicit) = fields.optional(0xA2)? {
        let mut algorithm = tlv::Cursor::into(explicit.value, tlv::SEQUENCE, WHAT)?;
        let source = algorithm.oid()?;
        if !algorithm.is_empty() && !algorithm.next()?.value.is_empty() {
            return Err(UnknownAlgorithm(source).into());
        }
    }
    fields.finish()?;
    if hash != mgf_hash || !matches!(hash, DigestAlgorithm::Sha1 | DigestAlgorithm::Sha256) {
        return Err(UnknownAlgorithm(mgf_hash.oid()).into());
    }
    Ok(hash)
}

/// An algorithm that this library does not have, by its object identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unsupported algorithm {0}")]
#[expect(clippy::exhaustive_structs, reason = "the identifier says it all")]
pub struct UnknownAlgorithm(pub Oid);

/// An AlgorithmIdentifier that is malformed, or names what this library does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AlgorithmError {
    /// Not an AlgorithmIdentifier.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// One, but of something else.
    #[error(transparent)]
    Unknown(#[from] UnknownAlgorithm),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_transport_reads_back() {
        for transport in [
            KeyTransport::RsaPkcs1,
            KeyTransport::RsaOaep(DigestAlgorithm::Sha1),
            KeyTransport::RsaOaep(DigestAlgorithm::Sha256),
        ] {
            assert_eq!(KeyTransport::from_der(&transport.to_der()), Ok(transport));
        }
    }

    #[test]
    fn oaep_with_two_digests_is_refused() {
        let sha256 = tlv::sequence([&*tlv::oid(DigestAlgorithm::Sha256.oid())]);
        let parameters = tlv::wrap(tlv::SEQUENCE, &tlv::wrap(0xA0, &sha256));
        let der = tlv::sequence([&*tlv::oid(RSA_OAEP), &parameters]);
        assert!(matches!(KeyTransport::from_der(&der), Err(AlgorithmError::Unknown(_))));
    }

    #[test]
    fn signature_algorithms_read_back() {
        for (algorithm, _) in SignatureAlgorithm::TABLE {
            assert_eq!(SignatureAlgorithm::from_der(&algorithm.to_der()), Ok(algorithm));
        }
    }
}
