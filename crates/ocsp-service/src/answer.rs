//! A response as it is kept and sent.

use bytes::Bytes;
use hyper::header::HeaderValue;
use ocsp_proto::{CacheHeaders, Response};
use pki_core::UnixTime;

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
    pub(crate) last_modified: HeaderValue,
    pub(crate) expires: HeaderValue,
    pub(crate) produced_at: UnixTime,
    pub(crate) refresh_at: UnixTime,
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
        Some(Self {
            etag: value(headers.etag())?,
            last_modified: value(headers.last_modified())?,
            expires: value(headers.expires())?,
            produced_at: response.produced_at()?,
            refresh_at: headers.refresh_at(),
        })
    }

    /// Whether a copy may still be sent at `now`. A clock that went back is no reason to send what seems to come from
    /// the future.
    pub(crate) fn is_fresh(&self, now: UnixTime) -> bool {
        self.produced_at <= now && now < self.refresh_at
    }
}
