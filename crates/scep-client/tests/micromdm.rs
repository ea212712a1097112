//! The program against micromdm's server itself, which replies in single DES and SHA-1.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::{path::Path, process::Command};

use testkit::Micromdm;

const CHALLENGE: &str = "correct-horse-battery";

/// What docs/scep-client.md says of it.
const ALLOWED: [&str; 6] = ["--allow", "sha1", "--allow", "single-des", "--allow", "reply-nonce"];

/// Whether it succeeded, and what it said.
fn scep_client(folder: &Path, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_scep-client"))
        .args(arguments)
        .env("SCEP_CHALLENGE", CHALLENGE)
        .current_dir(folder)
        .output()
        .unwrap();
    (output.status.success(), String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned())
}

#[test]
fn micromdms_server_enrolls_and_renews_whoever_is_told_to_put_up_with_it() {
    let server = Micromdm::start(CHALLENGE);
    let (url, folder) = (server.url(), testkit::tempdir().unwrap());
    let fingerprint = server.ca().fingerprint().map(|octet| format!("{octet:02X}")).concat();
    std::fs::write(folder.path().join("anchor.pem"), server.ca().to_pem()).unwrap();
    let of_ca = [&*url, "--ca-fingerprint", &fingerprint];
    let run = |parts: &[&[&str]]| scep_client(folder.path(), &parts.concat());

    let enroll: [&[&str]; 3] = [&["enroll"], &of_ca, &["--subject", "CN=laptop-1"]];
    let (success, told) = run(&enroll);
    assert!(!success && told.contains("--allow "), "an error names what is missing: {told}");
    let (success, told) = run(&[&enroll[..], &[&["--force"], &ALLOWED]].concat());
    assert!(success, "{told}");
    let verify = ["verify", "-CAfile", "anchor.pem", "cert.pem"];
    testkit::run_in(folder.path(), "openssl", verify);

    let first = std::fs::read(folder.path().join("cert.pem")).unwrap();
    let renew: [&[&str]; 4] = [&["renew"], &of_ca, &["--cert", "cert.pem", "--key", "key.pem"], &ALLOWED];
    let (success, told) = run(&renew);
    assert!(success, "{told}");
    assert_ne!(std::fs::read(folder.path().join("cert.pem")).unwrap(), first);
    testkit::run_in(folder.path(), "openssl", verify);

    let (success, told) = run(&[&["capabilities", &url]]);
    assert!(success && told.contains("AES") && told.contains("Renewal"), "{told}");
}
