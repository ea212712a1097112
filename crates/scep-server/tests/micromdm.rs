//! micromdm's client, which encrypts in single DES whatever GetCACaps says: what MUST NOT be taken is refused, and the
//! refusal is understood.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use support::{Server, attempt, eventually};

// clause: RFC 8894 M3
#[test]
fn micromdms_client_is_refused_by_bad_alg_whatever_the_profile_allows() {
    let server = Server::start_with(&[("SCEP_SERVER__PROFILE", "[{ allow = ['3des', 'sha-1'] }]")]);
    let (client, challenge) = (testkit::later_program("scepclient"), server.challenge("laptop-2"));
    let request = ["-server-url", server.url("SCEP URL"), "-challenge", &challenge, "-cn", "laptop-2"];
    let fixed = ["-organization", "", "-ou", "", "-country", "", "-key-encipherment-selector"];
    let files = ["-private-key", "key.pem", "-certificate", "certificate.pem"];
    let all = [&request[..], &fixed, &files].concat();
    let (success, told) = attempt(server.folder(), client.to_str().unwrap(), &all);
    assert!(!success && told.contains("badAlg"), "{told}");
    assert!(!server.folder().join("certificate.pem").exists());

    // The operator is told which algorithm, and nothing was spent.
    let told = eventually(|| server.succeed(&["refusals"]), |told| told.contains("algorithm-not-allowed"));
    assert!(told.contains("algorithm-not-allowed") && told.contains("1.3.14.3.2.7"), "{told}");
    assert_eq!(server.succeed(&["cert", "list"]).lines().count(), 1);
}
