//! Challenges and transactions remembered.
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

use enrollment::{EnrollmentStore as _, StoredChallenge};
use issuance::{ChallengeId, Earlier, Spend};
use ledger::ChallengeFate;
use pki_core::UnixTime;
use support::{Fixture, challenge, intent};
use testkit::{NOW, block_on};

#[test]
fn a_challenge_lives_until_its_last_second() {
    let fixture = Fixture::new();
    let live = |id, at: u64| block_on(fixture.ledger.live_challenge(id, UnixTime(NOW.0 + at))).unwrap();
    assert_eq!(live(challenge(1).id, 0), None);
    block_on(fixture.ledger.add_challenge(&challenge(1))).unwrap();
    assert_eq!(live(challenge(1).id, 0), Some(challenge(1)));
    assert_eq!(live(challenge(1).id, 600), Some(challenge(1)));
    assert_eq!(live(challenge(1).id, 601), None);
    assert_eq!(live(ChallengeId::from_bytes([1; 32]), 0), None);
}

#[test]
fn row_1_a_burnt_challenge_is_good_for_nothing() {
    let fixture = Fixture::new();
    block_on(fixture.ledger.add_challenge(&challenge(1))).unwrap();
    let burn = || block_on(fixture.ledger.burn_challenge(challenge(1).id, NOW, "CN=admin")).unwrap();
    assert!(burn());
    assert!(!burn(), "it was not live any more");
    assert_eq!(block_on(fixture.ledger.live_challenge(challenge(1).id, NOW)).unwrap(), None);
    let mut intent = intent(1);
    intent.provenance.spends = Some(Spend::Stored(challenge(1).id));
    assert!(matches!(fixture.intend(&intent), issuance::IntentOutcome::ChallengeSpent));
    let records = fixture.ledger.reader().challenges(10).unwrap();
    assert_eq!(records[0].fate, ChallengeFate::Burnt { at: NOW, why: "CN=admin".into() });
}

#[test]
fn what_is_spent_or_expired_cannot_be_burnt() {
    let fixture = Fixture::new();
    for number in [1, 2] {
        block_on(fixture.ledger.add_challenge(&challenge(number))).unwrap();
    }
    let mut intent = intent(1);
    intent.provenance.spends = Some(Spend::Stored(challenge(1).id));
    fixture.intend(&intent);
    assert!(!block_on(fixture.ledger.burn_challenge(challenge(1).id, NOW, "")).unwrap());
    let later = UnixTime(NOW.0 + 601);
    assert!(!block_on(fixture.ledger.burn_challenge(challenge(2).id, later, "")).unwrap());
}

#[test]
fn transactions_are_recalled_with_what_they_got() {
    let fixture = Fixture::new();
    let recall = || {
        let key = intent(1).provenance.transaction;
        block_on(fixture.ledger.recall(key, NOW)).unwrap()
    };
    assert!(recall().is_none());
    fixture.intend(&intent(1));
    let prepared = recall().unwrap();
    assert_eq!(prepared.request, intent(1).provenance.request);
    assert!(matches!(prepared.outcome, Earlier::Prepared { tbs, .. } if tbs == intent(1).tbs));
    let made = support::certificate(support::serial(1));
    block_on(issuance::IssuanceLog::record_issued(&fixture.ledger, support::reference(1), &made)).unwrap();
    assert!(matches!(recall().unwrap().outcome, Earlier::Issued(issued) if issued == made));
}

#[test]
fn challenges_are_listed_latest_first() {
    let fixture = Fixture::new();
    for number in 1..=3 {
        let mut challenge = challenge(number);
        challenge.created = UnixTime(NOW.0 + number);
        block_on(fixture.ledger.add_challenge(&challenge)).unwrap();
    }
    let listed = fixture.ledger.reader().challenges(2).unwrap();
    let ids: Vec<_> = listed.iter().map(|record| record.id).collect();
    assert_eq!(ids, [challenge(3).id, challenge(2).id]);
    assert!(listed.iter().all(|record| record.fate == ChallengeFate::Open));
}

#[test]
fn row_7_the_profile_that_a_certificate_was_issued_with_is_known() {
    let fixture = Fixture::new();
    let profile_of = |number| block_on(fixture.ledger.profile_of(intent(number).certificate)).unwrap();
    assert_eq!(profile_of(1), None);
    block_on(fixture.ledger.add_challenge(&challenge(1))).unwrap();
    let intent = issuance::Intent { profile: "wifi".into(), ..intent(1) };
    block_on(issuance::IssuanceLog::record_intent(&fixture.ledger, &intent)).unwrap();
    assert_eq!(profile_of(1).as_deref(), Some("wifi"));
    assert_eq!(profile_of(2), None);
}

fn self_checking(expires: UnixTime) -> Spend {
    Spend::SelfChecking { id: ChallengeId::from_bytes([0x5C; 32]), expires }
}

#[test]
fn row_13_a_challenge_that_proves_itself_is_claimed_on_first_sight() {
    let fixture = Fixture::new();
    let spending = |number| {
        let mut intent = intent(number);
        intent.provenance.spends = Some(self_checking(NOW));
        intent
    };
    let first = spending(1);
    assert!(matches!(fixture.intend(&first), issuance::IntentOutcome::Recorded));
    assert!(matches!(fixture.intend(&first), issuance::IntentOutcome::Repeated(_)));
    assert!(matches!(fixture.intend(&spending(2)), issuance::IntentOutcome::ChallengeSpent));
    let record = fixture.ledger.reader().challenges(9).unwrap().remove(0);
    assert_eq!(record.object, first.object.unwrap());
    assert!(matches!(record.fate, ledger::ChallengeFate::Spent { .. }));
}

#[test]
fn row_73_a_serial_number_given_before_gives_the_challenge_back() {
    let fixture = Fixture::new();
    fixture.intend(&intent(1));
    let mut unlucky = issuance::Intent { certificate: support::reference(1), ..intent(2) };
    unlucky.provenance.spends = Some(self_checking(NOW));
    assert!(matches!(fixture.intend(&unlucky), issuance::IntentOutcome::SerialTaken));
    assert!(fixture.ledger.reader().challenges(9).unwrap().is_empty());
    let again = issuance::Intent { certificate: support::reference(3), ..unlucky };
    assert!(matches!(fixture.intend(&again), issuance::IntentOutcome::Recorded));
}

#[test]
fn row_01_a_challenge_that_proves_itself_is_burnt_once_and_then_spent_no_more() {
    let fixture = Fixture::new();
    let burnt = StoredChallenge { id: self_checking(NOW).id(), ..challenge(1) };
    assert!(block_on(fixture.ledger.burn_unseen(&burnt, "names-not-allowed")).unwrap());
    assert!(!block_on(fixture.ledger.burn_unseen(&burnt, "names-not-allowed")).unwrap());
    let mut intent = intent(1);
    intent.provenance.spends = Some(self_checking(NOW));
    assert!(matches!(fixture.intend(&intent), issuance::IntentOutcome::ChallengeSpent));
}
