//! Runs every example to its end, and reads what it prints.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::Command;

/// What the program prints; it must end well.
fn run(program: &str) -> String {
    let output = Command::new(program).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {complaint}");
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn embed_scep_enrolls_with_the_challenge_and_not_without() {
    let printed = run(env!("CARGO_BIN_EXE_embed_scep"));
    assert!(
        printed.contains("issued a certificate for CN=laptop-1, signed by CN=Example CA,O=Example"),
        "{printed}"
    );
    assert!(printed.contains("a PKCSReq with the right challenge, please"), "{printed}");
}

#[test]
fn embed_ocsp_tells_good_revoked_and_unknown() {
    let printed = run(env!("CARGO_BIN_EXE_embed_ocsp"));
    for (line, status) in printed.lines().zip(["1: Good", "2: Revoked", "3: Unknown"]) {
        assert!(line.contains(status), "{line}");
    }
    assert_eq!(printed.lines().count(), 3, "{printed}");
}

#[test]
fn custom_directory_decides_how_certificates_stand() {
    let printed = run(env!("CARGO_BIN_EXE_custom_directory"));
    for (line, standing) in printed.lines().skip(1).zip([": Good", ": Hold", ": Revoked"]) {
        assert!(line.contains(standing), "{line}");
    }
    assert_eq!(printed.lines().count(), 4, "{printed}");
}
