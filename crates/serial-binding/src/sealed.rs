//! Version 2: serial numbers that only the holders of a key can read.

use core::fmt;

use pki_core::{PublicKey, RandomFailed, SecureRandom, SerialNumber};

use crate::{
    BoundObject, KeyId, ObjectId, ObjectKind, Resolution, SerialBinding, SerialKey,
    ff1::Ff1,
    octets::{Halves, Octets, random_bits},
};

/// The first octet of a sealed serial number, less the key id.
pub(crate) const FIRST_OCTET: u8 = 0x20;

/// Serial numbers that carry the object encrypted, under one key. The default.
///
/// ```text
/// 0x20 + key id (8 bits) | FF1-AES-256 of:
///     kinds 0 to 7:  kind (4 bits) | id (128) | nonce (12) | zeros (8)
///     kinds 8 to 13: kind (4 bits) | id (64)  | nonce (24) | zeros (60)
/// ```
///
/// The tweak is the first octet and SHA-256 over the issuer's SubjectPublicKeyInfo, so that two CAs and two keys keep
/// apart. The zeros turn away a forged number without asking the directory: 511 in 512 that claim a UUID, all but one
/// in 2^60 that claim a number.
pub struct SealedBinding {
    key_id: KeyId,
    ff1: Ff1,
}

impl SealedBinding {
    /// Seals with `key` for the CA whose public key is `issuer`.
    pub fn new(key: &SerialKey, issuer: &PublicKey) -> Self {
        Self::of_fingerprint(key, &issuer.fingerprint())
    }

    /// The id of its key.
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    pub(crate) fn of_fingerprint(key: &SerialKey, issuer: &[u8; 32]) -> Self {
        Self { key_id: key.id(), ff1: Ff1::new(key.expose(), first_octet(key.id()), issuer) }
    }

    /// What the octets of a sealed serial number say, if they were sealed with this key for this CA.
    pub(crate) fn open(&self, octets: Octets) -> Option<BoundObject> {
        unpack(self.ff1.decrypt(octets.body))
    }
}

impl SerialBinding for SealedBinding {
    fn bind(&self, object: &BoundObject, random: &dyn SecureRandom) -> Result<SerialNumber, RandomFailed> {
        let body = self.ff1.encrypt(pack(object, random)?);
        Octets { first: first_octet(self.key_id), body }.serial()
    }

    fn resolve(&self, serial: &SerialNumber) -> Resolution {
        let octets = Octets::of(serial).filter(|octets| octets.first == first_octet(self.key_id));
        octets.and_then(|octets| self.open(octets)).map_or(Resolution::Foreign, Resolution::Object)
    }
}

impl fmt::Debug for SealedBinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SealedBinding(key {}, ..)", self.key_id)
    }
}

fn first_octet(key: KeyId) -> u8 {
    FIRST_OCTET | key.number()
}

fn pack(object: &BoundObject, random: &dyn SecureRandom) -> Result<Halves, RandomFailed> {
    let kind = u128::from(object.kind().number()) << 72;
    let nonce = random_bits::<3>(random)?;
    Ok(match object.id() {
        ObjectId::Uuid(octets) => {
            let id = u128::from_be_bytes(octets);
            Halves { left: kind | id >> 56, right: (id << 20 | (nonce & 0xFFF) << 8) & Halves::MASK }
        }
        ObjectId::Number(number) => {
            let left = kind | u128::from(number) << 8 | nonce >> 16;
            Halves { left, right: (nonce & 0xFFFF) << 60 }
        }
    })
}

/// The check is one comparison of all its bits: how many of them are right does not show in the time it takes.
fn unpack(plain: Halves) -> Option<BoundObject> {
    let Halves { left, right } = plain;
    let kind = u8::try_from(left >> 72).ok().and_then(ObjectKind::new)?;
    let (id, check) = if kind.is_numeric() {
        (ObjectId::Number(u64::try_from(left >> 8 & u128::from(u64::MAX)).ok()?), right & ((1 << 60) - 1))
    } else {
        (ObjectId::Uuid((left << 56 | right >> 20).to_be_bytes()), right & 0xFF)
    };
    if check == 0 { BoundObject::new(kind, id).ok() } else { None }
}
