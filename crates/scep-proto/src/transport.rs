//! The HTTP binding, without HTTP.

use alloc::{
    borrow::Cow,
    string::{String, ToString as _},
};

use base64ct::{Base64, Encoding as _};
use pki_core::{DecodeError, decode_url_base64};

use crate::{Tolerance, Tolerances, limits::MAX_MESSAGE_LEN};

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
    /// * The query is never normalised or decoded beforehand, because clients disagree about what in the base64 of a
    ///   message is to be encoded, and how.
    /// * The `message` of the three Get operations is a hint which CA is meant; clients send anything there (nothing,
    ///   `0`, `CAIdentifier`, a trustpoint's name) and it is left to [`ca_identifier`].
    ///
    /// Reads what the default tolerances grant; [`Operation::parse_with`] is told, and tells what it needed.
    pub fn parse(method: Method, query: Option<&[u8]>, body: &'a [u8]) -> Result<Self, TransportError> {
        Self::parse_with(method, query, body, Tolerances::default()).map(|(operation, _)| operation)
    }

    /// [`Operation::parse`] with these tolerances, and those that were needed.
    pub fn parse_with(
        method: Method,
        query: Option<&[u8]>,
        body: &'a [u8],
        granted: Tolerances,
    ) -> Result<(Self, Tolerances), TransportError> {
        let query = query.unwrap_or_default();
        let (name, needed) = match (parameter(query, "operation"), method) {
            (Some(name), _) => (name, Tolerances::NONE),
            (None, Method::Post) => (&b"PKIOperation"[..], Tolerance::PostWithoutOperation.into()),
            (None, Method::Get) => return Err(TransportError::NoOperation),
        };
        let known = OPERATIONS.into_iter().find(|known| name.eq_ignore_ascii_case(known.as_bytes()));
        let other_case = known.is_some_and(|known| known.as_bytes() != name);
        let needed = needed.with_if(Tolerance::OperationCase, other_case);
        let (operation, needed) = match known {
            Some("GetCACaps") => (Self::GetCaCaps, needed),
            Some("GetCACert") => (Self::GetCaCert, needed),
            Some("GetNextCACert") => (Self::GetNextCaCert, needed),
            Some(_) => Self::pki_operation(method, query, body, needed)?,
            None => return Err(TransportError::UnknownOperation(name.escape_ascii().to_string())),
        };
        match needed.beyond(granted) {
            Some(beyond) => Err(TransportError::NotTolerated(beyond)),
            None => Ok((operation, needed)),
        }
    }

    fn pki_operation(
        method: Method,
        query: &[u8],
        body: &'a [u8],
        needed: Tolerances,
    ) -> Result<(Self, Tolerances), TransportError> {
        let (message, needed) = match method {
            Method::Post => (Cow::Borrowed(body), needed),
            Method::Get => {
                let text = parameter(query, "message").ok_or(TransportError::NoMessage)?;
                (Cow::Owned(decode_url_base64(text)?), needed.union(of_base64(text)))
            }
        };
        match message.len() {
            0 => Err(TransportError::NoMessage),
            1..=MAX_MESSAGE_LEN => Ok((Self::PkiOperation(message), needed)),
            length => Err(TransportError::TooLong(length)),
        }
    }
}

const OPERATIONS: [&str; 4] = ["PKIOperation", "GetCACaps", "GetCACert", "GetNextCACert"];

/// What has to be tolerated about base64 that [`decode_url_base64`] has read.
fn of_base64(text: &[u8]) -> Tolerances {
    let mut needed = Tolerances::NONE;
    let mut characters = 0_usize;
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        let (octet, after) = match (first, after) {
            // A plus sign as it should be: one digit like any other.
            (b'%', [b'2', b'b' | b'B', after @ ..]) => (b'0', after),
            (b'%', [high, low, after @ ..]) => (percent(*high, *low), after),
            _ => (first, after),
        };
        rest = after;
        match octet {
            b'\r' | b'\n' | b'\t' => needed = needed.with(Tolerance::GetLineBreaks),
            b'+' | b' ' => needed = needed.with(Tolerance::GetRawPlus),
            b'-' | b'_' => needed = needed.with(Tolerance::GetUrlAlphabet),
            _ => {}
        }
        let counts = !matches!(octet, b'\r' | b'\n' | b'\t');
        characters = characters.saturating_add(usize::from(counts));
    }
    needed.with_if(Tolerance::GetMissingPadding, !characters.is_multiple_of(4))
}

fn percent(high: u8, low: u8) -> u8 {
    let digit = |octet: u8| char::from(octet).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    digit(high).zip(digit(low)).map_or(0, |(high, low)| high << 4 | low)
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
    /// A departure from the RFC that is not tolerated.
    #[error("{0} is not tolerated here: see {section}", section = .0.clause())]
    NotTolerated(Tolerance),
    /// The message is not base64.
    #[error(transparent)]
    NotBase64(#[from] DecodeError),
}
