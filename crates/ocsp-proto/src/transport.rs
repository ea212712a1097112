//! OCSP in HTTP request targets, without any type of HTTP's.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use base64ct::{Base64, Encoding as _};
use pki_core::{DecodeError, decode_url_base64};

/// Media type of requests (RFC 6960 appendix C.1).
pub const REQUEST_MEDIA_TYPE: &str = "application/ocsp-request";
/// Media type of responses (RFC 6960 appendix C.2).
pub const RESPONSE_MEDIA_TYPE: &str = "application/ocsp-response";

/// Where a responder lives in its server's space of paths.
///
/// ```
/// # use ocsp_proto::BasePath;
/// let base: BasePath = "/ocsp".parse()?;
/// assert_eq!(base.rest_of("/ocsp/MEow//8="), Some("MEow//8="));
/// assert_eq!(base.rest_of("/ocsp"), Some(""));
/// assert_eq!(base.rest_of("/ocspx"), None);
/// # Ok::<(), pki_core::DecodeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BasePath(String);

impl BasePath {
    /// What follows this path in a raw request target, without the slashes between; `None` when the target lies
    /// elsewhere.
    ///
    /// Nothing of the target is normalized, because base64 has slashes of its own, two in a row among them. That
    /// slashes in front may go is due to DER: no request's base64 begins with one.
    pub fn rest_of<'t>(&self, target: &'t str) -> Option<&'t str> {
        let rest = target.trim_start_matches('/').strip_prefix(&*self.0)?;
        let below = self.0.is_empty() || rest.is_empty() || rest.starts_with('/');
        below.then(|| rest.trim_start_matches('/'))
    }

    /// The path, without slashes at its ends; empty for the root.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl core::str::FromStr for BasePath {
    type Err = DecodeError;

    /// Takes `/`, `/ocsp`, `ocsp/`, `/a/b` and the like.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let path = text.trim_matches('/');
        let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-._~/".contains(&octet);
        if path.bytes().all(plain) && !path.contains("//") {
            return Ok(Self(path.to_string()));
        }
        Err(DecodeError::new("a path of letters, digits, '-', '.', '_' and '~', such as /ocsp", "another"))
    }
}

/// The request in what follows the responder's path in the raw target of a GET
/// ([RFC 6960 appendix A.1](https://www.rfc-editor.org/rfc/rfc6960#appendix-A.1)), in any of the spellings that
/// [`decode_url_base64`] takes.
pub fn decode_get(rest: &str) -> Result<Vec<u8>, DecodeError> {
    let mut text = rest;
    while let Some(after) = ["/", "%2F", "%2f"].iter().find_map(|slash| text.strip_prefix(slash)) {
        text = after;
    }
    decode_url_base64(text.as_bytes())
}

/// The URL of a GET that sends `request` to the responder at `url`, as RFC 9919 §6 spells it.
pub fn get_url(url: &str, request: &[u8]) -> String {
    let text = Base64::encode_string(request);
    let mut out = String::with_capacity(url.len().saturating_add(text.len()).saturating_add(16));
    out.push_str(url.trim_end_matches('/'));
    out.push('/');
    for c in text.chars() {
        match c {
            '+' => out.push_str("%2B"),
            '/' => out.push_str("%2F"),
            '=' => out.push_str("%3D"),
            other => out.push(other),
        }
    }
    out
}

/// The longest URL that is sent by GET; longer requests go by POST (RFC 9919 §6).
pub const MAX_GET_URL: usize = 255;
