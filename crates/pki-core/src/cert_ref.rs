//! Which certificate is meant.

use crate::{IssuerId, SerialNumber};

/// Names one certificate: who issued it, and its serial number. No interface takes a bare serial number, because two
/// CAs may give the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CertRef {
    /// The CA.
    pub issuer: IssuerId,
    /// The number that CA gave.
    pub serial: SerialNumber,
}
