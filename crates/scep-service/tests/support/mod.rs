//! A small CA to put behind the service, and ways to talk to it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::missing_panics_doc,
    dead_code,
    unreachable_pub,
    missing_docs,
    missing_debug_implementations,
    reason = "tests"
)]

pub mod forge;

use std::{
    collections::HashMap,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::{HeaderMap, Request, StatusCode, service::Service as _};
use keys_software::{AwsLc, RsaKey};
use pki_core::{
    BoxFuture, Certificate, CertificationRequest, ChallengePassword, ContentKey, DecryptionKey, KeyError,
    Name, Oid, PublicKey, RandomFailed, RequestedExtensions, SecureRandom, SignatureAlgorithm, SigningKey,
    UnsignedCertificationRequest, WrappedKey, tlv,
};
use scep_proto::{AlgorithmPolicy, FailInfo, OutgoingRequest, RequestMessage, Requester, TransactionId};
use scep_service::{Decision, EnrollmentHandler, Renewal, ScepParts, ScepService, Submission};
use testkit::{FixedClock, NOW};

pub const CHALLENGE: &str = "correct-horse-battery";
/// Who takes part.
pub struct Keys {
    pub ca: Arc<dyn SigningKey>,
    pub ra: Arc<RsaKey>,
    pub client: Arc<RsaKey>,
    pub other: Arc<RsaKey>,
}

pub fn keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| Keys {
        ca: testkit::ca().key,
        ra: testkit::ca().ra_key,
        client: testkit::keys::rsa(testkit::keys::DEVICE_PEM),
        other: testkit::keys::rsa_2048(),
    })
}

/// Always the same octets, so that equal answers are equal in every octet.
#[derive(Debug)]
pub struct ConstantRandom;

impl SecureRandom for ConstantRandom {
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomFailed> {
        out.fill(0xA5);
        Ok(())
    }
}

#[derive(Debug)]
pub struct NoRandom;

impl SecureRandom for NoRandom {
    fn fill(&self, _: &mut [u8]) -> Result<(), RandomFailed> {
        Err(RandomFailed)
    }
}

/// The RA key at a home that cannot be reached, or that refuses everything.
#[derive(Debug)]
pub struct FailingKey(pub KeyError);

impl SigningKey for FailingKey {
    fn algorithm(&self) -> SignatureAlgorithm {
        keys().ra.algorithm()
    }

    fn public_key(&self) -> &PublicKey {
        SigningKey::public_key(&*keys().ra)
    }

    fn sign<'a>(&'a self, _: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, KeyError>> {
        Box::pin(std::future::ready(Err(self.0.clone())))
    }
}

impl DecryptionKey for FailingKey {
    fn public_key(&self) -> &PublicKey {
        SigningKey::public_key(&*keys().ra)
    }

    fn unwrap_key<'a>(&'a self, _: &'a WrappedKey) -> BoxFuture<'a, Result<ContentKey, KeyError>> {
        Box::pin(std::future::ready(Err(self.0.clone())))
    }
}

/// Issues to whoever knows [`CHALLENGE`] or signs with a certificate of this CA, after looking at everything that a
/// CSR has.
#[derive(Debug)]
pub struct SmallCa {
    pub certificate: Certificate,
    pub asked: Arc<AtomicUsize>,
    pub issued: Arc<AtomicUsize>,
    serial: AtomicU8,
}

impl SmallCa {
    async fn issue(&self, csr: &CertificationRequest) -> Decision {
        let read = || {
            csr.extended_key_usages()?;
            csr.key_usage()?;
            csr.basic_constraints()?;
            csr.subject_alt_names()
        };
        if let Err(error) = read() {
            return Decision::bad_request(error.to_string());
        }
        let (serial, subject) = (self.serial.fetch_add(1, Ordering::SeqCst), self.certificate.subject());
        let (ca, key) = (&*keys().ca, csr.public_key());
        let extensions = forge::ra_extensions();
        let certificate = forge::certificate(serial, subject, ca, csr.subject(), key, &extensions).await;
        self.issued.fetch_add(1, Ordering::SeqCst);
        Decision::Issue(vec![certificate])
    }
}

impl EnrollmentHandler for SmallCa {
    fn handle(&self, submission: Submission) -> BoxFuture<'_, Decision> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        Box::pin(async move {
            match &submission.request.message {
                RequestMessage::PkcsReq(csr) => {
                    let challenge = ChallengePassword::new(CHALLENGE.into());
                    if !csr.challenge_password().is_some_and(|secret| secret.matches(&challenge)) {
                        return Decision::bad_request("the challenge is wrong");
                    }
                    self.issue(csr).await
                }
                RequestMessage::RenewalReq(csr) => {
                    let signer = submission.request.exchange.signer();
                    match signer.verify_signed_by(self.certificate.public_key(), &AwsLc) {
                        Ok(()) => self.issue(csr).await,
                        Err(_) => Decision::bad_request("not a certificate of this CA"),
                    }
                }
                RequestMessage::CertPoll { .. } => Decision::Pending,
                _ => {
                    let (code, info) = ("no-such-certificate", FailInfo::BadCertId);
                    Decision::Refuse { code, info, text: "no such certificate".into() }
                }
            }
        })
    }
}

/// A service, and what is known about it from outside and inside.
pub struct World {
    pub service: ScepService,
    pub ca: Certificate,
    pub ra: Certificate,
    pub asked: Arc<AtomicUsize>,
    pub issued: Arc<AtomicUsize>,
}

/// The service with everything as usual.
pub fn world() -> World {
    world_with(|parts| parts)
}

/// The service with some parts changed.
pub fn world_with(change: impl FnOnce(ScepParts) -> ScepParts) -> World {
    let keys = keys();
    let testkit::Authority { certificate: ca, ra_certificate: ra, .. } = testkit::ca();
    let (asked, issued) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let handler = SmallCa {
        certificate: ca.clone(),
        asked: Arc::clone(&asked),
        issued: Arc::clone(&issued),
        serial: AtomicU8::new(16),
    };
    let parts = ScepParts {
        ra_certificate: ra.clone(),
        ca_certificates: vec![ca.clone()],
        signing_key: keys.ra.clone(),
        decryption_key: keys.ra.clone(),
        handler: Arc::new(handler),
        verifier: Arc::new(AwsLc),
        encryptor: Arc::new(AwsLc),
        clock: Arc::new(FixedClock::default()),
        random: Arc::new(AwsLc),
        policy: AlgorithmPolicy::default(),
        renewal: Renewal::Offered,
    };
    let service = ScepService::new(change(parts)).unwrap();
    World { service, ca, ra, asked, issued }
}

/// What came back over HTTP.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub fn media_type(&self) -> &str {
        self.headers["content-type"].to_str().unwrap()
    }

    /// The failInfo of a CertRep FAILURE, such as `"1"`.
    #[track_caller]
    pub fn fail_info(&self) -> String {
        assert_eq!(self.status, StatusCode::OK, "{:?}", self.body);
        let attributes = attributes(&self.body);
        assert_eq!(attributes[&PKI_STATUS], b"2", "no FAILURE");
        String::from_utf8(attributes[&FAIL_INFO].clone()).unwrap()
    }
}

pub const PKI_STATUS: Oid = Oid::new_unwrap("2.16.840.1.113733.1.9.3");
pub const FAIL_INFO: Oid = Oid::new_unwrap("2.16.840.1.113733.1.9.4");

/// The signed attributes of a CertRep: the content octets of their one value.
pub fn attributes(message: &[u8]) -> HashMap<Oid, Vec<u8>> {
    let walk = || {
        let mut content_info = tlv::Cursor::into(message, tlv::SEQUENCE, "a CertRep")?;
        content_info.oid()?;
        let mut data = content_info.enter(0xA0)?.enter(tlv::SEQUENCE)?;
        for tag in [tlv::INTEGER, tlv::SET, tlv::SEQUENCE, 0xA0] {
            data.expect(tag)?;
        }
        let mut signer = data.enter(tlv::SET)?.enter(tlv::SEQUENCE)?;
        for tag in [tlv::INTEGER, tlv::SEQUENCE, tlv::SEQUENCE] {
            signer.expect(tag)?;
        }
        let mut set = signer.enter(0xA0)?;
        let mut found = HashMap::new();
        while !set.is_empty() {
            let mut attribute = set.enter(tlv::SEQUENCE)?;
            found.insert(attribute.oid()?, attribute.enter(tlv::SET)?.next()?.value.to_vec());
        }
        Ok::<_, pki_core::DecodeError>(found)
    };
    walk().unwrap()
}

impl World {
    pub async fn send(&self, request: Request<Full<Bytes>>) -> Answer {
        let (head, body) = self.service.call(request).await.unwrap().into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: head.status, headers: head.headers, body }
    }

    pub async fn get(&self, target: &str) -> Answer {
        self.send(Request::get(target).body(Full::default()).unwrap()).await
    }

    pub async fn post(&self, message: impl Into<Bytes>) -> Answer {
        self.send(Request::post("/scep?operation=PKIOperation").body(Full::new(message.into())).unwrap())
            .await
    }

    /// A correct PKCSReq of the client.
    pub async fn pkcs_req(&self, name: &str, challenge: &str) -> OutgoingRequest {
        let message = RequestMessage::PkcsReq(csr(name, challenge).await);
        self.request(&message, &signer().await, |requester| requester).await
    }

    pub async fn request(
        &self,
        message: &RequestMessage,
        signer: &Certificate,
        change: impl FnOnce(Requester) -> Requester,
    ) -> OutgoingRequest {
        let key = &*keys().client;
        let requester = change(Requester::new(signer.clone(), key.algorithm(), self.ra.clone()));
        let id = TransactionId::generate(SigningKey::public_key(key), &AwsLc).unwrap();
        let unsigned = requester.prepare(message, &id, &AwsLc, &AwsLc, NOW).unwrap();
        let signature = key.sign(unsigned.tbs()).await.unwrap();
        unsigned.finish(&signature)
    }

    /// How many certificates were made.
    pub fn issued(&self) -> usize {
        self.issued.load(Ordering::SeqCst)
    }

    /// How often the handler was asked.
    pub fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// A CSR of the client's key.
pub async fn csr(name: &str, challenge: &str) -> CertificationRequest {
    let key = &*keys().client;
    let (name, challenge) = (Name::of_common_name(name), ChallengePassword::new(challenge.into()));
    let public = SigningKey::public_key(key);
    let extensions = RequestedExtensions::default();
    let unsigned = UnsignedCertificationRequest::new(&name, public, Some(&challenge), &extensions);
    let signature = key.sign(unsigned.tbs()).await.unwrap();
    unsigned.finish(key.algorithm(), &signature).unwrap()
}

/// The client's self-signed certificate.
pub async fn signer() -> Certificate {
    let (key, name) = (&*keys().client, Name::of_common_name("client"));
    let public = SigningKey::public_key(key);
    forge::certificate(3, &name, key, &name, public, &forge::ra_extensions()).await
}
