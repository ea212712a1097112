//! What stands where a ledger would.

use std::future::ready;

use enrollment::{EarlierRequest, EnrollmentStore, StoreError, StoredChallenge};
use issuance::{
    ChallengeId, Intent, IntentOutcome, IssuanceLog, LogError, Provenance, Spend, TransactionKey,
};
use pki_core::{BoxFuture, CertRef, Certificate, UnixTime};

/// Remembers nothing. Every request is a new one to it, which is harmless where a repeat makes the same certificate; no
/// challenge can be stored, and none is ever found.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "it has no state and never will")]
pub struct NoRecord;

impl IssuanceLog for NoRecord {
    /// The one number known to be taken is that of the certificate renewed. A challenge that must be on record is not.
    fn record_intent<'a>(&'a self, intent: &'a Intent) -> BoxFuture<'a, Result<IntentOutcome, LogError>> {
        let Provenance { renews, spends, .. } = &intent.provenance;
        Box::pin(ready(Ok(match spends {
            Some(Spend::Stored(_)) => IntentOutcome::ChallengeSpent,
            _ if *renews == Some(intent.certificate.serial) => IntentOutcome::SerialTaken,
            Some(Spend::SelfChecking { .. }) | None => IntentOutcome::Recorded,
        })))
    }

    fn record_issued<'a>(
        &'a self,
        _issued: CertRef,
        certificate: &'a Certificate,
    ) -> BoxFuture<'a, Result<Certificate, LogError>> {
        Box::pin(ready(Ok(certificate.clone())))
    }
}

impl EnrollmentStore for NoRecord {
    fn recall(
        &self,
        _transaction: TransactionKey,
        _not_before: UnixTime,
    ) -> BoxFuture<'_, Result<Option<EarlierRequest>, StoreError>> {
        Box::pin(ready(Ok(None)))
    }

    fn add_challenge<'a>(&'a self, _challenge: &'a StoredChallenge) -> BoxFuture<'a, Result<(), StoreError>> {
        let unable = StoreError::new(
            "no challenges are kept here: take a ledger, or challenges that check themselves",
        );
        Box::pin(ready(Err(unable)))
    }

    fn live_challenge(
        &self,
        _id: ChallengeId,
        _now: UnixTime,
    ) -> BoxFuture<'_, Result<Option<StoredChallenge>, StoreError>> {
        Box::pin(ready(Ok(None)))
    }

    fn burn_challenge<'a>(
        &'a self,
        _id: ChallengeId,
        _now: UnixTime,
        _why: &'a str,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(ready(Ok(false)))
    }
}
