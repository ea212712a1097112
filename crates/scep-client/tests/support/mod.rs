//! A small CA in the same process, and ways in which it can be hard to reach.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::missing_panics_doc,
    dead_code,
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    reason = "tests"
)]

pub mod field;
pub mod program;

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
};

use http_body_util::{BodyExt as _, Full};
use hyper::{Request, service::Service as _};
use keys_software::{AwsLc, RsaKey};
use pki_core::{
    BoxFuture, Certificate, CertificationRequest, ContentKey, DecryptionKey as _, Extension, KeyError,
    KeyUsage, Name, PublicKey, SerialNumber, SigningKey, WrappedKey, oids, tlv,
};
use scep_client::{ClientKey, ClientParts, HttpReply, ScepClient, Transport, TransportError};
use scep_proto::{AlgorithmPolicy, FailInfo, RequestMessage};
use scep_service::{Decision, EnrollmentHandler, Renewal, ScepParts, ScepService, Submission};
use testkit::{Authority, FixedClock};

pub const CHALLENGE: &str = "correct-horse-battery";

/// Issues to whoever knows [`CHALLENGE`] or signs with a certificate of this CA; each transaction once. Names that
/// begin with `slow` have to be approved.
#[derive(Debug)]
pub struct SmallCa {
    pub authority: Authority,
    /// What this CA does wrong.
    pub misbehavior: Option<Misbehavior>,
    pub issued: Mutex<HashMap<Vec<u8>, Certificate>>,
    waiting: Mutex<HashMap<Vec<u8>, CertificationRequest>>,
    pub approved: AtomicUsize,
    serial: AtomicU8,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Misbehavior {
    /// Certifies another key.
    OtherKey,
    /// Signs with a key that is not the CA's.
    OtherIssuer,
    /// Refuses a transaction that it has seen before, and remembers no challenge after all.
    NoRepeats,
    /// Knows nothing of a request that waits once it is polled for; asked anew, it issues.
    Forgets,
    /// Never decides.
    NeverApproves,
}

impl SmallCa {
    pub fn new(authority: Authority, misbehavior: Option<Misbehavior>) -> Self {
        let (issued, waiting) = (Mutex::default(), Mutex::default());
        let (approved, serial) = (AtomicUsize::new(0), AtomicU8::new(16));
        Self { authority, misbehavior, issued, waiting, approved, serial }
    }

    async fn issue(&self, transaction: Vec<u8>, csr: &CertificationRequest) -> Decision {
        if let Some(earlier) = self.issued.lock().unwrap().get(&transaction) {
            return Decision::Issue(vec![earlier.clone()]);
        }
        let serial = self.serial.fetch_add(1, Ordering::SeqCst);
        let issuer = self.authority.certificate.subject();
        let (other_key, other_issuer) = (testkit::keys::rsa_3072(), testkit::keys::p384());
        let key = match self.misbehavior {
            Some(Misbehavior::OtherKey) => SigningKey::public_key(&*other_key),
            _ => csr.public_key(),
        };
        let signing_key = match self.misbehavior {
            Some(Misbehavior::OtherIssuer) => &*other_issuer as &dyn SigningKey,
            _ => &*self.authority.key,
        };
        let extensions: Vec<_> = csr.extensions().to_vec();
        let certificate = certificate(serial, issuer, signing_key, csr.subject(), key, &extensions).await;
        self.issued.lock().unwrap().insert(transaction, certificate.clone());
        Decision::Issue(vec![certificate])
    }

    async fn decide(&self, submission: Submission) -> Decision {
        let transaction = submission.request.exchange.transaction_id().as_bytes().to_vec();
        let seen = self.issued.lock().unwrap().contains_key(&transaction);
        if seen && self.misbehavior == Some(Misbehavior::NoRepeats) {
            return Decision::bad_request("that transaction is over");
        }
        self.decide_fresh(submission).await
    }

    async fn decide_fresh(&self, submission: Submission) -> Decision {
        let exchange = &submission.request.exchange;
        let transaction = exchange.transaction_id().as_bytes().to_vec();
        let ca_key = self.authority.certificate.public_key();
        let renewing = exchange.signer().verify_signed_by(ca_key, &AwsLc).is_ok();
        match submission.request.message {
            RequestMessage::PkcsReq(csr) | RequestMessage::RenewalReq(csr) => {
                let challenge = csr.challenge_password().map(|secret| secret.expose().to_owned());
                if !renewing && challenge.as_deref() != Some(CHALLENGE) {
                    return Decision::bad_request("the challenge is wrong");
                }
                let slow = csr.subject().common_name().is_some_and(|name| name.starts_with("slow"));
                let forgot = self.misbehavior == Some(Misbehavior::Forgets)
                    && !self.waiting.lock().unwrap().is_empty();
                if slow && !forgot && !self.issued.lock().unwrap().contains_key(&transaction) {
                    // The same again is a poll.
                    let before = self.waiting.lock().unwrap().insert(transaction.clone(), csr);
                    let Some(csr) = before else { return Decision::Pending };
                    return self.look_at(transaction, &csr).await;
                }
                self.issue(transaction, &csr).await
            }
            RequestMessage::CertPoll { .. } if self.misbehavior == Some(Misbehavior::Forgets) => unknown(),
            RequestMessage::GetCert { serial, .. } => {
                let issued = self.issued.lock().unwrap();
                let found = issued.values().find(|issued| issued.serial_number() == Some(serial));
                found.map_or_else(unknown, |found| Decision::Issue(vec![found.clone()]))
            }
            RequestMessage::GetCrl { serial, .. } => Decision::Crl(self.crl(&[serial]).await),
            RequestMessage::CertPoll { .. } => {
                let waiting = self.waiting.lock().unwrap().get(&transaction).cloned();
                let Some(csr) = waiting else { return unknown() };
                self.look_at(transaction, &csr).await
            }
        }
    }

    /// Every second look finds it approved.
    async fn look_at(&self, transaction: Vec<u8>, csr: &CertificationRequest) -> Decision {
        if self.misbehavior == Some(Misbehavior::NeverApproves) {
            Decision::Pending
        } else if self.approved.load(Ordering::SeqCst) > 0 {
            self.approved.fetch_sub(1, Ordering::SeqCst);
            self.issue(transaction, csr).await
        } else {
            self.approved.fetch_add(1, Ordering::SeqCst);
            Decision::Pending
        }
    }

    /// A CRL with these on it.
    pub async fn crl(&self, revoked: &[SerialNumber]) -> Vec<u8> {
        let Authority { certificate, key, .. } = &self.authority;
        let time = |text: &str| tlv::wrap(tlv::UTC_TIME, text.as_bytes());
        let entries = revoked.iter().map(|serial| {
            let serial = tlv::wrap(tlv::INTEGER, serial.as_be_bytes());
            tlv::sequence([&*serial, &time("261121110000Z")])
        });
        let algorithm = key.algorithm().to_der();
        let tbs = tlv::sequence([
            &[tlv::INTEGER, 1, 1][..],
            &algorithm,
            certificate.subject().as_der(),
            &time("261121113000Z"),
            &time("261122113000Z"),
            &tlv::wrap(tlv::SEQUENCE, &entries.flatten().collect::<Vec<_>>()),
        ]);
        let signature = key.sign(&tbs).await.unwrap();
        let signature = tlv::wrap(tlv::BIT_STRING, &[&[0], &*signature].concat());
        tlv::sequence([&*tbs, &algorithm, &signature])
    }
}

fn unknown() -> Decision {
    Decision::Refuse { code: "no-such-request", info: FailInfo::BadCertId, text: "no such request".into() }
}

impl EnrollmentHandler for SmallCa {
    fn handle(&self, submission: Submission) -> BoxFuture<'_, Decision> {
        Box::pin(self.decide(submission))
    }
}

/// A certificate of `subject`, signed by `key` in the name of `issuer`.
pub async fn certificate(
    serial: u8,
    issuer: &Name,
    key: &dyn SigningKey,
    subject: &Name,
    public_key: &PublicKey,
    extensions: &[Extension],
) -> Certificate {
    let usage = KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT;
    let usage = Extension::new(oids::KEY_USAGE, usage.to_der()).critical();
    let others = extensions.iter().filter(|extension| extension.id() != oids::KEY_USAGE);
    let extensions: Vec<_> = [&usage].into_iter().chain(others).cloned().collect();
    certificate_of(serial, issuer, key, subject, public_key, &extensions).await
}

/// A certificate of `subject` with these extensions, signed by `key` in the name of `issuer`.
pub async fn certificate_of(
    serial: u8,
    issuer: &Name,
    key: &dyn SigningKey,
    subject: &Name,
    public_key: &PublicKey,
    extensions: &[Extension],
) -> Certificate {
    let times = ["200101000000Z", "491231235959Z"].map(|time| tlv::wrap(tlv::UTC_TIME, time.as_bytes()));
    let list: Vec<u8> = extensions.iter().flat_map(Extension::to_der).collect();
    let algorithm = key.algorithm().to_der();
    let tbs = tlv::sequence([
        &[0xA0, 3, 2, 1, 2, tlv::INTEGER, 2, 0x40, serial][..],
        &algorithm,
        issuer.as_der(),
        &tlv::sequence([&*times[0], &times[1]]),
        subject.as_der(),
        public_key.as_der(),
        &tlv::wrap(0xA3, &tlv::wrap(tlv::SEQUENCE, &list)),
    ]);
    let signature = key.sign(&tbs).await.unwrap();
    let signature = tlv::wrap(tlv::BIT_STRING, &[&[0], &*signature].concat());
    Certificate::from_der(&tlv::sequence([&*tbs, &algorithm, &signature])).unwrap()
}

/// A service of `authority`, deciding by `ca`.
pub fn service(ca: Arc<SmallCa>, renewal: Renewal) -> ScepService {
    let Authority { certificate, ra_certificate, ra_key, .. } = ca.authority.clone();
    let parts = ScepParts {
        ra_certificate,
        ca_certificates: vec![certificate],
        signing_key: ra_key.clone(),
        decryption_key: ra_key,
        handler: ca,
        verifier: Arc::new(AwsLc),
        encryptor: Arc::new(AwsLc),
        clock: Arc::new(FixedClock::default()),
        random: Arc::new(AwsLc),
        policy: AlgorithmPolicy::default(),
        renewal,
    };
    ScepService::new(parts).unwrap()
}

/// Carries messages to a service in the same process, and notes them.
#[derive(Debug)]
pub struct InProcess {
    service: ScepService,
    /// Replies to PKIOperation that get lost on the way back.
    pub lose: AtomicUsize,
    /// PKIOperations that are answered 503 without reaching the service.
    pub busy: AtomicUsize,
    /// Answers to put in the place of real ones, by operation.
    pub instead: HashMap<&'static str, HttpReply>,
    /// What was sent: the URL, and the body of a POST.
    pub sent: Mutex<Vec<(String, Option<Vec<u8>>)>>,
}

impl InProcess {
    pub fn new(service: ScepService) -> Self {
        let (lose, busy, sent) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::default());
        Self { service, lose, busy, instead: HashMap::new(), sent }
    }

    /// The URLs that were asked.
    pub fn urls(&self) -> Vec<String> {
        self.sent.lock().unwrap().iter().map(|(url, _)| url.clone()).collect()
    }

    /// The bodies that were posted.
    pub fn posted(&self) -> Vec<Vec<u8>> {
        self.sent.lock().unwrap().iter().filter_map(|(_, body)| body.clone()).collect()
    }

    async fn exchange(&self, url: &str, body: Option<&[u8]>) -> Result<HttpReply, TransportError> {
        self.sent.lock().unwrap().push((url.into(), body.map(<[u8]>::to_vec)));
        if let Some((_, reply)) = self.instead.iter().find(|(operation, _)| url.contains(**operation)) {
            return Ok(reply.clone());
        }
        let operation = url.contains("PKIOperation");
        if operation && taken(&self.busy) {
            return Ok(reply(503, b"no decision can be made now\n"));
        }
        let request = match body {
            None => Request::get(url).body(Full::default()),
            Some(body) => Request::post(url).body(Full::new(body.to_vec().into())),
        };
        let (head, body) = self.service.call(request.unwrap()).await.unwrap().into_parts();
        if operation && taken(&self.lose) {
            return Err(TransportError::new("connection reset"));
        }
        let body = body.collect().await.unwrap().to_bytes();
        Ok(HttpReply { content_type: None, ..reply(head.status.as_u16(), &body) })
    }
}

/// Takes one away, if there is one.
pub fn taken(count: &AtomicUsize) -> bool {
    count.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok()
}

pub fn reply(status: u16, body: &[u8]) -> HttpReply {
    HttpReply { status, content_type: None, retry_after: None, body: body.to_vec() }
}

impl Transport for InProcess {
    fn send<'a>(
        &'a self,
        url: &'a str,
        body: Option<&'a [u8]>,
    ) -> BoxFuture<'a, Result<HttpReply, TransportError>> {
        Box::pin(self.exchange(url, body))
    }
}

/// A client over `transport`.
pub fn client(transport: Arc<dyn Transport>) -> ScepClient {
    let parts = ClientParts {
        transport,
        verifier: Arc::new(AwsLc),
        encryptor: Arc::new(AwsLc),
        random: Arc::new(AwsLc),
        clock: Arc::new(FixedClock::default()),
    };
    ScepClient::new("http://ca.example.com/scep", parts)
}

/// Opens with the RA's key.
pub async fn unwrap(authority: &Authority, wrapped: &WrappedKey) -> Result<ContentKey, KeyError> {
    authority.ra_key.unwrap_key(wrapped).await
}

/// A key for a requester.
pub fn key(pem: &str) -> (ClientKey, Arc<RsaKey>) {
    let key = testkit::keys::rsa(pem);
    (ClientKey::new(Arc::clone(&key)), key)
}
