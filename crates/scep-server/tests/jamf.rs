//! Jamf Pro asks for challenges by its webhook, its devices enroll with them, and certificates end with what they are
//! bound to.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests"
)]

#[path = "support/flows.rs"]
mod flows;
mod support;

use flows::{Page, Told, fetch};
use support::{Server, eventually, openssl_ocsp};
use testkit::PagedService;

const NOT_FOUND: &str =
    r#"{"httpStatus":404,"errors":[{"code":"INVALID_ID","description":"none","id":"0"}]}"#;
const COMPUTER: &str = "/api/v1/computers-inventory/17?section=GENERAL&section=USER_AND_LOCATION";
const IPAD: &str = "/api/v2/mobile-devices/9/detail";
const ADA: &str = "/api/v1/users/4";
const SECRET: &str = "a challenge for everybody";

/// A Jamf Pro with a computer, a mobile device, and a user of both.
fn jamf() -> PagedService {
    let service = PagedService::start(NOT_FOUND, Some("Bearer t0ken".into()));
    service.page(COMPUTER, 200, r#"{"id":"17","udid":"55900BDC","general":{"name":"Boalime"}}"#);
    service.page(IPAD, 200, r#"{"id":"9","name":"iPad","udid":"0dad"}"#);
    service.page(ADA, 200, r#"{"id":4,"username":"ada","email":"ada@example.com"}"#);
    let by_email = "/JSSResource/users/email/ada%40example.com";
    service.page(by_email, 200, r#"{"users":[{"id":4,"name":"ada"}]}"#);
    service
}

/// A server that asks it, each time anew.
fn server(jamf: &PagedService, more: &[(&str, &str)]) -> Server {
    let secrets = tempfile::tempdir().unwrap().keep();
    let [token, challenge] = ["token", "challenge"].map(|name| secrets.join(name));
    for (path, text) in [(&token, "t0ken"), (&challenge, SECRET)] {
        std::fs::write(path, text).unwrap();
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    }
    let common = [
        ("SCEP_SERVER__DIRECTORY__SERVICE__0__KIND", "jamf"),
        ("SCEP_SERVER__DIRECTORY__SERVICE__0__URL", &*jamf.url),
        ("SCEP_SERVER__DIRECTORY__SERVICE__0__TOKEN", token.to_str().unwrap()),
        ("SCEP_SERVER__DIRECTORY__SERVICE__0__FRESH_SECONDS", "0"),
        ("SCEP_SERVER__DIRECTORY__SERVICE__0__MAX_STALE_SECONDS", "0"),
        ("SCEP_SERVER__PROFILE__0__IDENTIFY", "jamf-subject"),
        ("SCEP_SERVER__PROFILE__0__CHALLENGE_FILE", challenge.to_str().unwrap()),
    ];
    Server::start_with(&[&common, more].concat())
}

fn hooked(jamf: &PagedService) -> (Server, String) {
    let hook = [
        ("SCEP_SERVER__PROFILE__0__CHALLENGE", "sealed"),
        ("SCEP_SERVER__PROFILE__0__CHALLENGE_MINUTES", "5"),
        ("SCEP_SERVER__PROFILE__0__JAMF__HOOK", "/hooks/jamf"),
    ];
    let server = server(jamf, &hook);
    let login = format!("jamf:{}", server.succeed(&["user", "add", "jamf"]).trim());
    (server, login)
}

fn event(name: &str, event: &str) -> String {
    format!(
        r#"{{"webhook":{{"webhookEvent":"{name}","id":1,"eventTimestamp":1757435578,"name":""}},"event":{event}}}"#
    )
}

fn ask(server: &Server, login: &str, body: &str) -> Page {
    let json = ["--header", "Content-Type: application/json", "--data", body];
    fetch(server, "/hooks/jamf", &[&["--user", login][..], &json].concat())
}

const PAYLOAD: &str = r#"{"scepServerUrl":"http://x/scep","payloadIdentifier":"705C034C","payloadTypes":["com.apple.security.scep"]}"#;

#[test]
fn the_webhook_gives_a_challenge_that_enrolls_a_computer_once_until_jamf_deletes_it() {
    let jamf = jamf();
    let (server, login) = hooked(&jamf);
    let answer = ask(&server, &login, &event("SCEPChallenge", PAYLOAD));
    assert_eq!((answer.status, &*answer.media_type), (200, "text/plain; charset=utf-8"), "{}", answer.text);
    assert!(
        answer.text.starts_with("CBS1-") && answer.text.len() == 61,
        "the bare challenge: {:?}",
        answer.text
    );
    let told = |subject| Told { url: server.url("SCEP URL"), challenge: &answer.text, subject, more: &[] };
    let mac = flows::enrolled(&server, &told("CN=17,OU=computers"), "mac");
    let ipad = flows::refused(&server, &told("CN=9,OU=devices"), "ipad");
    assert!(ipad.contains("spent by another request"), "{ipad}");
    let ocsp = || openssl_ocsp(&server, &mac, &[]);
    assert!(ocsp().contains(": good"), "{}", ocsp());
    jamf.page(COMPUTER, 404, NOT_FOUND);
    let answer = eventually(ocsp, |answer| answer.contains(": revoked"));
    assert!(answer.contains(": revoked") && !answer.contains("certificateHold"), "{answer}");
}

#[test]
fn row_01_a_challenge_for_a_device_that_the_event_tells_is_none_for_another() {
    let jamf = jamf();
    let (server, login) = hooked(&jamf);
    let bound = |event_body: &str| ask(&server, &login, &event("SCEPChallenge", event_body));
    let challenge = bound(r#"{"jssID":"jamf-computer:17"}"#).text;
    assert_eq!(challenge.len(), 76, "it has an object: {challenge}");
    let told = |subject| Told { url: server.url("SCEP URL"), challenge: &challenge, subject, more: &[] };
    let other = flows::refused(&server, &told("CN=9,OU=devices"), "other");
    assert!(other.contains("is not one that the certificate may carry"), "{other}");
    assert_eq!(bound(r#"{"udid":"nobody"}"#).status, 422);
}

#[test]
fn the_webhook_answers_jamf_alone_and_that_event_alone() {
    let jamf = jamf();
    let (server, login) = hooked(&jamf);
    let right = event("SCEPChallenge", PAYLOAD);
    for (status, login, body) in [
        (401, "jamf:wrong", &*right),
        (422, &login, &event("ComputerAdded", "{}")),
        (400, &login, "{}"),
        (400, &login, "challenge, please"),
        (413, &login, &"x".repeat(70_000)),
        (200, &login, &event("SCEPChallenge", "{}")),
    ] {
        assert_eq!(ask(&server, login, body).status, status, "{}", &body[..body.len().min(80)]);
    }
    assert_eq!(fetch(&server, "/hooks/jamf", &["--user", &login]).status, 405);
}

#[test]
fn a_certificate_of_a_user_on_a_device_ends_with_either() {
    let jamf = jamf();
    let server = server(&jamf, &[("SCEP_SERVER__PROFILE__0__CHALLENGE", "static")]);
    let url = server.url("SCEP URL");
    let told = |subject, more| Told { url, challenge: SECRET, subject, more };
    let email = &["--san", "email:ada@example.com"];
    let on_mac = flows::enrolled(&server, &told("CN=17,OU=users-on-computers", email), "on-mac");
    let on_ipad = flows::enrolled(&server, &told("CN=9,OU=users-on-devices", email), "on-ipad");
    for (subject, more) in
        [("CN=17,OU=users-on-computers", &[][..]), ("CN=17", email), ("CN=18,OU=computers", &[])]
    {
        let refused = flows::refused(&server, &told(subject, more), "nobody");
        assert!(refused.contains("no such object"), "{subject}: {refused}");
    }
    let says = |certificate, what: &str| {
        let answer = eventually(|| openssl_ocsp(&server, certificate, &[]), |answer| answer.contains(what));
        assert!(answer.contains(what), "{answer}");
    };
    says(&on_mac, ": good");
    says(&on_ipad, ": good");
    jamf.page(COMPUTER, 404, NOT_FOUND);
    says(&on_mac, ": revoked");
    says(&on_ipad, ": good");
    jamf.page(ADA, 404, NOT_FOUND);
    says(&on_ipad, ": revoked");
}
