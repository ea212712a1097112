//! The seam behind which date and serial number follow from the request.

use std::{fmt, sync::Arc};

use pki_core::{SecureRandom, UnixTime};

use crate::{Authorized, CertificateRequest, Issuer, PrepareError};

/// Makes of a request, and of nothing that a repeat of it would not have, what otherwise comes from the clock and from
/// chance: so that a repeat makes the same certificate where no record tells what was issued before.
pub trait Derivation: fmt::Debug + Send + Sync {
    /// For a certificate that `issuer` is to issue, asked for at `now`.
    fn derive(
        &self,
        request: &Authorized<CertificateRequest>,
        issuer: &Issuer,
        now: UnixTime,
    ) -> Result<Derived, PrepareError>;
}

/// What an issuance takes in the place of the clock and of chance.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "built by derivations, read by issuance")]
pub struct Derived {
    /// When the certificate counts as issued; its validity begins then, less the profile's backdating.
    pub at: UnixTime,
    /// What its serial number is made of; a further number of what comes next.
    pub random: Arc<dyn SecureRandom>,
}
