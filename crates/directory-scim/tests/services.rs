//! What is made of the answers of SCIM services, Okta and Keycloak. The bodies are those of RFC 7643 section 8.1 and of
//! the makers' documentation, shortened.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    unreachable_pub,
    missing_docs,
    reason = "tests"
)]

use directory::{Directory as _, DirectoryError, ObjectState};
use directory_scim::{Dialect, IdForm, ScimDirectory};
use pki_core::GeneralName;
use rest_client::{RestClient, RestSettings};
use serial_binding::{BoundObject, ObjectKind};
use testkit::PagedService;

const NOT_FOUND: &str =
    r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"detail":"not found","status":"404"}"#;
const SCIM_ID: &str = "2819c223-7f76-453a-919d-413861904646";
const OKTA_ID: &str = "00ub0oNGTSWTBKOLGLNR";

fn scim_user(active: &str) -> String {
    format!(
        r#"{{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"{SCIM_ID}","externalId":"701984",
        "userName":"bjensen@example.com","displayName":"Babs Jensen","emails":[
        {{"value":"bjensen@example.com","type":"work","primary":true}},{{"value":"babs@jensen.org","type":"home"}}],
        {active}"meta":{{"resourceType":"User"}}}}"#
    )
}

fn okta_user(status: &str) -> String {
    format!(
        r#"{{"id":"{OKTA_ID}","status":"{status}","created":"2013-06-24T16:39:18.000Z",
        "statusChanged":"2013-06-24T16:39:19.000Z","profile":{{"firstName":"Isaac","lastName":"Brock",
        "email":"isaac.brock@example.com","login":"isaac.brock@example.com"}}}}"#
    )
}

struct World {
    service: PagedService,
    directory: ScimDirectory,
}

fn world(dialect: Dialect) -> World {
    let service = PagedService::start(NOT_FOUND, None);
    let client = RestClient::new(RestSettings::new("the service", &*service.url), None).unwrap();
    World { directory: ScimDirectory::new(client, dialect), service }
}

impl World {
    fn page(&self, target: &str, status: u16, body: impl Into<String>) {
        self.service.page(target, status, body);
    }
}

fn object(form: IdForm, id: &str) -> BoundObject {
    BoundObject::new(ObjectKind::SCIM_RESOURCE, form.read(id).unwrap()).unwrap()
}

#[tokio::test]
async fn a_scim_user_is_enabled_on_hold_or_deleted() {
    let world = world(Dialect::scim());
    let (target, babs) = (format!("/Users/{SCIM_ID}"), object(IdForm::Uuid, SCIM_ID));
    let cases = [
        (r#""active":true,"#, Ok(Some(ObjectState::Enabled))),
        (r#""active":false,"#, Ok(Some(ObjectState::Disabled { since: None }))),
        ("", Err("nobody has said")),
        (r#""active":"true","#, Err("nobody has said")),
        (r#""active":null,"#, Err("nobody has said")),
    ];
    for (active, expected) in cases {
        world.page(&target, 200, scim_user(active));
        match (world.directory.state(babs).await, expected) {
            (Ok(state), Ok(expected)) => assert_eq!(state, expected, "{active}"),
            (Err(error), Err(why)) => assert!(error.to_string().contains(why), "{error}"),
            other => panic!("{active}: {other:?}"),
        }
    }
    world.page(&target, 404, NOT_FOUND);
    assert_eq!(world.directory.state(babs).await.unwrap(), None);
    for (status, body) in
        [(404, "<html>"), (200, "<html>"), (401, NOT_FOUND), (403, NOT_FOUND), (500, NOT_FOUND)]
    {
        world.page(&target, status, body);
        assert!(world.directory.state(babs).await.is_err(), "{status} {body} says nothing of anybody");
    }
}

#[tokio::test]
async fn another_users_answer_is_not_taken() {
    let world = world(Dialect::scim());
    let other = "00000000-7f76-453a-919d-413861904646";
    world.page(&format!("/Users/{other}"), 200, scim_user(r#""active":true,"#));
    let error = world.directory.state(object(IdForm::Uuid, other)).await.unwrap_err();
    assert!(error.to_string().contains("another resource"), "{error}");
}

#[tokio::test]
async fn a_user_is_found_by_name_and_has_names() {
    let world = world(Dialect::scim());
    let found =
        |users: &[String]| format!(r#"{{"totalResults":{},"Resources":[{}]}}"#, users.len(), users.join(","));
    let babs = scim_user(r#""active":true,"#);
    let twin = babs.replace("2819c223", "2819c224");
    let by = |attribute: &str, name: &str| format!("/Users?filter={attribute}%20eq%20%22{name}%22");
    world.page(&by("userName", "bjensen%40example.com"), 200, found(std::slice::from_ref(&babs)));
    world.page(&by("emails.value", "bjensen%40example.com"), 200, found(std::slice::from_ref(&babs)));
    let identified = world.directory.identify("bjensen@example.com").await.unwrap();
    assert_eq!(identified, Some(object(IdForm::Uuid, SCIM_ID)));
    world.page(&by("userName", "x%5C%22%20or%201"), 200, found(&[]));
    world.page(&by("emails.value", "x%5C%22%20or%201"), 200, found(&[]));
    assert_eq!(world.directory.identify("x\" or 1").await.unwrap(), None, "quotes stay inside the filter");
    world.page(&by("userName", "twin"), 200, found(&[babs.clone(), twin]));
    world.page(&by("emails.value", "twin"), 200, found(&[]));
    assert!(matches!(world.directory.identify("twin").await, Err(DirectoryError::Ambiguous { .. })));
    assert!(world.directory.identify("a page that is not there").await.is_err());
    world.page(&format!("/Users/{SCIM_ID}"), 200, babs);
    let names = world.directory.names(object(IdForm::Uuid, SCIM_ID)).await.unwrap().unwrap();
    assert_eq!(names.common_names, ["bjensen@example.com", "Babs Jensen"]);
    let email = |text: &str| GeneralName::Email(text.into());
    let upn = GeneralName::Upn("bjensen@example.com".into());
    assert_eq!(names.alternative_names, [email("bjensen@example.com"), email("babs@jensen.org"), upn]);
}

#[tokio::test]
async fn okta_says_it_with_a_status() {
    let world = world(Dialect::okta());
    let isaac = object(IdForm::Base62, OKTA_ID);
    let since = Some("2013-06-24T16:39:19Z".parse().unwrap());
    let cases = [
        ("ACTIVE", ObjectState::Enabled),
        ("PROVISIONED", ObjectState::Enabled),
        ("PASSWORD_EXPIRED", ObjectState::Enabled),
        ("RECOVERY", ObjectState::Enabled),
        ("STAGED", ObjectState::Disabled { since }),
        ("LOCKED_OUT", ObjectState::Disabled { since }),
        ("SUSPENDED", ObjectState::Disabled { since }),
        ("DEPROVISIONED", ObjectState::Gone { since }),
    ];
    for (status, expected) in cases {
        world.page(&format!("/api/v1/users/{OKTA_ID}"), 200, okta_user(status));
        assert_eq!(world.directory.state(isaac).await.unwrap(), Some(expected), "{status}");
    }
    world.page(&format!("/api/v1/users/{OKTA_ID}"), 200, okta_user("A_NEW_STATUS"));
    assert!(world.directory.state(isaac).await.is_err());
    let search =
        |by: &str| format!("/api/v1/users?search=profile.{by}%20eq%20%22isaac.brock%40example.com%22");
    world.page(&search("login"), 200, format!("[{}]", okta_user("ACTIVE")));
    world.page(&search("email"), 200, "[]");
    assert_eq!(world.directory.identify("isaac.brock@example.com").await.unwrap(), Some(isaac));
}

#[tokio::test]
async fn keycloak_says_enabled() {
    let world = world(Dialect::keycloak());
    let (target, user) = (format!("/users/{SCIM_ID}"), object(IdForm::Uuid, SCIM_ID));
    let body = |enabled: bool| {
        format!(r#"{{"id":"{SCIM_ID}","username":"ada","email":"ada@example.com","enabled":{enabled}}}"#)
    };
    world.page(&target, 200, body(true));
    assert_eq!(world.directory.state(user).await.unwrap(), Some(ObjectState::Enabled));
    world.page(&target, 200, body(false));
    assert_eq!(world.directory.state(user).await.unwrap(), Some(ObjectState::Disabled { since: None }));
    world.page("/users?exact=true&username=ada", 200, format!("[{}]", body(true)));
    world.page("/users?exact=true&email=ada", 200, "[]");
    assert_eq!(world.directory.identify("ada").await.unwrap(), Some(user));
}

#[tokio::test]
async fn an_id_that_the_service_cannot_have_is_nobody() {
    let world = world(Dialect::okta());
    let impossible = BoundObject::new(ObjectKind::SCIM_RESOURCE, SCIM_ID.parse().unwrap()).unwrap();
    assert_eq!(world.directory.state(impossible).await.unwrap(), None);
    assert!(world.directory.kinds().contains(ObjectKind::SCIM_RESOURCE));
    assert!(!world.directory.kinds().contains(ObjectKind::USER));
}
