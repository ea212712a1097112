//! Sealed challenges from the command line, taken by a server that never saw them.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests"
)]

#[path = "support/flows.rs"]
mod flows;
mod support;

use flows::Told;
use support::{Server, openssl_ocsp};

const SEALED: (&str, &str) = ("SCEP_SERVER__PROFILE__0__CHALLENGE", "sealed");

fn told<'a>(server: &'a Server, challenge: &'a str, subject: &'a str) -> Told<'a> {
    Told { url: server.url("SCEP URL"), challenge, subject, more: &[] }
}

fn create(server: &Server, arguments: &[&str]) -> String {
    let command = [&["challenge", "create", "--sealed"], arguments].concat();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_scep-server"))
        .envs([SEALED])
        .args([["--data", server.data().to_str().unwrap()].as_slice(), &command].concat())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn row_13_a_sealed_challenge_enrolls_once_also_after_a_restart() {
    let server = Server::start_with(&[SEALED]);
    let challenge = create(&server, &["--object", "laptop-2"]);
    assert!(challenge.starts_with("CBS1-") && challenge.len() == 89, "{challenge}");
    let certificate = flows::enrolled(&server, &told(&server, &challenge, "CN=laptop-2"), "first");
    assert!(openssl_ocsp(&server, &certificate, &[]).contains(": good"));
    let server = server.kill_and_restart_with(&[SEALED]);
    assert!(
        flows::refused(&server, &told(&server, &challenge, "CN=laptop-2"), "thief")
            .contains("spent by another request")
    );
}

#[test]
fn the_terms_of_a_sealed_challenge_hold() {
    let server = Server::start_with(&[SEALED]);
    let anybody = create(&server, &[]);
    flows::enrolled(&server, &told(&server, &anybody, "CN=zoe"), "zoe");
    let renamed = create(&server, &["--object", "laptop-2", "--name", "laptop-3"]);
    assert!(
        flows::refused(&server, &told(&server, &renamed, "CN=laptop-2"), "renamed")
            .contains("is not one that")
    );
    let other_key = create(&server, &["--object", "laptop-2", "--key", &"00".repeat(32)]);
    assert!(
        flows::refused(&server, &told(&server, &other_key, "CN=laptop-2"), "other-key")
            .contains("made for another key")
    );
}
