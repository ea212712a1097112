//! Responses with extensions that nobody knows.
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

use der_07::{Decode as _, Encode as _, asn1::BitString, asn1::OctetString};
use keys_software::AwsLc;
use ocsp_proto::{Issuer, Question, Request, VerifyError};
use pki_core::{DigestAlgorithm, SigningKey as _};
use vectors::{certificate, delegate, good, key, now, ready, signed};
use x509_ocsp::{BasicOcspResponse, OcspResponse};

/// 1.3.6.1.4.1.511 with the value `x`.
const UNKNOWN: [u8; 14] = [0x30, 12, 6, 7, 0x2B, 6, 1, 4, 1, 0x83, 0x7F, 4, 1, b'x'];
const UNKNOWN_AND_CRITICAL: [u8; 17] = [0x30, 15, 6, 7, 0x2B, 6, 1, 4, 1, 0x83, 0x7F, 1, 1, 0xFF, 4, 1, b'x'];

/// Where an extension may stand in a response.
#[derive(Debug, Clone, Copy)]
enum Place {
    Response,
    Single,
}

fn ask() -> Question {
    Question::new(Issuer::new(certificate("ca")), DigestAlgorithm::Sha256, [&[0x30, 7][..]]).unwrap()
}

/// A sound response with one more extension, which another library has put there, signed anew.
fn extended(place: Place, extension: &[u8]) -> Vec<u8> {
    let question = ask();
    let request = Request::parse(question.as_der()).unwrap();
    let sound = signed(delegate("ca").respond(&request, &[good()], now()).unwrap(), "delegate");
    let mut response = OcspResponse::from_der(sound.as_der()).unwrap();
    let bytes = response.response_bytes.as_mut().unwrap();
    let mut basic = BasicOcspResponse::from_der(bytes.response.as_bytes()).unwrap();
    let extensions = Some(vec![der_07::Decode::from_der(extension).unwrap()]);
    match place {
        Place::Response => basic.tbs_response_data.response_extensions = extensions,
        Place::Single => basic.tbs_response_data.responses[0].single_extensions = extensions,
    }
    let tbs = basic.tbs_response_data.to_der().unwrap();
    basic.signature = BitString::from_bytes(&ready(key("delegate").sign(&tbs)).unwrap()).unwrap();
    bytes.response = OctetString::new(basic.to_der().unwrap()).unwrap();
    response.to_der().unwrap()
}

// clause: RFC 9919 80
#[test]
fn unknown_extensions_of_a_response_are_ignored_unless_they_are_critical() {
    for place in [Place::Response, Place::Single] {
        let verify = |extension| ask().verify(&extended(place, extension), now(), Duration::ZERO, &AwsLc);
        let verified = verify(&UNKNOWN[..]).unwrap();
        assert_eq!(verified.statuses(), [good()], "{place:?}");
        let refused = verify(&UNKNOWN_AND_CRITICAL[..]).unwrap_err();
        assert!(matches!(refused, VerifyError::UnknownCriticalExtension(_)), "{place:?}: {refused:?}");
    }
}
