//! Nothing that a request says of extensions reaches a certificate.
#![allow(clippy::unwrap_used, clippy::panic, clippy::arithmetic_side_effects, missing_docs, reason = "tests")]

mod support;

use enrollment::RefusalClass;
use pki_core::{
    BasicConstraints, CertificationRequest, Extension, KeyUsage, Oid, RequestedExtensions, oids, tlv,
};
use proptest::prelude::*;
use support::{Csr, HOUR, World, world};

fn asking_for(world: &World, others: Vec<Extension>) -> CertificationRequest {
    let extensions = RequestedExtensions { others, ..Default::default() };
    Csr { extensions, ..Csr::with(world.challenge()) }.signed()
}

fn oid(dotted: &str) -> Oid {
    dotted.parse().unwrap()
}

#[test]
fn row_41_who_asks_to_be_a_ca_becomes_none() {
    let world = world();
    let ca = BasicConstraints { ca: true, path_len: None };
    let usage = KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN | KeyUsage::DIGITAL_SIGNATURE;
    let csr = asking_for(
        &world,
        vec![
            Extension::new(oids::BASIC_CONSTRAINTS, ca.to_der()).critical(),
            Extension::new(oids::KEY_USAGE, usage.to_der()).critical(),
        ],
    );
    let certificate = world.enroll(&csr).unwrap();
    assert_eq!(certificate.basic_constraints().unwrap(), BasicConstraints::default());
    assert_eq!(certificate.key_usage().unwrap(), Some(KeyUsage::DIGITAL_SIGNATURE));
    let constraints = certificate.extension(oids::BASIC_CONSTRAINTS).unwrap();
    assert!(constraints.is_critical(), "it says that it is no CA");
}

#[test]
fn row_40_application_policies_and_other_powers_are_not_copied() {
    let world = world();
    let dangerous = [
        "1.3.6.1.4.1.311.21.10", // application policies (ESC15)
        "1.3.6.1.4.1.311.20.2",  // template name
        "1.3.6.1.4.1.311.21.7",  // template information
        "1.3.6.1.4.1.311.25.2",  // security identifier
        "1.3.6.1.5.5.7.48.1.5",  // OCSP no check
        "2.5.29.32",             // certificatePolicies
        "2.5.29.30",             // nameConstraints
        "2.5.29.35",             // authorityKeyIdentifier
        "2.5.29.14",             // subjectKeyIdentifier
        "2.5.29.31",             // cRLDistributionPoints
        "1.3.6.1.5.5.7.1.1",     // authorityInfoAccess
        "2.5.29.54",             // inhibitAnyPolicy
    ];
    let plain = world.enroll(&asking_for(&world, Vec::new())).unwrap();
    world.clock.advance(HOUR * 25);
    let others = dangerous.iter().map(|id| Extension::new(oid(id), vec![0x30, 0]).critical()).collect();
    let certificate = world.enroll(&asking_for(&world, others)).unwrap();
    assert_eq!(certificate.extensions(), plain.extensions());
    assert_eq!(certificate.extended_key_usages().unwrap(), [oids::KP_CLIENT_AUTH]);
}

#[test]
fn row_34_empty_structures_are_refused() {
    let empty = tlv::sequence([]);
    for (id, value) in [
        (oids::EXTENDED_KEY_USAGE, empty.clone()),
        (oids::SUBJECT_ALT_NAME, empty),
        (oids::KEY_USAGE, vec![tlv::BIT_STRING, 0]),
        (oids::KEY_USAGE, vec![tlv::BIT_STRING, 1, 0]),
        (oids::BASIC_CONSTRAINTS, Vec::new()),
        (oids::EXTENDED_KEY_USAGE, vec![tlv::SEQUENCE, 2, tlv::OBJECT_IDENTIFIER, 0]),
        (oids::SUBJECT_ALT_NAME, vec![tlv::SEQUENCE, 2, 0x82]),
    ] {
        let world = world();
        let outcome = world.enroll(&asking_for(&world, vec![Extension::new(id, value)]));
        assert_eq!(outcome.as_ref().unwrap_err().class(), RefusalClass::BadRequest);
        world.refuses(outcome, "request-malformed", 0);
    }
}

prop_compose! {
    fn any_extension()(
        known in prop::sample::select(vec![
            oids::BASIC_CONSTRAINTS, oids::KEY_USAGE, oids::EXTENDED_KEY_USAGE, oids::SUBJECT_ALT_NAME,
            oids::SUBJECT_KEY_IDENTIFIER, oids::AUTHORITY_KEY_IDENTIFIER, oids::AUTHORITY_INFO_ACCESS,
            oids::OCSP_NOCHECK,
        ]),
        arc in 0u32..100_000,
        is_known in prop::bool::weighted(0.4),
        value in prop_oneof![
            prop::collection::vec(any::<u8>(), 0..24),
            Just(BasicConstraints { ca: true, path_len: Some(3) }.to_der()),
            Just((KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN).to_der()),
            Just(tlv::sequence([&*tlv::oid(oids::KP_CLIENT_AUTH)])),
            Just(tlv::sequence([&*tlv::oid(oids::KP_OCSP_SIGNING)])),
            Just(tlv::sequence([&*tlv::wrap(0x82, b"laptop-1.example.com")])),
            Just(tlv::sequence([&*tlv::wrap(0x86, b"tag:microsoft.com,2022-09-14:sid:S-1-5-18")])),
        ],
        critical in any::<bool>(),
    ) -> Extension {
        let id = if is_known { known } else { oid(&format!("1.3.6.1.4.1.{arc}")) };
        let extension = Extension::new(id, value);
        if critical { extension.critical() } else { extension }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Whatever is asked for: refused, or a certificate with the extensions of one for which nothing was asked, save
    /// for the alternative name that the directory allows.
    #[test]
    fn row_40_row_41_no_request_reaches_the_extensions(others in prop::collection::vec(any_extension(), 0..6)) {
        let world = world();
        let plain = world.enroll(&asking_for(&world, Vec::new())).unwrap();
        world.clock.advance(HOUR * 25);
        let extensions = RequestedExtensions { others, ..Default::default() };
        let challenge = world.challenge();
        let unsigned = pki_core::UnsignedCertificationRequest::new(
            plain.subject(), plain.public_key(), Some(&challenge), &extensions,
        );
        let key = support::device_key();
        let signature = testkit::block_on(key.sign(unsigned.tbs())).unwrap();
        // The same extension twice does not even parse.
        let Ok(csr) = unsigned.finish(key.algorithm(), &signature) else { return Ok(()) };
        match world.enroll(&csr) {
            Err(refusal) => prop_assert_eq!(refusal.class(), RefusalClass::BadRequest),
            Ok(certificate) => {
                let without_names: Vec<_> = certificate
                    .extensions()
                    .iter()
                    .filter(|extension| extension.id() != oids::SUBJECT_ALT_NAME)
                    .cloned()
                    .collect();
                prop_assert_eq!(&*without_names, plain.extensions());
                for name in certificate.subject_alt_names().unwrap() {
                    prop_assert_eq!(name.to_string(), "DNS:laptop-1.example.com");
                }
            }
        }
    }
}
