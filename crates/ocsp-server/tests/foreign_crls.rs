//! CRLs that somebody else publishes count like any other source of status.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use ocsp_server::settings::ForeignCrlSettings;
use pki_core::Certificate;
use support::{Ca, Responder, eventually};

/// Has OpenSSL sign a CRL with the CA's key, on which `revoked` stand; puts it into the data folder.
fn publish(ca: &Ca, number: &str, revoked: &[(&Certificate, &str)], file: &str) {
    let line = |(certificate, reason): &(&Certificate, &str)| {
        let serial = certificate.serial_number().unwrap();
        format!("R\t491231235959Z\t261101000000Z,{reason}\t{serial}\tunknown\t/CN=x\n")
    };
    let index: String = revoked.iter().map(line).collect();
    let config = "[ca]\ndefault_ca=x\n[x]\ndatabase=index\ncrlnumber=number\ndefault_md=sha256\n\
                  certificate=data/ca.pem\nprivate_key=data/ca.key.pem\ndefault_crl_days=7\n";
    for (name, text) in [("config", config), ("index", &index), ("number", number)] {
        std::fs::write(ca.folder().join(name), text).unwrap();
    }
    testkit::run_in(ca.folder(), "openssl", ["ca", "-config", "config", "-gencrl", "-out", "new.pem"]);
    std::fs::rename(ca.folder().join("new.pem"), ca.data().join(file)).unwrap();
}

fn looked_at_often(full: &str) -> ForeignCrlSettings {
    ForeignCrlSettings { full: full.into(), refresh_seconds: 1, ..ForeignCrlSettings::default() }
}

#[test]
fn what_is_on_a_file_is_revoked_and_what_cannot_be_read_is_not_good() {
    let ca = Ca::start_with(|settings| settings.revocation.crl.push(looked_at_often("foreign.pem")));
    let [(one, one_file), (other, other_file)] = ["laptop-1", "laptop-2"].map(|name| ca.enroll(name));
    let config = "[[revocation.crl]]\nfull = 'foreign.pem'\nrefresh_seconds = 1\n";
    let alone = Responder::try_start_with(&ca.data(), config, &[]).unwrap();
    for url in [ca.embedded(), alone.url.clone()] {
        let answer = ca.openssl(&url, &one_file, &["-no_nonce"]);
        assert!(answer.contains("trylater"), "not read yet: {answer}");
    }
    publish(&ca, "01", &[(&one, "keyCompromise"), (&other, "certificateHold")], "foreign.pem");
    for url in [ca.embedded(), alone.url.clone()] {
        eventually(|| ca.openssl(&url, &one_file, &["-no_nonce"]), "Reason: keyCompromise");
        eventually(|| ca.openssl(&url, &other_file, &["-no_nonce"]), "Reason: certificateHold");
    }
    publish(&ca, "02", &[(&one, "keyCompromise")], "foreign.pem");
    for url in [ca.embedded(), alone.url.clone()] {
        eventually(|| ca.openssl(&url, &other_file, &["-no_nonce"]), ": good");
        let answer = ca.openssl(&url, &one_file, &["-no_nonce"]);
        assert!(
            answer.contains("Reason: keyCompromise") && answer.contains("Response verify OK"),
            "{answer}"
        );
    }
}

#[test]
fn a_responder_elsewhere_learns_of_orders_from_the_cas_own_lists() {
    let ca = Ca::start_with(|settings| {
        settings.crl.delta_minutes = 60;
        // Only what a responder cannot find out for itself.
        settings.crl.include_directory = false;
    });
    let (certificate, file) = ca.enroll("laptop-1");
    let serial = certificate.serial_number().unwrap().to_string();
    let list = format!("{}/crl", ca.url());
    let config = format!(
        "ledger = ''\n[[revocation.crl]]\nfull = '{list}'\ndelta = '{list}/delta'\nrefresh_seconds = 1\n"
    );
    let elsewhere = Responder::try_start_with(&ca.data(), &config, &[]).unwrap();
    let ask = || ca.openssl(&elsewhere.url, &file, &["-no_nonce"]);
    eventually(ask, ": good");
    ca.command(&["cert", "revoke", &serial, "--reason", "certificateHold"]);
    eventually(ask, "Reason: certificateHold");
    ca.command(&["cert", "unrevoke", &serial]);
    eventually(ask, ": good");
    ca.command(&["cert", "revoke", &serial, "--reason", "superseded"]);
    eventually(ask, "Reason: superseded");
}

#[test]
fn settings_that_protect_nobody_are_refused() {
    let ca = Ca::start();
    let other = testkit::ca().certificate;
    std::fs::write(ca.data().join("other.pem"), other.to_pem()).unwrap();
    for (config, problem) in [
        ("[[revocation.crl]]\nfull = 'x.crl'\nissuer = 'other.pem'\n", "not answered for"),
        ("[[revocation.crl]]\nfull = 'x.crl'\nissuer = 'nothing.pem'\n", "nothing.pem"),
        ("[[revocation.crl]]\n", "place of a CRL"),
        ("[[revocation.crl]]\nfull = 'x.crl'\nrefresh_seconds = 0\n", "refresh_seconds"),
    ] {
        let told = Responder::try_start_with(&ca.data(), config, &[]).err().unwrap();
        assert!(told.contains(problem), "{problem}: {told}");
    }
}
