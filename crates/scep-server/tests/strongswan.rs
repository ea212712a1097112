//! strongSwan's `pki --scep` enrolls.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use support::{Server, run};

/// strongSwan 5.9.8, the one of Debian 12, misreads GetCACaps and enrolls with triple DES only.
#[test]
fn strongswan_enrolls_on_a_profile_that_allows_triple_des() {
    let server = Server::start_with(&[("SCEP_SERVER__PROFILE", "[{ allow = ['3des', 'sha-1'] }]")]);
    let (folder, url) = (server.folder(), server.url("SCEP URL"));
    run(
        folder,
        "pki",
        &["--scepca", "--url", url, "--caout", "ca.pem", "--raout", "ra.pem", "--outform", "pem", "--force"],
    );
    let fingerprint = run(folder, "openssl", &["x509", "-in", "ca.pem", "-noout", "-fingerprint", "-sha256"]);
    assert!(fingerprint.contains(server.fingerprint()), "{fingerprint}");

    run(folder, "openssl", &["genrsa", "-out", "key.pem", "2048"]);
    let challenge = server.challenge("laptop-2");
    let arguments = [
        "--scep",
        "--url",
        url,
        "--in",
        "key.pem",
        "--dn",
        "CN=laptop-2",
        "--san",
        "laptop-2.example.com",
        "--password",
        &challenge,
        "--cacert-enc",
        "ra.pem",
        "--cacert-sig",
        "ca.pem",
        "--cipher",
        "des3",
        "--interval",
        "1",
        "--maxpolltime",
        "20",
        "--outform",
        "pem",
    ];
    let printed = run(folder, "pki", &arguments);
    let start = printed.find("-----BEGIN CERTIFICATE-----").unwrap_or_else(|| panic!("{printed}"));
    let certificate = folder.join("certificate.pem");
    std::fs::write(&certificate, &printed[start..]).unwrap();
    support::assert_good_laptop_2(&server, &certificate);
}
