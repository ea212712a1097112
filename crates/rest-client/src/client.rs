//! Questions and answers in JSON.

use std::{
    error::Error,
    fmt::{self, Write as _},
    sync::Arc,
    time::Duration,
};

use reqwest::{
    Method, Response, StatusCode, Url,
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, RETRY_AFTER},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{RestError, TokenSource};

/// A service that asks for patience and does not say for how long gets so much.
const DEFAULT_RETRY_AFTER: Duration = Duration::from_secs(10);
/// Nobody is obeyed for longer: a wrong header would silence the directory for good.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(600);
/// How much of an error message is passed on, in octets.
const MAX_WHY: usize = 300;

/// How a [`RestClient`] talks.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update")]
pub struct RestSettings {
    /// What the service is called in errors.
    pub service: String,
    /// What all paths are relative to, such as `https://graph.microsoft.com/v1.0`.
    pub base: String,
    /// A request that takes longer has failed.
    pub timeout: Duration,
    /// An answer that is longer has failed, in octets.
    pub max_answer: usize,
    /// The only certification authorities that are trusted, as PEM; empty for those of the system.
    pub trusted_cas: Vec<u8>,
    /// The headers of every request.
    pub headers: Vec<(&'static str, String)>,
    /// Whether what came with status 404 is the service's own way to say that there is no such thing.
    pub not_found: NotFound,
}

/// Reads the JSON object that came with status 404. What is no JSON object is never asked about: it is some proxy's.
pub type NotFound = fn(&Map<String, Value>) -> bool;

impl RestSettings {
    /// The defaults: 10 s, 4 MiB, the system's certification authorities, every JSON object says "not found".
    pub fn new(service: impl Into<String>, base: impl Into<String>) -> Self {
        Self {
            service: service.into(),
            base: base.into(),
            timeout: Duration::from_secs(10),
            max_answer: 4 << 20,
            trusted_cas: Vec::new(),
            headers: Vec::new(),
            not_found: |_| true,
        }
    }
}

/// Talks to one service. Cheap to clone; connections are kept. Redirects are errors: none of these services sends any,
/// and a token must not follow one.
#[derive(Clone)]
pub struct RestClient {
    http: reqwest::Client,
    base: String,
    service: String,
    max_answer: usize,
    not_found: NotFound,
    tokens: Option<Arc<dyn TokenSource>>,
}

impl RestClient {
    /// Fails when the base is no http or https URL, or a header or a trusted CA cannot be used.
    pub fn new(settings: RestSettings, tokens: Option<Arc<dyn TokenSource>>) -> Result<Self, RestError> {
        let RestSettings { service, base, timeout, max_answer, trusted_cas, headers: fixed, not_found } =
            settings;
        let unusable =
            |what: &str, why: &dyn fmt::Display| RestError::unavailable(&service, format!("{what}: {why}"));
        let url = Url::parse(&base).map_err(|why| unusable(&base, &why))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(unusable(&base, &"expected an http or https URL"));
        }
        let mut headers = HeaderMap::new();
        for (name, value) in &fixed {
            let value = HeaderValue::from_str(value).map_err(|why| unusable(name, &why))?;
            headers.insert(*name, value);
        }
        let mut builder = reqwest::Client::builder()
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .default_headers(headers)
            .user_agent(concat!("certbound/", env!("CARGO_PKG_VERSION")));
        if !trusted_cas.is_empty() {
            let cas = reqwest::Certificate::from_pem_bundle(&trusted_cas);
            let cas = cas.map_err(|why| unusable("the trusted certification authorities", &why))?;
            builder = builder.tls_certs_only(cas);
        }
        let http = builder.build().map_err(|why| unusable("no HTTP client", &causes(&why)))?;
        let base = base.trim_end_matches('/').to_owned();
        Ok(Self { http, base, service, max_answer, not_found, tokens })
    }

    /// What the service is called.
    pub fn service(&self) -> &str {
        &self.service
    }

    /// Whether it is spoken to over TLS.
    pub fn is_encrypted(&self) -> bool {
        self.base.starts_with("https://")
    }

    /// GET; `None` when the service says, in JSON, that there is no such thing. `path` begins with a slash, or is a
    /// whole URL below the base that the service itself gave.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, RestError> {
        self.get_with(path, &[]).await
    }

    /// The same, with headers of this request alone.
    pub async fn get_with<T: DeserializeOwned>(
        &self,
        path: &str,
        headers: &[(&str, &str)],
    ) -> Result<Option<T>, RestError> {
        let url = self.url(path)?;
        self.exchange(Method::GET, url, |request| with_headers(request, headers)).await
    }

    /// POST of JSON; `None` as with [`get`](Self::get).
    pub async fn post<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<Option<T>, RestError> {
        self.post_with(path, body, &[]).await
    }

    /// The same, with headers of this request alone.
    pub async fn post_with<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &(impl Serialize + Sync),
        headers: &[(&str, &str)],
    ) -> Result<Option<T>, RestError> {
        self.send_json(Method::POST, path, body, headers).await
    }

    /// PATCH of JSON; `None` as with [`get`](Self::get).
    pub async fn patch<T: DeserializeOwned>(
        &self,
        path: &str,
        body: &(impl Serialize + Sync),
    ) -> Result<Option<T>, RestError> {
        self.send_json(Method::PATCH, path, body, &[]).await
    }

    /// What an answer means that came by itself or as part of another one; `None` as with [`get`](Self::get).
    pub fn read<T: DeserializeOwned>(
        &self,
        status: u16,
        retry_after: Option<&str>,
        body: &[u8],
    ) -> Result<Option<T>, RestError> {
        let service = self.service.clone();
        let retry_after = retry_after.and_then(seconds);
        match (status, retry_after) {
            (200..=299, _) => {
                let answer = serde_json::from_slice(body);
                answer.map(Some).map_err(|why| RestError::garbage(&service, why))
            }
            // A proxy's page would make everybody deleted.
            (404, _) if self.says_not_found(body) => Ok(None),
            (404, _) => Err(RestError::garbage(&service, "status 404 without the service's own words")),
            (401, _) => Err(RestError::Unauthorized { service, why: said(body) }),
            (403, _) => Err(RestError::Forbidden { service, why: said(body) }),
            (429 | 503, Some(retry_after)) => Err(RestError::Throttled { service, retry_after }),
            (429, None) => Err(RestError::Throttled { service, retry_after: DEFAULT_RETRY_AFTER }),
            (400..=499, _) => Err(RestError::Refused { service, status, why: said(body) }),
            _ => Err(RestError::unavailable(&service, format!("status {status}: {}", said(body)))),
        }
    }

    fn says_not_found(&self, body: &[u8]) -> bool {
        serde_json::from_slice(body).is_ok_and(|said| (self.not_found)(&said))
    }

    async fn send_json<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &(impl Serialize + Sync),
        headers: &[(&str, &str)],
    ) -> Result<Option<T>, RestError> {
        let url = self.url(path)?;
        let body = serde_json::to_vec(body).map_err(|why| RestError::garbage(&self.service, why))?;
        let json = |request: reqwest::RequestBuilder| {
            with_headers(request, headers).header(CONTENT_TYPE, "application/json").body(body.clone())
        };
        self.exchange(method, url, json).await
    }

    /// POST of a form, without a token: how tokens are fetched.
    pub(crate) async fn post_form<T: DeserializeOwned>(
        &self,
        path: &str,
        form: &[(&str, &str)],
    ) -> Result<T, RestError> {
        let url = self.url(path)?;
        let response = self.http.post(url).form(form).send().await;
        let response = response.map_err(|error| RestError::unavailable(&self.service, causes(&error)))?;
        let answer = self.answer(response).await?;
        answer.ok_or_else(|| RestError::garbage(&self.service, "there is no such endpoint for tokens"))
    }

    async fn exchange<T: DeserializeOwned>(
        &self,
        method: Method,
        url: Url,
        fill: impl Fn(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> Result<Option<T>, RestError> {
        let first = self.send(method.clone(), url.clone(), &fill).await?;
        let Some(tokens) = self.tokens.as_ref().filter(|_| first.status() == StatusCode::UNAUTHORIZED) else {
            return self.answer(first).await;
        };
        // A token may be taken back before it expires.
        tokens.forget();
        let second = self.send(method, url, &fill).await?;
        self.answer(second).await
    }

    async fn send(
        &self,
        method: Method,
        url: Url,
        fill: &impl Fn(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> Result<Response, RestError> {
        let mut request = fill(self.http.request(method, url));
        if let Some(tokens) = &self.tokens {
            let token = tokens.token().await?;
            let mut value = HeaderValue::from_str(token.authorization.expose())
                .map_err(|_| RestError::unauthorized(&self.service, "the token is no text for a header"))?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        request.send().await.map_err(|error| RestError::unavailable(&self.service, causes(&error)))
    }

    async fn answer<T: DeserializeOwned>(&self, response: Response) -> Result<Option<T>, RestError> {
        let status = response.status().as_u16();
        let retry_after = response.headers().get(RETRY_AFTER).cloned();
        let body = self.body(response).await?;
        self.read(status, retry_after.as_ref().and_then(|value| value.to_str().ok()), &body)
    }

    async fn body(&self, mut response: Response) -> Result<Vec<u8>, RestError> {
        let mut body = Vec::new();
        let failed = |error: reqwest::Error| RestError::unavailable(&self.service, causes(&error));
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len().saturating_add(chunk.len()) > self.max_answer {
                let why = format!("more than {} octets", self.max_answer);
                return Err(RestError::garbage(&self.service, why));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// A URL that the service gave must be its own: the token goes there.
    fn url(&self, path: &str) -> Result<Url, RestError> {
        let whole = if path.starts_with('/') { format!("{}{path}", self.base) } else { path.to_owned() };
        let url = Url::parse(&whole)
            .map_err(|why| RestError::garbage(&self.service, format!("{whole:?}: {why}")))?;
        let base = Url::parse(&self.base).map_err(|why| RestError::garbage(&self.service, why))?;
        if url.origin() == base.origin() {
            Ok(url)
        } else {
            Err(RestError::garbage(&self.service, format!("it sends us elsewhere, to {:?}", url.host_str())))
        }
    }
}

impl fmt::Debug for RestClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RestClient({} at {})", self.service, self.base)
    }
}

fn with_headers(request: reqwest::RequestBuilder, headers: &[(&str, &str)]) -> reqwest::RequestBuilder {
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))
}

/// `value` as it may stand in a path or a query: everything but letters, digits, `-`, `.`, `_` and `~` is escaped
/// ([RFC 3986 §2.1](https://www.rfc-editor.org/rfc/rfc3986#section-2.1)).
///
/// ```
/// assert_eq!(rest_client::escape("a b#c/ü"), "a%20b%23c%2F%C3%BC");
/// ```
pub fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for octet in value.bytes() {
        if octet.is_ascii_alphanumeric() || b"-._~".contains(&octet) {
            escaped.push(char::from(octet));
        } else {
            // Text in memory takes everything.
            let _ = write!(escaped, "%{octet:02X}");
        }
    }
    escaped
}

/// The form with a date is not in use by any of them.
fn seconds(retry_after: &str) -> Option<Duration> {
    let seconds = retry_after.trim().parse::<u64>().ok()?;
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}

/// What an error says for people to read, cut short; control characters are left out.
fn said(body: &[u8]) -> String {
    let text = serde_json::from_slice::<Value>(body).ok().and_then(|json| message(&json));
    let text =
        text.unwrap_or_else(|| String::from_utf8_lossy(body.get(..MAX_WHY).unwrap_or(body)).into_owned());
    let text: String = text.chars().filter(|c| !c.is_control()).take(MAX_WHY).collect();
    if text.is_empty() { String::from("it does not say why") } else { text }
}

/// Where Graph, the token endpoints, Jamf and SCIM put it.
fn message(json: &Value) -> Option<String> {
    let places =
        ["/error/message", "/error_description", "/errors/0/description", "/detail", "/message", "/error"];
    let found = places.iter().find_map(|place| json.pointer(place)?.as_str());
    found.map(String::from)
}

/// reqwest keeps the interesting half ("connection refused") in the causes.
fn causes(error: &reqwest::Error) -> String {
    let mut text = String::from(if error.is_timeout() { "no answer in time" } else { "the exchange failed" });
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
