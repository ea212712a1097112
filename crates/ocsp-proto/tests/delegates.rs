//! Which certificates may answer.
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

use std::time::Duration;

use keys_software::AwsLc;
use ocsp_proto::{CertId, Delegate, DelegateError, Issuer, Request};
use pki_core::{KeyKind, SignatureAlgorithm, UnixTime, oids};
use vectors::{certificate, now, vector};

fn try_out(name: &str, ca: &str, now: UnixTime) -> Result<Delegate, DelegateError> {
    let algorithm = if ca == "rsa-ca" && name.starts_with("rsa") {
        SignatureAlgorithm::RsaPkcs1Sha256
    } else {
        SignatureAlgorithm::EcdsaSha256
    };
    Delegate::new(certificate(name), Issuer::new(certificate(ca)), algorithm, now, &AwsLc)
}

// clause: RFC 6960 42
#[test]
fn sound_delegates_are_taken() {
    assert!(try_out("delegate", "ca", now()).is_ok());
    assert!(try_out("rsa-delegate", "rsa-ca", now()).is_ok());
}

// clause: RFC 6960 3, 16, 42, 45, 46
// clause: RFC 9919 85
#[test]
fn row_52_unsound_delegates_are_refused() {
    for (name, error) in [
        ("delegate-without-eku", DelegateError::NotForOcsp),
        ("delegate-of-any-eku", DelegateError::NotForOcsp),
        ("delegate-without-nocheck", DelegateError::NoNocheck),
        ("delegate-for-encipherment", DelegateError::NotForSignatures),
        ("delegate-with-ca", DelegateError::IsCa),
        ("delegate-of-impostor", DelegateError::NotIssuedByCa),
        ("delegate-of-other-ca", DelegateError::NotIssuedByCa),
        ("delegate-of-sub-ca", DelegateError::NotIssuedByCa),
        (
            "delegate-with-critical",
            DelegateError::UnknownCriticalExtension("1.3.6.1.4.1.32473.1".parse().unwrap()),
        ),
        ("delegate-with-critical-nocheck", DelegateError::UnknownCriticalExtension(oids::OCSP_NOCHECK)),
        ("ca", DelegateError::NotForOcsp),
        ("device", DelegateError::NotForOcsp),
    ] {
        assert_eq!(try_out(name, "ca", now()).unwrap_err(), error, "{name}");
    }
}

// clause: RFC 6960 22
#[test]
fn row_52_a_delegate_out_of_its_validity_is_refused() {
    let validity = certificate("delegate").validity();
    for (time, sound) in [
        (validity.not_before().saturating_sub(Duration::from_secs(1)), false),
        (validity.not_before(), true),
        (validity.not_after(), true),
        (validity.not_after().saturating_add(Duration::from_secs(1)), false),
    ] {
        let result = try_out("delegate", "ca", time);
        assert_eq!(result.is_ok(), sound, "{time}");
        if let Err(error) = result {
            assert!(matches!(error, DelegateError::NotValid { now, .. } if now == time));
        }
    }
}

// clause: RFC 6960 62
#[test]
fn weak_and_foreign_algorithms_are_refused() {
    let issuer = Issuer::new(certificate("rsa-ca"));
    let by_sha1 = Delegate::new(
        certificate("delegate-by-sha1"),
        issuer.clone(),
        SignatureAlgorithm::RsaPkcs1Sha256,
        now(),
        &AwsLc,
    );
    assert_eq!(by_sha1.unwrap_err(), DelegateError::WeakSignature);
    for algorithm in [SignatureAlgorithm::RsaPkcs1Sha1, SignatureAlgorithm::EcdsaSha256] {
        let result = Delegate::new(certificate("rsa-delegate"), issuer.clone(), algorithm, now(), &AwsLc);
        let key = KeyKind::Rsa { bits: 2048 };
        assert_eq!(result.unwrap_err(), DelegateError::Algorithm { key, algorithm });
    }
}

// clause: RFC 6960 26
#[test]
fn row_46_every_hash_of_the_cert_id_must_match() {
    let issuer = Issuer::new(certificate("ca"));
    let other = Issuer::new(certificate("rsa-ca"));
    for name in ["request-sha1", "request-sha256", "request-sha384-sha512"] {
        let der = vector(name).file("input.der");
        let request = Request::parse(&der).unwrap();
        let id = request.cert_ids()[0];
        let resolved = issuer.resolve(&id).unwrap();
        assert_eq!((resolved.issuer, Some(resolved.serial)), (issuer.id(), id.serial_number()));
        assert_eq!(other.resolve(&id), None);
        assert_eq!(Issuer::new(certificate("impostor")).resolve(&id), None, "same name, other key");
        for part in [id.issuer_name_hash(), id.issuer_key_hash()] {
            let at = offset(&der, part);
            let altered = |at: usize| {
                let mut der = der.clone();
                der[at] ^= 1;
                Request::parse(&der).unwrap().cert_ids().iter().any(|id: &CertId<'_>| issuer.is_named_by(id))
            };
            let alone = request.cert_ids().len() == 1;
            assert!(!alone || !altered(at), "{name}: first octet of a hash");
            assert!(!alone || !altered(at + part.len() - 1), "{name}: last octet of a hash");
        }
    }
}

// clause: RFC 6960 26
#[test]
fn row_46_hashes_under_another_algorithms_name_do_not_match() {
    let issuer = Issuer::new(certificate("ca"));
    let mut der = vector("request-sha256").file("input.der");
    let sha256 = [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1];
    let at = der.windows(9).position(|window| window == sha256).unwrap();
    der[at + 8] = 2;
    let request = Request::parse(&der).unwrap();
    assert!(!issuer.is_named_by(&request.cert_ids()[0]));
    let der = vector("request-unknown-digest").file("input.der");
    assert!(!issuer.is_named_by(&Request::parse(&der).unwrap().cert_ids()[0]));
}

#[test]
fn row_46_truncated_and_empty_hashes_do_not_match() {
    let issuer = Issuer::new(certificate("ca"));
    let der = [
        &[0x30, 24, 0x30, 22, 0x30, 20, 0x30, 18, 0x30, 16][..],
        &[0x30, 7, 6, 5, 0x2B, 0x0E, 3, 2, 0x1A, 4, 0, 4, 0, 2, 1, 5],
    ]
    .concat();
    let request = Request::parse(&der).unwrap();
    assert!(!issuer.is_named_by(&request.cert_ids()[0]));
}

fn offset(whole: &[u8], part: &[u8]) -> usize {
    whole.windows(part.len()).position(|window| window == part).unwrap()
}
