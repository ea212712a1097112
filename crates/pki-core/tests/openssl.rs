//! Certificates and requests that OpenSSL makes are read as OpenSSL reads them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

use std::{path::Path, process::Command};

use pki_core::{Certificate, CertificationRequest, GeneralName, KeyKind, KeyUsage, SignatureAlgorithm, oids};

fn openssl(folder: &Path, arguments: &str) -> Vec<u8> {
    let output = Command::new("openssl").current_dir(folder).args(arguments.split_whitespace()).output();
    let output = output.expect("openssl runs (Debian package openssl)");
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

#[test]
fn a_certificate() {
    let folder = tempfile::tempdir().unwrap();
    openssl(
        folder.path(),
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -out c.pem -days 7300 -set_serial 0x00ffee \
         -subj /O=Example/CN=laptop-1 -addext keyUsage=critical,digitalSignature -addext extendedKeyUsage=clientAuth \
         -addext subjectAltName=DNS:laptop-1.example.com,email:a@example.com,IP:127.0.0.1,URI:urn:x,otherName:1.3.6.1.4.1.311.20.2.3;UTF8:a@b",
    );
    let der = openssl(folder.path(), "x509 -in c.pem -outform der");
    let pem = std::fs::read_to_string(folder.path().join("c.pem")).unwrap();
    let certificate = Certificate::from_der(&der).unwrap();
    assert_eq!(certificate, Certificate::from_pem(&format!("some text before\n{pem}and after")).unwrap());
    assert_eq!(certificate.to_pem(), pem);
    assert_eq!(certificate.as_der(), der);
    assert_eq!(certificate.serial_number().unwrap().to_string(), "FFEE");
    assert_eq!(certificate.subject().to_string(), "CN=laptop-1,O=Example");
    assert_eq!(certificate.issuer(), certificate.subject());
    assert_eq!(certificate.public_key().kind(), KeyKind::P256);
    assert_eq!(certificate.signature_algorithm(), Ok(SignatureAlgorithm::EcdsaSha256));
    assert_eq!(certificate.key_usage().unwrap(), Some(KeyUsage::DIGITAL_SIGNATURE));
    assert_eq!(certificate.extended_key_usages().unwrap(), [oids::KP_CLIENT_AUTH]);
    assert!(certificate.basic_constraints().unwrap().ca, "req -x509 makes CAs");
    assert_eq!(
        certificate.subject_alt_names().unwrap(),
        [
            GeneralName::Dns("laptop-1.example.com".into()),
            GeneralName::Email("a@example.com".into()),
            GeneralName::Ip(vec![127, 0, 0, 1]),
            GeneralName::Uri("urn:x".into()),
            GeneralName::Upn("a@b".into()),
        ]
    );
    let validity = certificate.validity();
    let days = validity.not_after().saturating_since(validity.not_before()).as_secs() / 86_400;
    assert_eq!(days, 7300);
    let seconds = openssl(folder.path(), "x509 -in c.pem -noout -enddate -dateopt iso_8601");
    let expected = format!("notAfter={}\n", validity.not_after().to_string().replace('T', " "));
    assert_eq!(
        String::from_utf8(seconds).unwrap(),
        expected,
        "a GeneralizedTime when after 2049, UTCTime before"
    );
    let identifier =
        String::from_utf8(openssl(folder.path(), "x509 -in c.pem -noout -ext subjectKeyIdentifier")).unwrap();
    let ours: Vec<String> =
        certificate.public_key().key_identifier().iter().map(|octet| format!("{octet:02X}")).collect();
    assert!(identifier.contains(&ours.join(":")), "{identifier}");
    let fingerprint =
        String::from_utf8(openssl(folder.path(), "x509 -in c.pem -noout -fingerprint -sha256")).unwrap();
    let ours: Vec<String> = certificate.fingerprint().iter().map(|octet| format!("{octet:02X}")).collect();
    assert!(fingerprint.contains(&ours.join(":")), "{fingerprint}");
}

#[test]
fn a_request() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("r.cnf"),
        "[req]\ndistinguished_name=dn\nattributes=at\nreq_extensions=ext\nprompt=no\n[dn]\nCN=laptop-1\n[at]\n\
         challengePassword=s3cret\n[ext]\nsubjectAltName=DNS:laptop-1\nbasicConstraints=CA:TRUE\n",
    )
    .unwrap();
    openssl(
        folder.path(),
        "req -new -newkey rsa:2048 -nodes -keyout k.pem -config r.cnf -outform der -out r.der",
    );
    let request =
        CertificationRequest::from_der(&std::fs::read(folder.path().join("r.der")).unwrap()).unwrap();
    assert_eq!(request.subject().to_string(), "CN=laptop-1");
    assert_eq!(request.public_key().kind(), KeyKind::Rsa { bits: 2048 });
    assert_eq!(request.challenge_password().unwrap().expose(), "s3cret");
    assert!(!format!("{:?}", request.challenge_password()).contains("s3cret"));
    assert_eq!(request.subject_alt_names().unwrap(), [GeneralName::Dns("laptop-1".into())]);
    assert!(request.basic_constraints().unwrap().ca);
    assert_eq!(request.signature_algorithm(), Ok(SignatureAlgorithm::RsaPkcs1Sha256));
}

#[test]
fn every_octet_changed_gives_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    openssl(
        folder.path(),
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout k.pem -out c.pem -subj /CN=x",
    );
    let certificate = openssl(folder.path(), "x509 -in c.pem -outform der");
    let request = openssl(folder.path(), "req -new -key k.pem -subj /CN=x -outform der");
    for (at, change) in (0..certificate.len()).flat_map(|at| [1, 0x7F, 0x80, 0xFF].map(|change| (at, change)))
    {
        let mut changed = certificate.clone();
        changed[at] ^= change;
        let _ = Certificate::from_der(&changed);
        let _ = Certificate::from_der(&certificate[..at]);
    }
    for (at, change) in (0..request.len()).flat_map(|at| [1, 0x7F, 0x80, 0xFF].map(|change| (at, change))) {
        let mut changed = request.clone();
        changed[at] ^= change;
        let _ = CertificationRequest::from_der(&changed);
    }
}
