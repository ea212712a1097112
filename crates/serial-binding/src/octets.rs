//! The twenty octets of a serial number, as integers.

use pki_core::{RandomFailed, SecureRandom, SerialNumber};

/// Twenty octets taken apart: the first one, and the other 152 bits in two halves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Octets {
    pub(crate) first: u8,
    pub(crate) body: Halves,
}

/// A string of 152 bits, as two numbers of 76 bits each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Halves {
    pub(crate) left: u128,
    pub(crate) right: u128,
}

impl Halves {
    /// The greatest value of a half.
    pub(crate) const MASK: u128 = (1 << 76) - 1;
}

impl Octets {
    /// `None` for a number of fewer than 20 octets, which no layout has.
    pub(crate) fn of(serial: &SerialNumber) -> Option<Self> {
        let octets: &[u8; 20] = serial.as_be_bytes().try_into().ok()?;
        let [first, a, b, c, low @ ..] = *octets;
        let high = u128::from(u32::from_be_bytes([0, a, b, c]));
        let low = u128::from_be_bytes(low);
        Some(Self { first, body: Halves { left: high << 52 | low >> 76, right: low & Halves::MASK } })
    }

    /// The serial number. The first octet must be 0x10 to 0x7F, as that of every layout is: then the number is positive
    /// and has 20 octets.
    pub(crate) fn serial(self) -> Result<SerialNumber, RandomFailed> {
        let Halves { left, right } = self.body;
        let [.., a, b, c] = (left >> 52).to_be_bytes();
        let mut octets = [0; 20];
        let [first, high @ .., _, _, _, _, _, _, _, _, _, _, _, _, _, _, _, _] = &mut octets;
        *first = self.first;
        *high = [a, b, c];
        let [_, _, _, _, low @ ..] = &mut octets;
        *low = (left << 76 | right).to_be_bytes();
        // No first octet in use can be refused; if one were, issuing nothing is the right answer.
        SerialNumber::from_be_bytes(&octets).map_err(|_| RandomFailed)
    }
}

/// `N` random octets as a number.
pub(crate) fn random_bits<const N: usize>(random: &dyn SecureRandom) -> Result<u128, RandomFailed> {
    let mut octets = [0; N];
    random.fill(&mut octets)?;
    Ok(octets.into_iter().fold(0, |number, octet| number << 8 | u128::from(octet)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn octets_read_back(octets in any::<[u8; 20]>(), first in 0x10..=0x7F_u8) {
            let mut octets = octets;
            octets[0] = first;
            let serial = SerialNumber::from_be_bytes(&octets).unwrap();
            let parts = Octets::of(&serial).unwrap();
            prop_assert_eq!(parts.first, first);
            prop_assert!(parts.body.left <= Halves::MASK && parts.body.right <= Halves::MASK);
            prop_assert_eq!(parts.serial().unwrap(), serial);
        }

        #[test]
        fn shorter_numbers_are_none(octets in prop::collection::vec(1..=0x7F_u8, 1..20)) {
            prop_assert_eq!(Octets::of(&SerialNumber::from_be_bytes(&octets).unwrap()), None);
        }
    }
}
