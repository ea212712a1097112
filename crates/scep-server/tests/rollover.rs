//! A CA is replaced by its next generation while its certificates are in use.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use std::path::{Path, PathBuf};

use keys_software::AwsLc;
use pki_core::Certificate;
use support::{
    Server, attempt,
    device::{self, Device},
    enroll, run, scep_client,
};
use testkit::keys;

const SMALL: [(&str, &str); 1] = [("SCEP_SERVER__CA__KEY", "p256")];

fn pem(path: &Path) -> Certificate {
    Certificate::from_pem(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// What `openssl ocsp` says of the certificate in `file`, issued by the CA in `issuer`.
fn status(server: &Server, issuer: &Path, file: &Path) -> String {
    let [issuer, file] = [issuer, file].map(|path| path.to_str().unwrap());
    let ask = ["ocsp", "-issuer", issuer, "-CAfile", issuer, "-url", server.url("OCSP URL"), "-cert", file];
    attempt(server.folder(), "openssl", &ask).1
}

fn assert_good(server: &Server, issuer: &Path, file: &Path) {
    let answer = status(server, issuer, file);
    assert!(answer.contains("Response verify OK") && answer.contains(": good"), "{answer}");
}

fn capabilities(server: &Server) -> String {
    String::from_utf8(device::get(&server.address(), "/scep?operation=GetCACaps").2).unwrap()
}

/// What GetNextCACert announces, as OpenSSL finds it signed by the CA at work and as we read it.
fn announced(server: &Server) -> Vec<Certificate> {
    let (status, media_type, body) = device::get(&server.address(), "/scep?operation=GetNextCACert");
    assert_eq!((status, &*media_type), (200, "application/x-x509-next-ca-cert"));
    std::fs::write(server.folder().join("next.p7"), &body).unwrap();
    let ca = server.ca_pem();
    let verify = ["cms", "-verify", "-inform", "der", "-in", "next.p7", "-purpose", "any", "-CAfile"];
    run(server.folder(), "openssl", &[&verify[..], &[ca.to_str().unwrap(), "-out", "next.der"]].concat());
    let inner = std::fs::read(server.folder().join("next.der")).unwrap();
    let policy = scep_proto::AlgorithmPolicy::default();
    let read = scep_proto::next_ca_certificates::parse(&body, &pem(&ca), &AwsLc, &policy).unwrap();
    assert_eq!(scep_proto::ca_certificates::parse(&inner).unwrap(), read);
    read
}

/// The folder of the only generation that was set aside.
fn earlier(server: &Server) -> PathBuf {
    let mut found = std::fs::read_dir(server.data().join("earlier")).unwrap();
    let only = found.next().unwrap().unwrap().path();
    assert!(found.next().is_none());
    only
}

/// Renews the certificate of [`enroll`] with a new key; the new certificate's file.
fn renew(server: &Server, name: &str) -> PathBuf {
    let [key, certificate, new_key, new] =
        ["key", "pem", "new.key", "new.pem"].map(|ending| server.folder().join(format!("{name}.{ending}")));
    let mut arguments = vec!["renew", server.url("SCEP URL"), "--ca-fingerprint", server.fingerprint()];
    for (option, path) in
        [("--cert", &certificate), ("--key", &key), ("--key-out", &new_key), ("--cert-out", &new)]
    {
        arguments.extend([option, path.to_str().unwrap()]);
    }
    run(server.folder(), scep_client().to_str().unwrap(), &arguments);
    new
}

// clause: RFC 8894 S23, S24
#[test]
fn a_request_for_the_next_ca_gets_a_certificate_of_the_next_ca() {
    let server = Server::start_with(&SMALL);
    let ca = server.ca_pem();
    let told = server.succeed(&["ca", "next", "create"]);
    let next = server.data().join("next");
    let fingerprint = told.lines().find_map(|line| line.trim().strip_prefix("SHA-256 ")).unwrap();
    let shown = run(&next, "openssl", &["x509", "-in", "ca.pem", "-noout", "-fingerprint", "-sha256"]);
    assert!(shown.contains(fingerprint), "{shown}: {told}");
    assert!(!server.command(&["ca", "next", "create"]).status.success(), "one next CA at a time");
    assert_eq!(device::get(&server.address(), "/scep?operation=GetNextCACert").0, 404, "not offered yet");
    assert!(!capabilities(&server).contains("GetNextCACert"));

    let server = server.kill_and_restart_with(&SMALL);
    let next = server.data().join("next");
    // The same device, key and transactionID with both: two transactions, for there are two CAs.
    for (folder, name) in [(server.data(), "now.pem"), (next.clone(), "then.pem")] {
        let device = Device::of_ra(&folder.join("ra.pem"), keys::rsa(keys::DEVICE_PEM));
        let challenge = server.challenge("demo-laptop");
        let reply = device.request("demo-laptop", &challenge, "figure 9").send(&server.address()).unwrap();
        let certificate = reply.unwrap();
        let issuer = folder.join("ca.pem");
        certificate.verify_signed_by(pem(&issuer).public_key(), &AwsLc).unwrap();
        let file = server.folder().join(name);
        std::fs::write(&file, certificate.to_pem()).unwrap();
        assert_good(&server, &issuer, &file);
    }
    // It is announced by the CA that is at work, in a way that others can read.
    assert!(capabilities(&server).contains("GetNextCACert"));
    let announced = announced(&server);
    assert_eq!(announced, ["ra.pem", "ca.pem"].map(|file| pem(&next.join(file))));
    // Nothing else has changed yet.
    assert_eq!(pem(&ca), pem(&server.ca_pem()));
    let (_, _, listed) = device::get(&server.address(), "/scep?operation=GetCACert");
    let listed = scep_proto::ca_certificates::parse(&listed).unwrap();
    assert_eq!(listed, ["ra.pem", "ca.pem"].map(|file| pem(&server.data().join(file))));
}

#[test]
fn after_a_promotion_the_old_ca_still_answers_for_what_it_issued() {
    let server = Server::start_with(&SMALL);
    let old = pem(&server.ca_pem());
    let kept = enroll(&server, "demo-laptop");
    let name = |path: &Path| path.file_name().unwrap().to_owned();
    let kept = name(&kept);
    assert!(!server.command(&["ca", "next", "promote"]).status.success(), "there is none yet");
    server.succeed(&["ca", "next", "create"]);
    let next = pem(&server.data().join("next/ca.pem"));
    server.succeed(&["ca", "next", "promote"]);
    let server = server.kill_and_restart_with(&SMALL);
    let kept = server.folder().join(kept);

    assert_eq!(pem(&server.ca_pem()), next);
    let before = earlier(&server).join("ca.pem");
    assert_eq!(pem(&before), old);
    let shown = server.succeed(&["ca", "show"]);
    assert!(shown.contains("at work") && shown.contains("earlier") && !shown.contains("next"), "{shown}");

    assert!(!capabilities(&server).contains("GetNextCACert"), "there is none any more");
    assert_eq!(device::get(&server.address(), "/scep?operation=GetNextCACert").0, 404);

    // What the old CA issued is good still, says where its issuer is, and is renewed by the new CA.
    assert_good(&server, &before, &kept);
    let text = run(server.folder(), "openssl", &["x509", "-in", kept.to_str().unwrap(), "-noout", "-text"]);
    let issuer = text.lines().find_map(|line| line.trim().strip_prefix("CA Issuers - URI:")).unwrap();
    let path = issuer.find("/ca/").map(|at| &issuer[at..]).unwrap();
    assert_eq!(device::get(&server.address(), path).2, old.as_der());
    let renewed = renew(&server, "demo-laptop");
    pem(&renewed).verify_signed_by(next.public_key(), &AwsLc).unwrap();
    assert_good(&server, &server.ca_pem(), &renewed);

    // It can be revoked by its number alone, and then is no authority for anything.
    let serial = pem(&kept).serial_number().unwrap().to_string();
    server.succeed(&["cert", "revoke", &serial, "--reason", "keyCompromise"]);
    let answer = support::eventually(|| status(&server, &before, &kept), |answer| answer.contains("revoked"));
    assert!(answer.contains(": revoked"), "{answer}");

    // A device that still has the old RA's certificate is served by the old CA.
    let device = Device::of_ra(&earlier(&server).join("ra.pem"), keys::rsa(keys::DEVICE_PEM));
    let challenge = server.challenge("laptop-2");
    let reply = device.request("laptop-2", &challenge, "late").send(&server.address()).unwrap();
    reply.unwrap().verify_signed_by(old.public_key(), &AwsLc).unwrap();
}
