//! Authorities outside that have a say in enrollments, and what is done for them in the background.

use std::{sync::Arc, time::Duration};

use directory::Directory;
use enrollment::{ChallengeValidator, Outbox};
use issuance::IssuanceLog;
use ledger::Ledger;
use ocsp_server::ServerError;
use pki_core::{Clock, IssuerId};
use prometheus_client::registry::Registry;

use crate::{
    deliveries::Deliveries,
    intune::Tenants,
    intune_revocations::{IntuneRevocations, RevocationCounts},
    settings::{ProfileSettings, Settings},
    told_at_once::{Carriers, ToldAtOnce, ToldOnce},
};

/// The services of authorities outside.
#[derive(Debug)]
pub(crate) struct Outside {
    tenants: Tenants,
    carriers: Arc<Carriers>,
    kept: Option<Kept>,
    revocations: RevocationCounts,
    clock: Arc<dyn Clock>,
}

/// What there is where notices are kept.
#[derive(Debug, Clone)]
struct Kept {
    ledger: Ledger,
    deliveries: Arc<Deliveries>,
}

impl Outside {
    /// Gets ready. None of them is asked yet. Without a ledger what they are to be told is not kept.
    pub(crate) fn open(
        settings: &Settings,
        ledger: Option<&Ledger>,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, ServerError> {
        let tenants = Tenants::open(settings, clock)?;
        let kept = ledger.map(|ledger| Kept {
            ledger: ledger.clone(),
            deliveries: Arc::new(Deliveries::new(
                ledger.clone(),
                tenants.carriers().map(|(carrier, _)| carrier),
                Arc::clone(clock),
            )),
        });
        let carriers = tenants.carriers().map(|carrier| (carrier.0.kind().to_owned(), carrier));
        Ok(Self {
            carriers: Arc::new(carriers.collect()),
            tenants,
            kept,
            revocations: RevocationCounts::default(),
            clock: Arc::clone(clock),
        })
    }

    /// What decides for a profile.
    pub(crate) fn validator(
        &self,
        profile: &ProfileSettings,
        directory: &Arc<dyn Directory>,
    ) -> Result<Arc<dyn ChallengeValidator>, String> {
        let outbox: Arc<dyn Outbox> = match &self.kept {
            Some(kept) => Arc::new(kept.ledger.clone()),
            None => Arc::new(ToldOnce(Arc::clone(&self.carriers))),
        };
        self.tenants.authority(profile, directory, outbox)
    }

    /// Tells of each certificate before it is handed out, where there is no ledger.
    pub(crate) fn telling_at_once(&self, log: Arc<dyn IssuanceLog>) -> Arc<dyn IssuanceLog> {
        if self.carriers.is_empty() {
            return log;
        }
        Arc::new(ToldAtOnce::new(log, Arc::clone(&self.carriers)))
    }

    /// Who must have heard of the certificates of a profile before they are handed out, and how long that is waited for.
    pub(crate) fn confirming(&self, profile: &str) -> Option<(Arc<Deliveries>, Duration)> {
        let patience = self.tenants.of_profile(profile)?.patience?;
        Some((Arc::clone(&self.kept.as_ref()?.deliveries), patience))
    }

    pub(crate) fn register(&self, registry: &mut Registry) {
        if let Some(kept) = self.kept.as_ref().filter(|_| !self.carriers.is_empty()) {
            kept.deliveries.register(registry);
            self.revocations.register(registry);
        }
    }

    /// Begins to deliver notices, and to revoke what is to be revoked of the certificates of `issuers`. Runs within tokio.
    pub(crate) fn start(&self, issuers: &[IssuerId]) {
        let Some(kept) = self.kept.as_ref().filter(|_| !self.carriers.is_empty()) else { return };
        tokio::spawn(Arc::clone(&kept.deliveries).run());
        for tenant in self.tenants.iter() {
            let Some(every) = tenant.revocations else { continue };
            let revocations = IntuneRevocations {
                tenant: tenant.clone(),
                every,
                ledger: kept.ledger.clone(),
                issuers: issuers.to_vec(),
                clock: Arc::clone(&self.clock),
                counted: self.revocations.clone(),
            };
            tokio::spawn(Arc::new(revocations).run());
        }
    }
}
