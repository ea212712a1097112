//! Requests at once, and requests after the process was killed.
#![allow(clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, missing_docs, reason = "tests")]

mod support;

use std::{
    sync::{
        Arc, Barrier,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

use directory::{DirectoryError, ObjectState};
use enrollment::{
    EarlierRequest, Enroller, EnrollmentRequest, EnrollmentStore, MemoryLedger, RequestKind, StoreError,
    StoredChallenge,
};
use issuance::{ChallengeId, Intent, IntentOutcome, IssuanceLog as _, Spend, TransactionKey};
use pki_core::{BoxFuture, UnixTime};
use support::{Csr, STATIC, laptop, secret, self_signed, world};
use testkit::block_on;

// clause: RFC 8894 S5
#[test]
fn row_13_of_two_hundred_that_spend_one_challenge_at_once_one_succeeds() {
    let world = world();
    let csr = Csr::with(world.challenge()).signed();
    let signer = self_signed(&csr);
    let start = Barrier::new(200);
    let outcomes: Vec<_> = thread::scope(|scope| {
        let runs: Vec<_> = (0u8..200)
            .map(|number| {
                let (world, csr, signer, start) = (&world, &csr, &signer, &start);
                scope.spawn(move || {
                    start.wait();
                    // Each in a transaction of its own, as 200 thieves would be.
                    world.submit("devices", &[number], csr, signer, RequestKind::Initial)
                })
            })
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let (issued, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
    assert_eq!((issued.len(), refused.len()), (1, 199));
    assert_eq!((world.ledger.intents(), world.ledger.issued().len()), (1, 1));
    for refusal in refused {
        let code = refusal.unwrap_err().code();
        assert!(matches!(code, "challenge-spent" | "challenge-unknown"), "{code}");
    }
}

#[test]
fn row_14_of_two_hundred_equal_requests_at_once_all_get_the_same_certificate() {
    let world = world();
    let csr = Csr::with(world.challenge()).signed();
    let start = Barrier::new(200);
    let certificates: Vec<_> = thread::scope(|scope| {
        let runs: Vec<_> = (0..200)
            .map(|_| {
                scope.spawn(|| {
                    start.wait();
                    world.enroll(&csr).unwrap()
                })
            })
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    assert!(certificates.iter().all(|certificate| *certificate == certificates[0]));
    assert_eq!(world.ledger.intents(), 1);
}

/// Overlooks the transaction until the challenge is looked at, as when it was opened a moment later.
#[derive(Debug)]
struct LateStore(Arc<MemoryLedger>, AtomicBool);

impl EnrollmentStore for LateStore {
    fn recall(
        &self,
        transaction: TransactionKey,
        not_before: UnixTime,
    ) -> BoxFuture<'_, Result<Option<EarlierRequest>, StoreError>> {
        if self.1.load(Ordering::SeqCst) {
            return Box::pin(std::future::ready(Ok(None)));
        }
        self.0.recall(transaction, not_before)
    }

    fn add_challenge<'a>(&'a self, challenge: &'a StoredChallenge) -> BoxFuture<'a, Result<(), StoreError>> {
        self.0.add_challenge(challenge)
    }

    fn live_challenge(
        &self,
        id: ChallengeId,
        now: UnixTime,
    ) -> BoxFuture<'_, Result<Option<StoredChallenge>, StoreError>> {
        self.1.store(false, Ordering::SeqCst);
        self.0.live_challenge(id, now)
    }

    fn burn_challenge<'a>(
        &'a self,
        id: ChallengeId,
        now: UnixTime,
        why: &'a str,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        self.0.burn_challenge(id, now, why)
    }
}

#[test]
fn row_14_a_request_sent_twice_at_once_is_not_refused_for_its_own_challenge() {
    let mut late = None;
    let world = support::world_with(|ledger| {
        let store = Arc::new(LateStore(ledger, AtomicBool::new(false)));
        late = Some(store.clone());
        store
    });
    let csr = Csr::with(world.challenge()).signed();
    let first = world.enroll(&csr).unwrap();
    late.unwrap().1.store(true, Ordering::SeqCst);
    assert_eq!(world.enroll(&csr).unwrap(), first);
}

/// Leaves in the ledger what a process leaves that is killed between intent and signature.
fn interrupted(world: &support::World, csr: &pki_core::CertificationRequest) -> Intent {
    let elsewhere = support::world();
    let earlier = block_on(elsewhere.challenges.create(laptop(), "devices", support::HOUR)).unwrap();
    let twin = Csr::with(earlier).signed();
    elsewhere.enroll(&twin).unwrap();
    let (mut intent, _) = elsewhere.ledger.issued().remove(0);
    let key = csr.public_key().fingerprint();
    intent.provenance.transaction = TransactionKey::new("devices", b"1", &key).at(intent.certificate.issuer);
    intent.provenance.request =
        pki_core::DigestAlgorithm::Sha256.digest(csr.tbs()).unwrap().try_into().unwrap();
    let challenge = csr.challenge_password().unwrap();
    intent.provenance.spends = Some(Spend::Stored(world.challenges.key.one_time_id(challenge)));
    assert!(matches!(block_on(world.ledger.record_intent(&intent)).unwrap(), IntentOutcome::Recorded));
    intent
}

#[test]
fn an_enrollment_that_was_cut_off_is_finished_by_its_repeat() {
    let world = world();
    let csr = Csr::with(world.challenge()).signed();
    let intent = interrupted(&world, &csr);
    let certificate = world.enroll(&csr).unwrap();
    assert_eq!(certificate.tbs(), intent.tbs);
    assert_eq!(world.ledger.intents(), 1);
    assert_eq!(world.enroll(&csr).unwrap(), certificate);
}

#[test]
fn row_44_an_enrollment_that_was_cut_off_is_not_finished_for_a_disabled_object() {
    let world = world();
    let csr = Csr::with(world.challenge()).signed();
    interrupted(&world, &csr);
    world.directory.set_state(laptop(), ObjectState::Disabled { since: None });
    world.refuses(world.enroll(&csr), "object-disabled", 1);
    assert!(world.ledger.issued().is_empty());
}

#[test]
fn who_lost_the_answer_gets_it_again_whatever_has_happened_since() {
    for profile in ["devices", "static"] {
        let world = world();
        let challenge = if profile == "static" { secret(STATIC) } else { world.challenge() };
        let csr = Csr::with(challenge).signed();
        let certificate = world.enroll_with(profile, &csr).unwrap();
        assert_eq!(world.enroll_with(profile, &csr).unwrap(), certificate);
        // That its certificate is no good any more, it learns by OCSP.
        world.directory.set_state(laptop(), ObjectState::Disabled { since: None });
        assert_eq!(world.enroll_with(profile, &csr).unwrap(), certificate);
        *world.directory.outage.lock().unwrap() = Some(DirectoryError::unavailable("map", "no route"));
        assert_eq!(world.enroll_with(profile, &csr).unwrap(), certificate);
        assert_eq!(world.ledger.intents(), 1);
    }
}

#[test]
fn decisions_can_move_between_threads() {
    fn is_send<T: Send>(_: &T) {}
    fn checked(enroller: &Enroller, request: EnrollmentRequest<'_>) {
        is_send(&enroller.enroll(request));
    }
    let _ = checked;
}
