//! First enrollments: who may, once, and for whom.
#![allow(clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, missing_docs, reason = "tests")]

mod support;

use std::{path::Path, time::Duration};

use directory::{DirectoryError, ObjectState};
use enrollment::{EnrollmentStore as _, Refusal, RefusalClass, RequestKind};
use keys_software::AwsLc;
use pki_core::{CertificationRequest, GeneralName, Name, RequestedExtensions, SigningKey};
use support::{
    Csr, HOUR, STATIC, admin, device_key, laptop, object_of, other_laptop, secret, self_signed, world,
};
use testkit::{block_on, keys};

// clause: RFC 8894 M19, S3
#[test]
fn a_challenge_gets_a_certificate_for_its_object() {
    let world = world();
    let certificate = world.enroll(&Csr::with(world.challenge()).signed()).unwrap();
    assert_eq!(certificate.subject().to_string(), "CN=laptop-1,O=Example");
    assert_eq!(certificate.public_key(), device_key().public_key());
    assert_eq!(object_of(&certificate), laptop());
    certificate.verify_signed_by(testkit::ca().certificate.public_key(), &AwsLc).unwrap();
    let (intent, on_record) = world.ledger.issued().remove(0);
    assert_eq!(on_record, certificate);
    assert!(intent.provenance.spends.is_some() && intent.provenance.renews.is_none());
}

#[test]
fn keys_of_every_kind_are_enrolled() {
    let world = world();
    let all: [std::sync::Arc<dyn SigningKey>; 3] = [keys::rsa_2048(), keys::rsa_3072(), keys::p384()];
    for key in all {
        world.enroll(&Csr { key, ..Csr::with(world.challenge()) }.signed()).unwrap();
    }
}

#[test]
fn a_challenge_may_be_typed_in_any_way() {
    let world = world();
    let typed = world.challenge().expose().to_lowercase().replace('-', " ");
    world.enroll(&Csr::with(secret(&typed)).signed()).unwrap();
}

#[test]
fn row_01_a_challenge_for_one_device_is_no_challenge_for_another_and_is_burnt() {
    let world = world();
    let challenge = world.challenge();
    let outcome = world.enroll(&Csr::named(challenge.clone(), "admin").signed());
    world.refuses(outcome, "names-not-allowed", 0);
    world.refuses(world.enroll(&Csr::with(challenge).signed()), "challenge-unknown", 0);
}

#[test]
fn row_01_a_foreign_alternative_name_burns_the_challenge_too() {
    let world = world();
    let challenge = world.challenge();
    let foreign = [GeneralName::Dns("laptop-2.example.com".into())];
    let outcome = world.enroll(&Csr::alternatively_named(challenge.clone(), &foreign).signed());
    world.refuses(outcome, "names-not-allowed", 0);
    world.refuses(world.enroll(&Csr::with(challenge).signed()), "challenge-unknown", 0);
}

#[test]
fn row_03_a_challenge_for_one_profile_is_no_challenge_for_another_and_is_burnt() {
    let world = world();
    let challenge = world.challenge();
    let csr = Csr::with(challenge).signed();
    world.refuses(world.enroll_with("servers", &csr), "challenge-misused", 0);
    world.refuses(world.enroll(&csr), "challenge-unknown", 0);
}

#[test]
fn row_09_a_request_that_its_own_key_did_not_sign_is_refused() {
    let world = world();
    let mut der = Csr::with(world.challenge()).signed().as_der().to_vec();
    *der.last_mut().unwrap() ^= 1;
    let forged = CertificationRequest::from_der(&der).unwrap();
    world.refuses(world.enroll(&forged), "possession-unproven", 0);
}

fn openssl_request(digest: &str, challenge: &str) -> CertificationRequest {
    let folder = testkit::tempdir().unwrap();
    std::fs::write(folder.path().join("key.pem"), keys::STRANGER_PEM).unwrap();
    let config = format!(
        "[req]\ndistinguished_name=n\nattributes=a\nprompt=no\n[n]\nCN=laptop-1\n[a]\nchallengePassword={challenge}\n"
    );
    std::fs::write(folder.path().join("r.cnf"), config).unwrap();
    let arguments = format!("req -new -key key.pem -config r.cnf -outform DER {digest}");
    let der = testkit::run_in(folder.path(), "openssl", arguments.split(' '));
    CertificationRequest::from_der(&der).unwrap()
}

#[test]
fn row_09_only_digests_that_the_profile_takes() {
    let world = world();
    for (profile, digest, code) in [
        ("devices", "-md5", Some("possession-unproven")),
        ("devices", "-sha1", Some("algorithm-not-allowed")),
        ("loose", "-md5", Some("possession-unproven")),
        ("devices", "-sha256", None),
        ("loose", "-sha1", None),
        ("devices", "-sha512", None),
    ] {
        let csr = openssl_request(digest, world.challenge_for(laptop(), profile).expose());
        let outcome = world.enroll_with(profile, &csr);
        assert_eq!(outcome.as_ref().err().map(Refusal::code), code, "{profile} {digest}");
        if let Err(refusal) = outcome {
            // Nobody here verifies MD5.
            let is_md5 = digest == "-md5";
            let class = if is_md5 { RefusalClass::BadRequest } else { RefusalClass::BadAlgorithm };
            assert_eq!(refusal.class(), class);
        }
        world.clock.advance(HOUR * 25);
    }
}

#[test]
fn row_29_a_short_key_is_refused() {
    let world = world();
    let folder = testkit::tempdir().unwrap();
    let arguments = "req -new -newkey rsa:1024 -nodes -keyout k.pem -subj /CN=laptop-1 -outform DER";
    let der = testkit::run_in(folder.path(), "openssl", arguments.split(' '));
    let csr = CertificationRequest::from_der(&der).unwrap();
    world.refuses(world.enroll(&csr), "key-not-allowed", 0);
}

#[test]
fn row_10_the_message_must_be_signed_by_the_key_in_the_request() {
    let world = world();
    let csr = Csr::with(world.challenge()).signed();
    let stranger = self_signed(&Csr { key: keys::rsa_2048(), ..Csr::default() }.signed());
    let outcome = world.submit("devices", b"1", &csr, &stranger, RequestKind::Initial);
    world.refuses(outcome, "signer-mismatch", 0);
    world.enroll(&csr).unwrap();
}

// clause: RFC 8894 S26
#[test]
fn row_11_the_store_knows_only_hashes_of_challenges() {
    let world = world();
    let challenge = world.challenge();
    let everything = format!("{:?}", world.ledger);
    assert!(!everything.contains(challenge.expose()));
    assert!(!everything.contains(&challenge.expose().replace('-', "")));
}

#[test]
fn row_11_wrong_challenges_of_every_kind_look_the_same() {
    let world = world();
    let spent = world.challenge();
    world.enroll(&Csr::with(spent.clone()).signed()).unwrap();
    let expired = world.challenge();
    world.clock.advance(HOUR + Duration::from_secs(1));
    let texts: Vec<_> = [spent, expired, secret("0000-0000-0000-0000-0000-0000-0000"), secret("x")]
        .into_iter()
        .map(|challenge| {
            let csr = Csr { key: keys::p384(), ..Csr::with(challenge) }.signed();
            world.enroll(&csr).unwrap_err().reply_text().into_owned()
        })
        .collect();
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
    assert_eq!(world.ledger.intents(), 1);
}

// clause: RFC 8894 S26
#[test]
fn a_challenge_is_good_until_its_last_second() {
    let world = world();
    let challenge = world.challenge();
    world.clock.advance(HOUR);
    world.enroll(&Csr::with(challenge).signed()).unwrap();
}

// clause: RFC 8894 S8, S28
#[test]
fn row_12_nobody_enrolls_without_a_challenge() {
    let world = world();
    for (profile, csr) in [
        ("devices", Csr::default().signed()),
        ("static", Csr::default().signed()),
        ("devices", Csr::with(secret("")).signed()),
        ("static", Csr::with(secret("")).signed()),
    ] {
        world.refuses(world.enroll_with(profile, &csr), "challenge-missing", 0);
    }
    world.refuses(world.enroll_with("nowhere", &Csr::default().signed()), "profile-unknown", 0);
}

// clause: RFC 8894 S25
#[test]
fn row_14_the_same_request_gets_the_same_certificate() {
    let world = world();
    let csr = Csr::with(world.challenge());
    let first = world.enroll(&csr.signed()).unwrap();
    world.clock.advance(HOUR * 23);
    // ECDSA signs differently every time: what is asked for is the same.
    let again = csr.signed();
    assert_eq!(world.enroll(&again).unwrap().as_der(), first.as_der());
    assert_eq!(world.ledger.intents(), 1);
}

#[test]
fn row_14_another_request_in_the_same_transaction_is_refused() {
    let world = world();
    world.enroll(&Csr::with(world.challenge()).signed()).unwrap();
    let fresh = world.challenge();
    let swapped = Csr::named(fresh.clone(), "laptop-1.example.com").signed();
    world.refuses(world.enroll(&swapped), "transaction-reused", 1);
    // Its challenge is not spent by that: a new transaction may have it.
    let certificate = world.submit("devices", b"2", &swapped, &self_signed(&swapped), RequestKind::Initial);
    assert_eq!(certificate.unwrap().subject().to_string(), "CN=laptop-1.example.com,O=Example");
}

#[test]
fn row_14_a_transaction_id_may_be_used_again_when_its_day_is_over() {
    let world = world();
    let csr = Csr::with(world.challenge()).signed();
    let first = world.enroll(&csr).unwrap();
    world.clock.advance(HOUR * 24 + Duration::from_secs(1));
    world.refuses(world.enroll(&csr), "challenge-unknown", 1);
    let second = world.enroll(&Csr::with(world.challenge()).signed()).unwrap();
    assert_ne!(second.serial_number(), first.serial_number());
}

#[test]
fn row_43_the_certificate_is_bound_to_the_object_of_the_challenge() {
    let world = world();
    world.directory.add(other_laptop(), "laptop-1", &[]);
    let challenge = world.challenge_for(other_laptop(), "devices");
    let certificate = world.enroll(&Csr::with(challenge).signed()).unwrap();
    assert_eq!(object_of(&certificate), other_laptop());
}

#[test]
fn row_44_an_object_that_is_disabled_or_deleted_before_issuance_gets_nothing() {
    let disabled = ObjectState::Disabled { since: None };
    for (state, code) in [
        (Some(disabled), "object-disabled"),
        (Some(ObjectState::Gone { since: None }), "object-unknown"),
        (None, "object-unknown"),
    ] {
        // Before the request, and while it is being looked at.
        let world = world();
        let csr = Csr::with(world.challenge()).signed();
        *world.directory.then.lock().unwrap() = Some((laptop(), state));
        world.refuses(world.enroll(&csr), code, 0);
        world.refuses(world.enroll(&csr), code, 0);
    }
}

#[test]
fn an_object_that_is_enabled_again_may_use_the_challenge_that_it_still_has() {
    let world = world();
    let csr = Csr::with(world.challenge()).signed();
    world.directory.set_state(laptop(), ObjectState::Disabled { since: None });
    world.refuses(world.enroll(&csr), "object-disabled", 0);
    world.directory.set_state(laptop(), ObjectState::Enabled);
    world.enroll(&csr).unwrap();
}

#[test]
fn row_05_without_the_directory_nothing_is_decided() {
    let world = world();
    let csr = Csr::with(world.challenge()).signed();
    *world.directory.outage.lock().unwrap() = Some(DirectoryError::unavailable("map", "no route"));
    let refusal = world.enroll(&csr).unwrap_err();
    assert_eq!((refusal.code(), refusal.class()), ("directory-unavailable", RefusalClass::TryLater));
    *world.directory.outage.lock().unwrap() = None;
    world.enroll(&csr).unwrap();
}

#[test]
fn row_68_what_is_wrong_here_is_nobodys_business() {
    let world = world();
    let csr = Csr::with(world.challenge()).signed();
    let failure = DirectoryError::unavailable("map", "password of svc-ca@10.0.0.1 rejected");
    *world.directory.outage.lock().unwrap() = Some(failure);
    let refusal = world.enroll(&csr).unwrap_err();
    assert!(refusal.to_string().contains("svc-ca"), "the operator is told");
    assert_eq!(refusal.reply_text(), "no decision can be made now: try again later");
}

#[test]
fn row_66_names_of_strangers_are_escaped_and_cut() {
    let world = world();
    let long = format!("\"{}", "x".repeat(60));
    let refusal = world.enroll(&Csr::named(world.challenge(), &long).signed()).unwrap_err();
    let text = refusal.to_string();
    assert!(text.contains("\\\"xxx"), "{text}");
    let names = [GeneralName::Uri(format!("http://{}", "y".repeat(500)))];
    let refusal = world.enroll(&Csr::alternatively_named(world.challenge(), &names).signed()).unwrap_err();
    assert!(refusal.to_string().len() < 200, "{refusal}");
}

#[test]
fn a_static_challenge_finds_the_object_by_its_names() {
    let world = world();
    let by_name = Csr::named(secret(STATIC), "laptop-2").signed();
    assert_eq!(object_of(&world.enroll_with("static", &by_name).unwrap()), other_laptop());
    let upn = [GeneralName::Upn("admin@example.com".into())];
    let nobody = Name::from_der(&[0x30, 0]).unwrap();
    let by_upn = Csr { subject: nobody, key: keys::p384(), ..Csr::alternatively_named(secret(STATIC), &upn) };
    let certificate = world.enroll_with("static", &by_upn.signed()).unwrap();
    assert_eq!(object_of(&certificate), admin());
    assert_eq!(certificate.subject().to_string(), "CN=admin,O=Example");
    assert_eq!(certificate.subject_alt_names().unwrap(), upn);
}

#[test]
fn a_static_challenge_is_checked_before_anybody_is_looked_up() {
    let world = world();
    let failure = DirectoryError::unavailable("map", "must not be asked");
    *world.directory.outage.lock().unwrap() = Some(failure);
    let wrong = Csr::named(secret("a static challenge of many letterz"), "laptop-2").signed();
    world.refuses(world.enroll_with("static", &wrong), "challenge-unknown", 0);
}

#[test]
fn row_43_a_static_challenge_for_a_name_that_several_or_none_have_is_refused() {
    let world = world();
    world.directory.add(other_laptop(), "laptop-1", &[]);
    let csr = Csr::named(secret(STATIC), "laptop-1").signed();
    world.refuses(world.enroll_with("static", &csr), "object-ambiguous", 0);
    let csr = Csr::named(secret(STATIC), "laptop-9").signed();
    world.refuses(world.enroll_with("static", &csr), "object-unknown", 0);
}

#[test]
fn row_43_names_of_two_objects_in_one_request_are_refused() {
    let world = world();
    let names = [GeneralName::Dns("laptop-2.example.com".into())];
    let csr = Csr::alternatively_named(secret(STATIC), &names).signed();
    world.refuses(world.enroll_with("static", &csr), "names-not-allowed", 0);
}

#[test]
fn a_static_challenge_of_one_kind_is_none_of_the_other() {
    let world = world();
    world.refuses(world.enroll(&Csr::with(secret(STATIC)).signed()), "challenge-unknown", 0);
    let one_time = world.challenge_for(laptop(), "static");
    let csr = Csr::with(one_time).signed();
    world.refuses(world.enroll_with("static", &csr), "challenge-unknown", 0);
}

#[test]
fn openssl_reads_what_was_enrolled() {
    let world = world();
    let names = [GeneralName::Dns("laptop-1.example.com".into())];
    let certificate = world.enroll(&Csr::alternatively_named(world.challenge(), &names).signed()).unwrap();
    let text = testkit::run_with_input(
        Path::new("."),
        "openssl",
        ["x509", "-noout", "-text"],
        certificate.to_pem().as_bytes(),
    );
    let text = String::from_utf8(text).unwrap();
    for expected in ["CN = laptop-1", "DNS:laptop-1.example.com", "CA:FALSE", "TLS Web Client"] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}

#[test]
fn a_profile_of_each_name_and_at_least_one() {
    use enrollment::{Enroller, EnrollerParts, InvalidEnroller};
    let made = |profiles: &[&str]| {
        let world = world();
        let profiles = profiles.iter().map(|name| world.enroller.profile(name).unwrap().clone()).collect();
        let ca = testkit::ca();
        Enroller::new(EnrollerParts {
            authority: issuance::CertificateAuthority::new(issuance::CaParts {
                issuer: support::issuer(),
                key: ca.key,
                binding: std::sync::Arc::new(support::bindings()),
                log: world.ledger.clone(),
                clock: world.clock.clone(),
                random: std::sync::Arc::new(AwsLc),
            })
            .unwrap(),
            profiles,
            store: world.ledger.clone(),
            challenge_key: world.challenges.key.clone(),
            directory: world.directory.clone(),
            revocation: world.revocation.clone(),
            verifier: std::sync::Arc::new(AwsLc),
            clock: world.clock,
        })
        .map(drop)
    };
    assert_eq!(made(&[]), Err(InvalidEnroller::NoProfile));
    assert_eq!(made(&["devices", "devices"]), Err(InvalidEnroller::SameName("devices".into())));
    assert_eq!(made(&["devices", "static"]), Ok(()));
}

#[test]
fn a_burnt_challenge_is_dead_to_the_store() {
    let world = world();
    let id = world.challenges.key.one_time_id(&world.challenge());
    let now = testkit::NOW;
    assert!(block_on(world.ledger.live_challenge(id, now)).unwrap().is_some());
    assert_eq!(block_on(world.ledger.burn_challenge(id, now, "test")), Ok(true));
    assert_eq!(block_on(world.ledger.burn_challenge(id, now, "test")), Ok(false));
    assert!(block_on(world.ledger.live_challenge(id, now)).unwrap().is_none());
}

#[test]
fn row_40_an_extended_key_usage_that_the_profile_does_not_give_is_refused_and_burns_nothing() {
    let world = world();
    let challenge = world.challenge();
    for usage in [
        "2.5.29.37.0",
        "1.3.6.1.5.5.7.3.9",
        "1.3.6.1.5.5.7.3.1",
        "1.3.6.1.4.1.311.20.2.1",
        "1.3.6.1.4.1.311.20.2.2",
    ] {
        let extensions = RequestedExtensions {
            extended_key_usages: vec![pki_core::oids::KP_CLIENT_AUTH, usage.parse().unwrap()],
            ..Default::default()
        };
        let csr = Csr { extensions, ..Csr::with(challenge.clone()) }.signed();
        world.refuses(world.enroll(&csr), "usage-not-allowed", 0);
    }
    world.enroll(&Csr::with(challenge).signed()).unwrap();
}
