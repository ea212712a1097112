//! A pkiMessage around any plaintext.

use std::sync::LazyLock;

use aes::cipher::{BlockModeEncrypt as _, KeyIvInit as _, block_padding::Pkcs7};
use pki_core::{Certificate, KeyTransport, SignatureAlgorithm, tlv};
use sha2::{Digest as _, Sha256};

/// The AES-128 key that [`pki_message`] encrypts under.
pub const CONTENT_KEY: [u8; 16] = *b"sixteen octets!!";

const IV: [u8; 16] = [0; 16];
const CONSTRUCTED_0: u8 = 0xA0;
const PRIMITIVE_0: u8 = 0x80;
const PRINTABLE_STRING: u8 = 0x13;

/// An RSA certificate; recipient and signer of every message here.
pub fn ca() -> &'static Certificate {
    static CA: LazyLock<Certificate> = LazyLock::new(|| {
        let pem = include_str!("../../vectors/scep/pki/ra.pem");
        Certificate::from_pem(pem).expect("a certificate among the vectors")
    });
    &CA
}

/// A message of that messageType whose envelope holds `plaintext`; right in everything but its signature.
pub fn pki_message(message_type: &str, plaintext: &[u8]) -> Vec<u8> {
    let envelope = content_info("1.2.840.113549.1.7.3", &enveloped_data(plaintext));
    let digest = Sha256::digest(&envelope);
    let mut attributes = [
        attribute("1.2.840.113549.1.9.3", &oid("1.2.840.113549.1.7.1")),
        attribute("1.2.840.113549.1.9.4", &tlv::wrap(tlv::OCTET_STRING, &digest)),
        attribute("2.16.840.1.113733.1.9.7", &tlv::wrap(PRINTABLE_STRING, b"fuzzed")),
        attribute("2.16.840.1.113733.1.9.2", &tlv::wrap(PRINTABLE_STRING, message_type.as_bytes())),
        attribute("2.16.840.1.113733.1.9.5", &tlv::wrap(tlv::OCTET_STRING, &IV)),
    ];
    attributes.sort();
    let sha256 = tlv::sequence([&*oid("2.16.840.1.101.3.4.2.1"), &[5, 0]]);
    let signer = tlv::sequence([
        &[tlv::INTEGER, 1, 1],
        &*issuer_and_serial(),
        &sha256,
        &tlv::wrap(CONSTRUCTED_0, &attributes.concat()),
        &SignatureAlgorithm::RsaPkcs1Sha256.to_der(),
        &tlv::wrap(tlv::OCTET_STRING, &[0; 256]),
    ]);
    let content = tlv::wrap(CONSTRUCTED_0, &tlv::wrap(tlv::OCTET_STRING, &envelope));
    let signed = tlv::sequence([
        &[tlv::INTEGER, 1, 1],
        &*tlv::wrap(tlv::SET, &sha256),
        &tlv::sequence([&*oid("1.2.840.113549.1.7.1"), &content]),
        &tlv::wrap(CONSTRUCTED_0, ca().as_der()),
        &tlv::wrap(tlv::SET, &signer),
    ]);
    content_info("1.2.840.113549.1.7.2", &signed)
}

fn enveloped_data(plaintext: &[u8]) -> Vec<u8> {
    let encryptor = cbc::Encryptor::<aes::Aes128>::new(&CONTENT_KEY.into(), &IV.into());
    let ciphertext = encryptor.encrypt_padded_vec::<Pkcs7>(plaintext);
    let recipient = tlv::sequence([
        &[tlv::INTEGER, 1, 0],
        &*issuer_and_serial(),
        &KeyTransport::RsaPkcs1.to_der(),
        &tlv::wrap(tlv::OCTET_STRING, &[0; 256]),
    ]);
    let aes_128_cbc = tlv::sequence([&*oid("2.16.840.1.101.3.4.1.2"), &*tlv::wrap(tlv::OCTET_STRING, &IV)]);
    let content =
        tlv::sequence([&*oid("1.2.840.113549.1.7.1"), &aes_128_cbc, &tlv::wrap(PRIMITIVE_0, &ciphertext)]);
    tlv::sequence([&[tlv::INTEGER, 1, 0], &*tlv::wrap(tlv::SET, &recipient), &content])
}

fn content_info(content_type: &str, content: &[u8]) -> Vec<u8> {
    tlv::sequence([&*oid(content_type), &tlv::wrap(CONSTRUCTED_0, content)])
}

fn attribute(id: &str, value: &[u8]) -> Vec<u8> {
    tlv::sequence([&*oid(id), &tlv::wrap(tlv::SET, value)])
}

fn issuer_and_serial() -> Vec<u8> {
    tlv::sequence([ca().issuer().as_der(), &tlv::wrap(tlv::INTEGER, ca().serial_octets())])
}

fn oid(dotted: &str) -> Vec<u8> {
    tlv::oid(dotted.parse().expect("an object identifier"))
}
