//! What is to be certified.

use std::sync::Arc;

use pki_core::{GeneralName, Name, PublicKey};
use serial_binding::BoundObject;

use crate::Profile;

/// What is to be certified: every name as it will stand in the certificate. Whoever makes this has checked the names;
/// nothing but they and the key depend on the requester.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "built by enrollment")]
pub struct CertificateRequest {
    /// The whole subject, fixed parts and all.
    pub subject: Name,
    /// Alternative names, if any.
    pub subject_alt_names: Vec<GeneralName>,
    /// The key to be certified.
    pub public_key: PublicKey,
    /// What the serial number will be bound to; `None` for a certificate whose status only the ledger knows.
    pub object: Option<BoundObject>,
    /// How it is certified.
    pub profile: Arc<Profile>,
}
