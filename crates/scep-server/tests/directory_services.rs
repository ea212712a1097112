//! A certificate follows an object that lives in a service elsewhere.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Write as _},
    net::{TcpListener, TcpStream},
    path::PathBuf,
    sync::{Arc, Mutex},
};

use support::{Server, eventually, openssl_ocsp, run, scep_client};

/// Pages by target, each with its status; for those who show the token.
type Pages = Arc<Mutex<HashMap<String, (u16, String)>>>;

const TOKEN: &str = "a token of the service";

/// A service in a thread of its own.
struct Service {
    url: String,
    pages: Pages,
}

impl Service {
    fn start(not_found: &'static str, scheme: &'static str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let pages = Pages::default();
        let shown = Arc::clone(&pages);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(&stream.unwrap(), &shown, not_found, scheme);
            }
        });
        Self { url, pages }
    }

    fn page(&self, target: &str, status: u16, body: &str) {
        self.pages.lock().unwrap().insert(target.to_owned(), (status, body.to_owned()));
    }
}

fn answer(mut stream: &TcpStream, pages: &Pages, not_found: &str, scheme: &str) {
    let mut lines = BufReader::new(stream).lines().map(Result::unwrap_or_default);
    let request = lines.next().unwrap_or_default();
    let target = request.split(' ').nth(1).unwrap_or_default().to_owned();
    let head: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    let is_known = head.iter().any(|line| *line == format!("authorization: {scheme} {TOKEN}"));
    let page = pages.lock().unwrap().get(&target).cloned();
    let (status, body) = match page {
        _ if !is_known => (401, String::from("{}")),
        Some(page) => page,
        None => (404, not_found.to_owned()),
    };
    let _ = write!(
        stream,
        "HTTP/1.1 {status} X\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
}

/// A server that asks `service`, as `kind`, each time anew.
fn server(service: &Service, kind: &str) -> Server {
    let secrets = tempfile::tempdir().unwrap().keep();
    let [token, challenge] = ["token", "challenge"].map(|name| secrets.join(name));
    for (path, text) in [(&token, TOKEN), (&challenge, "a challenge for everybody")] {
        std::fs::write(path, text).unwrap();
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(path, private).unwrap();
    }
    Server::start_with(&[
        ("SCEP_SERVER__DIRECTORY__SERVICE__0__KIND", kind),
        ("SCEP_SERVER__DIRECTORY__SERVICE__0__URL", &service.url),
        ("SCEP_SERVER__DIRECTORY__SERVICE__0__TOKEN", token.to_str().unwrap()),
        ("SCEP_SERVER__DIRECTORY__SERVICE__0__FRESH_SECONDS", "0"),
        ("SCEP_SERVER__DIRECTORY__SERVICE__0__MAX_STALE_SECONDS", "0"),
        ("SCEP_SERVER__PROFILE__0__CHALLENGE", "static"),
        ("SCEP_SERVER__PROFILE__0__CHALLENGE_FILE", challenge.to_str().unwrap()),
    ])
}

fn enroll(server: &Server, name: &str) -> PathBuf {
    let [key, certificate] = ["key", "pem"].map(|ending| server.folder().join(format!("{name}.{ending}")));
    let arguments = [
        "enroll",
        server.url("SCEP URL"),
        "--ca-fingerprint",
        server.fingerprint(),
        "--challenge",
        "a challenge for everybody",
        "--subject",
        &format!("CN={name}"),
        "--key-out",
        key.to_str().unwrap(),
        "--cert-out",
        certificate.to_str().unwrap(),
    ];
    run(server.folder(), scep_client().to_str().unwrap(), &arguments);
    certificate
}

#[test]
fn a_user_of_okta_is_suspended_and_let_in_again_and_deprovisioned() {
    let service = Service::start(r#"{"errorCode":"E0000007","errorSummary":"Not found"}"#, "SSWS");
    let user = |status: &str| {
        format!(
            r#"{{"id":"00ub0oNGTSWTBKOLGLNR","status":"{status}",
            "profile":{{"email":"isaac@example.com","login":"isaac@example.com"}}}}"#
        )
    };
    let becomes = |status: &str| service.page("/api/v1/users/00ub0oNGTSWTBKOLGLNR", 200, &user(status));
    becomes("ACTIVE");
    for by in ["login", "email"] {
        let search = format!("/api/v1/users?search=profile.{by}%20eq%20%22isaac%40example.com%22");
        service.page(&search, 200, &format!("[{}]", user("ACTIVE")));
    }
    let server = server(&service, "okta");
    let certificate = enroll(&server, "isaac@example.com");
    let ask = || openssl_ocsp(&server, &certificate, &[]);
    let answer = ask();
    assert!(answer.contains("Response verify OK") && answer.contains(": good"), "{answer}");
    becomes("SUSPENDED");
    let answer = eventually(ask, |answer| answer.contains(": revoked"));
    assert!(answer.contains("Reason: certificateHold"), "{answer}");
    becomes("ACTIVE");
    let answer = eventually(ask, |answer| answer.contains(": good"));
    assert!(answer.contains(": good"), "{answer}");
    service.page("/api/v1/users/00ub0oNGTSWTBKOLGLNR", 500, "");
    let answer = eventually(ask, |answer| answer.contains("trylater"));
    assert!(answer.contains("trylater"), "an outage is neither good nor revoked: {answer}");
    becomes("DEPROVISIONED");
    let answer = eventually(ask, |answer| answer.contains(": revoked"));
    assert!(answer.contains(": revoked") && !answer.contains("certificateHold"), "{answer}");
    becomes("ACTIVE");
    let answer = ask();
    assert!(answer.contains(": revoked") && !answer.contains("certificateHold"), "for ever: {answer}");
}

#[test]
fn a_computer_of_jamf_is_deleted_and_devices_of_the_file_live_beside_it() {
    const NOT_FOUND: &str =
        r#"{"httpStatus":404,"errors":[{"code":"INVALID_ID","description":"none","id":"0"}]}"#;
    let service = Service::start(NOT_FOUND, "Bearer");
    let computer = "/api/v1/computers-inventory/17?section=GENERAL&section=USER_AND_LOCATION";
    service.page(
        computer,
        200,
        r#"{"id":"17","general":{"name":"Boalime","remoteManagement":{"managed":true}}}"#,
    );
    let server = server(&service, "jamf");
    let [mac, laptop] = ["17", "demo-laptop"].map(|name| enroll(&server, name));
    let ask = || openssl_ocsp(&server, &mac, &[]);
    assert!(ask().contains(": good"), "{}", ask());
    assert!(openssl_ocsp(&server, &laptop, &[]).contains(": good"));
    service.page(computer, 404, "<html>some proxy</html>");
    let answer = eventually(ask, |answer| answer.contains("trylater"));
    assert!(answer.contains("trylater"), "a proxy's page deletes nobody: {answer}");
    service.page(computer, 404, NOT_FOUND);
    let answer = eventually(ask, |answer| answer.contains(": revoked"));
    assert!(answer.contains(": revoked") && !answer.contains("certificateHold"), "{answer}");
    assert!(openssl_ocsp(&server, &laptop, &[]).contains(": good"));
}
