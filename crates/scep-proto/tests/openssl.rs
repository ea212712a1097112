//! OpenSSL reads what is made here, and the other way round.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::arithmetic_side_effects)]
#![allow(clippy::cast_possible_truncation, clippy::missing_panics_doc, reason = "tests")]
#![allow(missing_docs, dead_code, unreachable_pub, reason = "tests")]

mod parties;

use std::fs;

use keys_software::AwsLc;
use parties::{Crafted, NOW};
use pki_core::{
    Certificate, CertificationRequest, ContentKey, DecryptionKey as _, DigestAlgorithm, KeyTransport, Name,
    RequestedExtensions, SigningKey as _, UnsignedCertificationRequest, Validity, WrappedKey, oids,
};
use scep_proto::{
    AlgorithmPolicy, CertRep, ContentCipher, EmptyContent, FailInfo, Legacy, OutgoingRequest, PkiMessage,
    ReplySigner, Request, RequestMessage, Requester, TransactionId, UnsignedReply, UnsignedSignerCertificate,
    ca_certificates,
};
use testkit::{TempDir, block_on, keys, run_in, run_with_input, tempdir};

/// A folder with the keys and certificates of the fixtures, where OpenSSL runs.
struct Folder(TempDir);

impl Folder {
    fn new() -> Self {
        let (ca, device) = (testkit::ca(), testkit::device());
        let folder = tempdir().unwrap();
        for (name, text) in [
            ("ca.pem", ca.certificate.to_pem()),
            ("ra.pem", ca.ra_certificate.to_pem()),
            ("ra.key", keys::RA_PEM.into()),
            ("device.pem", device.certificate.to_pem()),
            ("device.key", keys::DEVICE_PEM.into()),
        ] {
            fs::write(folder.path().join(name), text).unwrap();
        }
        Self(folder)
    }

    fn openssl(&self, arguments: &str) -> Vec<u8> {
        run_in(self.0.path(), "openssl", arguments.split(' '))
    }

    fn openssl_reading(&self, arguments: &str, input: &[u8]) -> Vec<u8> {
        run_with_input(self.0.path(), "openssl", arguments.split(' '), input)
    }

    fn write(&self, name: &str, octets: &[u8]) {
        fs::write(self.0.path().join(name), octets).unwrap();
    }
}

fn policy() -> AlgorithmPolicy {
    AlgorithmPolicy::default().with_legacy(Legacy::TripleDes)
}

fn csr() -> CertificationRequest {
    let key = testkit::device().key;
    let name: Name = "CN=laptop-1,O=Example".parse().unwrap();
    let unsigned =
        UnsignedCertificationRequest::new(&name, key.public_key(), None, &RequestedExtensions::default());
    let signature = block_on(key.sign(unsigned.tbs())).unwrap();
    unsigned.finish(key.algorithm(), &signature).unwrap()
}

fn requester() -> Requester {
    let device = testkit::device();
    Requester::new(device.certificate, device.key.algorithm(), testkit::ca().ra_certificate)
}

fn outgoing(requester: &Requester) -> OutgoingRequest {
    let transaction = TransactionId::generate(csr().public_key(), &AwsLc).unwrap();
    let message = RequestMessage::PkcsReq(csr());
    let unsigned = requester.prepare(&message, &transaction, &AwsLc, &AwsLc, NOW).unwrap();
    let signature = block_on(testkit::device().key.sign(unsigned.tbs())).unwrap();
    unsigned.finish(&signature)
}

fn ra_unwraps(wrapped: &WrappedKey) -> Option<ContentKey> {
    block_on(testkit::ca().ra_key.unwrap_key(wrapped)).ok()
}

fn received(message: &[u8], verifier: &dyn pki_core::SignatureVerifier) -> Request {
    let message = PkiMessage::parse(message).unwrap();
    let message = message.verify(verifier, &policy()).unwrap();
    let sealed = message.sealed_for(&testkit::ca().ra_certificate).unwrap();
    sealed.open(ra_unwraps(sealed.wrapped_key()), &AwsLc, &AwsLc).unwrap()
}

fn signed(reply: UnsignedReply) -> Vec<u8> {
    let signature = block_on(testkit::ca().ra_key.sign(reply.tbs())).unwrap();
    reply.finish(&signature)
}

fn reply_signer() -> ReplySigner {
    let ca = testkit::ca();
    ReplySigner::new(ca.ra_certificate, ca.ra_key.algorithm())
}

const CIPHERS: [ContentCipher; 4] = [
    ContentCipher::Aes128Cbc,
    ContentCipher::Aes192Cbc,
    ContentCipher::Aes256Cbc,
    ContentCipher::TripleDesCbc,
];

// clause: RFC 8894 M1, M5, M17
#[test]
fn openssl_reads_requests() {
    let folder = Folder::new();
    for cipher in CIPHERS {
        let transports = [
            KeyTransport::RsaPkcs1,
            KeyTransport::RsaOaep(DigestAlgorithm::Sha1),
            KeyTransport::RsaOaep(DigestAlgorithm::Sha256),
        ];
        for transport in transports {
            let requester = requester().with_cipher(cipher).with_key_transport(transport);
            folder.write("request.der", &outgoing(&requester).message);
            folder.openssl(
                "cms -verify -inform DER -in request.der -CAfile ca.pem -purpose any -out envelope.der",
            );
            folder.openssl(
                "smime -verify -inform DER -in request.der -CAfile ca.pem -purpose any -out envelope2.der",
            );
            let plaintext =
                folder.openssl("cms -decrypt -inform DER -in envelope.der -recip ra.pem -inkey ra.key");
            assert_eq!(plaintext, csr().as_der(), "{cipher:?} {transport:?}");
        }
    }
}

// clause: RFC 8894 M5, M20, M21, M26, S4
#[test]
fn openssl_reads_replies() {
    let folder = Folder::new();
    for cipher in CIPHERS {
        let outgoing = outgoing(&requester().with_cipher(cipher));
        let exchange = received(&outgoing.message, &AwsLc).exchange;
        let issued = [testkit::device().certificate, testkit::ca().certificate];
        let reply = exchange.success(&issued, &reply_signer(), &AwsLc, &AwsLc, NOW).unwrap();
        let reply = signed(reply);
        folder.write("reply.der", &reply);
        folder.openssl("cms -verify -inform DER -in reply.der -CAfile ca.pem -purpose any -out envelope.der");
        folder.openssl(
            "cms -decrypt -inform DER -in envelope.der -recip device.pem -inkey device.key -out certs.der",
        );
        let certificates = folder.openssl("pkcs7 -inform DER -in certs.der -print_certs");
        let certificates = String::from_utf8(certificates).unwrap();
        let first = Certificate::from_pem(&certificates).unwrap();
        assert_eq!(first, issued[0], "{cipher:?}");
        assert_eq!(certificates.matches("BEGIN CERTIFICATE").count(), 2);

        let read = outgoing.awaited.read(&reply, &[testkit::ca().ra_certificate], &AwsLc, &policy()).unwrap();
        let CertRep::Success(sealed) = read else { panic!("no SUCCESS") };
        let key = block_on(keys::rsa(keys::DEVICE_PEM).unwrap_key(sealed.wrapped_key())).unwrap();
        assert_eq!(sealed.open(&key).unwrap().certificates, issued);
    }
}

// clause: RFC 8894 M4, M22, M23
#[test]
fn openssl_verifies_replies_without_content() {
    let folder = Folder::new();
    let exchange = received(&outgoing(&requester()).message, &AwsLc).exchange;
    for form in [EmptyContent::OctetString, EmptyContent::Omitted] {
        let signer = reply_signer().with_empty_content(form).with_chain([testkit::ca().certificate].into());
        let failure =
            exchange.failure(&signer, FailInfo::BadRequest, Some("für Menschen"), &AwsLc, NOW).unwrap();
        for reply in [exchange.pending(&signer, &AwsLc, NOW).unwrap(), failure] {
            folder.write("reply.der", &signed(reply));
            folder.write("nothing", b"");
            let detached = if form == EmptyContent::Omitted { " -content nothing" } else { "" };
            let verify = "cms -verify -binary -inform DER -in reply.der -CAfile ca.pem -purpose any";
            let content = folder.openssl(&format!("{verify}{detached}"));
            assert!(content.is_empty());
        }
    }
}

/// Envelopes of OpenSSL within a message whose signature is pretended: OpenSSL cannot be told to sign SCEP's
/// attributes.
#[test]
fn envelopes_of_openssl_are_read() {
    let folder = Folder::new();
    let oaep = "-keyopt rsa_padding_mode:oaep";
    let oaep_sha256 = "-keyopt rsa_padding_mode:oaep -keyopt rsa_oaep_md:sha256";
    for cipher in ["-aes128", "-aes192", "-aes256", "-des3"] {
        for form in ["", " -stream"] {
            for recipient in [
                "-recip ra.pem",
                "-keyid -recip ra.pem",
                &format!("-recip ra.pem {oaep}"),
                &format!("-recip ra.pem {oaep_sha256}"),
            ] {
                let command = format!("cms -encrypt -binary {cipher}{form} -outform DER {recipient}");
                let envelope = folder.openssl_reading(&command, csr().as_der());
                assert_eq!(envelope.starts_with(&[0x30, 0x80]), form == " -stream", "{command}");
                let message = Crafted::new(envelope).encode();
                let opened = received(&message, &PretendOuter).message;
                assert_eq!(opened, RequestMessage::PkcsReq(csr()), "{command}");
            }
        }
    }
}

/// Pretended signatures of messages.
#[derive(Debug)]
struct PretendOuter;

impl pki_core::SignatureVerifier for PretendOuter {
    fn verify(
        &self,
        key: &pki_core::PublicKey,
        algorithm: pki_core::SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), pki_core::BadSignature> {
        parties::Pretend.verify(key, algorithm, message, signature)
    }
}

#[test]
fn an_envelope_of_openssl_for_two_is_refused() {
    let folder = Folder::new();
    let envelope =
        folder.openssl_reading("cms -encrypt -binary -aes128 -outform DER ra.pem device.pem", csr().as_der());
    let message = PkiMessage::parse(&Crafted::new(envelope).encode()).unwrap();
    let verified = message.verify(&PretendOuter, &policy()).unwrap();
    let rejection = verified.sealed_for(&testkit::ca().ra_certificate).unwrap_err();
    assert_eq!(rejection.fail_info(), FailInfo::BadMessageCheck);
}

#[test]
fn a_signed_message_of_openssl_without_scep_attributes_is_no_message() {
    let folder = Folder::new();
    let sign = "cms -sign -binary -nodetach -outform DER -signer device.pem -inkey device.key";
    for extra in ["", " -noattr", " -stream"] {
        let message = folder.openssl_reading(&format!("{sign}{extra}"), b"x");
        assert!(PkiMessage::parse(&message).is_err());
    }
}

// clause: RFC 8894 M26, S2
#[test]
fn sets_of_certificates_go_both_ways() {
    let folder = Folder::new();
    let ca = testkit::ca();
    let all = [ca.ra_certificate.clone(), ca.certificate.clone()];
    let (media_type, body) = ca_certificates::encode(&all);
    assert_eq!(media_type, "application/x-x509-ca-ra-cert");
    assert_eq!(ca_certificates::parse(&body).unwrap(), all);
    let text = folder.openssl_reading("pkcs7 -inform DER -print_certs", &body);
    let text = String::from_utf8(text).unwrap();
    assert_eq!(Certificate::from_pem(&text).unwrap(), ca.ra_certificate);

    let theirs = folder.openssl("crl2pkcs7 -nocrl -certfile ra.pem -certfile ca.pem -outform DER");
    let theirs = ca_certificates::parse(&theirs).unwrap();
    assert_eq!(theirs, all);
    let picked = ca_certificates::RaCertificates::pick(&theirs).unwrap();
    assert_eq!(
        (picked.encryption, picked.signing, picked.ca),
        (all[0].clone(), all[0].clone(), all[1].clone())
    );

    let (media_type, body) = ca_certificates::encode(&all[1..]);
    assert_eq!((media_type, &*body), ("application/x-x509-ca-cert", ca.certificate.as_der()));
    assert_eq!(ca_certificates::parse(&body).unwrap(), all[1..]);
    assert!(ca_certificates::parse(b"<html>").is_err());
    // An EC CA alone has no key to encrypt to; an RSA CA alone is everything.
    assert_eq!(ca_certificates::RaCertificates::pick(&all[1..]), None);
    let rsa = testkit::rsa_ca().certificate;
    let alone = ca_certificates::RaCertificates::pick(std::slice::from_ref(&rsa)).unwrap();
    assert_eq!((&alone.encryption, &alone.signing, &alone.ca), (&rsa, &rsa, &rsa));
    assert_eq!(ca_certificates::RaCertificates::pick(&[]), None);
}

// clause: RFC 8894 C3
#[test]
fn openssl_reads_the_signer_certificate() {
    let folder = Folder::new();
    let key = testkit::device().key;
    let validity = Validity::new(NOW, pki_core::UnixTime(NOW.0 + 604_800)).unwrap();
    let name: Name = "CN=laptop-1,O=Example".parse().unwrap();
    let unsigned =
        UnsignedSignerCertificate::new(&name, key.public_key(), key.algorithm(), validity, &AwsLc).unwrap();
    let signature = block_on(key.sign(unsigned.tbs())).unwrap();
    let certificate = unsigned.finish(&signature).unwrap();
    folder.write("self.pem", certificate.to_pem().as_bytes());
    let verified =
        folder.openssl("verify -check_ss_sig -no_check_time -partial_chain -trusted self.pem self.pem");
    assert_eq!(verified, b"self.pem: OK\n");
    let text = String::from_utf8(folder.openssl("x509 -in self.pem -noout -ext keyUsage")).unwrap();
    assert!(text.contains("critical") && text.contains("Digital Signature, Key Encipherment"), "{text}");
    assert!(certificate.extension(oids::SUBJECT_ALT_NAME).is_none());
}
