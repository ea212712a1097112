//! Requests and answers as HTTP carries them (RFC 6960 appendix A, RFC 9919 §6 and §7.2).

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Response, StatusCode,
    header::{ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, IF_NONE_MATCH},
};
use pki_core::UnixTime;

use crate::{
    Answer,
    answer::{Caching, NO_STORE, OCSP_RESPONSE},
    metrics::Via,
};

pub(crate) type HttpResponse = Response<Full<Bytes>>;

/// What of the HTTP request shapes the HTTP response.
pub(crate) struct Asked {
    pub(crate) method: Method,
    if_none_match: Vec<HeaderValue>,
}

impl Asked {
    pub(crate) fn new(method: &Method, headers: &HeaderMap) -> Self {
        // RFC 9110 §13.1.2: the condition is one of GET and HEAD.
        let all = headers.get_all(IF_NONE_MATCH).iter().filter(|_| *method != Method::POST);
        Self { method: method.clone(), if_none_match: all.cloned().collect() }
    }

    pub(crate) fn via(&self) -> Via {
        match self.method {
            Method::GET => Via::Get,
            Method::HEAD => Via::Head,
            _ => Via::Post,
        }
    }

    /// Whether the client has the answer, by its tag. If-Modified-Since is not looked at: a certificate can be revoked
    /// within the second in which it was called good.
    fn has_already(&self, caching: &Caching) -> bool {
        let lists = self.if_none_match.iter().filter_map(|list| list.to_str().ok());
        let tags = lists.flat_map(|list| list.split(',')).map(str::trim);
        tags.map(|tag| tag.strip_prefix("W/").unwrap_or(tag)).any(|tag| tag == "*" || tag == caching.etag)
    }
}

/// The answer as HTTP carries it at `now`. Errors are `200 OK` too: OCSP clients read the body of nothing else.
pub(crate) fn response(asked: &Asked, answer: &Answer, now: UnixTime) -> HttpResponse {
    response_with_status(StatusCode::OK, asked, answer, now)
}

pub(crate) fn response_with_status(
    status: StatusCode,
    asked: &Asked,
    answer: &Answer,
    now: UnixTime,
) -> HttpResponse {
    let mut response = Response::new(Full::default());
    let headers = response.headers_mut();
    if let Some(caching) = answer.caching() {
        *headers = caching.headers(now);
    } else {
        headers.insert(CACHE_CONTROL, NO_STORE);
        headers.insert(CONTENT_TYPE, OCSP_RESPONSE);
    }
    if answer.caching().is_some_and(|caching| asked.has_already(caching)) {
        headers.remove(CONTENT_TYPE);
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        return response;
    }
    if asked.method == Method::HEAD {
        headers.insert(CONTENT_LENGTH, answer.as_der().len().into());
    } else {
        *response.body_mut() = Full::new(answer.as_der().clone());
    }
    *response.status_mut() = status;
    response
}

/// A response that has nothing to do with OCSP.
pub(crate) fn plain(status: StatusCode, message: &'static str) -> HttpResponse {
    let mut response = Response::new(Full::new(Bytes::from_static(message.as_bytes())));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, NO_STORE);
    if status == StatusCode::METHOD_NOT_ALLOWED {
        headers.insert(ALLOW, HeaderValue::from_static("GET, HEAD, POST"));
    }
    response
}
