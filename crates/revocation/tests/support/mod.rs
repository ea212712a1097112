//! What the tests of revocation share: certificates by number.
#![allow(unreachable_pub, reason = "not every test file uses all of it")]

use pki_core::{CertRef, IssuerId, SerialNumber};

pub fn certificate(serial: u8) -> CertRef {
    CertRef { issuer: IssuerId::from_bytes([1; 32]), serial: SerialNumber::from_be_bytes(&[serial]).unwrap() }
}
