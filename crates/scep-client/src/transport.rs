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

/// There was no answer, or what came is no HTTP. The same call may succeed later.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct TransportError {
    reason: String,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    NotSent,
    Closed,
    Sent,
}

impl TransportError {
    /// From what the network says, after the request may have arrived.
    pub fn new(reason: impl fmt::Display) -> Self {
        Self { reason: reason.to_string(), stage: Stage::Sent }
    }

    /// The server was not reached: nothing of the request arrived.
    pub fn unreachable(reason: impl fmt::Display) -> Self {
        Self { stage: Stage::NotSent, ..Self::new(reason) }
    }

    /// The server took the request and closed the connection without an answer.
    pub fn closed(reason: impl fmt::Display) -> Self {
        Self { stage: Stage::Closed, ..Self::new(reason) }
    }

    /// Whether the request may have arrived, so that the server may have acted on it.
    pub fn may_have_arrived(&self) -> bool {
        self.stage != Stage::NotSent
    }

    /// Whether the server closed the connection in place of an answer, as old ones do when asked for capabilities
    /// ([RFC 8894 §3.5.2](https://www.rfc-editor.org/rfc/rfc8894#section-3.5.2)).
    pub fn is_closed(&self) -> bool {
        self.stage == Stage::Closed
    }
}
