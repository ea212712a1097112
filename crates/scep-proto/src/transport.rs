//! The HTTP binding, without HTTP.

use alloc::{
    borrow::Cow,
    string::{String, ToString as _},
};

use base64ct::{Base64, Encoding as _};
use pki_core::{DecodeError, decode_url_base64};

use crate::limits::MAX_MESSAGE_LEN;

/// The media type of PKIOperation bodies, both ways ([RFC 8894 §4.3](https://www.rfc-editor.org/rfc/rfc8894#section-4.3)).
pub const PKI_MESSAGE_MEDIA_TYPE: &str = "application/x-pki-message";

/// The two HTTP methods of SCEP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "closed by RFC 8894")]
pub enum Method {
    /// GET, with the message in the request target.
    Get,
    /// POST, with the message as the body.
    Post,
}

/// What an HTTP request asks for ([RFC 8894 §4.1](https://www.rfc-editor.org/rfc/rfc8894#section-4.1)).
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "closed by RFC 8894")]
pub enum Operation<'a> {
    /// GetCACaps.
    GetCaCaps,
    /// GetCACert.
    GetCaCert,
    /// GetNextCACert.
    GetNextCaCert,
    /// PKIOperation, with its pkiMessage.
    PkiOperation(Cow<'a, [u8]>),
}

impl<'a> Operation<'a> {
    /// Reads the query of the request target exactly as it came over the wire, without its question mark, and the
    /// body.
    ///
    /// * The query is never normalised or decoded beforehand: in the base64 of a message, `+`, `%2B`, a space, line
    ///   breaks as `%0A`, the URL alphabet and absent padding are all read ([`decode_url_base64`]).
    /// * A POST that names no operation is a PKIOperation, as RFC 8894 section 4.3 asks.
    /// * The `message` of the three Get operations is a hint which CA is meant; clients send anything there (nothing,
    ///   `0`, `CAIdentifier`, a trustpoint's name) and it is left to [`ca_identifier`].
    /// * Operation names are taken in any case.
    pub fn parse(method: Method, query: Option<&[u8]>, body: &'a [u8]) -> Result<Self, TransportError> {
        let query = query.unwrap_or_default();
        let name = match (parameter(query, "operation"), method) {
            (Some(name), _) => name,
            (None, Method::Post) => b"PKIOperation",
            (None, Method::Get) => return Err(TransportError::NoOperation),
        };
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        if is("PKIOperation") {
            Self::pki_operation(method, query, body)
        } else if is("GetCACaps") {
            Ok(Self::GetCaCaps)
        } else if is("GetCACert") {
            Ok(Self::GetCaCert)
        } else if is("GetNextCACert") {
            Ok(Self::GetNextCaCert)
        } else {
            Err(TransportError::UnknownOperation(name.escape_ascii().to_string()))
        }
    }

    fn pki_operation(method: Method, query: &[u8], body: &'a [u8]) -> Result<Self, TransportError> {
        let message = match method {
            Method::Post => Cow::Borrowed(body),
            Method::Get => {
                let text = parameter(query, "message").ok_or(TransportError::NoMessage)?;
                Cow::Owned(decode_url_base64(text)?)
            }
        };
        match message.len() {
            0 => Err(TransportError::NoMessage),
            1..=MAX_MESSAGE_LEN => Ok(Self::PkiOperation(message)),
            length => Err(TransportError::TooLong(length)),
        }
    }
}

/// The `message` parameter of a Get operation as it came: which CA is meant.
pub fn ca_identifier(query: &[u8]) -> Option<&[u8]> {
    parameter(query, "message").filter(|text| !text.is_empty())
}

/// The query that sends `message` by GET: standard base64, percent-encoded
/// ([RFC 8894 §4.1](https://www.rfc-editor.org/rfc/rfc8894#section-4.1)).
pub fn pki_operation_query(message: &[u8]) -> String {
    let text = Base64::encode_string(message);
    let escaped = text.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    alloc::format!("operation=PKIOperation&message={escaped}")
}

fn parameter<'q>(query: &'q [u8], name: &str) -> Option<&'q [u8]> {
    query.split(|&octet| octet == b'&').find_map(|pair| {
        let at = pair.iter().position(|&octet| octet == b'=')?;
        let (key, value) = (pair.get(..at)?, pair.get(at.saturating_add(1)..)?);
        key.eq_ignore_ascii_case(name.as_bytes()).then_some(value)
    })
}

/// An HTTP request that is no SCEP request; HTTP 400.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TransportError {
    /// The query has no `operation`.
    #[error("expected a query such as operation=GetCACaps: no operation")]
    NoOperation,
    /// An operation that RFC 8894 does not have.
    #[error("expected GetCACaps, GetCACert, GetNextCACert or PKIOperation: {0}")]
    UnknownOperation(String),
    /// PKIOperation without a message.
    #[error("expected a pkiMessage: nothing")]
    NoMessage,
    /// Longer than [`MAX_MESSAGE_LEN`].
    #[error("expected at most {MAX_MESSAGE_LEN} octets: {0}")]
    TooLong(usize),
    /// The message is not base64.
    #[error(transparent)]
    NotBase64(#[from] DecodeError),
}
