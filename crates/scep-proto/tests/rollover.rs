//! GetNextCACert: the answer, both ways, with OpenSSL in between.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, missing_docs, reason = "tests")]

use keys_software::AwsLc;
use pki_core::{Certificate, SigningKey};
use scep_proto::{
    AlgorithmPolicy, EncodeError, ReplyError, ca_certificates,
    next_ca_certificates::{self, NEXT_CA_CERT_MEDIA_TYPE},
};
use testkit::{Authority, NOW, block_on, keys, run_in, run_with_input, tempdir};

fn answer(next: &[Certificate], ca: &Certificate, key: &dyn SigningKey) -> Vec<u8> {
    let unsigned = next_ca_certificates::prepare(next, ca, key.algorithm(), NOW).unwrap();
    let signature = block_on(key.sign(unsigned.tbs())).unwrap();
    unsigned.finish(&signature)
}

fn read(body: &[u8], current: &Certificate) -> Result<Vec<Certificate>, ReplyError> {
    next_ca_certificates::parse(body, current, &AwsLc, &AlgorithmPolicy::default())
}

/// The RSA CA takes over from the one on P-256, and the other way round.
fn authorities() -> [(Authority, Authority); 2] {
    [(testkit::ca(), testkit::rsa_ca()), (testkit::rsa_ca(), testkit::ca())]
}

// clause: RFC 8894 M26, S23, C16
#[test]
fn the_next_certificates_are_signed_by_the_ca_of_now() {
    assert_eq!(NEXT_CA_CERT_MEDIA_TYPE, "application/x-x509-next-ca-cert");
    for (current, next) in authorities() {
        let announced = [next.certificate.clone(), next.ra_certificate.clone()];
        let body = answer(&announced, &current.certificate, &*current.key);
        assert_eq!(read(&body, &current.certificate).unwrap(), announced, "in the order given");
        assert_eq!(read(&body, &next.certificate), Err(ReplyError::UnknownSigner));
        assert_eq!(read(&body, &current.ra_certificate), Err(ReplyError::UnknownSigner));
    }
}

// clause: RFC 8894 C16
#[test]
fn an_answer_that_somebody_else_made_is_not_believed() {
    for (current, next) in authorities() {
        let announced = [next.certificate.clone()];
        // In the name of the CA, by another key.
        let forged = answer(&announced, &current.certificate, &*next.key);
        assert!(matches!(
            read(&forged, &current.certificate),
            Err(ReplyError::Signature(_) | ReplyError::AlgorithmNotAllowed(_))
        ));
        let by_ra = answer(&announced, &current.ra_certificate, &*current.ra_key);
        assert_eq!(read(&by_ra, &current.certificate), Err(ReplyError::UnknownSigner));
        let unsigned = ca_certificates::encode(&[next.certificate.clone(), current.certificate.clone()]).1;
        assert!(matches!(read(&unsigned, &current.certificate), Err(ReplyError::Decode(_))));

        let sound = answer(&announced, &current.certificate, &*current.key);
        let from = sound.len() / 3;
        for at in (from..sound.len()).step_by(97) {
            let mut changed = sound.clone();
            changed[at] ^= 1;
            let read = read(&changed, &current.certificate);
            assert!(read.is_err() || read == Ok(announced.to_vec()), "{at}");
        }
    }
    let ca = testkit::ca();
    let nothing = next_ca_certificates::prepare(&[], &ca.certificate, ca.key.algorithm(), NOW);
    assert!(matches!(nothing, Err(EncodeError::NothingToDeliver)));
}

// clause: RFC 8894 M26, S23
#[test]
fn openssl_takes_it_apart_and_makes_what_we_read() {
    let folder = tempdir().unwrap();
    for (name, key, (current, next)) in
        [("ec", keys::CA_PEM, &authorities()[0]), ("rsa", keys::RSA_CA_PEM, &authorities()[1])]
    {
        let announced = [next.certificate.clone(), next.ra_certificate.clone()];
        for (file, text) in [
            ("ca.pem", current.certificate.to_pem()),
            ("ca.key", key.into()),
            ("next.pem", next.certificate.to_pem()),
            ("ra.pem", next.ra_certificate.to_pem()),
        ] {
            std::fs::write(folder.path().join(file), text).unwrap();
        }
        let openssl = |arguments: &str, input: &[u8]| {
            run_with_input(folder.path(), "openssl", arguments.split(' '), input)
        };
        let body = answer(&announced, &current.certificate, &*current.key);
        let verify = "-verify -inform DER -binary -CAfile ca.pem -purpose any";
        let inner = openssl(&format!("cms {verify}"), &body);
        assert_eq!(openssl(&format!("smime {verify}"), &body), inner, "as older clients read it");
        let text = String::from_utf8(openssl("pkcs7 -inform DER -print_certs", &inner)).unwrap();
        assert_eq!(Certificate::from_pem(&text).unwrap(), announced[0], "{name}");
        assert_eq!(text.matches("BEGIN CERTIFICATE").count(), 2);

        let inner = run_in(
            folder.path(),
            "openssl",
            "crl2pkcs7 -nocrl -certfile next.pem -certfile ra.pem -outform DER".split(' '),
        );
        for form in ["", " -stream", " -nocerts"] {
            let sign = format!("cms -sign -binary -nodetach{form} -outform DER -signer ca.pem -inkey ca.key");
            let theirs = openssl(&sign, &inner);
            assert_eq!(read(&theirs, &current.certificate).unwrap(), announced, "{name}{form}");
        }
    }
}
