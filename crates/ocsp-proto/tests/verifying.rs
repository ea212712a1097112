//! What a client believes, and what not.
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

use der_07::Decode as _;
use keys_software::AwsLc;
use ocsp_proto::{
    CertId, DelegateError, ErrorStatus, Issuer, NonceCheck, Question, QuestionError, Request, Response,
    SingleStatus, VerifiedResponse, VerifyError,
};
use pki_core::{CertStatus, DigestAlgorithm, UnixTime};
use proptest::prelude::*;
use vectors::{Vector, certificate, delegate, now, signed, vector, vectors};

/// The question that a vector's request puts; OpenSSL writes it in the same bytes.
fn question(request: &[u8], issuer: &str) -> Question {
    let parsed = Request::parse(request).unwrap();
    let digest = parsed.cert_ids()[0].digest().unwrap();
    let serials = parsed.cert_ids().iter().map(CertId::serial_octets);
    let question = Question::new(Issuer::new(certificate(issuer)), digest, serials).unwrap();
    match parsed.nonce() {
        Some(nonce) => question.with_nonce(nonce).unwrap(),
        None => question,
    }
}

#[test]
fn questions_are_put_in_the_bytes_that_openssl_puts_them_in() {
    for name in
        ["sha1", "sha1-nonce", "sha256", "sha256-nonce", "long-serial", "negative-serial", "gnutls", "rsa"]
    {
        let vector = vector(&format!("request-{name}"));
        let der = vector.file("input.der");
        assert_eq!(question(&der, &vector.issuer()).as_der(), der, "{name}");
    }
}

#[test]
fn questions_that_cannot_be_put_are_errors() {
    let issuer = Issuer::new(certificate("ca"));
    let put = |digest, serials: &[&[u8]]| Question::new(issuer.clone(), digest, serials.iter().copied());
    assert_eq!(put(DigestAlgorithm::Sha1, &[]).unwrap_err(), QuestionError::NoCertificate);
    let md5 = DigestAlgorithm::Md5;
    assert_eq!(put(md5, &[&[1]]).unwrap_err(), QuestionError::Digest(md5));
    for length in [0, 129] {
        let question = put(DigestAlgorithm::Sha256, &[&[1]]).unwrap();
        assert_eq!(question.with_nonce(&vec![1; length]).unwrap_err(), QuestionError::NonceLength(length));
    }
}

/// What a client makes of a vector's response, at the moment it was made.
fn verify(vector: &Vector) -> Result<VerifiedResponse, VerifyError> {
    let request = vector.file("request.der");
    let response = vector.file("input.der");
    let octets = x509_ocsp::OcspResponse::from_der(&response).unwrap().response_bytes.unwrap().response;
    let basic = x509_ocsp::BasicOcspResponse::from_der(octets.as_bytes()).unwrap();
    let now = UnixTime(basic.tbs_response_data.produced_at.0.to_unix_duration().as_secs());
    // The three are asked under two digests, which our questions do not do.
    if vector.name == "response-three" {
        let parsed = Request::parse(&request).unwrap();
        let serials = parsed.cert_ids()[1..].iter().map(CertId::serial_octets);
        let issuer = Issuer::new(certificate("ca"));
        let question = Question::new(issuer, DigestAlgorithm::Sha256, serials).unwrap();
        return question.verify(&response, now, Duration::ZERO, &AwsLc);
    }
    question(&request, &vector.issuer()).verify(&response, now, Duration::ZERO, &AwsLc)
}

#[test]
fn responses_by_openssl_are_believed_when_they_should_be() {
    for vector in vectors("response-") {
        match (verify(&vector), vector.text("error")) {
            (Err(error), Some(expected)) => {
                assert!(format!("{error:?}").starts_with(&expected), "{}: {error:?}", vector.name);
            }
            (Ok(verified), None) => {
                let statuses: Vec<_> = verified.statuses().iter().map(|single| told(single.status)).collect();
                let expected = vector.list("statuses");
                assert_eq!(statuses, expected[expected.len() - statuses.len()..], "{}", vector.name);
                let nonce = vector.text("nonce").map_or(NonceCheck::NotAsked, |_| NonceCheck::Matched);
                assert_eq!(verified.nonce(), nonce, "{}", vector.name);
            }
            (result, expected) => panic!("{}: {result:?} instead of {expected:?}", vector.name),
        }
    }
}

fn told(status: CertStatus) -> String {
    match status {
        CertStatus::Good => "good".into(),
        CertStatus::Unknown => "unknown".into(),
        CertStatus::Revoked { at, reason: None } => format!("revoked at {at}"),
        CertStatus::Revoked { at, reason: Some(reason) } => format!("{reason} at {at}"),
    }
}

const SERIAL: &[u8] = &[0x30, 7, 7];

fn ask() -> Question {
    Question::new(Issuer::new(certificate("ca")), DigestAlgorithm::Sha256, [SERIAL]).unwrap()
}

fn good() -> SingleStatus {
    let next_update = Some(now().saturating_add(Duration::from_secs(600)));
    SingleStatus { status: CertStatus::Good, this_update: now(), next_update }
}

fn answer(question: &Question, statuses: &[SingleStatus]) -> Response {
    let request = Request::parse(question.as_der()).unwrap();
    signed(delegate("ca").respond(&request, statuses, now()).unwrap(), "delegate")
}

fn judge(question: &Question, response: &Response, now: UnixTime, tolerance: u64) -> Option<VerifyError> {
    question.verify(response.as_der(), now, Duration::from_secs(tolerance), &AwsLc).err()
}

#[test]
fn our_own_responses_are_believed() {
    let question = ask().with_nonce(&[7; 32]).unwrap();
    let response = answer(&question, &[good()]);
    let verified = question.verify(response.as_der(), now(), Duration::ZERO, &AwsLc).unwrap();
    assert_eq!(verified.statuses(), [good()]);
    assert_eq!(verified.nonce(), NonceCheck::Matched);
    assert_eq!(verified.produced_at(), now());
    assert_eq!(*verified.signer(), certificate("delegate"));
}

#[test]
fn a_status_is_believed_between_its_times() {
    let response = answer(&ask(), &[good()]);
    let (first, last) = (now(), now().saturating_add(Duration::from_secs(600)));
    let early = first.saturating_sub(Duration::from_secs(1));
    let late = last.saturating_add(Duration::from_secs(1));
    for (time, tolerance, expected) in [
        (first, 0, None),
        (last, 0, None),
        (early, 0, Some(VerifyError::NotYetValid { this_update: first })),
        (late, 0, Some(VerifyError::OutOfDate { next_update: last })),
        (early, 1, None),
        (late, 1, None),
    ] {
        assert_eq!(judge(&ask(), &response, time, tolerance), expected, "{time} give or take {tolerance}");
    }
    let endless = answer(&ask(), &[SingleStatus { next_update: None, ..good() }]);
    assert_eq!(judge(&ask(), &endless, now(), 0), Some(VerifyError::NoNextUpdate));
}

#[test]
fn a_delegate_is_believed_within_its_validity() {
    let last = certificate("delegate").validity().not_after();
    let request = ask();
    let parsed = Request::parse(request.as_der()).unwrap();
    let status = SingleStatus { this_update: last, next_update: Some(last), ..good() };
    let response = signed(delegate("ca").respond(&parsed, &[status], last).unwrap(), "delegate");
    assert_eq!(judge(&request, &response, last, 10), None);
    let late = last.saturating_add(Duration::from_secs(1));
    let error = judge(&request, &response, late, 10).unwrap();
    assert!(matches!(error, VerifyError::SignerNotEntitled(DelegateError::NotValid { .. })), "{error:?}");
}

#[test]
fn a_response_to_another_request_is_not_believed() {
    let issuer = Issuer::new(certificate("ca"));
    let response = answer(&ask(), &[good()]);
    for serial in [&[0x30, 7, 8][..], &[0x30, 7], &[0x30, 7, 7, 7], &[7, 7]] {
        let other = Question::new(issuer.clone(), DigestAlgorithm::Sha256, [serial]).unwrap();
        assert_eq!(judge(&other, &response, now(), 0), Some(VerifyError::StatusCount { found: 0 }));
    }
    let other = Question::new(issuer.clone(), DigestAlgorithm::Sha1, [SERIAL]).unwrap();
    assert_eq!(judge(&other, &response, now(), 0), Some(VerifyError::StatusCount { found: 0 }));
    let impostor = Issuer::new(certificate("impostor"));
    let other = Question::new(impostor, DigestAlgorithm::Sha256, [SERIAL]).unwrap();
    assert!(matches!(judge(&other, &response, now(), 0), Some(VerifyError::SignerNotEntitled(_))));
}

#[test]
fn two_statuses_of_one_certificate_are_not_believed() {
    let issuer = Issuer::new(certificate("ca"));
    let twice = Question::new(issuer, DigestAlgorithm::Sha256, [SERIAL, SERIAL]).unwrap();
    let revoked = CertStatus::Revoked { at: UnixTime(0), reason: None };
    let response = answer(&twice, &[good(), SingleStatus { status: revoked, ..good() }]);
    assert_eq!(judge(&ask(), &response, now(), 0), Some(VerifyError::StatusCount { found: 2 }));
}

#[test]
fn row_53_the_nonce_is_checked_when_both_sides_have_one() {
    let with = |octet| ask().with_nonce(&[octet; 32]).unwrap();
    let response = answer(&with(1), &[good()]);
    assert_eq!(judge(&with(1), &response, now(), 0), None);
    assert_eq!(judge(&with(2), &response, now(), 0), Some(VerifyError::WrongNonce));
    assert_eq!(judge(&ask(), &response, now(), 0), None, "a nonce nobody asked for is ignored");
    let without = answer(&ask(), &[good()]);
    let verified = with(1).verify(without.as_der(), now(), Duration::ZERO, &AwsLc).unwrap();
    assert_eq!(verified.nonce(), NonceCheck::Absent);
}

#[test]
fn errors_are_told() {
    for status in [
        ErrorStatus::MalformedRequest,
        ErrorStatus::InternalError,
        ErrorStatus::TryLater,
        ErrorStatus::SigRequired,
        ErrorStatus::Unauthorized,
    ] {
        let error = judge(&ask(), &Response::error(status), now(), 0);
        assert_eq!(error, Some(VerifyError::Refused(status)));
    }
    for code in [0, 4, 7, 0xFF] {
        let der = [0x30, 3, 0x0A, 1, code];
        let error = ask().verify(&der, now(), Duration::ZERO, &AwsLc).unwrap_err();
        assert!(matches!(error, VerifyError::Malformed(_)), "{code}");
    }
}

#[test]
fn a_key_that_is_not_the_delegates_is_not_believed() {
    let request = ask();
    let parsed = Request::parse(request.as_der()).unwrap();
    let response = signed(delegate("ca").respond(&parsed, &[good()], now()).unwrap(), "impostor");
    assert_eq!(judge(&request, &response, now(), 0), Some(VerifyError::BadSignature));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_altered_response_says_anything_else(at in any::<prop::sample::Index>(), flip in 1..=u8::MAX) {
        let response = answer(&ask(), &[good()]);
        let mut der = response.as_der().to_vec();
        let at = at.index(der.len());
        der[at] ^= flip;
        if let Ok(verified) = ask().verify(&der, now(), Duration::ZERO, &AwsLc) {
            prop_assert_eq!(verified.statuses(), [good()]);
        }
    }

    #[test]
    fn any_octets_give_an_answer(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = ask().verify(&octets, now(), Duration::ZERO, &AwsLc);
    }
}
