//! A client and a CA whose cryptography is pretended: fast, repeatable, and able to make what no key would sign.

use std::sync::atomic::{AtomicU64, Ordering};

use pki_core::{
    BadSignature, Certificate, CertificationRequest, ContentKey, DigestAlgorithm, KeyEncryptor, KeyError,
    KeyTransport, Name, Oid, PublicKey, RandomFailed, RequestedExtensions, SecureRandom, SignatureAlgorithm,
    SignatureVerifier, UnixTime, UnsignedCertificationRequest, Validity, WrappedKey, tlv,
};
use scep_proto::{
    ContentCipher, OutgoingRequest, ReplySigner, RequestMessage, Requester, TransactionId, UnsignedReply,
    UnsignedSignerCertificate,
};

/// 2026-11-21T12:00:00Z
pub const NOW: UnixTime = UnixTime(1_795_262_400);

/// A signature is SHA-256 of key and message; a wrapped key is the key behind a mark.
#[derive(Debug, Clone, Copy)]
pub struct Pretend;

const MARK: &[u8] = b"wrapped for nobody in particular";

impl Pretend {
    pub fn sign(key: &PublicKey, message: &[u8]) -> Vec<u8> {
        DigestAlgorithm::Sha256.digest(&[key.as_der(), message].concat()).unwrap()
    }

    pub fn unwrap(wrapped: &WrappedKey) -> Option<ContentKey> {
        wrapped.as_bytes().strip_prefix(MARK).map(|key| ContentKey::new(key.to_vec()))
    }
}

impl SignatureVerifier for Pretend {
    fn verify(
        &self,
        key: &PublicKey,
        _: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), BadSignature> {
        if signature == Self::sign(key, message) { Ok(()) } else { Err(BadSignature) }
    }
}

impl KeyEncryptor for Pretend {
    fn wrap_key(&self, _: &PublicKey, _: KeyTransport, key: &ContentKey) -> Result<Vec<u8>, KeyError> {
        Ok([MARK, key.expose()].concat())
    }
}

/// Octets that differ from call to call and not from run to run.
#[derive(Debug, Default)]
pub struct Counting(AtomicU64);

impl SecureRandom for Counting {
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomFailed> {
        for chunk in out.chunks_mut(32) {
            let count = self.0.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            chunk.copy_from_slice(&DigestAlgorithm::Sha256.digest(&count).unwrap()[..chunk.len()]);
        }
        Ok(())
    }
}

/// No randomness at all.
#[derive(Debug)]
pub struct Exhausted;

impl SecureRandom for Exhausted {
    fn fill(&self, _: &mut [u8]) -> Result<(), RandomFailed> {
        Err(RandomFailed)
    }
}

/// An RSA public key that nobody has the private half of.
pub fn rsa_key(seed: u8) -> PublicKey {
    let modulus = [&[0, 0xC1][..], &[seed; 254], &[0x01]].concat();
    let key = tlv::sequence([&*tlv::wrap(tlv::INTEGER, &modulus), &[tlv::INTEGER, 3, 1, 0, 1]]);
    let algorithm = tlv::sequence([&*tlv::oid(Oid::new_unwrap("1.2.840.113549.1.1.1")), &[5, 0]]);
    let bits = tlv::wrap(tlv::BIT_STRING, &[&[0], &*key].concat());
    PublicKey::from_der(&tlv::sequence([&*algorithm, &bits])).unwrap()
}

/// A P-256 public key, as far as its shape goes.
pub fn ec_key() -> PublicKey {
    let oids = [Oid::new_unwrap("1.2.840.10045.2.1"), Oid::new_unwrap("1.2.840.10045.3.1.7")];
    let algorithm = tlv::sequence([&*tlv::oid(oids[0]), &tlv::oid(oids[1])]);
    let bits = tlv::wrap(tlv::BIT_STRING, &[&[0, 4][..], &[7; 64]].concat());
    PublicKey::from_der(&tlv::sequence([&*algorithm, &bits])).unwrap()
}

pub fn certificate(name: &str, key: &PublicKey) -> Certificate {
    let validity = Validity::new(UnixTime(NOW.0 - 60), UnixTime(NOW.0 + 86_400)).unwrap();
    let subject = Name::of_common_name(name);
    let algorithm = SignatureAlgorithm::RsaPkcs1Sha256;
    let unsigned =
        UnsignedSignerCertificate::new(&subject, key, algorithm, validity, &Counting::default()).unwrap();
    let signature = Pretend::sign(key, unsigned.tbs());
    unsigned.finish(&signature).unwrap()
}

/// The RA, to which requests go.
pub fn ra() -> Certificate {
    certificate("Example RA", &rsa_key(0x33))
}

pub fn reply_signer() -> ReplySigner {
    ReplySigner::new(ra(), SignatureAlgorithm::RsaPkcs1Sha256)
}

/// The device that asks.
pub fn device() -> Certificate {
    certificate("laptop-1", &rsa_key(0x44))
}

pub fn certification_request() -> CertificationRequest {
    let key = rsa_key(0x44);
    let nothing_more = RequestedExtensions::default();
    let unsigned =
        UnsignedCertificationRequest::new(&Name::of_common_name("laptop-1"), &key, None, &nothing_more);
    let signature = Pretend::sign(&key, unsigned.tbs());
    unsigned.finish(SignatureAlgorithm::RsaPkcs1Sha256, &signature).unwrap()
}

pub fn requester() -> Requester {
    Requester::new(device(), SignatureAlgorithm::RsaPkcs1Sha256, ra())
}

pub fn outgoing(requester: &Requester, message: &RequestMessage) -> OutgoingRequest {
    let transaction = TransactionId::new("transaction-1").unwrap();
    let unsigned = requester.prepare(message, &transaction, &Pretend, &Counting::default(), NOW).unwrap();
    let signature = Pretend::sign(device().public_key(), unsigned.tbs());
    unsigned.finish(&signature)
}

pub fn pkcs_req() -> RequestMessage {
    RequestMessage::PkcsReq(certification_request())
}

pub fn signed(reply: UnsignedReply) -> Vec<u8> {
    let signature = Pretend::sign(ra().public_key(), reply.tbs());
    reply.finish(&signature)
}

pub const ALL_CIPHERS: [ContentCipher; 4] = [
    ContentCipher::Aes128Cbc,
    ContentCipher::Aes192Cbc,
    ContentCipher::Aes256Cbc,
    ContentCipher::TripleDesCbc,
];
