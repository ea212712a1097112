//! The stand-alone responder tells what the one beside the CA tells.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::{path::Path, sync::Arc};

use ledger::{Ledger, LedgerSettings, RevocationOrder};
use pki_core::{CertRef, Certificate, Clock as _, CrlReason, IssuerId, SystemClock};
use support::{Ca, Responder, eventually};

const EVERY_FORM: [&[&str]; 4] =
    [&["-no_nonce"], &["-nonce"], &["-sha256", "-no_nonce"], &["-sha256", "-nonce"]];

/// What an answer says of the certificate, without the times that it says it for.
fn verdict(answer: &str) -> Vec<&str> {
    let status = answer.lines().filter(|line| !line.contains("Update:") && !line.contains("WARNING"));
    status.collect()
}

fn both_say(ca: &Ca, responder: &Responder, certificate: &Path, expected: &str) {
    for url in [&responder.url, &ca.embedded()] {
        eventually(|| ca.openssl(url, certificate, &["-no_nonce"]), expected);
    }
    for form in EVERY_FORM {
        let [alone, embedded] =
            [&responder.url, &ca.embedded()].map(|url| ca.openssl(url, certificate, form));
        assert!(alone.contains("Response verify OK") && alone.contains(expected), "{form:?}: {alone}");
        assert_eq!(verdict(&alone), verdict(&embedded), "{form:?}");
    }
}

#[test]
fn it_answers_as_the_responder_beside_the_ca_does() {
    let ca = Ca::start();
    let responder = Responder::start(&ca.data(), &[]);
    let (_, certificate) = ca.enroll("laptop-1");
    both_say(&ca, &responder, &certificate, ": good");
    ca.set_state("laptop-1", "disabled");
    both_say(&ca, &responder, &certificate, "Reason: certificateHold");
    ca.set_state("laptop-1", "enabled");
    both_say(&ca, &responder, &certificate, ": good");

    ca.edit_directory(|text| {
        let kept: Vec<&str> = text.split("\n\n").filter(|device| !device.contains("laptop-1")).collect();
        kept.join("\n\n")
    });
    for url in [&responder.url, &ca.embedded()] {
        let answer = eventually(|| ca.openssl(url, &certificate, &[]), ": revoked");
        assert!(!answer.contains("certificateHold"), "{answer}");
    }
    // Others are none the worse for it.
    let (_, other) = ca.enroll("laptop-2");
    both_say(&ca, &responder, &other, ": good");
}

#[test]
fn it_answers_get_as_the_responder_beside_the_ca_does() {
    let ca = Ca::start();
    let responder = Responder::start(&ca.data(), &[]);
    let (_, certificate) = ca.enroll("laptop-1");
    let (issuer, certificate) = (ca.data().join("ca.pem"), certificate.to_str().unwrap().to_owned());
    let issuer = issuer.to_str().unwrap();
    let openssl = |more: &[&str]| {
        let arguments = [&["ocsp", "-issuer", issuer, "-CAfile", issuer, "-cert", &certificate], more];
        testkit::run_in(ca.folder(), "openssl", arguments.concat())
    };
    openssl(&["-no_nonce", "-reqout", "request.der"]);
    let target = testkit::run_in(ca.folder(), "openssl", ["base64", "-A", "-in", "request.der"]);
    let url = format!("{}/{}", responder.url, String::from_utf8(target).unwrap());
    testkit::run_in(ca.folder(), "curl", ["-sf", "--path-as-is", "-o", "response.der", &url]);
    let answer = String::from_utf8(openssl(&["-respin", "response.der"])).unwrap();
    assert!(answer.contains(": good"), "{answer}");
}

fn order(ca: &Ca, certificate: &Certificate, reason: CrlReason) -> RevocationOrder {
    let reference =
        CertRef { issuer: IssuerId::of(&ca.certificate()), serial: certificate.serial_number().unwrap() };
    RevocationOrder { certificate: reference, reason, since: SystemClock.now(), actor: "test".into() }
}

#[test]
fn a_manual_revocation_is_seen_in_the_ledger() {
    let ca = Ca::start();
    let responder = Responder::start(&ca.data(), &[]);
    let (certificate, file) = ca.enroll("laptop-1");
    let ledger = LedgerSettings::new(Arc::new(SystemClock));
    let ledger = Ledger::open(ca.data().join("ledger.sqlite"), ledger).unwrap();
    let ask = || ca.openssl(&responder.url, &file, &[]);
    eventually(ask, ": good");

    let hold = order(&ca, &certificate, CrlReason::CertificateHold);
    ledger.revoke(&hold).unwrap();
    eventually(ask, "Reason: certificateHold");
    ledger.unrevoke(hold.certificate, "test").unwrap();
    eventually(ask, ": good");
    ledger.revoke(&order(&ca, &certificate, CrlReason::KeyCompromise)).unwrap();
    eventually(ask, "Reason: keyCompromise");
    // It is so for a responder that starts now, too, and whatever the directory says.
    ca.set_state("laptop-1", "disabled");
    let later = Responder::start(&ca.data(), &[]);
    let answer = ca.openssl(&later.url, &file, &[]);
    assert!(answer.contains("Reason: keyCompromise"), "{answer}");
}

#[test]
fn what_is_said_of_serial_numbers_never_given_is_a_setting() {
    let ca = Ca::start();
    // Neither one of the CA's own service nor one that the serial key seals.
    let never_given = ["1", "0x7F00000000000000000000000000000000000001"];
    for (setting, expected) in [
        (None, "Revocation Time: Jan  1 00:00:00 1970 GMT"),
        (Some("unknown"), ": unknown"),
        (Some("unauthorized"), "unauthorized"),
        (Some("revoked"), "Revocation Time: Jan  1 00:00:00 1970 GMT"),
    ] {
        let variable = setting.map(|setting| ("OCSP_SERVER__ANSWERS__NEVER_ISSUED", setting));
        let responder = Responder::start(&ca.data(), variable.as_slice());
        for serial in never_given {
            let answer = ca.openssl_serial(&responder.url, serial);
            assert!(answer.contains(expected), "{setting:?} {serial}: {answer}");
            assert!(setting != Some("revoked") || answer.contains("Reason: certificateHold"), "{answer}");
        }
    }
}

#[test]
fn it_needs_no_ledger() {
    let ca = Ca::start();
    let (_, certificate) = ca.enroll("laptop-1");
    // What a responder elsewhere has of it all.
    let elsewhere = ca.folder().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    for name in ["ca.pem", "ca.key.pem", "serial-0.key", "directory.toml"] {
        std::fs::copy(ca.data().join(name), elsewhere.join(name)).unwrap();
    }
    let responder = Responder::start(&elsewhere, &[("OCSP_SERVER__LEDGER", "")]);
    let ask = || ca.openssl(&responder.url, &certificate, &[]);
    let answer = eventually(ask, ": good");
    assert!(answer.contains("Response verify OK"), "{answer}");
    let path = elsewhere.join("directory.toml");
    std::fs::write(&path, support::DIRECTORY.replacen("enabled", "disabled", 1)).unwrap();
    eventually(ask, "Reason: certificateHold");

    // Without one, plain serial numbers could be made up by anyone.
    let variables = [("OCSP_SERVER__LEDGER", ""), ("OCSP_SERVER__PLAIN_SERIALS", "read")];
    let told = Responder::try_start(&elsewhere, &variables).err().unwrap();
    assert!(told.contains("plain_serials") && told.contains("ledger"), "{told}");
    // And one that is asked for and missing is missed.
    let told = Responder::try_start(&elsewhere, &[]).err().unwrap();
    assert!(told.contains("ledger.sqlite"), "{told}");
}
