//! Requests that a person decides, and what those who ask after them are told.
#![allow(clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, missing_docs, reason = "tests")]

mod support;

use std::time::Duration;

use directory::ObjectState;
use enrollment::{
    Enrollment, MOST_WAITING_OF_ONE_OBJECT, PendingRequest, Refusal, RefusalClass, RequestKind, Verdict,
};
use pki_core::{Certificate, CertificationRequest, CrlReason, GeneralName, Name};
use revocation::Standing;
use support::{Csr, HOUR, World, laptop, object_of, self_signed, world};
use testkit::{NOW, keys};

const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

fn ask(world: &World, profile: &str, csr: &CertificationRequest) -> Result<Enrollment, Refusal> {
    world.ask(profile, b"1", csr, &self_signed(csr), RequestKind::Initial)
}

/// The only request in the queue.
fn pending(world: &World) -> PendingRequest {
    let [only] = world.ledger.queue().try_into().unwrap();
    only.request
}

fn approve(world: &World) {
    let at = pki_core::Clock::now(&*world.clock);
    assert!(world.ledger.decide(pending(world).transaction, Verdict::Approved { at }));
}

fn deny(world: &World, reason: &str) {
    let denied = Verdict::Denied { at: NOW, reason: reason.into() };
    assert!(world.ledger.decide(pending(world).transaction, denied));
}

fn code<T: std::fmt::Debug>(outcome: Result<T, Refusal>) -> &'static str {
    outcome.unwrap_err().code()
}

/// A request to `watched` for `laptop-1`, waiting.
fn waiting(world: &World) -> (CertificationRequest, Certificate) {
    let csr = Csr::with(world.challenge_for(laptop(), "watched")).signed();
    assert_eq!(ask(world, "watched", &csr), Ok(Enrollment::Pending));
    let signer = self_signed(&csr);
    (csr, signer)
}

// clause: RFC 8894 S8, S9, S19
#[test]
fn a_request_waits_until_it_is_approved_and_is_answered_once_and_for_all() {
    let world = world();
    let (csr, signer) = waiting(&world);
    for _ in 0..3 {
        assert_eq!(world.poll("watched", b"1", &signer), Ok(Enrollment::Pending));
        // Repeating the request is asking as well.
        assert_eq!(ask(&world, "watched", &csr), Ok(Enrollment::Pending));
        world.clock.advance(HOUR);
    }
    assert_eq!(world.ledger.intents(), 0);
    approve(&world);
    let certificate = world.poll("watched", b"1", &signer).unwrap().certificate().unwrap();
    assert_eq!(object_of(&certificate), laptop());
    assert_eq!(certificate.subject().to_string(), "CN=laptop-1,O=Example");
    // For as long as the request is remembered, though a transaction is only for a day.
    for _ in 0..6 {
        let again = Ok(Enrollment::Issued(certificate.clone()));
        assert_eq!(world.poll("watched", b"1", &signer), again);
        assert_eq!(ask(&world, "watched", &csr), again);
        world.clock.advance(HOUR * 24);
    }
    assert_eq!(world.ledger.intents(), 1);
}

#[test]
fn row_15_nobody_asks_after_the_request_of_another_key() {
    let world = world();
    let (_, signer) = waiting(&world);
    let thief = self_signed(&Csr { key: keys::p384(), ..Csr::default() }.signed());
    for approved in [false, true] {
        if approved {
            approve(&world);
        }
        assert_eq!(code(world.poll("watched", b"1", &thief)), "nothing-pending");
        assert_eq!(code(world.poll("watched", b"2", &signer)), "nothing-pending");
        assert_eq!(code(world.poll("strict", b"1", &signer)), "nothing-pending");
    }
    assert_eq!(world.ledger.intents(), 0);
}

// clause: RFC 8894 S20
#[test]
fn a_poll_without_a_request_is_refused() {
    let world = world();
    let signer = self_signed(&Csr::default().signed());
    let refusal = world.poll("devices", b"1", &signer).unwrap_err();
    assert_eq!((refusal.code(), refusal.class()), ("nothing-pending", RefusalClass::NotFound));
    assert_eq!(code(world.poll("nowhere", b"1", &signer)), "profile-unknown");
}

// clause: RFC 8894 S25
#[test]
fn who_lost_the_answer_to_a_request_that_did_not_wait_may_poll_for_it() {
    let world = world();
    let csr = Csr::with(world.challenge()).signed();
    let issued = world.enroll(&csr).unwrap();
    let poll = || world.poll("devices", b"1", &self_signed(&csr));
    assert_eq!(poll(), Ok(Enrollment::Issued(issued)));
    world.clock.advance(HOUR * 25);
    assert_eq!(code(poll()), "nothing-pending");
}

#[test]
fn a_denied_request_is_told_why_and_may_be_followed_by_another() {
    let world = world();
    let (csr, signer) = waiting(&world);
    deny(&world, "the laptop was reported stolen");
    for outcome in [world.poll("watched", b"1", &signer), ask(&world, "watched", &csr)] {
        let refusal = outcome.unwrap_err();
        assert_eq!((refusal.code(), refusal.class()), ("approval-denied", RefusalClass::BadRequest));
        assert!(refusal.reply_text().contains("reported stolen"), "{refusal}");
    }
    // The challenge is spent; under another one the same transaction begins anew, as clients need who make the
    // transactionID of their key.
    waiting(&world);
    approve(&world);
    assert!(world.poll("watched", b"1", &signer).unwrap().certificate().is_some());
}

#[test]
fn row_14_another_request_does_not_take_the_place_of_one_that_waits() {
    let world = world();
    waiting(&world);
    let other = Csr::with(world.challenge_for(laptop(), "watched")).signed();
    assert_eq!(code(ask(&world, "watched", &other)), "transaction-reused");
    approve(&world);
    assert_eq!(code(ask(&world, "watched", &other)), "transaction-reused");
}

#[test]
fn row_13_a_challenge_lets_one_request_wait() {
    let world = world();
    let (csr, signer) = waiting(&world);
    let second = world.ask("watched", b"2", &csr, &signer, RequestKind::Initial);
    assert_eq!(code(second), "challenge-unknown");
    assert_eq!(world.ledger.queue().len(), 1);
}

#[test]
fn a_request_that_nobody_decides_is_given_up() {
    let world = world();
    let (csr, signer) = waiting(&world);
    world.clock.advance(WEEK);
    assert_eq!(world.poll("watched", b"1", &signer), Ok(Enrollment::Pending));
    world.clock.advance(Duration::from_secs(1));
    assert_eq!(code(world.poll("watched", b"1", &signer)), "approval-expired");
    assert_eq!(code(ask(&world, "watched", &csr)), "challenge-unknown");
    waiting(&world);
}

#[test]
fn an_approved_certificate_must_be_fetched_in_time() {
    let world = world();
    let (_, signer) = waiting(&world);
    approve(&world);
    world.clock.advance(WEEK + Duration::from_secs(1));
    assert_eq!(code(world.poll("watched", b"1", &signer)), "approval-expired");
    assert_eq!(world.ledger.intents(), 0);
}

#[test]
fn row_44_what_changed_while_a_request_waited_is_heard() {
    let world = world();
    let (_, signer) = waiting(&world);
    approve(&world);
    world.directory.set_state(laptop(), ObjectState::Disabled { since: None });
    assert_eq!(code(world.poll("watched", b"1", &signer)), "object-disabled");
    world.directory.set_state(laptop(), ObjectState::Enabled);
    world.directory.add(laptop(), "renamed", &[]);
    assert_eq!(code(world.poll("watched", b"1", &signer)), "names-not-allowed");
    world.directory.add(laptop(), "laptop-1", &[]);
    assert!(world.poll("watched", b"1", &signer).unwrap().certificate().is_some());
}

#[test]
fn nobody_is_asked_about_what_cannot_be_issued() {
    let world = world();
    let challenge = world.challenge_for(laptop(), "watched");
    let foreign = Csr::named(challenge.clone(), "laptop-2").signed();
    assert_eq!(code(ask(&world, "watched", &foreign)), "names-not-allowed");
    assert_eq!(code(ask(&world, "watched", &Csr::with(challenge).signed())), "challenge-unknown");
    world.directory.set_state(laptop(), ObjectState::Disabled { since: None });
    let csr = Csr::with(world.challenge_for(laptop(), "watched")).signed();
    assert_eq!(code(ask(&world, "watched", &csr)), "object-disabled");
    assert!(world.ledger.queue().is_empty());
}

#[test]
fn row_67_no_challenge_is_kept_with_a_request_that_waits() {
    let world = world();
    let names = [GeneralName::Dns("laptop-1.example.com".into())];
    let challenge = world.challenge_for(laptop(), "watched");
    let csr = Csr::alternatively_named(challenge.clone(), &names).signed();
    assert_eq!(ask(&world, "watched", &csr), Ok(Enrollment::Pending));
    let kept = pending(&world).csr;
    assert!(kept.challenge_password().is_none());
    let secret = challenge.expose().as_bytes();
    assert!(!kept.as_der().windows(secret.len()).any(|part| part == secret));
    assert_eq!((kept.subject(), kept.public_key()), (csr.subject(), csr.public_key()));
    approve(&world);
    let certificate = ask(&world, "watched", &csr).unwrap().certificate().unwrap();
    assert_eq!(certificate.subject_alt_names().unwrap(), names);
}

#[test]
fn row_12_without_a_challenge_a_person_decides_about_an_object_that_there_is() {
    let world = world();
    let nobody = Csr { subject: Name::of_common_name("laptop-9"), ..Csr::default() }.signed();
    assert_eq!(code(ask(&world, "walk-in", &nobody)), "object-unknown");
    let csr = Csr::default().signed();
    assert_eq!(ask(&world, "walk-in", &csr), Ok(Enrollment::Pending));
    assert_eq!(pending(&world).object, laptop());
    assert_eq!(world.ledger.intents(), 0);
    approve(&world);
    assert!(ask(&world, "walk-in", &csr).unwrap().certificate().is_some());
}

#[test]
fn a_queue_has_an_end() {
    let world = world();
    let csr = Csr::default().signed();
    let ask = |number: u8| world.ask("walk-in", &[number], &csr, &self_signed(&csr), RequestKind::Initial);
    for number in 0..u8::try_from(MOST_WAITING_OF_ONE_OBJECT).unwrap() {
        assert_eq!(ask(number), Ok(Enrollment::Pending));
    }
    let refusal = ask(99).unwrap_err();
    assert_eq!((refusal.code(), refusal.class()), ("approval-queue-full", RefusalClass::TryLater));
    // What waits already is not hurt by it.
    assert_eq!(ask(0), Ok(Enrollment::Pending));
    world.clock.advance(WEEK + Duration::from_secs(1));
    assert_eq!(ask(99), Ok(Enrollment::Pending));
}

#[test]
fn renewals_wait_where_the_profile_says_so() {
    for (profile, waits) in [("watched", false), ("strict", true)] {
        let world = world();
        let first = Csr::with(world.challenge_for(laptop(), profile)).signed();
        assert_eq!(ask(&world, profile, &first), Ok(Enrollment::Pending));
        approve(&world);
        let old = ask(&world, profile, &first).unwrap().certificate().unwrap();
        let next = Csr { key: keys::p384(), ..Csr::default() }.signed();
        let outcome = world.ask(profile, b"2", &next, &old, RequestKind::Renewal).unwrap();
        assert_eq!(outcome == Enrollment::Pending, waits, "{profile}");
    }
}

#[test]
fn an_approved_renewal_is_judged_by_what_it_renews() {
    let world = world();
    let first = Csr::with(world.challenge_for(laptop(), "strict")).signed();
    ask(&world, "strict", &first).unwrap();
    approve(&world);
    let old = ask(&world, "strict", &first).unwrap().certificate().unwrap();
    let next = Csr { key: keys::p384(), ..Csr::default() }.signed();
    world.ask("strict", b"2", &next, &old, RequestKind::Renewal).unwrap();
    let renewal = world.ledger.queue().into_iter().find(|queued| queued.request.renews.is_some()).unwrap();
    world.ledger.decide(renewal.request.transaction, Verdict::Approved { at: NOW });
    world.revocation.say(Standing::Revoked { since: NOW, reason: CrlReason::KeyCompromise });
    assert_eq!(code(world.poll("strict", b"2", &old)), "renewal-signer-revoked");
    world.revocation.say(Standing::Good);
    let new = world.poll("strict", b"2", &old).unwrap().certificate().unwrap();
    assert_eq!((object_of(&new), new.public_key()), (laptop(), next.public_key()));
}
