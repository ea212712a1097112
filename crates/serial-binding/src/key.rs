//! Keys that seal serial numbers.

use core::fmt;

use pki_core::{RandomFailed, SecureRandom};
use zeroize::Zeroizing;

/// Which key sealed a serial number: 0 to 15, in the clear in its first octet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId(u8);

impl KeyId {
    /// The id of the first key that a CA has.
    pub const FIRST: Self = Self(0);

    /// Fails above 15.
    pub fn new(number: u8) -> Option<Self> {
        (number < 16).then_some(Self(number))
    }

    /// Its number, 0 to 15.
    pub fn number(self) -> u8 {
        self.0
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// A key that seals serial numbers and opens them again: 32 secret octets and an id. Wiped when dropped, never
/// printed.
///
/// Whoever has it can tell which object a serial number belongs to and can make numbers that look genuine; it signs
/// nothing and revokes nothing. Issuers and responders of one CA share it.
#[derive(Clone)]
pub struct SerialKey {
    id: KeyId,
    octets: Zeroizing<[u8; 32]>,
}

impl SerialKey {
    /// From 32 octets that were drawn at random.
    pub fn from_slice(id: KeyId, octets: &[u8]) -> Result<Self, InvalidSerialKey> {
        let mut key = Self { id, octets: Zeroizing::new([0; 32]) };
        if octets.len() != key.octets.len() {
            return Err(InvalidSerialKey { found: octets.len() });
        }
        key.octets.copy_from_slice(octets);
        Ok(key)
    }

    /// A fresh one.
    pub fn generate(id: KeyId, random: &dyn SecureRandom) -> Result<Self, RandomFailed> {
        let mut key = Self { id, octets: Zeroizing::new([0; 32]) };
        random.fill(&mut *key.octets)?;
        Ok(key)
    }

    /// Which key this is.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// The secret octets.
    pub fn expose(&self) -> &[u8; 32] {
        &self.octets
    }
}

impl fmt::Debug for SerialKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SerialKey(id {}, ..)", self.id)
    }
}

/// Not a key for serial numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a serial key of 32 octets: {found} octets")]
pub struct InvalidSerialKey {
    found: usize,
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn keys_have_32_octets_and_ids_four_bits() {
        for length in [0, 16, 31, 33] {
            assert!(SerialKey::from_slice(KeyId::FIRST, &[1; 64][..length]).is_err(), "{length}");
        }
        assert_eq!(KeyId::new(15).map(KeyId::number), Some(15));
        assert_eq!(KeyId::new(16), None);
    }

    #[test]
    fn row_67_a_key_is_never_printed() {
        let key = SerialKey::from_slice(KeyId::FIRST, &[0xA7; 32]).unwrap();
        assert_eq!(format!("{key:?}"), "SerialKey(id 0, ..)");
    }
}
