//! The service.

use std::{convert::Infallible, error::Error, sync::Arc, time::Duration};

use hyper::{Method, Request as HttpRequest, StatusCode, body::Body, service::Service};
use ocsp_proto::{BasePath, Request, decode_get};
use pki_core::{BoxFuture, Clock, UnixTime};
use revocation::RevocationSource;

use crate::{
    Answer, AnswerPolicy, DelegateKeeper, NoncePolicy, OcspMetrics, Refusal,
    admission::Admission,
    body::{BodyError, read_at_most},
    cache::AnswerCache,
    clock_guard::ClockGuard,
    flights::Flights,
    http::{self, Asked, HttpResponse},
    issuers::Issuers,
    metrics::Via,
    responder::Responder,
};

/// How often it is looked whether a delegate is to be renewed, and how long its source may take.
const RENEWAL_INTERVAL: Duration = Duration::from_secs(60);
/// How often a source is asked for the first delegate.
const FIRST_DELEGATE_INTERVAL: Duration = Duration::from_secs(5);
/// How often it is looked whether somebody set the clock.
const CLOCK_INTERVAL: Duration = Duration::from_secs(1);

/// What an [`OcspService`] needs.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "every part is required")]
pub struct OcspParts {
    /// The CAs to answer for, each with the delegate that signs; or with several, the usual one first, of which each
    /// client gets the one it prefers (RFC 6960 §4.4.7).
    pub issuers: Vec<Arc<DelegateKeeper>>,
    /// Knows how certificates stand.
    pub source: Arc<dyn RevocationSource>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// Answers OCSP over HTTP: GET and HEAD with the request in the target, POST with the request in the body. Cheap to
/// clone.
///
/// The target is taken raw, as the client sent it: nothing before this service may merge slashes or decode it.
/// HTTP/1.0 without Host is served like any other. Time limits on headers and bodies are the listener's.
#[derive(Debug, Clone)]
pub struct OcspService(Arc<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    responder: Responder,
    base_path: BasePath,
    max_request: usize,
    max_target: usize,
}

impl OcspService {
    /// The most octets of a request, unless [`OcspService::with_max_request`] says otherwise.
    pub const DEFAULT_MAX_REQUEST: usize = 10_000;
    /// The most octets of a request target.
    pub const MAX_TARGET: usize = 16_384;
    /// How many signed answers are kept, unless [`OcspService::with_cache_capacity`] says otherwise: about 2 KiB each.
    pub const DEFAULT_CACHE_CAPACITY: usize = 10_000;

    /// How many requests ask sources and sign at once, unless [`OcspService::with_concurrency`] says otherwise.
    pub const DEFAULT_AT_ONCE: usize = 256;
    /// How many more wait for that.
    pub const DEFAULT_MAX_WAITING: usize = 1024;
    /// How long sources and keys may take in all, unless [`OcspService::with_max_duration`] says otherwise. The Baseline
    /// Requirements (§4.10.2) want an answer within 10 s.
    pub const DEFAULT_MAX_DURATION: Duration = Duration::from_millis(4500);

    /// A service at the root path, with [`AnswerPolicy::default`].
    pub fn new(parts: OcspParts) -> Self {
        let OcspParts { issuers, source, clock } = parts;
        let responder = Responder {
            issuers: Issuers::new(issuers),
            source,
            guard: Arc::new(ClockGuard::new(Arc::clone(&clock))),
            clock,
            policy: AnswerPolicy::default(),
            nonces: NoncePolicy::default(),
            max_cert_ids: Request::DEFAULT_MAX_CERT_IDS,
            max_duration: Self::DEFAULT_MAX_DURATION,
            cache: Arc::new(AnswerCache::new(Self::DEFAULT_CACHE_CAPACITY)),
            flights: Arc::default(),
            admission: Arc::new(Admission::new(Self::DEFAULT_AT_ONCE, Self::DEFAULT_MAX_WAITING)),
            metrics: OcspMetrics::new(),
        };
        Self(Arc::new(Inner {
            responder,
            base_path: BasePath::default(),
            max_request: Self::DEFAULT_MAX_REQUEST,
            max_target: Self::MAX_TARGET,
        }))
    }

    /// Serves below `base_path`, and answers 404 elsewhere.
    #[must_use]
    pub fn with_base_path(self, base_path: BasePath) -> Self {
        self.with(|inner| inner.base_path = base_path)
    }

    /// How long answers last, and what is said of certificates that no source knows. Answers kept under another policy
    /// are left to the clones that have it, so say this before [`OcspService::with_cache_capacity`].
    #[must_use]
    pub fn with_policy(self, policy: AnswerPolicy) -> Self {
        self.with(|inner| {
            inner.responder.policy = policy;
            inner.responder.cache = Arc::new(AnswerCache::new(Self::DEFAULT_CACHE_CAPACITY));
            inner.responder.flights = Arc::new(Flights::default());
        })
    }

    /// What becomes of nonces. Clones that differ in this and in their base path share what they keep: so one responder
    /// serves clients that insist on a nonce and clients that must not have one.
    #[must_use]
    pub fn with_nonces(self, nonces: NoncePolicy) -> Self {
        self.with(|inner| inner.responder.nonces = nonces)
    }

    /// Has `at_once` requests ask sources and sign side by side, and `waiting` more wait for them; beyond that the answer
    /// is tryLater at once. A key that is far away and answers slowly needs few at once.
    #[must_use]
    pub fn with_concurrency(self, at_once: usize, waiting: usize) -> Self {
        self.with(|inner| inner.responder.admission = Arc::new(Admission::new(at_once, waiting)))
    }

    /// Gives sources and keys this long in all; then the answer is tryLater.
    #[must_use]
    pub fn with_max_duration(self, duration: Duration) -> Self {
        self.with(|inner| inner.responder.max_duration = duration)
    }

    /// Answers requests of up to this many CertIDs; 8 by default.
    #[must_use]
    pub fn with_max_cert_ids(self, max: usize) -> Self {
        self.with(|inner| inner.responder.max_cert_ids = max)
    }

    /// Takes requests of up to this many octets.
    #[must_use]
    pub fn with_max_request(self, octets: usize) -> Self {
        self.with(|inner| inner.max_request = octets)
    }

    /// Keeps up to this many signed answers; 0 has every answer signed anew.
    #[must_use]
    pub fn with_cache_capacity(self, answers: usize) -> Self {
        self.with(|inner| inner.responder.cache = Arc::new(AnswerCache::new(answers)))
    }

    /// Whether a raw request target is for this service.
    pub fn owns(&self, target: &str) -> bool {
        self.0.base_path.rest_of(target).is_some()
    }

    /// Whether answers can be signed: every CA has a delegate that is valid now, and the clock is to be believed.
    pub fn is_ready(&self) -> bool {
        self.readiness().is_ok()
    }

    /// The same, and what is in the way.
    pub fn readiness(&self) -> Result<(), NotReady> {
        let responder = &self.0.responder;
        if !responder.guard.is_steady() {
            return Err(NotReady::ClockJumped);
        }
        if responder.issuers.are_ready() { Ok(()) } else { Err(NotReady::NoDelegate) }
    }

    /// What it counts.
    pub fn metrics(&self) -> &OcspMetrics {
        &self.0.responder.metrics
    }

    /// Answers one DER request; always has an answer. For embedders with a transport of their own.
    pub async fn answer(&self, der: &[u8]) -> Answer {
        if der.len() > self.0.max_request {
            let refusal = Refusal::TooLong { limit: self.0.max_request };
            return self.0.responder.refused(&[], &refusal).answer().clone();
        }
        self.0.responder.answer(der, self.now(), Via::Embedder).await.answer().clone()
    }

    /// Renews the delegates in time and watches the clock; never ends. Whoever serves spawns it, once for all clones.
    pub async fn run(self) {
        tokio::join!(self.renew_delegates(), self.watch_clock());
    }

    async fn renew_delegates(&self) {
        loop {
            self.show_delegates();
            tokio::time::sleep(self.until_renewal()).await;
            // What is made while the clock is wrong would be valid at another time.
            if self.0.responder.guard.now().is_none() {
                continue;
            }
            for keeper in self.0.responder.issuers.keepers() {
                // One CA whose key does not answer must not keep the others waiting for ever.
                match tokio::time::timeout(RENEWAL_INTERVAL, keeper.renew_if_due()).await {
                    Ok(Ok(())) => {}
                    Ok(Err(error)) => keeper.log_failure(&error),
                    Err(elapsed) => keeper.log_failure(&elapsed),
                }
            }
        }
    }

    async fn watch_clock(&self) {
        let responder = &self.0.responder;
        loop {
            responder.guard.now();
            responder.metrics.set_waiting(responder.admission.waiting());
            tokio::time::sleep(CLOCK_INTERVAL).await;
        }
    }

    fn show_delegates(&self) {
        let responder = &self.0.responder;
        for current in responder.issuers.keepers().filter_map(|keeper| keeper.current()) {
            let issuer = format!("{:?}", current.delegate.issuer().id());
            let algorithm = current.delegate.algorithm().oid().to_string();
            let end = current.delegate.certificate().validity().not_after();
            responder.metrics.set_delegate_end(issuer, algorithm, end);
        }
    }

    /// No longer than [`RENEWAL_INTERVAL`], so that a clock that is set is noticed, and no shorter than a second.
    fn until_renewal(&self) -> Duration {
        let now = self.now();
        let longest =
            if self.0.responder.issuers.are_ready() { RENEWAL_INTERVAL } else { FIRST_DELEGATE_INTERVAL };
        let due = self.0.responder.issuers.keepers().map(|keeper| keeper.renew_at());
        // What is overdue failed the last time, and is tried again after the longest wait.
        let next = due.filter(|due| *due > now).min();
        let wait = next.map_or(longest, |due| due.saturating_since(now));
        wait.clamp(Duration::from_secs(1), longest)
    }

    fn now(&self) -> UnixTime {
        self.0.responder.clock.now()
    }

    fn with(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::make_mut(&mut self.0));
        self
    }

    async fn serve<B: Body>(&self, request: HttpRequest<B>) -> HttpResponse {
        let asked = Asked::new(request.method(), request.headers());
        let der = match self.read(request).await {
            Ok(der) => der,
            Err(NotRead::Http(response)) => return response,
            Err(NotRead::Refused(status, refusal)) => {
                let given = self.0.responder.refused(&[], &refusal);
                return http::response_with_status(status, &asked, given.answer(), self.now());
            }
        };
        let now = self.now();
        let given = self.0.responder.answer(&der, now, asked.via()).await;
        http::response(&asked, given.answer(), now)
    }

    /// The DER of the request, from wherever the method puts it.
    async fn read<B: Body>(&self, request: HttpRequest<B>) -> Result<bytes::Bytes, NotRead> {
        let target = request.uri().path_and_query().map(hyper::http::uri::PathAndQuery::as_str);
        let rest = target.and_then(|target| self.0.base_path.rest_of(target));
        let Some(rest) = rest else {
            return Err(NotRead::Http(http::plain(StatusCode::NOT_FOUND, "no OCSP responder here\n")));
        };
        let limit = self.0.max_request;
        let too_long = || NotRead::Refused(StatusCode::PAYLOAD_TOO_LARGE, Refusal::TooLong { limit });
        match *request.method() {
            Method::GET | Method::HEAD if rest.len() > self.0.max_target => {
                Err(NotRead::Refused(StatusCode::URI_TOO_LONG, Refusal::TooLong { limit }))
            }
            Method::GET | Method::HEAD => match decode_get(rest) {
                Ok(der) if der.len() > limit => Err(too_long()),
                Ok(der) => Ok(der.into()),
                Err(error) => Err(NotRead::Refused(StatusCode::OK, Refusal::Target(error))),
            },
            Method::POST => read_at_most(request.into_body(), limit).await.map_err(|error| match error {
                BodyError::TooLong => too_long(),
                BodyError::Broken => {
                    NotRead::Http(http::plain(StatusCode::BAD_REQUEST, "the body ends before it should\n"))
                }
            }),
            _ => Err(NotRead::Http(http::plain(
                StatusCode::METHOD_NOT_ALLOWED,
                "OCSP is asked by GET, HEAD or POST\n",
            ))),
        }
    }
}

/// Why a responder is not ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotReady {
    /// A CA has no delegate that is valid now.
    #[error("there is no valid OCSP delegate")]
    NoDelegate,
    /// The clock is not to be believed.
    #[error("the clock has jumped")]
    ClockJumped,
}

/// Why there is no request to answer.
enum NotRead {
    Http(HttpResponse),
    Refused(StatusCode, Refusal),
}

impl<B> Service<HttpRequest<B>> for OcspService
where
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>> + Send,
{
    type Response = HttpResponse;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn call(&self, request: HttpRequest<B>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move { Ok(service.serve(request).await) })
    }
}
