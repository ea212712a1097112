//! The program as an operator meets it.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use std::{os::unix::fs::PermissionsExt as _, process::Command};

use support::{Server, enroll, openssl_ocsp, run, scep_client};

#[test]
fn one_command_and_the_line_it_prints() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start_empty(&[]);
    for label in ["SCEP URL", "OCSP URL", "CA certificate", "CA fingerprint", "Data", "One-time challenge"] {
        assert!(!server.url(label).is_empty(), "{label}");
    }
    // The printed command, as it is pasted into a shell, with the program as the tests have it.
    let start = server.banner.find(" enroll http").unwrap();
    let end = start + server.banner[start..].find("\n\n").unwrap();
    let pasted = format!("{}{}", scep_client().display(), &server.banner[start..end]);
    run(folder.path(), "sh", &["-c", &pasted]);
    let certificate = folder.path().join("demo-laptop.pem");
    let key = folder.path().join("demo-laptop.key.pem");
    assert_eq!(key.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let answer = openssl_ocsp(&server, &certificate, &[]);
    assert!(answer.contains("Response verify OK") && answer.contains(": good"), "{answer}");

    // It says where to ask and where its issuer is to be found.
    let text =
        run(folder.path(), "openssl", &["x509", "-noout", "-text", "-in", certificate.to_str().unwrap()]);
    // The address of the issuer stays what it is when the CA is replaced.
    let start = text.find("CA Issuers - URI:").unwrap() + "CA Issuers - URI:".len();
    let issuer = text[start..].lines().next().unwrap().to_owned();
    assert!(issuer.starts_with(&format!("{}/", server.url("CA certificate"))), "{issuer}");
    for part in
        [&format!("OCSP - URI:{}", server.url("OCSP URL")), "CA:FALSE", "TLS Web Client Authentication"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    for url in [server.url("CA certificate"), &issuer] {
        run(folder.path(), "curl", &["-sf", "-o", "ca.der", url]);
        run(folder.path(), "openssl", &["x509", "-inform", "der", "-in", "ca.der", "-out", "ca-again.pem"]);
        run(folder.path(), "openssl", &["verify", "-CAfile", "ca-again.pem", certificate.to_str().unwrap()]);
    }
}

#[test]
fn row_69_keys_are_for_their_owner_alone() {
    let server = Server::start();
    for name in ["ca.key.pem", "ra.key.pem", "serial-0.key", "challenge.key", "ledger.sqlite"] {
        let mode = server.data().join(name).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name}: {mode:o}");
    }
    let folder = server.kill();
    let key = folder.path().join("data/ca.key.pem");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let refused = Command::new(env!("CARGO_BIN_EXE_scep-server"))
        .args(["--listen", "127.0.0.1:0", "--data"])
        .arg(folder.path().join("data"))
        .output()
        .unwrap();
    assert!(!refused.status.success());
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.contains("ca.key.pem") && told.contains("chmod 600"), "{told}");
}

#[test]
fn the_ca_stays_the_same_at_the_next_start() {
    let server = Server::start();
    let (fingerprint, certificate) = (server.fingerprint().to_owned(), enroll(&server, "demo-laptop"));
    let server = server.kill_and_restart();
    assert_eq!(server.fingerprint(), fingerprint);
    let certificate = server.folder().join(certificate.file_name().unwrap());
    let answer = openssl_ocsp(&server, &certificate, &[]);
    assert!(answer.contains(": good"), "{answer}");
}

#[test]
fn ctrl_c_stops_it_cleanly() {
    let (status, printed) = Server::start().interrupt();
    assert!(status.success(), "{status:?}");
    assert!(printed.contains("stopped"), "{printed}");
}

#[test]
fn two_servers_do_not_share_a_folder() {
    let server = Server::start();
    let second = server.command(&["--listen", "127.0.0.1:0", "serve"]);
    assert!(!second.status.success());
    let told = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(told.contains("--data"), "{told}");
}

#[test]
fn a_mistake_in_the_configuration_is_named() {
    let folder = tempfile::tempdir().unwrap();
    for (text, part) in [
        ("lisen = '127.0.0.1:0'", "lisen"),
        ("[[profile]]\nchallenge = 'none'", "none"),
        ("[ca]\nkey = 'rsa1024'", "rsa1024"),
        ("[[profile]]\nname = 'a'\n[[profile]]\nname = 'a'\npath = '/b'", "a"),
        ("[[profile]]\nchallenge = 'static'", "challenge_file"),
        ("[[profile]]\nvalidity_days = 0", "valid"),
        ("[[profile]]\nca = 'none'", "none"),
        ("[[ca]]\nid = 'a'\n[[ca]]\nid = 'a'", "two CAs"),
        ("[ca]\nid = '../a'", "small letters"),
    ] {
        let file = folder.path().join("scep-server.toml");
        std::fs::write(&file, text).unwrap();
        let refused = Command::new(env!("CARGO_BIN_EXE_scep-server"))
            .arg("--config")
            .arg(&file)
            .args(["--listen", "127.0.0.1:0", "--data"])
            .arg(folder.path().join("data"))
            .output()
            .unwrap();
        assert!(!refused.status.success(), "{text}");
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(told.contains(part), "{text}: {told}");
    }
}

#[test]
fn the_printed_configuration_is_one() {
    let server = Server::start();
    let printed = server.succeed(&["config", "print"]);
    let file = server.folder().join("printed.toml");
    std::fs::write(&file, &printed).unwrap();
    assert_eq!(server.succeed(&["--config", file.to_str().unwrap(), "config", "print"]), printed);
}

// clause: RFC 8894 S6, C4, C6
#[test]
fn a_renewal_needs_the_certificate_and_no_challenge() {
    let server = Server::start();
    let certificate = enroll(&server, "demo-laptop");
    let [key, new_key, new_certificate] =
        ["demo-laptop.key", "new.key", "new.pem"].map(|name| server.folder().join(name));
    let renew = |server: &Server| {
        support::attempt(
            server.folder(),
            scep_client().to_str().unwrap(),
            &[
                "renew",
                server.url("SCEP URL"),
                "--ca-fingerprint",
                server.fingerprint(),
                "--cert",
                certificate.to_str().unwrap(),
                "--key",
                key.to_str().unwrap(),
                "--key-out",
                new_key.to_str().unwrap(),
                "--cert-out",
                new_certificate.to_str().unwrap(),
            ],
        )
    };
    // A device on hold gets no new certificate.
    server.set_state("demo-laptop", "disabled");
    support::eventually(|| openssl_ocsp(&server, &certificate, &[]), |answer| answer.contains(": revoked"));
    let (renewed, told) = renew(&server);
    assert!(!renewed, "{told}");
    server.set_state("demo-laptop", "enabled");
    support::eventually(|| openssl_ocsp(&server, &certificate, &[]), |answer| answer.contains(": good"));

    let (renewed, told) = renew(&server);
    assert!(renewed, "{told}");
    let answer = openssl_ocsp(&server, &new_certificate, &[]);
    assert!(answer.contains(": good"), "{answer}");
    assert_eq!(server.succeed(&["cert", "list"]).matches("demo-laptop").count(), 2);
}
