//! Public keys.

use alloc::{sync::Arc, vec::Vec};
use core::fmt;

use sha1::Digest as _;
use subtle::ConstantTimeEq as _;

use crate::{
    DecodeError, Oid,
    algorithm::{ED25519, ML_DSA_65},
    tlv,
};

const WHAT: &str = "a SubjectPublicKeyInfo";

/// A public key: the DER of a `SubjectPublicKeyInfo` ([RFC 5280 §4.1.2.7](https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.7)),
/// parsed once. Cheap to clone. Equal when the DER is.
#[derive(Clone)]
pub struct PublicKey(Arc<Parsed>);

struct Parsed {
    der: Vec<u8>,
    kind: KeyKind,
    bits_len: usize,
}

/// What a public key is for, as far as its AlgorithmIdentifier tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum KeyKind {
    /// rsaEncryption, with the length of the modulus in bits.
    Rsa {
        /// Length of the modulus in bits.
        bits: u32,
    },
    /// id-ecPublicKey on NIST P-256.
    P256,
    /// id-ecPublicKey on NIST P-384.
    P384,
    /// id-Ed25519.
    Ed25519,
    /// id-ml-dsa-65.
    MlDsa65,
    /// Anything else, by its algorithm.
    Other(Oid),
}

impl fmt::Display for KeyKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rsa { bits } => write!(f, "RSA-{bits}"),
            Self::P256 => f.write_str("P-256"),
            Self::P384 => f.write_str("P-384"),
            Self::Ed25519 => f.write_str("Ed25519"),
            Self::MlDsa65 => f.write_str("ML-DSA-65"),
            Self::Other(oid) => write!(f, "algorithm {oid}"),
        }
    }
}

impl PublicKey {
    /// Parses.
    pub fn from_der(der: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = tlv::Cursor::into(der, tlv::SEQUENCE, WHAT)?;
        let algorithm = fields.expect(tlv::SEQUENCE)?;
        let bits = fields.octet_bits()?;
        fields.finish()?;
        let kind = kind(algorithm.bytes, bits)?;
        Ok(Self(Arc::new(Parsed { der: der.to_vec(), kind, bits_len: bits.len() })))
    }

    /// The DER of the whole `SubjectPublicKeyInfo`.
    pub fn as_der(&self) -> &[u8] {
        &self.0.der
    }

    /// The octets of its BIT STRING: what OCSP and key identifiers hash.
    pub fn key_octets(&self) -> &[u8] {
        let start = self.0.der.len().saturating_sub(self.0.bits_len);
        self.0.der.get(start..).unwrap_or_default()
    }

    /// Its algorithm and size.
    pub fn kind(&self) -> KeyKind {
        self.0.kind
    }

    /// Whether content-encryption keys can be wrapped for it.
    pub fn can_encipher(&self) -> bool {
        matches!(self.0.kind, KeyKind::Rsa { .. })
    }

    /// The key identifier of RFC 5280 §4.2.1.2 method 1: SHA-1 of [`PublicKey::key_octets`].
    pub fn key_identifier(&self) -> [u8; 20] {
        sha1::Sha1::digest(self.key_octets()).into()
    }

    /// SHA-256 over [`PublicKey::as_der`].
    pub fn fingerprint(&self) -> [u8; 32] {
        sha2::Sha256::digest(self.as_der()).into()
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.der.ct_eq(&other.0.der).into()
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({})", self.0.kind)
    }
}

fn kind(algorithm: &[u8], bits: &[u8]) -> Result<KeyKind, DecodeError> {
    const RSA: Oid = Oid::new_unwrap("1.2.840.113549.1.1.1");
    const EC: Oid = Oid::new_unwrap("1.2.840.10045.2.1");
    const P256: Oid = Oid::new_unwrap("1.2.840.10045.3.1.7");
    const P384: Oid = Oid::new_unwrap("1.3.132.0.34");
    let mut fields = tlv::Cursor::into(algorithm, tlv::SEQUENCE, WHAT)?;
    Ok(match fields.oid()? {
        RSA => KeyKind::Rsa { bits: modulus_bits(bits)? },
        EC => match fields.oid()? {
            P256 => KeyKind::P256,
            P384 => KeyKind::P384,
            curve => KeyKind::Other(curve),
        },
        ED25519 => KeyKind::Ed25519,
        ML_DSA_65 => KeyKind::MlDsa65,
        other => KeyKind::Other(other),
    })
}

/// ```text
/// RSAPublicKey ::= SEQUENCE { modulus INTEGER, publicExponent INTEGER }
/// ```
fn modulus_bits(key: &[u8]) -> Result<u32, DecodeError> {
    const WHAT: &str = "an RSAPublicKey";
    let mut fields = tlv::Cursor::into(key, tlv::SEQUENCE, WHAT)?;
    let modulus = fields.expect(tlv::INTEGER)?.value;
    let exponent = fields.expect(tlv::INTEGER)?.value;
    fields.finish()?;
    let digits = modulus.strip_prefix(&[0]).unwrap_or(modulus);
    let exponent_is_sound = exponent.last().is_some_and(|low| low & 1 == 1) && exponent != [1];
    let (Some(high), Some(low)) = (digits.first(), digits.last()) else {
        return Err(DecodeError::new(WHAT, "an empty modulus"));
    };
    if low & 1 == 0 || !exponent_is_sound || modulus.first().is_some_and(|octet| octet & 0x80 != 0) {
        return Err(DecodeError::new(WHAT, "a modulus or exponent that no RSA key has"));
    }
    let octets = u32::try_from(digits.len()).map_err(|_| DecodeError::new(WHAT, "too long a modulus"))?;
    Ok(octets.saturating_mul(8).saturating_sub(high.leading_zeros()))
}
