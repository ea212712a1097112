//! First enrollments that somebody else decides upon.
#![allow(clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, missing_docs, reason = "tests")]

mod support;

use std::{
    future::ready,
    sync::{Arc, Mutex},
};

use directory::ObjectState;
use enrollment::{
    ApprovalPolicy, Asked, ChallengeAuthority, ChallengeValidator, EnrollmentProfile, Refusal, RefusalClass,
    RequestKind, Validated,
};
use issuance::{ChallengeId, Notice, Spend};
use pki_core::{BoxFuture, UnixTime};
use support::{
    Csr, HOUR, World, issuance_profile, laptop, object_of, other_laptop, secret, self_signed, world_asking,
    world_of,
};
use testkit::{NOW, keys};

/// Says what it was told to say, and remembers what it heard.
#[derive(Debug)]
struct Told {
    answer: Mutex<Result<Validated, Refusal>>,
    asked: Mutex<Vec<String>>,
    refused: Mutex<Vec<&'static str>>,
}

impl Told {
    fn new(answer: Result<Validated, Refusal>) -> Arc<Self> {
        Arc::new(Self { answer: Mutex::new(answer), asked: Mutex::default(), refused: Mutex::default() })
    }
}

impl ChallengeValidator for Told {
    fn validate<'a>(&'a self, asked: &'a Asked<'a>) -> BoxFuture<'a, Result<Validated, Refusal>> {
        let challenge = asked.challenge.map_or("none", |challenge| challenge.expose());
        let id = String::from_utf8_lossy(asked.transaction_id);
        self.asked.lock().unwrap().push(format!("{} {id} {challenge}", asked.profile));
        Box::pin(ready(self.answer.lock().unwrap().clone()))
    }

    fn refused<'a>(&'a self, _: &'a Asked<'a>, refusal: &'a Refusal) -> BoxFuture<'a, ()> {
        self.refused.lock().unwrap().push(refusal.code());
        Box::pin(ready(()))
    }
}

fn once() -> Spend {
    Spend::SelfChecking { id: ChallengeId::from_bytes([5; 32]), expires: NOW.saturating_add(HOUR) }
}

fn for_laptop() -> Validated {
    Validated { object: Some(laptop()), ..Validated::default() }
}

fn told(answer: Validated) -> (Arc<Told>, World) {
    let validator = Told::new(Ok(answer));
    (Arc::clone(&validator), world_asking(validator))
}

#[test]
fn whom_it_lets_through_gets_a_certificate_for_its_object_and_a_repeat_asks_nobody() {
    let notice = Notice { kind: "test".into(), body: vec![1] };
    let (validator, world) = told(Validated { notice: Some(notice.clone()), ..for_laptop() });
    let csr = Csr::with(secret("whatever")).signed();
    let certificate = world.enroll(&csr).unwrap();
    assert_eq!(object_of(&certificate), laptop());
    assert_eq!(world.enroll(&csr).unwrap(), certificate);
    assert_eq!(*validator.asked.lock().unwrap(), ["devices 1 whatever"]);
    assert_eq!(world.ledger.issued()[0].0.provenance.notice, Some(notice));
    assert!(validator.refused.lock().unwrap().is_empty());
}

#[test]
fn without_an_object_the_names_in_the_request_find_it() {
    let (validator, world) = told(Validated::default());
    let certificate = world.enroll(&Csr::named(secret(""), "laptop-2").signed()).unwrap();
    assert_eq!(object_of(&certificate), other_laptop());
    assert_eq!(*validator.asked.lock().unwrap(), ["devices 1 none"]);
    let unknown = Csr { key: keys::p384(), ..Csr::named(secret("x"), "nobody") };
    world.refuses(world.enroll(&unknown.signed()), "object-unknown", 1);
}

#[test]
fn row_13_a_challenge_that_proves_itself_is_spent_once() {
    let (_, world) = told(Validated { spends: Some(once()), ..for_laptop() });
    world.enroll(&Csr::with(secret("x")).signed()).unwrap();
    let thief = Csr { key: keys::p384(), ..Csr::with(secret("x")) }.signed();
    world.refuses(world.enroll(&thief), "challenge-spent", 1);
}

#[test]
fn row_13_a_challenge_that_expires_while_it_is_looked_at_is_not_spent() {
    let expired = Spend::SelfChecking { id: once().id(), expires: UnixTime(NOW.0 - 1) };
    let (_, world) = told(Validated { spends: Some(expired), ..for_laptop() });
    world.refuses(world.enroll(&Csr::with(secret("x")).signed()), "challenge-spent", 0);
}

#[test]
fn row_01_names_beyond_those_allowed_burn_what_would_be_spent() {
    let only = Some(vec!["LAPTOP-1".into()]);
    let (validator, world) = told(Validated { spends: Some(once()), names: only, ..for_laptop() });
    let own = [pki_core::GeneralName::Dns("laptop-1.example.com".into())];
    world.refuses(
        world.enroll(&Csr::alternatively_named(secret("x"), &own).signed()),
        "names-not-allowed",
        0,
    );
    let honest = Csr { key: keys::p384(), ..Csr::with(secret("x")) }.signed();
    world.refuses(world.enroll(&honest), "challenge-spent", 0);
    assert_eq!(*validator.refused.lock().unwrap(), ["names-not-allowed", "challenge-spent"]);
}

#[test]
fn names_that_are_allowed_are_granted_with_and_without_their_kind() {
    for listed in ["laptop-1.example.com", "DNS:laptop-1.example.com"] {
        let only = Some(vec!["laptop-1".into(), listed.into()]);
        let (_, world) = told(Validated { names: only, ..for_laptop() });
        let own = [pki_core::GeneralName::Dns("laptop-1.example.com".into())];
        let certificate = world.enroll(&Csr::alternatively_named(secret("x"), &own).signed()).unwrap();
        assert_eq!(certificate.subject_alt_names().unwrap(), own);
    }
}

#[test]
fn row_44_a_disabled_object_gets_nothing_and_the_validator_is_told() {
    let (validator, world) = told(for_laptop());
    world.directory.set_state(laptop(), ObjectState::Disabled { since: None });
    world.refuses(world.enroll(&Csr::with(secret("x")).signed()), "object-disabled", 0);
    assert_eq!(*validator.refused.lock().unwrap(), ["object-disabled"]);
}

#[test]
fn a_no_is_final_and_a_silence_is_not() {
    let long = format!("no\u{7}{}", "o".repeat(1000));
    for (answer, code, class, text) in [
        (Refusal::rejected_by("the test", &long), "challenge-rejected", RefusalClass::BadRequest, "\\u{7}"),
        (Refusal::AuthorityUnavailable("x".into()), "authority-unavailable", RefusalClass::TryLater, "later"),
    ] {
        let validator = Told::new(Err(answer.clone()));
        let world = world_asking(Arc::clone(&validator) as _);
        world.refuses(world.enroll(&Csr::with(secret("x")).signed()), code, 0);
        assert_eq!(answer.class(), class);
        assert!(answer.reply_text().contains(text) && answer.reply_text().len() < 300);
        assert!(validator.refused.lock().unwrap().is_empty(), "it was not let through");
    }
}

#[test]
fn a_notice_and_approval_do_not_go_together() {
    let notice = Some(Notice { kind: "test".into(), body: Vec::new() });
    let validator = Told::new(Ok(Validated { notice, ..for_laptop() }));
    let world = world_of(issuance_profile("devices"), |profile| {
        let authority = ChallengeAuthority::Validator(validator);
        EnrollmentProfile::new(Arc::clone(profile.issuance()), authority)
            .with_approval(ApprovalPolicy::default())
    });
    let csr = Csr::with(secret("x")).signed();
    let refusal = world.ask("devices", b"1", &csr, &self_signed(&csr), RequestKind::Initial).unwrap_err();
    assert_eq!(refusal.code(), "internal-error");
}
