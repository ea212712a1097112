//! Certificate extensions.

use alloc::vec::Vec;
use core::ops::BitOr;

use crate::{DecodeError, Oid, tlv};

/// `Extension` ([RFC 5280 §4.1](https://www.rfc-editor.org/rfc/rfc5280#section-4.1)).
///
/// ```text
/// Extension ::= SEQUENCE { extnID OBJECT IDENTIFIER, critical BOOLEAN DEFAULT FALSE, extnValue OCTET STRING }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    id: Oid,
    critical: bool,
    value: Vec<u8>,
}

impl Extension {
    /// `value` is the DER that goes into `extnValue`.
    pub fn new(id: Oid, value: Vec<u8>) -> Self {
        Self { id, critical: false, value }
    }

    /// The same, marked critical.
    #[must_use]
    pub fn critical(self) -> Self {
        Self { critical: true, ..self }
    }

    /// extnID.
    pub fn id(&self) -> Oid {
        self.id
    }

    /// Whether those who do not know it must reject the certificate.
    pub fn is_critical(&self) -> bool {
        self.critical
    }

    /// The content of extnValue.
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// The DER of the whole extension.
    pub fn to_der(&self) -> Vec<u8> {
        let critical: &[u8] = if self.critical { &[tlv::BOOLEAN, 1, 0xFF] } else { &[] };
        tlv::sequence([&*tlv::oid(self.id), critical, &tlv::wrap(tlv::OCTET_STRING, &self.value)])
    }

    /// Reads `Extensions ::= SEQUENCE OF Extension`, at most `limit` of them, none twice. An empty list is taken:
    /// clients send it.
    pub(crate) fn list_from_der(der: &[u8], limit: usize) -> Result<Vec<Self>, DecodeError> {
        const WHAT: &str = "Extensions";
        let mut cursor = tlv::Cursor::into(der, tlv::SEQUENCE, WHAT)?;
        let mut list: Vec<Self> = Vec::new();
        while !cursor.is_empty() {
            let mut fields = cursor.enter(tlv::SEQUENCE)?;
            let id = fields.oid()?;
            let critical = fields.boolean()?.unwrap_or(false);
            let value = fields.expect(tlv::OCTET_STRING)?.value.to_vec();
            fields.finish()?;
            if list.iter().any(|earlier| earlier.id == id) {
                return Err(DecodeError::new(WHAT, format_args!("{id} twice")));
            }
            if list.len() >= limit {
                return Err(DecodeError::new(WHAT, format_args!("more than {limit}")));
            }
            list.push(Self { id, critical, value });
        }
        Ok(list)
    }
}

/// `KeyUsage` ([RFC 5280 §4.2.1.3](https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.3)): a set of bits.
///
/// ```
/// # use pki_core::KeyUsage;
/// let usage = KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT;
/// assert_eq!(usage.to_der(), [3, 2, 5, 0xA0]);
/// assert_eq!(KeyUsage::from_der(&usage.to_der())?, usage);
/// # Ok::<(), pki_core::DecodeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyUsage(u16);

impl KeyUsage {
    /// digitalSignature (0)
    pub const DIGITAL_SIGNATURE: Self = Self(1 << 15);
    /// nonRepudiation (1)
    pub const NON_REPUDIATION: Self = Self(1 << 14);
    /// keyEncipherment (2)
    pub const KEY_ENCIPHERMENT: Self = Self(1 << 13);
    /// dataEncipherment (3)
    pub const DATA_ENCIPHERMENT: Self = Self(1 << 12);
    /// keyAgreement (4)
    pub const KEY_AGREEMENT: Self = Self(1 << 11);
    /// keyCertSign (5)
    pub const KEY_CERT_SIGN: Self = Self(1 << 10);
    /// cRLSign (6)
    pub const CRL_SIGN: Self = Self(1 << 9);

    /// Reads the DER BIT STRING.
    pub fn from_der(der: &[u8]) -> Result<Self, DecodeError> {
        const WHAT: &str = "a KeyUsage";
        let mut cursor = tlv::Cursor::over(der, WHAT)?;
        let value = cursor.expect(tlv::BIT_STRING)?.value;
        cursor.finish()?;
        match *value {
            [unused @ 0..=7, bits] => Ok(Self(u16::from_be_bytes([bits & (0xFF << unused), 0]))),
            [unused @ 0..=7, first, second] => {
                Ok(Self(u16::from_be_bytes([first, second & (0xFF << unused)])))
            }
            _ => Err(DecodeError::new(WHAT, "a BIT STRING that is empty or has more than 16 bits")),
        }
    }

    /// The DER BIT STRING, without trailing zero bits.
    pub fn to_der(self) -> Vec<u8> {
        let unused = u8::try_from(self.0.trailing_zeros().min(15)).unwrap_or(7);
        let [first, second] = self.0.to_be_bytes();
        if second == 0 {
            tlv::wrap(tlv::BIT_STRING, &[unused.saturating_sub(8), first])
        } else {
            tlv::wrap(tlv::BIT_STRING, &[unused, first, second])
        }
    }

    /// Whether every usage of `other` is among these.
    pub fn contains(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// These usages, less those of `other`.
    #[must_use]
    pub fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether there is no usage among these.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl BitOr for KeyUsage {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// `BasicConstraints` ([RFC 5280 §4.2.1.9](https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.9)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "closed on the wire")]
pub struct BasicConstraints {
    /// Whether the subject is a CA.
    pub ca: bool,
    /// How many intermediate CAs may follow.
    pub path_len: Option<u8>,
}

impl BasicConstraints {
    /// Reads `SEQUENCE { cA BOOLEAN DEFAULT FALSE, pathLenConstraint INTEGER (0..MAX) OPTIONAL }`.
    pub fn from_der(der: &[u8]) -> Result<Self, DecodeError> {
        const WHAT: &str = "BasicConstraints";
        let mut fields = tlv::Cursor::into(der, tlv::SEQUENCE, WHAT)?;
        let ca = fields.boolean()?.unwrap_or(false);
        let path_len = match fields.optional(tlv::INTEGER)?.map(|element| element.value) {
            None => None,
            Some([length @ 0..=0x7F]) => Some(*length),
            Some(_) => {
                return Err(DecodeError::new(WHAT, "a pathLenConstraint that is negative or above 127"));
            }
        };
        fields.finish()?;
        Ok(Self { ca, path_len })
    }

    /// The DER.
    pub fn to_der(self) -> Vec<u8> {
        let ca: &[u8] = if self.ca { &[tlv::BOOLEAN, 1, 0xFF] } else { &[] };
        let path_len =
            self.path_len.map(|length| tlv::wrap(tlv::INTEGER, &[length & 0x7F])).unwrap_or_default();
        tlv::sequence([ca, &path_len])
    }
}

/// Reads `SEQUENCE OF OBJECT IDENTIFIER`, the form of extKeyUsage; an empty one is refused.
pub(crate) fn oid_list(der: &[u8]) -> Result<Vec<Oid>, DecodeError> {
    const WHAT: &str = "a SEQUENCE OF OBJECT IDENTIFIER";
    let mut cursor = tlv::Cursor::into(der, tlv::SEQUENCE, WHAT)?;
    let mut list = Vec::new();
    while !cursor.is_empty() {
        list.push(cursor.oid()?);
    }
    if list.is_empty() { Err(DecodeError::new(WHAT, "an empty one")) } else { Ok(list) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_usage_is_minimal_der() {
        for (usage, der) in [
            (KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN, &[3, 2, 1, 0x06][..]),
            (KeyUsage(1 << 7), &[3, 3, 7, 0, 0x80]),
            (KeyUsage(0), &[3, 2, 7, 0]),
        ] {
            assert_eq!(usage.to_der(), der);
            assert_eq!(KeyUsage::from_der(der), Ok(usage));
        }
    }

    #[test]
    fn usages_add_up_and_come_off() {
        let both = KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT;
        let one = both.without(KeyUsage::KEY_ENCIPHERMENT | KeyUsage::CRL_SIGN);
        assert_eq!(one, KeyUsage::DIGITAL_SIGNATURE);
        assert!(both.contains(one) && !one.contains(both));
        assert!(one.without(both).is_empty() && !one.is_empty());
    }

    #[test]
    fn empty_structures_are_errors_and_no_panics() {
        assert!(KeyUsage::from_der(&[3, 0]).is_err());
        assert!(KeyUsage::from_der(&[3, 1, 0]).is_err());
        assert!(oid_list(&[0x30, 0]).is_err());
        assert!(BasicConstraints::from_der(&[]).is_err());
        assert_eq!(BasicConstraints::from_der(&[0x30, 0]), Ok(BasicConstraints::default()));
    }
}
