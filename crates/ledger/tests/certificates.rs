//! Certificates found again by people.
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

use std::sync::Arc;

use ledger::{CertificateQuery, IssuedOnly, Succession};
use pki_core::{CertRef, SerialNumber, UnixTime};
use revocation::{RevocationSource, Standing, StatusReport, source_fn};
use support::{DAY, Fixture, intent, issuer, object, reference, serial};
use testkit::{NOW, block_on};

fn subjects(fixture: &Fixture, query: &CertificateQuery) -> Vec<String> {
    let found = fixture.ledger.reader().certificates(query).unwrap();
    found
        .into_iter()
        .map(|record| record.subject.replace(",O=Example", "").replace("CN=laptop-", ""))
        .collect()
}

fn ten() -> Fixture {
    let fixture = Fixture::new();
    for number in 1..=10 {
        let mut intent = intent(number);
        intent.not_after = UnixTime(NOW.0 + number * DAY);
        intent.provenance.renews = (number > 1).then(|| serial(number - 1));
        fixture.issue(&intent);
    }
    fixture
}

#[test]
fn pages_follow_each_other_without_gap_or_overlap() {
    let fixture = ten();
    let mut query = CertificateQuery { limit: 4, ..CertificateQuery::default() };
    let mut pages = Vec::new();
    loop {
        let page = fixture.ledger.reader().certificates(&query).unwrap();
        let Some(last) = page.last() else { break };
        query.before = Some(last.certificate);
        pages.push(page.iter().map(|record| record.certificate).collect::<Vec<_>>());
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4, 2]);
    let expected: Vec<_> = (1..=10).rev().map(reference).collect();
    assert_eq!(pages.concat(), expected, "the latest first");
}

#[test]
fn subjects_are_searched_in_any_case_and_literally() {
    let fixture = ten();
    let by = |subject: &str| {
        subjects(&fixture, &CertificateQuery { subject: subject.into(), ..CertificateQuery::default() })
    };
    assert_eq!(by("LAPTOP-1"), ["10", "1"]);
    assert_eq!(by("cn=laptop-7,o="), ["7"]);
    for nothing in ["laptop-%", "laptop-_", "' OR 1=1 --", "laptop-11"] {
        assert!(by(nothing).is_empty(), "{nothing}");
    }
}

#[test]
fn what_expires_within_a_time_is_found() {
    let fixture = ten();
    let query = CertificateQuery {
        ends_after: UnixTime(NOW.0 + DAY),
        ends_by: UnixTime(NOW.0 + 3 * DAY),
        ..CertificateQuery::default()
    };
    assert_eq!(subjects(&fixture, &query), ["3", "2"]);
    let by_object = CertificateQuery { object: Some(object(5)), ..CertificateQuery::default() };
    assert_eq!(subjects(&fixture, &by_object), ["5"]);
}

#[test]
fn one_is_shown_with_everything_on_record() {
    let fixture = ten();
    let record = fixture.ledger.reader().certificate(reference(2)).unwrap().unwrap();
    assert_eq!(record.renews, Some(serial(1)));
    assert_eq!(record.issued.unwrap().serial_number(), Some(serial(2)));
    assert_eq!((record.profile.as_str(), record.revoked), ("default", None));
    assert!(fixture.ledger.reader().certificate(reference(11)).unwrap().is_none());
    fixture.intend(&intent(11));
    let prepared = fixture.ledger.reader().certificate(reference(11)).unwrap().unwrap();
    assert!(prepared.issued.is_none() && prepared.issued_at.is_none());
}

fn of_layout(first: u8, number: u8) -> CertRef {
    let mut octets = [first; 20];
    octets[19] = number;
    CertRef { issuer: issuer(), serial: SerialNumber::from_be_bytes(&octets).unwrap() }
}

#[test]
fn row_47_what_was_never_issued_is_not_good() {
    let fixture = Fixture::new();
    for (number, first) in [(1, 0x11), (2, 0x30)] {
        let intent = issuance::Intent { certificate: of_layout(first, 1), ..intent(number) };
        fixture.issue(&intent);
    }
    let good = StatusReport { standing: Standing::Good, known_at: NOW, reliable_until: None };
    let inner: Arc<dyn RevocationSource> = Arc::new(source_fn(move |_| Ok(good)));
    let source = IssuedOnly::new(inner, fixture.ledger.reader().clone(), fixture.clock.clone());
    let standing = |certificate| block_on(source.status(certificate)).unwrap().standing;
    for first in [0x11, 0x30] {
        assert_eq!(standing(of_layout(first, 1)), Standing::Good, "{first:x}");
        assert_eq!(standing(of_layout(first, 2)), Standing::NotMine, "{first:x}");
    }
    assert_eq!(standing(of_layout(0x20, 2)), Standing::Good, "sealed ones are for the directory to judge");
    fixture.sql("DROP TABLE enrollment; ALTER TABLE certificate RENAME TO gone");
    for first in [0x11, 0x30] {
        assert!(block_on(source.status(of_layout(first, 1))).is_err(), "{first:x}");
    }
}

/// Certificates of an object that end after so many days, in the order in which they were issued.
fn issued(fixture: &Fixture, number: u64, of: u64, profile: &str, days: u64) {
    let not_after = UnixTime(NOW.0 + days * DAY);
    let profile = profile.to_owned();
    fixture.issue(&issuance::Intent {
        object: Some(support::object(of)),
        not_after,
        profile,
        ..intent(number)
    });
}

#[test]
fn what_runs_out_is_counted_less_what_was_replaced_or_revoked() {
    let fixture = Fixture::new();
    issued(&fixture, 1, 1, "wifi", 5); // replaced by 2
    issued(&fixture, 2, 1, "wifi", 300);
    issued(&fixture, 3, 2, "wifi", 5);
    issued(&fixture, 4, 2, "vpn", 20); // of the same object, and no successor
    issued(&fixture, 5, 3, "wifi", 20);
    issued(&fixture, 6, 4, "wifi", 20); // revoked
    let not_finished = issuance::Intent { not_after: UnixTime(NOW.0 + DAY), ..intent(7) };
    fixture.intend(&issuance::Intent { profile: "wifi".into(), ..not_finished });
    let order = ledger::RevocationOrder {
        certificate: support::reference(6),
        reason: pki_core::CrlReason::Superseded,
        since: NOW,
        actor: "zoe".into(),
    };
    fixture.ledger.revoke(&order).unwrap();
    let day = std::time::Duration::from_secs(DAY);
    let counted = |now: u64| {
        let now = UnixTime(NOW.0 + now * DAY);
        let counted = fixture.ledger.reader().expiring(now, &[day * 7, day * 30]).unwrap();
        counted.into_iter().map(|entry| (entry.profile, entry.within)).collect::<Vec<_>>()
    };
    assert_eq!(counted(0), [("vpn".into(), vec![0, 1]), ("wifi".into(), vec![1, 2])]);
    assert_eq!(counted(10), [("vpn".into(), vec![0, 1]), ("wifi".into(), vec![0, 1])]);
    assert_eq!(counted(30), [("vpn".into(), vec![0, 0]), ("wifi".into(), vec![0, 0])]);

    let query = CertificateQuery {
        ends_by: UnixTime(NOW.0 + 7 * DAY),
        succession: Succession::LastOfEachProfile,
        ..CertificateQuery::default()
    };
    let listed = fixture.ledger.reader().certificates(&query).unwrap();
    let serials: Vec<_> = listed.iter().map(|record| record.certificate.serial).collect();
    assert_eq!(serials, [support::serial(7), support::serial(3)]);
}
