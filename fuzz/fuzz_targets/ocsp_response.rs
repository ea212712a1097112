//! What a client reads.
#![no_main]

use std::{sync::LazyLock, time::Duration};

use certbound_fuzz::Anything;
use libfuzzer_sys::fuzz_target;
use ocsp_proto::{Issuer, Question};
use pki_core::{Certificate, DigestAlgorithm, UnixTime};

static QUESTION: LazyLock<(Question, UnixTime)> = LazyLock::new(|| {
    let certificate = |pem| Certificate::from_pem(pem).expect("a certificate among the vectors");
    let issuer = Issuer::new(certificate(include_str!("../../vectors/ocsp/pki/ca.pem")));
    let device = certificate(include_str!("../../vectors/ocsp/pki/device.pem"));
    let question = Question::new(issuer, DigestAlgorithm::Sha256, [device.serial_octets()]);
    (question.expect("a question"), device.validity().not_before())
});

fuzz_target!(|response: &[u8]| {
    let (question, now) = &*QUESTION;
    if let Ok(verified) = question.verify(response, *now, Duration::from_secs(86_400), &Anything) {
        assert_eq!(verified.statuses().len(), 1, "one status for one question");
    }
});
