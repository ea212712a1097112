//! Requests that wait for a person.
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
    sync::{Arc, Barrier},
    thread,
};

use enrollment::{
    EnrollmentStore as _, MOST_WAITING_OF_ONE_OBJECT, PendingRequest, QueueOutcome, QueuedRequest, Verdict,
};
use issuance::{Spend, TransactionKey};
use ledger::{ChallengeFate, DecisionError, Ledger, PendingQuery};
use pki_core::{
    Name, RequestedExtensions, SignatureAlgorithm, SigningKey as _, UnixTime, UnsignedCertificationRequest,
};
use support::{DAY, Fixture, challenge, object, octets32, serial};
use testkit::{NOW, block_on, keys};

const WEEK: u64 = 7 * DAY;

fn key(number: u64) -> TransactionKey {
    TransactionKey::new("default", &number.to_be_bytes(), &[7; 32])
}

/// A request of its own: no other number shares its transaction, poll, request or object.
fn request(number: u64) -> PendingRequest {
    let subject = Name::of_common_name(&format!("laptop-{number}"));
    let csr = UnsignedCertificationRequest::new(
        &subject,
        keys::p256().public_key(),
        None,
        &RequestedExtensions::default(),
    );
    PendingRequest {
        transaction: key(number),
        poll: key(1000 + number),
        request: octets32(number),
        profile: "default".into(),
        object: object(number),
        csr: csr.finish(SignatureAlgorithm::EcdsaSha256, &[]).unwrap(),
        spends: None,
        renews: None,
        created: NOW,
        expires: UnixTime(NOW.0 + WEEK),
    }
}

fn queue(ledger: &Ledger, request: &PendingRequest) -> QueueOutcome {
    block_on(ledger.queue(request)).unwrap()
}

fn queued(ledger: &Ledger, number: u64) -> Option<QueuedRequest> {
    block_on(ledger.queued(key(number))).unwrap()
}

#[test]
fn what_waits_reads_back_whole_in_every_process() {
    let fixture = Fixture::new();
    let bare = request(1);
    let full = PendingRequest {
        spends: Some(Spend::Stored(challenge(2).id)),
        renews: Some(serial(7)),
        ..request(2)
    };
    block_on(fixture.ledger.add_challenge(&challenge(2))).unwrap();
    for request in [&bare, &full] {
        assert_eq!(queue(&fixture.ledger, request), QueueOutcome::Queued);
        let expected = Some(QueuedRequest { request: request.clone(), verdict: Verdict::Waiting });
        for ledger in [&fixture.ledger, &fixture.second()] {
            assert_eq!(block_on(ledger.queued(request.transaction)).unwrap(), expected);
            assert_eq!(block_on(ledger.polled(request.poll)).unwrap(), expected);
        }
    }
    assert_eq!(queued(&fixture.ledger, 3), None);
    assert_eq!(block_on(fixture.ledger.polled(key(1))).unwrap(), None);
}

#[test]
fn row_13_waiting_spends_the_challenge_and_only_once() {
    let fixture = Fixture::new();
    block_on(fixture.ledger.add_challenge(&challenge(1))).unwrap();
    let on = |number| PendingRequest { spends: Some(Spend::Stored(challenge(1).id)), ..request(number) };
    assert_eq!(queue(&fixture.ledger, &on(1)), QueueOutcome::Queued);
    assert_eq!(queue(&fixture.ledger, &on(2)), QueueOutcome::ChallengeSpent);
    assert_eq!(queued(&fixture.ledger, 2), None, "all or nothing");
    let records = fixture.ledger.reader().challenges(10).unwrap();
    assert_eq!(records[0].fate, ChallengeFate::Spent { at: NOW });
    assert_eq!(block_on(fixture.ledger.live_challenge(challenge(1).id, NOW)).unwrap(), None);
}

#[test]
fn row_14_of_many_equal_requests_one_waits() {
    let fixture = Arc::new(Fixture::new());
    let start = Arc::new(Barrier::new(20));
    let runs: Vec<_> = (0..20)
        .map(|_| {
            let (fixture, start) = (Arc::clone(&fixture), Arc::clone(&start));
            thread::spawn(move || {
                start.wait();
                queue(&fixture.ledger, &request(1))
            })
        })
        .collect();
    let outcomes: Vec<_> = runs.into_iter().map(|run| run.join().unwrap()).collect();
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == QueueOutcome::Queued).count(), 1);
    let repeated = QueueOutcome::Repeated(Verdict::Waiting);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == repeated).count(), 19);
}

#[test]
fn a_verdict_is_said_once_and_kept() {
    let fixture = Fixture::new();
    for number in 1..=2 {
        queue(&fixture.ledger, &request(number));
    }
    fixture.ledger.approve(key(1), "zoe").unwrap();
    fixture.ledger.deny(key(2), "not\r\nours", "zoe").unwrap();
    for number in 1..=2 {
        assert_eq!(fixture.ledger.approve(key(number), "eve"), Err(DecisionError::Decided));
        assert_eq!(fixture.ledger.deny(key(number), "", "eve"), Err(DecisionError::Decided));
    }
    assert_eq!(fixture.ledger.approve(key(3), "zoe"), Err(DecisionError::NotOnRecord));
    let second = fixture.second();
    assert_eq!(queued(&second, 1).unwrap().verdict, Verdict::Approved { at: NOW });
    let denied = Verdict::Denied { at: NOW, reason: "not  ours".into() };
    assert_eq!(queued(&second, 2).unwrap().verdict, denied);
    let records = second.reader().pending(&PendingQuery::default()).unwrap();
    let actors: Vec<_> = records.iter().map(|record| record.actor.as_deref()).collect();
    assert_eq!(actors, [Some("zoe"), Some("zoe")]);
}

#[test]
fn what_is_given_up_cannot_be_decided() {
    let fixture = Fixture::new();
    queue(&fixture.ledger, &request(1));
    fixture.clock.set(UnixTime(NOW.0 + WEEK + 1));
    assert_eq!(fixture.ledger.approve(key(1), "zoe"), Err(DecisionError::Expired));
    assert_eq!(fixture.ledger.deny(key(1), "late", "zoe"), Err(DecisionError::Expired));
    assert_eq!(queued(&fixture.ledger, 1).unwrap().verdict, Verdict::Waiting);
}

#[test]
fn a_place_is_given_up_by_the_denied_and_the_expired_alone() {
    let fixture = Fixture::new();
    let other = |created: u64| PendingRequest {
        request: octets32(99),
        created: UnixTime(NOW.0 + created),
        expires: UnixTime(NOW.0 + created + WEEK),
        ..request(1)
    };
    queue(&fixture.ledger, &request(1));
    assert_eq!(queue(&fixture.ledger, &other(0)), QueueOutcome::TransactionTaken);
    fixture.ledger.deny(key(1), "no", "zoe").unwrap();
    let denied = Verdict::Denied { at: NOW, reason: "no".into() };
    assert_eq!(queue(&fixture.ledger, &request(1)), QueueOutcome::Repeated(denied));
    assert_eq!(queue(&fixture.ledger, &other(1)), QueueOutcome::Queued);
    fixture.ledger.approve(key(1), "zoe").unwrap();
    assert_eq!(queue(&fixture.ledger, &request(1)), QueueOutcome::TransactionTaken);
    assert_eq!(queue(&fixture.ledger, &other(2 + 2 * WEEK)), QueueOutcome::Queued);
    assert_eq!(fixture.ledger.reader().pending(&PendingQuery::default()).unwrap().len(), 1);
}

#[test]
fn the_queue_is_bounded_for_each_object_and_forgets_what_is_long_over() {
    let fixture = Fixture::new();
    let of_one = |number| PendingRequest { object: object(1), ..request(number) };
    let most = u64::try_from(MOST_WAITING_OF_ONE_OBJECT).unwrap();
    for number in 0..most {
        assert_eq!(queue(&fixture.ledger, &of_one(number)), QueueOutcome::Queued);
    }
    assert_eq!(queue(&fixture.ledger, &of_one(most)), QueueOutcome::Full);
    assert_eq!(queue(&fixture.ledger, &request(most)), QueueOutcome::Queued);
    let later = UnixTime(NOW.0 + WEEK + 30 * DAY + 1);
    let after = PendingRequest { created: later, expires: UnixTime(later.0 + WEEK), ..of_one(50) };
    assert_eq!(queue(&fixture.ledger, &after), QueueOutcome::Queued);
    let kept = fixture.ledger.reader().pending(&PendingQuery::default()).unwrap();
    assert_eq!(kept.len(), 1);
}

#[test]
fn those_that_wait_are_listed_the_oldest_first() {
    let fixture = Fixture::new();
    for number in 1..=4 {
        let expires = UnixTime(NOW.0 + number * DAY);
        queue(&fixture.ledger, &PendingRequest { expires, ..request(number) });
    }
    fixture.ledger.approve(key(3), "zoe").unwrap();
    let listed = |waiting_at, limit| {
        let records = fixture.ledger.reader().pending(&PendingQuery { waiting_at, limit }).unwrap();
        let subjects = records.iter().map(|record| record.queued.request.csr.subject().to_string());
        subjects.collect::<Vec<_>>().join(" ")
    };
    assert_eq!(listed(Some(NOW), 100), "CN=laptop-1 CN=laptop-2 CN=laptop-4");
    assert_eq!(listed(Some(UnixTime(NOW.0 + 2 * DAY)), 100), "CN=laptop-2 CN=laptop-4");
    assert_eq!(listed(None, 3), "CN=laptop-1 CN=laptop-2 CN=laptop-3");
}

#[test]
fn a_file_of_the_first_version_gets_the_new_tables() {
    let fixture = Fixture::new();
    let first =
        "'issuer', 'certificate', 'enrollment', 'challenge', 'revocation', 'revocation_journal', 'deletion'";
    let connection = rusqlite::Connection::open(fixture.path()).unwrap();
    let later = format!(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT IN ({first})"
    );
    let mut later = connection.prepare(&later).unwrap();
    let later: Vec<String> = later.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    assert!(later.contains(&"pending".to_owned()));
    for table in &later {
        fixture.sql(&format!("DROP TABLE {table}"));
    }
    fixture.sql("PRAGMA user_version = 1");
    let second = fixture.second();
    assert_eq!(queue(&second, &request(1)), QueueOutcome::Queued);
}
