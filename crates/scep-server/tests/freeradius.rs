//! The network lets a device in as long as the directory does: FreeRADIUS, EAP-TLS and its OCSP check.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use std::path::Path;

use support::{
    Server, attempt,
    daemon::{Daemon, free_udp_port, self_signed},
    enroll, eventually,
};

const CONFIGURATION: &str = include_str!("support/radiusd.conf");

/// A FreeRADIUS that trusts the CA of `server`, and the port that it listens at.
fn start_radius(server: &Server) -> (Daemon, u16) {
    let folder = server.folder();
    self_signed(folder, "radius.example.com");
    let mut said = String::new();
    // Somebody else may take the port between the look and the start.
    for _ in 0..3 {
        let port = free_udp_port();
        let configuration = CONFIGURATION
            .replace("FOLDER", folder.to_str().unwrap())
            .replace("CA\n", &format!("{}\n", server.ca_pem().display()))
            .replace("PORT", &port.to_string());
        std::fs::write(folder.join("radiusd.conf"), configuration).unwrap();
        let arguments = ["-d", folder.to_str().unwrap(), "-fxx", "-l", "stdout"];
        match Daemon::start(folder, "freeradius", &arguments, "Ready to process requests") {
            Ok(radius) => return (radius, port),
            Err(log) => said = log,
        }
    }
    panic!("FreeRADIUS does not start:\n{said}");
}

/// How the network answers the device called `name`: `SUCCESS` or `FAILURE`, as its supplicant says it.
fn knock(server: &Server, port: u16, name: &str) -> String {
    let folder = server.folder();
    let file = |name: String| folder.join(name).display().to_string();
    let supplicant = format!(
        "network={{\nkey_mgmt=IEEE8021X\neap=TLS\nidentity=\"{name}\"\nca_cert=\"{}\"\nclient_cert=\"{}\"\nprivate_key=\"{}\"\n}}\n",
        file("radius.example.com.pem".into()),
        file(format!("{name}.pem")),
        file(format!("{name}.key")),
    );
    std::fs::write(folder.join("supplicant.conf"), supplicant).unwrap();
    let port = port.to_string();
    let arguments =
        ["-c", "supplicant.conf", "-a", "127.0.0.1", "-p", &port, "-s", "testing123", "-r0", "-t20"];
    let (_, text) = attempt(folder, "eapol_test", &arguments);
    text.lines().last().unwrap_or_default().to_owned()
}

fn assert_because(radius: &Daemon, words: &str) {
    let log = radius.log();
    assert!(log.contains(words), "not because of {words:?}:\n{log}");
}

// clause: RFC 6960 18
#[test]
fn a_device_is_on_the_network_while_the_directory_says_so() {
    let server = Server::start();
    enroll(&server, "laptop-2");
    let (radius, port) = start_radius(&server);
    let knock = || knock(&server, port, "laptop-2");

    assert_eq!(knock(), "SUCCESS", "{}", radius.log());
    assert_because(&radius, "ocsp: Cert status: good");

    server.set_state("laptop-2", "disabled");
    let answer = eventually(knock, |answer| answer == "FAILURE");
    assert_eq!(answer, "FAILURE", "{}", radius.log());
    assert_because(&radius, "ocsp: Cert status: revoked");
    assert_because(&radius, "ocsp: Reason: certificateHold");

    server.set_state("laptop-2", "enabled");
    let answer = eventually(knock, |answer| answer == "SUCCESS");
    assert_eq!(answer, "SUCCESS", "{}", radius.log());

    server.delete_object("laptop-2");
    let answer = eventually(knock, |answer| answer == "FAILURE");
    assert_eq!(answer, "FAILURE", "{}", radius.log());
}

#[test]
fn without_a_responder_nobody_gets_on_the_network() {
    let server = Server::start();
    enroll(&server, "laptop-2");
    let (radius, port) = start_radius(&server);
    assert_eq!(knock(&server, port, "laptop-2"), "SUCCESS", "{}", radius.log());
    // The responder stops where it stands: what the connection gets then is no answer.
    server.stop_where_it_stands();
    assert_eq!(knock(&server, port, "laptop-2"), "FAILURE", "{}", radius.log());
}

#[test]
fn the_configuration_in_the_readme_is_the_one_that_is_tested() {
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
    let readme = std::fs::read_to_string(readme).unwrap();
    let (_, shown) = readme.split_once("```text\ntls-config ").unwrap();
    let (shown, _) = shown.split_once("```").unwrap();
    let settings = shown.lines().skip(1).map(str::trim).filter(|line| !line.contains("_file"));
    for line in settings.filter(|line| !line.is_empty()) {
        assert!(CONFIGURATION.lines().any(|tested| tested.trim() == line), "{line}");
    }
}
