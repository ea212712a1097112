//! Refusals that are noted.
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

use issuance::TransactionKey;
use ledger::{DecisionError, Ledger, RefusalNote, RefusalQuery, RefusalRecord};
use pki_core::UnixTime;
use support::Fixture;
use testkit::NOW;

fn note(number: u64) -> RefusalNote {
    RefusalNote {
        at: UnixTime(NOW.0 + number),
        code: if number.is_multiple_of(2) { "challenge-unknown".into() } else { "object-disabled".into() },
        profile: "default".into(),
        transaction_id: format!("T{number}"),
        subject: format!("CN=Laptop-{number}"),
        peer: "192.0.2.7:4711".into(),
        why: "because".into(),
    }
}

/// What is on record once everything noted so far has been written: decisions wait for what came before.
fn listed(ledger: &Ledger, query: &RefusalQuery) -> Vec<RefusalRecord> {
    let nothing = TransactionKey::from_bytes([0; 32]);
    assert_eq!(ledger.deny(nothing, "", ""), Err(DecisionError::NotOnRecord));
    ledger.reader().refusals(query).unwrap()
}

fn ids(records: &[RefusalRecord]) -> String {
    records.iter().map(|record| &*record.note.transaction_id).collect::<Vec<_>>().join(" ")
}

#[test]
fn refusals_are_found_the_latest_first() {
    let fixture = Fixture::new();
    (1..=4).for_each(|number| fixture.ledger.note_refusal(note(number)));
    let all = listed(&fixture.ledger, &RefusalQuery::default());
    assert_eq!(ids(&all), "T4 T3 T2 T1");
    assert_eq!(all[0].note, note(4));
    for (query, expected) in [
        (RefusalQuery { limit: 1, ..Default::default() }, "T4"),
        (RefusalQuery { code: "object-disabled".into(), ..Default::default() }, "T3 T1"),
        (RefusalQuery { text: "laptop-2".into(), ..Default::default() }, "T2"),
        (RefusalQuery { text: "192.0.2.7".into(), ..Default::default() }, "T4 T3 T2 T1"),
        (RefusalQuery { since: UnixTime(NOW.0 + 3), ..Default::default() }, "T4 T3"),
    ] {
        assert_eq!(ids(&listed(&fixture.ledger, &query)), expected, "{query:?}");
    }
}

#[test]
fn row_66_what_strangers_write_is_one_line_and_cut() {
    let fixture = Fixture::new();
    let long = format!("CN=a\r\n{{\u{1b}[2J{}", "x".repeat(1000));
    fixture.ledger.note_refusal(RefusalNote { subject: long, ..note(1) });
    let record = &listed(&fixture.ledger, &RefusalQuery::default())[0];
    assert!(!record.note.subject.chars().any(char::is_control));
    assert_eq!(record.note.subject.chars().count(), 300);
}

#[test]
fn only_the_latest_are_kept() {
    let fixture = Fixture::new();
    fixture.ledger.note_refusal(note(1));
    listed(&fixture.ledger, &RefusalQuery::default());
    fixture.sql("UPDATE sqlite_sequence SET seq = 10000 WHERE name = 'refusal'");
    fixture.ledger.note_refusal(note(2));
    assert_eq!(ids(&listed(&fixture.ledger, &RefusalQuery::default())), "T2");
}

#[test]
fn a_flood_of_refusals_fills_neither_memory_nor_the_queue() {
    let fixture = Fixture::new();
    (0..20_000).for_each(|number| fixture.ledger.note_refusal(note(number)));
    // Everybody else still gets their turn.
    fixture.issue(&support::intent(1));
    let query = RefusalQuery { limit: 20_000, ..Default::default() };
    let kept = listed(&fixture.ledger, &query).len();
    assert!((1..=10_000).contains(&kept), "{kept}");
}
