//! Graph tells those who subscribed.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use emulators::{Action, Kind, Options};
use pki_core::Clock as _;
use reqwest::Method;
use serde_json::{Value, json};
use support::{World, answer, code};
use testkit::ScriptedService;

/// Proves that it wants notifications, and takes them while it may.
fn client(is_up: &Arc<AtomicBool>) -> ScriptedService {
    let is_up = Arc::clone(is_up);
    ScriptedService::start(move |asked| {
        let text = vec![("content-type", String::from("text/plain"))];
        match asked.target.split_once("validationToken=") {
            Some((_, token)) => {
                let url = reqwest::Url::parse(&format!("http://x/?v={token}")).unwrap();
                (200, text, url.query_pairs().next().unwrap().1.into_owned())
            }
            None if is_up.load(Ordering::SeqCst) => (202, Vec::new(), String::new()),
            None => (503, Vec::new(), String::new()),
        }
    })
}

/// The first `count` notifications that the client was sent, whether it took them or not.
async fn told(client: &ScriptedService, count: usize) -> Vec<Value> {
    for _ in 0..200 {
        let asked = client.asked();
        let bodies = asked.iter().filter(|asked| !asked.target.contains("validationToken"));
        let values = bodies.map(|asked| serde_json::from_str::<Value>(&asked.body).unwrap());
        let values: Vec<_> = values.flat_map(|body| body["value"].as_array().unwrap().clone()).collect();
        if values.len() >= count {
            return values;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("expected {count} notifications: {:?}", client.asked());
}

#[tokio::test]
async fn a_subscriber_is_told_of_changes_until_it_has_taken_them() {
    let world = World::start(Options::default()).await;
    let users = world.emulators.ids(Kind::EntraUser);
    let is_up = Arc::new(AtomicBool::new(true));
    let client = client(&is_up);
    let expires = |seconds: u64| world.clock.now().saturating_add(Duration::from_secs(seconds)).to_string();
    let subscription = json!({
        "changeType": "updated,deleted", "notificationUrl": client.url, "resource": "/users",
        "expirationDateTime": expires(3600).replace('Z', ".0000000Z"), "clientState": "secret",
    });
    let subscribe =
        async |body: &Value| answer(world.graph(Method::POST, "/v1.0/subscriptions").await.json(body)).await;
    let (status, made) = subscribe(&subscription).await;
    assert_eq!(status, 201, "{made}");
    let act =
        |user: usize, action| drop(world.emulators.act(Kind::EntraUser, &users[user], &action).unwrap());
    act(0, Action::Disable);
    let first = told(&client, 1).await.remove(0);
    assert_eq!(
        (&first["subscriptionId"], &first["clientState"], &first["changeType"], &first["resourceData"]["id"]),
        (&made["id"], &json!("secret"), &json!("updated"), &json!(users[0]))
    );
    is_up.store(false, Ordering::SeqCst);
    act(1, Action::Delete);
    told(&client, 2).await;
    act(2, Action::Purge);
    is_up.store(true, Ordering::SeqCst);
    // What was not taken is told again, with what came in between.
    let all = told(&client, 4).await;
    let changes: Vec<_> =
        all.iter().map(|told| (told["changeType"].as_str().unwrap(), &told["resourceData"]["id"])).collect();
    assert_eq!(changes[1], ("updated", &json!(users[1])), "deleted, and can be restored");
    assert!(changes[2..].contains(&("deleted", &json!(users[2]))), "{changes:?}");
    let path = format!("/v1.0/subscriptions/{}", made["id"].as_str().unwrap());
    let renewal = json!({"expirationDateTime": expires(7200)});
    let (status, renewed) = answer(world.graph(Method::PATCH, &path).await.json(&renewal)).await;
    assert_eq!((status, &renewed["expirationDateTime"]), (200, &renewal["expirationDateTime"]));
    assert_eq!(answer(world.graph(Method::DELETE, &path).await).await.0, 204);
    assert_eq!(world.get(&path).await.0, 404);
}

#[tokio::test]
async fn a_subscription_that_is_not_in_order_is_refused() {
    let world = World::start(Options::default()).await;
    let client = client(&Arc::new(AtomicBool::new(true)));
    let deaf = ScriptedService::start(|_| (200, Vec::new(), String::from("what?")));
    let expires =
        |minutes: u64| world.clock.now().saturating_add(Duration::from_secs(minutes * 60)).to_string();
    let good = json!({
        "changeType": "updated", "notificationUrl": client.url, "resource": "users", "expirationDateTime": expires(10),
    });
    for (name, value, expected) in [
        ("changeType", json!(null), "InvalidRequest"),
        ("changeType", json!("renamed"), "ValidationError"),
        ("resource", json!("devices"), "ValidationError"),
        ("expirationDateTime", json!(expires(0)), "ValidationError"),
        ("expirationDateTime", json!(expires(41_761)), "ValidationError"),
        ("notificationUrl", json!("http://example.com/"), "ValidationError"),
        ("notificationUrl", json!(deaf.url), "ValidationError"),
        ("clientState", json!("x".repeat(129)), "ValidationError"),
    ] {
        let mut body = good.clone();
        body[name] = value;
        let (status, said) = answer(world.graph(Method::POST, "/v1.0/subscriptions").await.json(&body)).await;
        assert_eq!((status, code(&said)), (400, expected), "{name}: {said}");
    }
}
