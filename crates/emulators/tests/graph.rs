//! Graph's answers, and what it refuses.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use emulators::{Action, Fault, Faulty, GraphLimits, Kind, Options, Service};
use reqwest::Method;
use serde_json::{Value, json};
use support::{World, answer, code};

fn ids(body: &Value) -> Vec<&str> {
    body["value"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_device_is_found_by_each_of_its_names() {
    let world = World::start(Options::default()).await;
    let device = world.emulators.ids(Kind::EntraDevice).remove(3);
    let id =
        world.emulators.object(Kind::EntraDevice, &device).unwrap()["deviceId"].as_str().unwrap().to_owned();
    world.emulators.act(Kind::EntraDevice, &id, &Action::Disable).unwrap();
    let select = "$select=id,deviceId,accountEnabled";
    let expected = json!({"id": device, "deviceId": id, "accountEnabled": false});
    for path in [
        format!("/v1.0/devices/{device}?{select}"),
        format!("/v1.0/devices('{device}')?{select}"),
        format!("/v1.0/devices(deviceId='{id}')?{select}"),
        format!("/beta/devices(deviceId='{}')?{select}", id.to_uppercase()),
    ] {
        let mut body = world.found(&path).await;
        let context = body.as_object_mut().unwrap().remove("@odata.context").unwrap();
        assert!(context.as_str().unwrap().ends_with("$metadata#devices/$entity"));
        assert_eq!(body, expected, "{path}");
    }
    let list = world.found(&format!("/v1.0/devices?$filter=deviceId%20eq%20'{id}'&{select}")).await;
    assert_eq!(list["value"], json!([expected]));
    world.emulators.act(Kind::EntraDevice, &id, &Action::Delete).unwrap();
    let list = world.found(&format!("/v1.0/devices?$filter=deviceId%20eq%20'{id}'")).await;
    assert_eq!(list["value"], json!([]), "an empty list is how a deleted device looks");
    let (status, body) = world.get(&format!("/v1.0/devices/{device}")).await;
    assert_eq!((status, code(&body)), (404, "Request_ResourceNotFound"));
    assert!(body["error"]["innerError"]["request-id"].is_string());
}

#[tokio::test]
async fn what_graph_does_not_know_it_refuses() {
    let world = World::start(Options::default()).await;
    let device = world.emulators.ids(Kind::EntraDevice).remove(0);
    let managed = world.emulators.ids(Kind::IntuneDevice).remove(0);
    for (path, status, expected) in [
        ("/v2.0/users".to_owned(), 400, "BadRequest"),
        ("/v1.0/computers".into(), 400, "BadRequest"),
        (format!("/v1.0/devices/{device}?$select=enabled"), 400, "BadRequest"),
        ("/v1.0/devices/17".into(), 400, "Request_BadRequest"),
        ("/v1.0/devices(deviceId='17')".into(), 400, "BadRequest"),
        (format!("/v1.0/devices(objectId='{device}')"), 400, "BadRequest"),
        ("/v1.0/devices?$filter=deviceId%20ne%20'x'".into(), 400, "BadRequest"),
        ("/v1.0/devices?$filter=model%20eq%20'x'".into(), 400, "Request_UnsupportedQuery"),
        ("/v1.0/devices?$top=1000".into(), 400, "Request_UnsupportedQuery"),
        ("/v1.0/devices?$orderby=id".into(), 400, "Request_UnsupportedQuery"),
        (format!("/v1.0/devices/{device}?$filter=id%20eq%20'x'"), 400, "Request_UnsupportedQuery"),
        (
            format!("/v1.0/deviceManagement/managedDevices/{managed}?$select=managementState"),
            400,
            "BadRequest",
        ),
        ("/v1.0/deviceManagement/managedDevices/delta".into(), 400, "Request_BadRequest"),
        ("/v1.0/users/nobody@contoso.onmicrosoft.com".into(), 404, "Request_ResourceNotFound"),
        (
            "/v1.0/servicePrincipals/appId=0000000b-0000-0000-c000-000000000000/endpoints".into(),
            404,
            "Request_ResourceNotFound",
        ),
    ] {
        let (given, body) = world.get(&path).await;
        assert_eq!((given, code(&body)), (status, expected), "{path}: {body}");
    }
    let (status, _) = answer(world.graph(Method::POST, "/v1.0/users").await.json(&json!({}))).await;
    assert_eq!(status, 405);
    let (status, body) = answer(world.http.get(format!("{}/v1.0/users", world.emulators.graph()))).await;
    assert_eq!((status, code(&body)), (401, "InvalidAuthenticationToken"));
}

#[tokio::test]
async fn a_user_shows_what_is_selected_and_by_default_not_the_account() {
    let world = World::start(Options::default()).await;
    let user = world.emulators.ids(Kind::EntraUser).remove(0);
    let upn = world.emulators.object(Kind::EntraUser, &user).unwrap()["userPrincipalName"].clone();
    let body = world.found(&format!("/v1.0/users/{user}")).await;
    assert!(body.get("accountEnabled").is_none() && body["userPrincipalName"] == upn, "{body}");
    let path = format!("/v1.0/users/{}?$select=accountEnabled", upn.as_str().unwrap());
    assert_eq!(world.found(&path).await["accountEnabled"], json!(true));
    let odd = json!({"userPrincipalName": "$a#ext#@contoso.onmicrosoft.com"});
    world.emulators.create(Kind::EntraUser, &odd).unwrap();
    let body =
        world.found("/v1.0/users('$a%23ext%23@contoso.onmicrosoft.com')?$select=userPrincipalName").await;
    assert_eq!(body["userPrincipalName"], odd["userPrincipalName"]);
}

#[tokio::test]
async fn a_managed_device_says_in_beta_how_it_is_managed() {
    let world = World::start(Options::default()).await;
    let device = world.emulators.ids(Kind::IntuneDevice).remove(0);
    let act = |action| world.emulators.act(Kind::IntuneDevice, &device, &action).unwrap();
    let path = |version: &str| format!("/{version}/deviceManagement/managedDevices/{device}");
    act(Action::Wipe);
    act(Action::Compliance { state: "noncompliant".into(), grace_until: None });
    let (old, new) = (world.found(&path("v1.0")).await, world.found(&path("beta")).await);
    assert_eq!((old.get("managementState"), &new["managementState"]), (None, &json!("wipePending")));
    assert_eq!(
        (&old["complianceState"], &new["complianceState"]),
        (&json!("noncompliant"), &json!("noncompliant"))
    );
    assert_eq!(old["deviceActionResults"][0]["actionName"], "factoryReset");
    // Entra hears of it.
    let entra = world.emulators.object(Kind::EntraDevice, old["azureADDeviceId"].as_str().unwrap()).unwrap();
    assert_eq!(entra["isCompliant"], json!(false));
    act(Action::Delete);
    let (status, body) = world.get(&path("v1.0")).await;
    assert_eq!((status, code(&body)), (404, "ResourceNotFound"));
    let wrapped: Value = serde_json::from_str(body["error"]["message"].as_str().unwrap()).unwrap();
    assert!(wrapped["_version"].is_number(), "Intune's own words: {wrapped}");
}

#[tokio::test]
async fn lists_come_in_pages() {
    let world = World::start(Options { users: 7, page_size: 3, ..Options::default() }).await;
    let (mut path, mut seen) = ("/v1.0/users?$select=id".to_owned(), Vec::new());
    loop {
        let page = world.found(&path).await;
        seen.extend(ids(&page).into_iter().map(String::from));
        assert!(page["value"].as_array().unwrap().len() <= 3);
        match page["@odata.nextLink"].as_str() {
            Some(next) => path = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, world.emulators.ids(Kind::EntraUser));
    assert_eq!(ids(&world.found("/v1.0/users?$top=7").await).len(), 7);
}

#[tokio::test]
async fn a_batch_has_at_most_twenty_parts_each_with_its_own_answer() {
    let world = World::start(Options::default()).await;
    let users = world.emulators.ids(Kind::EntraUser);
    world.emulators.act(Kind::EntraUser, &users[1], &Action::Delete).unwrap();
    let throttled = Fault::Throttled { retry_after: Some(7) };
    let path = Some(format!("/v1.0/users/{}", users[2]));
    world.emulators.set_fault(Service::Graph, Faulty { path, ..throttled.into() });
    let part =
        |id: &str, user: &str| json!({"id": id, "method": "GET", "url": format!("/users/{user}?$select=id")});
    let mut after = part("4", &users[0]);
    after["dependsOn"] = json!(["2"]);
    let (status, body) =
        world.batch(json!([part("1", &users[0]), part("2", &users[1]), part("3", &users[2]), after])).await;
    assert_eq!(status, 200, "{body}");
    let responses = body["responses"].as_array().unwrap();
    let of = |id: &str| responses.iter().find(|response| response["id"] == id).unwrap();
    assert_eq!(["1", "2", "3", "4"].map(|id| of(id)["status"].as_u64().unwrap()), [200, 404, 429, 424]);
    assert_eq!(of("1")["body"]["id"], users[0].as_str());
    assert_eq!(
        (code(&of("2")["body"]), &of("3")["headers"]["Retry-After"]),
        ("Request_ResourceNotFound", &json!("7"))
    );
    assert_ne!(responses[0]["id"], "1", "the order is nobody's business");
    let many = |count: usize| (0..count).map(|id| part(&id.to_string(), &users[0])).collect::<Value>();
    for (requests, expected) in [
        (many(20), 200),
        (many(21), 400),
        (json!([]), 400),
        (json!([part("1", "x"), part("1", "y")]), 400),
        (json!([{"id": "1", "method": "GET"}]), 400),
        (json!([{"id": "1", "method": "GET", "url": "/users", "dependsOn": ["9"]}]), 400),
        (json!([{"id": "1", "method": "POST", "url": "/users", "body": {}}]), 400),
    ] {
        let (status, body) = world.batch(requests).await;
        assert_eq!(status, expected, "{body}");
    }
}

#[tokio::test]
async fn changes_are_followed() {
    let world = World::start(Options { users: 5, page_size: 2, ..Options::default() }).await;
    let users = world.emulators.ids(Kind::EntraUser);
    let (mut path, mut seen) = ("/v1.0/users/delta?$select=accountEnabled".to_owned(), Vec::new());
    let link = loop {
        let page = world.found(&path).await;
        seen.extend(ids(&page).into_iter().map(String::from));
        match (page["@odata.nextLink"].as_str(), page["@odata.deltaLink"].as_str()) {
            (Some(next), None) => path = next.to_owned(),
            (None, Some(link)) => break link.to_owned(),
            other => panic!("{other:?}"),
        }
        assert!(path.contains("$skiptoken="), "{path}");
    };
    assert!(link.contains("$deltatoken="), "{link}");
    assert_eq!(seen, users);
    let latest = world.found("/v1.0/users/delta?$deltatoken=latest").await;
    assert_eq!(latest["value"], json!([]));
    assert_eq!(world.found(&link).await["value"], json!([]));
    for (user, action) in [(0, Action::Disable), (1, Action::Delete), (2, Action::Delete), (2, Action::Purge)]
    {
        world.emulators.act(Kind::EntraUser, &users[user], &action).unwrap();
    }
    let first = world.found(&link).await;
    let second = world.found(first["@odata.nextLink"].as_str().unwrap()).await;
    let changes: Vec<_> =
        [&first, &second].into_iter().flat_map(|page| page["value"].as_array().unwrap()).collect();
    let expected = [
        json!({"id": users[0], "accountEnabled": false}),
        json!({"id": users[1], "@removed": {"reason": "changed"}}),
        json!({"id": users[2], "@removed": {"reason": "deleted"}}),
    ];
    assert_eq!(changes, expected.iter().collect::<Vec<_>>());
    world.emulators.act(Kind::EntraUser, &users[1], &Action::Restore).unwrap();
    let restored = world.found(second["@odata.deltaLink"].as_str().unwrap()).await;
    assert_eq!(restored["value"], json!([{"id": users[1], "accountEnabled": true}]));
    let since_latest = world.found(latest["@odata.deltaLink"].as_str().unwrap()).await;
    assert_eq!(ids(&since_latest).len(), 2, "the first page of three");
    world.emulators.expire_delta_tokens();
    let (status, body) = world.get(&link).await;
    assert_eq!((status, code(&body)), (410, "syncStateNotFound"));
    assert_eq!(world.get("/v1.0/users/delta?$deltatoken=x").await.0, 400);
}

#[tokio::test]
async fn risk_is_asked_seldom() {
    let world = World::start(Options::default()).await;
    let users = world.emulators.ids(Kind::EntraUser);
    world.emulators.act(Kind::EntraUser, &users[1], &Action::Risk("high".into())).unwrap();
    let body = world.found("/v1.0/identityProtection/riskyUsers?$filter=riskLevel%20eq%20'high'").await;
    assert_eq!(ids(&body), [&*users[1]]);
    assert_eq!(body["value"][0]["riskState"], "atRisk");
    let request =
        world.graph(Method::GET, &format!("/v1.0/identityProtection/riskyUsers/{}", users[0])).await;
    let response = request.try_clone().unwrap().send().await.unwrap();
    assert_eq!((response.status().as_u16(), response.headers().get("retry-after")), (429, None));
    world.clock.advance(std::time::Duration::from_secs(1));
    assert_eq!(answer(request).await.0, 404, "nobody ever suspected this one");
}

#[tokio::test]
async fn a_tenant_that_asks_too_much_is_told_when_to_come_back() {
    let limits = GraphLimits { units: 10, risk: 1 };
    let world = World::start(Options { limits, ..Options::default() }).await;
    let user = world.emulators.ids(Kind::EntraUser).remove(0);
    let ask = async || {
        let response = world.graph(Method::GET, &format!("/v1.0/users/{user}")).await.send().await.unwrap();
        let header =
            |name: &str| response.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        (
            response.status().as_u16(),
            header("x-ms-resource-unit"),
            header("x-ms-throttle-limit-percentage"),
            header("retry-after"),
        )
    };
    let two = || Some("2".to_owned());
    for share in [None, None, None, Some("0.80".into()), Some("1.00".into())] {
        assert_eq!(ask().await, (200, two(), share, None));
    }
    let (status, _, _, wait) = ask().await;
    let wait: u64 = wait.unwrap().parse().unwrap();
    assert!(status == 429 && (1..=10).contains(&wait), "{status} {wait}");
    world.clock.advance(std::time::Duration::from_secs(wait));
    assert_eq!(ask().await.0, 200);
}
