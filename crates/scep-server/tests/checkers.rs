//! Checkers that nobody here wrote get the truth about a certificate.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use support::{Server, attempt, enroll, eventually, openssl_ocsp, run};

const EVERY_FORM: [&[&str]; 4] =
    [&["-no_nonce"], &["-nonce"], &["-sha256", "-no_nonce"], &["-sha256", "-nonce"]];

#[test]
fn openssl_sees_the_directory_change() {
    let server = Server::start();
    let certificate = enroll(&server, "demo-laptop");
    let ask = || openssl_ocsp(&server, &certificate, &[]);

    for form in EVERY_FORM {
        let answer = openssl_ocsp(&server, &certificate, form);
        assert!(answer.contains("Response verify OK") && answer.contains(": good"), "{form:?}: {answer}");
    }
    server.set_state("demo-laptop", "disabled");
    let answer = eventually(ask, |answer| answer.contains(": revoked"));
    assert!(answer.contains("Response verify OK") && answer.contains("Reason: certificateHold"), "{answer}");
    for form in EVERY_FORM {
        let answer = openssl_ocsp(&server, &certificate, form);
        assert!(answer.contains(": revoked"), "{form:?}: {answer}");
    }
    server.set_state("demo-laptop", "enabled");
    let answer = eventually(ask, |answer| answer.contains(": good"));
    assert!(answer.contains(": good"), "{answer}");

    server.delete_object("demo-laptop");
    let answer = eventually(ask, |answer| answer.contains(": revoked"));
    assert!(answer.contains(": revoked") && !answer.contains("certificateHold"), "{answer}");
}

#[test]
fn a_deleted_object_stays_revoked_when_it_is_made_again() {
    let server = Server::start();
    let certificate = enroll(&server, "demo-laptop");
    server.delete_object("demo-laptop");
    let ask = || openssl_ocsp(&server, &certificate, &[]);
    eventually(ask, |answer| answer.contains(": revoked"));
    std::fs::write(server.data().join("directory.toml"), support::DIRECTORY).unwrap();
    // The directory's own object is seen again before the certificate is asked about.
    let other = enroll(&server, "laptop-2");
    assert!(openssl_ocsp(&server, &other, &[]).contains(": good"));
    let server = server.kill_and_restart();
    let answer = openssl_ocsp(&server, &server.folder().join("demo-laptop.pem"), &[]);
    assert!(answer.contains(": revoked") && !answer.contains("certificateHold"), "{answer}");
}

#[test]
fn gnutls_agrees() {
    let server = Server::start();
    let certificate = enroll(&server, "demo-laptop");
    let (ca, certificate) = (server.ca_pem(), certificate.to_str().unwrap().to_owned());
    let ask = || {
        let ask = format!("--ask={}", server.url("OCSP URL"));
        let arguments = [
            &*ask,
            "--load-cert",
            &certificate,
            "--load-issuer",
            ca.to_str().unwrap(),
            "--load-trust",
            ca.to_str().unwrap(),
        ];
        attempt(server.folder(), "ocsptool", &arguments).1
    };
    let answer = ask();
    assert!(
        answer.contains("Certificate Status: good") && answer.contains("Verifying OCSP Response: Success"),
        "{answer}"
    );
    server.set_state("demo-laptop", "disabled");
    let answer = eventually(ask, |answer| answer.contains("Certificate Status: revoked"));
    assert!(answer.contains("certificateHold") || answer.contains("Certificate Status: revoked"), "{answer}");
}

#[test]
fn openssl_asks_by_get() {
    let server = Server::start();
    let certificate = enroll(&server, "demo-laptop");
    let request = server.folder().join("request.der");
    let ca = server.ca_pem();
    let (ca, certificate, request) =
        (ca.to_str().unwrap(), certificate.to_str().unwrap(), request.to_str().unwrap());
    for hash in ["-sha1", "-sha256"] {
        run(
            server.folder(),
            "openssl",
            &["ocsp", "-issuer", ca, hash, "-cert", certificate, "-no_nonce", "-reqout", request],
        );
        let text = run(server.folder(), "openssl", &["base64", "-A", "-in", request]);
        for target in [text.clone(), text.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")] {
            let url = format!("{}/{target}", server.url("OCSP URL"));
            run(server.folder(), "curl", &["-sf", "--path-as-is", "-o", "response.der", &url]);
            let answer = run(
                server.folder(),
                "openssl",
                &[
                    "ocsp",
                    "-respin",
                    "response.der",
                    "-issuer",
                    ca,
                    "-CAfile",
                    ca,
                    hash,
                    "-cert",
                    certificate,
                ],
            );
            assert!(answer.contains("Response verify OK") && answer.contains(": good"), "{hash}: {answer}");
        }
    }
}

#[test]
fn row_47_an_unknown_serial_is_never_good() {
    let server = Server::start();
    let ca = server.ca_pem();
    for serial in
        ["0x20112233445566778899AABBCCDDEEFF00112233", "0x1000000000000000000000000000000000000001", "1"]
    {
        let arguments = [
            "ocsp",
            "-issuer",
            ca.to_str().unwrap(),
            "-serial",
            serial,
            "-CAfile",
            ca.to_str().unwrap(),
            "-url",
            server.url("OCSP URL"),
        ];
        let (_, answer) = attempt(server.folder(), "openssl", &arguments);
        assert!(!answer.contains(": good"), "{serial}: {answer}");
        let told = [": unknown", ": revoked", "unauthorized"].iter().any(|word| answer.contains(word));
        assert!(told, "{serial}: {answer}");
    }
}

#[test]
fn a_manual_revocation_counts_whatever_the_directory_says() {
    let server = Server::start();
    let certificate = enroll(&server, "demo-laptop");
    let text =
        run(server.folder(), "openssl", &["x509", "-noout", "-serial", "-in", certificate.to_str().unwrap()]);
    let serial = text.trim().strip_prefix("serial=").unwrap();
    let ask = || openssl_ocsp(&server, &certificate, &[]);

    assert!(server.succeed(&["cert", "list"]).contains(serial));
    server.succeed(&["cert", "revoke", serial, "--reason", "certificateHold"]);
    let answer = eventually(ask, |answer| answer.contains(": revoked"));
    assert!(answer.contains("certificateHold"), "{answer}");
    server.succeed(&["cert", "unrevoke", serial]);
    let answer = eventually(ask, |answer| answer.contains(": good"));
    assert!(answer.contains(": good"), "{answer}");

    server.succeed(&["cert", "revoke", serial, "--reason", "keyCompromise"]);
    let answer = eventually(ask, |answer| answer.contains(": revoked"));
    assert!(answer.contains("Reason: keyCompromise"), "{answer}");
    assert!(server.succeed(&["cert", "show", serial]).contains("keyCompromise"));
    let refused = server.command(&["cert", "unrevoke", serial]);
    assert!(!refused.status.success());
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.contains("keyCompromise"), "{told}");
}
