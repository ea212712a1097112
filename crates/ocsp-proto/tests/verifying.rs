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
    CertId, DelegateError, Entitlement, ErrorStatus, Issuer, NonceCheck, NonceDemand, Question,
    QuestionError, Request, Response, SingleStatus, VerifiedResponse, VerifyError,
};
use pki_core::{CertStatus, DigestAlgorithm, UnixTime};
use proptest::prelude::*;
use vectors::{Vector, certificate, delegate, good, now, signed, vector, vectors};

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

// clause: RFC 6960 25, 26
// clause: RFC 9919 70, 71, 72, 73, 74, 75
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

// clause: RFC 9654 107
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

// clause: RFC 6960 3, 19, 20, 21, 22, 24, 42, 44, 45, 46, 48, 62
// clause: RFC 9919 83, 84, 86, 95
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
                let by_issuer = vector.name == "response-by-issuer";
                let usual = if by_issuer { "Issuer" } else { "Delegate" };
                let entitlement = vector.text("entitlement").unwrap_or_else(|| usual.into());
                assert_eq!(format!("{:?}", verified.entitlement()), entitlement, "{}", vector.name);
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

fn answer(question: &Question, statuses: &[SingleStatus]) -> Response {
    let request = Request::parse(question.as_der()).unwrap();
    signed(delegate("ca").respond(&request, statuses, now()).unwrap(), "delegate")
}

fn judge(question: &Question, response: &Response, now: UnixTime, tolerance: u64) -> Option<VerifyError> {
    question.verify(response.as_der(), now, Duration::from_secs(tolerance), &AwsLc).err()
}

// clause: RFC 6960 19, 20, 21, 22, 23, 24
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

// clause: RFC 6960 23, 24, 40, 41
// clause: RFC 9919 95, 106
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

// clause: RFC 6960 22
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

// clause: RFC 6960 19
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

// clause: RFC 6960 19
#[test]
fn two_statuses_of_one_certificate_are_not_believed() {
    let issuer = Issuer::new(certificate("ca"));
    let twice = Question::new(issuer, DigestAlgorithm::Sha256, [SERIAL, SERIAL]).unwrap();
    let revoked = CertStatus::Revoked { at: UnixTime(0), reason: None };
    let response = answer(&twice, &[good(), SingleStatus { status: revoked, ..good() }]);
    assert_eq!(judge(&ask(), &response, now(), 0), Some(VerifyError::StatusCount { found: 2 }));
}

// clause: RFC 6960 52
// clause: RFC 9919 82, 94
// clause: RFC 9654 111
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

// clause: RFC 6960 31, 32
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

// clause: RFC 6960 20
#[test]
fn a_key_that_is_not_the_delegates_is_not_believed() {
    let request = ask();
    let parsed = Request::parse(request.as_der()).unwrap();
    let response = signed(delegate("ca").respond(&parsed, &[good()], now()).unwrap(), "impostor");
    assert_eq!(judge(&request, &response, now(), 0), Some(VerifyError::BadSignature));
}

// clause: RFC 6960 20, 22
#[test]
fn a_response_that_nobody_signed_is_not_believed() {
    let request = ask();
    let parsed = Request::parse(request.as_der()).unwrap();
    for signature in [&[][..], &[0], &[0x30, 0], &[0x30, 6, 2, 1, 0, 2, 1, 0], &[0; 64]] {
        let unsigned = delegate("ca").respond(&parsed, &[good()], now()).unwrap();
        let error = judge(&request, &unsigned.finish(signature), now(), 0);
        assert_eq!(error, Some(VerifyError::BadSignature), "{signature:02x?}");
    }
    for body in [&[][..], &[0x30], &[0x30, 0], &[0x30, 3, 0x0A, 1, 0], &[0x30, 5, 0x0A, 1, 0, 0xA0, 0]] {
        let error = request.verify(body, now(), Duration::ZERO, &AwsLc).unwrap_err();
        assert!(matches!(error, VerifyError::Malformed(_)), "{body:02x?}: {error:?}");
    }
}

// clause: RFC 6960 23, 40
#[test]
fn a_status_that_is_old_is_not_believed_by_whoever_wants_a_new_one() {
    let hour = Duration::from_secs(3600);
    let single = SingleStatus { this_update: now().saturating_sub(hour), ..good() };
    let response = answer(&ask(), &[single]);
    assert_eq!(judge(&ask(), &response, now(), 0), None);
    let strict = |seconds| ask().with_max_age(Duration::from_secs(seconds));
    assert_eq!(judge(&strict(3600), &response, now(), 0), None);
    let too_old = Some(VerifyError::TooOld { this_update: single.this_update });
    assert_eq!(judge(&strict(3599), &response, now(), 0), too_old);
    assert_eq!(judge(&strict(3599), &response, now(), 1), None, "clocks differ");
}

// clause: RFC 6960 45
// clause: RFC 9919 84
#[test]
fn a_responder_that_the_client_was_told_of_is_believed() {
    // The CA of another name and key never delegated to this one.
    let impostor = || {
        let issuer = Issuer::new(certificate("impostor"));
        Question::new(issuer, DigestAlgorithm::Sha256, [SERIAL]).unwrap()
    };
    let parsed = Request::parse(impostor().as_der()).unwrap().cert_ids()[0].as_der().to_vec();
    let other = certificate("delegate-of-impostor");
    let delegate = ocsp_proto::Delegate::new(
        other.clone(),
        Issuer::new(certificate("impostor")),
        pki_core::SignatureAlgorithm::EcdsaSha256,
        now(),
        &AwsLc,
    );
    let question = impostor();
    let request = Request::parse(question.as_der()).unwrap();
    assert_eq!(request.cert_ids()[0].as_der(), parsed);
    let response = signed(delegate.unwrap().respond(&request, &[good()], now()).unwrap(), "delegate");
    let told = |trusted: &str| impostor().trusting(certificate(trusted));
    let verified = told("delegate-of-impostor").verify(response.as_der(), now(), Duration::ZERO, &AwsLc);
    assert_eq!(verified.unwrap().entitlement(), Entitlement::Trusted);
    // The same key under another certificate is the same responder.
    let verified = told("delegate").verify(response.as_der(), now(), Duration::ZERO, &AwsLc).unwrap();
    assert_eq!(*verified.signer(), certificate("delegate"));
    let late = certificate("delegate").validity().not_after().saturating_add(Duration::from_secs(1));
    let error = told("delegate").verify(response.as_der(), late, Duration::ZERO, &AwsLc).unwrap_err();
    assert!(matches!(error, VerifyError::SignerNotEntitled(DelegateError::NotValid { .. })), "{error:?}");
    // Trust in someone else changes nothing.
    let verified = told("rsa-delegate").verify(response.as_der(), now(), Duration::ZERO, &AwsLc).unwrap();
    assert_eq!(verified.entitlement(), Entitlement::Delegate);
}

// clause: RFC 9919 82, 94
#[test]
fn a_client_may_insist_on_its_nonce() {
    let asked = ask().with_nonce(&[7; 32]).unwrap().with_nonce_demand(NonceDemand::Required);
    assert_eq!(judge(&asked, &answer(&ask(), &[good()]), now(), 0), Some(VerifyError::NoNonce));
    assert_eq!(judge(&asked, &answer(&asked, &[good()]), now(), 0), None);
}

// clause: RFC 6960 54
#[test]
fn a_question_may_name_the_response_type() {
    let named = ask().naming_response_type();
    let theirs = x509_ocsp::OcspRequest::from_der(named.as_der()).unwrap();
    let extension = &theirs.tbs_request.request_extensions.unwrap()[0];
    assert_eq!(extension.extn_id.to_string(), "1.3.6.1.5.5.7.48.1.4");
    assert_eq!(extension.extn_value.as_bytes(), [0x30, 11, 6, 9, 0x2B, 6, 1, 5, 5, 7, 48, 1, 1]);
    assert_eq!(judge(&named, &answer(&named, &[good()]), now(), 0), None);
}

// clause: RFC 6960 19
#[test]
fn statuses_of_others_beside_the_one_asked_about_are_not_looked_at() {
    let issuer = Issuer::new(certificate("ca"));
    let both = Question::new(issuer, DigestAlgorithm::Sha256, [&[0x30, 1][..], SERIAL]).unwrap();
    let revoked = CertStatus::Revoked { at: UnixTime(0), reason: None };
    let response = answer(&both, &[good(), SingleStatus { status: revoked, ..good() }]);
    let verified = ask().verify(response.as_der(), now(), Duration::ZERO, &AwsLc).unwrap();
    assert_eq!(verified.statuses()[0].status, revoked);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    // clause: RFC 6960 20
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
