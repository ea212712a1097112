//! Tokens go to those who prove who they are, and to nobody else.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use std::{sync::Arc, time::Duration};

use emulators::Options;
use pki_core::{Clock, UnixTime};
use rest_client::{
    AssertionAlgorithm, ClientAssertion, ClientAssertionParts, ClientCredentials, ClientProof,
    ManagedIdentity, RestClient, RestError, RestSettings, TokenSource as _,
};
use support::{GRAPH_SCOPE, INTUNE_SCOPE, World, answer};
use testkit::SeededRandom;

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said_in_entras_words() {
    let world = World::start(Options::default()).await;
    let known = world.emulators.credentials().clone();
    let good = [
        ("grant_type", "client_credentials"),
        ("client_id", &*known.client_id),
        ("client_secret", &*known.client_secret),
        ("scope", GRAPH_SCOPE),
    ];
    let other_tenant = "00000000-0000-0000-0000-00000000000f";
    for (tenant, name, value, expected) in [
        (&*known.tenant, "", "", (200, None)),
        (&known.domain, "", "", (200, None)),
        (&known.tenant, "scope", INTUNE_SCOPE, (200, None)),
        (other_tenant, "", "", (400, Some(90_002))),
        (&known.tenant, "client_secret", "wrong", (401, Some(7_000_215))),
        (&known.tenant, "client_secret", "-", (401, Some(7_000_218))),
        (&known.tenant, "client_id", other_tenant, (400, Some(700_016))),
        (&known.tenant, "client_id", "-", (400, Some(900_144))),
        (&known.tenant, "grant_type", "password", (400, Some(70_003))),
        (&known.tenant, "grant_type", "-", (400, Some(900_144))),
        (&known.tenant, "scope", "-", (400, Some(900_144))),
        (&known.tenant, "scope", "https://graph.microsoft.com/User.Read", (400, Some(1_002_012))),
        (&known.tenant, "scope", "https://example.com/.default", (400, Some(500_011))),
    ] {
        let form: Vec<_> = good
            .iter()
            .map(|(known, given)| if *known == name { (*known, value) } else { (*known, *given) })
            .filter(|(_, value)| *value != "-")
            .collect();
        let (status, body) = answer(world.form(&format!("/{tenant}/oauth2/v2.0/token"), &form)).await;
        let code = body["error_codes"].get(0).and_then(serde_json::Value::as_u64);
        assert_eq!((status, code), expected, "{tenant} {name}={value}: {body}");
        assert_eq!(body.get("access_token").is_some(), status == 200);
        assert_eq!(body.get("error_description").is_some(), status != 200);
    }
    // The same parameters, not as a form.
    let url = format!("{}/{}/oauth2/v2.0/token", world.emulators.entra(), known.tenant);
    let (status, body) = answer(world.http.post(url).json(&good)).await;
    assert_eq!((status, &body["error_codes"][0]), (400, &900_144.into()));
}

#[tokio::test]
async fn a_token_is_for_one_service_and_for_an_hour() {
    let world = World::start(Options::default()).await;
    let url = format!("{}/v1.0/users", world.emulators.graph());
    let ask = |token: String| answer(world.http.get(&url).bearer_auth(token));
    let (graph, intune) = (world.token(GRAPH_SCOPE).await, world.token(INTUNE_SCOPE).await);
    assert_eq!(ask(graph.clone()).await.0, 200);
    for token in [intune, "eyJ0eXAiOiJKV1QifQ.e30.x".into(), String::new()] {
        let (status, body) = ask(token).await;
        assert_eq!((status, support::code(&body)), (401, "InvalidAuthenticationToken"));
    }
    world.clock.advance(Duration::from_secs(3600));
    assert_eq!(ask(graph).await.0, 401);
    let token = world.token(GRAPH_SCOPE).await;
    world.emulators.revoke_tokens();
    assert_eq!(ask(token).await.0, 401);
}

fn credentials(
    world: &World,
    algorithm: AssertionAlgorithm,
    audience: &str,
    now: Arc<dyn Clock>,
) -> ClientCredentials {
    let certified = testkit::rsa_ca();
    let parts = ClientAssertionParts {
        service: "Entra".into(),
        audience: audience.to_owned(),
        certificate: certified.certificate,
        key: certified.key,
        algorithm,
        random: Arc::new(SeededRandom::new(1)),
    };
    let proof = ClientProof::Assertion(ClientAssertion::new(parts));
    let client = RestClient::new(RestSettings::new("Entra", world.emulators.entra()), None).unwrap();
    let known = world.emulators.credentials();
    let path = format!("/{}/oauth2/v2.0/token", known.tenant);
    ClientCredentials::new(client, path, known.client_id.clone(), proof, Some(GRAPH_SCOPE.into()), now)
}

#[tokio::test]
async fn a_signature_in_place_of_a_secret() {
    let certificate = Some(testkit::rsa_ca().certificate);
    let world = World::start(Options { certificate, ..Options::default() }).await;
    let known = world.emulators.credentials();
    let own = format!("{}/{}/oauth2/v2.0/token", world.emulators.entra(), known.tenant);
    let public = format!("https://login.microsoftonline.com/{}/v2.0", known.tenant);
    let clock: Arc<dyn Clock> = Arc::<testkit::FixedClock>::clone(&world.clock);
    let (rs256, ps256) = (AssertionAlgorithm::Rs256, AssertionAlgorithm::Ps256);
    for audience in [&own, &public] {
        // RS256 is what the key makes; with PS256 in its header the statement is a lie.
        credentials(&world, rs256, audience, Arc::clone(&clock)).token().await.unwrap();
    }
    let late: Arc<dyn Clock> = Arc::new(testkit::FixedClock::new(UnixTime(world.clock.now().0 + 3600)));
    for (algorithm, audience, clock, why) in [
        (rs256, "https://example.com/token", &clock, "AADSTS700023"),
        (rs256, &*own, &late, "AADSTS700024"),
        (ps256, &*own, &clock, "AADSTS700027"),
    ] {
        let refused = credentials(&world, algorithm, audience, Arc::clone(clock)).token().await.unwrap_err();
        assert!(
            matches!(&refused, RestError::Unauthorized { why: said, .. } if said.contains(why)),
            "{refused}"
        );
    }
    let world = World::start(Options::default()).await;
    let refused = credentials(&world, rs256, &own, clock).token().await.unwrap_err();
    assert!(refused.to_string().contains("AADSTS700027"), "no certificate is on file: {refused}");
}

#[tokio::test]
async fn a_machine_and_an_app_have_an_identity() {
    let world = World::start(Options::default()).await;
    let (entra, header) = (world.emulators.entra(), &world.emulators.credentials().identity_header);
    let clock: Arc<dyn Clock> = Arc::<testkit::FixedClock>::clone(&world.clock);
    let resource = "https://graph.microsoft.com";
    let machine = ManagedIdentity::of_machine(entra, resource, None, Arc::clone(&clock)).unwrap();
    let app =
        ManagedIdentity::of_app(&format!("{entra}/msi/token"), header, resource, None, Arc::clone(&clock));
    for identity in [machine, app.unwrap()] {
        let token = identity.token().await.unwrap();
        let url = format!("{}/v1.0/users", world.emulators.graph());
        let request = world.http.get(url).header("authorization", token.authorization.expose());
        assert_eq!(answer(request).await.0, 200);
    }
    let path = "/metadata/identity/oauth2/token";
    for (query, header, expected) in [
        ("?api-version=2018-02-01&resource=https://graph.microsoft.com", Some("true"), 200),
        ("?api-version=2018-02-01&resource=https://graph.microsoft.com", None, 400),
        ("?resource=https://graph.microsoft.com", Some("true"), 400),
        ("?api-version=2018-02-01", Some("true"), 400),
        ("?api-version=2018-02-01&resource=https://example.com", Some("true"), 400),
        ("?api-version=2018-02-01&resource=https://graph.microsoft.com&client_id=x", Some("true"), 400),
    ] {
        let request = world.http.get(format!("{entra}{path}{query}"));
        let request = header.into_iter().fold(request, |request, value| request.header("metadata", value));
        assert_eq!(answer(request).await.0, expected, "{query} {header:?}");
    }
    let refused = ManagedIdentity::of_app(&format!("{entra}/msi/token"), "wrong", resource, None, clock);
    assert!(refused.unwrap().token().await.is_err());
}
