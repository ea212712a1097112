//! A responder without any key of the CA, whose delegates a `scep-server` certifies.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::path::PathBuf;

use support::{Ca, Responder, curl, eventually, write_private};

const TOKEN: &str = "delegate.token";

fn start() -> Ca {
    Ca::start_with(|settings| settings.ocsp.delegate_token = TOKEN.into())
}

/// A folder with all that a responder elsewhere has.
fn elsewhere(ca: &Ca) -> PathBuf {
    let folder = ca.folder().join("elsewhere");
    std::fs::create_dir(&folder).unwrap();
    for name in ["ca.pem", "serial-0.key", "directory.toml", TOKEN] {
        std::fs::copy(ca.data().join(name), folder.join(name)).unwrap();
    }
    folder
}

// clause: RFC 6960 16, 42
// clause: RFC 9919 85
#[test]
fn it_needs_no_key_and_goes_on_while_the_issuer_is_away() {
    let mut ca = start();
    let (_, certificate) = ca.enroll("laptop-1");
    let folder = elsewhere(&ca);
    let issuer = ca.url();
    let variables = [("OCSP_SERVER__LEDGER", ""), ("OCSP_SERVER__DELEGATE__ISSUER", &*issuer)];
    let responder = Responder::start(&folder, &variables);
    let answer = ca.openssl(&responder.url, &certificate, &[]);
    assert!(answer.contains("Response verify OK") && answer.contains(": good"), "{answer}");
    assert_eq!(curl(&[&responder.page("readyz")]), "ready\n");

    ca.stop();
    for form in [&["-nonce"][..], &["-no_nonce"]] {
        let answer = ca.openssl(&responder.url, &certificate, form);
        assert!(answer.contains("Response verify OK") && answer.contains(": good"), "{answer}");
    }
    assert_eq!(curl(&[&responder.page("readyz")]), "ready\n");
    // One that starts now has to wait, and says so.
    let late = Responder::start(&folder, &variables);
    let answer = ca.openssl(&late.url, &certificate, &[]);
    assert!(answer.contains("trylater"), "{answer}");
    assert_eq!(curl(&[&late.page("readyz")]), "there is no valid OCSP delegate\n");
    assert_eq!(curl(&[&late.page("healthz")]), "alive\n");
    assert!(curl(&[&late.page("metrics")]).contains(r#"cause="no-delegate""#));
    ca.start_again();
    eventually(|| curl(&[&late.page("readyz")]), "ready\n");
    let answer = ca.openssl(&late.url, &certificate, &[]);
    assert!(answer.contains("Response verify OK") && answer.contains(": good"), "{answer}");
}

#[test]
fn only_who_has_the_token_gets_a_delegate() {
    let ca = start();
    let folder = elsewhere(&ca);
    let issuer = ca.url();
    let variables = [("OCSP_SERVER__LEDGER", ""), ("OCSP_SERVER__DELEGATE__ISSUER", &*issuer)];
    std::fs::remove_file(folder.join(TOKEN)).unwrap();
    let told = Responder::try_start(&folder, &variables).err().unwrap();
    assert!(told.contains(TOKEN), "{told}");
    write_private(&folder.join(TOKEN), &"00".repeat(32));
    let responder = Responder::start(&folder, &variables);
    assert_eq!(curl(&[&responder.page("readyz")]), "there is no valid OCSP delegate\n");

    let openssl = |arguments: &str| testkit::run_in(&folder, "openssl", arguments.split(' '));
    openssl(
        "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k -subj /CN=x -outform der -out r",
    );
    let request = format!("@{}", folder.join("r").display());
    let fingerprint = ca.certificate().fingerprint().map(|octet| format!("{octet:02x}")).concat();
    let url = format!("{issuer}/ocsp-delegate/{fingerprint}");
    let status = |arguments: &[&str]| {
        let all = ["-o", "/dev/null", "-w", "%{http_code}", "--data-binary", &request];
        curl(&[&all[..], arguments].concat())
    };
    let mac = "ab".repeat(32);
    let forged = format!("Authorization: Certbound-Delegate 1 {mac}");
    for authorization in ["Authorization: Bearer x", "Authorization;", &forged] {
        assert_eq!(status(&["-H", authorization, &url]), "401", "{authorization}");
    }
    assert_eq!(status(&["-X", "PUT", &url]), "405");
    assert_eq!(status(&[&format!("{issuer}/ocsp-delegate/00")]), "404");
    let other = Ca::start();
    let without = url.replace(&issuer, &other.url());
    assert_eq!(status(&[&without]), "404", "without a token there is no such path");
}
