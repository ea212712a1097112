//! Version 3: serial numbers bound to nothing.

use pki_core::{RandomFailed, SecureRandom, SerialNumber};

use crate::octets::{Halves, Octets, random_bits};

/// The first octet of every opaque serial number.
pub(crate) const FIRST_OCTET: u8 = 0x30;

/// A serial number of 152 random bits, for a certificate that is bound to nothing: its status comes from the ledger.
pub fn opaque_serial(random: &dyn SecureRandom) -> Result<SerialNumber, RandomFailed> {
    let low = random_bits::<16>(random)?;
    let high = random_bits::<3>(random)?;
    let body = Halves { left: high << 52 | low >> 76, right: low & Halves::MASK };
    Octets { first: FIRST_OCTET, body }.serial()
}
