//! strongSwan's `pki --scep` enrolls, renews, polls and follows its CA into the next generation.
//!
//! strongSwan 5.9.8, the one of Debian 12, misreads GetCACaps and speaks triple DES only. It knows no GetNextCACert: what
//! that announces is given to it in files, as its manual has it for every CA.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use std::{
    path::{Path, PathBuf},
    thread,
};

use support::{Server, assert_good_laptop_2, attempt, device, eventually, openssl_ocsp, run};

const TRIPLE_DES: &[(&str, &str)] =
    &[("SCEP_SERVER__PROFILE", "[{ allow = ['3des', 'sha-1'] }]"), ("SCEP_SERVER__CA__KEY", "p256")];
const APPROVED_BY_HAND: &[(&str, &str)] =
    &[("SCEP_SERVER__PROFILE", "[{ approval = 'manual-with-renewals', allow = ['3des', 'sha-1'] }]")];

/// The files of an RA's and a CA's certificate.
const AT_WORK: [&str; 2] = ["ra.pem", "ca.pem"];

/// Fetches the certificates of [`AT_WORK`].
fn get_ca(server: &Server) {
    let get = ["--scepca", "--url", server.url("SCEP URL"), "--outform", "pem", "--force"];
    run(server.folder(), "pki", &[&get[..], &["--caout", "ca.pem", "--raout", "ra.pem"]].concat());
}

/// Makes the key `{name}.key` and asks the RA and CA of `from` for a certificate; it is `{name}.pem`.
fn scep(server: &Server, name: &str, from: [&str; 2], more: &[&str]) -> PathBuf {
    let (folder, key) = (server.folder(), format!("{name}.key"));
    run(folder, "openssl", &["genrsa", "-out", &key, "2048"]);
    let subject = ["--dn", "CN=laptop-2", "--san", "laptop-2.example.com", "--cipher", "des3"];
    let waiting = ["--interval", "1", "--maxpolltime", "60", "--outform", "pem"];
    let to = ["--scep", "--url", server.url("SCEP URL"), "--in", &key];
    let cas = ["--cacert-enc", from[0], "--cacert-sig", from[1]];
    let printed = run(folder, "pki", &[&to[..], &subject, &waiting, &cas, more].concat());
    let start = printed.find("-----BEGIN CERTIFICATE-----").unwrap_or_else(|| panic!("{printed}"));
    let certificate = folder.join(format!("{name}.pem"));
    std::fs::write(&certificate, &printed[start..]).unwrap();
    certificate
}

/// What makes a request a renewal of the certificate of that name.
fn renewing(name: &str) -> [String; 4] {
    ["--cert".into(), format!("{name}.pem"), "--key".into(), format!("{name}.key")]
}

fn renew(server: &Server, old: &str, new: &str, from: [&str; 2]) -> PathBuf {
    let renewing = renewing(old);
    scep(server, new, from, &renewing.each_ref().map(String::as_str))
}

fn serial(server: &Server, certificate: &Path) -> String {
    run(server.folder(), "openssl", &["x509", "-in", certificate.to_str().unwrap(), "-noout", "-serial"])
}

/// The id of the one request that waits.
fn waiting(server: &Server) -> String {
    let listed = eventually(|| server.succeed(&["pending", "list"]), |list| list.lines().count() == 2);
    listed
        .lines()
        .nth(1)
        .and_then(|line| line.split(' ').next())
        .unwrap_or_else(|| panic!("{listed}"))
        .to_owned()
}

/// Approves the request that `ask` has wait.
fn approving(server: &Server, ask: impl FnOnce() -> PathBuf + Send) -> PathBuf {
    thread::scope(|scope| {
        let asking = scope.spawn(ask);
        server.succeed(&["pending", "approve", &waiting(server)]);
        asking.join().unwrap()
    })
}

// clause: RFC 8894 M1, M2, M16
#[test]
fn strongswan_enrolls_and_renews_on_a_profile_that_allows_triple_des() {
    let server = Server::start_with(TRIPLE_DES);
    get_ca(&server);
    let fingerprint =
        run(server.folder(), "openssl", &["x509", "-in", "ca.pem", "-noout", "-fingerprint", "-sha256"]);
    assert!(fingerprint.contains(server.fingerprint()), "{fingerprint}");
    let challenge = server.challenge("laptop-2");
    let first = scep(&server, "first", AT_WORK, &["--password", &challenge]);
    assert_good_laptop_2(&server, &first);

    // Without a challenge: the certificate is what it shows.
    let second = renew(&server, "first", "second", AT_WORK);
    assert_good_laptop_2(&server, &second);
    assert_ne!(serial(&server, &first), serial(&server, &second));
    // Any digest and padding that it has.
    for (at, options) in ["--digest sha384", "--digest sha512", "--rsa-padding pss"].iter().enumerate() {
        let renewing = renewing("second");
        let more: Vec<&str> = renewing.iter().map(String::as_str).chain(options.split(' ')).collect();
        assert_good_laptop_2(&server, &scep(&server, &format!("like-{at}"), AT_WORK, &more));
    }

    // What was revoked renews nothing.
    let number = serial(&server, &second).trim().trim_start_matches("serial=").to_owned();
    server.succeed(&["cert", "revoke", &number, "--reason", "superseded"]);
    eventually(|| openssl_ocsp(&server, &second, &[]), |answer| answer.contains("revoked"));
    let arguments = format!(
        "--scep --url {} --in first.key --dn CN=laptop-2 --cipher des3 --cert second.pem --key second.key \
         --cacert-enc ra.pem --cacert-sig ca.pem",
        server.url("SCEP URL")
    );
    let arguments: Vec<&str> = arguments.split_whitespace().collect();
    let (success, told) = attempt(server.folder(), "pki", &arguments);
    assert!(!success, "{told}");
    assert!(
        server.succeed(&["refusals"]).contains("renewal-signer-revoked"),
        "{}",
        server.succeed(&["refusals"])
    );
}

// clause: RFC 8894 M23, S19
#[test]
fn strongswan_polls_until_its_enrollment_and_its_renewal_are_approved() {
    let server = Server::start_with(APPROVED_BY_HAND);
    get_ca(&server);
    let challenge = server.challenge("laptop-2");
    let first = approving(&server, || scep(&server, "first", AT_WORK, &["--password", &challenge]));
    assert_good_laptop_2(&server, &first);
    let second = approving(&server, || renew(&server, "first", "second", AT_WORK));
    assert_good_laptop_2(&server, &second);
}

// clause: RFC 8894 S23, S24
#[test]
fn strongswan_follows_its_ca_into_the_next_generation() {
    let server = Server::start_with(TRIPLE_DES);
    get_ca(&server);
    let challenge = server.challenge("laptop-2");
    scep(&server, "first", AT_WORK, &["--password", &challenge]);
    server.succeed(&["ca", "next", "create"]);
    let server = server.kill_and_restart_with(TRIPLE_DES);

    // What is announced, checked with the CA at work: the RA's certificate and the CA's.
    let (status, _, announced) = device::get(&server.address(), "/scep?operation=GetNextCACert");
    assert_eq!(status, 200);
    let folder = server.folder();
    std::fs::write(folder.join("next.p7"), announced).unwrap();
    let verify =
        ["cms", "-verify", "-inform", "der", "-in", "next.p7", "-purpose", "any", "-CAfile", "ca.pem"];
    run(folder, "openssl", &[&verify[..], &["-out", "next.der"]].concat());
    let printed = run(folder, "openssl", &["pkcs7", "-inform", "der", "-in", "next.der", "-print_certs"]);
    let next = ["next-ra.pem", "next-ca.pem"];
    let found: Vec<&str> = printed.split_inclusive("-----END CERTIFICATE-----").take(2).collect();
    for (name, certificate) in next.iter().zip(found) {
        std::fs::write(folder.join(name), certificate).unwrap();
    }
    // Before the day, a certificate of the next CA is had by renewing at its RA.
    let early = renew(&server, "first", "early", next);
    run(folder, "openssl", &["verify", "-CAfile", "next-ca.pem", early.to_str().unwrap()]);

    server.succeed(&["ca", "next", "promote"]);
    let server = server.kill_and_restart_with(TRIPLE_DES);
    get_ca(&server);
    let shown =
        |name: &str| run(server.folder(), "openssl", &["x509", "-in", name, "-noout", "-fingerprint"]);
    assert_eq!(shown("ca.pem"), shown("next-ca.pem"), "what was announced is at work");
    assert_good_laptop_2(&server, &server.folder().join("early.pem"));
    // Whoever slept through it renews what the earlier CA issued.
    assert_good_laptop_2(&server, &renew(&server, "first", "late", AT_WORK));
}
