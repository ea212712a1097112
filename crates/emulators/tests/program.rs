//! The program as somebody without a tenant meets it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

use std::{
    io::{BufRead as _, BufReader},
    os::unix::fs::PermissionsExt as _,
    process::{Command, Stdio},
};

use testkit::{run, tempdir};

#[test]
fn it_says_what_it_made_and_writes_what_a_server_needs() {
    let folder = tempdir().unwrap();
    let quickstart = folder.path().join("quickstart");
    let certificate = folder.path().join("app.pem");
    std::fs::write(&certificate, testkit::rsa_ca().certificate.to_pem()).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_emulators"))
        .args(["--port", "0", "--devices", "3", "--users", "2", "--seed", "7"])
        .args([
            "--quickstart".as_ref(),
            quickstart.as_os_str(),
            "--certificate".as_ref(),
            certificate.as_os_str(),
        ])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = BufReader::new(child.stdout.take().unwrap());
    let mut printed = String::new();
    while !printed.contains("Ctrl-C") {
        assert!(out.read_line(&mut printed).unwrap() > 0, "it ended early:\n{printed}");
    }
    let line = |label: &str| {
        let line = printed.lines().find_map(|line| line.trim().strip_prefix(label));
        line.unwrap_or_else(|| panic!("no {label:?} in:\n{printed}")).trim().to_owned()
    };
    let overview = String::from_utf8(run("curl", ["-sf", &line("Control")])).unwrap();
    for label in ["Entra", "Graph", "Jamf Pro", "SCIM"] {
        assert!(overview.contains(&line(label)), "{label}: {overview}");
    }
    let device = line("Intune device");
    let device = device.split(' ').next_back().unwrap();
    let shown = run("curl", ["-sf", &format!("{}/objects/intune-device/{device}", line("Control"))]);
    assert!(String::from_utf8_lossy(&shown).contains("\"live\""));
    let settings = std::fs::read_to_string(line("Configuration")).unwrap();
    assert!(settings.contains(&format!("url = \"{}\"", line("Graph"))), "{settings}");
    for secret in ["entra-secret.txt", "jamf-secret.txt", "scim-token.txt", "challenge.txt"] {
        let mode = quickstart.join("data").join(secret).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{secret}: {mode:o}");
    }
    run("kill", ["-INT", &child.id().to_string()]);
    assert!(child.wait().unwrap().success());
}

#[test]
fn what_it_cannot_do_it_says() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (arguments, expected) in
        [(["--port", &port], &*port), (["--certificate", "no-such-file.pem"], "no-such-file.pem")]
    {
        let output = Command::new(env!("CARGO_BIN_EXE_emulators")).args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(expected), "{said}");
    }
}
