//! Status for what is on record only.

use std::sync::Arc;

use pki_core::{BoxFuture, CertRef, Clock, SerialNumber};
use revocation::{RevocationSource, SourceError, Standing, StatusReport};

use crate::{LedgerError, LedgerReader};

/// Asks another source, but not about certificates that were never issued where the serial number alone does not show
/// that it is ours (see `docs/serial-binding.md`):
///
/// * plain ones (version 1), which anyone can make up: those on record are asked about, the others are nobody's;
/// * opaque ones (version 3), which are bound to nothing: those on record are good, the others are nobody's.
///
/// Sealed ones go straight to the other source.
#[derive(Debug)]
pub struct IssuedOnly {
    source: Arc<dyn RevocationSource>,
    ledger: LedgerReader,
    clock: Arc<dyn Clock>,
}

/// What the first octet of a serial number says of it.
enum Layout {
    Plain,
    Opaque,
    Other,
}

impl IssuedOnly {
    /// Asks `source` about what is on record in `ledger`.
    pub fn new(source: Arc<dyn RevocationSource>, ledger: LedgerReader, clock: Arc<dyn Clock>) -> Self {
        Self { source, ledger, clock }
    }

    fn of_record(&self, certificate: CertRef, issued: Standing) -> Result<StatusReport, SourceError> {
        let unavailable = |error: LedgerError| SourceError::unavailable("the ledger", error);
        let known_at = self.clock.now();
        let is_issued = self.ledger.issued_at(certificate).map_err(unavailable)?.is_some();
        let standing = if is_issued { issued } else { Standing::NotMine };
        // What was never issued may be issued the moment after.
        Ok(StatusReport { standing, known_at, reliable_until: (!is_issued).then_some(known_at) })
    }
}

impl RevocationSource for IssuedOnly {
    fn status(&self, certificate: CertRef) -> BoxFuture<'_, Result<StatusReport, SourceError>> {
        let on_record = match layout(&certificate.serial) {
            Layout::Other => return self.source.status(certificate),
            Layout::Opaque => {
                return Box::pin(std::future::ready(self.of_record(certificate, Standing::Good)));
            }
            Layout::Plain => self.of_record(certificate, Standing::Good),
        };
        match on_record {
            Ok(StatusReport { standing: Standing::Good, .. }) => self.source.status(certificate),
            nobodys_or_unknown => Box::pin(std::future::ready(nobodys_or_unknown)),
        }
    }

    fn epoch(&self) -> Option<u64> {
        self.source.epoch()
    }

    fn name(&self) -> &'static str {
        self.source.name()
    }
}

fn layout(serial: &SerialNumber) -> Layout {
    match serial.as_be_bytes() {
        [0x10..=0x1F, rest @ ..] if rest.len() == 19 => Layout::Plain,
        [0x30, rest @ ..] if rest.len() == 19 => Layout::Opaque,
        _ => Layout::Other,
    }
}
