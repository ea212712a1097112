//! Every kind of key that a CA or its delegate may have, judged by implementations that are not ours.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::{sync::Arc, time::Duration};

use issuance::create_root;
use keys_software::{AwsLc, KeyAlgorithm, SoftwareKey};
use ocsp_proto::{Issuer, Question};
use ocsp_server::SelfIssuedDelegates;
use ocsp_service::{DelegateKeeper, DelegateParts, OcspParts, OcspService};
use pki_core::{
    Certificate, Clock, DigestAlgorithm, PublicKey, SignatureAlgorithm, SigningKey, SystemClock, Validity,
    tlv,
};
use revocation::{Standing, StatusReport, source_fn};
use testkit::{block_on, keys};

const DAY: Duration = Duration::from_secs(86_400);
const YEAR: Duration = Duration::from_secs(31_536_000);

/// A responder of a CA with that key, whose delegates have keys of that kind.
struct Bench {
    ca: Certificate,
    service: OcspService,
    question: Question,
}

impl Bench {
    fn new(ca_key: Arc<dyn SigningKey>, kind: KeyAlgorithm) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let now = clock.now();
        let validity = Validity::new(now.saturating_sub(DAY), now.saturating_add(YEAR)).unwrap();
        let name = "CN=Example CA".parse().unwrap();
        let ca = block_on(create_root(&name, &*ca_key, validity, &AwsLc)).unwrap().certificate().clone();
        let delegates =
            SelfIssuedDelegates::new(ca.clone(), ca_key, DAY, Arc::clone(&clock), Arc::new(AwsLc));
        let parts = DelegateParts {
            issuer: ca.clone(),
            source: Arc::new(delegates.unwrap().with_key(kind)),
            clock: Arc::clone(&clock),
            verifier: Arc::new(AwsLc),
        };
        let issuers = vec![block_on(DelegateKeeper::start(parts)).unwrap()];
        let source = Arc::new(source_fn(move |_| {
            Ok(StatusReport { standing: Standing::Good, known_at: SystemClock.now(), reliable_until: None })
        }));
        let service = OcspService::new(OcspParts { issuers, source, clock });
        let question =
            Question::new(Issuer::new(ca.clone()), DigestAlgorithm::Sha256, [&[0x30, 1][..]]).unwrap();
        Self { ca, service, question }
    }

    fn response(&self) -> Vec<u8> {
        let response = block_on(self.service.answer(self.question.as_der())).as_der().to_vec();
        self.question.verify(&response, SystemClock.now(), Duration::from_secs(5), &AwsLc).unwrap();
        response
    }

    /// What `openssl ocsp` makes of the response.
    fn openssl(&self) -> String {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, octets: &[u8]| std::fs::write(folder.path().join(name), octets).unwrap();
        write("ca.pem", self.ca.to_pem().as_bytes());
        write("request.der", self.question.as_der());
        write("response.der", &self.response());
        let arguments =
            "ocsp -issuer ca.pem -CAfile ca.pem -reqin request.der -respin response.der -resp_text";
        let output = testkit::try_run_in(folder.path(), "openssl", arguments.split(' '));
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }
}

fn software(kind: KeyAlgorithm) -> Arc<dyn SigningKey> {
    Arc::new(SoftwareKey::generate(kind).unwrap())
}

fn rsa(algorithm: SignatureAlgorithm) -> Arc<dyn SigningKey> {
    let SoftwareKey::Rsa(key) = SoftwareKey::from_pem(keys::RSA_CA_PEM).unwrap() else { panic!("RSA") };
    Arc::new(key.with_signature_algorithm(algorithm).unwrap())
}

// clause: RFC 6960 51, 62
#[test]
fn openssl_believes_delegates_of_every_kind_under_cas_of_every_kind() {
    for (ca_key, kind, signature) in [
        (software(KeyAlgorithm::P256), KeyAlgorithm::P384, "ecdsa-with-SHA384"),
        (software(KeyAlgorithm::P384), KeyAlgorithm::P256, "ecdsa-with-SHA256"),
        (software(KeyAlgorithm::Ed25519), KeyAlgorithm::Ed25519, "ED25519"),
        (rsa(SignatureAlgorithm::RsaPkcs1Sha256), KeyAlgorithm::Rsa2048, "sha256WithRSAEncryption"),
        (rsa(SignatureAlgorithm::RsaPkcs1Sha512), KeyAlgorithm::P256, "ecdsa-with-SHA256"),
        (rsa(SignatureAlgorithm::RsaPssSha384), KeyAlgorithm::Ed25519, "ED25519"),
    ] {
        let bench = Bench::new(Arc::clone(&ca_key), kind);
        let text = bench.openssl();
        let by = ca_key.algorithm();
        assert!(text.contains("Response verify OK"), "{kind} under {by:?}: {text}");
        assert!(text.contains(&format!("Signature Algorithm: {signature}")), "{kind} under {by:?}: {text}");
    }
}

/// Whether another implementation of ML-DSA-65 than the one that signs says that the signature holds.
fn ml_dsa_holds(key: &PublicKey, message: &[u8], signature: &[u8]) -> bool {
    use ml_dsa::{EncodedVerifyingKey, MlDsa65, Signature, VerifyingKey, signature::Verifier as _};
    let key: EncodedVerifyingKey<MlDsa65> = key.key_octets().try_into().unwrap();
    let signature = Signature::<MlDsa65>::try_from(signature).unwrap();
    VerifyingKey::decode(&key).verify(message, &signature).is_ok()
}

// clause: RFC 6960 35
#[test]
fn a_second_implementation_believes_ml_dsa() {
    let bench = Bench::new(software(KeyAlgorithm::MlDsa65), KeyAlgorithm::MlDsa65);
    let response = bench.response();
    let verified =
        bench.question.verify(&response, SystemClock.now(), Duration::from_secs(5), &AwsLc).unwrap();
    let delegate = verified.signer();
    for certificate in [&bench.ca, delegate] {
        assert_eq!(certificate.signature_algorithm(), Ok(SignatureAlgorithm::MlDsa65));
        assert!(ml_dsa_holds(bench.ca.public_key(), certificate.tbs(), certificate.signature()));
    }
    // OCSPResponse, responseBytes [0], ResponseBytes, response, BasicOCSPResponse
    let mut outer = tlv::Cursor::into(&response, tlv::SEQUENCE, "x").unwrap();
    outer.next().unwrap();
    let mut bytes = outer.enter(0xA0).unwrap().enter(tlv::SEQUENCE).unwrap();
    bytes.next().unwrap();
    let basic = bytes.expect(tlv::OCTET_STRING).unwrap().value;
    let mut basic = tlv::Cursor::into(basic, tlv::SEQUENCE, "x").unwrap();
    let tbs = basic.expect(tlv::SEQUENCE).unwrap().bytes;
    let algorithm = basic.expect(tlv::SEQUENCE).unwrap().bytes;
    assert_eq!(SignatureAlgorithm::from_der(algorithm), Ok(SignatureAlgorithm::MlDsa65));
    let signature = basic.octet_bits().unwrap();
    assert!(ml_dsa_holds(delegate.public_key(), tbs, signature));
    let altered = [&tbs[..tbs.len() - 1], &[0x55]].concat();
    assert!(!ml_dsa_holds(delegate.public_key(), &altered, signature));
}
