//! A response as it is kept and sent.

use bytes::Bytes;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, EXPIRES, HeaderMap, HeaderValue, LAST_MODIFIED};
use ocsp_proto::{CacheHeaders, Response};
use pki_core::UnixTime;

pub(crate) const OCSP_RESPONSE: HeaderValue = HeaderValue::from_static(ocsp_proto::RESPONSE_MEDIA_TYPE);
pub(crate) const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// A response, ready to be sent any number of times.
#[derive(Debug, Clone)]
pub struct Answer {
    der: Bytes,
    next_update: Option<UnixTime>,
    caching: Option<Caching>,
}

/// What an HTTP cache is told.
#[derive(Debug, Clone)]
pub(crate) struct Caching {
    pub(crate) etag: HeaderValue,
    /// All fields of an answer, the Cache-Control of another time among them: to copy a table costs less than to fill one.
    headers: HeaderMap,
    produced_at: UnixTime,
    refresh_at: UnixTime,
}

impl Answer {
    pub(crate) fn new(response: Response) -> Self {
        let caching = CacheHeaders::of(&response).and_then(|headers| Caching::of(&response, &headers));
        Self { next_update: response.next_update(), caching, der: response.into_der().into() }
    }

    /// The DER of the OCSPResponse.
    pub fn as_der(&self) -> &Bytes {
        &self.der
    }

    /// Until when it may be sent; `None` for errors.
    pub fn next_update(&self) -> Option<UnixTime> {
        self.next_update
    }

    pub(crate) fn caching(&self) -> Option<&Caching> {
        self.caching.as_ref()
    }
}

impl Caching {
    fn of(response: &Response, headers: &CacheHeaders) -> Option<Self> {
        let value = |text: &str| HeaderValue::from_str(text).ok();
        let etag = value(headers.etag())?;
        let fields = [
            (CACHE_CONTROL, NO_STORE),
            (ETAG, etag.clone()),
            (LAST_MODIFIED, value(headers.last_modified())?),
            (EXPIRES, value(headers.expires())?),
            (CONTENT_TYPE, OCSP_RESPONSE),
        ];
        Some(Self {
            etag,
            headers: fields.into_iter().collect(),
            produced_at: response.produced_at()?,
            refresh_at: headers.refresh_at(),
        })
    }

    /// The header fields of a copy sent at `now`.
    pub(crate) fn headers(&self, now: UnixTime) -> HeaderMap {
        let mut headers = self.headers.clone();
        let max_age = self.refresh_at.saturating_since(now).as_secs();
        let cache_control = HeaderValue::try_from(ocsp_proto::cache_control(max_age));
        headers.insert(CACHE_CONTROL, cache_control.unwrap_or(NO_STORE));
        headers
    }

    /// Whether a copy may still be sent at `now`. A clock that went back is no reason to send what seems to come from
    /// the future.
    pub(crate) fn is_fresh(&self, now: UnixTime) -> bool {
        self.produced_at <= now && now < self.refresh_at
    }
}
