//! Revokes what Intune wants revoked.

use std::{sync::Arc, time::Duration};

use challenge_intune::{IntuneRevocation, RevocationResult};
use ledger::{Ledger, RevocationOrder, RevokeError};
use pki_core::{CertRef, Clock, CrlReason, IssuerId};
use prometheus_client::{
    metrics::{counter::Counter, family::Family},
    registry::Registry,
};
use rest_client::RestError;

use crate::intune::Tenant;

/// After a failure.
const TRY_AGAIN_AFTER: Duration = Duration::from_secs(60);

type Labels = Vec<(&'static str, String)>;

/// Asks the Intune of one tenant again and again.
#[derive(Debug)]
pub(crate) struct IntuneRevocations {
    pub(crate) tenant: Tenant,
    pub(crate) every: Duration,
    pub(crate) ledger: Ledger,
    /// Those of every generation of every CA.
    pub(crate) issuers: Vec<IssuerId>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) counted: RevocationCounts,
}

/// What was done about requests to revoke.
#[derive(Debug, Clone, Default)]
pub(crate) struct RevocationCounts(Family<Labels, Counter>);

impl RevocationCounts {
    pub(crate) fn register(&self, registry: &mut Registry) {
        let help = "Requests of Intune's to revoke a certificate, by what was done about them";
        registry.register("certbound_intune_revocations", help, self.0.clone());
    }

    fn count(&self, result: RevocationResult) {
        let result = match result {
            RevocationResult::Revoked => "revoked",
            RevocationResult::NotFound => "not-found",
            RevocationResult::Malformed => "malformed",
            RevocationResult::TryAgain => "failed",
        };
        self.0.get_or_create(&vec![("result", result.to_owned())]).inc();
    }
}

impl IntuneRevocations {
    /// For as long as the runtime runs. What was revoked is on disk before Intune is told; what it has not been told it
    /// asks for again, and revoking again changes nothing.
    pub(crate) async fn run(self: Arc<Self>) {
        let mut untold = Vec::new();
        loop {
            let pause = match self.round(&mut untold).await {
                Ok(()) => self.every,
                Err(error) => {
                    tracing::warn!(%error, "Intune cannot be asked which certificates are to be revoked");
                    TRY_AGAIN_AFTER.min(self.every)
                }
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn round(self: &Arc<Self>, untold: &mut Vec<(String, RevocationResult)>) -> Result<(), RestError> {
        let service = &self.tenant.service;
        // For an hour Intune gives them to nobody: what was not told is told first.
        if untold.is_empty() {
            let wanted = service.download_revocations().await?;
            let revoker = Arc::clone(self);
            // It waits for the disk, which nobody else is to.
            let results = tokio::task::spawn_blocking(move || revoker.revoke_all(wanted)).await;
            untold.extend(results.unwrap_or_default());
        }
        if untold.is_empty() {
            return Ok(());
        }
        let told = service.upload_revocations(untold).await;
        // What is not understood now will not be later; Intune asks again.
        if matches!(told, Ok(()) | Err(RestError::Garbage { .. } | RestError::Refused { .. })) {
            untold.clear();
        }
        told
    }

    fn revoke_all(&self, wanted: Vec<IntuneRevocation>) -> Vec<(String, RevocationResult)> {
        let revoke = |wanted: IntuneRevocation| {
            let result = self.revoke(&wanted);
            self.counted.count(result);
            (wanted.request_context, result)
        };
        wanted.into_iter().map(revoke).collect()
    }

    fn revoke(&self, wanted: &IntuneRevocation) -> RevocationResult {
        let Some(serial) = wanted.serial() else { return RevocationResult::Malformed };
        let mut issuers = self.issuers.clone();
        // What Intune was told at issuance; a tenant whose certificates were issued before that has not been.
        if let Some(told) = wanted.issuer().filter(|told| issuers.contains(told)) {
            issuers = vec![told];
        }
        for issuer in issuers {
            match self.revoke_of(CertRef { issuer, serial }) {
                RevocationResult::NotFound => {}
                result => return result,
            }
        }
        tracing::warn!(%serial, "Intune wants a certificate revoked that it has not had issued here");
        RevocationResult::NotFound
    }

    /// Only certificates that this tenant let through: no tenant revokes another's.
    fn revoke_of(&self, certificate: CertRef) -> RevocationResult {
        let serial = certificate.serial;
        let record = match self.ledger.reader().certificate(certificate) {
            Ok(Some(record)) if self.tenant.profiles.contains(&record.profile) => record,
            Ok(_) => return RevocationResult::NotFound,
            Err(error) => {
                tracing::error!(%serial, %error, "a certificate that Intune wants revoked cannot be looked up");
                return RevocationResult::TryAgain;
            }
        };
        let order = RevocationOrder {
            certificate,
            reason: CrlReason::CessationOfOperation,
            since: self.clock.now(),
            actor: String::from("Intune"),
        };
        match self.ledger.revoke(&order) {
            Ok(()) => {
                tracing::info!(%serial, subject = record.subject, "a certificate was revoked because Intune wants it");
                RevocationResult::Revoked
            }
            Err(RevokeError::Final { .. }) => RevocationResult::Revoked,
            Err(RevokeError::NotOnRecord(_)) => RevocationResult::NotFound,
            Err(error) => {
                tracing::error!(%serial, %error, "a certificate that Intune wants revoked cannot be revoked");
                RevocationResult::TryAgain
            }
        }
    }
}
