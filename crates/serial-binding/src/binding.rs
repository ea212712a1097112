//! The seam behind which serial numbers are made and read.

use core::fmt;

use pki_core::{RandomFailed, SecureRandom, SerialNumber};

use crate::BoundObject;

/// A reversible mapping between objects and serial numbers.
pub trait SerialBinding: fmt::Debug + Send + Sync {
    /// A fresh serial number bound to `object`. Two calls give two serial numbers, save for a collision that the
    /// caller notices (it keeps a record) and answers by calling again.
    fn bind(&self, object: &BoundObject, random: &dyn SecureRandom) -> Result<SerialNumber, RandomFailed>;

    /// What `serial` is bound to.
    fn resolve(&self, serial: &SerialNumber) -> Resolution;
}

/// What a serial number turns out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "every caller must decide each case")]
pub enum Resolution {
    /// Bound to this object.
    Object(BoundObject),
    /// Of this CA's making, bound to nothing that the number tells: its status comes from the ledger.
    Unbound,
    /// Not made by this binding, or forged.
    Foreign,
}
