//! The SCIM service's answers, as our directory and identity providers read them.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use std::sync::Arc;

use directory::{Directory as _, ObjectState};
use directory_scim::{Dialect, ScimDirectory};
use emulators::{Action, Kind, Options};
use reqwest::Method;
use rest_client::{FixedBearer, RestClient, RestSettings, Secret};
use serde_json::{Value, json};
use support::{World, answer};

fn directory(world: &World, token: &str) -> ScimDirectory {
    let settings = RestSettings::new("SCIM", world.emulators.scim());
    let tokens = Arc::new(FixedBearer::new(&Secret::new(token)));
    ScimDirectory::new(RestClient::new(settings, Some(tokens)).unwrap(), Dialect::scim())
}

#[tokio::test]
async fn our_directory_follows_what_happens_to_users() {
    let world = World::start(Options::default()).await;
    let user = world.emulators.ids(Kind::ScimUser).remove(1);
    let directory = directory(&world, &world.emulators.credentials().scim_token);
    let object = format!("scim-resource:{user}").parse().unwrap();
    for name in ["boris1@fabrikam.com", "BORIS1@fabrikam.com"] {
        assert_eq!(directory.identify(name).await.unwrap(), Some(object), "{name}");
    }
    assert_eq!(directory.identify("nobody@fabrikam.com").await.unwrap(), None);
    let names = directory.names(object).await.unwrap().unwrap();
    assert_eq!(names.common_names, ["boris1@fabrikam.com", "Boris Brandt"]);
    for (action, expected) in [
        (Action::Disable, Some(ObjectState::Disabled { since: None })),
        (Action::Enable, Some(ObjectState::Enabled)),
        (Action::Delete, None),
    ] {
        world.emulators.act(Kind::ScimUser, &user, &action).unwrap();
        assert_eq!(directory.state(object).await.unwrap(), expected, "{action:?}");
    }
    assert!(self::directory(&world, "wrong").state(object).await.is_err(), "a stranger learns nothing");
}

#[tokio::test]
async fn users_come_and_change_and_go() {
    let world = World::start(Options { users: 3, ..Options::default() }).await;
    let (base, token) = (world.emulators.scim(), &world.emulators.credentials().scim_token);
    let ask = async |method: Method, path: &str, body: Option<Value>| {
        let request = world.http.request(method, format!("{base}{path}")).bearer_auth(token);
        answer(match body {
            Some(body) => request.header("content-type", "application/scim+json").body(body.to_string()),
            None => request,
        })
        .await
    };
    let user = json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "zoe@example.com", "active": true,
        "emails": [{"value": "z@example.com"}],
    });
    let (status, made) = ask(Method::POST, "/Users", Some(user.clone())).await;
    let id = made["id"].as_str().unwrap();
    assert_eq!((status, &made["meta"]["location"]), (201, &json!(format!("{base}/Users/{id}"))));
    let path = format!("/Users/{id}");
    let changed_by = |operations: Value| {
        let body =
            json!({"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations});
        ask(Method::PATCH, &path, Some(body))
    };
    let (_, patched) = changed_by(json!([{"op": "Replace", "path": "active", "value": false}])).await;
    assert_eq!(patched["active"], json!(false));
    let (_, patched) =
        changed_by(json!([{"op": "replace", "value": {"active": true, "userName": "zoé@example.com"}}]))
            .await;
    assert_eq!((&patched["active"], &patched["userName"]), (&json!(true), &json!("zoé@example.com")));
    let find = async |filter: &str| {
        ask(Method::GET, &format!("/Users?filter={}", rest_client::escape(filter)), None).await
    };
    assert_eq!(
        find("userName eq \"zoe@example.com\"").await.1["totalResults"],
        json!(0),
        "she has another name"
    );
    assert_eq!(find("userName eq \"zoé@example.com\"").await.1["Resources"][0]["id"], json!(id));
    assert_eq!(
        find("emails.value eq \"z@example.com\" and active eq true").await.1["totalResults"],
        json!(1)
    );
    let page = ask(Method::GET, "/Users?startIndex=2&count=2", None).await.1;
    assert_eq!(
        ["totalResults", "startIndex", "itemsPerPage"].map(|name| page[name].as_u64().unwrap()),
        [4, 2, 2]
    );
    let error = |status: u16, kind: Option<&str>, (given, body): (u16, Value)| {
        assert_eq!(
            (given, body["scimType"].as_str(), &body["status"]),
            (status, kind, &json!(status.to_string())),
            "{body}"
        );
        assert_eq!(body["schemas"], json!(["urn:ietf:params:scim:api:messages:2.0:Error"]));
    };
    error(400, Some("invalidFilter"), find("userName zoe").await);
    error(400, Some("invalidPath"), changed_by(json!([{"op": "replace", "path": "id", "value": "x"}])).await);
    error(400, Some("invalidValue"), ask(Method::POST, "/Users", Some(json!({"schemas": []}))).await);
    error(400, Some("invalidSyntax"), ask(Method::POST, "/Users", Some(json!([]))).await);
    let double = json!({"schemas": [], "userName": "ada0@fabrikam.com"});
    error(409, Some("uniqueness"), ask(Method::POST, "/Users", Some(double.clone())).await);
    error(409, Some("uniqueness"), ask(Method::PUT, &path, Some(double)).await);
    assert_eq!(ask(Method::PUT, &path, Some(user.clone())).await.1["userName"], json!("zoe@example.com"));
    assert_eq!(ask(Method::DELETE, &path, None).await.0, 204);
    for method in [Method::GET, Method::DELETE] {
        error(404, None, ask(method, &path, None).await);
    }
    error(405, None, ask(Method::DELETE, "/Users", None).await);
    error(401, None, answer(world.http.get(format!("{base}/Users"))).await);
    error(
        415,
        None,
        answer(world.http.post(format!("{base}/Users")).bearer_auth(token).body(user.to_string())).await,
    );
    assert!(
        ask(Method::GET, "/ServiceProviderConfig", None).await.1["patch"]["supported"].as_bool().unwrap()
    );
}
