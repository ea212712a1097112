//! NSS, the library of Firefox and of Red Hat's servers, gets the truth about a certificate.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use support::{Server, attempt, enroll, eventually, run};

// clause: RFC 6960 3, 5, 18
#[test]
fn nss_sees_the_directory_change() {
    let server = Server::start();
    let (folder, certificate) = (server.folder(), enroll(&server, "laptop-2"));
    std::fs::create_dir(folder.join("nss")).unwrap();
    let certutil = |arguments: &[&str]| {
        run(folder, "certutil", &[&["-d", "sql:nss"], arguments].concat());
    };
    certutil(&["-N", "--empty-password"]);
    certutil(&["-A", "-n", "ca", "-t", "TC,C,C", "-i", server.ca_pem().to_str().unwrap()]);
    certutil(&["-A", "-n", "laptop-2", "-t", ",,", "-i", certificate.to_str().unwrap()]);

    // With the responder that the certificate names, and as a whole: chain, usage and status.
    let status = || attempt(folder, "ocspclnt", &["-d", "sql:nss", "-S", "laptop-2"]).1;
    let verify = || attempt(folder, "ocspclnt", &["-d", "sql:nss", "-V", "laptop-2", "-u", "c"]).1;
    assert!(status().contains("succeeded"), "{}", status());
    assert!(verify().contains("succeeded"), "{}", verify());

    server.set_state("laptop-2", "disabled");
    let answer = eventually(status, |answer| answer.contains("revoked"));
    assert!(answer.contains("Certificate has been revoked"), "{answer}");
    assert!(verify().contains("Certificate has been revoked"), "{}", verify());

    server.set_state("laptop-2", "enabled");
    let answer = eventually(status, |answer| answer.contains("succeeded"));
    assert!(answer.contains("succeeded"), "{answer}");
}
