//! How tokens are fetched, kept and given up.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests"
)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use keys_software::AwsLc;
use pki_core::{SignatureVerifier as _, UnixTime};
use rest_client::{
    AssertionAlgorithm, Cached, ClientAssertion, ClientAssertionParts, ClientCredentials, ClientProof,
    ManagedIdentity, RestClient, RestError, RestSettings, Secret, TokenSource as _,
};
use testkit::{Answer, Asked, FixedClock, ScriptedService};

/// Gives token after token, and answers those who show the last one.
fn service() -> ScriptedService {
    let given = AtomicUsize::new(0);
    ScriptedService::start(move |asked| answer(asked, &given))
}

fn answer(asked: &Asked, given: &AtomicUsize) -> Answer {
    if asked.target.starts_with("/token") {
        let number = given.fetch_add(1, Ordering::SeqCst) + 1;
        let wrong = asked.body.contains("client_secret=wrong");
        return if wrong {
            (400, vec![], r#"{"error":"invalid_client","error_description":"AADSTS7000215: wrong"}"#.into())
        } else {
            (
                200,
                vec![],
                format!(r#"{{"access_token":"t{number}","token_type":"Bearer","expires_in":3599}}"#),
            )
        };
    }
    let last = format!("Bearer t{}", given.load(Ordering::SeqCst));
    // The third token is taken back at once.
    if asked.authorization.as_ref() == Some(&last) && last != "Bearer t3" {
        (200, vec![], "1".into())
    } else {
        (401, vec![], r#"{"error":"invalid_token"}"#.into())
    }
}

fn by_secret(service: &ScriptedService, clock: &Arc<FixedClock>, secret: &str) -> Cached<ClientCredentials> {
    let client = RestClient::new(RestSettings::new("tokens", &service.url), None).unwrap();
    let clock: Arc<dyn pki_core::Clock> = Arc::clone(clock) as _;
    let proof = ClientProof::Secret(Secret::new(secret));
    let scope = Some(String::from("https://graph.microsoft.com/.default"));
    Cached::new(ClientCredentials::new(client, "/token", "the-app", proof, scope, Arc::clone(&clock)), clock)
}

#[tokio::test]
async fn a_token_is_kept_until_shortly_before_it_expires_or_is_refused() {
    let (service, clock) = (service(), Arc::new(FixedClock::default()));
    let tokens: Arc<dyn rest_client::TokenSource> = Arc::new(by_secret(&service, &clock, "s3cret"));
    let client = RestClient::new(RestSettings::new("s", &service.url), Some(tokens)).unwrap();
    let fetched = || service.asked().iter().filter(|asked| asked.target == "/token").count();
    client.get::<u8>("/a").await.unwrap();
    clock.advance(Duration::from_secs(3530));
    client.get::<u8>("/a").await.unwrap();
    assert_eq!(fetched(), 1);
    clock.advance(Duration::from_secs(30));
    client.get::<u8>("/a").await.unwrap();
    assert_eq!(fetched(), 2);
    clock.advance(Duration::from_secs(3600));
    client.get::<u8>("/a").await.unwrap();
    assert_eq!(fetched(), 4, "the third is refused, so another is fetched");
    let form = &service.asked()[0].body;
    assert_eq!(
        form,
        "grant_type=client_credentials&client_id=the-app&client_secret=s3cret\
         &scope=https%3A%2F%2Fgraph.microsoft.com%2F.default"
    );
}

#[tokio::test]
async fn many_who_need_a_token_at_once_share_one() {
    let (service, clock) = (service(), Arc::new(FixedClock::default()));
    let tokens = Arc::new(by_secret(&service, &clock, "s3cret"));
    let asked: Vec<_> = (0..20)
        .map(|_| {
            let tokens = Arc::clone(&tokens);
            tokio::spawn(async move { tokens.token().await.unwrap().authorization.expose().to_owned() })
        })
        .collect();
    for one in asked {
        assert_eq!(one.await.unwrap(), "Bearer t1");
    }
}

#[tokio::test]
async fn wrong_credentials_say_so() {
    let (service, clock) = (service(), Arc::new(FixedClock::default()));
    let error = by_secret(&service, &clock, "wrong").token().await.unwrap_err();
    assert!(
        matches!(&error, RestError::Unauthorized { why, .. } if why.contains("AADSTS7000215")),
        "{error}"
    );
}

#[tokio::test]
async fn a_certificate_proves_who_asks() {
    use base64ct::{Base64UrlUnpadded, Encoding as _};
    let ca = testkit::rsa_ca();
    let service = ScriptedService::start(|_| (200, vec![], r#"{"access_token":"t","expires_in":60}"#.into()));
    let assertion = ClientAssertion::new(ClientAssertionParts {
        service: "tokens".into(),
        audience: "https://login.example.com/token".into(),
        certificate: ca.certificate.clone(),
        key: ca.key.clone(),
        algorithm: AssertionAlgorithm::Rs256,
        random: Arc::new(AwsLc),
    });
    let clock = Arc::new(FixedClock::default());
    let client = RestClient::new(RestSettings::new("tokens", &service.url), None).unwrap();
    let proof = ClientProof::Assertion(assertion);
    let tokens = ClientCredentials::new(client, "/token", "the-app", proof, None, Arc::clone(&clock) as _);
    tokens.token().await.unwrap();
    let form = service.asked()[0].body.clone();
    assert!(
        form.contains(
            "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
        )
    );
    let jwt = form.split("client_assertion=").nth(1).unwrap();
    let (signed, signature) = jwt.rsplit_once('.').unwrap();
    let signature = Base64UrlUnpadded::decode_vec(signature).unwrap();
    let key = ca.certificate.public_key();
    AwsLc.verify(key, pki_core::SignatureAlgorithm::RsaPkcs1Sha256, signed.as_bytes(), &signature).unwrap();
    let part = |n: usize| -> serde_json::Value {
        let part = signed.split('.').nth(n).unwrap();
        serde_json::from_slice(&Base64UrlUnpadded::decode_vec(part).unwrap()).unwrap()
    };
    assert_eq!((&part(0)["alg"], &part(0)["typ"]), (&"RS256".into(), &"JWT".into()));
    let now = testkit::NOW.0;
    let claims = part(1);
    assert_eq!(claims["aud"], "https://login.example.com/token");
    assert_eq!((&claims["iss"], &claims["sub"]), (&"the-app".into(), &"the-app".into()));
    assert_eq!((claims["nbf"].as_u64(), claims["exp"].as_u64()), (Some(now), Some(now + 300)));
}

#[tokio::test]
async fn a_machine_and_an_app_have_identities() {
    let service = ScriptedService::start(|asked| {
        let is_machine = asked.header("metadata") == Some("true");
        let is_app = asked.header("x-identity-header") == Some("s3cret");
        match (is_machine, is_app) {
            (true, false) => {
                (200, vec![], r#"{"access_token":"m","expires_in":"3599","expires_on":"1800000000"}"#.into())
            }
            (false, true) => (200, vec![], r#"{"access_token":"a","expires_on":1800000000}"#.into()),
            _ => (400, vec![], r#"{"error":"invalid_request"}"#.into()),
        }
    });
    let clock: Arc<dyn pki_core::Clock> = Arc::new(FixedClock::default());
    let resource = "https://graph.microsoft.com";
    let machine =
        ManagedIdentity::of_machine(&service.url, resource, Some("id"), Arc::clone(&clock)).unwrap();
    let token = machine.token().await.unwrap();
    assert_eq!((token.authorization.expose(), token.expires), ("Bearer m", Some(UnixTime(1_800_000_000))));
    let endpoint = format!("{}/msi/token", service.url);
    let app = ManagedIdentity::of_app(&endpoint, "s3cret", resource, None, clock).unwrap();
    assert_eq!(app.token().await.unwrap().authorization.expose(), "Bearer a");
    let targets: Vec<_> = service.asked().into_iter().map(|asked| asked.target).collect();
    assert_eq!(
        targets,
        [
            "/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fgraph.microsoft.com&client_id=id",
            "/msi/token?api-version=2019-08-01&resource=https%3A%2F%2Fgraph.microsoft.com",
        ]
    );
}
