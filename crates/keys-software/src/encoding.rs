//! Private keys as PEM and DER.

use pkcs8::der::pem::{self, LineEnding};
use pki_core::{DecodeError, KeyError, Oid, tlv};
use zeroize::Zeroizing;

const WHAT: &str = "a private key";
const RSA: Oid = Oid::new_unwrap("1.2.840.113549.1.1.1");
const EC: Oid = Oid::new_unwrap("1.2.840.10045.2.1");
const ED25519: Oid = Oid::new_unwrap("1.3.101.112");
const ML_DSA_65: Oid = Oid::new_unwrap("2.16.840.1.101.3.4.3.18");

/// Bytes that are no private key that can be used here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidKey {
    /// Not a private key at all.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
    /// A private key, but of another kind, of another size, or one whose numbers do not go together.
    #[error("expected {0}: another kind or size of key, or one whose numbers do not go together")]
    Unsound(&'static str),
    /// A private key under a password.
    #[error(
        "expected a private key without a password: take the password off with `openssl pkcs8 -in OLD -out NEW`"
    )]
    Encrypted,
}

/// The forms in which private keys are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Found {
    Pkcs8Rsa,
    Pkcs8Ec,
    Pkcs8Ed25519,
    Pkcs8MlDsa65,
    Pkcs1,
    Sec1,
}

/// ```text
/// PrivateKeyInfo ::= SEQUENCE { version INTEGER, privateKeyAlgorithm AlgorithmIdentifier, privateKey OCTET STRING, .. }
/// RSAPrivateKey  ::= SEQUENCE { version INTEGER, modulus INTEGER, .. }
/// ECPrivateKey   ::= SEQUENCE { version INTEGER, privateKey OCTET STRING, .. }
/// ```
pub(crate) fn recognize(der: &[u8]) -> Result<Found, InvalidKey> {
    let mut fields = tlv::Cursor::into(der, tlv::SEQUENCE, WHAT)?;
    let first = fields.next()?;
    if first.tag == tlv::SEQUENCE {
        return Err(InvalidKey::Encrypted);
    }
    let second = fields.next()?;
    match second.tag {
        tlv::INTEGER => Ok(Found::Pkcs1),
        tlv::OCTET_STRING => Ok(Found::Sec1),
        tlv::SEQUENCE => match tlv::Cursor::over(second.value, WHAT)?.oid()? {
            RSA => Ok(Found::Pkcs8Rsa),
            EC => Ok(Found::Pkcs8Ec),
            ED25519 => Ok(Found::Pkcs8Ed25519),
            ML_DSA_65 => Ok(Found::Pkcs8MlDsa65),
            _ => Err(InvalidKey::Unsound("an RSA, EC, Ed25519 or ML-DSA-65 key")),
        },
        tag => Err(DecodeError::new(WHAT, format_args!("tag {tag:#04x}")).into()),
    }
}

/// Wraps an RSAPrivateKey in a PrivateKeyInfo.
pub(crate) fn pkcs8_of_pkcs1(der: &[u8]) -> Zeroizing<Vec<u8>> {
    let algorithm = tlv::sequence([&*tlv::oid(RSA), &[5, 0]]);
    let key = Zeroizing::new(tlv::wrap(tlv::OCTET_STRING, der));
    let version: &[u8] = &[tlv::INTEGER, 1, 0];
    Zeroizing::new(tlv::sequence([version, &algorithm, &key]))
}

/// The DER of the first private key in PEM text.
pub(crate) fn from_pem(text: &str) -> Result<Zeroizing<Vec<u8>>, InvalidKey> {
    const LABELS: [&str; 3] = ["PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY"];
    if text.contains("-----BEGIN ENCRYPTED PRIVATE KEY-----") || text.contains("Proc-Type: 4,ENCRYPTED") {
        return Err(InvalidKey::Encrypted);
    }
    let block = LABELS.into_iter().find_map(|label| block(text, label));
    let block = block.ok_or_else(|| DecodeError::new("a PEM block BEGIN PRIVATE KEY", "none"))?;
    let (_, der) = pem::decode_vec(block.as_bytes()).map_err(|error| DecodeError::new(WHAT, error))?;
    Ok(Zeroizing::new(der))
}

/// OpenSSL writes the curve's parameters before the key, and people write comments.
fn block<'a>(text: &'a str, label: &str) -> Option<&'a str> {
    let end_line = format!("-----END {label}-----");
    let start = text.find(&format!("-----BEGIN {label}-----"))?;
    let rest = text.get(start..)?;
    rest.get(..rest.find(&end_line)?.checked_add(end_line.len())?)
}

pub(crate) fn to_pem(pkcs8: &[u8]) -> Result<Zeroizing<String>, KeyError> {
    let pem = pem::encode_string("PRIVATE KEY", LineEnding::LF, pkcs8);
    pem.map(Zeroizing::new).map_err(|_| KeyError::Refused)
}
