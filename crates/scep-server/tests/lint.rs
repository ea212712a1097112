//! Linters and libraries in Python find nothing wrong with what is issued and answered.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use support::{
    Server, attempt, enroll, eventually,
    python::{findings, python},
    run, scep_client,
};

const DIRECTORY: &str = r#"
[[devices]]
id = "307ff02c-76d6-4808-a523-3cbae90dcdbc"
name = "laptop-2"
dns = ["laptop-2.example.com", "*.laptop-2.example.com"]
uris = ["https://example.com/devices/2"]
state = "enabled"

[[users]]
id = "3ff8ce3c-6910-4114-8d92-22e466a629c1"
name = "zoe"
emails = ["zoe@example.com"]
upns = ["zoe@corp.example.com"]
state = "enabled"
"#;

/// Every alternative name of the two objects of [`DIRECTORY`].
const NAMES: [(&str, &[&str]); 2] = [
    ("laptop-2", &["DNS:laptop-2.example.com", "URI:https://example.com/devices/2"]),
    ("zoe", &["email:zoe@example.com", "UPN:zoe@corp.example.com"]),
];

/// Enrolls with `names` as alternative names, which nothing else asks for.
fn enroll_with_names(server: &Server, name: &str, names: &[&str]) -> String {
    let file = format!("{name}-names.pem");
    let (challenge, subject) = (server.challenge(name), format!("CN={name}"));
    let trust = ["--ca-fingerprint", server.fingerprint(), "--challenge", &challenge];
    let outputs = ["--subject", &subject, "--key-out", "names.key", "--cert-out", &file, "--force"];
    let names = names.iter().flat_map(|name| ["--san", name]);
    let arguments = ["enroll", server.url("SCEP URL")].into_iter().chain(trust).chain(outputs).chain(names);
    let arguments: Vec<&str> = arguments.collect();
    run(server.folder(), scep_client().to_str().unwrap(), &arguments);
    file
}

/// Asks with `more` options for openssl, and keeps the response in `file`; what openssl says of it.
fn ask(server: &Server, certificate: &[&str], more: &[&str], file: &str) -> String {
    let (ca, url) = (server.ca_pem(), server.url("OCSP URL"));
    let ca = ca.to_str().unwrap();
    let arguments = ["ocsp", "-issuer", ca, "-CAfile", ca, "-url", url, "-respout", file];
    attempt(server.folder(), "openssl", &[&arguments[..], more, certificate].concat()).1
}

/// The responder's certificate, out of a response.
fn delegate(server: &Server, response: &str) -> String {
    let text = run(server.folder(), "openssl", &["ocsp", "-respin", response, "-noverify", "-text"]);
    let start = text.find("-----BEGIN CERTIFICATE-----").unwrap();
    std::fs::write(server.folder().join("delegate.pem"), &text[start..]).unwrap();
    "delegate.pem".into()
}

fn start(variables: &[(&str, &str)]) -> Server {
    Server::start_with_directory(DIRECTORY, variables)
}

// clause: RFC 8894 S1
// clause: RFC 6960 16, 18, 42, 46
// clause: RFC 9919 85
#[test]
fn pkilint_finds_nothing_wrong_with_certificates() {
    // Not ML-DSA, whose signatures pkilint cannot verify.
    for key in ["rsa3072", "p256", "ed25519"] {
        let server = start(&[("SCEP_SERVER__CA__KEY", key)]);
        let folder = server.folder();
        let device = enroll(&server, "laptop-2").display().to_string();
        ask(&server, &["-cert", &device], &[], "response.der");
        let mut certificates = vec!["data/ra.pem".into(), device, delegate(&server, "response.der")];
        certificates.extend(NAMES.map(|(name, names)| enroll_with_names(&server, name, names)));
        let under_its_ca = |file: &String| format!("lint_pkix_signer_signee_cert_chain data/ca.pem {file}");
        let mut jobs: Vec<String> = certificates.iter().map(under_its_ca).collect();
        certificates.push("data/ca.pem".into());
        jobs.extend(certificates.iter().map(|file| format!("lint_pkix_cert {file}")));
        assert_eq!(findings(folder, &jobs), "", "{key}");
    }
}

// clause: RFC 6960 8, 9, 34, 39
// clause: RFC 9919 76, 90
#[test]
fn pkilint_finds_nothing_wrong_with_responses() {
    let server = start(&[("SCEP_SERVER__ANSWERS__NEVER_ISSUED", "revoked")]);
    let certificate = enroll(&server, "laptop-2").display().to_string();
    let mut jobs = Vec::new();
    let mut keep = |certificate: &[&str], more: &[&str], told: &str| {
        let file = format!("{}.der", jobs.len());
        let said = ask(&server, certificate, more, &file);
        assert!(said.contains(told), "{more:?}: {said}");
        jobs.push(format!("lint_ocsp_response {file}"));
    };
    let forms: [&[&str]; 2] = [&["-no_nonce"], &["-sha256", "-nonce"]];
    let mut keep_forms =
        |certificate: &[&str], told: &str| forms.iter().for_each(|form| keep(certificate, form, told));

    keep_forms(&["-cert", &certificate], ": good");
    keep_forms(&["-serial", "0x20112233445566778899AABBCCDDEEFF00112233"], "certificateHold");
    server.set_state("laptop-2", "disabled");
    let ask_again = || ask(&server, &["-cert", &certificate], &[], "response.der");
    eventually(ask_again, |answer| answer.contains(": revoked"));
    keep_forms(&["-cert", &certificate], "certificateHold");
    let text = run(server.folder(), "openssl", &["x509", "-noout", "-serial", "-in", &certificate]);
    let serial = text.trim().strip_prefix("serial=").unwrap();
    server.succeed(&["cert", "revoke", serial, "--reason", "keyCompromise"]);
    eventually(ask_again, |answer| answer.contains("keyCompromise"));
    keep_forms(&["-cert", &certificate], "keyCompromise");
    // Of a CA that is not served here.
    let [stranger, _] = support::daemon::self_signed(server.folder(), "elsewhere.example.com");
    let stranger = stranger.to_str().unwrap();
    keep(&["-issuer", stranger, "-cert", stranger], &[], "unauthorized");
    assert_eq!(findings(server.folder(), &jobs), "");

    let server =
        start(&[("SCEP_SERVER__CA__KEY", "p256"), ("SCEP_SERVER__ANSWERS__NEVER_ISSUED", "unknown")]);
    let serial = ["-serial", "0x20112233445566778899AABBCCDDEEFF00112233"];
    let said = ask(&server, &serial, &["-no_nonce"], "response.der");
    assert!(said.contains(": unknown"), "{said}");
    assert_eq!(findings(server.folder(), &["lint_ocsp_response response.der".into()]), "");
}

#[test]
fn pkilint_is_awake() {
    let folder = tempfile::tempdir().unwrap();
    let arguments =
        ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "bad.key", "-out", "bad.pem"];
    let wrong = ["-subj", "/CN=bad", "-addext", "basicConstraints=CA:TRUE", "-set_serial", "-1"];
    run(folder.path(), "openssl", &[&arguments[..], &wrong].concat());
    let found = findings(folder.path(), &["lint_pkix_cert bad.pem".into()]);
    assert!(found.contains("(ERROR)") && found.ends_with("found by lint_pkix_cert bad.pem"), "{found}");
    let missing = findings(folder.path(), &["lint_ocsp_response bad.pem".into()]);
    assert!(missing.contains("found by"), "{missing}");
}

// clause: RFC 6960 2, 3, 5, 14, 16, 33, 35, 37, 48, 49, 52, 67, 68
// clause: RFC 9919 84, 85, 87, 89
// clause: RFC 9654 111
#[test]
fn cryptography_sees_the_directory_change() {
    for key in ["rsa3072", "p256"] {
        let server = start(&[("SCEP_SERVER__CA__KEY", key)]);
        let certificate = enroll(&server, "laptop-2").display().to_string();
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/support/check_response.py");
        let (python, ca) = (python("python"), server.ca_pem());
        let arguments = [script, server.url("OCSP URL"), ca.to_str().unwrap(), &certificate];
        let judge = || run(server.folder(), &python, &arguments);
        assert_eq!(judge().trim(), "good", "{key}");
        server.set_state("laptop-2", "disabled");
        let answer = eventually(judge, |answer| answer.contains("revoked"));
        assert_eq!(answer.trim(), "revoked certificateHold", "{key}");
        server.set_state("laptop-2", "enabled");
        let answer = eventually(judge, |answer| answer.contains("good"));
        assert_eq!(answer.trim(), "good", "{key}");
        server.delete_object("laptop-2");
        let answer = eventually(judge, |answer| answer.contains("revoked"));
        assert!(answer.starts_with("revoked") && !answer.contains("certificateHold"), "{key}: {answer}");
    }
}
