//! An encoded response.

use alloc::vec::Vec;

use pki_core::UnixTime;

use crate::{
    ErrorStatus,
    reader::{ENUMERATED, SEQUENCE},
};

/// An OCSPResponse ([RFC 6960 §4.2.1](https://www.rfc-editor.org/rfc/rfc6960#section-4.2.1)), ready to send.
#[derive(Debug, Clone)]
pub struct Response {
    der: Vec<u8>,
    times: Option<ResponseTimes>,
    is_cacheable: bool,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct ResponseTimes {
    pub(crate) produced_at: UnixTime,
    pub(crate) next_update: Option<UnixTime>,
}

impl Response {
    /// A response that carries no status and no signature.
    pub fn error(status: ErrorStatus) -> Self {
        let der = [SEQUENCE, 3, ENUMERATED, 1, status.code()].into();
        Self { der, times: None, is_cacheable: false }
    }

    pub(crate) fn signed(der: Vec<u8>, times: ResponseTimes, is_cacheable: bool) -> Self {
        Self { der, times: Some(times), is_cacheable }
    }

    /// The DER.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The DER.
    pub fn into_der(self) -> Vec<u8> {
        self.der
    }

    /// When it was made; `None` for errors.
    pub fn produced_at(&self) -> Option<UnixTime> {
        self.times.map(|times| times.produced_at)
    }

    /// The first nextUpdate in it, if all its statuses have one. After it, the response must not be served.
    pub fn next_update(&self) -> Option<UnixTime> {
        self.times.and_then(|times| times.next_update)
    }

    /// Whether it may be served again to whoever sends the same request: an authoritative status, and no nonce.
    pub fn is_cacheable(&self) -> bool {
        self.is_cacheable && self.next_update().is_some()
    }

    /// When a newer response should be made at the latest, if this one is served again: half way to nextUpdate, so
    /// that clients that come back on time find a newer one (RFC 9919 §7.1).
    pub fn refresh_at(&self) -> Option<UnixTime> {
        let (produced_at, next_update) = self.produced_at().zip(self.next_update())?;
        let half = next_update.saturating_since(produced_at).checked_div(2).unwrap_or_default();
        Some(produced_at.saturating_add(half))
    }
}
