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

/// A message made piece by piece, so that every piece can be wrong. Signed last, over whatever was put in.
#[derive(Debug, Clone)]
pub struct Crafted {
    pub content: Vec<u8>,
    pub attributes: Vec<Vec<u8>>,
    pub unsigned_attributes: Vec<Vec<u8>>,
    pub certificates: Vec<Vec<u8>>,
    pub signer: Certificate,
    pub signers: usize,
    pub digest: Oid,
    pub algorithm: Oid,
    /// Signed instead of the attributes in DER order.
    pub signed: Option<Vec<u8>>,
}

pub mod oid {
    use pki_core::Oid;

    pub const DATA: Oid = Oid::new_unwrap("1.2.840.113549.1.7.1");
    pub const SIGNED_DATA: Oid = Oid::new_unwrap("1.2.840.113549.1.7.2");
    pub const ENVELOPED_DATA: Oid = Oid::new_unwrap("1.2.840.113549.1.7.3");
    pub const CONTENT_TYPE: Oid = Oid::new_unwrap("1.2.840.113549.1.9.3");
    pub const MESSAGE_DIGEST: Oid = Oid::new_unwrap("1.2.840.113549.1.9.4");
    pub const MESSAGE_TYPE: Oid = Oid::new_unwrap("2.16.840.1.113733.1.9.2");
    pub const SENDER_NONCE: Oid = Oid::new_unwrap("2.16.840.1.113733.1.9.5");
    pub const TRANSACTION_ID: Oid = Oid::new_unwrap("2.16.840.1.113733.1.9.7");
    pub const RSA_ENCRYPTION: Oid = Oid::new_unwrap("1.2.840.113549.1.1.1");
    pub const AES_128_CBC: Oid = Oid::new_unwrap("2.16.840.1.101.3.4.1.2");
    pub const DES_CBC: Oid = Oid::new_unwrap("1.3.14.3.2.7");
}

pub fn attribute(id: Oid, value: &[u8]) -> Vec<u8> {
    tlv::sequence([&*tlv::oid(id), &tlv::wrap(tlv::SET, value)])
}

pub fn printable(text: &str) -> Vec<u8> {
    tlv::wrap(0x13, text.as_bytes())
}

pub fn content_info(id: Oid, content: &[u8]) -> Vec<u8> {
    tlv::sequence([&*tlv::oid(id), &tlv::wrap(0xA0, content)])
}

impl Crafted {
    /// A sound PKCSReq around `content`.
    pub fn new(content: Vec<u8>) -> Self {
        let digest = DigestAlgorithm::Sha256.digest(&content).unwrap();
        Self {
            content,
            attributes: vec![
                attribute(oid::CONTENT_TYPE, &tlv::oid(oid::DATA)),
                attribute(oid::MESSAGE_DIGEST, &tlv::wrap(tlv::OCTET_STRING, &digest)),
                attribute(oid::MESSAGE_TYPE, &printable("19")),
                attribute(oid::SENDER_NONCE, &tlv::wrap(tlv::OCTET_STRING, &[7; 16])),
                attribute(oid::TRANSACTION_ID, &printable("transaction-1")),
            ],
            unsigned_attributes: vec![],
            certificates: vec![device().as_der().to_vec()],
            signer: device(),
            signers: 1,
            digest: DigestAlgorithm::Sha256.oid(),
            algorithm: oid::RSA_ENCRYPTION,
            signed: None,
        }
    }

    pub fn without(mut self, id: Oid) -> Self {
        let header = tlv::oid(id);
        self.attributes.retain(|attribute| !attribute.windows(header.len()).any(|part| part == header));
        self
    }

    pub fn with(mut self, id: Oid, value: &[u8]) -> Self {
        self.attributes.push(attribute(id, value));
        self
    }

    pub fn sorted_attributes(&self) -> Vec<u8> {
        let mut sorted = self.attributes.clone();
        sorted.sort();
        tlv::wrap(tlv::SET, &sorted.concat())
    }

    pub fn encode(&self) -> Vec<u8> {
        self.encode_signed(|signed| Pretend::sign(self.signer.public_key(), signed))
    }

    pub fn encode_signed(&self, sign: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
        let signed = self.signed.clone().unwrap_or_else(|| self.sorted_attributes());
        let signature = sign(&signed);
        let serial = tlv::wrap(tlv::INTEGER, self.signer.serial_octets());
        let id = tlv::sequence([self.signer.issuer().as_der(), &serial]);
        let digest = tlv::sequence([&*tlv::oid(self.digest)]);
        let algorithm = tlv::sequence([&*tlv::oid(self.algorithm), &[5, 0]]);
        let signed_attributes =
            if self.attributes.is_empty() { vec![] } else { tlv::wrap(0xA0, &self.attributes.concat()) };
        let unsigned_attributes = if self.unsigned_attributes.is_empty() {
            vec![]
        } else {
            tlv::wrap(0xA1, &self.unsigned_attributes.concat())
        };
        let signer_info = tlv::sequence([
            &[2, 1, 1][..],
            &id,
            &digest,
            &signed_attributes,
            &algorithm,
            &tlv::wrap(tlv::OCTET_STRING, &signature),
            &unsigned_attributes,
        ]);
        let content = tlv::wrap(0xA0, &tlv::wrap(tlv::OCTET_STRING, &self.content));
        let data = tlv::sequence([
            &[2, 1, 1][..],
            &tlv::wrap(tlv::SET, &digest),
            &tlv::sequence([&*tlv::oid(oid::DATA), &content]),
            &tlv::wrap(0xA0, &self.certificates.concat()),
            &tlv::wrap(tlv::SET, &signer_info.repeat(self.signers)),
        ]);
        content_info(oid::SIGNED_DATA, &data)
    }
}

/// An envelope made piece by piece.
#[derive(Debug, Clone)]
pub struct CraftedEnvelope {
    pub recipients: Vec<Vec<u8>>,
    pub cipher: Oid,
    pub iv: Vec<u8>,
    pub ciphertext: Vec<u8>,
}

impl CraftedEnvelope {
    /// The key that [`CraftedEnvelope::sealing`] encrypts with.
    pub const KEY: [u8; 16] = [0x5A; 16];

    /// `plaintext`, with whatever padding it was given, for the RA.
    pub fn sealing(padded: &[u8]) -> Self {
        use cipher::{BlockModeEncrypt as _, KeyIvInit as _};
        let iv = [0xA5; 16];
        let mut ciphertext = padded.to_vec();
        let (blocks, rest) = cipher::Array::slice_as_chunks_mut(&mut ciphertext);
        assert!(rest.is_empty());
        cbc::Encryptor::<aes::Aes128>::new(&Self::KEY.into(), &iv.into()).encrypt_blocks(blocks);
        let recipients = vec![recipient(&issuer_and_serial(&ra()), oid::RSA_ENCRYPTION)];
        Self { recipients, cipher: oid::AES_128_CBC, iv: iv.to_vec(), ciphertext }
    }

    pub fn encode(&self) -> Vec<u8> {
        let algorithm = tlv::sequence([&*tlv::oid(self.cipher), &tlv::wrap(tlv::OCTET_STRING, &self.iv)]);
        let content = tlv::sequence([&*tlv::oid(oid::DATA), &algorithm, &tlv::wrap(0x80, &self.ciphertext)]);
        let data = tlv::sequence([&[2, 1, 0][..], &tlv::wrap(tlv::SET, &self.recipients.concat()), &content]);
        content_info(oid::ENVELOPED_DATA, &data)
    }
}

/// A KeyTransRecipientInfo of [`CraftedEnvelope::KEY`].
pub fn recipient(id: &[u8], algorithm: Oid) -> Vec<u8> {
    let algorithm = tlv::sequence([&*tlv::oid(algorithm), &[5, 0]]);
    let wrapped = tlv::wrap(tlv::OCTET_STRING, &[MARK, &CraftedEnvelope::KEY].concat());
    tlv::sequence([&[2, 1, 0][..], id, &algorithm, &wrapped])
}

pub fn issuer_and_serial(certificate: &Certificate) -> Vec<u8> {
    let serial = tlv::wrap(tlv::INTEGER, certificate.serial_octets());
    tlv::sequence([certificate.issuer().as_der(), &serial])
}

pub fn padded(plaintext: &[u8]) -> Vec<u8> {
    let padding = 16 - plaintext.len() % 16;
    [plaintext, &vec![padding as u8; padding]].concat()
}

/// A sound message around the sound envelope of a PKCS #10 request.
pub fn crafted() -> Crafted {
    Crafted::new(CraftedEnvelope::sealing(&padded(certification_request().as_der())).encode())
}

pub const ALL_CIPHERS: [ContentCipher; 4] = [
    ContentCipher::Aes128Cbc,
    ContentCipher::Aes192Cbc,
    ContentCipher::Aes256Cbc,
    ContentCipher::TripleDesCbc,
];
