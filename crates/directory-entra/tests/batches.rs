//! Many questions at once, in few requests.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    unreachable_pub,
    missing_docs,
    reason = "tests"
)]

mod support;

use directory::{Directory as _, DirectoryError};
use directory_entra::EntraPolicy;
use serde_json::json;
use support::{Graph, object, word};

fn id(number: u32) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

fn path(number: u32) -> String {
    format!("/v1.0/users/{}?$select=id,accountEnabled", id(number))
}

/// Asks about as many users at once.
async fn ask(graph: &Graph, users: u32) -> Vec<Result<Option<directory::ObjectState>, DirectoryError>> {
    let directory = graph.directory(EntraPolicy::default());
    let asking: Vec<_> = (0..users)
        .map(|number| {
            let directory = directory.clone();
            tokio::spawn(async move { directory.state(object("entra-user", &id(number))).await })
        })
        .collect();
    let mut told = Vec::new();
    for asking in asking {
        told.push(asking.await.unwrap());
    }
    told
}

#[tokio::test]
async fn questions_that_come_together_go_together_and_each_has_its_own_answer() {
    let graph = Graph::start();
    for number in 0..100 {
        let enabled = number % 2 == 0;
        graph.page(&path(number), 200, json!({"id": id(number), "accountEnabled": enabled}));
    }
    graph.throttled(&path(50), 17);
    graph.page(&path(51), 500, json!({"error": {"code": "InternalServerError", "message": "m"}}));
    graph.page(&path(52), 200, json!({"id": id(53), "accountEnabled": true}));
    let told = ask(&graph, 110).await;
    for (number, told) in told.iter().enumerate() {
        let expected = match number {
            50..=52 => "unsure",
            100.. => "gone",
            even if even % 2 == 0 => "good",
            _ => "hold",
        };
        assert_eq!(word(told), expected, "{number}: {told:?}");
    }
    let patience = told[50].as_ref().unwrap_err();
    assert!(matches!(patience, DirectoryError::Throttled { retry_after, .. } if retry_after.as_secs() == 17));
    let asked = graph.asked();
    assert!(asked.len() < 20, "{asked:?}");
    assert!(asked.iter().all(|path| path == "/v1.0/$batch"), "{asked:?}");
}

#[tokio::test]
async fn one_question_alone_is_one_request() {
    let graph = Graph::start();
    graph.page(&path(0), 200, json!({"id": id(0), "accountEnabled": true}));
    let directory = graph.directory(EntraPolicy::default());
    for _ in 0..3 {
        assert_eq!(word(&directory.state(object("entra-user", &id(0))).await), "good");
    }
    assert_eq!(graph.asked(), [&*path(0), &path(0), &path(0)].map(|path| path.split('?').next().unwrap()));
}
