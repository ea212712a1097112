//! One layout to make, every layout to read.

use alloc::vec::Vec;

use pki_core::{PublicKey, RandomFailed, SecureRandom, SerialNumber};

use crate::{
    BoundObject, KeyId, PlainBinding, Resolution, ScepmanSerials, SealedBinding, SerialBinding, SerialKey,
    octets::Octets, opaque, plain, sealed,
};

/// Makes serial numbers in one layout and reads them in every layout that it was told to.
///
/// Keys rotate like this: the new key, under an id not in use, goes to [`SerialBindings::sealed`], and each key before
/// it to [`SerialBindings::with_earlier_key`] until the last certificate sealed with it has expired. Responders get the
/// new key before the issuer does.
///
/// ```
/// # use pki_core::PublicKey;
/// # use serial_binding::{KeyId, KeyIdTaken, SerialBindings, SerialKey};
/// # fn set_up(issuer: &PublicKey, new: &SerialKey, old: &SerialKey) -> Result<SerialBindings, KeyIdTaken> {
/// SerialBindings::sealed(new, issuer).with_earlier_key(old)
/// # }
/// ```
#[derive(Debug)]
pub struct SerialBindings {
    issuer: [u8; 32],
    /// Seals what is made; without it, plain numbers are made.
    sealing: Option<SealedBinding>,
    earlier: Vec<SealedBinding>,
    plain: Plain,
    scepman: Option<ScepmanSerials>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plain {
    Read,
    Foreign,
}

impl SerialBindings {
    /// Makes sealed serial numbers (v2) for the CA whose public key is `issuer`; reads these and opaque ones (v3).
    pub fn sealed(key: &SerialKey, issuer: &PublicKey) -> Self {
        let issuer = issuer.fingerprint();
        let sealing = Some(SealedBinding::of_fingerprint(key, &issuer));
        Self { issuer, sealing, earlier: Vec::new(), plain: Plain::Foreign, scepman: None }
    }

    /// Makes plain serial numbers (v1) for the CA whose public key is `issuer`; reads these and opaque ones (v3).
    pub fn plain(issuer: &PublicKey) -> Self {
        let issuer = issuer.fingerprint();
        Self { issuer, sealing: None, earlier: Vec::new(), plain: Plain::Read, scepman: None }
    }

    /// Reads what `key` sealed as well.
    pub fn with_earlier_key(mut self, key: &SerialKey) -> Result<Self, KeyIdTaken> {
        if self.keyed(key.id()).is_some() {
            return Err(KeyIdTaken(key.id()));
        }
        self.earlier.push(SealedBinding::of_fingerprint(key, &self.issuer));
        Ok(self)
    }

    /// Reads plain serial numbers (v1) as well. Off unless asked for: anyone can make one for an object of their choice,
    /// and have the directory asked about it.
    #[must_use]
    pub fn with_plain(mut self) -> Self {
        self.plain = Plain::Read;
        self
    }

    /// Reads SCEPman's serial numbers as well. They can be forged as easily as plain ones.
    #[must_use]
    pub fn with_scepman(mut self, scepman: ScepmanSerials) -> Self {
        self.scepman = Some(scepman);
        self
    }

    fn keyed(&self, id: KeyId) -> Option<&SealedBinding> {
        self.sealing.iter().chain(&self.earlier).find(|sealed| sealed.key_id() == id)
    }

    fn open(&self, octets: Octets) -> Option<BoundObject> {
        match octets.first & 0xF0 {
            plain::FIRST_OCTET if self.plain == Plain::Read => plain::open(octets),
            sealed::FIRST_OCTET => self.keyed(KeyId::new(octets.first & 0x0F)?)?.open(octets),
            _ => None,
        }
    }
}

impl SerialBinding for SerialBindings {
    fn bind(&self, object: &BoundObject, random: &dyn SecureRandom) -> Result<SerialNumber, RandomFailed> {
        match &self.sealing {
            Some(sealed) => sealed.bind(object, random),
            None => PlainBinding.bind(object, random),
        }
    }

    fn resolve(&self, serial: &SerialNumber) -> Resolution {
        match Octets::of(serial) {
            None => Resolution::Foreign,
            Some(octets) if octets.first == opaque::FIRST_OCTET => Resolution::Unbound,
            Some(octets) if octets.first >= 0x40 => {
                self.scepman.map_or(Resolution::Foreign, |scepman| scepman.resolve(serial))
            }
            Some(octets) => self.open(octets).map_or(Resolution::Foreign, Resolution::Object),
        }
    }
}

/// Two keys of the same id: nothing could tell which of them sealed a serial number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there is already a serial key of id {0}; give each key an id of its own, 0 to 15")]
pub struct KeyIdTaken(KeyId);
