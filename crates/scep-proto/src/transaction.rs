//! Transaction identifiers.

use alloc::{string::String, vec::Vec};
use core::fmt::{self, Write as _};

use pki_core::{DecodeError, DigestAlgorithm, PublicKey, RandomFailed, SecureRandom, tlv};

use crate::{Tolerance, Tolerances, limits::MAX_TRANSACTION_ID_LEN};

const WHAT: &str = "a transactionID";

const PRINTABLE_STRING: u8 = 0x13;

/// `transactionID` ([RFC 8894 §3.2.1.1](https://www.rfc-editor.org/rfc/rfc8894#section-3.2.1.1)): names one operation
/// through all its messages.
///
/// RFC 8894 wants a PrintableString. Clients send other string types and characters that no PrintableString has, so
/// the octets are kept as they came, with the type they came in, and are echoed so. They are an identifier and no
/// text: `==` compares octets and not types; `Display` escapes what does not print.
#[derive(Clone)]
pub struct TransactionId {
    tag: u8,
    octets: Vec<u8>,
}

impl TransactionId {
    /// A PrintableString of 1 to [`MAX_TRANSACTION_ID_LEN`] characters.
    pub fn new(text: &str) -> Result<Self, DecodeError> {
        if !text.bytes().all(is_printable) {
            return Err(DecodeError::new(WHAT, "a character that no PrintableString has"));
        }
        Self::of(PRINTABLE_STRING, text.as_bytes())
    }

    /// A fresh one for a request about `key`: the first 20 octets of SHA-256 over 16 random octets and the key, as 40
    /// hexadecimal digits. Two requests for one key differ, and none tells anything about the key.
    pub fn generate(key: &PublicKey, random: &dyn SecureRandom) -> Result<Self, RandomFailed> {
        let mut salt = [0; 16];
        random.fill(&mut salt)?;
        let hash = DigestAlgorithm::Sha256.digest(&[&salt, key.as_der()].concat()).unwrap_or_default();
        let text = hash.iter().take(20).fold(String::new(), |mut text, octet| {
            let _ = write!(text, "{octet:02X}");
            text
        });
        Ok(Self { tag: PRINTABLE_STRING, octets: text.into_bytes() })
    }

    /// The octets of the string.
    pub fn as_bytes(&self) -> &[u8] {
        &self.octets
    }

    /// Reads any string type.
    pub(crate) fn from_tlv(element: tlv::Tlv<'_>) -> Result<Self, DecodeError> {
        // UTF8, Numeric, Printable, Teletex, IA5, Visible, Universal, BMP
        if !matches!(element.tag, 0x0C | 0x12 | 0x13 | 0x14 | 0x16 | 0x1A | 0x1C | 0x1E) {
            return Err(DecodeError::new(WHAT, format_args!("tag {:#04x}, which is no string", element.tag)));
        }
        Self::of(element.tag, element.value)
    }

    /// What has to be tolerated about it.
    pub(crate) fn tolerated(&self) -> Tolerances {
        let is_md5 = self.octets.len() == 32 && self.octets.iter().all(u8::is_ascii_hexdigit);
        Tolerances::NONE
            .with_if(Tolerance::TransactionIdStringType, self.tag != PRINTABLE_STRING)
            .with_if(Tolerance::TransactionIdCharacters, !self.octets.iter().copied().all(is_printable))
            .with_if(Tolerance::Md5TransactionId, is_md5)
    }

    pub(crate) fn to_der(&self) -> Vec<u8> {
        tlv::wrap(self.tag, &self.octets)
    }

    fn of(tag: u8, octets: &[u8]) -> Result<Self, DecodeError> {
        if !(1..=MAX_TRANSACTION_ID_LEN).contains(&octets.len()) {
            let found = format_args!("{} octets where 1 to {MAX_TRANSACTION_ID_LEN} belong", octets.len());
            return Err(DecodeError::new(WHAT, found));
        }
        Ok(Self { tag, octets: octets.to_vec() })
    }
}

/// The characters of a PrintableString ([X.680 §41.4](https://www.itu.int/rec/T-REC-X.680)).
fn is_printable(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b" '()+,-./:=?".contains(&octet)
}

impl PartialEq for TransactionId {
    fn eq(&self, other: &Self) -> bool {
        self.octets == other.octets
    }
}

impl Eq for TransactionId {}

impl core::hash::Hash for TransactionId {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.octets.hash(state);
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.octets.escape_ascii(), f)
    }
}

impl fmt::Debug for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TransactionId({self})")
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn any_string_type_is_kept_and_echoed() {
        for tag in [0x0C, 0x13, 0x16, 0x14, 0x1E] {
            let der = tlv::wrap(tag, b"a_*\n");
            let element = tlv::Cursor::over(&der, WHAT).unwrap().next().unwrap();
            let id = TransactionId::from_tlv(element).unwrap();
            assert_eq!(id.to_der(), der);
            assert_eq!(id.to_string(), "a_*\\n");
        }
    }

    #[test]
    fn other_types_and_lengths_are_errors() {
        for der in [
            tlv::wrap(tlv::INTEGER, &[1]),
            tlv::wrap(tlv::OCTET_STRING, b"x"),
            tlv::wrap(0x13, b""),
            tlv::wrap(0x13, &[b'x'; 257]),
        ] {
            let element = tlv::Cursor::over(&der, WHAT).unwrap().next().unwrap();
            assert!(TransactionId::from_tlv(element).is_err(), "{der:02x?}");
        }
        assert!(TransactionId::new("a*b").is_err());
        assert!(TransactionId::new("").is_err());
    }
}
