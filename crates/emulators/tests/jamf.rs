//! Jamf Pro's answers, as our directory and others read them.
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
use directory_jamf::{JamfDirectory, Login, TOKEN_PATH, Unmanaged};
use emulators::{Action, Kind, Options};
use pki_core::{Clock, GeneralName};
use reqwest::Method;
use rest_client::{ClientCredentials, ClientProof, RestClient, RestSettings, Secret, TokenSource};
use serde_json::json;
use support::{World, answer};
use testkit::{FixedClock, ScriptedService};

fn settings(world: &World) -> RestSettings {
    RestSettings::new("Jamf Pro", world.emulators.jamf())
}

fn clock(world: &World) -> Arc<dyn Clock> {
    Arc::<FixedClock>::clone(&world.clock)
}

fn of_client(world: &World, secret: &str) -> Arc<dyn TokenSource> {
    let client = RestClient::new(settings(world), None).unwrap();
    let id = world.emulators.credentials().jamf_client_id.clone();
    let proof = ClientProof::Secret(Secret::new(secret));
    Arc::new(ClientCredentials::new(client, TOKEN_PATH, id, proof, None, clock(world)))
}

fn of_user(world: &World, password: &str) -> Arc<dyn TokenSource> {
    let user = &world.emulators.credentials().jamf_user;
    Arc::new(Login::new(settings(world), user, &Secret::new(password), clock(world)).unwrap())
}

fn directory(world: &World, tokens: Arc<dyn TokenSource>) -> JamfDirectory {
    JamfDirectory::new(RestClient::new(settings(world), Some(tokens)).unwrap(), Unmanaged::Hold)
}

#[tokio::test]
async fn clients_and_users_get_tokens_and_nobody_else() {
    let world = World::start(Options::default()).await;
    let known = world.emulators.credentials();
    for (tokens, is_good) in [
        (of_client(&world, &known.jamf_client_secret), true),
        (of_client(&world, "wrong"), false),
        (of_user(&world, &known.jamf_password), true),
        (of_user(&world, "wrong"), false),
    ] {
        let token = tokens.token().await;
        assert_eq!(token.is_ok(), is_good, "{token:?}");
        let state = directory(&world, tokens).state("jamf-computer:1".parse().unwrap()).await;
        assert_eq!(state.ok(), is_good.then_some(Some(ObjectState::Enabled)));
    }
    let token = of_user(&world, &known.jamf_password).token().await.unwrap();
    let ask = |method, path: &str| {
        let request = world.http.request(method, format!("{}{path}", world.emulators.jamf()));
        answer(request.header("authorization", token.authorization.expose()))
    };
    assert_eq!(ask(Method::GET, "/api/v1/users/1").await.0, 200);
    assert_eq!(ask(Method::POST, "/api/v1/auth/invalidate-token").await.0, 204);
    assert_eq!(ask(Method::GET, "/api/v1/users/1").await, (401, json!({"httpStatus": 401, "errors": []})));
}

#[tokio::test]
async fn our_directory_follows_what_happens_to_objects() {
    let world = World::start(Options::default()).await;
    let directory = directory(&world, of_client(&world, &world.emulators.credentials().jamf_client_secret));
    let state = async |object: &str| directory.state(object.parse().unwrap()).await.unwrap();
    let act = |kind, id, action| drop(world.emulators.act(kind, id, &action).unwrap());
    let (enabled, held) = (Some(ObjectState::Enabled), Some(ObjectState::Disabled { since: None }));
    for (kind, object) in
        [(Kind::JamfComputer, "jamf-computer:3"), (Kind::JamfMobileDevice, "jamf-mobile-device:3")]
    {
        assert_eq!(state(object).await, enabled, "{object}");
        act(kind, "3", Action::Disable);
        assert_eq!(state(object).await, held, "{object}");
        act(kind, "3", Action::Enable);
        assert_eq!(state(object).await, enabled, "{object}");
        let user_on = format!("{}/2", object.replace("jamf-", "jamf-user-on-"));
        assert_eq!(state(&user_on).await, enabled, "{user_on}");
        act(kind, "3", Action::Delete);
        assert_eq!((state(object).await, state(&user_on).await), (None, None));
    }
    act(Kind::JamfUser, "2", Action::Delete);
    assert_eq!(state("jamf-user:2").await, None);
    assert_eq!(state("jamf-user-on-computer:4/2").await, None);
    let names = directory.names("jamf-mobile-device:4".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(names.common_names, ["4", "iPad-000003"]);
    let email = GeneralName::Email("dora3@contoso.onmicrosoft.com".into());
    assert_eq!(names.alternative_names, [email], "the user of a mobile device stands under its location");
    let names = directory.names("jamf-computer:4".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(names.common_names, ["4", "Mac-000003"]);
}

#[tokio::test]
async fn what_it_does_not_know_it_refuses() {
    let world = World::start(Options { devices: 3, users: 1, ..Options::default() }).await;
    let token = of_client(&world, &world.emulators.credentials().jamf_client_secret).token().await.unwrap();
    let ask = |path: &str, accept: &str| {
        let request = world.http.get(format!("{}{path}", world.emulators.jamf())).header("accept", accept);
        answer(request.header("authorization", token.authorization.expose()))
    };
    for (path, status, code) in [
        ("/api/v1/computers-inventory/9", 404, "INVALID_ID"),
        ("/api/v1/computers-inventory/x", 400, "INVALID_ID"),
        ("/api/v1/computers-inventory/1?section=NOTHING", 400, "INVALID_FIELD"),
        ("/api/v1/computers-inventory?page=x", 400, "INVALID_FIELD"),
        ("/api/v2/mobile-devices/9/detail", 404, "INVALID_ID"),
        ("/api/v1/users/9", 404, "INVALID_ID"),
    ] {
        let (given, body) = ask(path, "application/json").await;
        assert_eq!((given, &body["errors"][0]["code"]), (status, &json!(code)), "{path}");
        assert_eq!(body["httpStatus"], json!(status));
    }
    let (status, page) = ask("/api/v9/computers-inventory", "application/json").await;
    assert!(status == 404 && page.is_string(), "no words of its own: {page}");
    let (_, computer) = ask("/api/v1/computers-inventory/1?section=USER_AND_LOCATION", "*/*").await;
    assert!(computer["general"].is_null() && computer["userAndLocation"]["username"] == "ada0", "{computer}");
    let (_, list) = ask("/api/v1/computers-inventory?page=1&page-size=2", "*/*").await;
    assert_eq!((&list["totalCount"], list["results"].as_array().unwrap().len()), (&json!(3), 1));
    let (_, user) = ask("/JSSResource/users/name/ada0", "application/json").await;
    assert_eq!(user["user"]["id"], json!(1));
    let (_, xml) = ask("/JSSResource/computers/id/1", "text/xml").await;
    assert!(xml.as_str().unwrap().contains("<computer><general><id>1</id>"), "{xml}");
    let (status, page) = ask("/JSSResource/computers/id/9", "application/json").await;
    assert!(status == 404 && page.is_string(), "{page}");
}

#[tokio::test]
async fn it_asks_for_a_challenge_by_webhook() {
    let world = World::start(Options::default()).await;
    let hook = ScriptedService::start(|asked| match asked.authorization.as_deref() {
        Some("Basic amFtZjpzZWNyZXQ=") => (200, Vec::new(), String::from("a challenge")),
        _ => (401, Vec::new(), String::new()),
    });
    let ask = async |password: &str| {
        let body = json!({"url": hook.url, "user": "jamf", "password": password, "payloadIdentifier": "p"});
        world.control(Method::POST, "/jamf/scep-challenge", Some(body)).await
    };
    assert_eq!(ask("secret").await, (200, json!({"status": 200, "challenge": "a challenge"})));
    assert_eq!(ask("wrong").await.1["status"], json!(401));
    let asked = &hook.asked()[0];
    let body: serde_json::Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(
        (&body["webhook"]["webhookEvent"], &body["event"]["payloadIdentifier"]),
        (&json!("SCEPChallenge"), &json!("p"))
    );
}
