//! Certificates follow devices of Entra and Intune and users of Entra.
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
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use emulators::{Action, Emulators, Kind, Options};
use support::{Server, enroll_by, eventually, openssl_ocsp};
use testkit::ScriptedService;

const TENANT: &str = "b54dc1af-5320-4f60-b5d4-821e0cf2a359";
const LAPTOP: &str = "6fa60d52-01e7-4b18-8055-4759461fc16b";
const PHONE: &str = "705c034c-034c-705c-4c03-5c704c035c70";
const ADA: &str = "87d349ed-44d7-43e1-9a83-5f2406dee5bd";
const CANARY: &str = "11111111-1111-4111-8111-111111111111";
const SECRET: &str = "a secret of the app";
const CHALLENGE: &str = "a challenge for everybody";

/// Status and body by path, without the query.
type Pages = Arc<Mutex<HashMap<String, (u16, String)>>>;

/// Entra's token endpoint and Graph in one.
struct Cloud {
    service: ScriptedService,
    pages: Pages,
    /// What everybody gets instead of an answer.
    trouble: Arc<Mutex<Option<(u16, &'static str)>>>,
}

const NOT_FOUND: &str = r#"{"error":{"code":"Request_ResourceNotFound","message":"it does not exist"}}"#;

impl Cloud {
    fn start() -> Self {
        let (pages, trouble) = (Pages::default(), Arc::<Mutex<Option<(u16, &str)>>>::default());
        let (shown, ailing) = (Arc::clone(&pages), Arc::clone(&trouble));
        let service = ScriptedService::start(move |asked| {
            let (path, query) = asked.target.split_once('?').unwrap_or((&asked.target, ""));
            if path == format!("/{TENANT}/oauth2/v2.0/token") {
                let is_right = asked.body.contains("client_secret=a+secret+of+the+app")
                    && asked.body.contains("grant_type=client_credentials")
                    && asked.body.contains("%2F.default");
                assert!(is_right, "{}", asked.body);
                let body = r#"{"token_type":"Bearer","expires_in":3599,"access_token":"t0ken"}"#;
                return (200, vec![], body.into());
            }
            if asked.authorization.as_deref() != Some("Bearer t0ken") {
                return (401, vec![], r#"{"error":{"code":"InvalidAuthenticationToken"}}"#.into());
            }
            assert!(query.contains("$select="), "{}", asked.target);
            let page = ailing.lock().unwrap().map(|(status, body)| (status, body.to_owned()));
            let page = page.or_else(|| shown.lock().unwrap().get(path).cloned());
            let (status, body) = page.unwrap_or_else(|| (404, NOT_FOUND.into()));
            (status, vec![], body)
        });
        let cloud = Self { service, pages, trouble };
        cloud.user(CANARY, true);
        cloud
    }

    fn page(&self, path: String, body: String) {
        self.pages.lock().unwrap().insert(path, (200, body));
    }

    fn user(&self, id: &str, enabled: bool) {
        let upn = format!("{}@example.com", if id == ADA { "ada" } else { "canary" });
        let body = format!(r#"{{"id":"{id}","accountEnabled":{enabled},"userPrincipalName":"{upn}"}}"#);
        self.page(format!("/v1.0/users/{id}"), body.clone());
        self.page(format!("/v1.0/users/{}", upn.replace('@', "%40")), body);
    }

    fn device(&self, enabled: bool) {
        let body = format!(r#"{{"deviceId":"{LAPTOP}","displayName":"LAPTOP","accountEnabled":{enabled}}}"#);
        self.page(format!("/v1.0/devices(deviceId='{LAPTOP}')"), body);
        let none = r#"{"value":[]}"#;
        self.page("/beta/deviceManagement/managedDevices".into(), none.into());
    }

    fn managed(&self, state: &str) {
        for version in ["v1.0", "beta"] {
            let body = format!(r#"{{"id":"{PHONE}","deviceName":"PHONE","managementState":"{state}"}}"#);
            self.page(format!("/{version}/deviceManagement/managedDevices/{PHONE}"), body);
        }
    }

    fn ails(&self, trouble: Option<(u16, &'static str)>) {
        *self.trouble.lock().unwrap() = trouble;
    }

    fn server(&self) -> Server {
        server(
            &[
                ("URL", &self.service.url),
                ("CLIENT_ID", "0f3b2a8e-1c5d-4e6f-9a7b-8c9d0e1f2a3b"),
                ("CANARY", &format!("entra-user:{CANARY}")),
                ("ENTRA__TENANT", TENANT),
                ("ENTRA__LOGIN_URL", &self.service.url),
                ("FRESH_SECONDS", "0"),
                ("MAX_STALE_SECONDS", "0"),
            ],
            SECRET,
            "127.0.0.1:0",
        )
    }
}

/// A server that asks Entra and Intune, with settings of that service.
fn server(settings: &[(&str, &str)], secret: &str, listen: &str) -> Server {
    let secrets = tempfile::tempdir().unwrap().keep();
    let [secret_file, challenge] = ["secret", "challenge"].map(|name| secrets.join(name));
    write_private(&secret_file, secret);
    write_private(&challenge, CHALLENGE);
    let settings: Vec<_> = [("KIND", "entra"), ("ENTRA__DEVICES", "both")]
        .iter()
        .chain(settings)
        .chain(&[("SECRET", secret_file.to_str().unwrap())])
        .map(|(name, value)| (format!("SCEP_SERVER__DIRECTORY__SERVICE__0__{name}"), *value))
        .collect();
    let mut variables: Vec<_> = settings.iter().map(|(name, value)| (&**name, *value)).collect();
    variables.push(("SCEP_SERVER__PROFILE__0__CHALLENGE", "static"));
    variables.push(("SCEP_SERVER__PROFILE__0__CHALLENGE_FILE", challenge.to_str().unwrap()));
    Server::start_in(tempfile::tempdir().unwrap(), listen, &variables)
}

fn write_private(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}

fn enroll(server: &Server, name: &str) -> PathBuf {
    enroll_by(server, name, CHALLENGE)
}

/// Asks until the answer says so.
fn becomes(server: &Server, certificate: &Path, expected: &str) -> String {
    let ask = || openssl_ocsp(server, certificate, &[]);
    let answer = eventually(ask, |answer| answer.contains(expected));
    assert!(answer.contains(expected), "{expected:?}: {answer}");
    answer
}

/// Graph, which has been told where to notify of changes; nothing else is heard of for an hour.
#[test]
fn a_notification_is_heard_before_the_answer_is_too_old() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let emulators = runtime.block_on(Emulators::start(Options::default())).unwrap();
    let credentials = emulators.credentials();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = free.local_addr().unwrap().to_string();
    drop(free);
    let notified = format!("http://{listen}/notifications/graph");
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    write_private(&state, "a state of the client");
    let server = server(
        &[
            ("URL", emulators.graph()),
            ("CLIENT_ID", &credentials.client_id),
            ("ENTRA__TENANT", &credentials.tenant),
            ("ENTRA__LOGIN_URL", emulators.entra()),
            ("ENTRA__FOLLOW_SECONDS", "3600"),
            ("ENTRA__NOTIFICATION_URL", &notified),
            ("ENTRA__NOTIFICATION_SECRET", state.to_str().unwrap()),
        ],
        &credentials.client_secret,
        &listen,
    );
    let id = emulators.ids(Kind::EntraUser).remove(0);
    let user = emulators.object(Kind::EntraUser, &id).unwrap();
    let certificate = enroll(&server, user["userPrincipalName"].as_str().unwrap());
    let is_subscription = |request: &String| request.contains("POST") && request.contains("/subscriptions");
    let requests = || emulators.requests().iter().map(|request| format!("{request:?}")).collect::<Vec<_>>();
    let asked =
        eventually(|| requests().join("\n"), |asked| asked.lines().any(|line| is_subscription(&line.into())));
    assert!(asked.lines().any(|line| is_subscription(&line.into())), "{asked}");
    becomes(&server, &certificate, ": good");
    emulators.act(Kind::EntraUser, &id, &Action::Disable).unwrap();
    becomes(&server, &certificate, "Reason: certificateHold");
    emulators.act(Kind::EntraUser, &id, &Action::Enable).unwrap();
    becomes(&server, &certificate, ": good");
}

/// Everything that a tenant does to devices, by the emulated services.
#[test]
fn the_life_of_a_device_shows_at_the_responder() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let emulators = runtime.block_on(Emulators::start(Options::default())).unwrap();
    let credentials = emulators.credentials();
    let server = server(
        &[
            ("URL", emulators.graph()),
            ("CLIENT_ID", &credentials.client_id),
            ("ENTRA__TENANT", &credentials.tenant),
            ("ENTRA__LOGIN_URL", emulators.entra()),
            ("ENTRA__COMPLIANCE", "always"),
            ("FRESH_SECONDS", "0"),
            ("MAX_STALE_SECONDS", "0"),
        ],
        &credentials.client_secret,
        "127.0.0.1:0",
    );
    let id = emulators.ids(Kind::IntuneDevice).remove(0);
    let comply = |state: &str| Action::Compliance { state: state.into(), grace_until: None };
    emulators.act(Kind::IntuneDevice, &id, &comply("compliant")).unwrap();
    let certificate = enroll(&server, &id);
    becomes(&server, &certificate, ": good");
    for (action, expected) in [
        (comply("noncompliant"), "Reason: certificateHold"),
        (comply("compliant"), ": good"),
        (Action::Wipe, "Reason: cessationOfOperation"),
    ] {
        emulators.act(Kind::IntuneDevice, &id, &action).unwrap();
        becomes(&server, &certificate, expected);
    }
}

const FAULTS: [(u16, &str); 6] = [
    (404, NOT_FOUND),
    (404, "<html>some proxy</html>"),
    (401, r#"{"error":{"code":"InvalidAuthenticationToken","message":"expired"}}"#),
    (403, r#"{"error":{"code":"Authorization_RequestDenied","message":"no"}}"#),
    (500, ""),
    (200, "<html>welcome to the hotel's network</html>"),
];

#[test]
fn a_device_of_entra_is_disabled_and_enabled_and_no_fault_revokes_it() {
    let cloud = Cloud::start();
    cloud.device(true);
    let server = cloud.server();
    let laptop = enroll(&server, LAPTOP);
    becomes(&server, &laptop, ": good");
    cloud.device(false);
    assert!(becomes(&server, &laptop, ": revoked").contains("Reason: certificateHold"));
    cloud.device(true);
    becomes(&server, &laptop, ": good");
    for fault in FAULTS {
        cloud.ails(Some(fault));
        becomes(&server, &laptop, "trylater");
        cloud.ails(None);
        becomes(&server, &laptop, ": good");
    }
}

#[test]
fn a_device_of_intune_is_wiped_and_stays_so() {
    let cloud = Cloud::start();
    cloud.managed("managed");
    let server = cloud.server();
    let phone = enroll(&server, PHONE);
    becomes(&server, &phone, ": good");
    for fault in FAULTS {
        cloud.ails(Some(fault));
        becomes(&server, &phone, "trylater");
        cloud.ails(None);
    }
    cloud.managed("wipePending");
    becomes(&server, &phone, "Reason: cessationOfOperation");
    cloud.managed("managed");
    // For ever, from when that is on disk.
    becomes(&server, &phone, "Reason: cessationOfOperation");
}

#[test]
fn a_user_of_entra_is_disabled_and_deleted() {
    let cloud = Cloud::start();
    cloud.user(ADA, true);
    let server = cloud.server();
    let ada = enroll(&server, "ada@example.com");
    becomes(&server, &ada, ": good");
    cloud.user(ADA, false);
    assert!(becomes(&server, &ada, ": revoked").contains("Reason: certificateHold"));
    cloud.pages.lock().unwrap().remove(&format!("/v1.0/users/{ADA}"));
    let gone = |answer: &String| answer.contains(": revoked") && !answer.contains("certificateHold");
    let answer = eventually(|| openssl_ocsp(&server, &ada, &[]), |answer| gone(&answer.to_owned()));
    assert!(gone(&answer), "deleted: {answer}");
}
