//! Renewals: which certificate is authority for its successor.
#![allow(clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, missing_docs, reason = "tests")]

mod support;

use std::time::Duration;

use directory::{DirectoryError, ObjectState};
use enrollment::{Refusal, RefusalClass, RequestKind};
use keys_software::AwsLc;
use pki_core::{
    Certificate, CertificationRequest, CrlReason, GeneralName, Name, RequestedExtensions, SigningKey,
    UnixTime, Validity,
};
use revocation::{SourceError, Standing};
use serial_binding::SerialBinding as _;
use support::{Csr, HOUR, World, another_ca, bindings, device_key, issuer, laptop, object_of, secret, world};
use testkit::{NOW, block_on, keys};

/// A request for `CN=laptop-1` and another key.
fn next() -> Csr {
    Csr { key: keys::p384(), ..Csr::default() }
}

fn renew(world: &World, csr: &CertificationRequest, signer: &Certificate) -> Result<Certificate, Refusal> {
    world.submit("devices", b"renewal", csr, signer, RequestKind::Renewal)
}

// clause: RFC 8894 S3, S6
#[test]
fn a_certificate_renews_itself_for_another_key_or_its_own() {
    let world = world();
    let old = world.enrolled("devices");
    for csr in [next().signed(), Csr::default().signed()] {
        let new = renew(&world, &csr, &old).unwrap();
        assert_eq!((object_of(&new), new.subject()), (laptop(), old.subject()));
        assert_eq!(new.public_key(), csr.public_key());
        assert_ne!(new.serial_number(), old.serial_number());
    }
    let issued = world.ledger.issued();
    let renewals = issued.iter().filter(|(intent, _)| intent.provenance.renews == old.serial_number());
    assert_eq!(renewals.count(), 2);
}

#[test]
fn row_14_a_renewal_that_is_repeated_gets_the_same_certificate() {
    let world = world();
    let old = world.enrolled("devices");
    let csr = next();
    let first = renew(&world, &csr.signed(), &old).unwrap();
    assert_eq!(renew(&world, &csr.signed(), &old).unwrap(), first);
    let swapped = Csr { subject: Name::of_common_name("LAPTOP-1"), ..next() }.signed();
    world.refuses(renew(&world, &swapped, &old), "transaction-reused", 2);
}

#[test]
fn a_transaction_id_made_from_the_key_does_not_stand_in_the_way_of_its_renewal() {
    let world = world();
    let old = world.enrolled("devices");
    let csr = Csr::default().signed();
    world.submit("devices", b"1", &csr, &old, RequestKind::Renewal).unwrap();
}

/// Certificates that name this CA, or look like its own, and are not.
// clause: RFC 8894 S6, S7
#[test]
fn row_04_signers_that_are_no_certificates_of_this_ca() {
    let world = world();
    let csr = next().signed();
    let same_name = another_ca("CN=Example CA,O=Example", &*keys::p384());
    let elsewhere = another_ca("CN=Elsewhere", &*keys::p384());
    let validity = Validity::new(NOW, UnixTime(NOW.0 + 3600)).unwrap();
    let own_key = testkit::ca().key;
    let other_name = another_ca("CN=Renamed", &*own_key);
    let by = |ca: &issuance::Issuer, ca_key: &dyn SigningKey| {
        let serial = bindings().bind(&laptop(), &AwsLc).unwrap();
        let subject = Name::of_common_name("laptop-1");
        let key = keys::rsa_2048();
        let key = SigningKey::public_key(&*key);
        let prepared = ca.prepare_ra(&subject, key, validity, serial).unwrap();
        block_on(prepared.sign_with(ca_key)).unwrap()
    };
    let ca = testkit::ca();
    let delegate = {
        let (issuer, subject) = (issuer(), Name::of_common_name("x"));
        let key = keys::p256();
        let key = SigningKey::public_key(&*key);
        block_on(issuer.create_ocsp_delegate(&subject, key, validity, &*ca.key, &AwsLc)).unwrap()
    };
    for (what, signer) in [
        ("self-signed", support::self_signed(&csr)),
        ("another CA", by(&elsewhere, &*keys::p384())),
        ("the same name, another key", by(&same_name, &*keys::p384())),
        ("the same key, another name", by(&other_name, &*own_key)),
        ("the CA itself", ca.certificate.clone()),
        ("the RA", ca.ra_certificate.clone()),
        ("a responder", delegate),
        ("a serial number of no scheme of ours", testkit::device().certificate),
    ] {
        let outcome = renew(&world, &csr, &signer);
        assert_eq!(outcome.as_ref().unwrap_err().class(), RefusalClass::BadRequest, "{what}");
        world.refuses(outcome, "renewal-signer-foreign", 0);
    }
}

#[test]
fn row_04_a_certificate_that_was_altered_is_no_authority() {
    let world = world();
    let old = world.enrolled("devices");
    let mut der = old.as_der().to_vec();
    let at = der.windows(8).position(|part| part == b"laptop-1").unwrap();
    der[at + 7] = b'2';
    let forged = Certificate::from_der(&der).unwrap();
    let csr = Csr { subject: Name::of_common_name("laptop-2"), ..next() }.signed();
    world.refuses(renew(&world, &csr, &forged), "renewal-signer-foreign", 1);
}

#[test]
fn row_04_certificates_out_of_their_time_are_no_authority() {
    let world = world();
    let old = world.enrolled("devices");
    let csr = next().signed();
    let validity = old.validity();
    for (now, code) in [
        (UnixTime(validity.not_before().0 - 1), Some("renewal-signer-not-valid")),
        (UnixTime(validity.not_after().0 + 1), Some("renewal-signer-not-valid")),
        (validity.not_after(), None),
    ] {
        world.clock.set(now);
        assert_eq!(renew(&world, &csr, &old).err().map(|refusal| refusal.code()), code, "{now}");
    }
}

#[test]
fn row_04_certificates_in_no_good_standing_are_no_authority() {
    let world = world();
    let old = world.enrolled("devices");
    let csr = next().signed();
    for standing in [
        Standing::Hold { since: NOW },
        Standing::Revoked { since: NOW, reason: CrlReason::KeyCompromise },
        Standing::NotMine,
    ] {
        world.revocation.say(standing);
        world.refuses(renew(&world, &csr, &old), "renewal-signer-revoked", 1);
    }
    world.revocation.say(Standing::Good);
    renew(&world, &csr, &old).unwrap();
}

#[test]
fn row_04_a_certificate_that_is_too_young_is_not_renewed_where_that_is_asked_for() {
    let world = world();
    let old = world.enrolled("late");
    let csr = next().signed();
    let renew = || world.submit("late", b"renewal", &csr, &old, RequestKind::Renewal);
    world.refuses(renew(), "renewal-too-early", 1);
    let end = old.validity().not_after();
    world.clock.set(end.saturating_sub(HOUR * 24 * 30 + Duration::from_secs(1)));
    world.refuses(renew(), "renewal-too-early", 1);
    world.clock.set(end.saturating_sub(HOUR * 24 * 30));
    renew().unwrap();
}

#[test]
fn row_05_a_status_that_cannot_be_told_puts_the_renewal_off() {
    let world = world();
    let old = world.enrolled("devices");
    let csr = next().signed();
    *world.revocation.0.lock().unwrap() = Err(SourceError::unavailable("ledger", "disk on fire"));
    let refusal = renew(&world, &csr, &old).unwrap_err();
    assert_eq!((refusal.code(), refusal.class()), ("status-unavailable", RefusalClass::TryLater));
    world.revocation.say(Standing::Good);
    *world.directory.outage.lock().unwrap() = Some(DirectoryError::unavailable("map", "no route"));
    let refusal = renew(&world, &csr, &old).unwrap_err();
    assert_eq!((refusal.code(), refusal.class()), ("directory-unavailable", RefusalClass::TryLater));
    assert_eq!(world.ledger.intents(), 1);
    *world.directory.outage.lock().unwrap() = None;
    renew(&world, &csr, &old).unwrap();
}

#[test]
fn row_06_a_pkcs_req_signed_by_a_certificate_of_ours_is_no_renewal_unless_the_profile_says_so() {
    let world = world();
    let submit = |profile: &str, csr: &CertificationRequest, old: &Certificate| {
        world.submit(profile, b"renewal", csr, old, RequestKind::Initial)
    };
    let strict = world.enrolled("devices");
    world.refuses(submit("devices", &next().signed(), &strict), "signer-mismatch", 1);
    world.refuses(submit("devices", &Csr::default().signed(), &strict), "challenge-missing", 1);

    let loose = world.enrolled("loose");
    let new = submit("loose", &next().signed(), &loose).unwrap();
    assert_eq!(object_of(&new), laptop());
    // Clients send the challenge of their first enrollment again.
    let again = Csr { challenge: Some(secret("spent long ago")), ..Csr::default() }.signed();
    submit("loose", &again, &loose).unwrap();
    world.revocation.say(Standing::Hold { since: NOW });
    world.refuses(submit("loose", &Csr::default().signed(), &loose), "renewal-signer-revoked", 4);
}

#[test]
fn row_06_renewal_is_off_unless_the_profile_has_it() {
    let world = world();
    let old = world.enrolled("closed");
    let outcome = world.submit("closed", b"renewal", &next().signed(), &old, RequestKind::Renewal);
    world.refuses(outcome, "renewal-off", 1);
}

#[test]
fn row_07_a_certificate_of_a_sister_profile_is_no_authority() {
    let world = world();
    let old = world.enrolled("servers");
    world.refuses(renew(&world, &next().signed(), &old), "renewal-other-profile", 1);
    // The usages are the same here; the ledger knows better.
    let old = world.enrolled("late");
    world.refuses(renew(&world, &next().signed(), &old), "renewal-other-profile", 2);
}

#[test]
fn row_07_a_certificate_that_is_on_no_record_gains_no_usages() {
    let (lost, world) = (world(), world());
    let servers = lost.enrolled("servers");
    world.refuses(renew(&world, &next().signed(), &servers), "renewal-other-profile", 0);
    renew(&world, &next().signed(), &lost.enrolled("devices")).unwrap();
}

#[test]
fn row_08_a_renewal_gains_no_names() {
    let dc = GeneralName::Dns("dc01.example.com".into());
    let own = GeneralName::Dns("laptop-1.example.com".into());
    let world = world();
    let old = world.enrolled("devices");
    // The directory would allow all of these; the certificate has none of them.
    world.directory.add(laptop(), "laptop-1", &[own.clone(), dc.clone()]);
    let asking = |names: Vec<GeneralName>| {
        let extensions = RequestedExtensions { subject_alt_names: names, ..Default::default() };
        Csr { extensions, ..next() }.signed()
    };
    for names in [vec![dc], vec![own.clone()]] {
        world.refuses(renew(&world, &asking(names), &old), "names-not-allowed", 1);
    }
    for name in ["admin", "laptop-2", "laptop-1.example.com"] {
        let csr = Csr { subject: Name::of_common_name(name), ..next() }.signed();
        world.refuses(renew(&world, &csr, &old), "names-not-allowed", 1);
    }
    // Nothing asked for keeps the name.
    let nobody = Name::from_der(&[0x30, 0]).unwrap();
    let new = renew(&world, &Csr { subject: nobody, ..next() }.signed(), &old).unwrap();
    assert_eq!(new.subject(), old.subject());
}

#[test]
fn row_08_a_renewal_keeps_the_names_that_the_directory_still_has() {
    let own = GeneralName::Dns("laptop-1.example.com".into());
    let world = world();
    let names = std::slice::from_ref(&own);
    let csr = Csr::alternatively_named(world.challenge(), names).signed();
    let old = world.enroll(&csr).unwrap();
    let csr = || Csr { key: keys::p384(), ..Csr::alternatively_named(secret(""), names) };
    assert_eq!(renew(&world, &csr().signed(), &old).unwrap().subject_alt_names().unwrap(), names);
    world.directory.add(laptop(), "laptop-1", &[]);
    let later = Csr { key: keys::rsa_2048(), ..csr() }.signed();
    world.refuses(renew(&world, &later, &old), "names-not-allowed", 2);
}

#[test]
fn row_44_a_certificate_of_a_disabled_or_deleted_object_is_not_renewed() {
    let world = world();
    let old = world.enrolled("devices");
    let csr = next().signed();
    world.directory.set_state(laptop(), ObjectState::Disabled { since: None });
    world.refuses(renew(&world, &csr, &old), "object-disabled", 1);
    world.directory.remove(laptop());
    world.refuses(renew(&world, &csr, &old), "object-unknown", 1);
}

// clause: RFC 8894 S27
#[test]
fn row_09_a_renewal_needs_proof_of_possession_too() {
    let world = world();
    let old = world.enrolled("devices");
    let mut der = next().signed().as_der().to_vec();
    *der.last_mut().unwrap() ^= 1;
    let forged = CertificationRequest::from_der(&der).unwrap();
    world.refuses(renew(&world, &forged, &old), "possession-unproven", 1);
    assert_eq!(old.public_key(), device_key().public_key());
}

#[test]
fn the_proof_of_possession_is_not_checked_again_here() {
    let world = world();
    let verified = || world.verifier.0.load(std::sync::atomic::Ordering::SeqCst);
    let old = world.enrolled("devices");
    assert_eq!(verified(), 0);
    renew(&world, &next().signed(), &old).unwrap();
    assert_eq!(verified(), 1, "the certificate that is renewed");
}

/// What Okta and Jamf do before a certificate runs out: they hand the profile out again, with a challenge in it.
#[test]
fn a_fresh_challenge_enrolls_anew_and_leaves_the_certificate_before_it_alone() {
    let world = world();
    let old = world.enrolled("devices");
    let csr = Csr { key: keys::p384(), ..Csr::with(world.challenge()) }.signed();
    let new = world.submit("devices", b"again", &csr, &support::self_signed(&csr), RequestKind::Initial);
    let new = new.unwrap();
    assert_eq!((object_of(&new), new.subject()), (laptop(), old.subject()));
    // Either renews itself: nothing was revoked.
    for (number, certificate) in [&old, &new].into_iter().enumerate() {
        let csr = Csr { key: keys::rsa_2048(), ..Csr::default() }.signed();
        let number = number.to_be_bytes();
        world.submit("devices", &number, &csr, certificate, RequestKind::Renewal).unwrap();
    }
}

#[test]
fn a_certificate_that_is_no_authority_does_not_stand_in_the_way_of_a_fresh_challenge() {
    let world = world();
    let old = world.enrolled("loose");
    world.clock.set(UnixTime(old.validity().not_after().0 + 1));
    let submit = |csr: &CertificationRequest| world.submit("loose", b"2", csr, &old, RequestKind::Initial);
    let with = |challenge| Csr { challenge: Some(challenge), ..Csr::default() }.signed();
    world.refuses(submit(&Csr::default().signed()), "renewal-signer-not-valid", 1);
    world.refuses(submit(&with(secret("spent long ago"))), "renewal-signer-not-valid", 1);
    let fresh = world.challenge_for(laptop(), "loose");
    // The key that signs must be the one to be certified, as in every first enrollment.
    let other_key = Csr { key: keys::p384(), ..Csr::with(fresh.clone()) }.signed();
    world.refuses(submit(&other_key), "renewal-signer-not-valid", 1);
    submit(&with(fresh)).unwrap();
}
