//! The seam behind which enrollment is decided.

use std::{
    borrow::Cow,
    fmt,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use pki_core::{BoxFuture, Certificate};
use scep_proto::{Exchange, FailInfo, Request};

/// Decides what becomes of a request. This is where a vendor's own CA plugs in.
pub trait EnrollmentHandler: fmt::Debug + Send + Sync {
    /// Decides one request, which is decrypted, and whose signature and CSR signature hold. Nothing else about it is
    /// checked: neither the challenge, nor who signed it, nor what it asks for.
    fn handle(&self, submission: Submission) -> BoxFuture<'_, Decision>;

    /// Is told of a message that was turned down before it came to be handled, for records: `code` is the stable one of
    /// the log, `reason` for a person. The answer waits for this, so keep it short.
    fn turned_down(&self, exchange: &Exchange, origin: &Origin, code: &'static str, reason: &str) {
        let _ = (exchange, origin, code, reason);
    }
}

/// A request and where it came from.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "made by whoever tests a handler")]
pub struct Submission {
    /// What is asked, and by whom.
    pub request: Request,
    /// How it arrived.
    pub origin: Origin,
}

/// Where a request came from; all of it is the requester's word and good for choosing a profile and for the log.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update by embedders")]
pub struct Origin {
    /// The path of the URL, as sent.
    pub path: String,
    /// The other end of the connection, where the listener tells it.
    pub peer: Option<SocketAddr>,
    /// Whom the request came from: the peer, or whom the peer asks for where it is a trusted proxy.
    pub source: Option<IpAddr>,
}

/// What becomes of a request: pkiStatus and what goes with it
/// ([RFC 8894 §3.2.1.3](https://www.rfc-editor.org/rfc/rfc8894#section-3.2.1.3)).
#[derive(Debug)]
#[non_exhaustive]
pub enum Decision {
    /// SUCCESS: the certificate asked for. Whatever follows it goes into the reply as well; some devices take the
    /// first certificate they find, so send none but the one asked for unless a client needs the chain.
    Issue(Vec<Certificate>),
    /// SUCCESS: the DER of the CRL asked for; only ever the answer to GetCRL.
    Crl(Vec<u8>),
    /// PENDING: a person decides; the client polls.
    Pending,
    /// FAILURE, now and whenever the same is asked again.
    Refuse {
        /// A name for machines, such as `challenge-unknown`; goes into the log and nowhere else.
        code: &'static str,
        /// The RFC's reason.
        info: FailInfo,
        /// What the requester is told, for a person to read. Nothing that a stranger must not know.
        text: Cow<'static, str>,
    },
    /// No decision can be made now: HTTP 503. Nothing was changed; the client sends the same again.
    TryLater {
        /// How long the client should wait; goes into Retry-After.
        after: Duration,
    },
}

impl Origin {
    /// Who is held to account.
    pub(crate) fn accountable(&self) -> Option<IpAddr> {
        self.source.or_else(|| self.peer.map(|peer| peer.ip()))
    }
}

impl Decision {
    /// Refuses as badRequest: the request is understood and not permitted.
    pub fn bad_request(text: impl Into<Cow<'static, str>>) -> Self {
        Self::Refuse { code: "handler-refused", info: FailInfo::BadRequest, text: text.into() }
    }
}

/// A handler made of an async function.
///
/// ```
/// # use scep_service::{Decision, handler_fn};
/// let nobody = handler_fn(|_submission| async { Decision::bad_request("this CA is closed") });
/// ```
pub fn handler_fn<F, Fut>(handle: F) -> HandlerFn<F>
where
    F: Fn(Submission) -> Fut + Send + Sync,
    Fut: Future<Output = Decision> + Send + 'static,
{
    HandlerFn(handle)
}

/// Made by [`handler_fn`].
#[derive(Clone, Copy)]
pub struct HandlerFn<F>(F);

impl<F> fmt::Debug for HandlerFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HandlerFn(..)")
    }
}

impl<F, Fut> EnrollmentHandler for HandlerFn<F>
where
    F: Fn(Submission) -> Fut + Send + Sync,
    Fut: Future<Output = Decision> + Send + 'static,
{
    fn handle(&self, submission: Submission) -> BoxFuture<'_, Decision> {
        Box::pin((self.0)(submission))
    }
}
