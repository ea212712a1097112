//! The seam behind which HTTP lives.

use std::fmt;

use pki_core::BoxFuture;

/// Carries one request to a SCEP server and the answer back. [`HttpTransport`](crate::HttpTransport) is the usual one;
/// tests and unusual networks bring their own.
pub trait Transport: fmt::Debug + Send + Sync {
    /// GET when `body` is `None`, otherwise POST with content type `application/x-pki-message`.
    ///
    /// An answer of any HTTP status is `Ok`.
    fn send<'a>(
        &'a self,
        url: &'a str,
        body: Option<&'a [u8]>,
    ) -> BoxFuture<'a, Result<HttpReply, TransportError>>;
}

/// What came back over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "made by implementors of the seam")]
pub struct HttpReply {
    /// The status code.
    pub status: u16,
    /// The content type as sent, if it was.
    pub content_type: Option<String>,
    /// Seconds to wait before another try, if Retry-After says so.
    pub retry_after: Option<u64>,
    /// The body.
    pub body: Vec<u8>,
}

/// The server was not reached, or what came is no HTTP. The same call may succeed later.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TransportError(String);

impl TransportError {
    /// From what the network says.
    pub fn new(reason: impl fmt::Display) -> Self {
        Self(reason.to_string())
    }
}
