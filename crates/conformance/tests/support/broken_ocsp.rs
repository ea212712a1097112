//! OCSP responders that are sound but for one thing.

use std::sync::Mutex;

use conformance::ocsp::message::{BasicMessage, OcspMessage, SingleMessage};
use pki_core::{
    Certificate, Extension, KeyUsage, Oid, SigningKey as _, UnixTime, decode_url_base64, oids, tlv,
};
use testkit::{block_on, keys};

use super::{
    Sound,
    authority::Authority,
    proxy::{Incoming, Outgoing, Proxy},
};

pub const NONCE: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.48.1.2");

/// What is broken.
#[derive(Clone, Copy)]
pub enum Break {
    /// The answer to any request is changed.
    Http(fn(&Asked, &mut Outgoing)),
    /// What a successful response says is changed, and signed anew by a delegate of the same issuer.
    Basic(fn(&mut BasicMessage, &Asked)),
    /// It is changed after it was signed.
    Signed(fn(&mut BasicMessage)),
    /// It is signed by another delegate.
    Delegate(fn(&Delegates) -> Certificate),
    /// Such questions are answered good.
    Good(fn(&Asked) -> bool),
    /// Such questions are answered revoked, of what was never issued, in this way.
    NeverIssued(fn(&mut BasicMessage)),
    /// Such requests are answered by that status, with these responseBytes.
    Error(u8, fn(&Asked) -> bool),
}

impl Break {
    /// Whether answers get ETags that the sound responder does not know.
    pub fn signs_anew(self) -> bool {
        !matches!(self, Self::Http(_) | Self::Error(..))
    }
}

/// A request.
pub struct Asked {
    pub method: String,
    pub target: String,
    pub head: String,
    pub body: Vec<u8>,
    /// The DER of the CertIDs.
    pub ids: Vec<Vec<u8>>,
    /// The content octets of the serial numbers in them.
    pub serials: Vec<Vec<u8>>,
    /// The DER of the extensions of the request.
    pub extensions: Vec<Vec<u8>>,
    pub good: Vec<u8>,
    pub ca: Certificate,
}

impl Asked {
    fn new(request: &Incoming, good: &[u8], ca: &Certificate) -> Self {
        let text = request.target.trim_start_matches("/ocsp").trim_start_matches('/');
        let body = match &*request.method {
            "GET" | "HEAD" => decode_url_base64(text.as_bytes()).unwrap_or_default(),
            _ => request.body.clone(),
        };
        let (ids, serials, extensions) = read(&body).unwrap_or_default();
        Self {
            method: request.method.clone(),
            target: request.target.clone(),
            head: request.head.clone(),
            body,
            ids,
            serials,
            extensions,
            good: good.to_vec(),
            ca: ca.clone(),
        }
    }

    pub fn is_get(&self) -> bool {
        self.method == "GET"
    }

    /// Whether the one question is about the good certificate.
    pub fn is_about_good(&self) -> bool {
        self.serials == [self.good.clone()]
    }

    /// Whether the one question is about the serial number that the checks make up.
    pub fn is_never_given(&self) -> bool {
        matches!(self.serials.as_slice(), [serial] if serial.len() == 17 && serial[0] == 0x2A)
    }

    /// Whether the CertIDs are the issuer's, by SHA-1.
    pub fn is_about_issuer(&self) -> bool {
        let digest = |octets: &[u8]| pki_core::DigestAlgorithm::Sha1.digest(octets).unwrap();
        let (name, key) = (digest(self.ca.subject().as_der()), digest(self.ca.public_key().key_octets()));
        self.ids.iter().all(|id| contains(id, &name) && contains(id, &key))
    }

    /// The value of the extension of that type in the request.
    pub fn extension(&self, id: Oid) -> Option<Vec<u8>> {
        conformance::ocsp::message::extension(&self.extensions, id).map(|(_, value)| value)
    }
}

pub fn contains(octets: &[u8], part: &[u8]) -> bool {
    octets.windows(part.len()).any(|window| window == part)
}

type Parts = (Vec<Vec<u8>>, Vec<Vec<u8>>, Vec<Vec<u8>>);

fn read(body: &[u8]) -> Result<Parts, pki_core::DecodeError> {
    const WHAT: &str = "an OCSPRequest";
    let mut outer = tlv::Cursor::into(body, tlv::SEQUENCE, WHAT)?;
    let mut fields = outer.enter(tlv::SEQUENCE)?;
    fields.optional(0xA0)?;
    fields.optional(0xA1)?;
    let mut requests = fields.enter(tlv::SEQUENCE)?;
    let (mut ids, mut serials, mut extensions) = (Vec::new(), Vec::new(), Vec::new());
    while !requests.is_empty() {
        let id = requests.enter(tlv::SEQUENCE)?.expect(tlv::SEQUENCE)?.bytes.to_vec();
        let mut parts = tlv::Cursor::into(&id, tlv::SEQUENCE, WHAT)?;
        for _ in 0..3 {
            parts.next()?;
        }
        serials.push(parts.next()?.value.to_vec());
        ids.push(id);
    }
    if let Some(explicit) = fields.optional(0xA2)? {
        let mut list = tlv::Cursor::into(explicit.value, tlv::SEQUENCE, WHAT)?;
        while !list.is_empty() {
            extensions.push(list.next()?.bytes.to_vec());
        }
    }
    Ok((ids, serials, extensions))
}

/// Certificates of the proxy's own signing key.
pub struct Delegates {
    authority: Authority,
}

impl Delegates {
    /// What is right, valid from 2026 to 2049.
    pub fn sound(&self) -> Certificate {
        self.with(|_| {})
    }

    /// The same with other parts: version, serialNumber, signature, issuer, validity, subject, subjectPublicKeyInfo,
    /// extensions.
    pub fn with(&self, change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Certificate {
        let usages = tlv::wrap(tlv::SEQUENCE, &tlv::oid(oids::KP_OCSP_SIGNING));
        let extensions = [
            Extension::new(oids::EXTENDED_KEY_USAGE, usages),
            Extension::new(oids::OCSP_NOCHECK, vec![5, 0]),
            Extension::new(oids::KEY_USAGE, KeyUsage::DIGITAL_SIGNATURE.to_der()).critical(),
        ];
        let issued = self.authority.issue(None, Self::key().public_key());
        self.authority.reissue(&issued, |parts| {
            parts.push(list(&extensions));
            change(parts);
        })
    }

    /// The same with other extensions.
    pub fn with_extensions(&self, extensions: &[Extension]) -> Certificate {
        self.with(|parts| parts[7] = list(extensions))
    }

    pub fn key() -> std::sync::Arc<keys_software::EcdsaKey> {
        keys::ecdsa(keys::DEVICE_P256_PEM)
    }
}

fn list(extensions: &[Extension]) -> Vec<u8> {
    let list: Vec<u8> = extensions.iter().flat_map(Extension::to_der).collect();
    tlv::wrap(0xA3, &tlv::wrap(tlv::SEQUENCE, &list))
}

/// The responder of `sound` but for what is broken; `good` is the serial number of the good certificate.
pub fn start(sound: &Sound, good: &[u8], what: Break) -> Proxy {
    let upstream = sound.base.trim_start_matches("http://").to_owned();
    let authority = Authority::open(&sound.data());
    let (ca, good) = (authority.ca.clone(), good.to_vec());
    let delegates = Delegates { authority };
    let certificate = match what {
        Break::Delegate(make) => make(&delegates),
        _ => delegates.sound(),
    };
    let sample = Mutex::new(None);
    Proxy::start(move |request| {
        let asked = Asked::new(request, &good, &ca);
        let mut answer = request.forward(&upstream).ok()?;
        remember(&sample, &answer, &asked);
        let known = sample.lock().unwrap().clone();
        change(what, &asked, &mut answer, &certificate, known);
        Some(answer)
    })
}

/// Keeps the first answer about the good certificate, to make others of.
fn remember(sample: &Mutex<Option<BasicMessage>>, answer: &Outgoing, asked: &Asked) {
    if let (Some(basic), true) = (basic(answer), asked.is_about_good()) {
        sample.lock().unwrap().get_or_insert(basic);
    }
}

fn change(
    what: Break,
    asked: &Asked,
    answer: &mut Outgoing,
    certificate: &Certificate,
    sample: Option<BasicMessage>,
) {
    let found = basic(answer).map(|basic| of_delegate(basic, certificate));
    match (what, found) {
        (Break::Http(change), _) => change(asked, answer),
        (Break::Basic(change), Some(mut basic)) => {
            change(&mut basic, asked);
            put(answer, basic);
        }
        (Break::Signed(change), Some(_)) => {
            let mut basic = basic(answer).unwrap();
            change(&mut basic);
            answer.body = OcspMessage::of(&basic).encode();
            tag(answer);
        }
        (Break::Delegate(_), Some(basic)) => put(answer, basic),
        (Break::Good(such), _) if such(asked) => {
            let Some(basic) = sample else { return };
            let mut basic = of_delegate(basic, certificate);
            let good = basic.responses[0].clone();
            let about = |id: &Vec<u8>| SingleMessage { cert_id: id.clone(), ..good.clone() };
            basic.responses = asked.ids.iter().map(about).collect();
            *answer = Outgoing::new(200, "application/ocsp-response", Vec::new());
            put(answer, basic);
        }
        (Break::NeverIssued(change), Some(mut basic)) if asked.is_never_given() => {
            (basic.extensions, basic.responses[0].extensions) = (Vec::new(), Vec::new());
            change(&mut basic);
            put(answer, basic);
        }
        (Break::Error(status, such), _) if such(asked) => {
            let body = OcspMessage { status, bytes: None }.encode();
            *answer = Outgoing::new(200, "application/ocsp-response", body);
        }
        _ => {}
    }
}

pub fn basic(answer: &Outgoing) -> Option<BasicMessage> {
    let message = OcspMessage::read(&answer.body).ok()?;
    BasicMessage::read(&message.bytes?.1).ok()
}

/// The same, to be signed by the delegate of that certificate.
fn of_delegate(mut basic: BasicMessage, certificate: &Certificate) -> BasicMessage {
    let key = Delegates::key();
    basic.responder_id = tlv::wrap(0xA2, &tlv::wrap(tlv::OCTET_STRING, &key.public_key().key_identifier()));
    basic.algorithm = key.algorithm().to_der();
    basic.certificates = vec![certificate.as_der().to_vec()];
    basic
}

/// Puts `basic` in, signed anew. Its tag changes with it.
fn put(answer: &mut Outgoing, mut basic: BasicMessage) {
    basic.signature = block_on(Delegates::key().sign(&basic.to_be_signed())).unwrap();
    answer.body = OcspMessage::of(&basic).encode();
    tag(answer);
}

/// Makes the ETag fit the body.
fn tag(answer: &mut Outgoing) {
    let digest = pki_core::DigestAlgorithm::Sha256.digest(&answer.body).unwrap();
    let tag: String = digest.iter().flat_map(|octet| [octet >> 4, octet & 15]).map(hex).collect();
    set(answer, "etag", Some(&format!("\"{tag}\"")));
}

fn hex(nibble: u8) -> char {
    char::from_digit(u32::from(nibble), 16).unwrap()
}

/// Puts a header field in the place of those of its name, if there was one.
pub fn set(answer: &mut Outgoing, name: &str, value: Option<&str>) {
    let before = answer.more.len();
    answer.more.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
    if let (Some(value), true) = (value, before != answer.more.len()) {
        answer.more.push((name.to_owned(), value.to_owned()));
    }
}

/// A GeneralizedTime.
pub fn time(seconds: u64) -> Vec<u8> {
    tlv::wrap(tlv::GENERALIZED_TIME, &UnixTime(seconds).to_generalized())
}

/// RevokedInfo.
pub fn revoked(at: u64, reason: Option<u8>) -> Vec<u8> {
    let reason = reason.map(|reason| tlv::wrap(0xA0, &[0x0A, 1, reason])).unwrap_or_default();
    tlv::wrap(0xA1, &[time(at), reason].concat())
}
