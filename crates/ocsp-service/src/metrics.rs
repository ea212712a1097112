//! What a responder counts.

use std::{
    future::poll_fn,
    pin::pin,
    sync::{Arc, PoisonError, RwLock, atomic::AtomicU64},
    task::Poll,
};

use ocsp_proto::{CertId, Request};
use pki_core::{CertStatus, CrlReason, DigestAlgorithm, UnixTime};
use prometheus_client::{
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};

use crate::Refusal;

type Labels<const N: usize> = [(&'static str, &'static str); N];

/// The counters of one responder, whatever paths it answers under. Cheap to clone; every clone counts the same.
///
/// | metric | labels |
/// |---|---|
/// | `certbound_ocsp_requests_total` | `method`: GET, HEAD, POST, none; `cert_id_hash`; `nonce`: absent, short (below 16 octets), usual (16 to 32), long |
/// | `certbound_ocsp_answers_total` | `status`: good, hold, revoked, unknown, not-issued; `source`: who decided it; `origin`: signed, cache, shared |
/// | `certbound_ocsp_refusals_total` | `status`: what the client is told; `cause`: why ([`Refusal::cause`]) |
/// | `certbound_ocsp_lookup_seconds`, `certbound_ocsp_signing_seconds` | sources: where they did not know at once |
/// | `certbound_ocsp_waiting` | requests that wait for room or for another request's answer |
/// | `certbound_ocsp_delegate_end_seconds` | `issuer`: first octets of its id; `algorithm`: OID; when the delegate ends, by Unix time |
#[derive(Debug, Clone)]
pub struct OcspMetrics {
    requests: Family<Labels<3>, Counter>,
    by_request: [[[Counter; NONCES.len()]; HASHES.len()]; METHODS.len()],
    answers: Family<Labels<3>, Counter>,
    /// Those of `answers` that were met, by status and source.
    resolved: Arc<RwLock<Vec<Resolved>>>,
    refusals: Family<Labels<2>, Counter>,
    pub(crate) lookup: Histogram,
    pub(crate) signing: Histogram,
    waiting: Gauge,
    delegate_end: Family<[(&'static str, String); 2], Gauge<u64, AtomicU64>>,
}

const METHODS: [&str; 4] = ["GET", "HEAD", "POST", "none"];
const HASHES: [&str; 5] = ["sha1", "sha256", "sha384", "sha512", "other"];
const NONCES: [&str; 4] = ["absent", "short", "usual", "long"];

/// How a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Via {
    Get,
    Head,
    Post,
    /// Not over HTTP.
    Embedder,
}

/// Where an answer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    Signed,
    Cache,
    Shared,
}

/// A status, a source, and their counters.
type Resolved = (&'static str, &'static str, Arc<Answered>);

/// The counters of one status, each resolved once.
#[derive(Debug, Clone)]
pub(crate) struct Answered {
    pub(crate) signed: Counter,
    pub(crate) cache: Counter,
    pub(crate) shared: Counter,
}

impl Answered {
    pub(crate) fn count(&self, origin: Origin) {
        match origin {
            Origin::Signed => self.signed.inc(),
            Origin::Cache => self.cache.inc(),
            Origin::Shared => self.shared.inc(),
        };
    }
}

impl OcspMetrics {
    /// All at zero.
    pub(crate) fn new() -> Self {
        let requests = Family::<Labels<3>, Counter>::default();
        let by_request = METHODS.map(|method| {
            HASHES.map(|hash| {
                NONCES.map(|nonce| {
                    let labels = [("method", method), ("cert_id_hash", hash), ("nonce", nonce)];
                    requests.get_or_create_owned(&labels)
                })
            })
        });
        // From 10 us to 10 s.
        let durations = || Histogram::new(exponential_buckets(0.000_01, 4.0, 11));
        Self {
            requests,
            by_request,
            answers: Family::default(),
            resolved: Arc::default(),
            refusals: Family::default(),
            lookup: durations(),
            signing: durations(),
            waiting: Gauge::default(),
            delegate_end: Family::default(),
        }
    }

    /// Has `registry` show them, as `certbound_ocsp_…`.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("certbound_ocsp");
        registry.register("requests", "Requests that could be read", self.requests.clone());
        registry.register("answers", "Statuses told", self.answers.clone());
        registry.register("refusals", "Requests that got an error", self.refusals.clone());
        let seconds = |registry: &mut Registry, name: &str, help: &str, histogram: &Histogram| {
            registry.register_with_unit(name, help, Unit::Seconds, histogram.clone());
        };
        seconds(registry, "lookup", "Time that sources took which did not know at once", &self.lookup);
        seconds(registry, "signing", "Time that signatures took", &self.signing);
        registry.register(
            "waiting",
            "Requests that wait for room or for a shared answer",
            self.waiting.clone(),
        );
        let help = "When the certificate that answers are signed under ends";
        registry.register_with_unit("delegate_end", help, Unit::Seconds, self.delegate_end.clone());
    }

    pub(crate) fn count_request(&self, via: Via, request: &Request<'_>) {
        let hash = request.cert_ids().first().and_then(CertId::digest);
        let [method, hash, nonce] = [via as usize, hash_index(hash), nonce_index(request.nonce())];
        let counter = self.by_request.get(method).and_then(|hashes| hashes.get(hash)?.get(nonce));
        counter.map(Counter::inc);
    }

    pub(crate) fn count_refusal(&self, refusal: &Refusal) {
        let labels = [("status", refusal.status().name()), ("cause", refusal.cause())];
        self.refusals.get_or_create(&labels).inc();
    }

    /// The counters of that status, told by that source.
    pub(crate) fn answered(&self, status: CertStatus, source: &'static str) -> Arc<Answered> {
        let status = match status {
            CertStatus::Good => "good",
            CertStatus::Unknown => "unknown",
            CertStatus::Revoked { at: UnixTime(0), reason: Some(CrlReason::CertificateHold) } => "not-issued",
            CertStatus::Revoked { reason: Some(CrlReason::CertificateHold), .. } => "hold",
            CertStatus::Revoked { .. } => "revoked",
        };
        let met = |resolved: &[Resolved]| {
            let found = resolved.iter().find(|(known, by, _)| *known == status && *by == source);
            found.map(|(_, _, answered)| Arc::clone(answered))
        };
        if let Some(answered) = met(&self.resolved.read().unwrap_or_else(PoisonError::into_inner)) {
            return answered;
        }
        let of = |origin| {
            let labels = [("status", status), ("source", source), ("origin", origin)];
            self.answers.get_or_create_owned(&labels)
        };
        let answered = Arc::new(Answered { signed: of("signed"), cache: of("cache"), shared: of("shared") });
        let mut resolved = self.resolved.write().unwrap_or_else(PoisonError::into_inner);
        resolved.push((status, source, Arc::clone(&answered)));
        answered
    }

    pub(crate) fn set_waiting(&self, requests: usize) {
        self.waiting.set(requests.try_into().unwrap_or(i64::MAX));
    }

    pub(crate) fn set_delegate_end(&self, issuer: String, algorithm: String, end: UnixTime) {
        let labels = [("issuer", issuer), ("algorithm", algorithm)];
        self.delegate_end.get_or_create(&labels).set(end.0);
    }
}

/// Runs `work` and observes how long it took.
pub(crate) async fn timed<T>(histogram: &Histogram, work: impl Future<Output = T>) -> T {
    let start = tokio::time::Instant::now();
    let result = work.await;
    histogram.observe(start.elapsed().as_secs_f64());
    result
}

/// The same, unless `work` is done at once: what is in memory needs no clock.
pub(crate) async fn timed_if_waiting<T>(histogram: &Histogram, work: impl Future<Output = T>) -> T {
    let mut work = pin!(work);
    match poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await {
        Poll::Ready(result) => result,
        Poll::Pending => timed(histogram, work).await,
    }
}

fn hash_index(digest: Option<DigestAlgorithm>) -> usize {
    match digest {
        Some(DigestAlgorithm::Sha1) => 0,
        Some(DigestAlgorithm::Sha256) => 1,
        Some(DigestAlgorithm::Sha384) => 2,
        Some(DigestAlgorithm::Sha512) => 3,
        _ => 4,
    }
}

/// By the sizes that RFC 9654 §2.1 distinguishes.
fn nonce_index(nonce: Option<&[u8]>) -> usize {
    match nonce.map(<[u8]>::len) {
        None => 0,
        Some(..16) => 1,
        Some(16..=32) => 2,
        Some(_) => 3,
    }
}
