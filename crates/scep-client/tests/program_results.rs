//! What the program prints for scripts, in each of its commands.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::{collections::BTreeSet, fs};

use serde_json::Value;
use support::{
    CHALLENGE,
    program::{World, assert_code, world},
};

/// An enrolled laptop.
async fn enrolled() -> World {
    let world = world().await;
    fs::write(world.path("challenge"), CHALLENGE).unwrap();
    assert_code(&world.enroll("laptop-1", &["--challenge-file", "challenge"]).await, 0);
    world
}

/// The fields of an object, by their names; each is on the page that documents them.
fn fields(value: &Value) -> BTreeSet<&str> {
    const PAGE: &str = include_str!("../../../docs/scep-client.md");
    let names: BTreeSet<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    let unheard = names.iter().find(|name| !PAGE.contains(&format!("`{name}`")));
    assert_eq!(unheard, None, "docs/scep-client.md does not tell of it");
    names
}

const CERTIFICATE: [&str; 7] = ["issuer", "not_after", "not_before", "serial", "sha1", "sha256", "subject"];

#[tokio::test(flavor = "multi_thread")]
async fn an_issued_certificate_has_a_stable_shape() {
    let world = world().await;
    fs::write(world.path("challenge"), CHALLENGE).unwrap();
    let (url, fingerprint) = (world.url(), world.fingerprint());
    let enroll = ["enroll", &url, "--ca-fingerprint", &fingerprint, "--subject", "CN=laptop-1,O=Example"];
    let value = world.json(&[&enroll[..], &["--challenge-file", "challenge"]].concat(), 0);
    let expected = ["ca", "certificate", "command", "exit_code", "key", "result", "transaction", "version"];
    assert_eq!(fields(&value), expected.into());
    assert_eq!((&value["version"], &value["exit_code"]), (&1.into(), &0.into()));
    assert_eq!((&value["command"], &value["result"]), (&"enroll".into(), &"issued".into()));
    let of_file: BTreeSet<_> = CERTIFICATE.into_iter().chain(["file"]).collect();
    assert_eq!((fields(&value["certificate"]), fields(&value["ca"])), (of_file.clone(), of_file));
    assert_eq!(fields(&value["key"]), ["file"].into());
    let certificate = world.certificate("cert.pem");
    assert_eq!(value["certificate"]["subject"], "CN=laptop-1,O=Example");
    assert_eq!(value["certificate"]["issuer"], "CN=Example CA,O=Example");
    assert_eq!(value["certificate"]["serial"], certificate.serial_number().unwrap().to_string());
    assert_eq!(value["certificate"]["not_after"], certificate.validity().not_after().to_string());
    assert_eq!(value["ca"]["sha256"], world.fingerprint());
    assert!(value["certificate"]["file"].as_str().unwrap().ends_with("/cert.pem"), "{value}");
    assert_eq!(value["transaction"].as_str().unwrap().len(), 40);
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_failures_and_waiting_have_a_stable_shape() {
    let world = world().await;
    let (url, fingerprint) = (world.url(), world.fingerprint());
    let enroll = ["enroll", &url, "--ca-fingerprint", &fingerprint, "--subject"];
    let value = world.json(&[&enroll[..], &["CN=laptop-1", "--challenge", "wrong"]].concat(), 5);
    assert_eq!(fields(&value), ["command", "error", "exit_code", "result", "version"].into());
    assert_eq!((&value["result"], &value["exit_code"]), (&"failed".into(), &5.into()));
    assert_eq!(fields(&value["error"]), ["fail_info", "kind", "message"].into());
    assert_eq!(
        (&value["error"]["kind"], &value["error"]["fail_info"]),
        (&"refused".into(), &"badRequest".into())
    );

    for (arguments, code, kind) in [
        (&["enroll", "http://127.0.0.1:1/", "--insecure-trust-first", "--subject", "CN=x"][..], 3, "server"),
        (&["enroll", &url, "--ca-fingerprint", &"ab".repeat(32), "--subject", "CN=x"], 4, "untrusted"),
        (&["enroll", &url, "--ca-cert", "none.pem", "--subject", "CN=x"], 1, "local"),
    ] {
        let value = world.json(arguments, code);
        assert_eq!(fields(&value["error"]), ["kind", "message"].into());
        assert_eq!(value["error"]["kind"], kind, "{value}");
    }

    let value = world.json(&[&enroll[..], &["CN=slow-1", "--challenge", CHALLENGE]].concat(), 6);
    let expected = ["command", "exit_code", "message", "result", "transaction", "version"];
    assert_eq!((fields(&value), &value["result"]), (expected.into(), &"pending".into()));
    let value = world.json(&["poll"], 6);
    assert_eq!((fields(&value), &value["command"]), (expected.into(), &"enroll".into()));
    let value = world.json(&["poll"], 0);
    assert_eq!((&value["command"], &value["result"]), (&"enroll".into(), &"issued".into()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_that_is_not_due_is_told_by_its_own_exit_code() {
    let world = enrolled().await;
    let before = fs::read(world.path("cert.pem")).unwrap();
    let url = world.url();
    let renew = ["renew", &url, "--ca-cert", "ca.pem", "--cert", "cert.pem", "--key", "key.pem"];
    // Valid from 2020 to 2049.
    let value = world.json(&[&renew[..], &["--renew-within", "1%"]].concat(), 7);
    let expected = ["certificate", "command", "exit_code", "message", "next", "result", "version"];
    assert_eq!((fields(&value), &value["result"]), (expected.into(), &"not-due".into()));
    assert!(value["next"].as_str().unwrap().starts_with("2049-09-"), "{value}");
    let text = world.run(&[&renew[..], &["--renew-within", "1d"]].concat()).await;
    assert_code(&text, 7);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.starts_with("not due before the last 1d: nothing was done\n"), "{text}");
    assert_eq!((fs::read(world.path("cert.pem")).unwrap(), world.issued()), (before.clone(), 1));

    let value = world.json(&[&renew[..], &["--renew-within", "99%"]].concat(), 0);
    assert_eq!((&value["command"], &value["result"]), (&"renew".into(), &"issued".into()));
    assert_ne!(fs::read(world.path("cert.pem")).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn get_ca_shows_certificates_their_roles_and_fingerprints() {
    let world = world().await;
    let url = world.url();
    let value = world.json(&["get-ca", &url, "--out", "ca.pem"], 0);
    let list = value["ca_certificates"].as_array().unwrap();
    let of_list: BTreeSet<_> = CERTIFICATE.into_iter().chain(["roles"]).collect();
    assert!(list.iter().all(|certificate| fields(certificate) == of_list), "{value}");
    let roles = |subject: &str| {
        let found = list.iter().find(|certificate| certificate["subject"] == subject).unwrap();
        found["roles"].to_string()
    };
    assert!(roles("CN=Example CA,O=Example").contains("issues certificates"));
    assert!(roles("CN=Example RA,O=Example").contains("requests are encrypted to it"));
    let sha1 = testkit::run_in(
        world.folder.path(),
        "openssl",
        ["x509", "-in", "ca.pem", "-noout", "-fingerprint", "-sha1"],
    );
    let sha1 = String::from_utf8(sha1).unwrap();
    assert!(sha1.trim().ends_with(value["ca"]["sha1"].as_str().unwrap()), "{sha1}");

    let text = world.run(&["get-ca", &url]).await;
    assert_code(&text, 0);
    let text = String::from_utf8(text.stdout).unwrap();
    assert!(text.contains(&format!("SHA-256  {}", world.fingerprint())), "{text}");
    assert!(text.contains("too weak to trust a CA by"), "{text}");
    let other = world.run(&["get-ca", &url, "--ca-fingerprint", &"ab".repeat(32)]).await;
    assert_code(&other, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn capabilities_are_listed() {
    let world = world().await;
    let value = world.json(&["capabilities", &world.url()], 0);
    let keywords: Vec<_> =
        value["capabilities"].as_array().unwrap().iter().map(|k| k.as_str().unwrap()).collect();
    assert!(keywords.contains(&"SCEPStandard") && keywords.contains(&"Renewal"), "{value}");
}

#[tokio::test(flavor = "multi_thread")]
async fn get_crl_and_get_cert_fetch_what_the_ca_has() {
    let world = enrolled().await;
    let url = world.url();
    let ca = [url.as_str(), "--ca-cert", "ca.pem"];
    let text = assert_code(&world.run(&[&["get-crl"], &ca[..], &["--cert", "cert.pem"]].concat()).await, 1);
    assert!(text.contains("does not say where its CRL is: give --key"), "{text}");
    let of_laptop = ["--cert", "cert.pem", "--key", "key.pem"];
    let value = world.json(&[&["get-crl"], &ca[..], &of_laptop].concat(), 0);
    let expected = ["file", "issuer", "lists_certificate", "next_update", "revoked", "source", "this_update"];
    assert_eq!(fields(&value["crl"]), expected.into());
    assert_eq!((&value["crl"]["source"], &value["crl"]["revoked"]), (&"GetCRL".into(), &1.into()));
    assert_eq!(value["crl"]["lists_certificate"], true);
    let folder = world.folder.path();
    testkit::run_in(
        folder,
        "openssl",
        ["crl", "-inform", "der", "-in", "crl.der", "-CAfile", "ca.pem", "-noout"],
    );

    let serial = world.certificate("cert.pem").serial_number().unwrap().to_string();
    let get =
        [&["get-cert"], &ca[..], &["--serial", &serial, "--key", "key.pem", "--out", "again.pem"]].concat();
    let value = world.json(&get, 0);
    assert_eq!(
        (&value["result"], &value["certificate"]["serial"]),
        (&"fetched".into(), &serial.as_str().into())
    );
    assert_eq!(world.certificate("again.pem"), world.certificate("cert.pem"));
    let text = assert_code(&world.run(&get).await, 1);
    assert!(text.contains("again.pem exists already"), "{text}");
    let get = [&["get-cert"], &ca[..], &["--serial", "77", "--key", "key.pem", "--out", "none.pem"]].concat();
    let value = world.json(&get, 5);
    assert_eq!(value["error"]["fail_info"], "badCertId");
}
