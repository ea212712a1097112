//! Devices that Intune manages: it decides, hears what became of it, and has certificates revoked.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use std::path::PathBuf;

use emulators::{Action, ChallengeTerms, Emulators, Fault, Faulty, Kind, Options, Service};
use pki_core::{Certificate, SerialNumber};
use serde_json::{Value, json};
use support::{
    Server, attempt,
    device::{Answer, Device, Prepared, connect, get, post, post_to},
    eventually, openssl_ocsp, run, scep_client,
};
use testkit::keys;
use tokio::runtime::Runtime;

const TENANT: &str = "1.2.840.113556.5.14";
const DEVICE: &str = "1.2.840.113556.1.5.284.2";

/// A tenant, and a server that asks its Intune and its Graph.
struct World {
    emulators: Emulators,
    secret: tempfile::NamedTempFile,
    _runtime: Runtime,
}

impl World {
    fn new() -> Self {
        let runtime = Runtime::new().unwrap();
        let emulators = runtime.block_on(Emulators::start(Options::default())).unwrap();
        let secret = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(secret.path(), &emulators.credentials().client_secret).unwrap();
        Self { emulators, secret, _runtime: runtime }
    }

    /// With more variables.
    fn variables(&self, more: &[(&'static str, &'static str)]) -> Vec<(&'static str, String)> {
        let known = self.emulators.credentials();
        let (graph, secret) = (self.emulators.graph(), self.secret.path().to_str().unwrap());
        let mut variables = vec![
            ("SCEP_SERVER__INTUNE__0__TENANT", known.tenant.clone()),
            ("SCEP_SERVER__INTUNE__0__CLIENT_ID", known.client_id.clone()),
            ("SCEP_SERVER__INTUNE__0__SECRET", secret.to_owned()),
            ("SCEP_SERVER__INTUNE__0__LOGIN_URL", self.emulators.entra().to_owned()),
            ("SCEP_SERVER__INTUNE__0__GRAPH_URL", graph.to_owned()),
            ("SCEP_SERVER__PROFILE__0__CHALLENGE", "intune".into()),
            ("SCEP_SERVER__PROFILE__0__NAMES", "validated".into()),
            ("SCEP_SERVER__PROFILE__0__RENEWAL", "off".into()),
        ];
        variables.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        variables
    }

    /// The same, where devices are looked up in Entra and Intune.
    fn with_directory(&self, more: &[(&'static str, &'static str)]) -> Vec<(&'static str, String)> {
        let known = self.emulators.credentials();
        let mut variables = self.variables(&[]);
        variables.extend([
            ("SCEP_SERVER__DIRECTORY__SERVICE__0__KIND", "entra".into()),
            ("SCEP_SERVER__DIRECTORY__SERVICE__0__URL", self.emulators.graph().to_owned()),
            ("SCEP_SERVER__DIRECTORY__SERVICE__0__CLIENT_ID", known.client_id.clone()),
            ("SCEP_SERVER__DIRECTORY__SERVICE__0__SECRET", self.secret.path().to_str().unwrap().into()),
            ("SCEP_SERVER__DIRECTORY__SERVICE__0__FRESH_SECONDS", "0".into()),
            ("SCEP_SERVER__DIRECTORY__SERVICE__0__ENTRA__TENANT", known.tenant.clone()),
            ("SCEP_SERVER__DIRECTORY__SERVICE__0__ENTRA__LOGIN_URL", self.emulators.entra().to_owned()),
            ("SCEP_SERVER__DIRECTORY__SERVICE__0__ENTRA__DEVICES", "both".into()),
        ]);
        variables.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        variables
    }

    /// Where nobody is asked about devices but Intune.
    fn without_directory(&self, more: &[(&'static str, &'static str)]) -> Vec<(&'static str, String)> {
        let unchecked = ("SCEP_SERVER__DIRECTORY__UNCHECKED", "[\"intune-device\"]");
        self.variables(&[&[unchecked], more].concat())
    }

    /// An Intune device and a challenge for its id as common name.
    fn device(&self, number: usize) -> (String, String) {
        let device = self.emulators.ids(Kind::IntuneDevice).swap_remove(number);
        let terms = ChallengeTerms { device: device.clone(), ..ChallengeTerms::default() };
        (device, self.emulators.challenge(terms).unwrap())
    }

    /// What Intune was told, of that kind.
    fn told(&self, kind: &str) -> Vec<Value> {
        let all = self.emulators.notifications().into_iter();
        all.filter(|one| one["kind"] == kind).map(|one| one["notification"].clone()).collect()
    }

    fn fault(&self, fault: Fault, path: &str) {
        let faulty = Faulty { fault, path: Some(path.into()), times: None };
        self.emulators.set_fault(Service::Intune, faulty);
    }

    /// Asks the control interface.
    fn control(&self, method: &str, body: &Value) -> Value {
        let address = self.emulators.control().strip_prefix("http://").unwrap();
        let target = "/revocation-requests";
        let (status, body) = if method == "GET" {
            let (status, _, body) = get(address, target);
            (status, body)
        } else {
            post_json(address, target, body)
        };
        assert!((200..300).contains(&status), "{}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).unwrap_or_default()
    }
}

fn post_json(address: &str, target: &str, body: &Value) -> (u16, Vec<u8>) {
    post_to(connect(address).unwrap(), target, body.to_string().as_bytes()).unwrap()
}

fn start(variables: &[(&'static str, String)]) -> Server {
    Server::start_with(&borrowed(variables))
}

fn borrowed<'a>(variables: &'a [(&'static str, String)]) -> Vec<(&'a str, &'a str)> {
    variables.iter().map(|(name, value)| (*name, &**value)).collect()
}

/// What the client says that enrolls as `subject`, and its certificate's file.
fn enroll(server: &Server, subject: &str, challenge: &str) -> (bool, String, PathBuf) {
    let [key, certificate] = ["key", "pem"].map(|ending| server.folder().join(format!("{subject}.{ending}")));
    let arguments = [
        "enroll",
        server.url("SCEP URL"),
        "--ca-fingerprint",
        server.fingerprint(),
        "--challenge",
        challenge,
        "--subject",
        &format!("CN={subject}"),
        "--key-out",
        key.to_str().unwrap(),
        "--cert-out",
        certificate.to_str().unwrap(),
    ];
    let (success, text) = attempt(server.folder(), scep_client().to_str().unwrap(), &arguments);
    (success, text, certificate)
}

fn serial_of(certificate: &PathBuf) -> SerialNumber {
    let pem = std::fs::read_to_string(certificate).unwrap();
    Certificate::from_pem(&pem).unwrap().serial_number().unwrap()
}

/// A message that can be sent again and again.
fn request(server: &Server, device: &str, challenge: &str) -> Prepared {
    let owner = Device::new(&server.data(), keys::rsa(keys::DEVICE_PEM));
    owner.request(device, challenge, "transaction-1")
}

/// The status of the answer to it.
fn status(server: &Server, request: &Prepared) -> u16 {
    post(connect(&server.address()).unwrap(), request.message()).unwrap().0
}

#[test]
fn a_device_enrolls_and_its_certificate_follows_it_until_it_is_wiped() {
    let world = World::new();
    let server = start(&world.with_directory(&[("SCEP_SERVER__PROFILE__0__MICROSOFT_EXTENSIONS", "true")]));
    let (device, challenge) = world.device(0);
    let (success, text, certificate) = enroll(&server, &device, &challenge);
    assert!(success, "{text}");
    let told = world.told("success");
    assert_eq!(told.len(), 1, "Intune has heard of it before the device has");
    assert_eq!(told[0]["certificateSerialNumber"], json!(serial_of(&certificate).to_string()));
    let show = ["x509", "-noout", "-text", "-in", certificate.to_str().unwrap()];
    let text = run(server.folder(), "openssl", &show);
    assert!(text.contains(TENANT) && text.contains(DEVICE), "{text}");
    let ask = || openssl_ocsp(&server, &certificate, &[]);
    let answer = ask();
    assert!(answer.contains("Response verify OK") && answer.contains(": good"), "{answer}");
    world.emulators.act(Kind::IntuneDevice, &device, &Action::Wipe).unwrap();
    let answer = eventually(ask, |answer| answer.contains(": revoked"));
    assert!(answer.contains(": revoked") && !answer.contains("certificateHold"), "{answer}");
}

#[test]
fn what_intune_does_not_allow_is_not_issued() {
    let world = World::new();
    let server = start(&world.with_directory(&[]));
    let (device, challenge) = world.device(0);
    let other = world.emulators.ids(Kind::IntuneDevice).swap_remove(1);
    let (success, text, _) = enroll(&server, &other, &challenge);
    assert!(!success && text.contains("SubjectNameMismatch"), "{text}");
    let (success, text, _) = enroll(&server, &device, "bm90IG9uZSBvZiBpdHM=");
    assert!(!success && text.contains("ChallengeDecryptionError"), "{text}");
    world.fault(Fault::Code("SomethingNew".into()), "validateRequest");
    let request = request(&server, &device, &challenge);
    assert_eq!(status(&server, &request), 503, "a code that is not known is no yes");
    let refusals = server.succeed(&["refusals"]);
    for code in ["challenge-rejected", "authority-unavailable"] {
        assert!(refusals.contains(code), "{refusals}");
    }
    assert!(server.succeed(&["cert", "list"]).lines().count() <= 1);
}

#[test]
fn row_45_a_notice_survives_a_kill_between_issuance_and_delivery() {
    let world = World::new();
    let variables = world.without_directory(&[("SCEP_SERVER__INTUNE__0__WAIT_SECONDS", "1")]);
    let server = start(&variables);
    let (device, challenge) = world.device(0);
    let request = request(&server, &device, &challenge);
    world.fault(Fault::Status(503), "successNotification");
    assert_eq!(status(&server, &request), 503, "nothing is handed out that Intune has not heard of");
    let listed = server.succeed(&["cert", "list"]);
    assert!(listed.contains(&device), "it is issued: {listed}");
    assert!(world.told("success").is_empty());
    let server = server.kill_and_restart_with(&borrowed(&variables));
    assert_eq!(status(&server, &request), 503);
    world.emulators.clear_faults(Service::Intune);
    let told = eventually(|| world.told("success").len().to_string(), |told| told != "0");
    assert_ne!(told, "0", "after a restart the notice is delivered");
    let Answer::Issued(issued) = request.ask(&server.address()) else { panic!("expected a certificate") };
    let serial = issued[0].serial_number().unwrap().to_string();
    assert!(listed.contains(&serial), "the one on record: {serial} in {listed}");
    assert!(world.told("success").iter().all(|told| told["certificateSerialNumber"] == json!(serial)));
    let validated = world.emulators.requests();
    let validated = validated.iter().filter(|asked| asked.target.ends_with("validateRequest"));
    assert_eq!(validated.count(), 1, "a repeat needs no second word of Intune's");
    let (_, _, metrics) = get(&server.address(), "/metrics");
    let metrics = String::from_utf8(metrics).unwrap();
    assert!(metrics.contains("certbound_notices_waiting 0"), "{metrics}");
    assert!(
        metrics.contains(r#"certbound_notices_total{kind="intune/intune",outcome="delivered"} 1"#),
        "{metrics}"
    );
}

#[test]
fn a_certificate_that_intune_does_not_want_to_hear_of_is_not_handed_out() {
    let world = World::new();
    let server = start(&world.without_directory(&[]));
    let (device, challenge) = world.device(0);
    let request = request(&server, &device, &challenge);
    world.fault(Fault::Code("ChallengeExpired".into()), "successNotification");
    for _ in 0..2 {
        let Answer::Refused(_, text) = request.ask(&server.address()) else { panic!("expected a refusal") };
        assert!(text.contains("does not want to hear of it"), "{text}");
    }
}

#[test]
fn row_45_without_waiting_the_certificate_comes_at_once_and_the_notice_after_it() {
    let world = World::new();
    let server = start(&world.without_directory(&[("SCEP_SERVER__INTUNE__0__WAIT_SECONDS", "0")]));
    let (device, challenge) = world.device(0);
    world.fault(Fault::Status(500), "successNotification");
    let (success, text, certificate) = enroll(&server, &device, &challenge);
    assert!(success, "{text}");
    assert!(world.told("success").is_empty());
    world.emulators.clear_faults(Service::Intune);
    let told = eventually(|| world.told("success").len().to_string(), |told| told != "0");
    assert_eq!(told, "1");
    let answer = openssl_ocsp(&server, &certificate, &[]);
    assert!(answer.contains(": good"), "without a directory Intune's word suffices: {answer}");
}

#[test]
fn without_a_ledger_intune_hears_of_each_certificate_before_it_is_handed_out() {
    let world = World::new();
    let server = start(&world.without_directory(&[
        ("SCEP_SERVER__LEDGER", "none"),
        ("SCEP_SERVER__BASE_URL", "http://ca.example.com"),
        ("SCEP_SERVER__CRL__ENABLED", "false"),
        ("SCEP_SERVER__INTUNE__0__REVOCATION_MINUTES", "0"),
        ("SCEP_SERVER__INTUNE__0__WAIT_SECONDS", "5"),
    ]));
    let (device, challenge) = world.device(0);
    let request = request(&server, &device, &challenge);
    world.fault(Fault::Status(503), "successNotification");
    assert_eq!(status(&server, &request), 503);
    world.emulators.clear_faults(Service::Intune);
    let Answer::Issued(first) = request.ask(&server.address()) else { panic!("expected a certificate") };
    let Answer::Issued(second) = request.ask(&server.address()) else { panic!("expected a certificate") };
    assert_eq!(first[0], second[0], "a repeat is the same");
    let serial = json!(first[0].serial_number().unwrap().to_string());
    let told = world.told("success");
    assert!(told.len() == 2 && told.iter().all(|told| told["certificateSerialNumber"] == serial), "{told:?}");
}

#[test]
fn what_is_refused_here_intune_is_told() {
    let world = World::new();
    let agreeing = ("SCEP_SERVER__DIRECTORY__SERVICE__0__ENTRA__DEVICES", "agreeing");
    let server = start(&world.with_directory(&[agreeing]));
    let (device, challenge) = world.device(0);
    let shown = world.emulators.object(Kind::IntuneDevice, &device).unwrap();
    let other = shown["azureADDeviceId"].as_str().unwrap();
    world.emulators.act(Kind::EntraDevice, other, &Action::Disable).unwrap();
    let request = request(&server, &device, &challenge);
    let Answer::Refused(_, text) = request.ask(&server.address()) else { panic!("expected a refusal") };
    assert!(text.contains("disabled"), "Intune has it, and Entra has it disabled: {text}");
    let told = eventually(|| world.told("failure").len().to_string(), |told| told != "0");
    assert_eq!(told, "1");
    let told = &world.told("failure")[0];
    assert_eq!(told["hResult"], json!(0x8007_0005_u32));
    assert_eq!(told["transactionId"], json!("transaction-1"));
}

#[test]
fn intune_has_certificates_revoked_and_hears_that_they_are() {
    let world = World::new();
    let variables = world.without_directory(&[]);
    let server = start(&variables);
    let (device, challenge) = world.device(0);
    let (success, text, certificate) = enroll(&server, &device, &challenge);
    assert!(success, "{text}");
    let told = world.told("success").swap_remove(0);
    let wanted = |serial: &Value| {
        let body = json!({
            "serialNumber": serial,
            "issuerName": told["certificateAuthority"],
            "caConfiguration": told["caConfiguration"],
        });
        world.control("POST", &body)
    };
    wanted(&told["certificateSerialNumber"]);
    wanted(&json!("0A0B0C"));
    wanted(&json!("no serial"));
    // It asks when it starts, and again each hour.
    let server = server.kill_and_restart_with(&borrowed(&variables));
    let ask = || openssl_ocsp(&server, &certificate, &[]);
    let answer = eventually(ask, |answer| answer.contains(": revoked"));
    assert!(answer.contains("Reason: cessationOfOperation"), "{answer}");
    let results = eventually(
        || world.control("GET", &Value::Null).to_string(),
        |shown| !shown.contains(r#""result":null"#),
    );
    for code in [r#""errorCode":"None""#, "CertificateNotFoundError", "ParameterDataInvalidError"] {
        assert!(results.contains(code), "{results}");
    }
    let history = server.succeed(&["cert", "show", &serial_of(&certificate).to_string()]);
    assert!(history.contains("Intune"), "{history}");
}

#[test]
fn mistakes_in_the_configuration_are_told_at_the_start() {
    let world = World::new();
    for (name, value, expected) in [
        ("SCEP_SERVER__PROFILE__0__INTUNE", "fabrikam", "there is no [[intune]] of the name \"fabrikam\""),
        ("SCEP_SERVER__PROFILE__0__APPROVAL", "manual", "takes no approval"),
        ("SCEP_SERVER__PROFILE__0__SUBJECT_SUFFIX", "O=Example", "leave out subject"),
        ("SCEP_SERVER__PROFILE__0__CHALLENGE", "one-time", "needs challenge = \"intune\""),
        ("SCEP_SERVER__DIRECTORY__UNCHECKED", "[\"phone\"]", "directory.unchecked"),
        ("SCEP_SERVER__INTUNE__0__CLIENT_ID", "", "expected entra.tenant and client_id"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let variables = world.without_directory(&[(name, value)]);
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_scep-server"))
            .args(["--listen", "127.0.0.1:0", "--data", folder.path().join("data").to_str().unwrap()])
            .envs(borrowed(&variables))
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && text.contains(expected), "{name}: {text}");
    }
}
