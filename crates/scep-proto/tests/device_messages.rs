//! Messages as Windows and Apple devices send them, rebuilt with fresh keys: what the recorded ones look like stands
//! in the comments. OpenSSL makes the signatures and wraps the keys.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::arithmetic_side_effects)]
#![allow(clippy::cast_possible_truncation, clippy::missing_panics_doc, reason = "tests")]
#![allow(missing_docs, dead_code, unreachable_pub, reason = "tests")]

mod parties;

use keys_software::AwsLc;
use parties::*;
use pki_core::{
    Certificate, CertificationRequest, ChallengePassword, DecryptionKey as _, DigestAlgorithm, Extension,
    KeyTransport, KeyUsage, Name, Oid, PublicKey, RequestedExtensions, SignatureAlgorithm,
    UnsignedCertificationRequest, oids, tlv,
};
use scep_proto::{AlgorithmPolicy, ContentCipher, FailInfo, Legacy, PkiMessage, Request, RequestMessage};
use testkit::{block_on, keys, run, run_with_input, tempdir};

const SHA1: Oid = Oid::new_unwrap("1.3.14.3.2.26");
const SHA1_WITH_RSA: Oid = Oid::new_unwrap("1.2.840.113549.1.1.5");
const RSAES_OAEP: Oid = Oid::new_unwrap("1.2.840.113549.1.1.7");
const SIGNING_TIME: Oid = Oid::new_unwrap("1.2.840.113549.1.9.5");

/// OpenSSL in a folder that has the keys of the device and the certificate of the RA.
struct OpenSsl(tempfile::TempDir);

impl OpenSsl {
    fn new() -> Self {
        let folder = tempdir().unwrap();
        std::fs::write(folder.path().join("device.pem"), keys::DEVICE_PEM).unwrap();
        std::fs::write(folder.path().join("ra.pem"), testkit::ca().ra_certificate.to_pem()).unwrap();
        Self(folder)
    }

    fn run(&self, arguments: &str, input: &[u8]) -> Vec<u8> {
        run_with_input(self.0.path(), "openssl", arguments.split(' '), input)
    }

    fn sign_sha1(&self, octets: &[u8]) -> Vec<u8> {
        self.run("dgst -sha1 -sign device.pem", octets)
    }
}

fn device_key() -> PublicKey {
    testkit::device().key.public_key().clone()
}

/// `extensions` in the order of the device, and a signature by OpenSSL.
fn self_signed(
    name: &Name,
    serial: &[u8],
    algorithm: Oid,
    extensions: &[Extension],
    sign: impl Fn(&[u8]) -> Vec<u8>,
) -> Certificate {
    let algorithm = tlv::sequence([&*tlv::oid(algorithm), &[5, 0]]);
    let times = [tlv::time(NOW), tlv::time(pki_core::UnixTime(NOW.0 + 365 * 86_400))].concat();
    let extensions: Vec<u8> = extensions.iter().flat_map(Extension::to_der).collect();
    let tbs = tlv::sequence([
        &[0xA0, 3, 2, 1, 2][..],
        &tlv::wrap(tlv::INTEGER, serial),
        &algorithm,
        name.as_der(),
        &tlv::wrap(tlv::SEQUENCE, &times),
        name.as_der(),
        device_key().as_der(),
        &tlv::wrap(0xA3, &tlv::wrap(tlv::SEQUENCE, &extensions)),
    ]);
    let bits = tlv::wrap(tlv::BIT_STRING, &[&[0], &*sign(&tbs)].concat());
    Certificate::from_der(&tlv::sequence([&*tbs, &algorithm, &bits])).unwrap()
}

fn crafted_by(
    signer: &Certificate,
    nonce: &[u8],
    transaction: &str,
    content: Vec<u8>,
    order: [Oid; 6],
) -> Crafted {
    let digest = DigestAlgorithm::Sha1.digest(&content).unwrap();
    let value = |id: Oid| match id {
        oid::MESSAGE_TYPE => printable("19"),
        oid::CONTENT_TYPE => tlv::oid(oid::DATA),
        SIGNING_TIME => tlv::time(NOW),
        oid::SENDER_NONCE => tlv::wrap(tlv::OCTET_STRING, nonce),
        oid::MESSAGE_DIGEST => tlv::wrap(tlv::OCTET_STRING, &digest),
        _ => printable(transaction),
    };
    Crafted {
        attributes: order.into_iter().map(|id| attribute(id, &value(id))).collect(),
        certificates: vec![signer.as_der().to_vec()],
        signer: signer.clone(),
        digest: SHA1,
        ..Crafted::new(content)
    }
}

fn request_of_a_windows_device() -> CertificationRequest {
    let name: Name = "CN=00000000-0000-4000-8000-000000000001".parse().unwrap();
    let extensions = RequestedExtensions {
        key_usage: Some(KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT),
        extended_key_usages: vec![oids::KP_CLIENT_AUTH],
        ..RequestedExtensions::default()
    };
    let challenge = ChallengePassword::new("challenge of a device".into());
    let unsigned = UnsignedCertificationRequest::new(&name, &device_key(), Some(&challenge), &extensions);
    let signature = block_on(testkit::device().key.sign(unsigned.tbs())).unwrap();
    unsigned.finish(SignatureAlgorithm::RsaPkcs1Sha256, &signature).unwrap()
}

/// Windows, 2024: a certificate "SCEP Protocol Certificate" of its own with SHA-1, a critical authorityKeyIdentifier
/// and no keyUsage; attributes in DER order; SHA-1; RSAES-OAEP with empty parameters; AES-128.
fn windows() -> Vec<u8> {
    let openssl = OpenSsl::new();
    let key_identifier = |tag, key: &[u8]| tlv::wrap(tag, key);
    let authority = tlv::wrap(tlv::SEQUENCE, &key_identifier(0x80, &[0x18; 20]));
    let extensions = [
        Extension::new(oids::AUTHORITY_KEY_IDENTIFIER, authority).critical(),
        Extension::new(oids::SUBJECT_KEY_IDENTIFIER, key_identifier(4, &device_key().key_identifier())),
    ];
    let name = Name::of_common_name("SCEP Protocol Certificate");
    let signer = self_signed(&name, &[0x20; 16], SHA1_WITH_RSA, &extensions, |tbs| openssl.sign_sha1(tbs));

    let csr = request_of_a_windows_device();
    let envelope = openssl.run(
        "cms -encrypt -binary -aes128 -outform DER -recip ra.pem -keyopt rsa_padding_mode:oaep",
        csr.as_der(),
    );
    let order = [
        oid::MESSAGE_TYPE,
        oid::CONTENT_TYPE,
        SIGNING_TIME,
        oid::SENDER_NONCE,
        oid::MESSAGE_DIGEST,
        oid::TRANSACTION_ID,
    ];
    let transaction = "252e27f890ea721a5a5790225ce6b42a02d14fbf";
    let crafted = crafted_by(&signer, &[0x28; 16], transaction, envelope, order);
    crafted.encode_signed(|attributes| openssl.sign_sha1(attributes))
}

/// Apple, 2016: "MDM SCEP SIGNER" with serial number 1 and critical usages; a nonce of 8 octets; SHA-1; triple DES; a
/// PKCS #10 request that says version 3 and is signed with SHA-1; sent with indefinite lengths and segments.
fn apple() -> Vec<u8> {
    let openssl = OpenSsl::new();
    let usage = tlv::sequence([&*tlv::oid(oids::KP_CLIENT_AUTH)]);
    let extensions = [
        Extension::new(oids::KEY_USAGE, KeyUsage::DIGITAL_SIGNATURE.to_der()).critical(),
        Extension::new(oids::EXTENDED_KEY_USAGE, usage).critical(),
    ];
    let name: Name = "C=US,CN=MDM SCEP SIGNER".parse().unwrap();
    let sha256_with_rsa = Oid::new_unwrap("1.2.840.113549.1.1.11");
    let sign = |tbs: &[u8]| block_on(testkit::device().key.sign(tbs)).unwrap();
    let signer = self_signed(&name, &[1], sha256_with_rsa, &extensions, sign);

    let envelope =
        openssl.run("cms -encrypt -binary -des3 -stream -outform DER -recip ra.pem", &apple_csr(&openssl));
    let order = [
        oid::MESSAGE_TYPE,
        oid::CONTENT_TYPE,
        oid::SENDER_NONCE,
        SIGNING_TIME,
        oid::MESSAGE_DIGEST,
        oid::TRANSACTION_ID,
    ];
    let transaction = "A13090761A30F66664F85D37433D2065E1112BA1";
    let crafted = crafted_by(&signer, &[0xAE; 8], transaction, envelope, order);
    indefinite(&crafted.encode_signed(|attributes| openssl.sign_sha1(attributes)))
}

fn apple_csr(openssl: &OpenSsl) -> Vec<u8> {
    let name = Name::of_common_name("com.apple.security.scep.00000000-0000-4000-8000-000000000002");
    let usage = Extension::new(oids::KEY_USAGE, KeyUsage::DIGITAL_SIGNATURE.to_der()).critical();
    let extensions = attribute(oids::EXTENSION_REQUEST, &tlv::wrap(tlv::SEQUENCE, &usage.to_der()));
    let info =
        tlv::sequence([&[2, 1, 2][..], name.as_der(), device_key().as_der(), &tlv::wrap(0xA0, &extensions)]);
    let bits = tlv::wrap(tlv::BIT_STRING, &[&[0], &*openssl.sign_sha1(&info)].concat());
    tlv::sequence([&*info, &SignatureAlgorithm::RsaPkcs1Sha1.to_der(), &bits])
}

/// The frame of a SignedData with indefinite lengths, and its content in segments; certificates and signer untouched.
fn indefinite(der: &[u8]) -> Vec<u8> {
    let open = |tag: u8, content: &[u8]| [&[tag, 0x80], content, &[0, 0]].concat();
    let mut info = tlv::Cursor::into(der, tlv::SEQUENCE, "a message").unwrap();
    let content_type = info.next().unwrap().bytes;
    let mut data = info.enter(0xA0).unwrap().enter(tlv::SEQUENCE).unwrap();
    let head = [data.next().unwrap().bytes, data.next().unwrap().bytes].concat();
    let mut encapsulated = data.enter(tlv::SEQUENCE).unwrap();
    let data_type = encapsulated.next().unwrap().bytes;
    let content = encapsulated.enter(0xA0).unwrap().next().unwrap().value;
    let segments: Vec<u8> =
        content.chunks(1000).flat_map(|part| tlv::wrap(tlv::OCTET_STRING, part)).collect();
    let encapsulated = open(0x30, &[data_type, &open(0xA0, &open(0x24, &segments))].concat());
    let rest = [data.next().unwrap().bytes, data.next().unwrap().bytes].concat();
    open(0x30, &[content_type, &open(0xA0, &open(0x30, &[head, encapsulated, rest].concat()))].concat())
}

fn opened(message: &[u8], policy: &AlgorithmPolicy) -> Request {
    let authority = testkit::ca();
    let message = PkiMessage::parse(message).unwrap();
    let verified = message.verify(&AwsLc, policy).unwrap();
    let sealed = verified.sealed_for(&authority.ra_certificate).unwrap();
    let key = block_on(authority.ra_key.unwrap_key(sealed.wrapped_key())).unwrap();
    sealed.open(Some(key), &AwsLc, &AwsLc).unwrap()
}

#[test]
fn a_windows_device_is_understood() {
    let message = windows();
    let request = opened(&message, &AlgorithmPolicy::default().with_legacy(Legacy::Sha1));
    assert_eq!(request.exchange.key_transport(), KeyTransport::RsaOaep(DigestAlgorithm::Sha1));
    assert_eq!(request.exchange.cipher(), ContentCipher::Aes128Cbc);
    let RequestMessage::PkcsReq(csr) = request.message else { panic!() };
    let challenge = csr.challenge_password().unwrap();
    assert!(challenge.matches(&ChallengePassword::new("challenge of a device".into())));

    let strict = PkiMessage::parse(&message).unwrap();
    let refused = strict.verify(&AwsLc, &AlgorithmPolicy::default()).unwrap_err();
    assert_eq!(refused.fail_info(), FailInfo::BadAlg);
}

#[test]
fn an_apple_device_is_understood() {
    let legacy = AlgorithmPolicy::default().with_legacy(Legacy::Sha1).with_legacy(Legacy::TripleDes);
    let request = opened(&apple(), &legacy);
    assert_eq!(request.exchange.cipher(), ContentCipher::TripleDesCbc);
    assert_eq!(request.exchange.sender_nonce(), [0xAE; 8]);
    let RequestMessage::PkcsReq(csr) = request.message else { panic!() };
    assert_eq!(csr.key_usage().unwrap(), Some(KeyUsage::DIGITAL_SIGNATURE));
}

#[test]
fn openssl_agrees_about_both() {
    let folder = tempdir().unwrap();
    for (name, message) in [("windows", windows()), ("apple", apple())] {
        let path = folder.path().join(name);
        std::fs::write(&path, message).unwrap();
        run("openssl", ["cms", "-verify", "-noverify", "-inform", "DER", "-in", path.to_str().unwrap()]);
    }
}
