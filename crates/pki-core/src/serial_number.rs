//! Serial numbers that RFC 5280 allows.

use alloc::string::String;
use core::{fmt, str::FromStr};

/// A positive integer of at most 20 octets
/// ([RFC 5280 §4.1.2.2](https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.2)).
///
/// ```
/// # use pki_core::SerialNumber;
/// let serial: SerialNumber = "0x00 8F".replace(' ', "").parse()?;
/// assert_eq!(serial.as_be_bytes(), [0x00, 0x8F]);
/// assert_eq!(serial.to_string(), "8F");
/// # Ok::<(), pki_core::InvalidSerialNumber>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SerialNumber {
    len: u8,
    bytes: [u8; Self::MAX_LEN],
}

impl SerialNumber {
    /// The most octets that a serial number may have.
    pub const MAX_LEN: usize = 20;

    /// Takes the content octets of a DER INTEGER, big-endian; needless leading zeros are dropped.
    pub fn from_be_bytes(octets: &[u8]) -> Result<Self, InvalidSerialNumber> {
        let first = octets.iter().position(|&octet| octet != 0).ok_or(InvalidSerialNumber::Zero)?;
        if octets.first().is_some_and(|&octet| octet >= 0x80) {
            return Err(InvalidSerialNumber::Negative);
        }
        let (padding, digits) = octets.split_at(first);
        let sign = usize::from(!padding.is_empty() && digits.first().is_some_and(|&octet| octet >= 0x80));
        let len = digits.len().saturating_add(sign);
        let mut bytes = [0; Self::MAX_LEN];
        bytes.get_mut(sign..len).ok_or(InvalidSerialNumber::TooLong)?.copy_from_slice(digits);
        let len = u8::try_from(len).map_err(|_| InvalidSerialNumber::TooLong)?;
        Ok(Self { len, bytes })
    }

    /// The content octets of the DER INTEGER: big-endian, minimal, top bit clear.
    pub fn as_be_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&self.bytes)
    }
}

impl fmt::Display for SerialNumber {
    /// Upper-case hexadecimal, two digits an octet, without the sign octet.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let octets = self.as_be_bytes();
        octets.strip_prefix(&[0]).unwrap_or(octets).iter().try_for_each(|octet| write!(f, "{octet:02X}"))
    }
}

impl fmt::Debug for SerialNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SerialNumber({self})")
    }
}

impl FromStr for SerialNumber {
    type Err = InvalidSerialNumber;

    /// Reads hexadecimal as people paste it: either case, an optional `0x`, colons between octets.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let text = text.trim();
        let text = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).unwrap_or(text);
        let digits: String = text.chars().filter(|&c| c != ':').collect();
        if digits.is_empty() || digits.len() > 2 * (Self::MAX_LEN + 1) {
            return Err(InvalidSerialNumber::NotHex);
        }
        // One octet more than a serial number has, so that 160-bit values are refused and not cut.
        let mut octets = [0u8; Self::MAX_LEN + 1];
        for (place, digit) in digits.chars().rev().enumerate() {
            let value = digit.to_digit(16).ok_or(InvalidSerialNumber::NotHex)?;
            let value = u8::try_from(value).map_err(|_| InvalidSerialNumber::NotHex)?;
            let slot = octets.iter_mut().rev().nth(place / 2).ok_or(InvalidSerialNumber::TooLong)?;
            *slot |= if place % 2 == 0 { value } else { value << 4 };
        }
        Self::from_be_bytes(&octets)
    }
}

/// Not a usable serial number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidSerialNumber {
    /// Zero, or no octets at all.
    #[error("a serial number must not be zero")]
    Zero,
    /// The top bit is set.
    #[error("a serial number must not be negative")]
    Negative,
    /// More than 20 octets.
    #[error("a serial number has at most 20 octets")]
    TooLong,
    /// Not hexadecimal text.
    #[error("expected a serial number as up to 40 hexadecimal digits")]
    NotHex,
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn refuses_what_rfc_5280_refuses() {
        for (octets, error) in [
            (&[][..], InvalidSerialNumber::Zero),
            (&[0, 0], InvalidSerialNumber::Zero),
            (&[0x80], InvalidSerialNumber::Negative),
            (&[1; 21], InvalidSerialNumber::TooLong),
            (&[&[0][..], &[0xFF; 20]].concat(), InvalidSerialNumber::TooLong),
        ] {
            assert_eq!(SerialNumber::from_be_bytes(octets), Err(error), "{octets:02x?}");
        }
    }

    #[test]
    fn reads_serial_numbers_as_people_paste_them() {
        let expected = SerialNumber::from_be_bytes(&[0x40, 0x39, 0xb3]).unwrap();
        for text in ["4039b3", "4039B3", "0x4039b3", "40:39:B3", " 4039b3\n", "004039b3"] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        for text in ["", "0x", "4039g3", "-1", "ü"] {
            assert_eq!(text.parse::<SerialNumber>(), Err(InvalidSerialNumber::NotHex), "{text}");
        }
        assert_eq!("F".repeat(40).parse::<SerialNumber>(), Err(InvalidSerialNumber::TooLong));
    }

    proptest! {
        #[test]
        fn text_reads_back(octets in prop::collection::vec(any::<u8>(), 1..=20)) {
            prop_assume!(octets[0] < 0x80 && octets.iter().any(|&octet| octet != 0));
            let serial = SerialNumber::from_be_bytes(&octets).unwrap();
            prop_assert_eq!(serial.to_string().parse(), Ok(serial));
        }
    }
}
