//! The keys of the sound server, for those who say wrong things in its name.

use std::path::Path;

use aes::Aes128;
use cbc::{Decryptor, Encryptor};
use cipher::{BlockModeDecrypt as _, BlockModeEncrypt as _, KeyIvInit as _, block_padding::Pkcs7};
use conformance::scep::cms::{self, EnvelopedMessage, SignedMessage, Signer};
use keys_software::{AwsLc, RsaKey, SoftwareKey};
use pki_core::{
    Certificate, CertificationRequest, ContentKey, DecryptionKey as _, DigestAlgorithm, KeyEncryptor as _,
    KeyTransport, Oid, PublicKey, SignatureVerifier as _, SigningKey, WrappedKey, tlv,
};
use testkit::{block_on, keys};

pub const CONTENT_KEY: [u8; 24] = [0x4B; 24];
const AES128: Oid = Oid::new_unwrap("2.16.840.1.101.3.4.1.2");

/// The CA and the RA of a sound server.
pub struct Authority {
    pub ca: Certificate,
    pub ca_key: SoftwareKey,
    pub ra: Certificate,
    pub ra_key: RsaKey,
}

impl Authority {
    /// Those of the server whose data folder this is.
    pub fn open(data: &Path) -> Self {
        let text = |name: &str| std::fs::read_to_string(data.join(name)).unwrap();
        let SoftwareKey::Rsa(ra_key) = SoftwareKey::from_pem(&text("ra.key.pem")).unwrap() else {
            panic!("the RA's key is RSA")
        };
        Self {
            ca: Certificate::from_pem(&text("ca.pem")).unwrap(),
            ca_key: SoftwareKey::from_pem(&text("ca.key.pem")).unwrap(),
            ra: Certificate::from_pem(&text("ra.pem")).unwrap(),
            ra_key,
        }
    }

    /// What is in the envelope, as far as it opens by AES-128: the content key, and the plaintext if its padding holds.
    pub fn open_envelope(&self, envelope: &EnvelopedMessage) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
        open(&self.ra_key, envelope)
    }

    /// A certificate for what `csr` asks, all of its extensions included, whatever they are.
    pub fn issue(&self, csr: Option<&CertificationRequest>, key: &PublicKey) -> Certificate {
        let name = self.ra.subject().clone();
        let subject = csr.map_or(name, |csr| csr.subject().clone());
        let extensions: Vec<u8> =
            csr.iter().flat_map(|csr| csr.extensions()).flat_map(pki_core::Extension::to_der).collect();
        let mut parts = vec![
            vec![0xA0, 3, tlv::INTEGER, 1, 2],
            tlv::wrap(tlv::INTEGER, &[0x2B; 16]),
            Vec::new(),
            self.ca.subject().as_der().to_vec(),
            validity("260101000000Z", "491231235959Z"),
            subject.as_der().to_vec(),
            key.as_der().to_vec(),
        ];
        if !extensions.is_empty() {
            parts.push(tlv::wrap(0xA3, &tlv::wrap(tlv::SEQUENCE, &extensions)));
        }
        certificate(parts, &self.ca_key)
    }

    /// `original` with other parts, signed by the CA again.
    pub fn reissue(&self, original: &Certificate, change: impl FnOnce(&mut Vec<Vec<u8>>)) -> Certificate {
        reissue(original, &self.ca_key, change)
    }

    /// Signs `message` in the RA's name.
    pub fn sign(&self, message: &mut SignedMessage) {
        let signature = block_on(self.ra_key.sign(&message.to_be_signed())).unwrap();
        message.change(|signer| {
            signer.algorithm = self.ra_key.algorithm().to_der();
            signer.signature = signature;
        });
    }

    /// A CertRep of that pkiStatus, not yet signed; `request` is what it answers.
    pub fn reply(&self, request: &SignedMessage, status: &str, content: Vec<u8>) -> SignedMessage {
        let asked = |id| request.signer().and_then(|signer| signer.attribute(id)).map(<[u8]>::to_vec);
        let mut signer = Signer {
            id: cms::issuer_and_serial(&self.ra),
            digest: DigestAlgorithm::Sha256.oid(),
            signed_attributes: Vec::new(),
            unsigned_attributes: Vec::new(),
            algorithm: Vec::new(),
            signature: Vec::new(),
        };
        let nonce = tlv::wrap(tlv::OCTET_STRING, &[0x5C; 16]);
        signer.add(cms::CONTENT_TYPE, tlv::oid(cms::DATA));
        signer.add(cms::MESSAGE_TYPE, cms::printable("3"));
        signer.add(cms::PKI_STATUS, cms::printable(status));
        signer.add(cms::SENDER_NONCE, nonce.clone());
        signer.add(cms::RECIPIENT_NONCE, asked(cms::SENDER_NONCE).unwrap_or(nonce));
        signer.add(cms::TRANSACTION_ID, asked(cms::TRANSACTION_ID).unwrap_or_else(|| cms::printable("x")));
        let mut message = SignedMessage {
            content_type: cms::DATA,
            content: None,
            certificates: vec![self.ra.as_der().to_vec()],
            crls: Vec::new(),
            signers: vec![signer],
        };
        message.put_content(content);
        message
    }
}

/// A degenerate SignedData.
pub fn degenerate(certificates: &[Certificate], crls: Vec<Vec<u8>>) -> SignedMessage {
    SignedMessage {
        content_type: cms::DATA,
        content: None,
        certificates: certificates.iter().map(|one| one.as_der().to_vec()).collect(),
        crls,
        signers: Vec::new(),
    }
}

/// An envelope of `plain` for `recipient`, in AES-128.
pub fn seal(plain: &[u8], recipient: &Certificate) -> EnvelopedMessage {
    let key = &CONTENT_KEY[..16];
    let iv = [0x1F; 16];
    let sealed = Encryptor::<Aes128>::new_from_slices(key, &iv).unwrap().encrypt_padded_vec::<Pkcs7>(plain);
    EnvelopedMessage {
        recipients: vec![recipient_info(recipient, key)],
        content_type: cms::DATA,
        cipher: AES128,
        iv: iv.to_vec(),
        ciphertext: sealed,
    }
}

/// A KeyTransRecipientInfo of `key` for `recipient`; empty when its key cannot encrypt.
pub fn recipient_info(recipient: &Certificate, key: &[u8]) -> Vec<u8> {
    let key = ContentKey::new(key.to_vec());
    let wrapped = AwsLc.wrap_key(recipient.public_key(), KeyTransport::RsaPkcs1, &key).unwrap_or_default();
    tlv::sequence([
        &[tlv::INTEGER, 1, 0][..],
        &cms::issuer_and_serial(recipient),
        &KeyTransport::RsaPkcs1.to_der(),
        &tlv::wrap(tlv::OCTET_STRING, &wrapped),
    ])
}

/// Opens with either of the keys that clients of these tests have.
pub fn open_as_client(envelope: &EnvelopedMessage) -> Option<Vec<u8>> {
    let keys = [keys::rsa(keys::DEVICE_PEM), keys::rsa(keys::STRANGER_PEM)];
    keys.iter().find_map(|key| open(key, envelope).1)
}

fn open(key: &RsaKey, envelope: &EnvelopedMessage) -> (Option<Vec<u8>>, Option<Vec<u8>>) {
    let unwrap = |der: &Vec<u8>| {
        let mut fields = tlv::Cursor::into(der, tlv::SEQUENCE, "a recipient").ok()?;
        fields.next().ok()?;
        fields.next().ok()?;
        let transport = KeyTransport::from_der(fields.next().ok()?.bytes).ok()?;
        let wrapped = WrappedKey::new(transport, fields.next().ok()?.value.to_vec());
        Some(block_on(key.unwrap_key(&wrapped)).ok()?.expose().to_vec())
    };
    let Some(content_key) = envelope.recipients.iter().find_map(unwrap) else { return (None, None) };
    let plain = Decryptor::<Aes128>::new_from_slices(&content_key, &envelope.iv).ok();
    let plain = plain.and_then(|cipher| cipher.decrypt_padded_vec::<Pkcs7>(&envelope.ciphertext).ok());
    (Some(content_key), plain)
}

/// A Validity of two UTCTimes.
pub fn validity(from: &str, to: &str) -> Vec<u8> {
    let times = [from, to].map(|text| tlv::wrap(tlv::UTC_TIME, text.as_bytes()));
    tlv::wrap(tlv::SEQUENCE, &times.concat())
}

/// `original` with other parts, signed by `key`. The parts are version, serialNumber, signature (which is written over),
/// issuer, validity, subject, subjectPublicKeyInfo, extensions.
pub fn reissue(
    original: &Certificate,
    key: &dyn SigningKey,
    change: impl FnOnce(&mut Vec<Vec<u8>>),
) -> Certificate {
    let mut fields = tlv::Cursor::into(original.tbs(), tlv::SEQUENCE, "a TBSCertificate").unwrap();
    let mut parts = Vec::new();
    while !fields.is_empty() {
        parts.push(fields.next().unwrap().bytes.to_vec());
    }
    change(&mut parts);
    certificate(parts, key)
}

fn certificate(mut parts: Vec<Vec<u8>>, key: &dyn SigningKey) -> Certificate {
    parts[2] = key.algorithm().to_der();
    let tbs = tlv::wrap(tlv::SEQUENCE, &parts.concat());
    let signature = block_on(key.sign(&tbs)).unwrap();
    let bits = tlv::wrap(tlv::BIT_STRING, &[&[0], &*signature].concat());
    Certificate::from_der(&tlv::sequence([&*tbs, &parts[2], &bits])).unwrap()
}

/// Whether `signature` by PKCS #1 and SHA-256 over `message` is `key`'s.
pub fn is_signed_by(key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    AwsLc.verify(key, pki_core::SignatureAlgorithm::RsaPkcs1Sha256, message, signature).is_ok()
}
