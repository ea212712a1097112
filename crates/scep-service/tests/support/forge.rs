//! CMS written out by hand, so that tests can get any part of it wrong.

use aes::cipher::{BlockModeEncrypt as _, KeyIvInit as _, block_padding::Pkcs7};
use pki_core::{Certificate, ContentKey, DigestAlgorithm, KeyEncryptor, KeyTransport, Oid, SigningKey, tlv};

pub const MESSAGE_TYPE: Oid = Oid::new_unwrap("2.16.840.1.113733.1.9.2");
pub const SENDER_NONCE: Oid = Oid::new_unwrap("2.16.840.1.113733.1.9.5");
pub const TRANSACTION_ID: Oid = Oid::new_unwrap("2.16.840.1.113733.1.9.7");
pub const CONTENT_TYPE: Oid = Oid::new_unwrap("1.2.840.113549.1.9.3");
pub const MESSAGE_DIGEST: Oid = Oid::new_unwrap("1.2.840.113549.1.9.4");
pub const DATA: Oid = Oid::new_unwrap("1.2.840.113549.1.7.1");
const SIGNED_DATA: Oid = Oid::new_unwrap("1.2.840.113549.1.7.2");
const ENVELOPED_DATA: Oid = Oid::new_unwrap("1.2.840.113549.1.7.3");
pub const AES128_CBC: Oid = Oid::new_unwrap("2.16.840.1.101.3.4.1.2");
pub const DES_CBC: Oid = Oid::new_unwrap("1.3.14.3.2.7");

pub const CONTENT_KEY: [u8; 16] = [0x4B; 16];
pub const IV: [u8; 16] = [0x1F; 16];

/// An attribute: its type and the DER of its values.
pub type Attribute = (Oid, Vec<Vec<u8>>);

/// A SignedData to be made; everything in it may be changed before [`Signed::sign`].
pub struct Signed {
    pub content: Option<Vec<u8>>,
    pub attributes: Vec<Attribute>,
    pub unsigned_attributes: Vec<Attribute>,
    pub digest: DigestAlgorithm,
    pub certificates: Vec<Certificate>,
    /// How many SignerInfos.
    pub signers: usize,
    /// Attributes are sorted, as DER has it, before they are signed.
    pub sorted: bool,
    /// The DER of the signatureAlgorithm; the signing key's own unless it is here.
    pub signature_algorithm: Option<Vec<u8>>,
}

pub fn printable(text: &str) -> Vec<u8> {
    tlv::wrap(0x13, text.as_bytes())
}

impl Signed {
    /// A correct request of that messageType around `content`.
    pub fn request(message_type: &str, content: Vec<u8>, certificate: &Certificate) -> Self {
        let digest = DigestAlgorithm::Sha256;
        let hash = digest.digest(&content).unwrap();
        let attributes = vec![
            (CONTENT_TYPE, vec![tlv::oid(DATA)]),
            (MESSAGE_DIGEST, vec![tlv::wrap(tlv::OCTET_STRING, &hash)]),
            (MESSAGE_TYPE, vec![printable(message_type)]),
            (TRANSACTION_ID, vec![printable("forged-transaction")]),
            (SENDER_NONCE, vec![tlv::wrap(tlv::OCTET_STRING, &[0x5A; 16])]),
        ];
        Self {
            content: Some(content),
            attributes,
            unsigned_attributes: Vec::new(),
            digest,
            certificates: vec![certificate.clone()],
            signers: 1,
            sorted: true,
            signature_algorithm: None,
        }
    }

    /// With `value` in the place of the attribute's values.
    pub fn replacing(self, oid: Oid, value: Vec<u8>) -> Self {
        self.without(oid).with(oid, vec![value])
    }

    pub fn without(mut self, oid: Oid) -> Self {
        self.attributes.retain(|(other, _)| *other != oid);
        self
    }

    pub fn with(mut self, oid: Oid, values: Vec<Vec<u8>>) -> Self {
        self.attributes.push((oid, values));
        self
    }

    pub async fn sign(self, key: &dyn SigningKey) -> Vec<u8> {
        let mut attributes: Vec<Vec<u8>> = self.attributes.iter().map(attribute).collect();
        if self.sorted {
            attributes.sort();
        }
        let attributes = attributes.concat();
        let signature = key.sign(&tlv::wrap(tlv::SET, &attributes)).await.unwrap();
        let digest = tlv::sequence([&*tlv::oid(self.digest.oid())]);
        let unsigned: Vec<u8> = self.unsigned_attributes.iter().flat_map(attribute).collect();
        let unsigned = if unsigned.is_empty() { unsigned } else { tlv::wrap(0xA1, &unsigned) };
        let authenticated = if attributes.is_empty() { Vec::new() } else { tlv::wrap(0xA0, &attributes) };
        let signer = self.certificates.first().map(issuer_and_serial).unwrap_or_default();
        let info = tlv::sequence([
            &[2, 1, 1][..],
            &signer,
            &digest,
            &authenticated,
            &self.signature_algorithm.unwrap_or_else(|| key.algorithm().to_der()),
            &tlv::wrap(tlv::OCTET_STRING, &signature),
            &unsigned,
        ]);
        let certificates: Vec<u8> =
            self.certificates.iter().flat_map(|certificate| certificate.as_der().to_vec()).collect();
        let content = self.content.map(|octets| tlv::wrap(0xA0, &tlv::wrap(tlv::OCTET_STRING, &octets)));
        let signed_data = tlv::sequence([
            &[2, 1, 1][..],
            &tlv::wrap(tlv::SET, &digest),
            &tlv::sequence([&*tlv::oid(DATA), &content.unwrap_or_default()]),
            &tlv::wrap(0xA0, &certificates),
            &tlv::wrap(tlv::SET, &info.repeat(self.signers)),
        ]);
        content_info(SIGNED_DATA, &signed_data)
    }
}

fn attribute((oid, values): &Attribute) -> Vec<u8> {
    tlv::sequence([&*tlv::oid(*oid), &tlv::wrap(tlv::SET, &values.concat())])
}

fn content_info(oid: Oid, content: &[u8]) -> Vec<u8> {
    tlv::sequence([&*tlv::oid(oid), &tlv::wrap(0xA0, content)])
}

fn issuer_and_serial(certificate: &Certificate) -> Vec<u8> {
    let serial = tlv::wrap(tlv::INTEGER, certificate.serial_octets());
    tlv::sequence([certificate.issuer().as_der(), &serial])
}

/// A KeyTransRecipientInfo for `recipient` with those octets as the encryptedKey.
pub fn recipient(recipient: &Certificate, wrapped: &[u8]) -> Vec<u8> {
    recipient_called(&issuer_and_serial(recipient), wrapped)
}

/// The same for whoever has that IssuerAndSerialNumber.
pub fn recipient_called(issuer_and_serial: &[u8], wrapped: &[u8]) -> Vec<u8> {
    tlv::sequence([
        &[2, 1, 0][..],
        issuer_and_serial,
        &KeyTransport::RsaPkcs1.to_der(),
        &tlv::wrap(tlv::OCTET_STRING, wrapped),
    ])
}

/// `key` wrapped for `certificate` as it should be.
pub fn wrapped(certificate: &Certificate, key: &[u8], encryptor: &dyn KeyEncryptor) -> Vec<u8> {
    let key = ContentKey::new(key.to_vec());
    encryptor.wrap_key(certificate.public_key(), KeyTransport::RsaPkcs1, &key).unwrap()
}

/// An EnvelopedData of ready-made parts.
pub fn enveloped(recipients: &[Vec<u8>], cipher: Oid, iv: &[u8], ciphertext: &[u8]) -> Vec<u8> {
    let content = tlv::sequence([
        &*tlv::oid(DATA),
        &tlv::sequence([&*tlv::oid(cipher), &tlv::wrap(tlv::OCTET_STRING, iv)]),
        &tlv::wrap(0x80, ciphertext),
    ]);
    let recipients = tlv::wrap(tlv::SET, &recipients.concat());
    content_info(ENVELOPED_DATA, &tlv::sequence([&[2, 1, 0][..], &recipients, &content]))
}

/// AES-128-CBC under [`CONTENT_KEY`] and [`IV`].
pub fn encrypted(plain: &[u8]) -> Vec<u8> {
    cbc::Encryptor::<aes::Aes128>::new(&CONTENT_KEY.into(), &IV.into()).encrypt_padded_vec::<Pkcs7>(plain)
}

/// The same without adding padding; `blocks` is whole blocks.
pub fn encrypted_as_is(blocks: &[u8]) -> Vec<u8> {
    let mut padded = encrypted(blocks);
    padded.truncate(blocks.len());
    padded
}

/// A correct envelope of `plain` for `ra`.
pub fn sealed(plain: &[u8], ra: &Certificate, encryptor: &dyn KeyEncryptor) -> Vec<u8> {
    let recipients = [recipient(ra, &wrapped(ra, &CONTENT_KEY, encryptor))];
    enveloped(&recipients, AES128_CBC, &IV, &encrypted(plain))
}

/// A certificate of `subject`, signed by `key` in the name of `issuer`.
pub async fn certificate(
    serial: u8,
    issuer: &pki_core::Name,
    key: &dyn SigningKey,
    subject: &pki_core::Name,
    public_key: &pki_core::PublicKey,
    extensions: &[pki_core::Extension],
) -> Certificate {
    numbered_certificate(&[0x40, serial], issuer, key, subject, public_key, extensions).await
}

/// The same with a serial number of any length.
pub async fn numbered_certificate(
    serial: &[u8],
    issuer: &pki_core::Name,
    key: &dyn SigningKey,
    subject: &pki_core::Name,
    public_key: &pki_core::PublicKey,
    extensions: &[pki_core::Extension],
) -> Certificate {
    let validity = tlv::sequence([
        &*tlv::wrap(tlv::UTC_TIME, b"200101000000Z"),
        &tlv::wrap(tlv::UTC_TIME, b"491231235959Z"),
    ]);
    let extensions: Vec<u8> = extensions.iter().flat_map(pki_core::Extension::to_der).collect();
    let algorithm = key.algorithm().to_der();
    let tbs = tlv::sequence([
        &[0xA0, 3, 2, 1, 2][..],
        &tlv::wrap(tlv::INTEGER, serial),
        &algorithm,
        issuer.as_der(),
        &validity,
        subject.as_der(),
        public_key.as_der(),
        &tlv::wrap(0xA3, &tlv::wrap(tlv::SEQUENCE, &extensions)),
    ]);
    let signature = key.sign(&tbs).await.unwrap();
    let signature = tlv::wrap(tlv::BIT_STRING, &[&[0], &*signature].concat());
    Certificate::from_der(&tlv::sequence([&*tbs, &algorithm, &signature])).unwrap()
}

/// The extensions of an RA, or of anyone who signs and decrypts.
pub fn ra_extensions() -> [pki_core::Extension; 1] {
    use pki_core::{Extension, KeyUsage};
    let usage = KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT;
    [Extension::new(pki_core::oids::KEY_USAGE, usage.to_der()).critical()]
}
