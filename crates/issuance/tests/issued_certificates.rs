//! What issued certificates look like, to OpenSSL and to another X.509 library.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests"
)]

mod support;

use std::{sync::Arc, time::Duration};

use der::{Decode as _, Encode as _, oid::AssociatedOid};
use issuance::{
    CertificateRequest, Issuer, IssuingAlgorithm, NotForIssuing, PrepareError, Profile, ProfileSettings,
    UnfitIssuer, Usages,
};
use keys_software::AwsLc;
use pki_core::{
    BoxFuture, Certificate, KeyError, KeyUsage, Name, PublicKey, SignatureAlgorithm, SigningKey, UnixTime,
    oids,
};
use serial_binding::{Resolution, SerialBinding as _};
use support::{authorized, bindings, issuer, object, openssl_text, openssl_verify, request, settings};
use testkit::{Authority, NOW, SeededRandom, block_on, keys};
use x509_cert::ext::pkix;

const DAY: u64 = 24 * 60 * 60;

fn issue_at(authority: &Authority, request: CertificateRequest, now: UnixTime) -> Certificate {
    let serial = bindings(authority).bind(&object(), &SeededRandom::new(9)).unwrap();
    let prepared = issuer(authority).prepare(&authorized(request), serial, now).unwrap();
    assert_eq!(prepared.serial_number(), serial);
    let certificate = block_on(prepared.sign_with(&*authority.key)).unwrap();
    certificate.verify_signed_by(authority.certificate.public_key(), &AwsLc).unwrap();
    certificate
}

fn issue(authority: &Authority, request: CertificateRequest) -> Certificate {
    issue_at(authority, request, NOW)
}

fn device_keys() -> [Arc<dyn SigningKey>; 4] {
    [keys::rsa_2048(), keys::rsa_3072(), keys::p256(), keys::p384()]
}

#[test]
fn openssl_verifies_certificates_of_every_kind_of_key_from_every_kind_of_ca() {
    for authority in [testkit::ca(), testkit::rsa_ca()] {
        for key in device_keys() {
            let certificate = issue(&authority, request(key.public_key()));
            openssl_verify(&authority.certificate, &certificate, &["-purpose", "sslclient"]);
            assert_eq!(certificate.public_key(), key.public_key());
        }
    }
}

#[test]
fn openssl_reads_what_the_profile_says() {
    let text = openssl_text(&issue(&testkit::ca(), request(SigningKey::public_key(&*keys::rsa_2048()))));
    for expected in [
        "Version: 3 (0x2)",
        "Issuer: CN=Example CA,O=Example",
        "Subject: CN=laptop-1,O=Example",
        "Not Before: Nov 21 11:00:00 2026 GMT",
        "Not After : Nov 21 12:00:00 2027 GMT",
        "X509v3 Basic Constraints: critical\n                CA:FALSE",
        "X509v3 Key Usage: critical\n                Digital Signature, Key Encipherment\n",
        "X509v3 Extended Key Usage: \n                TLS Web Client Authentication\n",
        "OCSP - URI:http://ca.example.com/ocsp",
        "CA Issuers - URI:http://ca.example.com/ca",
        "DNS:laptop-1.example.com, othername: UPN::zoë@example.com",
    ] {
        assert!(text.contains(expected), "{expected}\n{text}");
    }
}

fn extension<'a, T: der::Decode<'a, Error = der::Error> + AssociatedOid>(
    tbs: &'a x509_cert::TbsCertificate,
) -> (bool, T) {
    let found = tbs.extensions().unwrap().iter().find(|extension| extension.extn_id == T::OID).unwrap();
    (found.critical, T::from_der(found.extn_value.as_bytes()).unwrap())
}

#[test]
fn another_library_reads_the_same_fields_and_extensions() {
    let authority = testkit::ca();
    let certificate = issue(&authority, request(keys::p256().public_key()));
    let read = x509_cert::Certificate::from_der(certificate.as_der()).unwrap();
    assert_eq!(read.to_der().unwrap(), certificate.as_der(), "it is DER");
    let tbs = read.tbs_certificate();
    assert_eq!(tbs.serial_number().as_bytes(), certificate.serial_octets());
    assert_eq!(tbs.serial_number().as_bytes().len(), 20);
    assert_eq!(tbs.signature(), read.signature_algorithm());
    let (critical, constraints) = extension::<pkix::BasicConstraints>(tbs);
    assert!(critical && !constraints.ca && constraints.path_len_constraint.is_none());
    let (critical, usage) = extension::<pkix::KeyUsage>(tbs);
    assert!(critical && usage.digital_signature() && !usage.key_encipherment());
    let (critical, usages) = extension::<pkix::ExtendedKeyUsage>(tbs);
    assert!(!critical && usages.0.len() == 1);
    let (_, ours) = extension::<pkix::SubjectKeyIdentifier>(tbs);
    assert_eq!(ours.0.as_bytes(), certificate.public_key().key_identifier());
    let (_, issuers) = extension::<pkix::AuthorityKeyIdentifier>(tbs);
    let expected = authority.certificate.public_key().key_identifier();
    assert_eq!(issuers.key_identifier.unwrap().as_bytes(), expected);
    assert_eq!(tbs.extensions().unwrap().len(), 7);
}

#[test]
fn the_serial_number_leads_back_to_the_object() {
    let authority = testkit::ca();
    let certificate = issue(&authority, request(keys::p256().public_key()));
    let serial = certificate.serial_number().unwrap();
    assert_eq!(bindings(&authority).resolve(&serial), Resolution::Object(object()));
}

#[test]
fn row_30_validity_is_the_cas_choice_and_ends_with_the_ca() {
    let authority = testkit::ca();
    let own = authority.certificate.validity();
    let (begin, end) = (own.not_before(), own.not_after());
    let at = |now| issue_at(&authority, request(keys::p256().public_key()), now).validity();
    assert_eq!((at(NOW).not_before().0, at(NOW).not_after().0), (NOW.0 - 3600, NOW.0 + 365 * DAY));
    assert_eq!(at(UnixTime(begin.0 + 1)).not_before(), begin);
    assert_eq!(at(UnixTime(end.0 - 1)).not_after(), end);
}

#[test]
fn a_ca_that_has_expired_issues_nothing() {
    let authority = testkit::ca();
    let request = authorized(request(keys::p256().public_key()));
    let serial = "10".repeat(20).parse().unwrap();
    let end = authority.certificate.validity().not_after();
    let now = UnixTime(end.0 + 1);
    let refused = issuer(&authority).prepare(&request, serial, now);
    assert_eq!(refused.unwrap_err(), PrepareError::CaNotValid { now, not_after: end });
}

#[test]
fn row_29_keys_that_the_profile_does_not_take_are_refused() {
    let only_long = ProfileSettings {
        keys: settings().keys.with_rsa_bits(3072..=4096).unwrap().without_curves(),
        ..settings()
    };
    let profile = Arc::new(Profile::new(only_long).unwrap());
    let authority = testkit::ca();
    for (key, taken) in device_keys().into_iter().zip([false, true, false, false]) {
        let request = CertificateRequest { profile: profile.clone(), ..request(key.public_key()) };
        let serial = "10".repeat(20).parse().unwrap();
        let prepared = issuer(&authority).prepare(&authorized(request), serial, NOW);
        assert_eq!(prepared.is_ok(), taken, "{key:?}");
        assert!(taken || matches!(prepared, Err(PrepareError::Key(_))));
    }
}

#[test]
fn a_certificate_without_a_subject_has_a_critical_alternative_name_or_is_not_made() {
    let authority = testkit::ca();
    let nobody = Name::from_der(&[0x30, 0]).unwrap();
    let nameless = CertificateRequest { subject: nobody, ..request(keys::p256().public_key()) };
    let certificate = issue(&authority, nameless.clone());
    assert!(certificate.extension(oids::SUBJECT_ALT_NAME).unwrap().is_critical());
    openssl_verify(&authority.certificate, &certificate, &[]);
    let nameless = CertificateRequest { subject_alt_names: Vec::new(), ..nameless };
    let serial = "10".repeat(20).parse().unwrap();
    let refused = issuer(&authority).prepare(&authorized(nameless), serial, NOW);
    assert_eq!(refused.unwrap_err(), PrepareError::NoName);
}

#[test]
fn profiles_without_urls_and_requests_without_alternative_names_leave_the_extensions_out() {
    let profile = Arc::new(Profile::new(ProfileSettings::new("bare")).unwrap());
    let subject = profile.subject("x");
    let bare = CertificateRequest {
        subject,
        subject_alt_names: Vec::new(),
        profile,
        ..request(keys::p256().public_key())
    };
    let certificate = issue(&testkit::ca(), bare);
    assert!(certificate.extension(oids::SUBJECT_ALT_NAME).is_none());
    assert!(certificate.extension(oids::AUTHORITY_INFO_ACCESS).is_none());
}

#[test]
fn the_authority_key_identifier_is_the_one_in_the_cas_certificate() {
    let folder = testkit::tempdir().unwrap();
    std::fs::write(folder.path().join("ca.key"), keys::CA_PEM).unwrap();
    let arguments = "req -x509 -new -key ca.key -subj /CN=Odd -days 9000 -out ca.pem \
                     -addext subjectKeyIdentifier=01:02:03 -addext basicConstraints=critical,CA:TRUE";
    testkit::run_in(folder.path(), "openssl", arguments.split_whitespace());
    let pem = std::fs::read_to_string(folder.path().join("ca.pem")).unwrap();
    let certificate = Certificate::from_pem(&pem).unwrap();
    // OpenSSL dated it by the real clock.
    let now = UnixTime(certificate.validity().not_before().0 + DAY);
    let authority = Authority { certificate, ..testkit::ca() };
    let issued = issue_at(&authority, request(keys::p256().public_key()), now);
    let identifier = issued.extension(oids::AUTHORITY_KEY_IDENTIFIER).unwrap();
    assert_eq!(identifier.value(), [0x30, 5, 0x80, 3, 1, 2, 3]);
}

#[test]
fn only_a_ca_with_its_own_key_makes_an_issuer() {
    let (ca, rsa_ca, device) = (testkit::ca(), testkit::rsa_ca(), testkit::device());
    let of_key = Issuer::of_key;
    assert_eq!(of_key(device.certificate, &*device.key).unwrap_err(), UnfitIssuer::NotACa);
    let other = keys::p256();
    assert_eq!(of_key(ca.certificate.clone(), &*other).unwrap_err(), UnfitIssuer::OtherKey);
    assert_eq!(of_key(ca.certificate.clone(), &*rsa_ca.key).unwrap_err(), UnfitIssuer::OtherKind);
    let rsa = Issuer::new(ca.certificate, IssuingAlgorithm::RsaPkcs1Sha256);
    assert_eq!(rsa.unwrap_err(), UnfitIssuer::OtherKind);
}

#[test]
fn a_ca_that_may_not_sign_certificates_makes_no_issuer() {
    let folder = testkit::tempdir().unwrap();
    std::fs::write(folder.path().join("ca.key"), keys::CA_PEM).unwrap();
    let arguments = "req -x509 -new -key ca.key -subj /CN=Odd -out ca.pem \
                     -addext keyUsage=cRLSign -addext basicConstraints=critical,CA:TRUE";
    testkit::run_in(folder.path(), "openssl", arguments.split_whitespace());
    let pem = std::fs::read_to_string(folder.path().join("ca.pem")).unwrap();
    let made = Issuer::of_key(Certificate::from_pem(&pem).unwrap(), &*testkit::ca().key);
    assert_eq!(made.unwrap_err(), UnfitIssuer::MayNotSignCertificates);
}

#[test]
fn row_30_a_key_that_signs_with_sha1_makes_no_issuer() {
    #[derive(Debug)]
    struct Sha1(Arc<dyn SigningKey>);
    impl SigningKey for Sha1 {
        fn algorithm(&self) -> SignatureAlgorithm {
            SignatureAlgorithm::RsaPkcs1Sha1
        }
        fn public_key(&self) -> &PublicKey {
            self.0.public_key()
        }
        fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, KeyError>> {
            self.0.sign(message)
        }
    }
    let ca = testkit::rsa_ca();
    let made = Issuer::of_key(ca.certificate, &Sha1(ca.key)).unwrap_err();
    assert_eq!(made, UnfitIssuer::Algorithm(NotForIssuing(SignatureAlgorithm::RsaPkcs1Sha1)));
}

#[test]
fn a_signature_for_another_algorithm_is_not_made() {
    let request = authorized(request(keys::p256().public_key()));
    let serial = "10".repeat(20).parse().unwrap();
    let prepared = issuer(&testkit::ca()).prepare(&request, serial, NOW).unwrap();
    assert!(block_on(prepared.sign_with(&*testkit::rsa_ca().key)).is_err());
}

#[test]
fn long_validity_is_written_in_the_form_of_its_year() {
    let hundred_years = ProfileSettings { validity: Duration::from_secs(100 * 365 * DAY), ..settings() };
    let profile = Arc::new(Profile::new(hundred_years).unwrap());
    let key = testkit::ca().key;
    let root = {
        let validity = pki_core::Validity::new(NOW, UnixTime::MAX).unwrap();
        let subject = "CN=Long".parse().unwrap();
        block_on(issuance::create_root(&subject, &*key, validity, &SeededRandom::new(1))).unwrap()
    };
    let authority = Authority { certificate: root.certificate().clone(), ..testkit::ca() };
    let request = CertificateRequest { profile, ..request(keys::p256().public_key()) };
    let certificate = issue(&authority, request);
    assert_eq!(certificate.validity().not_after().0, NOW.0 + 100 * 365 * DAY);
    openssl_verify(&authority.certificate, &certificate, &[]);
}

#[test]
fn a_certificate_may_be_good_for_less_than_the_profile_gives_and_never_for_more() {
    let both = vec![oids::KP_CLIENT_AUTH, oids::KP_SERVER_AUTH];
    let profile = ProfileSettings { extended_key_usages: both.clone(), ..settings() };
    let profile = Arc::new(Profile::new(profile).unwrap());
    let asking = |key_usage, extended: &[pki_core::Oid]| CertificateRequest {
        usages: Some(Usages { key_usage, extended: extended.to_vec() }),
        profile: profile.clone(),
        ..request(SigningKey::public_key(&*keys::rsa_2048()))
    };
    let issued = |key_usage, extended: &[pki_core::Oid]| {
        let certificate = issue(&testkit::ca(), asking(key_usage, extended));
        (certificate.key_usage().unwrap().unwrap(), certificate.extended_key_usages().unwrap())
    };
    let all = KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT;
    assert_eq!(issued(None, &[]), (all, both.clone()));
    let signing = KeyUsage::DIGITAL_SIGNATURE;
    assert_eq!(issued(Some(signing), &both[1..]), (signing, vec![oids::KP_SERVER_AUTH]));
    // What is beyond the profile is not given beside what is not.
    let greedy = signing | KeyUsage::KEY_CERT_SIGN | KeyUsage::DATA_ENCIPHERMENT;
    assert_eq!(issued(Some(greedy), &[]), (signing, both));
    for beyond in [
        asking(Some(KeyUsage::KEY_CERT_SIGN), &[]),
        asking(None, &[oids::KP_OCSP_SIGNING]),
        asking(None, &[oids::KP_CLIENT_AUTH, oids::ANY_EXTENDED_KEY_USAGE]),
    ] {
        let serial = "10".repeat(20).parse().unwrap();
        let refused = issuer(&testkit::ca()).prepare(&authorized(beyond), serial, NOW);
        assert!(matches!(refused, Err(PrepareError::BeyondProfile(_))), "{refused:?}");
    }
}

#[test]
fn a_certificate_may_be_valid_for_less_than_the_profile_gives_and_never_for_more() {
    let ends = |validity: Option<u64>| {
        let validity = validity.map(Duration::from_secs);
        let request = CertificateRequest { validity, ..request(keys::p256().public_key()) };
        issue(&testkit::ca(), request).validity().not_after().0 - NOW.0
    };
    assert_eq!(ends(None), 365 * DAY);
    assert_eq!(ends(Some(DAY)), DAY);
    assert_eq!(ends(Some(366 * DAY)), 365 * DAY);
    assert_eq!(ends(Some(0)), 60);
}

#[test]
fn extensions_of_the_profile_and_of_the_account_are_there() {
    // certificatePolicies of one policy.
    let policy = pki_core::Extension::new("2.5.29.32".parse().unwrap(), vec![0x30, 5, 0x30, 3, 6, 1, 0x2A]);
    let profile = ProfileSettings { extensions: vec![policy.clone()], ..settings() };
    let request = CertificateRequest {
        profile: Arc::new(Profile::new(profile).unwrap()),
        security_identifier: Some("S-1-5-21-1-2-3-1104".parse().unwrap()),
        ..request(keys::p256().public_key())
    };
    let authority = testkit::ca();
    let certificate = issue(&authority, request);
    assert_eq!(certificate.extension(policy.id()), Some(&policy));
    let identifier = certificate.extension(oids::NTDS_CA_SECURITY).unwrap();
    assert!(identifier.value().ends_with(b"S-1-5-21-1-2-3-1104"));
    openssl_verify(&authority.certificate, &certificate, &[]);
    let text = openssl_text(&certificate);
    assert!(text.contains("Certificate Policies") && text.contains("1.3.6.1.4.1.311.25.2"), "{text}");
}
