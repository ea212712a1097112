//! Notices are delivered at least once, in their order, and only about what was issued.
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

use issuance::{Intent, IntentOutcome, IssuanceLog as _, Notice};
use ledger::{DueNotice, LedgerReader, NoticeFate, OutboxSize};
use pki_core::UnixTime;
use support::{Fixture, certificate, intent, reference, serial, settings};
use testkit::{NOW, block_on};

fn notice(text: &str) -> Notice {
    Notice { kind: "intune".into(), body: text.into() }
}

fn noted(number: u64, text: &str) -> Intent {
    let mut intent = intent(number);
    intent.provenance.notice = Some(notice(text));
    intent
}

fn due(fixture: &Fixture, now: UnixTime) -> Vec<DueNotice> {
    fixture.ledger.reader().due_notices(now, 100).unwrap()
}

fn texts(due: &[DueNotice]) -> Vec<String> {
    due.iter().map(|due| String::from_utf8(due.notice.body.clone()).unwrap()).collect()
}

#[test]
fn row_45_a_notice_is_due_once_its_certificate_is_on_record_and_until_it_is_delivered() {
    let fixture = Fixture::new();
    let fate = || fixture.ledger.reader().notice_fate(reference(1)).unwrap();
    assert_eq!(fate(), NoticeFate::Settled, "no such certificate");
    assert!(matches!(fixture.intend(&noted(1, "one")), IntentOutcome::Recorded));
    assert!(due(&fixture, NOW).is_empty(), "nothing was issued yet");
    assert_eq!(fixture.ledger.reader().outbox_size().unwrap(), OutboxSize::default());
    let made = certificate(serial(1));
    block_on(fixture.ledger.record_issued(reference(1), &made)).unwrap();
    let waiting = due(&fixture, NOW);
    assert_eq!(texts(&waiting), ["one"]);
    assert_eq!(waiting[0].notice.kind, "intune");
    assert_eq!(waiting[0].issued, Some((reference(1), made)));
    assert_eq!(fate(), NoticeFate::Waiting);
    let size = fixture.ledger.reader().outbox_size().unwrap();
    assert_eq!((size.waiting, size.oldest, size.given_up), (1, Some(NOW), 0));
    block_on(fixture.ledger.notice_delivered(waiting[0].id)).unwrap();
    assert_eq!(fate(), NoticeFate::Settled);
    assert!(due(&fixture, NOW).is_empty());
    // Delivered twice, by two who were at it: no harm.
    block_on(fixture.ledger.notice_delivered(waiting[0].id)).unwrap();
}

#[test]
fn a_notice_survives_and_an_intent_that_is_not_recorded_leaves_none() {
    let fixture = Fixture::new();
    fixture.issue(&noted(1, "one"));
    // The same serial number, and the same transaction again.
    let mut taken = noted(2, "two");
    taken.certificate = reference(1);
    assert!(matches!(fixture.intend(&taken), IntentOutcome::SerialTaken));
    assert!(matches!(fixture.intend(&noted(1, "again")), IntentOutcome::Repeated(_)));
    let Fixture { clock, ledger, folder } = fixture;
    drop(ledger);
    let reader = LedgerReader::open(folder.path().join("ledger.sqlite"), settings(&clock)).unwrap();
    assert_eq!(texts(&reader.due_notices(NOW, 100).unwrap()), ["one"]);
}

#[test]
fn what_failed_is_due_later_and_what_is_given_up_never() {
    let fixture = Fixture::new();
    (1..=2).for_each(|number| drop(fixture.issue(&noted(number, &number.to_string()))));
    let (first, second) = (due(&fixture, NOW)[0].id, due(&fixture, NOW)[1].id);
    let later = UnixTime(NOW.0 + 60);
    block_on(fixture.ledger.notice_failed(first, later, "no connection".into())).unwrap();
    assert_eq!(texts(&due(&fixture, NOW)), ["2"]);
    let again = due(&fixture, later);
    assert_eq!((&*texts(&again)[0], again[0].attempts), ("1", 1), "the oldest comes first");
    block_on(fixture.ledger.notice_given_up(second, "ChallengeExpired".into())).unwrap();
    let fate = |number| fixture.ledger.reader().notice_fate(reference(number)).unwrap();
    assert_eq!((fate(1), fate(2)), (NoticeFate::Waiting, NoticeFate::GivenUp));
    assert_eq!(texts(&due(&fixture, later)), ["1"]);
    assert_eq!(fixture.ledger.reader().outbox_size().unwrap().given_up, 1);
    fixture.clock.advance(std::time::Duration::from_secs(31 * support::DAY));
    block_on(fixture.ledger.notice_given_up(first, "too long".into())).unwrap();
    assert_eq!(fixture.ledger.reader().outbox_size().unwrap().given_up, 1, "the old one is forgotten");
}

#[test]
fn row_45_of_one_transaction_the_first_notice_comes_first() {
    let fixture = Fixture::new();
    let transaction = noted(1, "").provenance.transaction;
    let post = |text| block_on(fixture.ledger.post_notice(transaction, &notice(text))).unwrap();
    post("failed");
    post("failed again");
    fixture.issue(&noted(1, "issued"));
    fixture.issue(&noted(2, "another"));
    let waiting = due(&fixture, NOW);
    assert_eq!(texts(&waiting), ["failed", "another"], "one failure is told, and the success waits for it");
    assert_eq!(waiting[0].issued, None);
    let later = UnixTime(NOW.0 + 60);
    block_on(fixture.ledger.notice_failed(waiting[0].id, later, String::new())).unwrap();
    assert_eq!(texts(&due(&fixture, NOW)), ["another"]);
    block_on(fixture.ledger.notice_delivered(waiting[0].id)).unwrap();
    assert_eq!(texts(&due(&fixture, NOW)), ["issued", "another"]);
}

#[test]
fn an_issuance_that_was_never_finished_holds_nobody_up() {
    let fixture = Fixture::new();
    fixture.intend(&noted(1, "never issued"));
    let transaction = noted(1, "").provenance.transaction;
    block_on(fixture.ledger.post_notice(transaction, &notice("failed"))).unwrap();
    assert_eq!(texts(&due(&fixture, NOW)), ["failed"]);
}
