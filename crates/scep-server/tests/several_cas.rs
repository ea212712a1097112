//! Several CAs and profiles on one server.
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
use scep_proto::ca_certificates;
use support::{
    Server,
    device::{self, Device},
    run,
};
use testkit::keys;

const CAS: &str =
    "[{ id = 'one', name = 'CN=CA One', key = 'p256' }, { id = 'two', name = 'CN=CA Two', key = 'p384' }]";
const PROFILES: &str = "[{ name = 'phones', path = '/scep/phones', ca = 'two' }, { name = 'routers', path = '/scep' }, \
                        { name = 'printers', path = '/printers', ca = 'one' }]";

fn server() -> Server {
    Server::start_with(&[("SCEP_SERVER__CA", CAS), ("SCEP_SERVER__PROFILE", PROFILES)])
}

fn pem(path: &Path) -> Certificate {
    Certificate::from_pem(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The folder of the CA of that id.
fn home(server: &Server, id: &str) -> PathBuf {
    server.data().join(format!("ca-{id}"))
}

/// The commands of these tests know the configuration only from the environment.
fn challenge(server: &Server, profile: &str, object: &str) -> String {
    let create = ["challenge", "create", "--profile", profile, "--object", object];
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_scep-server"))
        .env("SCEP_SERVER__CA", CAS)
        .env("SCEP_SERVER__PROFILE", PROFILES)
        .arg("--data")
        .arg(server.data())
        .args(create)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Asks at `path`, encrypted to the RA of the CA of that id.
fn enrolled(server: &Server, path: &str, ca: &str, challenge: &str, transaction: &str) -> Certificate {
    let device = Device::of_ra(&home(server, ca).join("ra.pem"), keys::rsa(keys::DEVICE_PEM));
    let target = format!("{path}?operation=PKIOperation");
    let reply = device.request("demo-laptop", challenge, transaction).send_to(&server.address(), &target);
    reply.unwrap().unwrap()
}

fn assert_issued_by(server: &Server, certificate: &Certificate, ca: &str) {
    let home = home(server, ca);
    certificate.verify_signed_by(pem(&home.join("ca.pem")).public_key(), &AwsLc).unwrap();
    let file = server.folder().join("certificate.pem");
    std::fs::write(&file, certificate.to_pem()).unwrap();
    let issuer = home.join("ca.pem");
    let [issuer, file] = [&issuer, &file].map(|path| path.to_str().unwrap());
    let ask = ["ocsp", "-issuer", issuer, "-CAfile", issuer, "-url", server.url("OCSP URL"), "-cert", file];
    let answer = run(server.folder(), "openssl", &ask);
    assert!(answer.contains("Response verify OK") && answer.contains(": good"), "{answer}");
}

fn listed(server: &Server, target: &str) -> Vec<Certificate> {
    let (status, _, body) = device::get(&server.address(), target);
    assert_eq!(status, 200, "{target}: {}", String::from_utf8_lossy(&body));
    ca_certificates::parse(&body).unwrap()
}

// clause: RFC 8894 S15
#[test]
fn the_path_chooses_the_profile_and_with_it_the_ca() {
    let server = server();
    for (path, profile, ca) in [
        ("/scep/phones", "phones", "two"),
        ("/scep/phones/pkiclient.exe", "phones", "two"),
        ("/scep", "routers", "one"),
        ("/scep/cgi-bin/pkiclient.exe", "routers", "one"),
        ("//scep/certsrv/mscep/mscep.dll", "routers", "one"),
        ("/printers/", "printers", "one"),
        // Clients that were told no path: the first profile.
        ("/cgi-bin/pkiclient.exe", "phones", "two"),
        ("/pkiclient.exe", "phones", "two"),
        ("/CertSrv/mscep/mscep.dll", "phones", "two"),
        ("/", "phones", "two"),
    ] {
        let [ra, own] = ["ra.pem", "ca.pem"].map(|file| pem(&home(&server, ca).join(file)));
        assert_eq!(listed(&server, &format!("{path}?operation=GetCACert")), [ra, own], "{path}");
        let challenge = challenge(&server, profile, "demo-laptop");
        let certificate = enrolled(&server, path, ca, &challenge, path);
        assert_issued_by(&server, &certificate, ca);
    }
    for nothing in ["/", "/elsewhere?operation=GetCACert", "/scepter?operation=GetCACaps", "/printer"] {
        assert_eq!(device::get(&server.address(), nothing).0, 404, "{nothing}");
    }
}

#[test]
fn a_message_that_names_a_ca_or_a_profile_is_heard_and_any_other_is_not() {
    let server = server();
    let address = server.address();
    let ra = |ca: &str| pem(&home(&server, ca).join("ra.pem"));
    for (message, ca) in [
        ("", "one"),
        ("two", "two"),
        ("TWO", "two"),
        ("phones", "two"),
        ("printers", "one"),
        ("one", "one"),
        // What clients send who mean nothing by it.
        ("0", "one"),
        ("1", "one"),
        ("CAIdentifier", "one"),
        ("a%20trustpoint", "one"),
    ] {
        let found = listed(&server, &format!("/scep?operation=GetCACert&message={message}"));
        assert_eq!(found[0], ra(ca), "{message}");
    }
    // Whoever was given the certificates of another CA by its name goes on at the same path.
    let challenge = challenge(&server, "phones", "demo-laptop");
    let certificate = enrolled(&server, "/scep", "two", &challenge, "named");
    assert_issued_by(&server, &certificate, "two");
    assert_eq!(device::get(&address, "/scep?operation=GetCACaps&message=two").0, 200);
}

#[test]
fn every_ca_certificate_can_be_had_and_the_first_one_at_the_usual_address() {
    let server = server();
    let address = server.address();
    for (target, ca) in [("/ca", "one"), ("/ca/one", "one"), ("/ca/two", "two")] {
        let expected = pem(&home(&server, ca).join("ca.pem"));
        let (status, media_type, body) = device::get(&address, target);
        assert_eq!(
            (status, &*media_type, &*body),
            (200, "application/pkix-cert", expected.as_der()),
            "{target}"
        );
        let (_, media_type, body) = device::get(&address, &format!("{target}.pem"));
        assert_eq!((&*media_type, body), ("application/x-pem-file", expected.to_pem().into_bytes()));
    }
    assert!(server.url("CA certificate (two)").ends_with("/ca/two"), "{}", server.banner);
    assert_eq!(device::get(&address, "/ca/three").0, 404);
}

/// Each of the generations and CAs has numbers of its own in the one ledger.
#[test]
fn row_03_a_challenge_for_a_profile_of_one_ca_is_none_at_another_and_is_burnt() {
    let server = server();
    let challenge = challenge(&server, "phones", "demo-laptop");
    let device = Device::of_ra(&home(&server, "one").join("ra.pem"), keys::rsa(keys::DEVICE_PEM));
    let elsewhere = device.request("demo-laptop", &challenge, "elsewhere").send(&server.address()).unwrap();
    assert_eq!(elsewhere.unwrap_err(), scep_proto::FailInfo::BadRequest);
    let device = Device::of_ra(&home(&server, "two").join("ra.pem"), keys::rsa(keys::DEVICE_PEM));
    let burnt = device.request("demo-laptop", &challenge, "burnt").send(&server.address()).unwrap();
    assert_eq!(burnt.unwrap_err(), scep_proto::FailInfo::BadRequest);
}
