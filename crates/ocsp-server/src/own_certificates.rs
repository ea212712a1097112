//! The status of the CA's own certificate.

use std::sync::Arc;

use pki_core::{BoxFuture, CertRef, Certificate, Clock, IssuerId};
use revocation::{RevocationSource, SourceError, Standing, StatusReport};

/// Calls the certificate of a root good, which is bound to no object of a directory: some firewalls ask about every
/// certificate of a chain. Manual revocations count all the same. Of a CA below another one only that one can speak.
#[derive(Debug)]
pub(crate) struct OwnCertificate {
    certificate: Option<CertRef>,
    clock: Arc<dyn Clock>,
}

impl OwnCertificate {
    pub(crate) fn of(ca: &Certificate, clock: Arc<dyn Clock>) -> Self {
        let is_root = ca.issuer().matches(ca.subject());
        let serial = ca.serial_number().filter(|_| is_root);
        Self { certificate: serial.map(|serial| CertRef { issuer: IssuerId::of(ca), serial }), clock }
    }
}

impl RevocationSource for OwnCertificate {
    fn status(&self, certificate: CertRef) -> BoxFuture<'_, Result<StatusReport, SourceError>> {
        let own = self.certificate == Some(certificate);
        let standing = if own { Standing::Good } else { Standing::NotMine };
        let report = StatusReport { standing, known_at: self.clock.now(), reliable_until: None };
        Box::pin(std::future::ready(Ok(report)))
    }

    fn epoch(&self) -> Option<u64> {
        Some(0)
    }

    fn name(&self) -> &'static str {
        "ca"
    }
}
