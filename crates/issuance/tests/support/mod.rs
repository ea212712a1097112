//! A CA, requests that somebody authorized, and a log that does as it is told.
#![allow(
    dead_code,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods,
    clippy::arithmetic_side_effects,
    missing_docs,
    unreachable_pub,
    reason = "tests; each uses a part; they stand in for enrollment"
)]

use std::{
    collections::VecDeque,
    future::ready,
    path::Path,
    sync::{Arc, Mutex},
};

use issuance::{
    Authorized, CaParts, CertificateAuthority, CertificateRequest, ChallengeId, Intent, IntentOutcome,
    IssuanceLog, Issuer, LogError, MicrosoftIds, Profile, ProfileSettings, Provenance, Since, Spend,
    TransactionKey,
};
use pki_core::{
    BoxFuture, CertRef, Certificate, GeneralName, KeyError, PublicKey, SecureRandom, SignatureAlgorithm,
    SigningKey,
};
use serial_binding::{BoundObject, KeyId, SerialBindings, SerialKey};
use testkit::{Authority, FixedClock, SeededRandom};

pub const OBJECT: &str = "device:d6b58414-60ed-426b-b382-276a3e8d626d";

pub fn object() -> BoundObject {
    OBJECT.parse().unwrap()
}

pub fn settings() -> ProfileSettings {
    ProfileSettings {
        ca_issuers: Some("http://ca.example.com/ca".into()),
        ocsp: Some("http://ca.example.com/ocsp".into()),
        fixed_subject: Some("O=Example".parse().unwrap()),
        ..ProfileSettings::new("devices")
    }
}

pub fn profile() -> Arc<Profile> {
    Arc::new(Profile::new(settings()).unwrap())
}

pub fn request(public_key: &PublicKey) -> CertificateRequest {
    let profile = profile();
    CertificateRequest {
        subject: profile.subject("laptop-1"),
        subject_alt_names: vec![
            GeneralName::Dns("laptop-1.example.com".into()),
            GeneralName::Upn("zoë@example.com".into()),
        ],
        public_key: public_key.clone(),
        object: Some(object()),
        profile,
        validity: None,
        usages: None,
        security_identifier: None,
        microsoft_ids: MicrosoftIds::default(),
    }
}

pub fn provenance() -> Provenance {
    Provenance {
        transaction: TransactionKey::new("devices", b"1", &[1; 32]),
        request: [2; 32],
        spends: Some(Spend::Stored(ChallengeId::from_bytes([3; 32]))),
        renews: None,
        notice: None,
        since: Since::Unknown,
    }
}

pub fn authorized<T>(value: T) -> Authorized<T> {
    Authorized::vouch(value, provenance())
}

pub fn issuer(authority: &Authority) -> Issuer {
    Issuer::of_key(authority.certificate.clone(), &*authority.key).unwrap()
}

pub fn bindings(authority: &Authority) -> SerialBindings {
    let key = SerialKey::from_slice(KeyId::FIRST, &[7; 32]).unwrap();
    SerialBindings::sealed(&key, authority.certificate.public_key())
}

pub fn ca_with(key: Arc<dyn SigningKey>, log: Arc<dyn IssuanceLog>) -> CertificateAuthority {
    ca_with_random(key, log, Arc::new(SeededRandom::new(1)))
}

pub fn ca_with_random(
    key: Arc<dyn SigningKey>,
    log: Arc<dyn IssuanceLog>,
    random: Arc<dyn SecureRandom>,
) -> CertificateAuthority {
    let authority = testkit::ca();
    CertificateAuthority::new(CaParts {
        issuer: issuer(&authority),
        key,
        binding: Arc::new(bindings(&authority)),
        log,
        clock: Arc::new(FixedClock::default()),
        random,
    })
    .unwrap()
}

/// What a log or a key was asked to do, in order.
#[derive(Debug, Clone, Default)]
pub struct Diary(Arc<Mutex<Vec<String>>>);

impl Diary {
    pub fn note(&self, entry: &str) {
        self.0.lock().unwrap().push(entry.to_owned());
    }

    pub fn entries(&self) -> Vec<String> {
        self.0.lock().unwrap().clone()
    }
}

/// Answers intents with what it was given, then with `Recorded`.
#[derive(Debug, Default)]
pub struct ScriptedLog {
    pub diary: Diary,
    pub answers: Mutex<VecDeque<Result<IntentOutcome, LogError>>>,
    pub intents: Mutex<Vec<Intent>>,
    /// What is on record before the CA's own certificate gets there.
    pub already: Option<Certificate>,
}

impl ScriptedLog {
    pub fn answering(
        answers: impl IntoIterator<Item = Result<IntentOutcome, LogError>>,
    ) -> (Arc<Self>, Diary) {
        let log = Self { answers: Mutex::new(answers.into_iter().collect()), ..Self::default() };
        let diary = log.diary.clone();
        (Arc::new(log), diary)
    }
}

impl IssuanceLog for ScriptedLog {
    fn record_intent<'a>(&'a self, intent: &'a Intent) -> BoxFuture<'a, Result<IntentOutcome, LogError>> {
        self.diary.note("intent");
        self.intents.lock().unwrap().push(intent.clone());
        let answer = self.answers.lock().unwrap().pop_front();
        Box::pin(ready(answer.unwrap_or(Ok(IntentOutcome::Recorded))))
    }

    fn record_issued<'a>(
        &'a self,
        _issued: CertRef,
        certificate: &'a Certificate,
    ) -> BoxFuture<'a, Result<Certificate, LogError>> {
        self.diary.note("issued");
        Box::pin(ready(Ok(self.already.clone().unwrap_or_else(|| certificate.clone()))))
    }
}

/// The CA's key, noting its use; or one that only claims to be the CA's.
#[derive(Debug)]
pub struct NotingKey {
    pub diary: Diary,
    pub signs: Arc<dyn SigningKey>,
    pub shows: PublicKey,
    pub failure: Option<KeyError>,
}

impl NotingKey {
    pub fn of(authority: &Authority, diary: &Diary) -> Self {
        let shows = authority.certificate.public_key().clone();
        Self { diary: diary.clone(), signs: authority.key.clone(), shows, failure: None }
    }
}

impl SigningKey for NotingKey {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.signs.algorithm()
    }

    fn public_key(&self) -> &PublicKey {
        &self.shows
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, KeyError>> {
        self.diary.note("sign");
        match &self.failure {
            Some(error) => Box::pin(ready(Err(error.clone()))),
            None => self.signs.sign(message),
        }
    }
}

pub mod crls;

/// What `openssl x509 -text` says of a certificate.
pub fn openssl_text(certificate: &Certificate) -> String {
    let text = testkit::run_with_input(
        Path::new("."),
        "openssl",
        ["x509", "-noout", "-text", "-nameopt", "RFC2253,utf8"],
        certificate.to_pem().as_bytes(),
    );
    String::from_utf8(text).unwrap()
}

/// `openssl verify` with `options`, at the time that [`FixedClock`] shows.
pub fn openssl_verify(ca: &Certificate, certificate: &Certificate, options: &[&str]) {
    let folder = testkit::tempdir().unwrap();
    std::fs::write(folder.path().join("ca.pem"), ca.to_pem()).unwrap();
    std::fs::write(folder.path().join("it.pem"), certificate.to_pem()).unwrap();
    let time = testkit::NOW.0.to_string();
    let fixed = ["verify", "-x509_strict", "-attime", &time, "-CAfile", "ca.pem"];
    testkit::run_in(folder.path(), "openssl", fixed.iter().chain(options).chain(&["it.pem"]));
}
