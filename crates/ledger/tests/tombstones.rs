//! Deleted objects remembered.
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

use directory::{Tombstone, Tombstones};
use pki_core::UnixTime;
use support::{Fixture, intent, object, reference};
use testkit::{NOW, block_on};

fn at(seconds: u64) -> Tombstone {
    Tombstone { seen_at: UnixTime(NOW.0 + seconds), since: NOW }
}

/// Recording goes on in the background.
fn eventually(found: impl Fn() -> Option<Tombstone>, expected: Tombstone) {
    while found() != Some(expected) {
        std::thread::yield_now();
    }
}

#[test]
fn row_60_a_deletion_is_remembered_for_ever() {
    let fixture = Fixture::new();
    fixture.issue(&intent(1));
    fixture.ledger.record(object(1), at(10));
    assert_eq!(fixture.ledger.find(object(1)), Some(at(10)), "at once, before it is on disk");
    eventually(|| fixture.second().find(object(1)), at(10));
    assert_eq!(fixture.second().find(object(2)), None);
}

#[test]
fn the_responder_beside_learns_of_it() {
    let fixture = Fixture::new();
    fixture.issue(&intent(1));
    let responder = fixture.responder();
    fixture.ledger.record(object(1), at(10));
    eventually(|| responder.find(object(1)), at(10));
    responder.record(object(2), at(10));
    assert_eq!(responder.find(object(2)), None, "it writes nothing");
}

#[test]
fn of_two_deletions_the_later_one_counts() {
    let fixture = Fixture::new();
    fixture.issue(&intent(1));
    fixture.ledger.record(object(1), at(10));
    eventually(|| fixture.second().find(object(1)), at(10));
    fixture.issue(&support_again());
    fixture.ledger.record(object(1), at(20));
    assert_eq!(fixture.ledger.find(object(1)), Some(at(20)));
    fixture.ledger.record(object(1), at(5));
    eventually(|| fixture.second().find(object(1)), at(20));
}

fn support_again() -> issuance::Intent {
    issuance::Intent { object: Some(object(1)), ..intent(2) }
}

#[test]
fn objects_that_nothing_was_issued_to_leave_no_trace() {
    let fixture = Fixture::new();
    fixture.ledger.record(object(1), at(10));
    // Whatever was queued before this is written before it.
    fixture.issue(&intent(1));
    assert_eq!(fixture.second().find(object(1)), None);
    while fixture.ledger.find(object(1)).is_some() {
        std::thread::yield_now();
    }
    fixture.ledger.record(object(1), at(10));
    eventually(|| fixture.second().find(object(1)), at(10));
}

#[test]
fn row_48_made_up_objects_do_not_crowd_out_enrollments() {
    let fixture = Fixture::new();
    let other_program = rusqlite::Connection::open(fixture.path()).unwrap();
    other_program.execute_batch("BEGIN IMMEDIATE").unwrap();
    for number in 100..5000 {
        fixture.ledger.record(object(number), at(10));
    }
    other_program.execute_batch("COMMIT").unwrap();
    fixture.issue(&intent(1));
    // The crowd is gone, and what is worth recording is recorded.
    fixture.ledger.record(object(1), at(10));
    eventually(|| fixture.second().find(object(1)), at(10));
}

#[test]
fn the_time_of_issue_is_told_for_what_was_issued() {
    let fixture = Fixture::new();
    fixture.issue(&intent(1));
    fixture.intend(&intent(2));
    let issued_at = |number| block_on(Tombstones::issued_at(&fixture.ledger, reference(number))).unwrap();
    assert_eq!(issued_at(1), Some(NOW));
    assert_eq!(issued_at(2), None, "prepared, not issued");
    assert_eq!(issued_at(3), None);
}
