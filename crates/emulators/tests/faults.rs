//! Bad days, by call and by the control interface.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use std::time::Duration;

use emulators::{Fault, Faulty, Kind, Options, Service};
use reqwest::Method;
use serde_json::{Value, json};
use support::World;

/// A question to each service that it answers on a good day.
async fn questions(world: &World) -> [(Service, reqwest::RequestBuilder); 3] {
    let known = world.emulators.credentials();
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", &*known.jamf_client_id),
        ("client_secret", &*known.jamf_client_secret),
    ];
    let token = world.http.post(format!("{}/api/oauth/token", world.emulators.jamf())).form(&form);
    let (_, token) = support::answer(token).await;
    let jamf = world.http.get(format!("{}/api/v1/users/1", world.emulators.jamf()));
    let user = world.emulators.ids(Kind::ScimUser).remove(0);
    let scim = world.http.get(format!("{}/Users/{user}", world.emulators.scim()));
    let user = world.emulators.ids(Kind::EntraUser).remove(0);
    [
        (Service::Graph, world.graph(Method::GET, &format!("/v1.0/users/{user}")).await),
        (Service::Jamf, jamf.bearer_auth(token["access_token"].as_str().unwrap())),
        (Service::Scim, scim.bearer_auth(&known.scim_token)),
    ]
}

#[tokio::test]
async fn every_service_can_have_every_bad_day() {
    let world = World::start(Options::default()).await;
    for (service, question) in questions(&world).await {
        let ask = async || question.try_clone().unwrap().timeout(Duration::from_millis(500)).send().await;
        assert_eq!(ask().await.unwrap().status(), 200, "{service}");
        for status in [401, 403, 429, 500, 503] {
            world.emulators.set_fault(service, Fault::Status(status));
            let answer = ask().await.unwrap();
            assert_eq!(answer.status(), status, "{service}");
            let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
            assert!(body.is_object(), "{service} {status}: its own words");
        }
        for retry_after in [None, Some(7)] {
            world.emulators.set_fault(service, Fault::Throttled { retry_after });
            let answer = ask().await.unwrap();
            let said = answer.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
            assert_eq!(
                (answer.status().as_u16(), said),
                (429, retry_after.map(|seconds| seconds.to_string()))
            );
        }
        world.emulators.set_fault(service, Fault::Empty);
        let answer = ask().await.unwrap();
        assert_eq!(answer.status(), 404, "{service}");
        assert!(serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap().is_object());
        world.emulators.set_fault(service, Fault::Page(404));
        assert!(ask().await.unwrap().text().await.unwrap().starts_with("<html>"), "{service}");
        world.emulators.set_fault(service, Fault::Garbage);
        let text = ask().await.unwrap().text().await.unwrap();
        assert!(serde_json::from_str::<Value>(&text).is_err(), "{service}: {text}");
        world.emulators.set_fault(service, Fault::Truncated);
        assert!(ask().await.unwrap().text().await.is_err(), "{service}: the rest never comes");
        world.emulators.set_fault(service, Fault::Reset);
        assert!(ask().await.is_err(), "{service}: nothing comes");
        world.emulators.set_fault(service, Fault::Slow(Duration::from_secs(60)));
        assert!(ask().await.unwrap_err().is_timeout(), "{service}");
        world.emulators.clear_faults(service);
        assert_eq!(ask().await.unwrap().status(), 200, "{service}");
    }
}

#[tokio::test]
async fn a_fault_may_be_for_a_path_and_for_a_while() {
    let world = World::start(Options::default()).await;
    let fault = Faulty { path: Some("/v1.0/users".into()), times: Some(2), ..Fault::Status(500).into() };
    world.emulators.set_fault(Service::Graph, fault);
    let mut statuses = Vec::new();
    for path in ["/v1.0/users", "/v1.0/devices", "/v1.0/users", "/v1.0/users"] {
        statuses.push(world.get(path).await.0);
    }
    assert_eq!(statuses, [500, 200, 500, 200]);
}

#[tokio::test]
async fn the_control_interface_does_what_the_library_does() {
    let world = World::start(Options { devices: 3, ..Options::default() }).await;
    let (_, overview) = world.control(Method::GET, "/", None).await;
    assert_eq!(overview["services"]["graph"], world.emulators.graph());
    assert_eq!(overview["credentials"]["client_secret"], json!(world.emulators.credentials().client_secret));
    let device = world.emulators.ids(Kind::IntuneDevice).remove(2);
    let path = format!("/objects/intune-device/{device}");
    for (action, body, place, expected) in [
        ("wipe", None, "/object/managementState", "wipePending"),
        ("management", Some(json!({"state": "wipeIssued"})), "/object/managementState", "wipeIssued"),
        ("compliance", Some(json!({"state": "noncompliant"})), "/object/complianceState", "noncompliant"),
        ("delete", None, "/life", "deleted"),
        ("restore", None, "/life", "live"),
    ] {
        let (status, shown) = world.control(Method::POST, &format!("{path}/{action}"), body).await;
        assert_eq!((status, shown.pointer(place).unwrap()), (200, &json!(expected)), "{action}");
    }
    for (method, path, body, status) in [
        (Method::POST, format!("{path}/disable"), None, 409),
        (Method::POST, format!("{path}/explode"), None, 400),
        (Method::POST, format!("{path}/compliance"), Some(json!({"state": "happy"})), 400),
        (Method::POST, "/objects/intune-device/nothing/wipe".into(), None, 404),
        (Method::GET, "/objects/toaster".into(), None, 400),
        (Method::PUT, "/faults/toaster".into(), None, 400),
        (Method::PUT, "/faults/graph".into(), Some(json!({"kind": "x"})), 400),
        (Method::POST, "/challenges".into(), Some(json!({"device": "nothing"})), 404),
        (Method::GET, "/nothing".into(), None, 400),
    ] {
        let (given, said) = world.control(method, &path, body).await;
        assert_eq!((given, said["error"].is_string()), (status, true), "{path}: {said}");
    }
    let (_, list) = world.control(Method::GET, "/objects/intune-device?skip=1&count=1", None).await;
    assert_eq!((&list["total"], list["objects"].as_array().unwrap().len()), (&json!(3), 1));
    let (status, made) =
        world.control(Method::POST, "/objects/jamf-computer", Some(json!({"name": "Boalime"}))).await;
    assert_eq!((status, &made["object"]["name"], &made["id"]), (201, &json!("Boalime"), &json!("4")));
    let patched =
        world.control(Method::PATCH, "/objects/jamf-computer/4", Some(json!({"name": "Lime"}))).await.1;
    assert_eq!(patched["object"]["name"], "Lime");
    let (_, made) = world.control(Method::POST, "/challenges", Some(json!({"device": device}))).await;
    assert!(made["challenge"].as_str().unwrap().len() == 44, "{made}");
    let (_, faults) =
        world.control(Method::PUT, "/faults/scim", Some(json!({"kind": "reset", "times": 1}))).await;
    assert_eq!(faults, json!({"faults": [{"kind": "reset", "times": 1}]}));
    assert_eq!(world.control(Method::DELETE, "/faults/scim", None).await.1, json!({"faults": []}));
    world.found("/v1.0/users?$top=1").await;
    let (_, requests) = world.control(Method::GET, "/requests", None).await;
    let latest = requests["requests"].as_array().unwrap().last().unwrap();
    assert_eq!(
        latest,
        &json!({"service": "graph", "method": "GET", "target": "/v1.0/users?$top=1", "status": 200})
    );
}
