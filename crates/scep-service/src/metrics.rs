//! What is counted, for Prometheus.

use std::time::Duration;

use pki_core::DigestAlgorithm;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, histogram::Histogram},
    registry::Registry,
};
use scep_proto::{ContentCipher, Exchange, MessageType, Tolerance, Tolerances};
use tokio::time::Instant;

/// The counters of all SCEP services of a process; cheap to clone. Give each service those of its profile:
/// [`ScepService::with_metrics`](crate::ScepService::with_metrics).
///
/// | metric | labels |
/// |---|---|
/// | `certbound_scep_requests_total` | `profile`, `operation`, `outcome` |
/// | `certbound_scep_refusals_total` | `profile`, `code`: the stable code of the log |
/// | `certbound_scep_ciphers_total` | `profile`, `cipher`: of requests that could be read |
/// | `certbound_scep_digests_total` | `profile`, `digest`: of requests that could be read |
/// | `certbound_scep_tolerated_total` | `profile`, `tolerance`: departures from the RFC by [`Tolerance::name`] |
/// | `certbound_scep_stage_seconds` | `stage`: `verify`, `unwrap`, `open`, `decide`, `reply` |
#[derive(Debug, Clone)]
pub struct ScepMetrics {
    requests: Family<RequestLabels, Counter>,
    refusals: Family<RefusalLabels, Counter>,
    ciphers: Family<CipherLabels, Counter>,
    digests: Family<DigestLabels, Counter>,
    tolerated: Family<ToleranceLabels, Counter>,
    stages: Family<StageLabels, Histogram, fn() -> Histogram>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    profile: String,
    operation: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RefusalLabels {
    profile: String,
    code: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CipherLabels {
    profile: String,
    cipher: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct DigestLabels {
    profile: String,
    digest: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ToleranceLabels {
    profile: String,
    tolerance: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StageLabels {
    stage: &'static str,
}

/// The counters of one profile, found once so that counting is an addition.
#[derive(Debug, Clone)]
pub struct ProfileMetrics {
    profile: String,
    all: ScepMetrics,
    get_ca_caps: Counter,
    get_ca_cert: Counter,
    get_next_ca_cert: Counter,
    /// By operation, then by outcome.
    messages: [[Counter; OUTCOMES.len()]; OPERATIONS.len()],
    ciphers: [Counter; CIPHERS.len()],
    digests: [Counter; DIGESTS.len()],
    tolerated: Vec<(Tolerance, Counter)>,
    stages: [Histogram; STAGES.len()],
}

/// A pkiMessage by its messageType; the last for whatever is none or has none that counts.
const OPERATIONS: [(Option<MessageType>, &str); 6] = [
    (Some(MessageType::PkcsReq), "PKCSReq"),
    (Some(MessageType::RenewalReq), "RenewalReq"),
    (Some(MessageType::CertPoll), "CertPoll"),
    (Some(MessageType::GetCert), "GetCert"),
    (Some(MessageType::GetCrl), "GetCRL"),
    (None, "unknown"),
];

/// What became of a pkiMessage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Success,
    Pending,
    Failure,
    /// Nothing to answer: HTTP 400.
    NotScep,
    /// HTTP 429.
    Throttled,
    /// HTTP 503.
    PutOff,
    /// HTTP 500.
    Error,
}

const OUTCOMES: [(Outcome, &str); 7] = [
    (Outcome::Success, "success"),
    (Outcome::Pending, "pending"),
    (Outcome::Failure, "failure"),
    (Outcome::NotScep, "not-scep"),
    (Outcome::Throttled, "throttled"),
    (Outcome::PutOff, "put-off"),
    (Outcome::Error, "error"),
];

const CIPHERS: [(ContentCipher, &str); 4] = [
    (ContentCipher::Aes128Cbc, "AES-128-CBC"),
    (ContentCipher::Aes192Cbc, "AES-192-CBC"),
    (ContentCipher::Aes256Cbc, "AES-256-CBC"),
    (ContentCipher::TripleDesCbc, "DES-EDE3-CBC"),
];

const DIGESTS: [(DigestAlgorithm, &str); 4] = [
    (DigestAlgorithm::Sha1, "SHA-1"),
    (DigestAlgorithm::Sha256, "SHA-256"),
    (DigestAlgorithm::Sha384, "SHA-384"),
    (DigestAlgorithm::Sha512, "SHA-512"),
];

/// What a PKIOperation spends its time with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Reading the message and verifying its signature.
    Verify,
    /// The RA key's decryption.
    Unwrap,
    /// Decrypting and reading the request.
    Open,
    /// The handler.
    Decide,
    /// Encrypting and signing.
    Reply,
}

const STAGES: [(Stage, &str); 5] = [
    (Stage::Verify, "verify"),
    (Stage::Unwrap, "unwrap"),
    (Stage::Open, "open"),
    (Stage::Decide, "decide"),
    (Stage::Reply, "reply"),
];

/// Upper ends in seconds: keys in memory take a fraction of a millisecond, those elsewhere up to seconds.
const BUCKETS: [f64; 12] = [1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 5e-2, 0.1, 0.5, 1.0, 5.0];

impl Default for ScepMetrics {
    fn default() -> Self {
        Self::new()
    }
}

impl ScepMetrics {
    /// All at zero.
    pub fn new() -> Self {
        Self {
            requests: Family::default(),
            refusals: Family::default(),
            ciphers: Family::default(),
            digests: Family::default(),
            tolerated: Family::default(),
            stages: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
        }
    }

    /// Has them shown in what `registry` prints.
    pub fn register(&self, registry: &mut Registry) {
        let registry = registry.sub_registry_with_prefix("certbound_scep");
        registry.register("requests", "SCEP requests by what became of them", self.requests.clone());
        registry.register("refusals", "Refused requests by the code in the log", self.refusals.clone());
        registry.register("ciphers", "Requests by content cipher", self.ciphers.clone());
        registry.register("digests", "Requests by digest of the signature", self.digests.clone());
        registry.register(
            "tolerated",
            "Departures from the RFC that requests needed",
            self.tolerated.clone(),
        );
        registry.register("stage_seconds", "Time spent by stage of a PKIOperation", self.stages.clone());
    }

    /// Those of the profile of that name.
    pub fn of_profile(&self, profile: &str) -> ProfileMetrics {
        let request = |operation, outcome| {
            let labels = RequestLabels { profile: profile.to_owned(), operation, outcome };
            self.requests.get_or_create_owned(&labels)
        };
        let cipher =
            |cipher| self.ciphers.get_or_create_owned(&CipherLabels { profile: profile.to_owned(), cipher });
        let digest =
            |digest| self.digests.get_or_create_owned(&DigestLabels { profile: profile.to_owned(), digest });
        let tolerance = |tolerance: Tolerance| {
            let labels = ToleranceLabels { profile: profile.to_owned(), tolerance: tolerance.name() };
            (tolerance, self.tolerated.get_or_create_owned(&labels))
        };
        ProfileMetrics {
            profile: profile.to_owned(),
            all: self.clone(),
            get_ca_caps: request("GetCACaps", "success"),
            get_ca_cert: request("GetCACert", "success"),
            get_next_ca_cert: request("GetNextCACert", "success"),
            messages: OPERATIONS
                .map(|(_, operation)| OUTCOMES.map(|(_, outcome)| request(operation, outcome))),
            ciphers: CIPHERS.map(|(_, name)| cipher(name)),
            digests: DIGESTS.map(|(_, name)| digest(name)),
            tolerated: Tolerance::all().map(tolerance).collect(),
            stages: STAGES.map(|(_, stage)| self.stages.get_or_create_owned(&StageLabels { stage })),
        }
    }
}

impl ProfileMetrics {
    pub(crate) fn message(&self, operation: Option<MessageType>, outcome: Outcome) {
        let row = self.messages.iter().zip(OPERATIONS).find(|(_, (known, _))| *known == operation);
        let of = |row: &[Counter; OUTCOMES.len()]| {
            row.iter()
                .zip(OUTCOMES)
                .find(|(_, (known, _))| *known == outcome)
                .map(|(counter, _)| counter.inc())
        };
        row.and_then(|(row, _)| of(row));
    }

    pub(crate) fn refused(&self, code: &'static str) {
        let labels = RefusalLabels { profile: self.profile.clone(), code };
        self.all.refusals.get_or_create(&labels).inc();
    }

    /// A request that could be read.
    pub(crate) fn read(&self, exchange: &Exchange, digest: Option<DigestAlgorithm>) {
        let cipher = self.ciphers.iter().zip(CIPHERS).find(|(_, (known, _))| *known == exchange.cipher());
        cipher.inspect(|(counter, _)| {
            counter.inc();
        });
        let digest = self.digests.iter().zip(DIGESTS).find(|(_, (known, _))| Some(*known) == digest);
        digest.inspect(|(counter, _)| {
            counter.inc();
        });
    }

    pub(crate) fn tolerated(&self, needed: Tolerances) {
        if needed.is_empty() {
            return;
        }
        for (_, counter) in self.tolerated.iter().filter(|(tolerance, _)| needed.contains(*tolerance)) {
            counter.inc();
        }
    }

    pub(crate) fn got_ca_caps(&self) {
        self.get_ca_caps.inc();
    }

    pub(crate) fn got_ca_cert(&self) {
        self.get_ca_cert.inc();
    }

    pub(crate) fn got_next_ca_cert(&self) {
        self.get_next_ca_cert.inc();
    }

    fn spent(&self, stage: Stage, time: Duration) {
        let found = self.stages.iter().zip(STAGES).find(|(_, (known, _))| *known == stage);
        if let Some((histogram, _)) = found {
            histogram.observe(time.as_secs_f64());
        }
    }
}

/// Measures the stages of one PKIOperation, each from the end of the one before.
#[derive(Debug)]
pub(crate) struct Stopwatch<'a> {
    metrics: Option<&'a ProfileMetrics>,
    since: Instant,
}

impl<'a> Stopwatch<'a> {
    pub(crate) fn start(metrics: Option<&'a ProfileMetrics>) -> Self {
        Self { metrics, since: Instant::now() }
    }

    /// That stage ends here, and the next one begins.
    pub(crate) fn lap(&mut self, stage: Stage) {
        let Some(metrics) = self.metrics else { return };
        let now = Instant::now();
        metrics.spent(stage, now.saturating_duration_since(self.since));
        self.since = now;
    }
}

#[cfg(test)]
mod tests {
    use prometheus_client::encoding::text::encode;

    use super::*;

    #[test]
    fn what_is_counted_is_shown_by_profile() {
        let (metrics, mut registry) = (ScepMetrics::new(), Registry::default());
        metrics.register(&mut registry);
        let routers = metrics.of_profile("routers");
        routers.message(Some(MessageType::PkcsReq), Outcome::Success);
        routers.message(Some(MessageType::PkcsReq), Outcome::Success);
        metrics.of_profile("phones").message(None, Outcome::Throttled);
        // A second handle of the same profile counts on.
        metrics.of_profile("routers").refused("undecryptable");
        routers.refused("undecryptable");
        routers.spent(Stage::Unwrap, Duration::from_micros(700));
        let mut text = String::new();
        encode(&mut text, &registry).unwrap();
        for line in [
            "certbound_scep_requests_total{profile=\"routers\",operation=\"PKCSReq\",outcome=\"success\"} 2",
            "certbound_scep_requests_total{profile=\"phones\",operation=\"unknown\",outcome=\"throttled\"} 1",
            "certbound_scep_refusals_total{profile=\"routers\",code=\"undecryptable\"} 2",
            "certbound_scep_stage_seconds_bucket{le=\"0.0005\",stage=\"unwrap\"} 0",
            "certbound_scep_stage_seconds_bucket{le=\"0.001\",stage=\"unwrap\"} 1",
        ] {
            assert!(text.lines().any(|known| known == line), "{line} is missing:\n{text}");
        }
    }
}
