//! Version 1: serial numbers that anyone can read.

use pki_core::{RandomFailed, SecureRandom, SerialNumber};

use crate::{
    BoundObject, ObjectId, ObjectKind, Resolution, SerialBinding,
    octets::{Halves, Octets, random_bits},
};

/// The first octet of a plain serial number, less the kind.
pub(crate) const FIRST_OCTET: u8 = 0x10;

/// Serial numbers that carry the object in the clear.
///
/// ```text
/// kinds 0 to 7:  0x10 + kind (8 bits) | id (128) | random (24)
/// kinds 8 to 13: 0x10 + kind (8 bits) | id (64)  | random (88)
/// ```
///
/// Anyone who sees such a certificate learns the object's id, and anyone can make a number that names an object of
/// their choice, so that a responder which reads them asks its directory whatever it is told to.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "it has no state and never will")]
pub struct PlainBinding;

impl SerialBinding for PlainBinding {
    fn bind(&self, object: &BoundObject, random: &dyn SecureRandom) -> Result<SerialNumber, RandomFailed> {
        let body = match object.id() {
            ObjectId::Uuid(octets) => {
                let id = u128::from_be_bytes(octets);
                Halves { left: id >> 52, right: (id << 24 & Halves::MASK) | random_bits::<3>(random)? }
            }
            ObjectId::Number(number) => {
                let noise = random_bits::<11>(random)?;
                Halves { left: u128::from(number) << 12 | noise >> 76, right: noise & Halves::MASK }
            }
        };
        Octets { first: FIRST_OCTET | object.kind().number(), body }.serial()
    }

    fn resolve(&self, serial: &SerialNumber) -> Resolution {
        let object = Octets::of(serial).filter(|octets| octets.first & 0xF0 == FIRST_OCTET).and_then(open);
        object.map_or(Resolution::Foreign, Resolution::Object)
    }
}

/// What the octets of a plain serial number say.
pub(crate) fn open(octets: Octets) -> Option<BoundObject> {
    let kind = ObjectKind::new(octets.first & 0x0F)?;
    let Halves { left, right } = octets.body;
    let id = if kind.is_numeric() {
        ObjectId::Number(u64::try_from(left >> 12).ok()?)
    } else {
        ObjectId::Uuid((left << 52 | right >> 24).to_be_bytes())
    };
    BoundObject::new(kind, id).ok()
}
