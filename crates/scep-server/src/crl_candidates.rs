//! What is revoked, for CRLs: by order, and as the OCSP responder tells it.

use std::{collections::HashMap, sync::Arc};

use issuance::{CandidatesUnavailable, CrlCandidate, CrlCandidates, CrlStanding};
use ledger::{CertificateCursor, LedgerReader};
use pki_core::{BoxFuture, CertRef, CrlReason, IssuerId, SerialNumber, UnixTime};
use revocation::{RevocationSource, Standing};

/// Certificates looked at between two chances for others to go on.
const PAGE: u32 = 1000;

/// The revoked certificates of one CA.
#[derive(Debug)]
pub(crate) struct RevokedCertificates {
    pub(crate) issuer: IssuerId,
    /// Orders, and certificates on record.
    pub(crate) ledger: LedgerReader,
    /// What the responder asks, where the list is to say the same; `None` for orders alone.
    pub(crate) source: Option<Arc<dyn RevocationSource>>,
}

impl RevokedCertificates {
    async fn gather(&self, ends_from: UnixTime) -> Result<Vec<CrlCandidate>, CandidatesUnavailable> {
        let orders = self.ledger.revoked_by_order(self.issuer, ends_from);
        let orders = orders.map_err(CandidatesUnavailable::new)?.into_iter().map(|order| {
            let (serial, not_after) = (order.certificate.serial, order.certificate.not_after);
            let standing = CrlStanding::Revoked { since: order.since, reason: order.reason };
            (serial, CrlCandidate { serial, not_after, standing })
        });
        let mut candidates: HashMap<SerialNumber, CrlCandidate> = orders.collect();
        if let Some(source) = &self.source {
            self.ask(&**source, ends_from, &mut candidates).await?;
        }
        Ok(candidates.into_values().collect())
    }

    /// Asks about every certificate on record that is not revoked for ever by order.
    async fn ask(
        &self,
        source: &dyn RevocationSource,
        ends_from: UnixTime,
        candidates: &mut HashMap<SerialNumber, CrlCandidate>,
    ) -> Result<(), CandidatesUnavailable> {
        let mut after = CertificateCursor::default();
        loop {
            let page = self.ledger.issued_certificates(self.issuer, ends_from, after, PAGE);
            let (page, next) = page.map_err(CandidatesUnavailable::new)?;
            if page.is_empty() {
                return Ok(());
            }
            after = next;
            for certificate in page {
                let (serial, not_after) = (certificate.serial, certificate.not_after);
                let known = candidates.get(&serial).map(|candidate| candidate.standing);
                if matches!(known, Some(CrlStanding::Revoked { reason, .. }) if reason != CrlReason::CertificateHold)
                {
                    continue;
                }
                if let Some(standing) = standing(source, CertRef { issuer: self.issuer, serial }).await {
                    candidates.insert(serial, CrlCandidate { serial, not_after, standing });
                }
            }
            tokio::task::yield_now().await;
        }
    }
}

/// `None` for a certificate that nothing stands against.
async fn standing(source: &dyn RevocationSource, certificate: CertRef) -> Option<CrlStanding> {
    match source.status(certificate).await.map(|report| report.standing) {
        Ok(Standing::Good | Standing::NotMine) => None,
        Ok(Standing::Hold { since }) => {
            Some(CrlStanding::Revoked { since, reason: CrlReason::CertificateHold })
        }
        Ok(Standing::Revoked { since, reason }) => Some(CrlStanding::Revoked { since, reason }),
        Err(_) => Some(CrlStanding::NotTold),
    }
}

impl CrlCandidates for RevokedCertificates {
    fn candidates(
        &self,
        ends_from: UnixTime,
    ) -> BoxFuture<'_, Result<Vec<CrlCandidate>, CandidatesUnavailable>> {
        Box::pin(self.gather(ends_from))
    }
}
