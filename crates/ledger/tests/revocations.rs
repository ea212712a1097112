//! Revocations by order, and what other processes see of them.
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

use std::{sync::Arc, time::Duration};

use ledger::{Ledger, RevocationOrder, RevokeError};
use pki_core::{CertRef, CrlReason, UnixTime};
use revocation::{ManualRevocations, RevocationSource as _, Standing};
use support::{Fixture, intent, reference};
use testkit::{NOW, block_on};

fn order(number: u64, reason: CrlReason) -> RevocationOrder {
    RevocationOrder { certificate: reference(number), reason, since: NOW, actor: "alice".into() }
}

fn standing(index: &ManualRevocations, certificate: CertRef) -> Standing {
    block_on(index.status(certificate)).unwrap().standing
}

/// Waits for the other process's thread, which looks every few milliseconds.
fn eventually(index: &Arc<ManualRevocations>, certificate: CertRef, expected: Standing) {
    while standing(index, certificate) != expected {
        std::thread::yield_now();
    }
}

const HOLD: Standing = Standing::Hold { since: NOW };
const REVOKED: Standing = Standing::Revoked { since: NOW, reason: CrlReason::KeyCompromise };

fn issued() -> Fixture {
    let fixture = Fixture::new();
    fixture.issue(&intent(1));
    fixture.issue(&intent(2));
    fixture
}

#[test]
fn an_order_counts_at_once_and_after_a_restart() {
    let fixture = issued();
    let index = fixture.ledger.reader().manual_revocations();
    assert_eq!(standing(&index, reference(1)), Standing::NotMine);
    fixture.ledger.revoke(&order(1, CrlReason::KeyCompromise)).unwrap();
    assert_eq!(standing(&index, reference(1)), REVOKED);
    assert_eq!(standing(&index, reference(2)), Standing::NotMine);
    let restarted = fixture.second();
    assert_eq!(standing(&restarted.reader().manual_revocations(), reference(1)), REVOKED);
    let record = restarted.reader().certificate(reference(1)).unwrap().unwrap();
    assert_eq!(record.revoked, Some((NOW, CrlReason::KeyCompromise)));
}

#[test]
fn only_holds_are_lifted_and_only_holds_are_made_final() {
    let fixture = issued();
    let (ledger, index) = (&fixture.ledger, fixture.ledger.reader().manual_revocations());
    ledger.revoke(&order(1, CrlReason::CertificateHold)).unwrap();
    assert_eq!(standing(&index, reference(1)), HOLD);
    ledger.unrevoke(reference(1), "bob").unwrap();
    assert_eq!(standing(&index, reference(1)), Standing::NotMine);
    ledger.revoke(&order(1, CrlReason::CertificateHold)).unwrap();
    ledger.revoke(&order(1, CrlReason::KeyCompromise)).unwrap();
    let is_final = |error| matches!(error, RevokeError::Final { reason: CrlReason::KeyCompromise, .. });
    assert!(is_final(ledger.unrevoke(reference(1), "bob").unwrap_err()));
    assert!(is_final(ledger.revoke(&order(1, CrlReason::Superseded)).unwrap_err()));
    assert!(is_final(ledger.revoke(&order(1, CrlReason::CertificateHold)).unwrap_err()));
    assert_eq!(standing(&index, reference(1)), REVOKED);
}

#[test]
fn row_74_every_order_stays_in_the_journal() {
    let fixture = issued();
    fixture.ledger.revoke(&order(1, CrlReason::CertificateHold)).unwrap();
    fixture.clock.advance(Duration::from_secs(5));
    fixture.ledger.unrevoke(reference(1), "bob").unwrap();
    fixture.ledger.revoke(&order(1, CrlReason::KeyCompromise)).unwrap();
    let _ = fixture.ledger.revoke(&order(1, CrlReason::Superseded));
    let history = fixture.ledger.reader().revocation_history(reference(1)).unwrap();
    let told: Vec<_> = history.iter().map(|entry| (entry.reason, &*entry.actor, entry.recorded_at)).collect();
    let later = UnixTime(NOW.0 + 5);
    assert_eq!(
        told,
        [
            (Some(CrlReason::CertificateHold), "alice", NOW),
            (None, "bob", later),
            (Some(CrlReason::KeyCompromise), "alice", later),
        ]
    );
}

#[test]
fn orders_that_make_no_sense_say_so() {
    let fixture = issued();
    let refused = |order| fixture.ledger.revoke(&order).unwrap_err();
    assert!(matches!(refused(order(9, CrlReason::KeyCompromise)), RevokeError::NotOnRecord(_)));
    assert!(matches!(refused(order(1, CrlReason::RemoveFromCrl)), RevokeError::NotAReason));
    let not_held = fixture.ledger.unrevoke(reference(1), "bob").unwrap_err();
    assert!(matches!(not_held, RevokeError::NotOnHold(_)));
    assert!(not_held.to_string().contains("not on hold"), "{not_held}");
}

#[test]
fn other_processes_see_orders_and_lifted_holds() {
    let fixture = issued();
    let command: Ledger = fixture.second();
    let server = fixture.ledger.reader().manual_revocations();
    let responder = fixture.responder();
    let epoch = server.epoch().unwrap();
    command.revoke(&order(1, CrlReason::CertificateHold)).unwrap();
    eventually(&server, reference(1), HOLD);
    eventually(&responder.manual_revocations(), reference(1), HOLD);
    assert_ne!(server.epoch().unwrap(), epoch, "cached answers are void");
    command.unrevoke(reference(1), "bob").unwrap();
    eventually(&server, reference(1), Standing::NotMine);
    eventually(&responder.manual_revocations(), reference(1), Standing::NotMine);
}

#[test]
fn row_49_when_the_record_cannot_be_read_nothing_is_good_any_more() {
    let fixture = issued();
    fixture.ledger.revoke(&order(1, CrlReason::KeyCompromise)).unwrap();
    let responder = fixture.responder();
    let index = responder.manual_revocations();
    assert_eq!(standing(&index, reference(2)), Standing::NotMine);
    fixture.sql("DROP TABLE revocation_journal");
    // From some moment on it reads no more; the clock is put ahead until that shows.
    while block_on(index.status(reference(2))).is_ok() {
        fixture.clock.advance(Duration::from_secs(11));
        std::thread::yield_now();
    }
    assert_eq!(index.epoch(), None, "cached answers are void too");
    assert!(
        matches!(standing(&index, reference(1)), Standing::Revoked { .. }),
        "revoked for ever stays revoked"
    );
}

#[test]
fn an_index_that_is_read_again_and_again_stays_fresh() {
    let fixture = issued();
    let index = fixture.responder().manual_revocations();
    let reader = fixture.responder();
    drop(reader);
    fixture.clock.advance(Duration::from_secs(3600));
    let kept = fixture.ledger.reader().manual_revocations();
    while block_on(kept.status(reference(1))).is_err() {
        std::thread::yield_now();
    }
    assert!(block_on(index.status(reference(1))).is_err(), "its reader is gone, nobody feeds it");
}
