//! HTTP and HTTPS by reqwest.

use std::{error::Error, time::Duration};

use pki_core::BoxFuture;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, LOCATION, RETRY_AFTER};

use crate::{HttpReply, Transport, TransportError};

/// More than this is not read of any answer, in octets. CA chains are a few kilobytes, CRLs can be long.
const MAX_REPLY: usize = 1024 * 1024;

/// Talks to `http://` and `https://` URLs, to the server they name and to no other: redirects are reported, not
/// followed, and no proxy is asked.
#[derive(Debug, Clone)]
pub struct HttpTransport(reqwest::Client);

impl HttpTransport {
    /// Gives up on any one request after `timeout`. `https://` servers have to show a certificate that the operating
    /// system trusts.
    pub fn new(timeout: Duration) -> Result<Self, TransportError> {
        Self::of(Self::builder(timeout))
    }

    /// The same, where `https://` servers have to show a certificate of the CAs in `roots_pem`, and of no others.
    ///
    /// This CA vouches for the web server. Which CA is trusted to issue is [`Trust`](crate::Trust).
    pub fn with_tls_roots(timeout: Duration, roots_pem: &[u8]) -> Result<Self, TransportError> {
        let roots = reqwest::Certificate::from_pem_bundle(roots_pem).map_err(|error| failed(&error))?;
        if roots.is_empty() {
            return Err(TransportError::unreachable(
                "expected certificates of CAs for TLS, as PEM: there are none",
            ));
        }
        Self::of(Self::builder(timeout).tls_certs_only(roots))
    }

    fn builder(timeout: Duration) -> reqwest::ClientBuilder {
        reqwest::Client::builder()
            .timeout(timeout)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent(concat!("scep-client/", env!("CARGO_PKG_VERSION")))
    }

    fn of(builder: reqwest::ClientBuilder) -> Result<Self, TransportError> {
        builder.build().map(Self).map_err(|error| failed(&error))
    }

    async fn exchange(&self, url: &str, body: Option<&[u8]>) -> Result<HttpReply, TransportError> {
        let request = match body {
            None => self.0.get(url),
            Some(body) => {
                self.0.post(url).header(CONTENT_TYPE, "application/x-pki-message").body(body.to_vec())
            }
        };
        let mut response = request.send().await.map_err(|error| failed(&error))?;
        let (status, headers) = (response.status().as_u16(), response.headers());
        if response.status().is_redirection() {
            let location = text(headers, &LOCATION).unwrap_or_else(|| "nowhere".into());
            return Err(TransportError::unreachable(format_args!(
                "the server redirects to {location:?}: if that is right, use it as the URL"
            )));
        }
        let content_type = text(headers, &CONTENT_TYPE);
        let retry_after = text(headers, &RETRY_AFTER).and_then(|seconds| seconds.trim().parse().ok());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failed(&error))? {
            if body.len().saturating_add(chunk.len()) > MAX_REPLY {
                return Err(TransportError::new(format_args!("an answer of more than {MAX_REPLY} octets")));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(HttpReply { status, content_type, retry_after, body })
    }
}

impl Transport for HttpTransport {
    fn send<'a>(
        &'a self,
        url: &'a str,
        body: Option<&'a [u8]>,
    ) -> BoxFuture<'a, Result<HttpReply, TransportError>> {
        Box::pin(self.exchange(url, body))
    }
}

fn text(headers: &HeaderMap, name: &HeaderName) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(String::from)
}

/// reqwest keeps the interesting half ("connection refused") in the causes. The URL may hold a whole message: without
/// it.
fn failed(error: &reqwest::Error) -> TransportError {
    let causes = causes(error);
    if error.is_timeout() {
        TransportError::new(format_args!("no answer in time{causes}"))
    } else if error.is_connect() {
        TransportError::unreachable(format_args!("no connection{causes}"))
    } else if error.is_builder() {
        TransportError::unreachable(format_args!("expected an http:// or https:// URL{causes}"))
    } else if error.is_request() {
        // It was connected, it was sent, and no head of an answer came.
        TransportError::closed(format_args!("the connection ended without an answer{causes}"))
    } else {
        TransportError::new(format_args!("the exchange failed{causes}"))
    }
}

fn causes(error: &reqwest::Error) -> String {
    let mut text = String::new();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
