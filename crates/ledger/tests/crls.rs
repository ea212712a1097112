//! CRLs on record: their order holds across restarts and processes.
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

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use issuance::{
    CandidatesUnavailable, CrlAuthority, CrlCandidate, CrlCandidates, CrlClaim, CrlLog as _, CrlName,
    CrlOccasion, CrlOutcome, CrlParts, CrlSettings, CrlStanding, CurrentCrls, DeltaSettings, Issuer,
};
use ledger::{CertificateCursor, Ledger, LedgerReader, RevocationOrder};
use pki_core::{BoxFuture, CrlReason, IssuerId, UnixTime};
use support::{DAY, Fixture, intent, issuer, reference, serial};
use testkit::{NOW, block_on};

/// What is revoked by order.
#[derive(Debug)]
struct Orders(LedgerReader);

impl CrlCandidates for Orders {
    fn candidates(
        &self,
        ends_from: UnixTime,
    ) -> BoxFuture<'_, Result<Vec<CrlCandidate>, CandidatesUnavailable>> {
        let orders = self.0.revoked_by_order(issuer(), ends_from).unwrap();
        let candidates = orders.into_iter().map(|order| CrlCandidate {
            serial: order.certificate.serial,
            not_after: order.certificate.not_after,
            standing: CrlStanding::Revoked { since: order.since, reason: order.reason },
        });
        Box::pin(std::future::ready(Ok(candidates.collect())))
    }
}

fn authority(fixture: &Fixture, ledger: &Ledger) -> CrlAuthority {
    let ca = testkit::ca();
    let delta = DeltaSettings { validity: Duration::from_secs(3600), uri: None };
    CrlAuthority::new(CrlParts {
        issuer: Issuer::of_key(ca.certificate, &*ca.key).unwrap(),
        key: ca.key,
        candidates: Arc::new(Orders(ledger.reader().clone())),
        log: Arc::new(ledger.clone()),
        clock: fixture.clock.clone(),
        settings: CrlSettings { delta: Some(delta), ..CrlSettings::default() },
    })
    .unwrap()
}

fn publish(authority: &CrlAuthority, occasion: CrlOccasion) -> CurrentCrls {
    block_on(authority.publish(occasion)).unwrap()
}

fn revoke(fixture: &Fixture, number: u64, reason: CrlReason) {
    let order = RevocationOrder { certificate: reference(number), reason, since: NOW, actor: "alice".into() };
    fixture.ledger.revoke(&order).unwrap();
}

// clause: RFC 5280 132
#[test]
fn numbers_go_on_where_they_were_after_a_restart() {
    let fixture = Fixture::new();
    fixture.issue(&intent(1));
    fixture.issue(&intent(2));
    revoke(&fixture, 1, CrlReason::CertificateHold);
    let first = publish(&authority(&fixture, &fixture.ledger), CrlOccasion::Full).full.unwrap();
    assert_eq!(first.entries().map(|entry| entry.serial_number()).collect::<Vec<_>>(), [Some(serial(1))]);

    let restarted = fixture.second();
    let second = authority(&fixture, &restarted);
    let state = block_on(second.state()).unwrap();
    assert_eq!(block_on(second.lists(&state)).unwrap().full, Some(first.clone()), "handed out as it was");
    assert_eq!(second.due(&state, NOW), None);
    revoke(&fixture, 2, CrlReason::KeyCompromise);
    fixture.ledger.unrevoke(reference(1), "bob").unwrap();
    let lists = publish(&second, CrlOccasion::Delta);
    let delta = lists.delta.unwrap();
    assert_eq!((lists.full, delta.delta_base()), (Some(first.clone()), first.number()));
    let told: Vec<_> =
        delta.entries().map(|entry| (entry.serial_number().unwrap(), entry.reason())).collect();
    let [removed, revoked] = [CrlReason::RemoveFromCrl, CrlReason::KeyCompromise].map(Some);
    assert_eq!(told, [(serial(1), removed), (serial(2), revoked)]);
    assert!(delta.number() > first.number());
}

// clause: RFC 5280 132
#[test]
fn no_number_is_taken_twice_and_no_list_goes_back() {
    let fixture = Fixture::new();
    let numbers = std::thread::scope(|scope| {
        let servers = (0..4).map(|_| {
            scope.spawn(|| {
                let own = fixture.second();
                let authority = authority(&fixture, &own);
                // Whoever is overtaken too often gives up, and has published nothing.
                let made = (0..6).filter_map(|_| block_on(authority.publish(CrlOccasion::Full)).ok());
                made.map(|lists| lists.full.unwrap().number().unwrap()).collect::<Vec<_>>()
            })
        });
        let servers: Vec<_> = servers.collect();
        servers.into_iter().map(|server| server.join().unwrap()).collect::<Vec<_>>()
    });
    assert!(numbers.iter().all(|own| own.is_sorted_by(|one, next| one < next)));
    let all: Vec<_> = numbers.concat();
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len());
    let state = fixture.ledger.reader().crl_state(issuer()).unwrap();
    let last = fixture.ledger.reader().crl(issuer(), CrlName::Full(state.full.unwrap().number)).unwrap();
    assert_eq!(last.unwrap().number().as_ref(), all.iter().max(), "the latest one is in force");
}

#[test]
fn a_claim_counts_once_and_for_its_own_ca() {
    let fixture = Fixture::new();
    let (ledger, other) = (&fixture.ledger, IssuerId::from_bytes([9; 32]));
    let [one, two] = [1, 2].map(|number| CrlClaim { number, this_update: NOW });
    let claim = |issuer, after, claim| block_on(ledger.claim(issuer, after, claim)).unwrap();
    assert_eq!(claim(issuer(), None, one), CrlOutcome::Done);
    assert_eq!(claim(issuer(), None, two), CrlOutcome::Overtaken);
    assert_eq!(claim(issuer(), Some(two), two), CrlOutcome::Overtaken);
    assert_eq!(claim(other, None, one), CrlOutcome::Done);
    assert_eq!(claim(issuer(), Some(one), two), CrlOutcome::Done);
    assert_eq!(fixture.second().reader().crl_state(issuer()).unwrap().claimed, Some(two));
}

#[test]
fn lists_that_nobody_needs_are_dropped() {
    let fixture = Fixture::new();
    let authority = authority(&fixture, &fixture.ledger);
    let count = || {
        let connection = rusqlite::Connection::open(fixture.path()).unwrap();
        connection.query_row("SELECT count(*) FROM crl", [], |row| row.get::<_, i64>(0)).unwrap()
    };
    for _ in 0..5 {
        publish(&authority, CrlOccasion::Full);
        fixture.clock.advance(Duration::from_secs(13 * 3600));
        publish(&authority, CrlOccasion::Delta);
        assert!(count() <= 4, "full, delta, where deltas start, where they will start: {}", count());
    }
    let damaged = "UPDATE crl SET der = x'3000'";
    fixture.sql(damaged);
    let told = block_on(authority.publish(CrlOccasion::Full)).unwrap_err().to_string();
    assert!(told.contains("damaged CRL"), "{told}");
}

#[test]
fn certificates_are_read_page_by_page_and_orders_by_their_end() {
    let fixture = Fixture::new();
    for number in 1..=5 {
        let mut intent = intent(number);
        intent.not_after = UnixTime(NOW.0 + number * DAY);
        if number == 3 { _ = fixture.intend(&intent) } else { _ = fixture.issue(&intent) }
    }
    let reader = fixture.ledger.reader();
    let ends_from = UnixTime(NOW.0 + 2 * DAY);
    let page = |after| reader.issued_certificates(issuer(), ends_from, after, 2).unwrap();
    let (first, after) = page(CertificateCursor::default());
    assert_eq!(first.iter().map(|found| found.serial).collect::<Vec<_>>(), [serial(2), serial(4)]);
    let (second, after) = page(after);
    assert_eq!(second.iter().map(|found| found.serial).collect::<Vec<_>>(), [serial(5)]);
    assert_eq!(page(after).0, []);
    let other = IssuerId::from_bytes([9; 32]);
    assert_eq!(reader.issued_certificates(other, ends_from, CertificateCursor::default(), 2).unwrap().0, []);

    // One that was begun and never finished can be revoked all the same.
    for number in [1, 3, 4] {
        revoke(&fixture, number, CrlReason::Superseded);
    }
    assert_eq!(
        (reader.last_order_at(issuer()).unwrap(), reader.last_order_at(other).unwrap()),
        (Some(NOW), None)
    );
    let orders = reader.revoked_by_order(issuer(), ends_from).unwrap();
    let told: Vec<_> = orders.iter().map(|order| (order.certificate.serial, order.reason)).collect();
    assert_eq!(told, [(serial(3), CrlReason::Superseded), (serial(4), CrlReason::Superseded)]);
    assert_eq!(orders[0].certificate.not_after, UnixTime(NOW.0 + 3 * DAY));
}
