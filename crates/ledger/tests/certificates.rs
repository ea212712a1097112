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

use ledger::{CertificateQuery, IssuedOnly};
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
