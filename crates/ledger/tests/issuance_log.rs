//! Intents and certificates on record.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    unreachable_pub,
    missing_docs,
    reason = "tests"
)]

mod support;

use std::{
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
    thread,
};

use enrollment::EnrollmentStore as _;
use issuance::{Earlier, Intent, IntentOutcome, IssuanceLog as _, Spend, TransactionKey};
use ledger::{CertificateQuery, ChallengeFate};
use pki_core::{CertRef, IssuerId, UnixTime};
use support::{DAY, Fixture, certificate, challenge, intent, octets32, reference, serial, variant};
use testkit::{NOW, block_on};

fn on_record(fixture: &Fixture) -> usize {
    let everything = CertificateQuery { limit: 10_000, ..CertificateQuery::default() };
    fixture.ledger.reader().certificates(&everything).unwrap().len()
}

#[test]
fn what_was_issued_is_on_record_and_survives() {
    let fixture = Fixture::new();
    let made = fixture.issue(&intent(1));
    let Fixture { clock, ledger, folder } = fixture;
    drop(ledger);
    let ledger =
        ledger::Ledger::open(folder.path().join("ledger.sqlite"), support::settings(&clock)).unwrap();
    let record = ledger.reader().certificate(reference(1)).unwrap().unwrap();
    assert_eq!(record.issued, Some(made));
    assert_eq!(record.issued_at, Some(NOW));
    assert_eq!(record.subject, "CN=laptop-1,O=Example");
    assert_eq!(record.object, Some(support::object(1)));
}

#[test]
fn of_two_certificates_for_one_intent_the_first_counts() {
    let fixture = Fixture::new();
    let first = fixture.issue(&intent(1));
    let second = variant(serial(1), 1);
    assert_ne!(first, second);
    let counts = block_on(fixture.ledger.record_issued(reference(1), &second)).unwrap();
    assert_eq!(counts, first);
    assert_eq!(fixture.ledger.reader().certificate(reference(1)).unwrap().unwrap().issued, Some(first));
}

#[test]
fn a_certificate_without_intent_is_refused() {
    let fixture = Fixture::new();
    let error = block_on(fixture.ledger.record_issued(reference(1), &certificate(serial(1)))).unwrap_err();
    assert!(error.to_string().contains("no intent"), "{error}");
    assert_eq!(on_record(&fixture), 0);
}

#[test]
fn row_73_no_serial_number_is_given_twice() {
    let fixture = Fixture::new();
    block_on(fixture.ledger.add_challenge(&challenge(1))).unwrap();
    fixture.issue(&intent(1));
    let mut other = Intent { certificate: reference(1), ..intent(2) };
    other.provenance.spends = Some(Spend::Stored(challenge(1).id));
    assert!(matches!(fixture.intend(&other), IntentOutcome::SerialTaken));
    let live = block_on(fixture.ledger.live_challenge(challenge(1).id, NOW)).unwrap();
    assert_eq!(live, Some(challenge(1)), "the challenge is not spent");
    other.certificate = reference(2);
    assert!(matches!(fixture.intend(&other), IntentOutcome::Recorded), "nor is the transaction open");
    let elsewhere = CertRef { issuer: IssuerId::from_bytes([9; 32]), serial: serial(1) };
    assert!(matches!(
        fixture.intend(&Intent { certificate: elsewhere, ..intent(3) }),
        IntentOutcome::Recorded
    ));
    assert_eq!(on_record(&fixture), 3);
}

#[test]
fn row_14_a_repeat_gets_what_the_first_run_got() {
    let fixture = Fixture::new();
    assert!(matches!(fixture.intend(&intent(1)), IntentOutcome::Recorded));
    let repeat = Intent { certificate: reference(2), tbs: vec![9], ..intent(1) };
    let IntentOutcome::Repeated(Earlier::Prepared { certificate: prepared, tbs }) = fixture.intend(&repeat)
    else {
        panic!("a repeat");
    };
    assert_eq!((prepared, tbs), (reference(1), intent(1).tbs));
    let made = certificate(serial(1));
    block_on(fixture.ledger.record_issued(reference(1), &made)).unwrap();
    let IntentOutcome::Repeated(Earlier::Issued(issued)) = fixture.intend(&repeat) else {
        panic!("a repeat")
    };
    assert_eq!(issued, made);
    let mut swapped = repeat;
    swapped.provenance.request = octets32(99);
    assert!(matches!(fixture.intend(&swapped), IntentOutcome::TransactionTaken));
    assert_eq!(on_record(&fixture), 1);
}

#[test]
fn a_transaction_may_be_used_anew_once_its_window_has_passed() {
    let fixture = Fixture::new();
    fixture.issue(&intent(1));
    let again = |at: u64| Intent { certificate: reference(2), at: UnixTime(NOW.0 + at), ..intent(1) };
    assert!(matches!(fixture.intend(&again(DAY)), IntentOutcome::Repeated(_)));
    assert!(matches!(fixture.intend(&again(DAY + 1)), IntentOutcome::Recorded));
    assert_eq!(on_record(&fixture), 2, "the first one stays on record");
    let recall = |not_before| {
        let key = intent(1).provenance.transaction;
        block_on(fixture.ledger.recall(key, UnixTime(not_before))).unwrap()
    };
    assert!(
        matches!(recall(NOW.0).unwrap().outcome, Earlier::Prepared { certificate, .. } if certificate == reference(2))
    );
    assert!(recall(NOW.0 + DAY + 2).is_none());
}

#[test]
fn row_13_of_200_who_spend_one_challenge_one_does() {
    let fixture = Fixture::new();
    block_on(fixture.ledger.add_challenge(&challenge(1))).unwrap();
    let spend = |number: u64| {
        let mut intent = intent(number);
        intent.provenance.spends = Some(Spend::Stored(challenge(1).id));
        fixture.intend(&intent)
    };
    let outcomes: Vec<_> = thread::scope(|scope| {
        let numbers: Vec<_> = (0..8).collect();
        let threads = numbers.iter().map(|&thread| {
            let spend = &spend;
            scope.spawn(move || (0..25).map(|number| spend(thread * 25 + number)).collect::<Vec<_>>())
        });
        let threads: Vec<_> = threads.collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    });
    let refused = outcomes.iter().filter(|outcome| matches!(outcome, IntentOutcome::ChallengeSpent)).count();
    let recorded = outcomes.iter().filter(|outcome| matches!(outcome, IntentOutcome::Recorded)).count();
    assert_eq!((recorded, refused), (1, 199));
    assert_eq!(on_record(&fixture), 1);
}

#[test]
fn the_request_that_spent_a_challenge_may_be_repeated_and_no_other() {
    let fixture = Fixture::new();
    block_on(fixture.ledger.add_challenge(&challenge(1))).unwrap();
    let mut first = intent(1);
    first.provenance.spends = Some(Spend::Stored(challenge(1).id));
    assert!(matches!(fixture.intend(&first), IntentOutcome::Recorded));
    assert!(matches!(fixture.intend(&first), IntentOutcome::Repeated(Earlier::Prepared { .. })));
    let mut elsewhere = Intent { certificate: reference(2), ..first };
    elsewhere.provenance.transaction = TransactionKey::new("default", b"another", &[7; 32]);
    assert!(matches!(fixture.intend(&elsewhere), IntentOutcome::ChallengeSpent));
    let fates = fixture.ledger.reader().challenges(10).unwrap();
    assert_eq!(fates[0].fate, ChallengeFate::Spent { at: NOW });
}

#[test]
fn challenges_that_expired_or_were_never_made_are_as_good_as_spent() {
    let fixture = Fixture::new();
    block_on(fixture.ledger.add_challenge(&challenge(1))).unwrap();
    let spend = |number, at: u64| {
        let mut intent = Intent { at: UnixTime(NOW.0 + at), ..intent(number) };
        intent.provenance.spends = Some(Spend::Stored(challenge(number).id));
        fixture.intend(&intent)
    };
    assert!(matches!(spend(2, 0), IntentOutcome::ChallengeSpent), "never made");
    assert!(matches!(spend(1, 601), IntentOutcome::ChallengeSpent), "expired");
    assert!(matches!(spend(1, 600), IntentOutcome::Recorded), "its last second");
}

/// Starts `future`, which queues what it has to write.
fn start<F: Future + ?Sized>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn one_that_fails_leaves_the_others_of_its_batch_alone() {
    let fixture = Fixture::new();
    block_on(fixture.ledger.add_challenge(&challenge(1))).unwrap();
    let other_program = rusqlite::Connection::open(fixture.path()).unwrap();
    other_program.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (doubled, intents) = (challenge(1), [intent(1), intent(2), intent(3)]);
    // The writer waits with the first; the others queue up and share a transaction.
    let mut first = pin!(fixture.ledger.record_intent(&intents[0]));
    let mut second = pin!(fixture.ledger.record_intent(&intents[1]));
    let mut failing = pin!(fixture.ledger.add_challenge(&doubled));
    let mut third = pin!(fixture.ledger.record_intent(&intents[2]));
    assert!(start(first.as_mut()).is_pending() && start(second.as_mut()).is_pending());
    assert!(start(failing.as_mut()).is_pending() && start(third.as_mut()).is_pending());
    other_program.execute_batch("COMMIT").unwrap();
    for future in [first, second, third] {
        assert!(matches!(block_on(future).unwrap(), IntentOutcome::Recorded));
    }
    let error = block_on(failing).unwrap_err();
    assert!(error.to_string().contains("ledger.sqlite"), "{error}");
    assert_eq!(on_record(&fixture), 3);
}

#[test]
fn a_queue_that_is_full_is_an_error_and_not_a_pile() {
    let fixture = Fixture::new();
    let other_program = rusqlite::Connection::open(fixture.path()).unwrap();
    other_program.execute_batch("BEGIN IMMEDIATE").unwrap();
    let intents: Vec<_> = (0..1300).map(intent).collect();
    let (mut waiting, mut refused) = (Vec::new(), Vec::new());
    for intent in &intents {
        let mut future = fixture.ledger.record_intent(intent);
        match start(future.as_mut()) {
            Poll::Ready(outcome) => refused.push(outcome.unwrap_err().to_string()),
            Poll::Pending => waiting.push(future),
        }
    }
    // 1024 queue up, and one has been taken from the queue.
    assert!((1024..=1025).contains(&waiting.len()), "{}", waiting.len());
    assert!(refused.iter().all(|error| error.contains("too much to write")));
    other_program.execute_batch("COMMIT").unwrap();
    for future in waiting {
        assert!(matches!(block_on(future).unwrap(), IntentOutcome::Recorded));
    }
}

#[test]
fn what_was_queued_is_written_before_the_ledger_is_closed() {
    let fixture = Fixture::new();
    let intents: Vec<_> = (0..50).map(intent).collect();
    let ledger = fixture.second();
    let mut waiting: Vec<_> = intents.iter().map(|intent| ledger.record_intent(intent)).collect();
    for future in &mut waiting {
        let _ = start(future.as_mut());
    }
    drop(waiting);
    drop(ledger);
    assert_eq!(on_record(&fixture), 50);
}
