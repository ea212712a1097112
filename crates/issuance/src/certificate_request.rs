//! What is to be certified.

use std::{sync::Arc, time::Duration};

use pki_core::{GeneralName, KeyUsage, Name, Oid, PublicKey};
use serial_binding::BoundObject;

use crate::{MicrosoftIds, Profile, SecurityIdentifier, profile::SHORTEST};

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
    /// How long it is to be valid, if less than the profile gives.
    pub validity: Option<Duration>,
    /// What it is to be good for, if less than the profile gives.
    pub usages: Option<Usages>,
    /// The Windows account of the object, to go into an extension.
    pub security_identifier: Option<SecurityIdentifier>,
    /// The tenant and the device in Microsoft Entra, to go into extensions.
    pub microsoft_ids: MicrosoftIds,
}

impl CertificateRequest {
    /// How long it will be valid from the moment from which it counts, the CA's own end aside.
    pub fn life(&self) -> Duration {
        let most = self.profile.settings().validity;
        self.validity.map_or(most, |asked| asked.min(most)).max(SHORTEST)
    }
}

/// What a certificate is to be good for. The profile's own are the most that is given: more is an error.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built by enrollment")]
pub struct Usages {
    /// keyUsage; `None` for all of the profile's.
    pub key_usage: Option<KeyUsage>,
    /// extKeyUsage; empty for all of the profile's.
    pub extended: Vec<Oid>,
}
