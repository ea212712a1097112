//! The table over `vectors/scep`: messages of clients that nobody here wrote.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, missing_docs, reason = "tests")]

use std::{
    borrow::Cow,
    fs,
    path::{Path, PathBuf},
};

use keys_software::AwsLc;
use pki_core::{Certificate, DecryptionKey as _, DigestAlgorithm, KeyTransport};
use scep_proto::{
    AlgorithmPolicy, AwaitedReply, CertRep, ContentCipher, Legacy, Method, Operation, PkiMessage,
    RequestMessage, Tolerance, Tolerances, ber,
};
use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedRequest {
    message_type: String,
    transaction_id: String,
    sender_nonce: String,
    signer: String,
    digest: String,
    cipher: String,
    key_transport: String,
    encoding: String,
    #[serde(default)]
    legacy: Vec<String>,
    /// The tolerances that it needs until it is verified.
    #[serde(default)]
    tolerated: Vec<String>,
    recipient: String,
    refused: Option<String>,
    /// Of the PKCS #10 request within, where the key of the recipient is among the vectors.
    subject: Option<String>,
    challenge: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExpectedReply {
    status: String,
    fail_info: Option<String>,
    key_transport: Option<String>,
    #[serde(default)]
    legacy: Vec<String>,
    #[serde(default)]
    tolerated: Vec<String>,
    signer: String,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/scep")
}

fn certificate(name: &str) -> Certificate {
    let pem = fs::read_to_string(folder().join("pki").join(name).with_extension("pem")).unwrap();
    Certificate::from_pem(&pem).unwrap()
}

/// The folders of the cases, and their expectations.
fn cases<T: for<'de> Deserialize<'de>>(wanted: impl Fn(&str) -> bool) -> Vec<(PathBuf, T)> {
    let mut cases = Vec::new();
    for entry in fs::read_dir(folder()).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if path.is_dir() && name != "pki" && wanted(name) {
            let text = fs::read_to_string(path.join("expect.toml")).unwrap();
            cases.push((
                path.clone(),
                toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}")),
            ));
        }
    }
    cases
}

fn policy(legacy: &[String]) -> AlgorithmPolicy {
    legacy.iter().fold(AlgorithmPolicy::default(), |policy, name| match &**name {
        "sha1" => policy.with_legacy(Legacy::Sha1),
        "des-ede3-cbc" => policy.with_legacy(Legacy::TripleDes),
        other => panic!("{other}"),
    })
}

fn cipher_name(cipher: ContentCipher) -> &'static str {
    match cipher {
        ContentCipher::Aes128Cbc => "aes-128-cbc",
        ContentCipher::Aes256Cbc => "aes-256-cbc",
        ContentCipher::TripleDesCbc => "des-ede3-cbc",
        other => panic!("{other:?}"),
    }
}

fn transport_name(transport: KeyTransport) -> &'static str {
    match transport {
        KeyTransport::RsaPkcs1 => "rsaEncryption",
        KeyTransport::RsaOaep(DigestAlgorithm::Sha1) => "rsaesOaep",
        other => panic!("{other:?}"),
    }
}

fn names(tolerances: Tolerances) -> Vec<&'static str> {
    tolerances.iter().map(Tolerance::name).collect()
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |text, octet| text + &format!("{octet:02x}"))
}

/// A distinguished name with its parts in one order: OpenSSL writes them as they stand in some certificates.
fn parts(name: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = name.split(',').collect();
    parts.sort_unstable();
    parts
}

#[test]
fn requests_of_clients_are_read() {
    let cases = cases::<ExpectedRequest>(|name| !name.starts_with("reply-"));
    assert_eq!(cases.len(), 24);
    for (path, expected) in cases {
        let case = path.display();
        let octets = fs::read(path.join("input.der")).unwrap();
        let is_der = matches!(ber::normalize(&octets).unwrap(), Cow::Borrowed(_));
        assert_eq!(if is_der { "DER" } else { "BER" }, expected.encoding, "{case}");

        let message = PkiMessage::parse(&octets).unwrap_or_else(|error| panic!("{case}: {error}"));
        let exchange = message.exchange();
        assert_eq!(message.message_type().unwrap().to_string(), expected.message_type, "{case}");
        assert_eq!(exchange.transaction_id().to_string(), expected.transaction_id, "{case}");
        assert_eq!(hex(exchange.sender_nonce()), expected.sender_nonce, "{case}");
        let signer = exchange.signer().subject().to_string();
        assert_eq!(parts(&signer), parts(&expected.signer), "{case}");

        let verified = message.verify(&AwsLc, &policy(&expected.legacy));
        if let Some(refused) = &expected.refused {
            assert_eq!(verified.unwrap_err().fail_info().to_string(), *refused, "{case}");
            continue;
        }
        let verified = verified.unwrap_or_else(|rejection| panic!("{case}: {rejection}"));
        assert_eq!(cipher_name(verified.exchange().cipher()), expected.cipher, "{case}");
        assert_eq!(transport_name(verified.exchange().key_transport()), expected.key_transport, "{case}");
        let tolerated = verified.exchange().tolerated();
        assert_eq!(names(tolerated), expected.tolerated, "{case}");
        let strict = message.verify(&AwsLc, &AlgorithmPolicy::default());
        assert_eq!(strict.is_ok(), expected.legacy.is_empty(), "{case}: {}", expected.digest);
        let sealed = verified.sealed_for(&certificate(&expected.recipient)).unwrap();

        let Some(subject) = &expected.subject else { continue };
        let key = fs::read_to_string(folder().join("pki/ra.key.pem")).unwrap();
        let key = testkit::block_on(testkit::keys::rsa(&key).unwrap_key(sealed.wrapped_key())).unwrap();
        let request = sealed.open(Some(key), &AwsLc, &AwsLc).unwrap();
        let RequestMessage::PkcsReq(csr) = request.message else { panic!("{case}") };
        assert_eq!(csr.subject().to_string(), *subject, "{case}");
        let challenge = csr.challenge_password().map(|challenge| challenge.expose().to_owned());
        assert_eq!(challenge, expected.challenge, "{case}");
    }
}

#[test]
fn row_37_recorded_queries_hold_the_recorded_messages() {
    let mut queries = 0;
    for (path, _) in cases::<toml::Table>(|_| true) {
        let Ok(query) = fs::read(path.join("query.txt")) else { continue };
        queries += 1;
        let operation = Operation::parse(Method::Get, Some(&query), b"").unwrap();
        let message = fs::read(path.join("input.der")).unwrap();
        assert_eq!(operation, Operation::PkiOperation(message.into()), "{}", path.display());
    }
    assert_eq!(queries, 2);
}

#[test]
fn replies_of_a_server_are_read() {
    let cases = cases::<ExpectedReply>(|name| name.starts_with("reply-"));
    assert_eq!(cases.len(), 4);
    for (path, expected) in cases {
        let case = path.display();
        let request = PkiMessage::parse(&fs::read(path.join("request.der")).unwrap()).unwrap();
        let awaited = AwaitedReply::from(request.exchange());
        let reply = fs::read(path.join("input.der")).unwrap();
        let trusted = [certificate(&expected.signer)];
        let (policy, mut needed) = (policy(&expected.legacy), Tolerances::NONE);
        let read = awaited.read_noting(&reply, &trusted, &AwsLc, &policy, &mut needed).unwrap();
        assert_eq!(names(needed), expected.tolerated, "{case}");
        let (status, fail_info, transport) = match read {
            CertRep::Success(sealed) => ("SUCCESS", None, Some(sealed.wrapped_key().transport())),
            CertRep::Failure { fail_info, .. } => ("FAILURE", Some(fail_info.to_string()), None),
            CertRep::Pending => ("PENDING", None, None),
        };
        assert_eq!(status, expected.status, "{case}");
        assert_eq!(fail_info, expected.fail_info, "{case}");
        assert_eq!(transport.map(transport_name), expected.key_transport.as_deref(), "{case}");
    }
}
