//! A responder over a table of statuses, with a clock to turn and a signing key to watch.
#![allow(dead_code, clippy::missing_panics_doc, reason = "each test uses its part")]

use std::{
    collections::HashMap,
    fs,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use keys_software::{AwsLc, SoftwareKey};
use ocsp_proto::{Issuer, Question, SingleStatus, VerifiedResponse, VerifyError};
use ocsp_service::{DelegateKeeper, DelegateParts, FixedDelegate, NoDelegate, OcspParts, OcspService};
use pki_core::{
    BoxFuture, CertRef, Certificate, Clock, DigestAlgorithm, KeyError, PublicKey, SignatureAlgorithm,
    SigningKey, UnixTime,
};
use revocation::{RevocationSource, SourceError, Standing, StatusReport};
use testkit::FixedClock;

pub(crate) const SERIAL: &[u8] = &[0x30, 1, 2, 3];

/// A file of the vectors.
pub(crate) fn file(path: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../vectors/ocsp").join(path)
}

pub(crate) fn request(name: &str) -> Vec<u8> {
    fs::read(file(&format!("request-{name}/input.der"))).unwrap()
}

pub(crate) fn certificate(name: &str) -> Certificate {
    Certificate::from_pem(&fs::read_to_string(file(&format!("pki/{name}.pem"))).unwrap()).unwrap()
}

pub(crate) fn key(name: &str) -> SoftwareKey {
    SoftwareKey::from_pem(&fs::read_to_string(file(&format!("pki/{name}.key.pem"))).unwrap()).unwrap()
}

/// An hour into the lives of the vectors' certificates.
pub(crate) fn start() -> UnixTime {
    certificate("delegate").validity().not_before().saturating_add(Duration::from_secs(3600))
}

/// What the table says of one certificate, or of all that it does not list.
#[derive(Debug, Clone)]
pub(crate) enum Told {
    Standing(Standing),
    /// The same, to be relied on for this long.
    For(Standing, Duration),
    /// Known for as long as this already.
    Since(Standing, Duration),
    Nothing,
}

/// A source whose answers the test writes.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) told: Mutex<HashMap<CertRef, Told>>,
    pub(crate) otherwise: Mutex<Told>,
    pub(crate) epoch: Mutex<Option<u64>>,
    pub(crate) lookups: AtomicUsize,
    /// Seconds that go by while the table is asked.
    pub(crate) delay: AtomicU64,
    turned: Option<Arc<FixedClock>>,
}

impl Table {
    pub(crate) fn lookups(&self) -> usize {
        self.lookups.load(Ordering::SeqCst)
    }

    /// Writes, and tells that something changed.
    pub(crate) fn write(&self, told: Told) {
        *self.otherwise.lock().unwrap() = told;
        let mut epoch = self.epoch.lock().unwrap();
        *epoch = epoch.map(|epoch| epoch + 1);
    }
}

impl RevocationSource for Table {
    fn status(&self, certificate: CertRef) -> BoxFuture<'_, Result<StatusReport, SourceError>> {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        let told = self.told.lock().unwrap().get(&certificate).cloned();
        let told = told.unwrap_or_else(|| self.otherwise.lock().unwrap().clone());
        let now = self.clock.now();
        if let Some(clock) = &self.turned {
            clock.advance(Duration::from_secs(self.delay.load(Ordering::SeqCst)));
        }
        let report =
            |standing, known_at, reliable_until| Ok(StatusReport { standing, known_at, reliable_until });
        let result = match told {
            Told::Standing(standing) => report(standing, now, None),
            Told::For(standing, duration) => report(standing, now, Some(now.saturating_add(duration))),
            Told::Since(standing, age) => report(standing, now.saturating_sub(age), None),
            Told::Nothing => Err(SourceError::Unavailable {
                source_name: "the table".into(),
                why: "it is told to be".into(),
            }),
        };
        Box::pin(async { result })
    }

    fn epoch(&self) -> Option<u64> {
        *self.epoch.lock().unwrap()
    }

    fn name(&self) -> &'static str {
        "table"
    }
}

/// A key that counts, and that takes as long as it is told.
#[derive(Debug)]
pub(crate) struct WatchedKey {
    key: SoftwareKey,
    pub(crate) signatures: AtomicUsize,
    pub(crate) delay: AtomicU64,
    clock: Arc<FixedClock>,
}

impl SigningKey for WatchedKey {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm()
    }

    fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, KeyError>> {
        self.signatures.fetch_add(1, Ordering::SeqCst);
        self.clock.advance(Duration::from_secs(self.delay.load(Ordering::SeqCst)));
        self.key.sign(message)
    }
}

/// A responder for the vectors' `ca`, and everything around it.
pub(crate) struct Bench {
    pub(crate) service: OcspService,
    pub(crate) clock: Arc<FixedClock>,
    pub(crate) table: Arc<Table>,
    pub(crate) key: Arc<WatchedKey>,
    pub(crate) keeper: Arc<DelegateKeeper>,
}

impl Bench {
    pub(crate) async fn new() -> Self {
        let clock = Arc::new(FixedClock::new(start()));
        let table = Arc::new(Table {
            clock: clock.clone(),
            told: Mutex::default(),
            otherwise: Mutex::new(Told::Standing(Standing::Good)),
            epoch: Mutex::new(Some(1)),
            lookups: AtomicUsize::new(0),
            delay: AtomicU64::new(0),
            turned: Some(clock.clone()),
        });
        let key = WatchedKey {
            key: key("delegate"),
            signatures: AtomicUsize::new(0),
            delay: AtomicU64::new(0),
            clock: clock.clone(),
        };
        let key = Arc::new(key);
        let source = Arc::new(FixedDelegate::new(certificate("delegate"), key.clone()));
        let verifier = Arc::new(AwsLc);
        let parts = DelegateParts { issuer: certificate("ca"), source, clock: clock.clone(), verifier };
        let keeper = DelegateKeeper::start(parts).await.unwrap();
        let issuers = vec![Arc::clone(&keeper)];
        let service = OcspService::new(OcspParts { issuers, source: table.clone(), clock: clock.clone() });
        key.signatures.store(0, Ordering::SeqCst);
        Self { service, clock, table, key, keeper }
    }

    pub(crate) fn signatures(&self) -> usize {
        self.key.signatures.load(Ordering::SeqCst)
    }

    pub(crate) fn clock_now(&self) -> UnixTime {
        self.clock.now()
    }

    pub(crate) fn advance(&self, seconds: u64) {
        self.clock.advance(Duration::from_secs(seconds));
    }

    /// What a client that asks now is told.
    pub(crate) async fn ask(&self, question: &Question) -> Result<VerifiedResponse, VerifyError> {
        let answer = self.service.answer(question.as_der()).await;
        question.verify(answer.as_der(), self.clock.now(), Duration::ZERO, &AwsLc)
    }

    /// The one status that a client that asks now is told.
    pub(crate) async fn status(&self, question: &Question) -> Result<SingleStatus, VerifyError> {
        self.ask(question).await.map(|verified| verified.statuses()[0])
    }
}

/// What a service shows of its metrics.
pub(crate) fn metrics(service: &OcspService) -> String {
    let (mut registry, mut text) = (prometheus_client::registry::Registry::default(), String::new());
    service.metrics().register(&mut registry);
    prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
    text
}

pub(crate) fn question(serial: &[u8]) -> Question {
    question_by(DigestAlgorithm::Sha256, serial)
}

pub(crate) fn question_by(digest: DigestAlgorithm, serial: &[u8]) -> Question {
    Question::new(Issuer::new(certificate("ca")), digest, [serial]).unwrap()
}

/// A keeper of that CA with that certificate and key.
pub(crate) async fn keeper(
    ca: &str,
    delegate: &str,
    key_name: &str,
    clock: Arc<dyn Clock>,
) -> Result<Arc<DelegateKeeper>, NoDelegate> {
    let source = Arc::new(FixedDelegate::new(certificate(delegate), Arc::new(key(key_name))));
    DelegateKeeper::start(DelegateParts { issuer: certificate(ca), source, clock, verifier: Arc::new(AwsLc) })
        .await
}

/// A table by the wall clock that calls everything good, or what it is told.
pub(crate) fn wall_table(clock: Arc<dyn Clock>) -> Arc<Table> {
    Arc::new(Table {
        clock,
        told: Mutex::default(),
        otherwise: Mutex::new(Told::Standing(Standing::Good)),
        epoch: Mutex::new(Some(1)),
        lookups: AtomicUsize::new(0),
        delay: AtomicU64::new(0),
        turned: None,
    })
}
