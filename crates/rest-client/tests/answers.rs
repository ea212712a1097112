//! What is made of a service's answers, and of what is none.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests"
)]

use std::{sync::Arc, time::Duration};

use directory::DirectoryError;
use rest_client::{Basic, FixedBearer, RestClient, RestError, RestSettings, Secret, TokenSource};
use serde::Deserialize;
use testkit::ScriptedService;

#[derive(Debug, Deserialize, PartialEq)]
struct Thing {
    id: u32,
}

fn client(url: &str) -> RestClient {
    RestClient::new(RestSettings::new("the service", url), None).unwrap()
}

const GRAPH_404: &str = r#"{"error":{"code":"Request_ResourceNotFound","message":"it does not exist"}}"#;

#[tokio::test]
async fn every_kind_of_answer_is_told_apart() {
    type Expected = fn(&Result<Option<Thing>, RestError>) -> bool;
    let cases: Vec<(u16, Option<u64>, &str, Expected)> = vec![
        (200, None, r#"{"id":7}"#, |got| *got == Ok(Some(Thing { id: 7 }))),
        (200, None, "<html>welcome to the hotel's network</html>", |got| {
            matches!(got, Err(RestError::Garbage { .. }))
        }),
        (200, None, r#"{"id":"#, |got| matches!(got, Err(RestError::Garbage { .. }))),
        (200, None, "", |got| matches!(got, Err(RestError::Garbage { .. }))),
        (404, None, GRAPH_404, |got| *got == Ok(None)),
        (404, None, "<html>nginx</html>", |got| matches!(got, Err(RestError::Garbage { .. }))),
        (404, None, "", |got| matches!(got, Err(RestError::Garbage { .. }))),
        (
            401,
            None,
            r#"{"error":"invalid_token"}"#,
            |got| matches!(got, Err(RestError::Unauthorized { why, .. }) if why == "invalid_token"),
        ),
        (403, None, GRAPH_404, |got| matches!(got, Err(RestError::Forbidden { .. }))),
        (
            400,
            None,
            r#"{"detail":"no such filter"}"#,
            |got| matches!(got, Err(RestError::Refused { status: 400, why, .. }) if why == "no such filter"),
        ),
        (410, None, "", |got| matches!(got, Err(RestError::Refused { status: 410, .. }))),
        (429, Some(17), "", |got| {
            *got == Err(RestError::Throttled {
                service: "the service".into(),
                retry_after: Duration::from_secs(17),
            })
        }),
        (429, None, "", |got| matches!(got, Err(RestError::Throttled { .. }))),
        (503, Some(5), "", |got| matches!(got, Err(RestError::Throttled { .. }))),
        (
            429,
            Some(10_000_000),
            "",
            |got| matches!(got, Err(RestError::Throttled { retry_after, .. }) if retry_after.as_secs() == 600),
        ),
        (503, None, "", |got| matches!(got, Err(RestError::Unavailable { .. }))),
        (
            500,
            None,
            r#"{"error":{"message":"boom"}}"#,
            |got| matches!(got, Err(RestError::Unavailable { why, .. }) if why.contains("boom")),
        ),
        (302, None, "", |got| matches!(got, Err(RestError::Unavailable { .. }))),
    ];
    for (status, retry_after, body, expected) in cases {
        let answer = body.to_owned();
        let headers =
            move || retry_after.map(|seconds| ("retry-after", seconds.to_string())).into_iter().collect();
        let service = ScriptedService::start(move |_| (status, headers(), answer.clone()));
        let got = client(&service.url).get::<Thing>("/thing").await;
        assert!(expected(&got), "{status} {body:?}: {got:?}");
        if let Err(error) = got {
            // Whatever it was, it says nothing about the object.
            assert!(matches!(
                DirectoryError::from(error),
                DirectoryError::Unavailable { .. } | DirectoryError::Throttled { .. }
            ));
        }
    }
}

#[tokio::test]
async fn an_answer_has_a_size() {
    let service = ScriptedService::start(|_| (200, vec![], format!("\"{}\"", "x".repeat(2000))));
    let small = RestSettings { max_answer: 1000, ..RestSettings::new("s", &service.url) };
    let small = RestClient::new(small, None).unwrap();
    assert!(matches!(small.get::<String>("/").await, Err(RestError::Garbage { .. })));
    assert_eq!(client(&service.url).get::<String>("/").await.unwrap().unwrap().len(), 2000);
}

#[tokio::test]
async fn nobody_there_is_no_answer() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = client(&url).get::<Thing>("/").await.unwrap_err();
    assert!(matches!(&error, RestError::Unavailable { why, .. } if why.contains("refused")), "{error}");
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let impatient = RestSettings { timeout: Duration::from_millis(50), ..RestSettings::new("s", url) };
    let error = RestClient::new(impatient, None).unwrap().get::<Thing>("/").await.unwrap_err();
    assert!(error.to_string().contains("in time"), "{error}");
}

#[tokio::test]
async fn tokens_go_to_the_service_and_nowhere_else() {
    let elsewhere = ScriptedService::start(|_| (200, vec![], "1".into()));
    let service = ScriptedService::start(|_| (200, vec![], "1".into()));
    let token: Arc<dyn TokenSource> = Arc::new(FixedBearer::new(&Secret::new("t0ken")));
    let client = RestClient::new(RestSettings::new("s", &service.url), Some(token)).unwrap();
    client.get::<u8>("/a").await.unwrap();
    client.get::<u8>(&format!("{}/next?page=2", service.url)).await.unwrap();
    assert!(client.get::<u8>(&format!("{}/next", elsewhere.url)).await.is_err());
    assert!(elsewhere.asked().is_empty());
    let targets: Vec<_> =
        service.asked().into_iter().map(|asked| (asked.target, asked.authorization)).collect();
    let bearer = Some(String::from("Bearer t0ken"));
    assert_eq!(targets, [("/a".into(), bearer.clone()), ("/next?page=2".into(), bearer)]);
    let basic: Arc<dyn TokenSource> = Arc::new(Basic::new("Aladdin", &Secret::new("open sesame")));
    let client = RestClient::new(RestSettings::new("s", &service.url), Some(basic)).unwrap();
    client.post::<u8>("/b", &7).await.unwrap();
    let asked = service.asked().pop().unwrap();
    assert_eq!(
        asked.authorization.as_deref(),
        Some("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        "the RFC's example"
    );
    assert_eq!((&*asked.method, &*asked.body), ("POST", "7"));
}

#[test]
fn secrets_do_not_show() {
    let secret = Secret::new("hunter2");
    let shown = format!("{secret:?} {:?} {:?}", FixedBearer::new(&secret), Basic::new("me", &secret));
    assert!(!shown.contains("hunter2") && !shown.contains("bWU6"), "{shown}");
}

#[test]
fn a_base_that_is_none_is_refused() {
    for base in ["graph.microsoft.com", "ftp://graph.microsoft.com", ""] {
        let error = RestClient::new(RestSettings::new("s", base), None).unwrap_err();
        assert!(error.to_string().contains(base), "{error}");
    }
}
