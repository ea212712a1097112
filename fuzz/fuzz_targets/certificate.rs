//! Certificates, certification requests and the answer to GetCACert, with everything that can be asked of them.
#![no_main]

use certbound_fuzz::Anything;
use libfuzzer_sys::fuzz_target;
use pki_core::{Certificate, CertificationRequest, Name};
use scep_proto::ca_certificates;

fuzz_target!(|der: &[u8]| {
    if let Ok(certificate) = Certificate::from_der(der) {
        assert_eq!(certificate.as_der(), der, "the original octets are kept");
        let _ = (certificate.serial_number(), certificate.key_usage(), certificate.extended_key_usages());
        let _ = (certificate.basic_constraints(), certificate.subject_alt_names());
        let _ = certificate.verify_signed_by(certificate.public_key(), &Anything);
        read(certificate.subject());
        read(certificate.issuer());
    }
    if let Ok(request) = CertificationRequest::from_der(der) {
        assert_eq!(request.as_der(), der, "the original octets are kept");
        let _ = (request.key_usage(), request.extended_key_usages(), request.basic_constraints());
        let _ = (request.subject_alt_names(), request.challenge_password(), request.verify(&Anything));
        read(request.subject());
    }
    if let Ok(certificates) = ca_certificates::parse(der) {
        let _ = ca_certificates::RaCertificates::pick(&certificates);
        let (_, body) = ca_certificates::encode(&certificates);
        assert_eq!(ca_certificates::parse(&body).expect("our own answer").len(), certificates.len());
    }
});

fn read(name: &Name) {
    let _ = (name.to_string(), name.common_name(), name.rdns());
    assert!(name.matches(name), "{name} is itself");
}
