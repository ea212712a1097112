//! A ledger that lasts as long as the process.

use std::{
    collections::{HashMap, HashSet, hash_map::Entry},
    future::ready,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use issuance::{ChallengeId, Earlier, Intent, IntentOutcome, IssuanceLog, LogError, Spend, TransactionKey};
use pki_core::{BoxFuture, CertRef, Certificate, UnixTime};

use crate::{
    EarlierRequest, EnrollmentStore, MOST_WAITING, MOST_WAITING_OF_ONE_OBJECT, PendingRequest, QueueOutcome,
    QueuedRequest, StoreError, StoredChallenge, Verdict,
};

/// How long a repeated transaction gets the certificate that it got before.
const WINDOW: Duration = Duration::from_secs(24 * 60 * 60);

/// Remembers in memory what a ledger must remember: for examples, tests and demonstrations. When the process ends, so
/// do its promises.
#[derive(Debug, Default)]
pub struct MemoryLedger(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    certificates: HashMap<CertRef, Recorded>,
    transactions: HashMap<TransactionKey, Transaction>,
    challenges: HashMap<ChallengeId, StoredChallenge>,
    /// Challenges that prove themselves, and were spent or burnt.
    used: HashSet<ChallengeId>,
    queue: HashMap<TransactionKey, QueuedRequest>,
}

#[derive(Debug)]
struct Recorded {
    intent: Intent,
    certificate: Option<Certificate>,
}

#[derive(Debug)]
struct Transaction {
    request: [u8; 32],
    certificate: CertRef,
    begun: UnixTime,
}

impl MemoryLedger {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// What was issued, with what it was issued on the strength of; in no order.
    pub fn issued(&self) -> Vec<(Intent, Certificate)> {
        let state = self.state();
        let issued = state.certificates.values();
        issued.filter_map(|recorded| Some((recorded.intent.clone(), recorded.certificate.clone()?))).collect()
    }

    /// How many intents are on record, finished or not.
    pub fn intents(&self) -> usize {
        self.state().certificates.len()
    }

    /// The requests that wait or have waited, in no order.
    pub fn queue(&self) -> Vec<QueuedRequest> {
        self.state().queue.values().cloned().collect()
    }

    /// Decides a request that waits; whether one did.
    pub fn decide(&self, transaction: TransactionKey, verdict: Verdict) -> bool {
        let mut state = self.state();
        let waiting = state.queue.get_mut(&transaction).filter(|queued| queued.verdict == Verdict::Waiting);
        waiting.map(|queued| queued.verdict = verdict).is_some()
    }

    /// Nothing here can panic halfway through a change, so that a poisoned lock still guards a sound state.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn earlier(&self, transaction: TransactionKey, not_before: UnixTime) -> Option<EarlierRequest> {
        let run = self.transactions.get(&transaction).filter(|run| run.begun >= not_before)?;
        let recorded = self.certificates.get(&run.certificate)?;
        let outcome = match &recorded.certificate {
            Some(certificate) => Earlier::Issued(certificate.clone()),
            None => Earlier::Prepared { certificate: run.certificate, tbs: recorded.intent.tbs.clone() },
        };
        Some(EarlierRequest { request: run.request, outcome })
    }

    fn live(&self, id: ChallengeId, now: UnixTime) -> Option<&StoredChallenge> {
        self.challenges.get(&id).filter(|challenge| challenge.expires >= now)
    }

    fn can_spend(&self, spend: Spend, now: UnixTime) -> bool {
        match spend {
            Spend::Stored(id) => self.live(id, now).is_some(),
            Spend::SelfChecking { id, expires } => expires >= now && !self.used.contains(&id),
        }
    }

    fn spend(&mut self, spend: Spend) {
        match spend {
            Spend::Stored(id) => drop(self.challenges.remove(&id)),
            Spend::SelfChecking { id, .. } => drop(self.used.insert(id)),
        }
    }

    fn enqueue(&mut self, request: &PendingRequest) -> QueueOutcome {
        let now = request.created;
        if let Some(QueuedRequest { request: earlier, verdict }) = self.queue.get(&request.transaction)
            && earlier.expires >= now
        {
            match verdict {
                _ if earlier.request == request.request => return QueueOutcome::Repeated(verdict.clone()),
                Verdict::Denied { .. } => {}
                Verdict::Waiting | Verdict::Approved { .. } => return QueueOutcome::TransactionTaken,
            }
        }
        let waiting = self
            .queue
            .values()
            .filter(|queued| queued.verdict == Verdict::Waiting && queued.request.expires >= now);
        let of_object = waiting.clone().filter(|queued| queued.request.object == request.object);
        if waiting.count() >= MOST_WAITING || of_object.count() >= MOST_WAITING_OF_ONE_OBJECT {
            return QueueOutcome::Full;
        }
        if let Some(spend) = request.spends {
            if !self.can_spend(spend, now) {
                return QueueOutcome::ChallengeSpent;
            }
            self.spend(spend);
        }
        let queued = QueuedRequest { request: request.clone(), verdict: Verdict::Waiting };
        self.queue.insert(request.transaction, queued);
        QueueOutcome::Queued
    }

    fn record(&mut self, intent: &Intent) -> IntentOutcome {
        let provenance = &intent.provenance;
        if let Some(earlier) = self.earlier(provenance.transaction, intent.at.saturating_sub(WINDOW)) {
            return if earlier.request == provenance.request {
                IntentOutcome::Repeated(earlier.outcome)
            } else {
                IntentOutcome::TransactionTaken
            };
        }
        if provenance.spends.is_some_and(|spend| !self.can_spend(spend, intent.at)) {
            return IntentOutcome::ChallengeSpent;
        }
        let Entry::Vacant(free) = self.certificates.entry(intent.certificate) else {
            return IntentOutcome::SerialTaken;
        };
        free.insert(Recorded { intent: intent.clone(), certificate: None });
        if let Some(spend) = provenance.spends {
            self.spend(spend);
        }
        let run =
            Transaction { request: provenance.request, certificate: intent.certificate, begun: intent.at };
        self.transactions.insert(provenance.transaction, run);
        IntentOutcome::Recorded
    }
}

impl IssuanceLog for MemoryLedger {
    fn record_intent<'a>(&'a self, intent: &'a Intent) -> BoxFuture<'a, Result<IntentOutcome, LogError>> {
        Box::pin(ready(Ok(self.state().record(intent))))
    }

    fn record_issued<'a>(
        &'a self,
        issued: CertRef,
        certificate: &'a Certificate,
    ) -> BoxFuture<'a, Result<Certificate, LogError>> {
        let mut state = self.state();
        let recorded = state.certificates.get_mut(&issued);
        let on_record =
            recorded.map(|recorded| recorded.certificate.get_or_insert(certificate.clone()).clone());
        Box::pin(ready(
            on_record.ok_or_else(|| LogError::new("there is no intent to issue that certificate")),
        ))
    }
}

impl EnrollmentStore for MemoryLedger {
    fn recall(
        &self,
        transaction: TransactionKey,
        not_before: UnixTime,
    ) -> BoxFuture<'_, Result<Option<EarlierRequest>, StoreError>> {
        Box::pin(ready(Ok(self.state().earlier(transaction, not_before))))
    }

    fn add_challenge<'a>(&'a self, challenge: &'a StoredChallenge) -> BoxFuture<'a, Result<(), StoreError>> {
        self.state().challenges.insert(challenge.id, challenge.clone());
        Box::pin(ready(Ok(())))
    }

    fn live_challenge(
        &self,
        id: ChallengeId,
        now: UnixTime,
    ) -> BoxFuture<'_, Result<Option<StoredChallenge>, StoreError>> {
        Box::pin(ready(Ok(self.state().live(id, now).cloned())))
    }

    fn profile_of(&self, certificate: CertRef) -> BoxFuture<'_, Result<Option<String>, StoreError>> {
        let state = self.state();
        let recorded = state.certificates.get(&certificate);
        Box::pin(ready(Ok(recorded.map(|recorded| recorded.intent.profile.clone()))))
    }

    fn certificate(&self, certificate: CertRef) -> BoxFuture<'_, Result<Option<Certificate>, StoreError>> {
        let state = self.state();
        let recorded = state.certificates.get(&certificate);
        Box::pin(ready(Ok(recorded.and_then(|recorded| recorded.certificate.clone()))))
    }

    fn queue<'a>(&'a self, request: &'a PendingRequest) -> BoxFuture<'a, Result<QueueOutcome, StoreError>> {
        Box::pin(ready(Ok(self.state().enqueue(request))))
    }

    fn queued(
        &self,
        transaction: TransactionKey,
    ) -> BoxFuture<'_, Result<Option<QueuedRequest>, StoreError>> {
        Box::pin(ready(Ok(self.state().queue.get(&transaction).cloned())))
    }

    fn polled(&self, poll: TransactionKey) -> BoxFuture<'_, Result<Option<QueuedRequest>, StoreError>> {
        let state = self.state();
        let asked = state.queue.values().filter(|queued| queued.request.poll == poll);
        Box::pin(ready(Ok(asked.max_by_key(|queued| queued.request.created).cloned())))
    }

    fn burn_challenge<'a>(
        &'a self,
        id: ChallengeId,
        now: UnixTime,
        _why: &'a str,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        let mut state = self.state();
        let was_live = state.live(id, now).is_some();
        state.challenges.remove(&id);
        Box::pin(ready(Ok(was_live)))
    }
    fn burn_unseen<'a>(
        &'a self,
        challenge: &'a StoredChallenge,
        _why: &'a str,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(ready(Ok(self.state().used.insert(challenge.id))))
    }
}
