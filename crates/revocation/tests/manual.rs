//! Manual revocations: what is listed, and what is told when the record is out of reach.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests"
)]

mod support;

use std::{sync::Arc, time::Duration};

use pki_core::{CrlReason, UnixTime};
use revocation::{ManualRevocation, ManualRevocations, NotARevocation, RevocationSource, Standing};
use support::certificate;
use testkit::{FixedClock, block_on};

fn index(at: u64) -> (Arc<FixedClock>, ManualRevocations) {
    let clock = Arc::new(FixedClock::new(UnixTime(at)));
    (Arc::clone(&clock), ManualRevocations::new(clock, Duration::from_secs(30)))
}

fn revocation(since: u64, reason: CrlReason) -> ManualRevocation {
    ManualRevocation::new(UnixTime(since), reason).unwrap()
}

fn standing(index: &ManualRevocations, serial: u8) -> Option<Standing> {
    block_on(index.status(certificate(serial))).ok().map(|report| report.standing)
}

const COMPROMISED: Standing = Standing::Revoked { since: UnixTime(90), reason: CrlReason::KeyCompromise };
const HELD: Standing = Standing::Hold { since: UnixTime(80) };

#[test]
fn tells_what_is_listed() {
    let (_, index) = index(100);
    let listed = [
        (certificate(1), revocation(90, CrlReason::KeyCompromise)),
        (certificate(2), revocation(80, CrlReason::CertificateHold)),
    ];
    index.replace_all(listed, UnixTime(100));
    assert_eq!(standing(&index, 1), Some(COMPROMISED));
    assert_eq!(standing(&index, 2), Some(HELD));
    assert_eq!(standing(&index, 3), Some(Standing::NotMine));
    index.apply(certificate(2), None);
    index.apply(certificate(3), Some(revocation(100, CrlReason::Superseded)));
    assert_eq!(standing(&index, 2), Some(Standing::NotMine));
    assert!(matches!(standing(&index, 3), Some(Standing::Revoked { reason: CrlReason::Superseded, .. })));
    assert_eq!(index.find(certificate(1)).map(ManualRevocation::reason), Some(CrlReason::KeyCompromise));
}

#[test]
fn row_49_what_cannot_be_confirmed_is_not_good() {
    let (clock, index) = index(100);
    assert_eq!(standing(&index, 3), None, "never read");
    assert_eq!(index.epoch(), None);
    let listed = [
        (certificate(1), revocation(90, CrlReason::KeyCompromise)),
        (certificate(2), revocation(80, CrlReason::CertificateHold)),
    ];
    index.replace_all(listed, UnixTime(100));
    let epoch = index.epoch();
    assert!(epoch.is_some());
    clock.set(UnixTime(131));
    assert_eq!(standing(&index, 1), Some(COMPROMISED), "for ever is for ever");
    assert_eq!(standing(&index, 2), None, "a hold may have been lifted");
    let error = block_on(index.status(certificate(3))).unwrap_err().to_string();
    assert!(error.contains("more than the 30 s"), "{error}");
    assert_eq!(index.epoch(), None, "nothing answered before may be served on");
    index.confirm(UnixTime(131));
    assert_eq!(standing(&index, 2), Some(HELD));
    assert_eq!(index.epoch(), epoch);
}

#[test]
fn the_epoch_changes_with_the_list_only() {
    let (_, index) = index(100);
    index.confirm(UnixTime(100));
    let mut epochs = vec![index.epoch()];
    let listed = [(certificate(1), revocation(90, CrlReason::KeyCompromise))];
    index.replace_all(listed, UnixTime(100));
    epochs.push(index.epoch());
    index.apply(certificate(2), Some(revocation(95, CrlReason::CertificateHold)));
    epochs.push(index.epoch());
    index.apply(certificate(2), None);
    epochs.push(index.epoch());
    epochs.dedup();
    assert_eq!(epochs.len(), 4, "{epochs:?}");
    index.replace_all(listed, UnixTime(101));
    index.apply(certificate(1), Some(listed[0].1));
    assert_eq!(index.epoch(), epochs[3]);
}

#[test]
fn a_change_made_while_the_record_was_being_read_is_kept() {
    let (clock, index) = index(100);
    index.apply(certificate(1), Some(revocation(100, CrlReason::KeyCompromise)));
    // This reading began before the change and ended after it.
    index.replace_all([], UnixTime(99));
    assert!(matches!(standing(&index, 1), Some(Standing::Revoked { .. })));
    clock.set(UnixTime(105));
    index.replace_all([], UnixTime(105));
    assert_eq!(standing(&index, 1), Some(Standing::NotMine), "a later reading knows better");
}

#[test]
fn no_date_lies_after_the_time_of_knowing() {
    let (_, index) = index(100);
    let listed = [
        (certificate(1), revocation(500, CrlReason::KeyCompromise)),
        (certificate(2), revocation(98, CrlReason::CertificateHold)),
    ];
    index.replace_all(listed, UnixTime(95));
    for serial in [1, 2] {
        let report = block_on(index.status(certificate(serial))).unwrap();
        let (Standing::Hold { since } | Standing::Revoked { since, .. }) = report.standing else {
            panic!("{report:?}");
        };
        assert!(since <= report.known_at && report.known_at <= UnixTime(100), "{report:?}");
    }
}

#[test]
fn remove_from_crl_revokes_nothing() {
    assert_eq!(ManualRevocation::new(UnixTime(1), CrlReason::RemoveFromCrl), Err(NotARevocation));
}
