//! HTTP octet by octet: what is asked goes out exactly as written, and what comes back is kept.
//!
//! An HTTP library would mend the requests that these checks are about.

mod endpoint;
mod response;
mod wire;

use std::{fmt, time::Duration};

pub use endpoint::{Endpoint, InvalidUrl};
pub use response::HttpResponse;

/// One request and what came back, as octets.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "two sides")]
pub struct Exchange {
    /// The whole request.
    pub request: Vec<u8>,
    /// The whole response, as far as it came.
    pub response: Vec<u8>,
}

/// The version that a request claims.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    /// HTTP/1.1, with a Host.
    Http11,
    /// HTTP/1.0, without.
    Http10,
}

/// A request as it will be written.
#[derive(Debug, Clone)]
pub(crate) struct HttpRequest {
    pub(crate) method: &'static str,
    pub(crate) target: Vec<u8>,
    pub(crate) version: Version,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Option<Vec<u8>>,
}

impl HttpRequest {
    pub(crate) fn get(target: impl Into<Vec<u8>>) -> Self {
        let (headers, body) = (Vec::new(), None);
        Self { method: "GET", target: target.into(), version: Version::Http11, headers, body }
    }

    pub(crate) fn post(target: impl Into<Vec<u8>>, media_type: &str, body: &[u8]) -> Self {
        let headers = vec![("Content-Type", media_type.to_owned())];
        Self { method: "POST", headers, body: Some(body.to_vec()), ..Self::get(target) }
    }

    fn to_bytes(&self, authority: &str) -> Vec<u8> {
        let version = match self.version {
            Version::Http11 => "1.1",
            Version::Http10 => "1.0",
        };
        let mut out = [self.method.as_bytes(), b" ", &self.target].concat();
        out.extend(format!(" HTTP/{version}\r\n").bytes());
        if self.version == Version::Http11 {
            out.extend(format!("Host: {authority}\r\nConnection: close\r\n").bytes());
        }
        for (name, value) in &self.headers {
            out.extend(format!("{name}: {value}\r\n").bytes());
        }
        if let Some(body) = &self.body {
            out.extend(format!("Content-Length: {}\r\n", body.len()).bytes());
        }
        out.extend(b"\r\n");
        out.extend(self.body.iter().flatten());
        out
    }
}

/// Talks to one server, a connection for each request, and remembers what was said.
#[derive(Debug)]
pub(crate) struct Http {
    endpoint: Endpoint,
    timeout: Duration,
    exchanges: Vec<Exchange>,
}

impl Http {
    pub(crate) fn new(endpoint: Endpoint, timeout: Duration) -> Self {
        Self { endpoint, timeout, exchanges: Vec::new() }
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Sends it, and again where the server says that it is busy for a moment.
    pub(crate) fn send(&mut self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        const TRIES: u32 = 4;
        const LONGEST_WAIT: u64 = 20;
        let mut response = self.send_once(request)?;
        for _ in 1..TRIES {
            let busy = matches!(response.status, 429 | 503);
            let Some(seconds) = response.retry_after().filter(|&wait| busy && wait <= LONGEST_WAIT) else {
                break;
            };
            #[expect(clippy::disallowed_methods, reason = "the server asked for it")]
            std::thread::sleep(Duration::from_secs(seconds));
            response = self.send_once(request)?;
        }
        Ok(response)
    }

    /// Asks for the header of `target` alone. Whatever body comes all the same is in the response.
    pub(crate) fn send_head(&mut self, target: &str) -> Result<HttpResponse, HttpError> {
        let request = HttpRequest { method: "HEAD", ..HttpRequest::get(target) };
        let request = request.to_bytes(&self.endpoint.authority);
        let (response, _) = wire::exchange(&self.endpoint, self.timeout, &request);
        let parsed = HttpResponse::head(&response);
        self.exchanges.push(Exchange { request, response });
        parsed.map_err(HttpError::NotHttp)?.ok_or(HttpError::NoAnswer)
    }

    /// What was said since it was last asked.
    pub(crate) fn take_exchanges(&mut self) -> Vec<Exchange> {
        std::mem::take(&mut self.exchanges)
    }

    fn send_once(&mut self, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
        let request = request.to_bytes(&self.endpoint.authority);
        let (response, end) = wire::exchange(&self.endpoint, self.timeout, &request);
        let parsed = HttpResponse::parse(&response, response::Ended::Closed);
        self.exchanges.push(Exchange { request, response });
        match (parsed, end) {
            (Ok(Some(response)), _) => Ok(response),
            (Err(problem), _) => Err(HttpError::NotHttp(problem)),
            (Ok(None), Err(error)) => Err(HttpError::Connection(error.to_string())),
            (Ok(None), Ok(())) => Err(HttpError::NoAnswer),
        }
    }
}

/// No response came, or none that can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HttpError {
    Connection(String),
    NoAnswer,
    NotHttp(String),
}

impl fmt::Display for HttpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Connection(error) => write!(f, "the connection failed: {error}"),
            Self::NoAnswer => f.write_str("the server closed the connection without an answer"),
            Self::NotHttp(problem) => write!(f, "what came back is no HTTP: {problem}"),
        }
    }
}

impl From<HttpError> for crate::Judgement {
    fn from(error: HttpError) -> Self {
        Self::fail(error)
    }
}
