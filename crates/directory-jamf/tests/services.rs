//! What is made of Jamf Pro's answers. The bodies are those of its API's own description, shortened.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    unreachable_pub,
    dead_code,
    missing_docs,
    reason = "tests"
)]

use std::sync::Arc;

use directory::{Directory as _, DirectoryError, ObjectState};
use directory_jamf::{JamfDirectory, Login, Unmanaged};
use pki_core::{GeneralName, UnixTime};
use rest_client::{RestClient, RestSettings, Secret, TokenSource as _};
use serial_binding::BoundObject;
use testkit::{FixedClock, PagedService};

const NOT_FOUND: &str =
    r#"{"httpStatus":404,"errors":[{"code":"INVALID_ID","field":"id","description":"no such id","id":"0"}]}"#;
const COMPUTER: &str = "/api/v1/computers-inventory/17?section=GENERAL&section=USER_AND_LOCATION";
const MOBILE: &str = "/api/v2/mobile-devices/17/detail";
const USER: &str = "/api/v1/users/4";

fn computer(managed: bool) -> String {
    format!(
        r#"{{"id":"17","udid":"123","general":{{"name":"Boalime","platform":"Mac","remoteManagement":{{"managed":{managed}}}}},
        "userAndLocation":{{"username":"ada","realname":"Ada","email":"ada@example.com"}}}}"#
    )
}

const IPAD: &str = r#"{"id":"17","name":"iPad","serialNumber":"DMQVGC0DHLA0","udid":"0dad","username":"admin","type":"ios"}"#;
const ADA: &str = r#"{"id":4,"username":"ada","email":"ada@example.com"}"#;

struct World {
    service: PagedService,
    directory: JamfDirectory,
}

fn world(unmanaged: Unmanaged) -> World {
    let service = PagedService::start(NOT_FOUND, None);
    let client = RestClient::new(RestSettings::new("Jamf Pro", &*service.url), None).unwrap();
    let world = World { directory: JamfDirectory::new(client, unmanaged), service };
    world.page(COMPUTER, 200, &computer(true));
    world.page(USER, 200, ADA);
    world
}

impl World {
    fn page(&self, target: &str, status: u16, body: &str) {
        self.service.page(target, status, body);
    }

    async fn state(&self, object: &str) -> Result<Option<ObjectState>, DirectoryError> {
        self.directory.state(object.parse().unwrap()).await
    }
}

const ENABLED: Option<ObjectState> = Some(ObjectState::Enabled);

#[tokio::test]
async fn what_is_there_is_good_and_what_is_deleted_is_gone() {
    let world = world(Unmanaged::Good);
    world.page(MOBILE, 200, IPAD);
    for object in ["jamf-computer:17", "jamf-mobile-device:17", "jamf-user:4"] {
        assert_eq!(world.state(object).await.unwrap(), ENABLED, "{object}");
    }
    for (target, object) in
        [(COMPUTER, "jamf-computer:17"), (MOBILE, "jamf-mobile-device:17"), (USER, "jamf-user:4")]
    {
        world.page(target, 404, NOT_FOUND);
        assert_eq!(world.state(object).await.unwrap(), None, "{object}");
        for (status, body) in
            [(404, "<html>classic</html>"), (401, NOT_FOUND), (500, NOT_FOUND), (200, "{}"), (200, ADA)]
        {
            world.page(target, status, if object == "jamf-user:4" && body == ADA { IPAD } else { body });
            assert!(world.state(object).await.is_err(), "{object} {status} {body}");
        }
    }
}

#[tokio::test]
async fn of_two_objects_both_must_live() {
    let world = world(Unmanaged::Hold);
    let both = "jamf-user-on-computer:17/4";
    assert_eq!(world.state(both).await.unwrap(), ENABLED);
    world.page(COMPUTER, 200, &computer(false));
    assert_eq!(world.state(both).await.unwrap(), Some(ObjectState::Disabled { since: None }));
    world.page(USER, 404, NOT_FOUND);
    assert_eq!(world.state(both).await.unwrap(), None, "the user is deleted");
    world.page(USER, 200, ADA);
    world.page(COMPUTER, 404, NOT_FOUND);
    assert_eq!(world.state(both).await.unwrap(), None, "the computer is deleted");
    world.page(COMPUTER, 503, "");
    assert!(world.state(both).await.is_err(), "nobody knows of the computer");
}

#[tokio::test]
async fn unmanaged_is_good_or_on_hold_as_the_site_wants() {
    for (unmanaged, expected) in
        [(Unmanaged::Good, ObjectState::Enabled), (Unmanaged::Hold, ObjectState::Disabled { since: None })]
    {
        let world = world(unmanaged);
        world.page(COMPUTER, 200, &computer(false));
        assert_eq!(world.state("jamf-computer:17").await.unwrap(), Some(expected));
    }
}

#[tokio::test]
async fn ids_and_names_are_names() {
    let world = world(Unmanaged::Good);
    let computer: BoundObject = "jamf-computer:17".parse().unwrap();
    let names = world.directory.names("jamf-user-on-computer:17/4".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(names.common_names, ["17", "Boalime", "4", "ada"]);
    assert_eq!(names.alternative_names[0], GeneralName::Email("ada@example.com".into()));
    world.page(MOBILE, 404, NOT_FOUND);
    world.page("/api/v1/users/17", 404, NOT_FOUND);
    assert_eq!(world.directory.identify("17").await.unwrap(), Some(computer));
    assert_eq!(world.directory.identify("jamf-computer:17").await.unwrap(), Some(computer));
    assert_eq!(world.directory.identify("Boalime").await.unwrap(), None);
    world.page(MOBILE, 200, IPAD);
    assert!(matches!(world.directory.identify("17").await, Err(DirectoryError::Ambiguous { .. })));
}

#[tokio::test]
async fn a_user_on_a_device_is_found_by_the_email_address() {
    let world = world(Unmanaged::Good);
    let by_email = "/JSSResource/users/email/ada%40example.com";
    let identify = |name: &'static str| world.directory.identify(name);
    world.page(by_email, 200, r#"{"users":[{"id":4,"name":"ada"}]}"#);
    for (name, expected) in [
        ("jamf-user-on-computer:17/ada@example.com", Some("jamf-user-on-computer:17/4")),
        ("jamf-user-on-mobile-device:17/ada@example.com", Some("jamf-user-on-mobile-device:17/4")),
        ("jamf-user-on-computer:17/ada", None),
        ("jamf-user-on-computer:x/ada@example.com", None),
        ("jamf-computer:17/ada@example.com", None),
        ("jamf-user-on-computer:17/bob@example.com", None),
    ] {
        let found = identify(name).await.unwrap();
        assert_eq!(found, expected.map(|object| object.parse().unwrap()), "{name}");
    }
    let name = "jamf-user-on-computer:17/ada@example.com";
    world.page(by_email, 200, r#"{"users":[]}"#);
    assert_eq!(identify(name).await.unwrap(), None);
    world.page(by_email, 200, r#"{"users":[{"id":4},{"id":5}]}"#);
    assert!(matches!(identify(name).await, Err(DirectoryError::Ambiguous { .. })));
    for (status, body) in
        [(200, "{}"), (200, r#"{"users":[{"name":"ada"}]}"#), (404, "<html></html>"), (500, "")]
    {
        world.page(by_email, status, body);
        assert!(matches!(identify(name).await, Err(DirectoryError::Unavailable { .. })), "{body}");
    }
}

#[tokio::test]
async fn an_account_gets_a_token() {
    let service = PagedService::start(NOT_FOUND, None);
    service.page("/api/v1/auth/token", 200, r#"{"token":"t0ken","expires":1539619348124}"#);
    let settings = RestSettings::new("Jamf Pro", &*service.url);
    let login = Login::new(settings, "api", &Secret::new("s3cret"), Arc::new(FixedClock::default())).unwrap();
    let token = login.token().await.unwrap();
    assert_eq!(
        (token.authorization.expose(), token.expires),
        ("Bearer t0ken", Some(UnixTime(1_539_619_348)))
    );
}
