//! The seam behind which challenges and transactions are remembered.

use std::fmt;

use issuance::{ChallengeId, Earlier, TransactionKey};
use pki_core::{BoxFuture, CertRef, Certificate, UnixTime};
use serial_binding::BoundObject;

use crate::{PendingRequest, QueueOutcome, QueuedRequest};

/// Remembers challenges and transactions. Spending a challenge is not here: it happens with
/// [`IssuanceLog::record_intent`](issuance::IssuanceLog::record_intent), in the transaction that claims the serial.
pub trait EnrollmentStore: fmt::Debug + Send + Sync {
    /// What an earlier run of this transaction asked for and got, if it began at or after `not_before`.
    fn recall(
        &self,
        transaction: TransactionKey,
        not_before: UnixTime,
    ) -> BoxFuture<'_, Result<Option<EarlierRequest>, StoreError>>;

    /// Stores a fresh challenge.
    fn add_challenge<'a>(&'a self, challenge: &'a StoredChallenge) -> BoxFuture<'a, Result<(), StoreError>>;

    /// The challenge, if it is neither spent, burnt nor expired at `now`.
    fn live_challenge(
        &self,
        id: ChallengeId,
        now: UnixTime,
    ) -> BoxFuture<'_, Result<Option<StoredChallenge>, StoreError>>;

    /// The name of the profile that a certificate was issued with; `None` when it is not on record, which is what a store
    /// that keeps no such record says of every certificate.
    fn profile_of(&self, certificate: CertRef) -> BoxFuture<'_, Result<Option<String>, StoreError>> {
        let _ = certificate;
        Box::pin(std::future::ready(Ok(None)))
    }

    /// A certificate that was issued; `None` when it is not on record.
    fn certificate(&self, certificate: CertRef) -> BoxFuture<'_, Result<Option<Certificate>, StoreError>> {
        let _ = certificate;
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Has a request wait for a person. In one transaction it spends the challenge and opens the transaction, or does
    /// none of these. A request that was denied, or that expired, gives its place to another one of its transaction.
    ///
    /// Profiles with an [`ApprovalPolicy`](crate::ApprovalPolicy) need a store that can do this.
    fn queue<'a>(&'a self, request: &'a PendingRequest) -> BoxFuture<'a, Result<QueueOutcome, StoreError>> {
        let _ = request;
        let unable = StoreError::new("it keeps no requests for approval: take a ledger that does");
        Box::pin(std::future::ready(Err(unable)))
    }

    /// The request that waits or has waited in this transaction, expired or not.
    fn queued(
        &self,
        transaction: TransactionKey,
    ) -> BoxFuture<'_, Result<Option<QueuedRequest>, StoreError>> {
        let _ = transaction;
        Box::pin(std::future::ready(Ok(None)))
    }

    /// The latest one with this [`PendingRequest::poll`].
    fn polled(&self, poll: TransactionKey) -> BoxFuture<'_, Result<Option<QueuedRequest>, StoreError>> {
        let _ = poll;
        Box::pin(std::future::ready(Ok(None)))
    }

    /// Makes the challenge useless: it was used for what it was not made for. Returns whether it was live.
    fn burn_challenge<'a>(
        &'a self,
        id: ChallengeId,
        now: UnixTime,
        why: &'a str,
    ) -> BoxFuture<'a, Result<bool, StoreError>>;

    /// The same for a challenge that proves itself, and that nobody may have spent yet: it is remembered as burnt. A store
    /// that remembers nothing says that there was nothing to burn.
    fn burn_unseen<'a>(
        &'a self,
        challenge: &'a StoredChallenge,
        why: &'a str,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let _ = (challenge, why);
        Box::pin(std::future::ready(Ok(false)))
    }
}

/// A one-time challenge as it is stored: by its keyed hash, with what it is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built by enrollment, read by every store")]
pub struct StoredChallenge {
    /// The keyed hash of the secret.
    pub id: ChallengeId,
    /// The profile that it enrolls with.
    pub profile: String,
    /// The object that the certificate will be bound to.
    pub object: BoundObject,
    /// Last second at which it can be spent.
    pub expires: UnixTime,
    /// When it was made.
    pub created: UnixTime,
}

/// What a transaction asked for before.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "built by every store")]
pub struct EarlierRequest {
    /// SHA-256 of what makes a repeat a repeat: [`Provenance::request`](issuance::Provenance::request).
    pub request: [u8; 32],
    /// How far it came.
    pub outcome: Earlier,
}

/// The store could not be read or written; the requester must try again later.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the enrollment store failed: {0}")]
pub struct StoreError(String);

impl StoreError {
    /// With the cause as the store tells it.
    pub fn new(cause: impl fmt::Display) -> Self {
        Self(cause.to_string())
    }
}
