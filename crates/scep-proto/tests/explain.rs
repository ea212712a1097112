//! What `explain` says about the vectors, and about each thing that can be wrong.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::arithmetic_side_effects)]
#![allow(clippy::cast_possible_truncation, clippy::missing_panics_doc, reason = "tests")]
#![allow(missing_docs, dead_code, unreachable_pub, reason = "tests")]

mod parties;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use keys_software::AwsLc;
use parties::*;
use pki_core::{
    ChallengePassword, ContentKey, DecryptionKey as _, DigestAlgorithm, KeyUsage, Oid, WrappedKey, tlv,
};
use proptest::prelude::*;
use scep_proto::{
    AlgorithmPolicy, EmptyContent, FailInfo, Legacy, PkiMessage, ca_certificates,
    explain::{Aids, Explanation, Finding, Weight, explain},
    next_ca_certificates, pki_operation_query,
};
use testkit::block_on;

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/scep")
}

fn ra_unwraps(wrapped: &WrappedKey) -> Option<ContentKey> {
    block_on(testkit::ca().ra_key.unwrap_key(wrapped)).ok()
}

/// With everything that helps: the key of the test kit's RA, and real signatures.
fn told(input: &[u8]) -> Explanation {
    explain(input, &Aids::default().with_verifier(&AwsLc).with_unwrap(&ra_unwraps))
}

/// The texts beside the vectors. After a change that was meant, `UPDATE_EXPLAINED=1` writes them anew.
#[test]
fn the_vectors_are_explained_as_written_beside_them() {
    let mut count = 0;
    for entry in fs::read_dir(vectors()).unwrap() {
        let folder = entry.unwrap().path();
        let expected = folder.join("explained.txt");
        if !expected.exists() {
            continue;
        }
        count += 1;
        let query = folder.join("query.txt");
        let input = if query.exists() { query } else { folder.join("input.der") };
        let text = told(&fs::read(input).unwrap()).to_string();
        if std::env::var_os("UPDATE_EXPLAINED").is_some() {
            fs::write(&expected, &text).unwrap();
        }
        assert_eq!(text, fs::read_to_string(&expected).unwrap(), "{}", folder.display());
    }
    assert_eq!(count, 8);
}

/// Whoever reads messages and whoever explains them see the same departures, and refuse the same.
#[test]
fn explaining_and_reading_agree_about_every_vector() {
    let mut count = 0;
    for entry in fs::read_dir(vectors()).unwrap() {
        let folder = entry.unwrap().path();
        let Ok(input) = fs::read(folder.join("input.der")) else { continue };
        count += 1;
        let without_keys = explain(&input, &Aids::default().with_verifier(&AwsLc));
        let expected: toml::Table = fs::read_to_string(folder.join("expect.toml")).unwrap().parse().unwrap();
        let list = |key: &str| -> BTreeSet<String> {
            let list = expected.get(key).and_then(toml::Value::as_array).cloned().unwrap_or_default();
            list.iter().map(|name| name.as_str().unwrap().to_owned()).collect()
        };
        let of = |weight| -> BTreeSet<String> {
            let findings = without_keys.findings().iter().filter(|finding| finding.weight() == weight);
            findings.map(|finding| finding.code().to_owned()).collect()
        };
        assert_eq!(of(Weight::Tolerated), list("tolerated"), "{}", folder.display());
        let refused = usize::from(expected.contains_key("refused"));
        assert_eq!(of(Weight::Breaks).len(), refused, "{}: {without_keys}", folder.display());
        let legacy = list("legacy");
        let notes = of(Weight::Note);
        assert_eq!(notes.contains("legacy-digest"), legacy.contains("sha1"), "{}", folder.display());
        let is_request = !folder.ends_with("reply-success") && !folder.ends_with("reply-success-crl");
        if is_request && refused == 0 {
            assert_eq!(notes.contains("legacy-cipher"), legacy.contains("des-ede3-cbc"));
        }
    }
    assert_eq!(count, 28);
}

/// Signatures and keys of the pretended parties.
fn pretended(input: &[u8]) -> Explanation {
    let unwrap = |wrapped: &WrappedKey| Pretend::unwrap(wrapped);
    explain(input, &Aids::default().with_verifier(&Pretend).with_unwrap(&unwrap))
}

fn sealed(plaintext: &[u8]) -> Crafted {
    Crafted::new(CraftedEnvelope::sealing(&padded(plaintext)).encode())
}

fn typed(text: &str, crafted: Crafted) -> Crafted {
    crafted.without(oid::MESSAGE_TYPE).with(oid::MESSAGE_TYPE, &printable(text))
}

const PKI_STATUS: Oid = Oid::new_unwrap("2.16.840.1.113733.1.9.3");
const FAIL_INFO: Oid = Oid::new_unwrap("2.16.840.1.113733.1.9.4");
const RECIPIENT_NONCE: Oid = Oid::new_unwrap("2.16.840.1.113733.1.9.6");

fn reply(status: &str, content: Crafted) -> Crafted {
    let nonce = tlv::wrap(tlv::OCTET_STRING, &[7; 16]);
    typed("3", content).with(PKI_STATUS, &printable(status)).with(RECIPIENT_NONCE, &nonce)
}

fn empty() -> Crafted {
    Crafted::new(Vec::new())
}

/// A degenerate SignedData of nothing.
fn degenerate(content: &[u8]) -> Vec<u8> {
    let encapsulated = tlv::sequence([&*tlv::oid(oid::DATA), content]);
    let data = tlv::sequence([&[2, 1, 1][..], &[0x31, 0], &encapsulated, &[0x31, 0]]);
    content_info(oid::SIGNED_DATA, &data)
}

fn with_envelope(change: impl Fn(&mut CraftedEnvelope)) -> Crafted {
    let mut envelope = CraftedEnvelope::sealing(&padded(certification_request().as_der()));
    change(&mut envelope);
    Crafted::new(envelope.encode())
}

fn wrong_requests() -> Vec<(&'static str, &'static str, Crafted)> {
    let digest = |octets: &[u8]| tlv::wrap(tlv::OCTET_STRING, octets);
    let csr = certification_request();
    let mut unproven = csr.as_der().to_vec();
    *unproven.last_mut().unwrap() ^= 1;
    let other = certificate("another", &rsa_key(0x55));
    vec![
        ("signers", "RFC 8894 §3.2", Crafted { signers: 2, ..crafted() }),
        ("message-type", "RFC 8894 §3.2.1.2", crafted().without(oid::MESSAGE_TYPE)),
        ("unknown-message-type", "RFC 8894 §3.2.1.2", typed("18", crafted())),
        ("transaction-id", "RFC 8894 §3.2.1.1", crafted().without(oid::TRANSACTION_ID)),
        ("sender-nonce", "RFC 8894 §3.2.1.5", crafted().without(oid::SENDER_NONCE)),
        ("no-message-digest", "RFC 5652 §11.2", crafted().without(oid::MESSAGE_DIGEST)),
        ("signed-attribute", "RFC 5652 §11", crafted().with(oid::MESSAGE_DIGEST, &digest(&[0; 32]))),
        ("missing-content-type", "RFC 5652 §11.1", crafted().without(oid::CONTENT_TYPE)),
        ("signature-mismatch", "RFC 5652 §5.6", Crafted { signed: Some(vec![1]), ..crafted() }),
        (
            "no-signer-certificate",
            "RFC 8894 §2.3",
            Crafted { certificates: vec![ra().as_der().to_vec()], ..crafted() },
        ),
        (
            "two-signer-certificates",
            "RFC 5652 §5.3",
            Crafted { certificates: vec![device().as_der().to_vec(); 2], ..crafted() },
        ),
        (
            "algorithm-not-allowed",
            "RFC 8894 §2.9",
            Crafted { digest: DigestAlgorithm::Md5.oid(), ..crafted() },
        ),
        ("algorithm-not-allowed", "RFC 8894 §2.9", with_envelope(|envelope| envelope.cipher = oid::DES_CBC)),
        ("no-envelope", "RFC 8894 §3.2", empty()),
        ("envelope", "RFC 8894 §3.2.2", Crafted::new(b"no envelope".to_vec())),
        ("cleartext-message-data", "RFC 8894 §3.1", Crafted::new(csr.as_der().to_vec())),
        (
            "not-for-recipient",
            "RFC 8894 §3.2.2",
            with_envelope(|envelope| envelope.recipients.extend_from_within(..)),
        ),
        (
            "unsupported-recipient",
            "RFC 8894 §3.1",
            with_envelope(|envelope| envelope.recipients = vec![vec![0xA1, 0]]),
        ),
        (
            "undecryptable",
            "RFC 8894 §3.2.2",
            with_envelope(|envelope| envelope.recipients = vec![ktri_of_another()]),
        ),
        ("undecryptable", "RFC 8894 §3.2.2", with_envelope(|envelope| envelope.ciphertext.truncate(80))),
        ("message-data", "RFC 8894 §3.3", sealed(b"no request")),
        ("message-data", "RFC 8894 §3.3", typed("21", sealed(csr.as_der()))),
        ("proof-of-possession", "RFC 2986 §3", sealed(&unproven)),
        ("signer-key-differs", "RFC 8894 §2.3", signed_by(other.clone())),
        ("signer-subject-differs", "RFC 8894 §2.3", signed_by(other)),
        ("no-challenge", "RFC 8894 §3.3.1", crafted()),
    ]
}

fn ktri_of_another() -> Vec<u8> {
    let algorithm = tlv::sequence([&*tlv::oid(oid::RSA_ENCRYPTION), &[5, 0]]);
    let wrapped = tlv::wrap(tlv::OCTET_STRING, &[7; 32]);
    tlv::sequence([&[2, 1, 0][..], &issuer_and_serial(&ra()), &algorithm, &wrapped])
}

fn signed_by(signer: pki_core::Certificate) -> Crafted {
    Crafted { certificates: vec![signer.as_der().to_vec()], signer, ..crafted() }
}

fn wrong_replies() -> Vec<(&'static str, &'static str, Crafted)> {
    let content = tlv::wrap(0xA0, &tlv::wrap(tlv::OCTET_STRING, b"x"));
    let nonce = tlv::wrap(tlv::OCTET_STRING, &[7; 8]);
    vec![
        ("pki-status", "RFC 8894 §3.2.1.3", typed("3", empty()).with(RECIPIENT_NONCE, &nonce)),
        ("pki-status", "RFC 8894 §3.2.1.3", reply("1", empty())),
        ("reply-nonce", "RFC 8894 §3.2.1.5", reply("3", empty()).without(oid::SENDER_NONCE)),
        ("recipient-nonce", "RFC 8894 §3.2.1.5", typed("3", empty()).with(PKI_STATUS, &printable("3"))),
        (
            "recipient-nonce-length",
            "RFC 8894 §3.2.1.5",
            reply("3", empty()).without(RECIPIENT_NONCE).with(RECIPIENT_NONCE, &nonce),
        ),
        ("fail-info", "RFC 8894 §3.2.1.4", reply("2", empty())),
        ("fail-info", "RFC 8894 §3.2.1.4", reply("2", empty()).with(FAIL_INFO, &printable("5"))),
        (
            "reply-content",
            "RFC 8894 §3.3.2.2",
            reply("2", Crafted::new(vec![4, 1, 0])).with(FAIL_INFO, &printable("2")),
        ),
        ("no-envelope", "RFC 8894 §3.2", reply("0", empty())),
        ("message-data", "RFC 8894 §3.4", reply("0", sealed(b"nothing"))),
        ("nothing-delivered", "RFC 8894 §3.3.2.1", reply("0", sealed(&degenerate(b"")))),
        ("degenerate-content", "RFC 8894 §3.4", reply("0", sealed(&degenerate(&content)))),
    ]
}

#[test]
fn each_thing_that_is_wrong_has_its_code_and_its_clause() {
    for (code, clause, crafted) in wrong_requests().into_iter().chain(wrong_replies()) {
        let told = pretended(&crafted.encode());
        let found = told.findings().iter().find(|finding| finding.code() == code);
        let found = found.unwrap_or_else(|| panic!("{code} is not among the findings: {told}"));
        assert_eq!(found.clause(), clause, "{code}");
        assert!(!found.text().is_empty());
        let to_be_refused = found.weight() == Weight::Breaks && !told.title().starts_with("CertRep");
        assert!(!to_be_refused || !is_taken(&crafted.encode()), "{code} is taken by the CA all the same");
    }
    let sound = pretended(&crafted().encode());
    assert!(sound.findings().iter().all(|finding| finding.weight() != Weight::Breaks), "{sound}");
}

fn is_taken(message: &[u8]) -> bool {
    let Ok(message) = PkiMessage::parse(message) else { return false };
    let policy = AlgorithmPolicy::default().with_legacy(Legacy::TripleDes);
    let opened = message.verify(&Pretend, &policy).and_then(|verified| {
        let sealed = verified.sealed_for(&ra())?;
        sealed.open(Pretend::unwrap(sealed.wrapped_key()), &Pretend, &Counting::default())
    });
    opened.is_ok()
}

#[test]
fn what_is_not_a_message_is_explained_as_well() {
    let message = crafted().encode();
    let query = pki_operation_query(&message);
    let post = [b"POST /scep?operation=PKIOperation HTTP/1.1\r\nHost: ca\r\n\r\n", &*message].concat();
    for input in [query.as_bytes().to_vec(), format!("GET /scep?{query} HTTP/1.0\r\n\r\n").into(), post] {
        let told = pretended(&input);
        assert_eq!(told.title(), "PKCSReq, a request", "{told}");
        assert!(told.findings().iter().all(|finding| finding.weight() != Weight::Breaks));
    }
    let codes =
        |input: &[u8]| -> Vec<&str> { pretended(input).findings().iter().map(Finding::code).collect() };
    let tolerated = format!("operation=PKIOperation&message={}", query.split('=').next_back().unwrap());
    assert!(codes(tolerated.replace("%2B", "+").as_bytes()).contains(&"get-raw-plus"));
    for (input, code) in [
        (&b"GET / HTTP/1.1\r\n\r\n"[..], "no-operation"),
        (b"GET /?operation=Issue HTTP/1.1\r\n\r\n", "unknown-operation"),
        (b"GET /?operation=PKIOperation HTTP/1.1\r\n\r\n", "no-message"),
        (b"operation=PKIOperation&message=%zz", "not-base64"),
        (b"POST /?operation=GetCACert HTTP/1.1\r\n\r\nx", "post-of-get"),
        (b"PUT / HTTP/1.1\r\n\r\n\xFF", "not-scep"),
        (b"\xFF\xFE", "not-scep"),
        (b"\x30\x80", "not-asn1"),
        (b"\x30\x00", "not-signed-data"),
        (b"DES\nAES\n", "forbidden-algorithm"),
        (b"aes\nAES\n", "capability-case"),
        (b"AES\nUpdate\n", "unregistered-capability"),
        (b"Renewal\n", "missing-capability"),
    ] {
        assert!(codes(input).contains(&code), "{code}: {:?}", codes(input));
    }
    let csr = pretended(certification_request().as_der());
    assert!(csr.title().starts_with("a certification request"), "{csr}");
    assert!(csr.findings().iter().all(|finding| finding.weight() == Weight::Note), "{csr}");
    let envelope = CraftedEnvelope::sealing(&padded(certification_request().as_der())).encode();
    let envelope = pretended(&envelope);
    assert!(envelope.title().starts_with("a pkcsPKIEnvelope"), "{envelope}");
    assert_eq!(envelope.sections().last().unwrap().title(), "content");
    assert!(codes(b"SCEPStandard\nRenewal\nSHA-512\n").is_empty());
}

#[test]
fn answers_of_a_ca_are_explained() {
    let ca = testkit::ca();
    let both = ca_certificates::encode(&[ca.ra_certificate.clone(), ca.certificate.clone()]).1;
    let told = explain(&both, &Aids::default());
    assert_eq!(told.title(), "GetCACert, 2 certificates");
    let picked = told.sections().last().unwrap();
    assert_eq!(picked.title(), "a client picks");
    assert_eq!(picked.lines()[0].value(), ca.ra_certificate.subject().to_string());
    let alone = explain(ca.certificate.to_pem().as_bytes(), &Aids::default());
    assert_eq!(alone.title(), "GetCACert, one certificate");
    assert!(alone.findings().iter().any(|finding| finding.code() == "no-recipient"), "a CA on P-256 alone");

    let next = next_ca_certificates::prepare(
        &[testkit::rsa_ca().certificate],
        &ca.certificate,
        ca.key.algorithm(),
        NOW,
    );
    let next = next.unwrap();
    let signature = block_on(ca.key.sign(next.tbs())).unwrap();
    let told = told_of_reply("application/x-x509-next-ca-cert", &next.finish(&signature));
    assert_eq!(told.title(), "GetNextCACert, 1 certificates");
    let codes: Vec<_> = told.findings().iter().map(Finding::code).collect();
    assert_eq!(codes, ["ca-key-usage"], "the next CA, as the test kit has it");

    let exchange = PkiMessage::parse(&crafted().encode()).unwrap().exchange().clone();
    let signer = reply_signer().with_empty_content(EmptyContent::Omitted);
    let failure = exchange.failure(&signer, FailInfo::BadTime, Some("your clock"), &Counting::default(), NOW);
    let failure = signed(failure.unwrap());
    let told = told_of_reply("text/html", &failure);
    assert!(told.title().starts_with("CertRep FAILURE, badTime"), "{told}");
    let codes: BTreeSet<_> = told.findings().iter().map(Finding::code).collect();
    assert!(codes.is_superset(&["content-type", "fail-info-text"].into()), "{codes:?}");
}

fn told_of_reply(content_type: &str, body: &[u8]) -> Explanation {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {content_type}\r\n\r\n");
    told(&[head.as_bytes(), body].concat())
}

#[test]
fn row_67_no_challenge_is_shown() {
    let told = told(&fs::read(vectors().join("windows-pkcs-req/input.der")).unwrap());
    assert!(told.to_string().contains("challengePassword: PrintableString, 21 octets, not shown"), "{told}");
    // Nor in hexadecimal: "challenge".
    assert!(!told.to_string().contains("6368616c6c656e6765") && !told.to_string().contains("challenge of a"));
}

#[test]
fn row_67_a_private_key_is_not_shown() {
    for pem in [testkit::keys::CA_PEM, testkit::keys::RA_PEM] {
        let told = told(pem.as_bytes());
        assert_eq!((told.title(), told.sections().len()), ("a private key", 0), "{told}");
    }
}

#[test]
fn a_message_under_a_password_is_opened_with_it() {
    let openssl = |arguments: &str, input: &[u8]| {
        testkit::run_with_input(Path::new("."), "openssl", arguments.split(' '), input)
    };
    let encrypt = "cms -encrypt -binary -aes128 -outform DER -pwri_password s3cret";
    let message = Crafted::new(openssl(encrypt, certification_request().as_der())).encode();
    let right = ChallengePassword::new("s3cret".into());
    let opened = explain(&message, &Aids::default().with_challenge(&right));
    assert_eq!(opened.sections().last().unwrap().title(), "messageData", "{opened}");
    assert!(opened.to_string().contains("PasswordRecipientInfo"));
    let wrong = ChallengePassword::new("other".into());
    let closed = explain(&message, &Aids::default().with_challenge(&wrong));
    assert!(closed.findings().iter().any(|finding| finding.code() == "undecryptable"));
}

/// The signer's keyUsage matters for what it is used for.
#[test]
fn a_signer_that_may_not_sign_is_named() {
    let usage = pki_core::Extension::new(pki_core::oids::KEY_USAGE, KeyUsage::KEY_ENCIPHERMENT.to_der());
    let device = device();
    let mut fields = tlv::Cursor::into(device.tbs(), tlv::SEQUENCE, "a TBSCertificate").unwrap();
    let mut parts = Vec::new();
    while !fields.is_empty() {
        parts.push(fields.next().unwrap().bytes.to_vec());
    }
    parts[7] = tlv::wrap(0xA3, &tlv::wrap(tlv::SEQUENCE, &usage.to_der()));
    let algorithm = pki_core::SignatureAlgorithm::RsaPkcs1Sha256.to_der();
    let tbs = tlv::wrap(tlv::SEQUENCE, &parts.concat());
    let der = tlv::sequence([&*tbs, &algorithm, &tlv::wrap(tlv::BIT_STRING, &[0, 1])]);
    let signer = pki_core::Certificate::from_der(&der).unwrap();
    let told = pretended(&signed_by(signer).encode());
    assert!(told.findings().iter().any(|finding| finding.code() == "signer-key-usage"), "{told}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_octets_are_explained_without_harm(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let text = explain(&octets, &Aids::default()).to_string();
        prop_assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{:?}", text);
    }

    #[test]
    fn a_changed_message_is_explained(at in any::<prop::sample::Index>(), octet in any::<u8>()) {
        let mut message = crafted().encode();
        let at = at.index(message.len());
        message[at] = octet;
        let text = pretended(&message).to_string();
        prop_assert!(text.chars().all(|c| c == '\n' || !c.is_control()), "{:?}", text);
    }
}
