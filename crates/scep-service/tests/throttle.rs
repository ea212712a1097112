//! Sources that ask for too much, and what is counted.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod support;

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;
use http_body_util::Full;
use http_listener::{PeerAddr, TrustedProxies};
use hyper::{Request, StatusCode};
use pki_core::{BoxFuture, ContentKey, DecryptionKey, KeyError, PublicKey, WrappedKey};
use prometheus_client::{encoding::text::encode, registry::Registry};
use scep_service::{Rate, ScepParts, Throttle, ThrottleLimits, metrics::ScepMetrics};
use support::{Answer, CHALLENGE, World, forge, keys, signer, world, world_with};
use testkit::FixedClock;

/// The RA's key, counting what it is used for.
#[derive(Debug, Default)]
struct Counted(AtomicUsize);

impl DecryptionKey for Counted {
    fn public_key(&self) -> &PublicKey {
        DecryptionKey::public_key(&*keys().ra)
    }

    fn unwrap_key<'a>(&'a self, wrapped: &'a WrappedKey) -> BoxFuture<'a, Result<ContentKey, KeyError>> {
        self.0.fetch_add(1, Ordering::SeqCst);
        keys().ra.unwrap_key(wrapped)
    }
}

/// Posts `message` from `peer`, with an X-Forwarded-For if there is one.
async fn post_from(world: &World, peer: &str, forwarded_for: &str, message: &[u8]) -> Answer {
    let request = Request::post("/scep?operation=PKIOperation")
        .extension(PeerAddr(format!("{peer}:4711").parse().unwrap()))
        .header("x-forwarded-for", forwarded_for)
        .body(Full::new(Bytes::copy_from_slice(message)));
    world.send(request.unwrap()).await
}

fn limited(world: World, limits: ThrottleLimits) -> World {
    World { service: world.service.with_throttle(Arc::new(Throttle::new(limits))), ..world }
}

const TWICE: Option<Rate> = Some(Rate { per_minute: 1, burst: 2 });

/// A message whose envelope holds nothing that its signer could have meant.
async fn undecryptable(world: &World) -> Vec<u8> {
    let envelope = forge::sealed(b"no request", &world.ra, &keys_software::AwsLc);
    forge::Signed::request("19", envelope, &signer().await).sign(&*keys().client).await
}

#[tokio::test]
async fn row_11_a_source_that_asks_too_often_is_429_and_nobody_is_asked() {
    let world = limited(world(), ThrottleLimits { requests: TWICE, undecryptable: None });
    let message = world.pkcs_req("laptop-1", "a guess").await.message;
    for _ in 0..2 {
        assert_eq!(post_from(&world, "192.0.2.1", "", &message).await.fail_info(), "2");
    }
    let answer = post_from(&world, "192.0.2.1", "", &message).await;
    assert_eq!(
        (answer.status, answer.headers["retry-after"].as_bytes()),
        (StatusCode::TOO_MANY_REQUESTS, &b"60"[..])
    );
    assert_eq!(world.asked(), 2);
    // Everybody else is served, and so is what costs nothing.
    assert_eq!(post_from(&world, "192.0.2.2", "", &message).await.status, StatusCode::OK);
    assert_eq!(world.get("/scep?operation=GetCACaps").await.status, StatusCode::OK);
}

#[tokio::test]
async fn row_26_failed_decryptions_have_a_budget_after_which_the_key_is_not_used() {
    let key = Arc::new(Counted::default());
    let clock = Arc::new(FixedClock::default());
    let world = world_with(|parts| {
        let (decryption_key, clock) = (Arc::clone(&key) as _, Arc::clone(&clock) as _);
        ScepParts { decryption_key, clock, ..parts }
    });
    let world = limited(world, ThrottleLimits { requests: None, undecryptable: TWICE });
    let message = undecryptable(&world).await;
    for _ in 0..2 {
        assert_eq!(post_from(&world, "192.0.2.1", "", &message).await.fail_info(), "1");
    }
    assert_eq!(key.0.load(Ordering::SeqCst), 2);
    let sound = world.pkcs_req("laptop-1", CHALLENGE).await.message;
    for message in [&message, &sound] {
        assert_eq!(post_from(&world, "192.0.2.1", "", message).await.status, StatusCode::TOO_MANY_REQUESTS);
    }
    assert_eq!(key.0.load(Ordering::SeqCst), 2, "the key was used for a source that is held off");
    assert_eq!(post_from(&world, "192.0.2.2", "", &sound).await.status, StatusCode::OK);
    clock.advance(std::time::Duration::from_secs(60));
    assert_eq!(post_from(&world, "192.0.2.1", "", &sound).await.status, StatusCode::OK);
}

#[tokio::test]
async fn behind_a_trusted_proxy_the_clients_are_told_apart() {
    let world = limited(world(), ThrottleLimits { requests: TWICE, undecryptable: None });
    let proxies = TrustedProxies::parse(["10.0.0.0/8"]).unwrap();
    let world = World { service: world.service.clone().with_trusted_proxies(proxies), ..world };
    let message = world.pkcs_req("laptop-1", "a guess").await.message;
    let status = async |peer, told| post_from(&world, peer, told, &message).await.status;
    for _ in 0..2 {
        assert_eq!(status("10.0.0.1", "198.51.100.7").await, StatusCode::OK);
    }
    assert_eq!(status("10.0.0.2", "203.0.113.1, 198.51.100.7").await, StatusCode::TOO_MANY_REQUESTS);
    assert_eq!(status("10.0.0.1", "198.51.100.8").await, StatusCode::OK);
    // A stranger's word counts for nothing.
    for (told, expected) in [
        ("198.51.100.9", StatusCode::OK),
        ("1.1.1.1", StatusCode::OK),
        ("2.2.2.2", StatusCode::TOO_MANY_REQUESTS),
    ] {
        assert_eq!(status("192.0.2.1", told).await, expected, "{told}");
    }
}

#[tokio::test]
async fn a_profile_has_a_rate_of_its_own() {
    let world = world();
    let world = World { service: world.service.clone().with_rate(Rate { per_minute: 6, burst: 2 }), ..world };
    let message = world.pkcs_req("laptop-1", "a guess").await.message;
    for (peer, expected) in [
        ("192.0.2.1", StatusCode::OK),
        ("192.0.2.2", StatusCode::OK),
        ("192.0.2.3", StatusCode::TOO_MANY_REQUESTS),
    ] {
        assert_eq!(post_from(&world, peer, "", &message).await.status, expected, "{peer}");
    }
}

#[tokio::test]
async fn what_became_of_requests_is_counted() {
    let (metrics, mut registry) = (ScepMetrics::new(), Registry::default());
    metrics.register(&mut registry);
    let world = limited(
        world(),
        ThrottleLimits { requests: Some(Rate { per_minute: 1, burst: 4 }), undecryptable: None },
    );
    let world = World { service: world.service.clone().with_metrics(metrics.of_profile("p")), ..world };
    for (message, status) in [
        (world.pkcs_req("laptop-1", CHALLENGE).await.message, StatusCode::OK),
        (world.pkcs_req("laptop-1", "a guess").await.message, StatusCode::OK),
        (undecryptable(&world).await, StatusCode::OK),
        (b"no message".to_vec(), StatusCode::BAD_REQUEST),
        (world.pkcs_req("laptop-1", CHALLENGE).await.message, StatusCode::TOO_MANY_REQUESTS),
    ] {
        assert_eq!(post_from(&world, "192.0.2.1", "", &message).await.status, status);
    }
    world.get("/scep?operation=GetCACaps").await;
    let mut text = String::new();
    encode(&mut text, &registry).unwrap();
    for line in [
        "certbound_scep_requests_total{profile=\"p\",operation=\"PKCSReq\",outcome=\"success\"} 1",
        "certbound_scep_requests_total{profile=\"p\",operation=\"PKCSReq\",outcome=\"failure\"} 2",
        "certbound_scep_requests_total{profile=\"p\",operation=\"unknown\",outcome=\"not-scep\"} 1",
        "certbound_scep_requests_total{profile=\"p\",operation=\"unknown\",outcome=\"throttled\"} 1",
        "certbound_scep_requests_total{profile=\"p\",operation=\"GetCACaps\",outcome=\"success\"} 1",
        "certbound_scep_refusals_total{profile=\"p\",code=\"undecryptable\"} 1",
        "certbound_scep_refusals_total{profile=\"p\",code=\"handler-refused\"} 1",
        "certbound_scep_ciphers_total{profile=\"p\",cipher=\"AES-128-CBC\"} 2",
        "certbound_scep_digests_total{profile=\"p\",digest=\"SHA-256\"} 2",
        "certbound_scep_stage_seconds_count{stage=\"unwrap\"} 3",
        "certbound_scep_stage_seconds_count{stage=\"decide\"} 2",
    ] {
        assert!(text.lines().any(|known| known == line), "{line} is missing:\n{text}");
    }
}
