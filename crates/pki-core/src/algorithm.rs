//! Signature and key transport algorithms by name.

use alloc::vec::Vec;

use crate::{DecodeError, DigestAlgorithm, KeyKind, Oid, tlv};

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
    /// id-RSASSA-PSS with SHA-256 for both digests and 32 octets of salt.
    RsaPssSha256,
    /// id-RSASSA-PSS with SHA-384 for both digests and 48 octets of salt.
    RsaPssSha384,
    /// id-RSASSA-PSS with SHA-512 for both digests and 64 octets of salt.
    RsaPssSha512,
    /// id-Ed25519 ([RFC 8410](https://www.rfc-editor.org/rfc/rfc8410)).
    Ed25519,
    /// id-ml-dsa-65 ([RFC 9881](https://www.rfc-editor.org/rfc/rfc9881)), without context.
    MlDsa65,
}

const RSA_ENCRYPTION: Oid = Oid::new_unwrap("1.2.840.113549.1.1.1");
const RSA_OAEP: Oid = Oid::new_unwrap("1.2.840.113549.1.1.7");
const RSA_PSS: Oid = Oid::new_unwrap("1.2.840.113549.1.1.10");
pub(crate) const ED25519: Oid = Oid::new_unwrap("1.3.101.112");
pub(crate) const ML_DSA_65: Oid = Oid::new_unwrap("2.16.840.1.101.3.4.3.18");
const MGF1: Oid = Oid::new_unwrap("1.2.840.113549.1.1.8");

impl SignatureAlgorithm {
    /// Those that have an identifier of their own.
    const TABLE: [(Self, Oid); 9] = [
        (Self::RsaPkcs1Sha1, Oid::new_unwrap("1.2.840.113549.1.1.5")),
        (Self::RsaPkcs1Sha256, Oid::new_unwrap("1.2.840.113549.1.1.11")),
        (Self::RsaPkcs1Sha384, Oid::new_unwrap("1.2.840.113549.1.1.12")),
        (Self::RsaPkcs1Sha512, Oid::new_unwrap("1.2.840.113549.1.1.13")),
        (Self::EcdsaSha256, Oid::new_unwrap("1.2.840.10045.4.3.2")),
        (Self::EcdsaSha384, Oid::new_unwrap("1.2.840.10045.4.3.3")),
        (Self::EcdsaSha512, Oid::new_unwrap("1.2.840.10045.4.3.4")),
        (Self::Ed25519, ED25519),
        (Self::MlDsa65, ML_DSA_65),
    ];

    /// The algorithm that `oid` names by itself; RSASSA-PSS is named by its parameters as well.
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

    /// [`SignatureAlgorithm::of_signer`], from the DER of the AlgorithmIdentifier, which RSASSA-PSS needs.
    pub fn of_signer_der(der: &[u8], digest: DigestAlgorithm) -> Result<Self, AlgorithmError> {
        match tlv::Cursor::into(der, tlv::SEQUENCE, "an AlgorithmIdentifier")?.oid()? {
            RSA_ENCRYPTION => Ok(Self::of_signer(RSA_ENCRYPTION, digest)?),
            _ => Self::from_der(der),
        }
    }

    /// From the DER of an AlgorithmIdentifier. The parameters, which none of these algorithms but RSASSA-PSS has, may be
    /// NULL or absent.
    pub fn from_der(der: &[u8]) -> Result<Self, AlgorithmError> {
        let mut fields = tlv::Cursor::into(der, tlv::SEQUENCE, "an AlgorithmIdentifier")?;
        let oid = fields.oid()?;
        let parameters = if fields.is_empty() { None } else { Some(fields.next()?.bytes) };
        fields.finish()?;
        match (oid, parameters) {
            (RSA_PSS, Some(parameters)) => pss(parameters),
            (_, None | Some([5, 0])) => Ok(Self::from_oid(oid)?),
            _ => Err(UnknownAlgorithm(oid).into()),
        }
    }

    /// The object identifier.
    pub fn oid(self) -> Oid {
        let found = Self::TABLE.into_iter().find(|(algorithm, _)| *algorithm == self);
        found.map_or(RSA_PSS, |(_, oid)| oid)
    }

    /// The DER of the AlgorithmIdentifier: NULL parameters for RSA by PKCS #1 (RFC 4055 §5), the digest, mask and salt
    /// for RSASSA-PSS (§3.1), none for the others.
    pub fn to_der(self) -> Vec<u8> {
        let oid = tlv::oid(self.oid());
        match self {
            Self::RsaPssSha256 | Self::RsaPssSha384 | Self::RsaPssSha512 => {
                tlv::sequence([&*oid, &pss_parameters(self.digest())])
            }
            _ if self.is_rsa() => tlv::sequence([&*oid, &[5, 0]]),
            _ => tlv::sequence([&*oid]),
        }
    }

    /// The digest within; for Ed25519 and ML-DSA, which digest for themselves, the one that CMS pairs with them
    /// (RFC 8419 §2.3, RFC 9882 §3.3).
    pub fn digest(self) -> DigestAlgorithm {
        match self {
            Self::RsaPkcs1Sha1 => DigestAlgorithm::Sha1,
            Self::RsaPkcs1Sha256 | Self::EcdsaSha256 | Self::RsaPssSha256 => DigestAlgorithm::Sha256,
            Self::RsaPkcs1Sha384 | Self::EcdsaSha384 | Self::RsaPssSha384 => DigestAlgorithm::Sha384,
            Self::RsaPkcs1Sha512 | Self::EcdsaSha512 | Self::RsaPssSha512 | Self::Ed25519 | Self::MlDsa65 => {
                DigestAlgorithm::Sha512
            }
        }
    }

    /// Whether a key of that kind can make such signatures.
    pub fn fits(self, kind: KeyKind) -> bool {
        match self {
            Self::EcdsaSha256 | Self::EcdsaSha384 | Self::EcdsaSha512 => {
                matches!(kind, KeyKind::P256 | KeyKind::P384)
            }
            Self::Ed25519 => kind == KeyKind::Ed25519,
            Self::MlDsa65 => kind == KeyKind::MlDsa65,
            _ => matches!(kind, KeyKind::Rsa { .. }),
        }
    }

    fn is_rsa(self) -> bool {
        matches!(
            self,
            Self::RsaPkcs1Sha1 | Self::RsaPkcs1Sha256 | Self::RsaPkcs1Sha384 | Self::RsaPkcs1Sha512
        )
    }
}

/// ```text
/// RSASSA-PSS-params ::= SEQUENCE {
///     hashAlgorithm [0] HashAlgorithm DEFAULT sha1, maskGenAlgorithm [1] MaskGenAlgorithm DEFAULT mgf1SHA1,
///     saltLength [2] INTEGER DEFAULT 20, trailerField [3] INTEGER DEFAULT 1 }
/// ```
fn pss(parameters: &[u8]) -> Result<SignatureAlgorithm, AlgorithmError> {
    let algorithms = [
        SignatureAlgorithm::RsaPssSha256,
        SignatureAlgorithm::RsaPssSha384,
        SignatureAlgorithm::RsaPssSha512,
    ];
    let mut fields = tlv::Cursor::into(parameters, tlv::SEQUENCE, "RSASSA-PSS-params")?;
    let hash = hash_of(fields.optional(0xA0)?, None)?;
    let mask = hash_of(fields.optional(0xA1)?, Some(MGF1))?;
    let salt = fields.optional(0xA2)?.map(|element| element.value);
    // DER leaves the default trailer out; that it is there hurts nobody.
    let trailer = fields.optional(0xA3)?.is_none_or(|element| element.value == [tlv::INTEGER, 1, 1]);
    fields.finish()?;
    let found = algorithms.into_iter().find(|algorithm| algorithm.digest() == hash);
    let found = found.filter(|_| hash == mask && trailer && salt == Some(&salt_length(hash)));
    Ok(found.ok_or(UnknownAlgorithm(RSA_PSS))?)
}

/// The digest in an explicitly tagged AlgorithmIdentifier, below `around` where that is given; SHA-1 when it is absent.
fn hash_of(explicit: Option<tlv::Tlv<'_>>, around: Option<Oid>) -> Result<DigestAlgorithm, AlgorithmError> {
    let Some(explicit) = explicit else { return Ok(DigestAlgorithm::Sha1) };
    let mut algorithm = tlv::Cursor::into(explicit.value, tlv::SEQUENCE, "an AlgorithmIdentifier")?;
    let mut oid = algorithm.oid()?;
    if let Some(around) = around {
        if oid != around {
            return Err(UnknownAlgorithm(oid).into());
        }
        oid = algorithm.enter(tlv::SEQUENCE)?.oid()?;
    }
    Ok(DigestAlgorithm::from_oid(oid)?)
}

fn pss_parameters(digest: DigestAlgorithm) -> Vec<u8> {
    let hash = tlv::sequence([&*tlv::oid(digest.oid()), &[5, 0]]);
    let mask = tlv::sequence([&*tlv::oid(MGF1), &hash]);
    tlv::sequence([&*tlv::wrap(0xA0, &hash), &tlv::wrap(0xA1, &mask), &tlv::wrap(0xA2, &salt_length(digest))])
}

/// As long as the digest, which is what everyone uses (RFC 4055 §3.1 recommends it): an INTEGER.
fn salt_length(digest: DigestAlgorithm) -> [u8; 3] {
    let octets = match digest {
        DigestAlgorithm::Md5 => 16,
        DigestAlgorithm::Sha1 => 20,
        DigestAlgorithm::Sha256 => 32,
        DigestAlgorithm::Sha384 => 48,
        DigestAlgorithm::Sha512 => 64,
    };
    [tlv::INTEGER, 1, octets]
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
    let hash = hash_of(fields.optional(0xA0)?, None)?;
    let mgf_hash = hash_of(fields.optional(0xA1)?, Some(MGF1))?;
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
    fn signers_are_named_by_key_or_by_signature() {
        let digest = DigestAlgorithm::Sha384;
        for algorithm in [SignatureAlgorithm::RsaPssSha384, SignatureAlgorithm::EcdsaSha256] {
            assert_eq!(SignatureAlgorithm::of_signer_der(&algorithm.to_der(), digest), Ok(algorithm));
        }
        let by_key = KeyTransport::RsaPkcs1.to_der();
        let found = SignatureAlgorithm::of_signer_der(&by_key, digest);
        assert_eq!(found, Ok(SignatureAlgorithm::RsaPkcs1Sha384));
        assert!(SignatureAlgorithm::of_signer_der(&by_key, DigestAlgorithm::Md5).is_err());
        assert!(SignatureAlgorithm::of_signer(RSA_PSS, DigestAlgorithm::Sha256).is_err());
    }

    #[test]
    fn signature_algorithms_read_back() {
        let pss = [
            SignatureAlgorithm::RsaPssSha256,
            SignatureAlgorithm::RsaPssSha384,
            SignatureAlgorithm::RsaPssSha512,
        ];
        let others = SignatureAlgorithm::TABLE.into_iter().map(|(algorithm, _)| algorithm);
        for algorithm in others.chain(pss) {
            assert_eq!(SignatureAlgorithm::from_der(&algorithm.to_der()), Ok(algorithm));
        }
    }

    #[test]
    fn pss_is_taken_with_one_digest_and_its_salt_alone() {
        let hash = |oid: Oid| tlv::sequence([&*tlv::oid(oid), &[5, 0]]);
        let [sha256, sha512] =
            [DigestAlgorithm::Sha256, DigestAlgorithm::Sha512].map(|digest| hash(digest.oid()));
        let mask = |hash: &[u8]| tlv::sequence([&*tlv::oid(MGF1), hash]);
        let parse = |hash: &[u8], mask: &[u8], rest: &[u8]| {
            let parameters = tlv::sequence([&*tlv::wrap(0xA0, hash), &tlv::wrap(0xA1, mask), rest]);
            SignatureAlgorithm::from_der(&tlv::sequence([&*tlv::oid(RSA_PSS), &parameters])).is_ok()
        };
        let salt = [0xA2, 3, 2, 1, 32];
        assert!(parse(&sha256, &mask(&sha256), &salt));
        assert!(parse(&sha256, &mask(&sha256), &[salt.as_slice(), &[0xA3, 3, 2, 1, 1]].concat()));
        assert!(!parse(&sha256, &mask(&sha256), &[]), "20 octets of salt");
        assert!(!parse(&sha256, &mask(&sha256), &[0xA2, 3, 2, 1, 31]));
        assert!(!parse(&sha256, &mask(&sha512), &salt));
        assert!(!parse(&sha256, &sha256, &salt), "no MGF1");
        assert!(!parse(&sha256, &mask(&sha256), &[salt.as_slice(), &[0xA3, 3, 2, 1, 2]].concat()));
        assert!(
            SignatureAlgorithm::from_der(&tlv::sequence([&*tlv::oid(RSA_PSS)])).is_err(),
            "SHA-1 by default"
        );
    }
}
