//! Requests that wait for a person, certificates asked for again, and refusals looked up.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use scep_proto::FailInfo;
use support::{
    Server,
    device::{self, Answer, Device},
    eventually,
};
use testkit::keys;

const APPROVED_BY_HAND: &[(&str, &str)] = &[("SCEP_SERVER__PROFILE", "[{ approval = 'manual' }]")];

fn device(server: &Server) -> Device {
    Device::new(&server.data(), keys::rsa(keys::DEVICE_PEM))
}

/// The id of the one request that waits; empty while there is none.
fn waiting(server: &Server) -> String {
    let listed = server.succeed(&["pending", "list"]);
    let lines: Vec<_> = listed.lines().skip(1).collect();
    assert!(lines.len() <= 1, "{listed}");
    lines.first().and_then(|line| line.split(' ').next()).unwrap_or_default().to_owned()
}

// clause: RFC 8894 M23, M24, S9, S19
#[test]
fn a_request_waits_survives_a_kill_and_is_approved() {
    let server = Server::start_with(APPROVED_BY_HAND);
    let device = device(&server);
    let csr = device.csr("laptop-2", &server.challenge("laptop-2"));
    let request = device.pkcs_req(&csr, "one");
    assert_eq!(request.ask(&server.address()), Answer::Pending);
    let address = server.address();
    let server = Server::start_again(server.kill(), &address);
    for again in [&request, &device.pkcs_req(&csr, "one"), &device.poll("laptop-2", "one")] {
        assert_eq!(again.ask(&server.address()), Answer::Pending);
    }
    let id = waiting(&server);
    let shown = server.succeed(&["pending", "show", &id]);
    for part in ["CN=laptop-2", "device:307ff02c-76d6-4808-a523-3cbae90dcdbc", "waiting", "RSA-2048"] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    server.succeed(&["pending", "approve", &id]);
    assert_eq!(waiting(&server), "");
    let Answer::Issued(first) = device.poll("laptop-2", "one").ask(&server.address()) else { panic!() };
    assert_eq!(first[0].subject().to_string(), "CN=laptop-2");
    // Whatever way the client asks again.
    for again in [&request, &device.poll("laptop-2", "one")] {
        assert_eq!(again.ask(&server.address()), Answer::Issued(first.clone()));
    }
    assert!(server.succeed(&["pending", "list", "--all"]).contains("approved"));
    let decided = server.command(&["pending", "deny", &id, "--reason", "too late"]);
    assert!(!decided.status.success());
    assert!(String::from_utf8_lossy(&decided.stderr).contains("cert revoke"));
}

// clause: RFC 8894 M22, S20
#[test]
fn a_denial_is_told_and_a_poll_for_nothing_is_refused() {
    let server = Server::start_with(APPROVED_BY_HAND);
    let device = device(&server);
    let challenge = server.challenge("laptop-2");
    assert_eq!(device.request("laptop-2", &challenge, "one").ask(&server.address()), Answer::Pending);
    server.succeed(&["pending", "deny", &waiting(&server), "--reason", "ask Zoe first"]);
    let Answer::Refused(info, text) = device.poll("laptop-2", "one").ask(&server.address()) else { panic!() };
    assert_eq!(info, FailInfo::BadRequest);
    assert!(text.contains("ask Zoe first"), "{text}");

    let nothing = device.poll("laptop-2", "two").ask(&server.address());
    assert!(matches!(nothing, Answer::Refused(FailInfo::BadCertId, _)), "{nothing:?}");
    let thief = Device::new(&server.data(), keys::rsa(keys::STRANGER_PEM)).poll("laptop-2", "one");
    assert!(matches!(thief.ask(&server.address()), Answer::Refused(FailInfo::BadCertId, _)));

    // An operator who is asked why finds out.
    let told =
        eventually(|| server.succeed(&["refusals"]), |told| told.matches("nothing-pending").count() == 2);
    assert!(told.contains("approval-denied") && told.contains("ask Zoe first"), "{told}");
    let one = server.succeed(&["refusals", "--code", "approval-denied", "--within", "1h"]);
    assert_eq!(one.lines().count(), 2, "{one}");
}

#[test]
fn without_a_challenge_a_person_decides() {
    let profile = [("SCEP_SERVER__PROFILE", "[{ challenge = 'none', approval = 'manual' }]")];
    let server = Server::start_with(&profile);
    let device = device(&server);
    let request = device.request("laptop-2", "", "one");
    assert_eq!(request.ask(&server.address()), Answer::Pending);
    server.succeed(&["pending", "approve", &waiting(&server)]);
    assert!(matches!(request.ask(&server.address()), Answer::Issued(_)));
}

// clause: RFC 8894 M25, S21
#[test]
fn who_has_lost_a_certificate_gets_it_again() {
    let server = Server::start();
    let device = device(&server);
    let challenge = server.challenge("laptop-2");
    let Answer::Issued(issued) = device.request("laptop-2", &challenge, "one").ask(&server.address()) else {
        panic!()
    };
    let (certificate, serial) = (issued[0].clone(), issued[0].serial_number().unwrap());
    for signer in [device.self_signed(certificate.subject()), certificate] {
        assert_eq!(device.get_cert(serial, signer).ask(&server.address()), Answer::Issued(issued.clone()));
    }
    let stranger = Device::new(&server.data(), keys::rsa(keys::STRANGER_PEM));
    let signer = stranger.self_signed(issued[0].subject());
    let theirs = stranger.get_cert(serial, signer).ask(&server.address());
    let signer = device.self_signed(issued[0].subject());
    let nobodys = device.get_cert("0102030405".parse().unwrap(), signer).ask(&server.address());
    assert_eq!(theirs, nobodys, "one cannot tell which numbers there are");
    assert!(matches!(theirs, Answer::Refused(FailInfo::BadCertId, _)));
}

#[test]
fn what_runs_out_and_was_not_replaced_is_listed() {
    let server = Server::start_with(&[("SCEP_SERVER__PROFILE", "[{ validity_days = 10 }]")]);
    let device = device(&server);
    for (name, transaction) in [("laptop-2", "one"), ("laptop-2", "two"), ("demo-laptop", "three")] {
        let request = device.request(name, &server.challenge(name), transaction);
        assert!(matches!(request.ask(&server.address()), Answer::Issued(_)));
    }
    let lines = |arguments: &[&str]| server.succeed(arguments).lines().count() - 1;
    assert_eq!(lines(&["cert", "list", "--expires-within", "30d"]), 3);
    assert_eq!(lines(&["cert", "list", "--expires-within", "30d", "--unreplaced"]), 2);
    assert_eq!(lines(&["cert", "list", "--expires-within", "9d"]), 0);
}

#[test]
fn what_never_came_to_be_a_request_is_on_record_too() {
    let profile = [("SCEP_SERVER__PROFILE", "[{ renewal = 'off' }]")];
    let server = Server::start_with(&profile);
    let device = device(&server);
    let request = device.request("laptop-2", "no challenge", "forged");
    let mut forged = request.message().to_vec();
    *forged.last_mut().unwrap() ^= 1;
    let (_, body) = device::post(device::connect(&server.address()).unwrap(), &forged).unwrap();
    assert!(matches!(request.read_all(&body), Answer::Refused(FailInfo::BadMessageCheck, _)));
    let csr = device.csr("laptop-2", "");
    let signer = device.self_signed(csr.subject());
    let renewal = device.message(&scep_proto::RequestMessage::RenewalReq(csr), signer, "renewal");
    assert!(matches!(renewal.ask(&server.address()), Answer::Refused(FailInfo::BadRequest, _)));
    let told = eventually(|| server.succeed(&["refusals"]), |told| told.contains("renewal-not-offered"));
    for line in ["signature-mismatch", "renewal-not-offered", "forged  CN=laptop-2", "127.0.0.1"] {
        assert!(told.contains(line), "{line}: {told}");
    }
    // The latest comes first.
    assert!(told.find("renewal-not-offered") < told.find("signature-mismatch"), "{told}");
}
