//! A client of the emulators that knows nothing of them but their URLs.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use std::sync::Arc;

use emulators::{Emulators, Options};
use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use testkit::FixedClock;

pub const GRAPH_SCOPE: &str = "https://graph.microsoft.com/.default";
pub const INTUNE_SCOPE: &str = "https://api.manage.microsoft.com//.default";

pub struct World {
    pub emulators: Emulators,
    pub clock: Arc<FixedClock>,
    pub http: Client,
}

/// Status and body; a body that is no JSON is text.
pub async fn answer(request: RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    let status = response.status().as_u16();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

impl World {
    pub async fn start(options: Options) -> Self {
        let clock = Arc::new(FixedClock::default());
        let options = Options { clock: Arc::<FixedClock>::clone(&clock), ..options };
        let emulators = Emulators::start(options).await.unwrap();
        Self { emulators, clock, http: Client::new() }
    }

    pub fn form(&self, path: &str, form: &[(&str, &str)]) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.emulators.entra())).form(form)
    }

    pub async fn token(&self, scope: &str) -> String {
        let known = self.emulators.credentials();
        let path = format!("/{}/oauth2/v2.0/token", known.tenant);
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &*known.client_id),
            ("client_secret", &*known.client_secret),
            ("scope", scope),
        ];
        let (status, body) = answer(self.form(&path, &form)).await;
        assert_eq!(status, 200, "{body}");
        body["access_token"].as_str().unwrap().to_owned()
    }

    pub async fn graph(&self, method: Method, path: &str) -> RequestBuilder {
        let url = if path.starts_with("http") {
            path.to_owned()
        } else {
            format!("{}{path}", self.emulators.graph())
        };
        self.http.request(method, url).bearer_auth(self.token(GRAPH_SCOPE).await)
    }

    /// What Graph answers to GET.
    pub async fn get(&self, path: &str) -> (u16, Value) {
        answer(self.graph(Method::GET, path).await).await
    }

    /// The same, which must succeed.
    pub async fn found(&self, path: &str) -> Value {
        let (status, body) = self.get(path).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    pub async fn batch(&self, requests: Value) -> (u16, Value) {
        answer(self.graph(Method::POST, "/v1.0/$batch").await.json(&json!({"requests": requests}))).await
    }

    /// What the control interface answers.
    pub async fn control(&self, method: Method, path: &str, body: Option<Value>) -> (u16, Value) {
        let request = self.http.request(method, format!("{}{path}", self.emulators.control()));
        answer(match body {
            Some(body) => request.json(&body),
            None => request,
        })
        .await
    }
}

/// Where an error of Graph has its code.
pub fn code(body: &Value) -> &str {
    body.pointer("/error/code").and_then(Value::as_str).unwrap_or_default()
}
