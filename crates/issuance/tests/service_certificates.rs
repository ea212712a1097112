//! The certificates that a CA makes for its own service.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

mod support;

use std::sync::Arc;

use issuance::{CreateError, Issuer, PrepareError, UnfitIssuer, create_root, service_serial};
use keys_software::AwsLc;
use pki_core::{
    BasicConstraints, Certificate, KeyUsage, Name, PublicKey, RandomFailed, SecureRandom, SigningKey,
    UnixTime, Validity, oids,
};
use serial_binding::{Resolution, SerialBinding as _};
use support::{bindings, issuer, openssl_text, openssl_verify};
use testkit::{NOW, SeededRandom, block_on, keys};

const DAY: u64 = 24 * 60 * 60;

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn years() -> Validity {
    Validity::new(NOW, UnixTime(NOW.0 + 3650 * DAY)).unwrap()
}

fn day() -> Validity {
    Validity::new(UnixTime(NOW.0 - 3600), UnixTime(NOW.0 + DAY)).unwrap()
}

fn public_key(key: &dyn SigningKey) -> &PublicKey {
    key.public_key()
}

fn delegate(key: &dyn SigningKey) -> Certificate {
    let ca = testkit::ca();
    let (issuer, subject, random) = (issuer(&ca), name("CN=OCSP responder"), SeededRandom::new(5));
    block_on(issuer.create_ocsp_delegate(&subject, public_key(key), day(), &*ca.key, &random)).unwrap()
}

// clause: RFC 8894 S1
#[test]
fn a_root_of_every_kind_of_key_is_a_ca_to_openssl() {
    let all: [Arc<dyn SigningKey>; 4] = [keys::rsa_2048(), keys::rsa_3072(), keys::p256(), keys::p384()];
    for key in all {
        let root = block_on(create_root(&name("CN=Root,O=Example"), &*key, years(), &AwsLc)).unwrap();
        let certificate = root.certificate();
        openssl_verify(certificate, certificate, &["-check_ss_sig"]);
        assert_eq!(
            certificate.basic_constraints().unwrap(),
            BasicConstraints { ca: true, path_len: Some(0) }
        );
        let usage = certificate.key_usage().unwrap().unwrap();
        assert_eq!(usage, KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN);
        for id in [oids::BASIC_CONSTRAINTS, oids::KEY_USAGE] {
            assert!(certificate.extension(id).unwrap().is_critical());
        }
        assert_eq!(certificate.validity(), years());
    }
}

// clause: RFC 8894 S1
#[test]
fn a_root_issues_for_its_ra_and_openssl_follows_the_chain() {
    let key = keys::p384();
    let root: Issuer = block_on(create_root(&name("CN=Root"), &*key, years(), &AwsLc)).unwrap();
    let ra_key = keys::rsa_2048();
    let subject = name("CN=Root RA");
    let ra = block_on(root.create_ra(&subject, public_key(&*ra_key), years(), &*key, &AwsLc)).unwrap();
    openssl_verify(root.certificate(), &ra, &[]);
    let usage = ra.key_usage().unwrap().unwrap();
    assert_eq!(usage, KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT);
    assert!(!ra.basic_constraints().unwrap().ca);
    assert!(Issuer::of_key(ra, &*ra_key).is_err());
}

#[test]
fn an_ra_needs_a_key_that_decrypts() {
    let ca = testkit::ca();
    let key = keys::p256();
    let (issuer, subject) = (issuer(&ca), name("CN=RA"));
    let made = block_on(issuer.create_ra(&subject, public_key(&*key), years(), &*ca.key, &AwsLc));
    let refused = made.unwrap_err();
    assert!(matches!(refused, CreateError::Prepare(PrepareError::UnfitKey { .. })), "{refused:?}");
}

#[test]
fn the_cas_own_key_must_sign() {
    let ca = testkit::ca();
    let other = keys::p256();
    let (issuer, subject) = (issuer(&ca), name("CN=x"));
    let made = block_on(issuer.create_ocsp_delegate(&subject, public_key(&*other), day(), &*other, &AwsLc));
    assert_eq!(made.unwrap_err(), CreateError::Issuer(UnfitIssuer::OtherKey));
}

// clause: RFC 6960 16, 42, 43, 46
// clause: RFC 9919 85
#[test]
fn a_delegate_is_a_responder_and_nothing_else() {
    let certificate = delegate(&*keys::p256());
    openssl_verify(&testkit::ca().certificate, &certificate, &["-purpose", "ocsphelper"]);
    assert_eq!(certificate.extended_key_usages().unwrap(), [oids::KP_OCSP_SIGNING]);
    assert_eq!(certificate.key_usage().unwrap(), Some(KeyUsage::DIGITAL_SIGNATURE));
    assert!(certificate.extension(oids::KEY_USAGE).unwrap().is_critical());
    let no_check = certificate.extension(oids::OCSP_NOCHECK).unwrap();
    assert_eq!((no_check.value(), no_check.is_critical()), (&[5, 0][..], false));
    assert!(certificate.extension(oids::AUTHORITY_KEY_IDENTIFIER).is_some());
    assert!(certificate.extension(oids::AUTHORITY_INFO_ACCESS).is_none());
    assert!(!certificate.basic_constraints().unwrap().ca);
    assert!(openssl_text(&certificate).contains("OCSP No Check"));
}

#[test]
fn a_delegate_ends_with_its_ca() {
    let ca = testkit::ca();
    let end = ca.certificate.validity().not_after();
    let validity = Validity::new(NOW, UnixTime(end.0 + DAY)).unwrap();
    let key = keys::p256();
    let serial = service_serial(&AwsLc).unwrap();
    let prepared =
        issuer(&ca).prepare_ocsp_delegate(&name("CN=x"), public_key(&*key), validity, serial).unwrap();
    let certificate = block_on(prepared.sign_with(&*ca.key)).unwrap();
    assert_eq!(certificate.validity().not_after(), end);
    let later = Validity::new(UnixTime(end.0 + 1), UnixTime(end.0 + DAY)).unwrap();
    assert!(issuer(&ca).prepare_ocsp_delegate(&name("CN=x"), public_key(&*key), later, serial).is_err());
}

#[test]
fn service_serials_are_positive_of_one_length_and_bound_to_nothing() {
    #[derive(Debug)]
    struct All(u8);
    impl SecureRandom for All {
        fn fill(&self, out: &mut [u8]) -> Result<(), RandomFailed> {
            out.fill(self.0);
            Ok(())
        }
    }
    let bindings = bindings(&testkit::ca()).with_plain();
    for octet in [0, 0x3F, 0x7F, 0x80, 0xFF] {
        let serial = service_serial(&All(octet)).unwrap();
        assert_eq!(serial.as_be_bytes().len(), 16, "{octet:#x}");
        assert!(serial.as_be_bytes()[0] < 0x80);
        assert_eq!(bindings.resolve(&serial), Resolution::Foreign);
    }
    let certificate = delegate(&*keys::p256());
    assert_eq!(certificate.serial_octets().len(), 16);
}
