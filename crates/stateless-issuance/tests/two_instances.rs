//! Two instances that know nothing of each other issue one certificate for one transaction and request.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use std::collections::BTreeMap;

use enrollment::{
    RequestKind::{Initial, Renewal},
    SealedTerms,
};
use issuance::{
    Intent, IntentOutcome, IssuanceLog as _, IssueError, PrepareError, Provenance, Since, TransactionKey,
};
use pki_core::{CertRef, Certificate, IssuerId, UnixTime};
use proptest::prelude::*;
use stateless_issuance::NoRecord;
use support::{DAY, LIFE, Message, Site, WINDOW, laptop, sealed_challenges, self_signed};
use testkit::{NOW, block_on, keys};

const HOUR: u64 = 60 * 60;

fn at(seconds: u64) -> UnixTime {
    UnixTime(NOW.0 + seconds)
}

#[test]
fn a_repeat_to_the_other_instance_gets_the_same_octets_whatever_the_key() {
    let rsa = Site::of(keys::RSA_CA_PEM, &testkit::rsa_ca().certificate);
    for site in [Site::p256(), rsa] {
        let message = Message::new("1", "laptop-1", NOW);
        let [one, other] = site.instances.each_ref().map(|instance| instance.ask(&message, Initial).unwrap());
        assert_eq!(one.as_der(), other.as_der());
        let next = Message::new("2", "laptop-1", NOW);
        assert_ne!(site.instances[0].ask(&next, Initial).unwrap().serial_number(), one.serial_number());
    }
}

#[test]
fn a_renewal_counts_from_the_day_on_which_it_opened() {
    let site = Site::p256();
    let old = site.instances[0].ask(&Message::new("1", "laptop-1", NOW), Initial).unwrap();
    let opened = UnixTime(old.validity().not_after().0 - WINDOW * DAY);
    let renewal = Message::new("2", "laptop-1", NOW).signed_by(&old);
    site.set(UnixTime(opened.0 - 1));
    assert_eq!(site.instances[0].ask(&renewal, Renewal).unwrap_err().code(), "renewal-too-early");
    for (now, instance) in [(opened.0, 0), (opened.0 + 1, 1), (opened.0 + WINDOW * DAY - 1, 0)] {
        site.set(UnixTime(now));
        let new = site.instances[instance].ask(&renewal, Renewal).unwrap();
        assert_eq!(new.validity().not_before(), UnixTime(opened.0 - HOUR));
        assert_eq!(new.validity().not_after(), UnixTime(opened.0 + LIFE * DAY));
    }
}

/// What it would have, had its object always been called so: another certificate needs another number.
#[test]
fn row_73_a_repeat_that_would_say_something_else_has_another_number() {
    let site = Site::p256();
    let message = Message::new("1", "laptop-1", NOW);
    let one = site.instances[0].ask(&message, Initial).unwrap();
    site.directory.name(laptop(1), &["laptop-1.example.com", "laptop-1"]);
    let other = site.instances[0].ask(&Message::new("1", "laptop-1.example.com", NOW), Initial).unwrap();
    assert_ne!(one.subject(), other.subject());
    assert_ne!(one.serial_number(), other.serial_number());
}

#[test]
fn row_73_the_number_of_the_certificate_renewed_is_not_given_again() {
    let serial = "20".repeat(20).parse().unwrap();
    let intent = |renews| Intent {
        certificate: CertRef { issuer: IssuerId::from_bytes([1; 32]), serial },
        tbs: Vec::new(),
        profile: "devices".into(),
        subject: String::new(),
        object: None,
        not_after: NOW,
        at: NOW,
        provenance: Provenance {
            transaction: TransactionKey::new("devices", b"1", &[1; 32]),
            request: [2; 32],
            spends: None,
            renews,
            notice: None,
            since: Since::Unknown,
        },
    };
    for (renews, taken) in
        [(Some(serial), true), (Some("21".repeat(20).parse().unwrap()), false), (None, false)]
    {
        let outcome = block_on(NoRecord.record_intent(&intent(renews))).unwrap();
        assert_eq!(matches!(outcome, IntentOutcome::SerialTaken), taken);
    }
}

#[test]
fn a_ca_that_is_not_valid_now_issues_nothing_though_it_was_when_the_certificate_would_begin() {
    let site = Site::p256();
    let end = testkit::ca().certificate.validity().not_after();
    site.set(UnixTime(end.0 + 60));
    let refused = site.instances[0].ask(&Message::new("1", "laptop-1", UnixTime(end.0 - HOUR)), Initial);
    let expected = PrepareError::CaNotValid { now: UnixTime(end.0 + 60), not_after: end };
    assert_eq!(refused.unwrap_err().to_string(), IssueError::Prepare(expected).to_string());
}

/// A request to one of the instances, after a while.
#[derive(Debug, Clone)]
struct Step {
    instance: usize,
    /// Which transaction, and which of its two requests.
    wish: (usize, usize),
    delay: u64,
    /// By how much that instance's clock is ahead.
    ahead: u64,
}

fn steps(longest: u64) -> impl Strategy<Value = Vec<Step>> {
    let step = (0..2_usize, (0..3_usize, 0..2_usize), 0..longest, 0..120_u64);
    let step = step.prop_map(|(instance, wish, delay, ahead)| Step { instance, wish, delay, ahead });
    prop::collection::vec(step, 2..12)
}

/// One certificate for each (transaction, request), at whichever instance and however often they come.
fn one_for_each(
    steps: &[Step],
    from: u64,
    mut ask: impl FnMut(&Step, UnixTime) -> Certificate,
) -> Result<(), TestCaseError> {
    let (mut issued, mut now) = (BTreeMap::<(usize, usize), Certificate>::new(), from);
    for step in steps {
        now += step.delay;
        let certificate = ask(step, UnixTime(now + step.ahead));
        let first = issued.entry(step.wish).or_insert_with(|| certificate.clone());
        prop_assert_eq!(first.as_der(), certificate.as_der());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// Whoever sends a message again sends the certificate that signed it, too: it tells when it all began, give or take
    /// the client's clock.
    #[test]
    fn all_repeats_of_a_message_get_one_certificate(
        steps in steps(HOUR), back in prop::array::uniform3(0..DAY), phase in 0..DAY,
    ) {
        let site = Site::p256();
        let from = NOW.0 + phase;
        let message = |(transaction, request): (usize, usize)| {
            let begins = UnixTime(from - back[transaction]);
            Message::new(&format!("{transaction}"), &format!("laptop-{}", request + 1), begins)
        };
        one_for_each(&steps, from, |step, now| {
            let instance = &site.instances[step.instance];
            instance.clock.set(now);
            instance.ask(&message(step.wish), Initial).unwrap()
        })?;
    }

    /// Renewals may be repeated for as long as the certificate renewed is valid, by messages made anew.
    #[test]
    fn all_repeats_of_a_renewal_get_one_certificate(steps in steps(WINDOW * DAY / 12), phase in 0..DAY) {
        let site = Site::p256();
        let from = NOW.0 + phase;
        site.set(UnixTime(from));
        let old = [1, 2].map(|number| {
            site.instances[0].ask(&Message::new("old", &format!("laptop-{number}"), at(phase)), Initial).unwrap()
        });
        let opened = old.iter().map(|old| old.validity().not_after().0 - WINDOW * DAY).max().unwrap();
        let until = old.iter().map(|old| old.validity().not_after().0).min().unwrap();
        one_for_each(&steps, opened, |step, now| {
            let (transaction, request) = step.wish;
            let message = Message::new(&format!("{transaction}"), &format!("laptop-{}", request + 1), NOW);
            let instance = &site.instances[step.instance];
            instance.clock.set(now.min(UnixTime(until)));
            instance.ask(&message.signed_by(&old[request]), Renewal).unwrap()
        })?;
    }

    /// A challenge that proves itself tells when it ends. Messages may be made anew for as long as it is good.
    #[test]
    fn all_repeats_with_a_sealed_challenge_get_one_certificate(
        steps in steps(DAY / 12), begins in prop::collection::vec(0..2 * NOW.0, 12), phase in 0..DAY,
    ) {
        let (site, from) = (Site::p256(), NOW.0 + phase);
        let challenges = [1, 2].map(|number| {
            let terms = SealedTerms { object: Some(laptop(number)), ..SealedTerms::until(UnixTime(from + DAY)) };
            sealed_challenges().seal(&terms, "sealed").unwrap()
        });
        let mut begins = begins.into_iter().cycle();
        one_for_each(&steps, from, |step, now| {
            let (transaction, request) = step.wish;
            let (transaction, laptop) = (format!("{transaction}"), format!("laptop-{}", request + 1));
            let begins = UnixTime(begins.next().unwrap());
            let message = Message::with(&challenges[request], "sealed", &transaction, &laptop, begins);
            let instance = &site.instances[step.instance];
            instance.clock.set(now.min(UnixTime(from + DAY)));
            instance.ask(&message, Initial).unwrap()
        })?;
    }

    /// Made anew each time, and so with another claim each time, within minutes: the documented chance, and no more than
    /// two certificates.
    #[test]
    fn repeats_that_are_made_anew_get_two_certificates_at_most(delays in prop::collection::vec(0..60_u64, 2..8), phase in 0..DAY) {
        let site = Site::p256();
        let mut now = NOW.0 + phase;
        let mut issued = Vec::new();
        for (at, delay) in delays.into_iter().enumerate() {
            now += delay;
            let message = Message::new("1", "laptop-1", UnixTime(NOW.0));
            let message = message.signed_by(&self_signed(&message.csr, UnixTime(now)));
            let instance = &site.instances[at % 2];
            instance.clock.set(UnixTime(now));
            issued.push(instance.ask(&message, Initial).unwrap().as_der().to_vec());
        }
        issued.dedup();
        prop_assert!(issued.len() <= 2);
    }
}
