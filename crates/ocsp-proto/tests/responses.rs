//! Responses made here, read by others.
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

use std::{process::Command, time::Duration};

use der_07::{Decode as _, Encode as _};
use keys_software::AwsLc;
use ocsp_proto::{
    Delegate, ErrorStatus, Issuer, NonceReply, Request, RespondError, Response, ResponseOptions, SingleStatus,
};
use pki_core::{CertStatus, Clock as _, CrlReason, SystemClock, UnixTime};
use proptest::prelude::*;
use vectors::{
    certificate, delegate, delegate_key, delegate_name, hex, key, now, pki, signed, vector, vectors,
};

const MINUTES_10: Duration = Duration::from_secs(600);

fn single(status: CertStatus, now: UnixTime) -> SingleStatus {
    SingleStatus { status, this_update: now, next_update: Some(now.saturating_add(MINUTES_10)) }
}

fn respond(request: &[u8], statuses: &[SingleStatus], now: UnixTime) -> Response {
    respond_for("ca", request, statuses, now)
}

fn respond_for(ca: &str, request: &[u8], statuses: &[SingleStatus], now: UnixTime) -> Response {
    let request = Request::parse(request).unwrap();
    signed(delegate(ca).respond(&request, statuses, now).unwrap(), delegate_key(ca))
}

/// One status of each kind.
fn three(now: UnixTime) -> [SingleStatus; 3] {
    let at = UnixTime(1_700_000_000);
    [
        single(CertStatus::Good, now),
        single(CertStatus::Revoked { at, reason: Some(CrlReason::CertificateHold) }, now),
        single(CertStatus::Revoked { at, reason: None }, now),
    ]
}

// clause: RFC 6960 1, 2, 5, 6, 7, 8, 9
#[test]
fn openssl_believes_every_kind_of_response() {
    let folder = tempfile::tempdir().unwrap();
    let now = SystemClock.now();
    let good = [single(CertStatus::Good, now)];
    let unknown = [single(CertStatus::Unknown, now)];
    let not_issued = [SingleStatus::not_issued(now, Some(now.saturating_add(MINUTES_10)))];
    for (name, statuses, told) in [
        ("request-sha1", &good[..], &["good"][..]),
        ("request-sha1-nonce", &good, &["good"]),
        ("request-sha256", &unknown, &["unknown"]),
        ("request-sha256-nonce", &not_issued, &["revoked", "Jan  1 00:00:00 1970 GMT", "certificateHold"]),
        (
            "request-three",
            &three(now),
            &["good", "revoked", "certificateHold", "revoked", "Nov 14 22:13:20 2023 GMT"],
        ),
    ] {
        let request = vector(name).file("input.der");
        let paths = [folder.path().join("request.der"), folder.path().join("response.der")];
        std::fs::write(&paths[0], &request).unwrap();
        std::fs::write(&paths[1], respond(&request, statuses, now).as_der()).unwrap();
        let mut openssl = Command::new("openssl");
        openssl.args(["ocsp", "-CAfile"]).arg(pki("ca")).arg("-issuer").arg(pki("ca"));
        openssl.arg("-reqin").arg(&paths[0]).arg("-respin").arg(&paths[1]).arg("-resp_text");
        let output = openssl.output().expect("openssl is installed");
        let text = [output.stdout, output.stderr].concat();
        let text = String::from_utf8_lossy(&text);
        assert!(text.contains("Response verify OK"), "{name}: {text}");
        assert!(!text.contains("WARNING"), "{name}: {text}");
        let mut rest = &*text;
        for word in told {
            let at = rest.find(word).unwrap_or_else(|| panic!("{name}: no {word} in {text}"));
            rest = &rest[at + word.len()..];
        }
    }
}

// clause: RFC 6960 33, 34, 35, 36, 37, 38, 47, 48, 49, 50
// clause: RFC 9919 76, 77, 84, 87, 89
#[test]
fn x509_ocsp_reads_what_was_written_and_writes_the_same() {
    for vector in vectors("request-") {
        let der = vector.file("input.der");
        let Ok(request) = Request::parse(&der) else { continue };
        // Neither takes serial numbers that RFC 5280 forbids, nor does the delegate answer for unknown hashes.
        if request.cert_ids().iter().any(|id| id.serial_number().is_none() || id.digest().is_none()) {
            continue;
        }
        let statuses: Vec<_> = three(now()).into_iter().cycle().take(request.cert_ids().len()).collect();
        let ours = respond_for(&vector.issuer(), &der, &statuses, now());
        let response = x509_ocsp::OcspResponse::from_der(ours.as_der()).unwrap();
        assert_eq!(response.to_der().unwrap(), ours.as_der(), "{}", vector.name);
        let octets = response.response_bytes.unwrap().response;
        let basic = x509_ocsp::BasicOcspResponse::from_der(octets.as_bytes()).unwrap();
        assert_eq!(basic.to_der().unwrap(), octets.as_bytes(), "{}", vector.name);

        assert_eq!(
            basic.nonce().map(|nonce| nonce.0.as_bytes().to_vec()),
            request.nonce().map(<[u8]>::to_vec)
        );
        let certs = basic.certs.unwrap();
        assert_eq!(certs.len(), 1);
        assert_eq!(certs[0].to_der().unwrap(), certificate(delegate_name(&vector.issuer())).as_der());
        let data = basic.tbs_response_data;
        assert!(matches!(data.responder_id, x509_ocsp::ResponderId::ByKey(_)), "RFC 9919 section 3.2.2");
        assert_eq!(data.produced_at.0.to_unix_duration().as_secs(), now().0);
        for ((single, asked), status) in data.responses.iter().zip(request.cert_ids()).zip(&statuses) {
            assert_eq!(single.cert_id.to_der().unwrap(), asked.as_der(), "byte for byte");
            assert_eq!(single.this_update.0.to_unix_duration().as_secs(), now().0);
            let next_update = single.next_update.unwrap().0.to_unix_duration().as_secs();
            assert_eq!(next_update, now().0 + 600);
            assert_eq!(told(&single.cert_status), status.status);
        }
    }
}

fn told(status: &x509_ocsp::CertStatus) -> CertStatus {
    match status {
        x509_ocsp::CertStatus::Good(_) => CertStatus::Good,
        x509_ocsp::CertStatus::Unknown(_) => CertStatus::Unknown,
        x509_ocsp::CertStatus::Revoked(info) => CertStatus::Revoked {
            at: UnixTime(info.revocation_time.0.to_unix_duration().as_secs()),
            reason: info.revocation_reason.and_then(|reason| CrlReason::from_code(reason as u8)),
        },
    }
}

// clause: RFC 6960 33, 34, 38
#[test]
fn rasn_reads_what_was_written_and_writes_the_same() {
    for name in ["request-sha1", "request-sha1-nonce", "request-sha256", "request-sha256-nonce"] {
        let ours = respond(&vector(name).file("input.der"), &three(now())[..1], now());
        let response: rasn_ocsp::OcspResponse = rasn::der::decode(ours.as_der()).unwrap();
        assert_eq!(rasn::der::encode(&response).unwrap(), ours.as_der(), "{name}");
        let octets = response.bytes.unwrap().response;
        let basic: rasn_ocsp::BasicOcspResponse = rasn::der::decode(&octets).unwrap();
        assert_eq!(basic.tbs_response_data.responses[0].cert_status, rasn_ocsp::CertStatus::Good);
        assert_eq!(rasn::der::encode(&basic).unwrap(), &octets[..], "{name}");
    }
}

// clause: RFC 6960 37, 38
#[test]
fn the_ocsp_crate_writes_the_same_response_data() {
    use ocsp::{
        common::asn1::{CertId, GeneralizedTime},
        response::{
            CertStatus as Code, CertStatusCode, CrlReason, OneResp, ResponderId, ResponseData, RevokedInfo,
        },
    };
    let der = vector("request-sha1").file("input.der");
    let request = Request::parse(&der).unwrap();
    let now = UnixTime(4_102_488_001);
    let this = GeneralizedTime::new(2100, 1, 1, 12, 0, 1).unwrap();
    let next = GeneralizedTime::new(2100, 1, 1, 12, 10, 1).unwrap();
    let at = GeneralizedTime::new(2023, 11, 14, 22, 13, 20).unwrap();
    let revoked = |reason| Code::new(CertStatusCode::Revoked, Some(RevokedInfo::new(at, reason)));
    let hold = CrlReason::OcspRevokeCertHold;
    let theirs = [Code::new(CertStatusCode::Good, None), revoked(Some(hold)), revoked(None)];
    for (cert_status, single) in theirs.into_iter().zip(three(now)) {
        let one = OneResp {
            cid: CertId::parse(request.cert_ids()[0].as_der()).unwrap(),
            cert_status,
            this_update: this,
            next_update: Some(next),
            one_resp_ext: None,
        };
        let id = ResponderId::new_key_hash(&certificate("delegate").public_key().key_identifier());
        let data = ResponseData::new(id, this, vec![one], None).to_der().unwrap();
        assert_eq!(delegate("ca").respond(&request, &[single], now).unwrap().tbs(), data);
    }
}

// clause: RFC 6960 28, 52
// clause: RFC 9654 111, 112
#[test]
fn a_bare_nonce_comes_back_bare_and_is_not_critical() {
    let mut der = vector("request-sha256-nonce").file("input.der");
    // The OCTET STRING within extnValue becomes something that is none.
    let at = der.len() - 18;
    assert_eq!(der[at..at + 2], [4, 16]);
    der[at] = 0x77;
    let value = der[at..].to_vec();
    let ours = respond(&der, &three(now())[..1], now());
    let octets = x509_ocsp::OcspResponse::from_der(ours.as_der()).unwrap().response_bytes.unwrap().response;
    let basic = x509_ocsp::BasicOcspResponse::from_der(octets.as_bytes()).unwrap();
    let extension = &basic.tbs_response_data.response_extensions.unwrap()[0];
    assert_eq!((extension.extn_value.as_bytes(), extension.critical), (&value[..], false));
}

// clause: RFC 6960 55
#[test]
fn the_archive_cutoff_is_told_of_each_certificate_on_record() {
    let year = Duration::from_secs(365 * 86_400);
    let der = vector("request-three").file("input.der");
    let request = Request::parse(&der).unwrap();
    let mut statuses = three(now());
    statuses[2] = SingleStatus::not_issued(now(), Some(now()));
    let options = ResponseOptions::default().with_archive_cutoff(7 * year);
    let unsigned = delegate("ca").respond_with(&request, &statuses, now(), options).unwrap();
    let data = x509_ocsp::ResponseData::from_der(unsigned.tbs()).unwrap();
    assert_eq!(data.to_der().unwrap(), unsigned.tbs());
    let cutoff = now().saturating_sub(7 * year);
    for (at, single) in data.responses.iter().enumerate() {
        let Some(extensions) = &single.single_extensions else {
            assert_eq!(at, 2, "never issued: there is nothing to keep");
            continue;
        };
        assert_eq!(extensions[0].extn_id.to_string(), "1.3.6.1.5.5.7.48.1.6");
        let value = extensions[0].extn_value.as_bytes();
        assert_eq!(value, [&[0x18, 15][..], &cutoff.to_generalized()].concat());
        assert!(!extensions[0].critical && extensions.len() == 1 && at < 2);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("response.der");
    std::fs::write(&path, signed(unsigned, "delegate").as_der()).unwrap();
    let openssl =
        Command::new("openssl").args(["ocsp", "-noverify", "-resp_text", "-respin"]).arg(&path).output();
    let text = String::from_utf8(openssl.unwrap().stdout).unwrap();
    assert_eq!(text.matches("OCSP Archive Cutoff").count(), 2, "{text}");
}

// clause: RFC 9919 81, 79
// clause: RFC 9654 110
#[test]
fn a_nonce_may_be_left_out_and_the_response_is_for_everyone() {
    let der = vector("request-sha256-nonce").file("input.der");
    let request = Request::parse(&der).unwrap();
    let options = ResponseOptions::default().with_nonce(NonceReply::LeftOut);
    let unsigned = delegate("ca").respond_with(&request, &three(now())[..1], now(), options).unwrap();
    let data = x509_ocsp::ResponseData::from_der(unsigned.tbs()).unwrap();
    assert_eq!(data.response_extensions, None);
    assert!(signed(unsigned, "delegate").is_cacheable());
}

// clause: RFC 6960 7, 8, 9, 10, 61
#[test]
fn row_47_not_issued_carries_the_extended_revoke_extension() {
    let count = |statuses: &[SingleStatus]| {
        let ours = respond(&vector("request-sha1").file("input.der"), statuses, now());
        let octets =
            x509_ocsp::OcspResponse::from_der(ours.as_der()).unwrap().response_bytes.unwrap().response;
        let data = x509_ocsp::BasicOcspResponse::from_der(octets.as_bytes()).unwrap().tbs_response_data;
        assert_eq!(data.responses[0].single_extensions, None);
        let extensions = data.response_extensions.unwrap_or_default();
        for extension in &extensions {
            assert_eq!(extension.extn_id.to_string(), "1.3.6.1.5.5.7.48.1.9");
            assert_eq!((extension.extn_value.as_bytes(), extension.critical), (&[5, 0][..], false));
        }
        extensions.len()
    };
    assert_eq!(count(&[SingleStatus::not_issued(now(), Some(now()))]), 1);
    assert_eq!(count(&three(now())[1..2]), 0);
}

// clause: RFC 6960 13, 31, 32
#[test]
fn errors_are_what_others_take_them_for() {
    use x509_ocsp::OcspResponseStatus as Theirs;
    for (status, theirs) in [
        (ErrorStatus::MalformedRequest, Theirs::MalformedRequest),
        (ErrorStatus::InternalError, Theirs::InternalError),
        (ErrorStatus::TryLater, Theirs::TryLater),
        (ErrorStatus::SigRequired, Theirs::SigRequired),
        (ErrorStatus::Unauthorized, Theirs::Unauthorized),
    ] {
        let response = Response::error(status);
        let read = x509_ocsp::OcspResponse::from_der(response.as_der()).unwrap();
        assert_eq!((read.response_status, read.response_bytes), (theirs, None));
        assert!(!response.is_cacheable() && response.next_update().is_none());
    }
}

// clause: RFC 6960 42, 49, 50
#[test]
fn a_status_for_each_cert_id_and_none_for_other_cas() {
    let der = vector("request-three").file("input.der");
    let request = Request::parse(&der).unwrap();
    let respond =
        |delegate: &Delegate, count| delegate.respond(&request, &three(now())[..count], now()).err();
    assert_eq!(respond(&delegate("ca"), 2), Some(RespondError::StatusCount { asked: 3, given: 2 }));
    assert_eq!(respond(&delegate("rsa-ca"), 3), Some(RespondError::OtherIssuer));
    assert_eq!(respond(&delegate("ca"), 3), None);
}

// clause: RFC 6960 14
// clause: RFC 9919 89
#[test]
fn row_52_next_update_ends_with_the_delegate() {
    let not_after = certificate("delegate").validity().not_after();
    let soon = not_after.saturating_sub(Duration::from_secs(300));
    let der = vector("request-sha1").file("input.der");
    let ours = respond(&der, &[single(CertStatus::Good, soon)], soon);
    assert_eq!(ours.next_update(), Some(not_after));

    let late = not_after.saturating_add(Duration::from_secs(1));
    let request = Request::parse(&der).unwrap();
    let error = delegate("ca").respond(&request, &[single(CertStatus::Good, late)], late).unwrap_err();
    assert!(matches!(error, RespondError::DelegateNotValid { .. }));
}

// clause: RFC 6960 14
#[test]
fn row_55_nothing_is_made_that_is_out_of_date() {
    let der = vector("request-sha1").file("input.der");
    let request = Request::parse(&der).unwrap();
    let next_update = now().saturating_sub(Duration::from_secs(1));
    let status = SingleStatus { next_update: Some(next_update), ..single(CertStatus::Good, now()) };
    let error = delegate("ca").respond(&request, &[status], now()).unwrap_err();
    assert_eq!(error, RespondError::OutOfDate { next_update, produced_at: now() });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    // clause: RFC 6960 14, 39
    // clause: RFC 9919 90
    #[test]
    fn row_56_times_are_put_in_order_and_have_no_fraction(
        this in 0..4_000_000_000_u64,
        next in prop::option::of(0..200_000_000_000_u64),
        at in 0..9_000_000_000_u64,
        reason in prop::option::of(prop::sample::select(&CrlReason::ALL[..])),
    ) {
        let der = vector("request-sha256").file("input.der");
        let request = Request::parse(&der).unwrap();
        let single = SingleStatus {
            status: CertStatus::Revoked { at: UnixTime(at), reason },
            this_update: UnixTime(this),
            next_update: next.map(|next| now().saturating_add(Duration::from_secs(next))),
        };
        let unsigned = delegate("ca").respond(&request, &[single], now()).unwrap();
        let data = x509_ocsp::ResponseData::from_der(unsigned.tbs()).unwrap();
        prop_assert_eq!(data.to_der().unwrap(), unsigned.tbs());
        let read = &data.responses[0];
        let CertStatus::Revoked { at: revoked_at, reason: read_reason } = told(&read.cert_status) else { panic!() };
        let this_update = UnixTime(read.this_update.0.to_unix_duration().as_secs());
        prop_assert_eq!(read_reason, reason);
        prop_assert_eq!(this_update, UnixTime(this).min(now()));
        prop_assert_eq!(revoked_at, UnixTime(at).min(this_update));
        let not_after = certificate("delegate").validity().not_after();
        let read_next = read.next_update.map(|time| UnixTime(time.0.to_unix_duration().as_secs()));
        prop_assert_eq!(read_next, single.next_update.map(|time| time.min(not_after)));
        let times = unsigned.tbs().windows(17).filter(|window| window[..2] == [0x18, 15]);
        for time in times {
            prop_assert!(time[2..16].iter().all(u8::is_ascii_digit) && time[16] == b'Z', "{}", hex(time));
        }
    }
}

// clause: RFC 6960 51
#[test]
fn an_rsa_delegate_answers_as_well() {
    let issuer = Issuer::new(certificate("rsa-ca"));
    let question =
        ocsp_proto::Question::new(issuer, pki_core::DigestAlgorithm::Sha256, [&[0x30, 5][..]]).unwrap();
    let request = Request::parse(question.as_der()).unwrap();
    let unsigned = delegate("rsa-ca").respond(&request, &three(now())[..1], now()).unwrap();
    assert_eq!(unsigned.delegate().algorithm(), pki_core::SigningKey::algorithm(&key("rsa-delegate")));
    let response = signed(unsigned, "rsa-delegate");
    let verified = question.verify(response.as_der(), now(), Duration::ZERO, &AwsLc).unwrap();
    assert_eq!(verified.statuses()[0].status, CertStatus::Good);
}
