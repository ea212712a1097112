//! CRLs: what stands on them, in which order they come, and that they agree with each other.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests"
)]

mod support;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use issuance::{
    CandidatesUnavailable, CrlAuthority, CrlError, CrlOccasion, CrlParts, CrlSettings, CrlStanding,
    CurrentCrls, Issuer, UnfitIssuer,
};
use keys_software::AwsLc;
use pki_core::{
    Certificate, Clock as _, Crl, CrlNumber, CrlReason, IssuingDistributionPoint, UnixTime, oids, tlv,
};
use proptest::prelude::*;
use support::crls::{Fixture, HOUR, Meanwhile, combined, entries, number, with_deltas};
use testkit::{NOW, block_on, keys};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn publish(authority: &CrlAuthority, occasion: CrlOccasion) -> CurrentCrls {
    block_on(authority.publish(occasion)).unwrap()
}

fn full(authority: &CrlAuthority) -> Crl {
    publish(authority, CrlOccasion::Full).full.unwrap()
}

/// The fields of the TBSCertList.
fn fields(crl: &Crl) -> Vec<tlv::Tlv<'_>> {
    let mut cursor = tlv::Cursor::into(crl.tbs(), tlv::SEQUENCE, "a TBSCertList").unwrap();
    std::iter::from_fn(|| (!cursor.is_empty()).then(|| cursor.next().unwrap())).collect()
}

// clause: RFC 5280 126, 127, 128, 129, 130, 131, 132
#[test]
fn a_list_has_what_the_profile_wants() {
    let fixture = Fixture::new();
    let ca = testkit::ca().certificate;
    let empty = full(&fixture.authority(CrlSettings::default()));
    let parts = fields(&empty);
    assert_eq!(parts[0].bytes, [tlv::INTEGER, 1, 1], "version 2");
    let mut outer = tlv::Cursor::into(empty.as_der(), tlv::SEQUENCE, "a CertificateList").unwrap();
    outer.next().unwrap();
    assert_eq!(parts[1].bytes, outer.next().unwrap().bytes, "one algorithm, twice");
    assert_eq!(empty.issuer().as_der(), ca.subject().as_der());
    let tags: Vec<u8> = parts[3..].iter().map(|part| part.tag).collect();
    assert_eq!(tags, [tlv::UTC_TIME, tlv::UTC_TIME, 0xA0], "both times, no entries, extensions");
    assert_eq!((empty.this_update(), empty.next_update()), (NOW, Some(NOW.saturating_add(DAY))));
    let identifier = ca.extension(oids::SUBJECT_KEY_IDENTIFIER).unwrap().value();
    assert_eq!(empty.authority_key(), Some(&identifier[2..]));
    let number = empty.extension(oids::CRL_NUMBER).unwrap();
    assert!(!number.is_critical() && number.value().len() <= 22);
    assert_eq!(empty.extensions().len(), 2, "no other extensions");
    empty.verify_signed_by(ca.public_key(), &AwsLc).unwrap();
}

// clause: RFC 5280 129
#[test]
fn from_2050_on_times_have_four_digits_of_the_year() {
    let fixture = Fixture::new();
    let end = testkit::ca().certificate.validity().not_after();
    fixture.clock.set(end);
    let settings = CrlSettings { validity: DAY * 365 * 2, ..CrlSettings::default() };
    let crl = full(&fixture.authority(settings));
    let tags: Vec<u8> = fields(&crl)[3..5].iter().map(|part| part.tag).collect();
    assert_eq!(tags, [tlv::UTC_TIME, tlv::GENERALIZED_TIME]);
}

// clause: RFC 5280 135
#[test]
fn reasons_are_told_unless_there_is_none() {
    let fixture = Fixture::new();
    let reasons = CrlReason::ALL.into_iter().filter(|reason| *reason != CrlReason::RemoveFromCrl);
    for (serial, reason) in (1..).zip(reasons.clone()) {
        fixture.table.revoke(serial, NOW, reason);
    }
    let crl = full(&fixture.authority(CrlSettings::default()));
    for (serial, reason) in (1..).zip(reasons) {
        let told = (reason != CrlReason::Unspecified).then_some(reason);
        assert_eq!(entries(&crl)[&number(serial)], (NOW, told));
    }
    // An entry without extensions has no list of them.
    let shortest = crl.entries().next().unwrap();
    assert_eq!((shortest.serial_number(), shortest.reason()), (Some(number(1)), None));
}

#[test]
fn an_entry_is_dated_no_earlier_than_the_lists_before_it() {
    let fixture = Fixture::new();
    let authority = fixture.authority(CrlSettings::default());
    let early = UnixTime(NOW.0 - 5000);
    fixture.table.revoke(1, early, CrlReason::KeyCompromise);
    let first = full(&authority);
    assert_eq!(entries(&first)[&number(1)].0, early, "there was no list before");
    fixture.clock.advance(HOUR);
    fixture.table.revoke(2, early, CrlReason::KeyCompromise);
    let second = full(&authority);
    let entry = second.entries().last().unwrap();
    assert_eq!((entry.revoked_at(), entry.invalid_since()), (NOW, Some(early)));
    fixture.clock.advance(HOUR);
    let third = full(&authority);
    assert_eq!(third.entries().collect::<Vec<_>>(), second.entries().collect::<Vec<_>>(), "dates stay");
}

// clause: RFC 5280 138
#[test]
fn an_entry_stays_until_one_list_after_the_certificates_end() {
    let fixture = Fixture::new();
    let authority = fixture.authority(with_deltas());
    let end = NOW.saturating_add(HOUR);
    let revoked = CrlStanding::Revoked { since: NOW, reason: CrlReason::Superseded };
    full(&authority);
    fixture.table.set(1, end, revoked);
    fixture.clock.advance(HOUR * 2);
    // It first appears on a delta list, after its end, and stays on those until a full list had it.
    for _ in 0..2 {
        fixture.clock.advance(HOUR);
        let delta = publish(&authority, CrlOccasion::Delta).delta.unwrap();
        assert_eq!(entries(&delta)[&number(1)].1, Some(CrlReason::Superseded));
    }
    fixture.clock.advance(HOUR);
    assert!(entries(&full(&authority)).contains_key(&number(1)));
    fixture.clock.advance(HOUR);
    assert!(full(&authority).is_empty());
}

// clause: RFC 5280 133
#[test]
fn a_scope_is_critical_and_the_same_on_delta_lists() {
    let fixture = Fixture::new();
    let scope = IssuingDistributionPoint::at(["http://ca.example.com/crl"]).unwrap();
    let authority = fixture.authority(CrlSettings { scope: Some(scope.clone()), ..with_deltas() });
    full(&authority);
    fixture.clock.advance(HOUR);
    let lists = publish(&authority, CrlOccasion::Delta);
    for crl in [lists.full.unwrap(), lists.delta.unwrap()] {
        assert!(crl.extension(oids::ISSUING_DISTRIBUTION_POINT).unwrap().is_critical());
        assert_eq!(crl.scope(), Some(&scope));
    }
}

// clause: RFC 5280 132, 134
#[test]
fn delta_lists_start_from_a_list_that_is_still_good() {
    let fixture = Fixture::new();
    let authority = fixture.authority(with_deltas());
    let first = publish(&authority, CrlOccasion::Full);
    assert!(first.delta.is_none(), "there is nothing to start from yet");
    let first = first.full.unwrap();
    let freshest = first.extension(oids::FRESHEST_CRL).unwrap();
    assert!(!freshest.is_critical());
    assert_eq!(freshest.value(), pki_core::distribution_points(["http://ca.example.com/crl/delta"]));
    fixture.clock.advance(HOUR);
    let delta = publish(&authority, CrlOccasion::Delta).delta.unwrap();
    assert!(delta.extension(oids::DELTA_CRL_INDICATOR).unwrap().is_critical());
    assert_eq!(delta.delta_base(), first.number());
    assert!(delta.number() > first.number() && delta.extension(oids::FRESHEST_CRL).is_none());
    assert!(first.extension(oids::DELTA_CRL_INDICATOR).is_none());
    assert_eq!(delta.authority_key(), first.authority_key());

    // Lists made together have one number. A change leaves the start of delta lists where it is.
    fixture.clock.advance(HOUR);
    let changed = publish(&authority, CrlOccasion::Full);
    let (full, delta) = (changed.full.unwrap(), changed.delta.unwrap());
    assert_eq!((full.number(), delta.delta_base()), (delta.number(), first.number()));
    // Half a day on, delta lists still start from the first list, which is good for the other half.
    fixture.clock.advance(HOUR * 10);
    let second = publish(&authority, CrlOccasion::Full);
    assert_eq!(second.delta.unwrap().delta_base(), first.number());
    fixture.clock.advance(HOUR * 12);
    let third = publish(&authority, CrlOccasion::Full);
    assert_eq!(third.delta.unwrap().delta_base(), second.full.unwrap().number());
    // After a long stop there is none to start from but the new one.
    fixture.clock.advance(DAY * 3);
    let fourth = publish(&authority, CrlOccasion::Full);
    assert!(fourth.delta.is_none());
    fixture.clock.advance(HOUR);
    let delta = publish(&authority, CrlOccasion::Delta).delta.unwrap();
    assert_eq!(delta.delta_base(), fourth.full.unwrap().number());
}

#[test]
fn lists_are_due_after_half_their_life() {
    let fixture = Fixture::new();
    let authority = fixture.authority(with_deltas());
    let due = || block_on(authority.state()).map(|state| authority.due(&state, fixture.clock.now())).unwrap();
    let at = |minutes: u64| fixture.clock.set(NOW.saturating_add(Duration::from_secs(minutes * 60)));
    assert_eq!(due(), Some(CrlOccasion::Full));
    full(&authority);
    assert_eq!(due(), None);
    at(1);
    assert_eq!(due(), Some(CrlOccasion::Delta));
    publish(&authority, CrlOccasion::Delta);
    assert_eq!(due(), None);
    at(31);
    assert_eq!(due(), Some(CrlOccasion::Delta));
    // Changes do not put the next full list off.
    at(719);
    publish(&authority, CrlOccasion::Full);
    assert_eq!(due(), None);
    at(720);
    assert_eq!(due(), Some(CrlOccasion::Full));
}

#[test]
fn row_49_what_nobody_can_tell_goes_on_as_it_was_told_and_no_longer() {
    let fixture = Fixture::new();
    let authority = fixture.authority(CrlSettings::default());
    fixture.table.set(1, UnixTime::MAX, CrlStanding::NotTold);
    assert_eq!(block_on(authority.publish(CrlOccasion::Full)), Err(CrlError::NotTold));
    fixture.table.revoke(1, NOW, CrlReason::CertificateHold);
    let first = full(&authority);
    // The directory is out of reach; an order comes in.
    fixture.clock.advance(HOUR * 12);
    fixture.table.set(1, UnixTime::MAX, CrlStanding::NotTold);
    fixture.table.set(2, UnixTime::MAX, CrlStanding::NotTold);
    fixture.table.revoke(3, fixture.clock.now(), CrlReason::KeyCompromise);
    let second = publish(&authority, CrlOccasion::Full).full.unwrap();
    assert_eq!(entries(&second)[&number(1)], entries(&first)[&number(1)], "not forgotten");
    assert!(!entries(&second).contains_key(&number(2)));
    assert_eq!(second.next_update(), first.next_update(), "good for no longer than what it repeats");
    fixture.clock.advance(HOUR * 12);
    assert_eq!(block_on(authority.publish(CrlOccasion::Full)), Err(CrlError::NotTold));
    *fixture.table.fails.lock().unwrap() = Some(CandidatesUnavailable::new("no disk"));
    assert!(matches!(block_on(authority.publish(CrlOccasion::Full)), Err(CrlError::Candidates(_))));
}

// clause: RFC 5280 132
#[test]
fn of_two_servers_the_one_that_is_overtaken_begins_anew() {
    let fixture = Fixture::new();
    let (slow, fast) = (fixture.authority(CrlSettings::default()), fixture.authority(CrlSettings::default()));
    let table = fixture.table.clone();
    let overtaking = Arc::new(std::sync::Mutex::new(None));
    let overtaken_by = overtaking.clone();
    // While the slow one has gathered what is revoked, the fast one learns of an order and publishes.
    *fixture.table.meanwhile.lock().unwrap() = Some(Meanwhile(Box::new(move || {
        table.revoke(1, NOW, CrlReason::KeyCompromise);
        *overtaken_by.lock().unwrap() = Some(full(&fast));
    })));
    let last = full(&slow);
    let between = overtaking.lock().unwrap().take().unwrap();
    assert!(last.number() > between.number() && last.this_update() >= between.this_update());
    assert_eq!(entries(&last), entries(&between), "nothing revoked is forgotten");
}

// clause: RFC 5280 132
#[test]
fn a_clock_that_goes_back_takes_neither_number_nor_time_back() {
    let fixture = Fixture::new();
    let authority = fixture.authority(CrlSettings::default());
    let first = full(&authority);
    fixture.clock.set(UnixTime(NOW.0 - 100_000));
    let second = full(&authority);
    assert!(second.number() > first.number());
    assert_eq!(second.this_update(), first.this_update());
    // A log that was lost takes the number back no further than to the time.
    fixture.clock.set(UnixTime(NOW.0 + 10));
    let other = Fixture::new();
    other.clock.set(UnixTime(NOW.0 + 10));
    assert!(full(&other.authority(CrlSettings::default())).number() > second.number());
}

#[test]
fn only_the_cas_own_key_signs_and_only_if_it_may() {
    let fixture = Fixture::new();
    let ca = testkit::ca();
    let parts = |issuer: Issuer| CrlParts {
        issuer,
        key: keys::p256(),
        candidates: fixture.table.clone(),
        log: fixture.log.clone(),
        clock: fixture.clock.clone(),
        settings: CrlSettings::default(),
    };
    let refused = CrlAuthority::new(parts(support::issuer(&ca))).unwrap_err();
    assert_eq!(refused, UnfitIssuer::OtherKey);
    let folder = testkit::tempdir().unwrap();
    std::fs::write(folder.path().join("key.pem"), keys::DEVICE_P256_PEM).unwrap();
    let pem = testkit::run_in(
        folder.path(),
        "openssl",
        ["req", "-x509", "-key", "key.pem", "-subj", "/CN=x", "-addext", "keyUsage=critical,keyCertSign"],
    );
    let certificate = Certificate::from_pem(std::str::from_utf8(&pem).unwrap()).unwrap();
    let issuer = Issuer::of_key(certificate, &*keys::p256()).unwrap();
    assert_eq!(CrlAuthority::new(parts(issuer)).unwrap_err(), UnfitIssuer::MayNotSignCrls);
}

#[test]
fn after_the_cas_end_it_issues_no_list() {
    let fixture = Fixture::new();
    fixture.clock.set(testkit::ca().certificate.validity().not_after().saturating_add(HOUR));
    let made = block_on(fixture.authority(CrlSettings::default()).publish(CrlOccasion::Full));
    assert!(matches!(made, Err(CrlError::CaNotValid { .. })));
}

/// What may happen between lists.
#[derive(Debug, Clone, Copy)]
enum Step {
    Revoke(u32, CrlReason),
    Lift(u32),
    Wait(u64),
    Publish(CrlOccasion),
}

fn step() -> impl Strategy<Value = Step> {
    let serial = 1..6_u32;
    let reason = prop::sample::select(vec![
        CrlReason::CertificateHold,
        CrlReason::KeyCompromise,
        CrlReason::Unspecified,
    ]);
    let occasion = prop::sample::select(vec![CrlOccasion::Full, CrlOccasion::Delta, CrlOccasion::Delta]);
    prop_oneof![
        (serial.clone(), reason).prop_map(|(serial, reason)| Step::Revoke(serial, reason)),
        serial.prop_map(Step::Lift),
        (1..20_000_u64).prop_map(Step::Wait),
        occasion.prop_map(Step::Publish),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    // clause: RFC 5280 132, 134, 135
    #[test]
    fn any_full_list_that_is_good_and_the_latest_delta_make_the_list_as_it_is(
        steps in prop::collection::vec(step(), 1..60),
    ) {
        let fixture = Fixture::new();
        let authority = fixture.authority(with_deltas());
        let mut revoked: BTreeMap<u32, CrlReason> = BTreeMap::new();
        let mut fulls: Vec<Crl> = Vec::new();
        let mut last: Option<(Option<CrlNumber>, UnixTime)> = None;
        for step in steps {
            match step {
                // What is for ever stays as it is.
                Step::Revoke(serial, _) | Step::Lift(serial)
                    if revoked.get(&serial).is_some_and(|reason| *reason != CrlReason::CertificateHold) => {}
                Step::Revoke(serial, reason) => {
                    revoked.insert(serial, reason);
                    fixture.table.revoke(serial, fixture.clock.now(), reason);
                }
                Step::Lift(serial) => {
                    revoked.remove(&serial);
                    fixture.table.clear(serial);
                }
                Step::Wait(seconds) => fixture.clock.advance(Duration::from_secs(seconds)),
                Step::Publish(occasion) => {
                    let lists = publish(&authority, occasion);
                    let now = fixture.clock.now();
                    let newest = lists.delta.iter().chain(&lists.full).max_by_key(|crl| crl.number());
                    let newest = newest.unwrap().clone();
                    prop_assert!(last < Some((newest.number(), newest.this_update())));
                    last = Some((newest.number(), newest.this_update()));
                    fulls.extend(lists.full.clone());
                    fulls.retain(|full| full.next_update() > Some(now));
                    let told = |serials: Vec<_>| serials == revoked.keys().map(|s| number(*s)).collect::<Vec<_>>();
                    let full = lists.full.unwrap();
                    if full.number() == newest.number() {
                        prop_assert!(told(entries(&full).into_keys().collect()));
                        prop_assert!(entries(&full).values().all(|(_, reason)| *reason != Some(CrlReason::RemoveFromCrl)));
                    }
                    let Some(delta) = lists.delta else { continue };
                    // Whoever holds a list that has not run out needs no other.
                    for held in fulls.iter().filter(|held| held.number() < delta.number()) {
                        prop_assert!(held.number() >= delta.delta_base(), "{held:?} {delta:?}");
                        prop_assert!(told(combined(held, &delta).into_keys().collect()), "{held:?} {delta:?}");
                        if full.number() == delta.number() {
                            prop_assert_eq!(combined(held, &delta), entries(&full));
                        }
                    }
                }
            }
        }
    }
}
