//! SCEP servers as they are found in the field: other people's habits, rebuilt from what was seen of them. Each really
//! decrypts, decides and issues; replies are put together here, octet by octet, and encrypted and signed by OpenSSL
//! where this project makes no such algorithm.

use std::{
    collections::HashMap,
    fmt::Write as _,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, AtomicUsize, Ordering},
    },
};

use http_body_util::{BodyExt as _, Full};
use http_listener::{Listener, ListenerLimits};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use keys_software::{AwsLc, RsaKey};
use pki_core::{
    BoxFuture, Certificate, CertificationRequest, ContentKey, DecryptionKey as _, DigestAlgorithm, Extension,
    KeyEncryptor as _, KeyTransport, KeyUsage, Name, Oid, PublicKey, SecureRandom as _, SigningKey, oids,
    tlv,
};
use scep_client::{HttpReply, Transport, TransportError};
use scep_proto::{
    AlgorithmPolicy, Method, Operation, PkiMessage, Request as ScepRequest, RequestMessage, ca_certificates,
};

use super::{CHALLENGE, certificate_of};

/// What distinguishes one server from another.
#[derive(Debug)]
pub struct Style {
    /// The answer to GetCACaps; `None` closes the connection.
    pub capabilities: Option<&'static str>,
    /// The answer to GetCACert.
    pub ca_certificates: Vec<Certificate>,
    /// What requests have to be encrypted to.
    pub decryption: (Certificate, Arc<RsaKey>),
    /// What replies are signed with; the key as PEM.
    pub signing: (Certificate, &'static str),
    /// What certificates are signed with.
    pub issuer: (Name, Arc<dyn SigningKey>),
    /// The digest of replies.
    pub digest: DigestAlgorithm,
    /// The cipher of replies, by OpenSSL's name.
    pub cipher: &'static str,
    /// How the content key of replies is wrapped.
    pub transport: KeyTransport,
    pub nonce: Nonce,
    pub renewal: Renewal,
    pub known_key: KnownKey,
    /// The content of a FAILURE.
    pub failure_content: Option<&'static [u8]>,
    /// The answer to GetNextCACert.
    pub next_ca: Option<Vec<u8>>,
}

/// The senderNonce of a reply.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Nonce {
    Fresh,
    Echoed,
}

/// What a RenewalReq needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Renewal {
    ByCertificate,
    /// A challenge, whoever signed it.
    ByChallenge,
}

/// What a request for a key gets that there is a certificate for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum KnownKey {
    NewCertificate,
    OldCertificate,
}

/// micromdm/scep: one self-signed CA that is everything; replies in DES and SHA-1, the nonce sent back; advertises
/// Renewal, and wants the challenge for it.
pub fn micromdm() -> Style {
    let ca = testkit::rsa_ca();
    let key = testkit::keys::rsa(testkit::keys::RSA_CA_PEM);
    Style {
        capabilities: Some("Renewal\nSHA-1\nSHA-256\nAES\nDES3\nSCEPStandard\nPOSTPKIOperation"),
        ca_certificates: vec![ca.certificate.clone()],
        decryption: (ca.certificate.clone(), key),
        signing: (ca.certificate.clone(), testkit::keys::RSA_CA_PEM),
        issuer: (ca.certificate.subject().clone(), ca.key),
        digest: DigestAlgorithm::Sha1,
        cipher: "des-cbc",
        transport: KeyTransport::RsaPkcs1,
        nonce: Nonce::Echoed,
        renewal: Renewal::ByChallenge,
        known_key: KnownKey::NewCertificate,
        failure_content: Some(&[]),
        next_ca: None,
    }
}

/// step-ca, set to AES: the intermediate CA decrypts and signs, the root is told as well; the nonce is sent back;
/// advertises Renewal, and wants the challenge for it.
pub async fn step_ca() -> Style {
    let root = testkit::ca();
    let key = testkit::keys::rsa(testkit::keys::RSA_CA_PEM);
    let name: Name = "CN=Example Intermediate CA,O=Example".parse().unwrap();
    let ca = [
        basic_constraints(),
        key_usage(KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN | KeyUsage::DIGITAL_SIGNATURE),
    ];
    let public = SigningKey::public_key(&*key).clone();
    let intermediate = certificate_of(5, root.certificate.subject(), &*root.key, &name, &public, &ca).await;
    Style {
        capabilities: Some(
            "Renewal\r\nSHA-1\r\nSHA-256\r\nAES\r\nDES3\r\nSCEPStandard\r\nPOSTPKIOperation\r\n",
        ),
        ca_certificates: vec![intermediate.clone(), root.certificate],
        decryption: (intermediate.clone(), Arc::clone(&key)),
        signing: (intermediate, testkit::keys::RSA_CA_PEM),
        issuer: (name, key),
        digest: DigestAlgorithm::Sha256,
        cipher: "aes-256-cbc",
        transport: KeyTransport::RsaPkcs1,
        nonce: Nonce::Echoed,
        renewal: Renewal::ByChallenge,
        known_key: KnownKey::NewCertificate,
        failure_content: None,
        next_ca: None,
    }
}

/// NDES: an RA with one certificate for signatures and another for encryption; replies by OAEP; a FAILURE has one octet
/// of content; a key that is known gets its old certificate; nobody knows GetCACaps.
pub async fn ndes() -> Style {
    const REQUEST_AGENT: Oid = Oid::new_unwrap("1.3.6.1.4.1.311.20.2.1");
    let ca = testkit::ca();
    let (signer, recipient) = (testkit::keys::rsa_3072(), testkit::keys::rsa(testkit::keys::RA_PEM));
    let issuer = ca.certificate.subject();
    let name: Name = "CN=NDES-RA,O=Example".parse().unwrap();
    let agent = Extension::new(oids::EXTENDED_KEY_USAGE, tlv::sequence([&*tlv::oid(REQUEST_AGENT)]));
    let ra = |serial, key: &PublicKey, usage| {
        let (key, extensions) = (key.clone(), [key_usage(usage), agent.clone()]);
        let (name, authority) = (name.clone(), ca.clone());
        async move {
            let issuer = authority.certificate.subject();
            certificate_of(serial, issuer, &*authority.key, &name, &key, &extensions).await
        }
    };
    let signing = ra(6, SigningKey::public_key(&*signer), KeyUsage::DIGITAL_SIGNATURE).await;
    let encryption = ra(7, SigningKey::public_key(&*recipient), KeyUsage::KEY_ENCIPHERMENT).await;
    Style {
        capabilities: None,
        ca_certificates: vec![signing.clone(), ca.certificate.clone(), encryption.clone()],
        decryption: (encryption, recipient),
        signing: (signing, testkit::keys::RSA_3072_PEM),
        issuer: (issuer.clone(), ca.key),
        digest: DigestAlgorithm::Sha256,
        cipher: "des-ede3-cbc",
        transport: KeyTransport::RsaOaep(DigestAlgorithm::Sha1),
        nonce: Nonce::Fresh,
        renewal: Renewal::ByCertificate,
        known_key: KnownKey::OldCertificate,
        failure_content: Some(&[4, 1, 0]),
        next_ca: None,
    }
}

fn basic_constraints() -> Extension {
    let ca = pki_core::BasicConstraints { ca: true, path_len: Some(0) };
    Extension::new(oids::BASIC_CONSTRAINTS, ca.to_der()).critical()
}

fn key_usage(usage: KeyUsage) -> Extension {
    Extension::new(oids::KEY_USAGE, usage.to_der()).critical()
}

/// A server of that style.
#[derive(Debug)]
pub struct FieldServer {
    style: Style,
    /// By key.
    issued: Mutex<HashMap<Vec<u8>, Certificate>>,
    serial: AtomicU8,
    /// PKIOperations that came.
    pub operations: AtomicUsize,
    /// The last one.
    pub last: Mutex<Option<ScepRequest>>,
}

impl FieldServer {
    pub fn new(style: Style) -> Arc<Self> {
        Arc::new(Self {
            style,
            issued: Mutex::default(),
            serial: AtomicU8::new(0x20),
            operations: AtomicUsize::new(0),
            last: Mutex::default(),
        })
    }

    /// SHA-256 of the first CA certificate that signs itself, or of the last there is.
    pub fn fingerprint(&self) -> [u8; 32] {
        let certificates = &self.style.ca_certificates;
        let root = certificates.iter().find(|certificate| certificate.issuer() == certificate.subject());
        root.unwrap_or_else(|| certificates.last().unwrap()).fingerprint()
    }

    /// Serves on a socket; the URL.
    pub async fn serve(self: &Arc<Self>) -> String {
        let listener = Listener::bind("127.0.0.1:0", ListenerLimits::default()).await.unwrap();
        let url = format!("http://{}/certsrv/mscep/mscep.dll", listener.local_addr());
        let server = Arc::clone(self);
        let answer = service_fn(move |request: Request<Incoming>| {
            let server = Arc::clone(&server);
            async move {
                let (head, body) = request.into_parts();
                let body = body.collect().await.unwrap().to_bytes();
                let method = if head.method == "POST" { Method::Post } else { Method::Get };
                let answer = server.answer(method, head.uri.query().unwrap_or_default(), &body).await;
                // An error closes the connection.
                answer.map(|body| Response::new(Full::new(bytes::Bytes::from(body)))).ok_or("closed")
            }
        });
        tokio::spawn(listener.serve(answer, std::future::pending()));
        url
    }

    async fn answer(&self, method: Method, query: &str, body: &[u8]) -> Option<Vec<u8>> {
        match Operation::parse(method, Some(query.as_bytes()), body).unwrap() {
            Operation::GetCaCaps => self.style.capabilities.map(|text| text.as_bytes().to_vec()),
            Operation::GetCaCert => Some(ca_certificates::encode(&self.style.ca_certificates).1),
            Operation::PkiOperation(message) => Some(self.operate(&message).await),
            Operation::GetNextCaCert => self.style.next_ca.clone(),
        }
    }

    async fn operate(&self, message: &[u8]) -> Vec<u8> {
        self.operations.fetch_add(1, Ordering::SeqCst);
        let request = self.read(message).await;
        *self.last.lock().unwrap() = Some(request.clone());
        let issued = match &request.message {
            RequestMessage::PkcsReq(csr) | RequestMessage::RenewalReq(csr) => {
                self.decide(csr, request.exchange.signer()).await
            }
            _ => None,
        };
        let word = |word: &[u8]| tlv::wrap(0x13, word);
        let Some(certificate) = issued else {
            return self.reply(&request, &[(3, word(b"2")), (4, word(b"2"))], self.style.failure_content);
        };
        let envelope = self.envelope(&degenerate(&certificate), request.exchange.signer());
        self.reply(&request, &[(3, word(b"0"))], Some(&envelope))
    }

    /// What NDES and the like accept: anything that decrypts.
    async fn read(&self, message: &[u8]) -> ScepRequest {
        let (certificate, key) = &self.style.decryption;
        let policy = AlgorithmPolicy::default().with_legacy(scep_proto::Legacy::TripleDes);
        let verified = PkiMessage::parse(message).unwrap().verify(&AwsLc, &policy).unwrap();
        let sealed = verified.sealed_for(certificate).unwrap();
        let key = key.unwrap_key(sealed.wrapped_key()).await.unwrap();
        sealed.open(Some(key), &AwsLc, &AwsLc).unwrap()
    }

    async fn decide(&self, csr: &CertificationRequest, signer: &Certificate) -> Option<Certificate> {
        let (issuer, key) = &self.style.issuer;
        let challenge = csr.challenge_password().is_some_and(|secret| secret.expose() == CHALLENGE);
        let ours = signer.verify_signed_by(key.public_key(), &AwsLc).is_ok();
        if !challenge && (!ours || self.style.renewal == Renewal::ByChallenge) {
            return None;
        }
        let known = self.issued.lock().unwrap().get(csr.public_key().as_der()).cloned();
        if let (Some(old), KnownKey::OldCertificate) = (known, self.style.known_key) {
            return Some(old);
        }
        let serial = self.serial.fetch_add(1, Ordering::SeqCst);
        let extensions = [key_usage(KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT)];
        let certificate =
            certificate_of(serial, issuer, &**key, csr.subject(), csr.public_key(), &extensions).await;
        self.issued.lock().unwrap().insert(csr.public_key().as_der().to_vec(), certificate.clone());
        Some(certificate)
    }

    /// EnvelopedData, of RFC 5652 §6.1.
    fn envelope(&self, plaintext: &[u8], recipient: &Certificate) -> Vec<u8> {
        let (cipher, key_len, oid): (_, usize, _) = match self.style.cipher {
            "des-cbc" => ("des-cbc", 8, Oid::new_unwrap("1.3.14.3.2.7")),
            "des-ede3-cbc" => ("des-ede3-cbc", 24, Oid::new_unwrap("1.2.840.113549.3.7")),
            "aes-256-cbc" => ("aes-256-cbc", 32, Oid::new_unwrap("2.16.840.1.101.3.4.1.42")),
            other => panic!("no such cipher here: {other}"),
        };
        let mut key = vec![0; key_len];
        let mut iv = vec![0; if cipher == "aes-256-cbc" { 16 } else { 8 }];
        AwsLc.fill(&mut key).unwrap();
        AwsLc.fill(&mut iv).unwrap();
        let flag = format!("-{cipher}");
        let (key_text, iv_text) = (hex(&key), hex(&iv));
        let arguments =
            ["enc", &flag, "-K", &key_text, "-iv", &iv_text, "-provider", "default", "-provider", "legacy"];
        let ciphertext = testkit::run_with_input(std::path::Path::new("."), "openssl", arguments, plaintext);
        let transport = self.style.transport;
        let wrapped = AwsLc.wrap_key(recipient.public_key(), transport, &ContentKey::new(key)).unwrap();
        let zero: &[u8] = &[tlv::INTEGER, 1, 0];
        let recipient = tlv::sequence([
            zero,
            &issuer_and_serial(recipient),
            &transport.to_der(),
            &tlv::wrap(tlv::OCTET_STRING, &wrapped),
        ]);
        let algorithm = tlv::sequence([&*tlv::oid(oid), &tlv::wrap(tlv::OCTET_STRING, &iv)]);
        let content = tlv::sequence([&*tlv::oid(DATA), &algorithm, &tlv::wrap(0x80, &ciphertext)]);
        let data = tlv::sequence([zero, &tlv::wrap(tlv::SET, &recipient), &content]);
        content_info(ENVELOPED_DATA, &data)
    }

    /// SignedData, of RFC 5652 §5.1, with the attributes of SCEP.
    fn reply(&self, request: &ScepRequest, outcome: &[(u8, Vec<u8>)], content: Option<&[u8]>) -> Vec<u8> {
        let (signer, key) = &self.style.signing;
        let (digest, exchange) = (self.style.digest, &request.exchange);
        let hash = digest.digest(content.unwrap_or_default()).unwrap();
        let mut fresh = vec![0; 16];
        AwsLc.fill(&mut fresh).unwrap();
        let sender = if self.style.nonce == Nonce::Echoed { exchange.sender_nonce() } else { &fresh };
        let octets = |octets: &[u8]| tlv::wrap(tlv::OCTET_STRING, octets);
        let mut attributes = vec![
            attribute(CONTENT_TYPE, &tlv::oid(DATA)),
            attribute(MESSAGE_DIGEST, &octets(&hash)),
            attribute(scep(2), &tlv::wrap(0x13, b"3")),
            attribute(scep(5), &octets(sender)),
            attribute(scep(6), &octets(exchange.sender_nonce())),
            attribute(scep(7), &tlv::wrap(0x13, exchange.transaction_id().as_bytes())),
        ];
        attributes.extend(outcome.iter().map(|(number, value)| attribute(scep(*number), value)));
        attributes.sort();
        let attributes = attributes.concat();
        let signature = sign(key, digest, &tlv::wrap(tlv::SET, &attributes));
        let digest = tlv::sequence([&*tlv::oid(digest.oid()), &[5, 0]]);
        let one: &[u8] = &[tlv::INTEGER, 1, 1];
        let signer_info = tlv::sequence([
            one,
            &issuer_and_serial(signer),
            &digest,
            &tlv::wrap(0xA0, &attributes),
            &tlv::sequence([&*tlv::oid(RSA_ENCRYPTION), &[5, 0]]),
            &tlv::wrap(tlv::OCTET_STRING, &signature),
        ]);
        let content = content.map(|content| tlv::wrap(0xA0, &tlv::wrap(tlv::OCTET_STRING, content)));
        let content = tlv::sequence([&*tlv::oid(DATA), &content.unwrap_or_default()]);
        let data = tlv::sequence([
            one,
            &tlv::wrap(tlv::SET, &digest),
            &content,
            &tlv::wrap(0xA0, signer.as_der()),
            &tlv::wrap(tlv::SET, &signer_info),
        ]);
        content_info(SIGNED_DATA, &data)
    }
}

impl Transport for FieldServer {
    fn send<'a>(
        &'a self,
        url: &'a str,
        body: Option<&'a [u8]>,
    ) -> BoxFuture<'a, Result<HttpReply, TransportError>> {
        let method = if body.is_some() { Method::Post } else { Method::Get };
        let (_, query) = url.split_once('?').unwrap();
        Box::pin(async move {
            let answer = self.answer(method, query, body.unwrap_or_default()).await;
            answer.map(|body| super::reply(200, &body)).ok_or_else(|| TransportError::closed("reset by peer"))
        })
    }
}

const DATA: Oid = Oid::new_unwrap("1.2.840.113549.1.7.1");
const SIGNED_DATA: Oid = Oid::new_unwrap("1.2.840.113549.1.7.2");
const ENVELOPED_DATA: Oid = Oid::new_unwrap("1.2.840.113549.1.7.3");
const CONTENT_TYPE: Oid = Oid::new_unwrap("1.2.840.113549.1.9.3");
const MESSAGE_DIGEST: Oid = Oid::new_unwrap("1.2.840.113549.1.9.4");
const RSA_ENCRYPTION: Oid = Oid::new_unwrap("1.2.840.113549.1.1.1");

/// An attribute of SCEP by its number.
fn scep(number: u8) -> Oid {
    format!("2.16.840.1.113733.1.9.{number}").parse().unwrap()
}

fn attribute(id: Oid, value: &[u8]) -> Vec<u8> {
    tlv::sequence([&*tlv::oid(id), &tlv::wrap(tlv::SET, value)])
}

fn content_info(id: Oid, content: &[u8]) -> Vec<u8> {
    tlv::sequence([&*tlv::oid(id), &tlv::wrap(0xA0, content)])
}

fn issuer_and_serial(certificate: &Certificate) -> Vec<u8> {
    let serial = tlv::wrap(tlv::INTEGER, certificate.serial_octets());
    tlv::sequence([certificate.issuer().as_der(), &serial])
}

/// A SignedData of nothing but a certificate.
fn degenerate(certificate: &Certificate) -> Vec<u8> {
    let (one, none): (&[u8], &[u8]) = (&[tlv::INTEGER, 1, 1], &[tlv::SET, 0]);
    let content = tlv::sequence([&*tlv::oid(DATA)]);
    let data = tlv::sequence([one, none, &content, &tlv::wrap(0xA0, certificate.as_der()), none]);
    content_info(SIGNED_DATA, &data)
}

/// By OpenSSL, which still signs with SHA-1.
fn sign(key: &str, digest: DigestAlgorithm, message: &[u8]) -> Vec<u8> {
    let folder = testkit::tempdir().unwrap();
    std::fs::write(folder.path().join("key.pem"), key).unwrap();
    let digest = if digest == DigestAlgorithm::Sha1 { "-sha1" } else { "-sha256" };
    testkit::run_with_input(folder.path(), "openssl", ["dgst", digest, "-sign", "key.pem"], message)
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut text, octet| {
        write!(text, "{octet:02x}").unwrap();
        text
    })
}
