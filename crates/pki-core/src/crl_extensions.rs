//! Numbers of CRLs, and where CRLs are to be found.

use alloc::vec::Vec;
use core::fmt;

use crate::{DecodeError, tlv};

/// `CRLNumber` ([RFC 5280 §5.2.3](https://www.rfc-editor.org/rfc/rfc5280#section-5.2.3)): 0 or more, in at most 20
/// octets. Full and delta CRLs of one scope share one sequence.
///
/// ```
/// # use pki_core::CrlNumber;
/// let number = CrlNumber::from(300);
/// assert!(number > CrlNumber::from(299));
/// assert_eq!(number.to_der(), [2, 2, 1, 0x2C]);
/// assert_eq!(CrlNumber::from_der(&number.to_der())?, number);
/// # Ok::<(), pki_core::DecodeError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CrlNumber {
    // Compared first, which orders numbers by size: there are no needless zeros.
    len: u8,
    octets: [u8; Self::MAX_LEN],
}

impl CrlNumber {
    /// The most octets that a CRL number may have.
    pub const MAX_LEN: usize = 20;

    /// Takes the content octets of a DER INTEGER; needless leading zeros are dropped.
    pub fn from_be_bytes(content: &[u8]) -> Result<Self, InvalidCrlNumber> {
        if content.first().is_none_or(|&first| first >= 0x80) {
            return Err(InvalidCrlNumber);
        }
        let first = content.iter().position(|&octet| octet != 0).unwrap_or(content.len());
        let digits = content.get(first..).unwrap_or_default();
        let mut octets = [0; Self::MAX_LEN];
        octets.get_mut(..digits.len()).ok_or(InvalidCrlNumber)?.copy_from_slice(digits);
        let len = u8::try_from(digits.len()).map_err(|_| InvalidCrlNumber)?;
        // The encoding needs a leading zero where the top bit is set.
        if digits.len() == Self::MAX_LEN && digits.first().is_some_and(|&octet| octet >= 0x80) {
            return Err(InvalidCrlNumber);
        }
        Ok(Self { len, octets })
    }

    /// Reads the DER INTEGER.
    pub fn from_der(der: &[u8]) -> Result<Self, DecodeError> {
        const WHAT: &str = "a CRLNumber";
        let mut cursor = tlv::Cursor::over(der, WHAT)?;
        let content = cursor.expect(tlv::INTEGER)?.value;
        cursor.finish()?;
        Self::from_be_bytes(content).map_err(|error| DecodeError::new(WHAT, error))
    }

    /// The DER INTEGER.
    pub fn to_der(self) -> Vec<u8> {
        match self.digits() {
            [] => tlv::wrap(tlv::INTEGER, &[0]),
            digits @ [0x80..=0xFF, ..] => tlv::wrap(tlv::INTEGER, &[&[0], digits].concat()),
            digits => tlv::wrap(tlv::INTEGER, digits),
        }
    }

    fn digits(&self) -> &[u8] {
        self.octets.get(..usize::from(self.len)).unwrap_or_default()
    }
}

impl From<u64> for CrlNumber {
    fn from(number: u64) -> Self {
        let skipped = number.leading_zeros() / 8;
        let mut octets = [0; Self::MAX_LEN];
        let digits = number.to_be_bytes();
        let digits = digits.iter().skip(usize::try_from(skipped).unwrap_or(0));
        for (slot, digit) in octets.iter_mut().zip(digits) {
            *slot = *digit;
        }
        Self { len: u8::try_from(8_u32.saturating_sub(skipped)).unwrap_or(0), octets }
    }
}

impl fmt::Display for CrlNumber {
    /// Decimal where it fits 64 bits, as people count; hexadecimal with `0x` above.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.len <= 8 {
            let number = self.digits().iter().fold(0_u64, |sum, digit| sum << 8 | u64::from(*digit));
            return write!(f, "{number}");
        }
        f.write_str("0x")?;
        self.digits().iter().try_for_each(|octet| write!(f, "{octet:02X}"))
    }
}

impl fmt::Debug for CrlNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CrlNumber({self})")
    }
}

/// Negative, empty or longer than 20 octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a CRL number must not be negative and has at most 20 octets")]
#[expect(clippy::exhaustive_structs, reason = "there is nothing more to say")]
pub struct InvalidCrlNumber;

/// The value of cRLDistributionPoints, and of freshestCRL: one distribution point, which has one name for each URI
/// ([RFC 5280 §4.2.1.13](https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.13)).
///
/// ```text
/// CRLDistributionPoints ::= SEQUENCE SIZE (1..MAX) OF DistributionPoint
/// DistributionPoint ::= SEQUENCE { distributionPoint [0] DistributionPointName OPTIONAL,
///                                  reasons [1] ReasonFlags OPTIONAL, cRLIssuer [2] GeneralNames OPTIONAL }
/// ```
pub fn distribution_points<'a>(uris: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    tlv::wrap(tlv::SEQUENCE, &tlv::wrap(tlv::SEQUENCE, &distribution_point_name(uris)))
}

/// ```text
/// distributionPoint [0] EXPLICIT DistributionPointName
/// DistributionPointName ::= CHOICE { fullName [0] GeneralNames, nameRelativeToCRLIssuer [1] RelativeDistinguishedName }
/// ```
pub(crate) fn distribution_point_name<'a>(uris: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    const URI: u8 = 0x86;
    let names: Vec<u8> = uris.into_iter().flat_map(|uri| tlv::wrap(URI, uri.as_bytes())).collect();
    tlv::wrap(0xA0, &tlv::wrap(0xA0, &names))
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use proptest::prelude::*;

    use super::*;

    // clause: RFC 5280 132
    #[test]
    fn numbers_have_20_octets_at_most_and_no_sign() {
        for content in [&[][..], &[0x80], &[1; 21], &[&[0][..], &[0xFF; 20]].concat()] {
            assert_eq!(CrlNumber::from_be_bytes(content), Err(InvalidCrlNumber), "{content:02x?}");
        }
        let largest = [&[0x7F][..], &[0xFF; 19]].concat();
        let largest = CrlNumber::from_be_bytes(&largest).unwrap();
        assert!(largest > CrlNumber::from(u64::MAX) && largest.to_der().len() == 22);
        assert!(largest.to_string().starts_with("0x7FFF"));
        assert_eq!(CrlNumber::from(0).to_der(), [2, 1, 0]);
        assert_eq!(CrlNumber::from_der(&[2, 2, 0, 0x80]).unwrap(), CrlNumber::from(128));
    }

    proptest! {
        #[test]
        fn numbers_are_ordered_and_read_back(one: u64, other: u64) {
            let [a, b] = [one, other].map(CrlNumber::from);
            prop_assert_eq!(a.cmp(&b), one.cmp(&other));
            prop_assert_eq!(CrlNumber::from_der(&a.to_der()), Ok(a));
            prop_assert_eq!(a.to_string(), one.to_string());
        }
    }
}
