//! A certificate follows an object that lives in a service elsewhere.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use std::path::PathBuf;

use support::{Server, enroll_by, eventually, openssl_ocsp, run};
use testkit::{BASE, PagedService, Slapd};

const TOKEN: &str = "a token of the service";

/// For those who show the token.
fn service(not_found: &'static str, scheme: &str) -> PagedService {
    PagedService::start(not_found, Some(format!("{scheme} {TOKEN}")))
}

/// A server that asks `service`, as `kind`, each time anew.
fn server(service: &PagedService, kind: &str) -> Server {
    server_with(&[("KIND", kind), ("URL", &service.url), ("TOKEN", &secret(TOKEN))])
}

/// The path of a file that holds `text`.
fn secret(text: &str) -> String {
    let path = tempfile::tempdir().unwrap().keep().join("secret");
    std::fs::write(&path, text).unwrap();
    let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
    std::fs::set_permissions(&path, private).unwrap();
    path.to_str().unwrap().to_owned()
}

/// A server with those settings of one service, which it asks each time anew.
fn server_with(service: &[(&str, &str)]) -> Server {
    let anew = [("FRESH_SECONDS", "0"), ("MAX_STALE_SECONDS", "0")];
    let service = service.iter().chain(&anew);
    let service: Vec<_> = service
        .map(|(name, value)| (format!("SCEP_SERVER__DIRECTORY__SERVICE__0__{name}"), String::from(*value)))
        .collect();
    let challenge = secret("a challenge for everybody");
    let mut variables: Vec<(&str, &str)> = service.iter().map(|(name, value)| (&**name, &**value)).collect();
    variables.push(("SCEP_SERVER__PROFILE__0__CHALLENGE", "static"));
    variables.push(("SCEP_SERVER__PROFILE__0__CHALLENGE_FILE", &challenge));
    Server::start_with(&variables)
}

fn enroll(server: &Server, name: &str) -> PathBuf {
    enroll_by(server, name, "a challenge for everybody")
}

#[test]
fn a_user_of_okta_is_suspended_and_let_in_again_and_deprovisioned() {
    let service = service(r#"{"errorCode":"E0000007","errorSummary":"Not found"}"#, "SSWS");
    let user = |status: &str| {
        format!(
            r#"{{"id":"00ub0oNGTSWTBKOLGLNR","status":"{status}",
            "profile":{{"email":"isaac@example.com","login":"isaac@example.com"}}}}"#
        )
    };
    let becomes = |status: &str| service.page("/api/v1/users/00ub0oNGTSWTBKOLGLNR", 200, user(status));
    becomes("ACTIVE");
    for by in ["login", "email"] {
        let search = format!("/api/v1/users?search=profile.{by}%20eq%20%22isaac%40example.com%22");
        service.page(&search, 200, format!("[{}]", user("ACTIVE")));
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
    let service = service(NOT_FOUND, "Bearer");
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

#[test]
fn an_entry_of_an_ldap_directory_is_locked_and_let_in_again_and_deleted() {
    let mut slapd = Slapd::start();
    let trusted_cas = slapd.trusted_cas();
    let server = server_with(&[
        ("KIND", "ldap"),
        ("URL", &slapd.url()),
        ("TRUSTED_CAS", trusted_cas.to_str().unwrap()),
        ("CANARY", "ldap-entry:00000000-0000-4000-8000-000000000001"),
        ("LDAP__PROTECTION", "required"),
        ("LDAP__BASE", BASE),
        ("LDAP__BIND_DN", &format!("cn=reader,{BASE}")),
        ("LDAP__PASSWORD", &secret("a password of the reader\n")),
        ("LDAP__DISABLED", "(departmentNumber=0)"),
        ("LDAP__POLL_SECONDS", "1"),
        ("LDAP__FOLLOWED_SECONDS", "2"),
    ]);
    let certificate = enroll(&server, "ada");
    let ask = || openssl_ocsp(&server, &certificate, &[]);
    let becomes = |said: &str| {
        let answer = eventually(ask, |answer| answer.contains(said));
        assert!(answer.contains(said), "expected {said}: {answer}");
        answer
    };
    becomes(": good");
    let ada = "dn: uid=ada,ou=people,dc=example,dc=com\nchangetype:";
    let lock = "modify\nadd: pwdAccountLockedTime\npwdAccountLockedTime: 000001010000Z\n";
    let unlock = "modify\ndelete: pwdAccountLockedTime\n";
    for (worse, better) in [
        (lock, unlock),
        ("modify\nreplace: departmentNumber\ndepartmentNumber: 0\n", "modify\ndelete: departmentNumber\n"),
    ] {
        slapd.modify(&format!("{ada} {worse}"));
        becomes("Reason: certificateHold");
        slapd.modify(&format!("{ada} {better}"));
        becomes(": good");
    }
    slapd.kill();
    becomes("trylater");
    slapd.restart();
    becomes(": good");
    slapd.modify(&format!("{ada} delete\n"));
    let answer = becomes(": revoked");
    assert!(!answer.contains("certificateHold"), "{answer}");
}

#[test]
fn an_operator_confirms_what_a_directory_takes_away() {
    let slapd = Slapd::start();
    let server = server_with(&[
        ("KIND", "ldap"),
        ("NAME", "the people"),
        ("URL", &slapd.url()),
        ("CANARY", "ldap-entry:00000000-0000-4000-8000-000000000001"),
        ("MASS_CHANGES", "1"),
        ("LDAP__BASE", BASE),
        ("LDAP__BIND_DN", &format!("cn=reader,{BASE}")),
        ("LDAP__PASSWORD", &secret("a password of the reader")),
    ]);
    let certificate = enroll(&server, "ada");
    let ask = || openssl_ocsp(&server, &certificate, &[]);
    let becomes = |said: &str| {
        let answer = eventually(ask, |answer| answer.contains(said));
        assert!(answer.contains(said), "expected {said}: {answer}");
        answer
    };
    becomes(": good");
    slapd.modify("dn: uid=ada,ou=people,dc=example,dc=com\nchangetype: delete\n");
    becomes("trylater");
    let metrics =
        || run(server.folder(), "curl", &["--silent", &format!("http://{}/metrics", server.address())]);
    let shows = |line: &str| {
        let shown = metrics();
        assert!(shown.lines().any(|shown| shown == line), "expected {line}: {shown}");
    };
    shows(r#"certbound_directory_disbelieved{directory="the people"} 1"#);
    shows(r#"certbound_directory_answers_total{directory="the people",object="missing"} 0"#);
    let held_back = r#"certbound_directory_held_back_total{directory="the people"} "#;
    assert!(metrics().lines().any(|line| line.starts_with(held_back) && !line.ends_with(" 0")));
    server.succeed(&["directory", "confirm", "--for", "10m", "--directory", "somebody else"]);
    assert!(ask().contains("trylater"));
    let said = server.succeed(&["directory", "confirm", "--for", "10m", "--directory", "the people"]);
    assert!(said.contains("believed until"), "{said}");
    let answer = becomes(": revoked");
    assert!(!answer.contains("certificateHold"), "{answer}");
    shows(r#"certbound_directory_disbelieved{directory="the people"} 0"#);
}
