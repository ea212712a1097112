//! Which signature a client prefers, and which delegate gives it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests"
)]

mod vectors;

use keys_software::{AwsLc, SoftwareKey};
use ocsp_proto::{Delegate, Issuer, Question, Request, RequestError};
use pki_core::{DigestAlgorithm, Oid, SignatureAlgorithm, SigningKey as _, tlv};
use vectors::{certificate, key, now, signed, vector};

const P256: SignatureAlgorithm = SignatureAlgorithm::EcdsaSha256;
const P384: SignatureAlgorithm = SignatureAlgorithm::EcdsaSha384;
const RSA: SignatureAlgorithm = SignatureAlgorithm::RsaPkcs1Sha256;
const PSS: SignatureAlgorithm = SignatureAlgorithm::RsaPssSha256;
const ED25519: SignatureAlgorithm = SignatureAlgorithm::Ed25519;

/// The delegate of `ca` with that certificate, whose key is called the same.
fn delegate(name: &str, algorithm: SignatureAlgorithm) -> Delegate {
    Delegate::new(certificate(name), Issuer::new(certificate("ca")), algorithm, now(), &AwsLc).unwrap()
}

/// One of each kind; the first one is not the one that signs as the CA does.
fn delegates() -> Vec<Delegate> {
    vec![
        delegate("delegate-rsa", RSA),
        delegate("delegate", P256),
        delegate("delegate-p384", P384),
        delegate("delegate-ed25519", ED25519),
        delegate("delegate-rsa", PSS),
    ]
}

fn question() -> Question {
    Question::new(Issuer::new(certificate("ca")), DigestAlgorithm::Sha256, [&[0x30, 1][..]]).unwrap()
}

fn chosen(der: &[u8], delegates: &[Delegate]) -> Option<SignatureAlgorithm> {
    let request = Request::parse(der).unwrap();
    request.choose(delegates).map(|index| delegates[index].algorithm())
}

// clause: RFC 6960 58, 59, 60
#[test]
fn the_clients_preference_comes_first_in_its_order() {
    for (preferred, expected) in [
        (&[RSA][..], RSA),
        (&[P384, RSA], P384),
        (&[RSA, P384], RSA),
        (&[ED25519], ED25519),
        (&[PSS, P256], PSS),
        // What nobody here has is passed over.
        (&[SignatureAlgorithm::MlDsa65, SignatureAlgorithm::EcdsaSha512, RSA], RSA),
    ] {
        let question = question().preferring(preferred);
        assert_eq!(chosen(question.as_der(), &delegates()), Some(expected), "{preferred:?}");
        assert_eq!(Request::parse(question.as_der()).unwrap().preferred_algorithms(), preferred);
    }
}

// clause: RFC 6960 62
#[test]
fn nobody_signs_by_a_weak_algorithm_because_a_client_prefers_it() {
    let question = question().preferring(&[SignatureAlgorithm::RsaPkcs1Sha1]);
    assert_eq!(chosen(question.as_der(), &delegates()), Some(P256));
}

// clause: RFC 6960 59
#[test]
fn without_a_preference_the_algorithm_is_that_of_crls_then_of_the_request_then_the_first() {
    assert_eq!(chosen(question().as_der(), &delegates()), Some(P256), "as the CA signs");
    let others: Vec<_> = delegates().into_iter().filter(|delegate| delegate.algorithm() != P256).collect();
    assert_eq!(chosen(question().as_der(), &others), Some(RSA), "the first");
    // The request is signed by ecdsa-with-SHA256, here said to be Ed25519.
    let mut signed = vector("request-signed").file("input.der");
    assert_eq!(Request::parse(&signed).unwrap().signature_algorithm(), Some(P256));
    let at = signed.windows(10).position(|w| w == [6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 4, 3, 2]).unwrap();
    signed[at + 9] = 3;
    assert_eq!(Request::parse(&signed).unwrap().signature_algorithm(), Some(P384));
    assert_eq!(chosen(&signed, &others), Some(P384), "as the request");
    assert_eq!(chosen(&signed, &delegates()), Some(P256), "as the CA signs, first");
    assert_eq!(chosen(question().as_der(), &[]), None);
    let alone = question().preferring(&[P384]);
    assert_eq!(chosen(alone.as_der(), &[delegate("delegate", P256)]), Some(P256), "who else");
}

/// A request with that as its preferences.
fn preferring(list: &[u8]) -> Vec<u8> {
    let plain = question();
    let list_of_requests = &plain.as_der()[4..];
    let extension = tlv::sequence([
        &*tlv::oid("1.3.6.1.5.5.7.48.1.8".parse().unwrap()),
        &tlv::wrap(tlv::OCTET_STRING, list),
    ]);
    let extensions = tlv::wrap(0xA2, &tlv::sequence([&*extension]));
    tlv::sequence([&*tlv::sequence([list_of_requests, &extensions])])
}

fn oid(text: &str) -> Vec<u8> {
    tlv::oid(text.parse::<Oid>().unwrap())
}

// clause: RFC 6960 58
#[test]
fn a_preference_may_name_the_key_as_well() {
    const EC: &str = "1.2.840.10045.2.1";
    const CURVE_256: &str = "1.2.840.10045.3.1.7";
    const CURVE_384: &str = "1.3.132.0.34";
    let capability = |parameters: &[u8]| tlv::sequence([&*oid(EC), parameters]);
    let entry = |key: &[u8]| tlv::sequence([&*P256.to_der(), key]);
    let two = [delegate("delegate-rsa", RSA), delegate("delegate", P256)];
    let rsa = tlv::sequence([&*RSA.to_der(), &tlv::sequence([&*oid("1.2.840.113549.1.1.1"), &[5, 0]])]);
    for (key, expected) in [
        (capability(&oid(CURVE_256)), P256),
        (capability(&[]), P256),
        (capability(&oid(CURVE_384)), RSA),
        (tlv::sequence([&*oid("1.2.840.113549.1.1.1")]), RSA),
    ] {
        let der = preferring(&tlv::sequence([&*entry(&key), &rsa]));
        assert_eq!(chosen(&der, &two), Some(expected));
    }
}

// clause: RFC 6960 58, 12
#[test]
fn preferences_that_are_none_are_malformed() {
    let good = tlv::sequence([&*P256.to_der()]);
    assert!(Request::parse(&preferring(&tlv::sequence([&*good]))).is_ok());
    assert!(Request::parse(&preferring(&tlv::sequence([]))).is_ok(), "none at all");
    // An AlgorithmIdentifier where a SEQUENCE around it belongs, as others read and write it.
    for bad in [
        tlv::sequence([&*P256.to_der()]),
        vec![5, 0],
        tlv::sequence([&*good, &[5, 0]]),
        tlv::sequence([&*tlv::sequence([&*P256.to_der(), &[5, 0]])]),
        tlv::sequence([&good.repeat(33)[..]]),
    ] {
        let error = Request::parse(&preferring(&bad)).err();
        assert!(matches!(error, Some(RequestError::Malformed(_))), "{bad:02x?}");
    }
}

// clause: RFC 6960 63, 51
#[test]
fn what_was_preferred_is_believed() {
    for (name, algorithm) in [
        ("delegate", P256),
        ("delegate-p384", P384),
        ("delegate-rsa", RSA),
        ("delegate-ed25519", ED25519),
        ("delegate-rsa", PSS),
    ] {
        let question = question().preferring(&[algorithm]);
        let request = Request::parse(question.as_der()).unwrap();
        let delegate = delegate(name, algorithm);
        let unsigned = delegate.respond(&request, &[vectors::good()], now()).unwrap();
        let response = match key(name) {
            SoftwareKey::Rsa(key) => {
                let key = key.with_signature_algorithm(algorithm).unwrap();
                let signature = vectors::ready(key.sign(unsigned.tbs())).unwrap();
                unsigned.finish(&signature)
            }
            _ => signed(unsigned, name),
        };
        let verified = question.verify(response.as_der(), now(), std::time::Duration::ZERO, &AwsLc).unwrap();
        assert_eq!(*verified.signer(), certificate(name), "{algorithm:?}");
    }
}
