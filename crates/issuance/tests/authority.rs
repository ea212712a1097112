//! The order of record, signature and record, and what becomes of it when it is cut off.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests"
)]

mod support;

use std::sync::Arc;

use issuance::{
    CaParts, CertificateAuthority, CertificateRequest, Earlier, IntentOutcome, InterruptedIssuance,
    IssuanceLog, IssueError, LogError, PreparedCertificate, SignError, UnfitIssuer,
};
use keys_software::AwsLc;
use pki_core::{CertRef, Certificate, KeyError, PublicKey, RandomFailed, SecureRandom, SigningKey as _};
use serial_binding::{Resolution, SerialBinding as _};
use support::{
    Diary, NotingKey, ScriptedLog, authorized, bindings, ca_with, ca_with_random, issuer, object, provenance,
    request,
};
use testkit::{FixedClock, NOW, block_on, keys};

fn device_key() -> PublicKey {
    keys::p256().public_key().clone()
}

fn issue(ca: &CertificateAuthority) -> Result<Certificate, IssueError> {
    block_on(ca.issue(authorized(request(&device_key()))))
}

fn prepared_before() -> (CertRef, Vec<u8>) {
    let authority = testkit::ca();
    let serial = bindings(&authority).bind(&object(), &AwsLc).unwrap();
    let prepared: PreparedCertificate =
        issuer(&authority).prepare(&authorized(request(&device_key())), serial, NOW).unwrap();
    (issuer(&authority).certificate_ref(serial), prepared.tbs().to_vec())
}

fn ca(log: &Arc<ScriptedLog>) -> CertificateAuthority {
    let key = NotingKey::of(&testkit::ca(), &log.diary);
    ca_with(Arc::new(key), log.clone())
}

#[test]
fn the_intent_is_on_record_before_the_signature_and_the_certificate_before_it_leaves() {
    let (log, diary) = ScriptedLog::answering([]);
    let certificate = issue(&ca(&log)).unwrap();
    assert_eq!(diary.entries(), ["intent", "sign", "issued"]);
    let intents = log.intents.lock().unwrap();
    let intent = &intents[0];
    assert_eq!(intent.tbs, certificate.tbs());
    assert_eq!(Some(intent.certificate.serial), certificate.serial_number());
    assert_eq!(intent.certificate.issuer, issuer(&testkit::ca()).id());
    assert_eq!((intent.profile.as_str(), intent.subject.as_str()), ("devices", "CN=laptop-1,O=Example"));
    assert_eq!((intent.object, intent.at), (Some(object()), NOW));
    assert_eq!(intent.not_after, certificate.validity().not_after());
    assert_eq!(intent.provenance, provenance());
}

#[test]
fn nothing_is_signed_that_is_not_on_record() {
    for (answer, expected) in [
        (Err(LogError::new("disk full")), IssueError::Log(LogError::new("disk full"))),
        (Ok(IntentOutcome::ChallengeSpent), IssueError::ChallengeSpent),
        (Ok(IntentOutcome::TransactionTaken), IssueError::TransactionTaken),
    ] {
        let (log, diary) = ScriptedLog::answering([answer]);
        assert_eq!(issue(&ca(&log)).unwrap_err(), expected);
        assert_eq!(diary.entries(), ["intent"]);
    }
}

#[test]
fn row_73_a_serial_number_that_was_given_before_is_not_given_again() {
    let taken = || Ok(IntentOutcome::SerialTaken);
    let (log, _) = ScriptedLog::answering([taken(), taken()]);
    issue(&ca(&log)).unwrap();
    let serials: Vec<_> =
        log.intents.lock().unwrap().iter().map(|intent| intent.certificate.serial).collect();
    assert_eq!(serials.len(), 3);
    assert!(serials[0] != serials[1] && serials[1] != serials[2]);
}

#[test]
fn row_73_a_generator_that_repeats_itself_ends_in_an_error_and_not_in_a_duplicate() {
    #[derive(Debug)]
    struct Constant;
    impl SecureRandom for Constant {
        fn fill(&self, out: &mut [u8]) -> Result<(), RandomFailed> {
            out.fill(0x5A);
            Ok(())
        }
    }
    let taken = std::iter::repeat_with(|| Ok(IntentOutcome::SerialTaken)).take(100);
    let (log, diary) = ScriptedLog::answering(taken);
    let key = Arc::new(NotingKey::of(&testkit::ca(), &diary));
    let ca = ca_with_random(key, log.clone(), Arc::new(Constant));
    assert_eq!(issue(&ca).unwrap_err(), IssueError::NoFreeSerial);
    assert_eq!(diary.entries(), ["intent"; 8]);
}

#[test]
fn without_randomness_nothing_is_issued() {
    #[derive(Debug)]
    struct Broken;
    impl SecureRandom for Broken {
        fn fill(&self, _out: &mut [u8]) -> Result<(), RandomFailed> {
            Err(RandomFailed)
        }
    }
    let (log, diary) = ScriptedLog::answering([]);
    let ca = ca_with_random(testkit::ca().key, log, Arc::new(Broken));
    assert_eq!(issue(&ca).unwrap_err(), IssueError::Random(RandomFailed));
    assert!(diary.entries().is_empty());
}

#[test]
fn a_repeat_of_an_interrupted_transaction_signs_the_very_bytes_on_record() {
    let (certificate, tbs) = prepared_before();
    let earlier = Earlier::Prepared { certificate, tbs: tbs.clone() };
    let (log, diary) = ScriptedLog::answering([Ok(IntentOutcome::Repeated(earlier))]);
    let issued = issue(&ca(&log)).unwrap();
    assert_eq!(issued.tbs(), tbs);
    assert_eq!(diary.entries(), ["intent", "sign", "issued"]);
}

#[test]
fn an_interrupted_issuance_is_finished_on_demand() {
    let (certificate, tbs) = prepared_before();
    let (log, diary) = ScriptedLog::answering([]);
    let interrupted = authorized(InterruptedIssuance { certificate, tbs: tbs.clone() });
    let issued = block_on(ca(&log).resume(interrupted)).unwrap();
    assert_eq!(issued.tbs(), tbs);
    issued.verify_signed_by(testkit::ca().certificate.public_key(), &AwsLc).unwrap();
    assert_eq!(diary.entries(), ["sign", "issued"]);
}

#[test]
fn an_interrupted_issuance_of_another_ca_or_serial_is_not_signed() {
    let (certificate, tbs) = prepared_before();
    let (log, diary) = ScriptedLog::answering([]);
    let elsewhere = CertRef { issuer: issuer(&testkit::rsa_ca()).id(), ..certificate };
    let elsewhere = authorized(InterruptedIssuance { certificate: elsewhere, tbs: tbs.clone() });
    assert_eq!(block_on(ca(&log).resume(elsewhere)).unwrap_err(), IssueError::OtherIssuer);
    assert!(diary.entries().is_empty());
    let other = CertRef { serial: "0102".parse().unwrap(), ..certificate };
    let other = authorized(InterruptedIssuance { certificate: other, tbs });
    let refused = block_on(ca(&log).resume(other)).unwrap_err();
    assert!(matches!(refused, IssueError::Sign(SignError::Malformed(_))), "{refused:?}");
    assert_eq!(diary.entries(), ["sign"], "and not recorded");
}

#[test]
fn row_14_a_repeat_of_a_finished_transaction_gets_the_same_certificate() {
    let before = testkit::device().certificate;
    let earlier = Earlier::Issued(before.clone());
    let (log, diary) = ScriptedLog::answering([Ok(IntentOutcome::Repeated(earlier))]);
    assert_eq!(issue(&ca(&log)).unwrap(), before);
    assert_eq!(diary.entries(), ["intent"]);
}

#[test]
fn of_two_runs_at_once_the_first_on_record_is_everybodys() {
    let first = testkit::device().certificate;
    let log = Arc::new(ScriptedLog { already: Some(first.clone()), ..ScriptedLog::default() });
    assert_eq!(issue(&ca(&log)).unwrap(), first);
}

#[test]
fn a_key_that_cannot_be_reached_leaves_an_intent_and_no_certificate() {
    let (log, diary) = ScriptedLog::answering([]);
    let failure = KeyError::Unavailable("no route to the vault".into());
    let key = NotingKey { failure: Some(failure.clone()), ..NotingKey::of(&testkit::ca(), &diary) };
    let refused = issue(&ca_with(Arc::new(key), log)).unwrap_err();
    assert_eq!(refused, IssueError::Sign(SignError::Key(failure)));
    assert_eq!(diary.entries(), ["intent", "sign"]);
}

#[test]
fn a_key_that_signs_as_somebody_else_is_found_out_where_that_is_asked_for() {
    let (log, diary) = ScriptedLog::answering([]);
    let liar = || NotingKey { signs: keys::p256(), ..NotingKey::of(&testkit::ca(), &diary) };
    let ca = ca_with(Arc::new(liar()), log.clone()).with_verifier(Arc::new(AwsLc));
    assert_eq!(issue(&ca).unwrap_err(), IssueError::OwnSignature);
    assert_eq!(diary.entries(), ["intent", "sign"], "and not recorded");
    let honest = ca_with(testkit::ca().key, log).with_verifier(Arc::new(AwsLc));
    issue(&honest).unwrap();
}

#[test]
fn a_certificate_bound_to_nothing_has_an_opaque_serial_number() {
    let (log, _) = ScriptedLog::answering([]);
    let unbound = CertificateRequest { object: None, ..request(&device_key()) };
    let certificate = block_on(ca(&log).issue(authorized(unbound))).unwrap();
    let serial = certificate.serial_number().unwrap();
    assert_eq!(bindings(&testkit::ca()).resolve(&serial), Resolution::Unbound);
}

#[test]
fn a_ca_needs_its_own_key() {
    let (ca, diary) = (testkit::ca(), Diary::default());
    let log: Arc<dyn IssuanceLog> = Arc::new(ScriptedLog { diary, ..ScriptedLog::default() });
    let made = CertificateAuthority::new(CaParts {
        issuer: issuer(&ca),
        key: keys::p256(),
        binding: Arc::new(bindings(&ca)),
        log,
        clock: Arc::new(FixedClock::default()),
        random: Arc::new(AwsLc),
    });
    assert_eq!(made.unwrap_err(), UnfitIssuer::OtherKey);
}
