//! What is answered, and when it is answered from what was kept.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests"
)]

mod support;

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use keys_software::AwsLc;
use ocsp_proto::{ErrorStatus, Issuer, NonceCheck, Question, Response, VerifyError};
use ocsp_service::{AnswerPolicy, NotIssuedAnswer, OcspParts, OcspService};
use pki_core::{CertRef, CertStatus, CrlReason, DigestAlgorithm, SerialNumber, UnixTime};
use revocation::Standing;
use support::{Bench, SERIAL, Told, certificate, keeper, question, question_by, request, start};

const AT: UnixTime = UnixTime(1_700_000_000);
const HOLD: Standing = Standing::Hold { since: AT };
const REVOKED: Standing = Standing::Revoked { since: AT, reason: CrlReason::KeyCompromise };

fn on_hold() -> CertStatus {
    CertStatus::Revoked { at: AT, reason: Some(CrlReason::CertificateHold) }
}

async fn error(bench: &Bench, der: &[u8]) -> ErrorStatus {
    let answer = bench.service.answer(der).await;
    [
        ErrorStatus::MalformedRequest,
        ErrorStatus::InternalError,
        ErrorStatus::TryLater,
        ErrorStatus::SigRequired,
        ErrorStatus::Unauthorized,
    ]
    .into_iter()
    .find(|status| Response::error(*status).as_der() == *answer.as_der())
    .expect("an error")
}

// clause: RFC 6960 5, 14
#[tokio::test]
async fn each_standing_is_told_as_what_it_is() {
    let bench = Bench::new().await;
    for (standing, status, lifetime) in [
        (Standing::Good, CertStatus::Good, 600),
        (HOLD, on_hold(), 300),
        (REVOKED, CertStatus::Revoked { at: AT, reason: Some(CrlReason::KeyCompromise) }, 604_800),
        (
            Standing::Revoked { since: AT, reason: CrlReason::Unspecified },
            CertStatus::Revoked { at: AT, reason: None },
            604_800,
        ),
        (Standing::NotMine, CertStatus::Unknown, 60),
    ] {
        bench.table.write(Told::Standing(standing));
        let single = bench.status(&question(SERIAL)).await.unwrap();
        assert_eq!((single.status, single.this_update), (status, start()));
        assert_eq!(single.next_update, Some(start().saturating_add(Duration::from_secs(lifetime))));
    }
}

// clause: RFC 6960 14
#[tokio::test]
async fn a_revocation_is_never_later_than_the_status_that_tells_it() {
    let bench = Bench::new().await;
    let since = bench.clock_now().saturating_add(Duration::from_secs(99));
    bench.table.write(Told::Since(Standing::Hold { since }, Duration::from_secs(7)));
    let single = bench.status(&question(SERIAL)).await.unwrap();
    let known_at = start().saturating_sub(Duration::from_secs(7));
    assert_eq!(single.this_update, known_at);
    assert_eq!(single.status, CertStatus::Revoked { at: known_at, reason: Some(CrlReason::CertificateHold) });
}

// clause: RFC 6960 4, 12, 26
// clause: RFC 9919 88
#[tokio::test]
async fn row_46_another_cas_certificate_is_unauthorized_and_not_looked_up() {
    let bench = Bench::new().await;
    for ca in ["impostor", "rsa-ca"] {
        let issuer = Issuer::new(certificate(ca));
        let other = Question::new(issuer, DigestAlgorithm::Sha1, [SERIAL]).unwrap();
        assert_eq!(error(&bench, other.as_der()).await, ErrorStatus::Unauthorized, "{ca}");
    }
    assert_eq!(error(&bench, &request("unknown-digest")).await, ErrorStatus::Unauthorized);
    assert_eq!((bench.table.lookups(), bench.signatures()), (0, 0));
}

// clause: RFC 6960 6, 8, 9, 11
#[tokio::test]
async fn row_47_a_certificate_nobody_issued_is_answered_as_configured_and_never_good() {
    let mut bench = Bench::new().await;
    bench.table.write(Told::Standing(Standing::NotMine));
    for answer in [NotIssuedAnswer::Unknown, NotIssuedAnswer::Unauthorized, NotIssuedAnswer::ExtendedRevoke] {
        let mut policy = AnswerPolicy::default();
        policy.not_issued_answer = answer;
        bench.service = bench.service.with_policy(policy);
        for serial in [&[1][..], &[0x7F; 20], SERIAL] {
            let told = bench.status(&question(serial)).await.map(|single| single.status);
            let hold = CertStatus::Revoked { at: UnixTime(0), reason: Some(CrlReason::CertificateHold) };
            match answer {
                NotIssuedAnswer::Unknown => assert_eq!(told, Ok(CertStatus::Unknown)),
                NotIssuedAnswer::Unauthorized => {
                    assert_eq!(told, Err(VerifyError::Refused(ErrorStatus::Unauthorized)));
                }
                _ => assert_eq!(told, Ok(hold)),
            }
        }
    }
}

#[tokio::test]
async fn serial_numbers_that_no_certificate_has_are_not_looked_up() {
    let bench = Bench::new().await;
    for serial in [&[0x30; 21][..], &[0xFB], &[0], &[0x30; 900]] {
        let single = bench.status(&question(serial)).await.unwrap();
        assert_eq!(single.status, CertStatus::Unknown);
    }
    assert_eq!(bench.table.lookups(), 0);
}

// clause: RFC 6960 12
#[tokio::test]
async fn row_49_a_source_that_cannot_tell_is_try_later() {
    let bench = Bench::new().await;
    bench.table.write(Told::Nothing);
    assert_eq!(error(&bench, question(SERIAL).as_der()).await, ErrorStatus::TryLater);
    // One of three is enough, and nothing is said of the others.
    bench.table.write(Told::Standing(Standing::Good));
    let lost = SerialNumber::from_be_bytes(&[0x32, 0, 0x11]).unwrap();
    let issuer = Issuer::new(certificate("ca"));
    let certificate = CertRef { issuer: issuer.id(), serial: lost };
    bench.table.told.lock().unwrap().insert(certificate, Told::Nothing);
    let serials = [SERIAL, &[0x32, 0, 0x11]];
    let both = Question::new(issuer, DigestAlgorithm::Sha256, serials).unwrap();
    assert_eq!(error(&bench, both.as_der()).await, ErrorStatus::TryLater);
    assert!(bench.status(&question(SERIAL)).await.is_ok());
}

#[tokio::test]
async fn row_49_what_was_kept_does_not_stand_in_for_a_source_that_cannot_tell() {
    let bench = Bench::new().await;
    bench.status(&question(SERIAL)).await.unwrap();
    bench.table.write(Told::Nothing);
    assert_eq!(error(&bench, question(SERIAL).as_der()).await, ErrorStatus::TryLater);
}

// clause: RFC 6960 49
#[tokio::test]
async fn several_certificates_are_answered_in_order() {
    let bench = Bench::new().await;
    let issuer = Issuer::new(certificate("ca"));
    let serials = [&[0x30, 1][..], &[0x30, 2], &[0x30, 3]];
    for (serial, standing) in serials.into_iter().zip([Standing::Good, HOLD, REVOKED]) {
        let serial = SerialNumber::from_be_bytes(serial).unwrap();
        let certificate = CertRef { issuer: issuer.id(), serial };
        bench.table.told.lock().unwrap().insert(certificate, Told::Standing(standing));
    }
    let three = Question::new(issuer, DigestAlgorithm::Sha384, serials).unwrap();
    let told = bench.ask(&three).await.unwrap();
    let statuses: Vec<_> = told.statuses().iter().map(|single| single.status).collect();
    let revoked = CertStatus::Revoked { at: AT, reason: Some(CrlReason::KeyCompromise) };
    assert_eq!(statuses, [CertStatus::Good, on_hold(), revoked]);
}

// clause: RFC 6960 52
// clause: RFC 9654 110, 111
#[tokio::test]
async fn row_53_the_nonce_comes_back_and_nothing_kept_is_given_for_one() {
    let bench = Bench::new().await;
    for length in [1, 15, 16, 32, 33, 128] {
        let asked = question(SERIAL).with_nonce(&vec![7; length]).unwrap();
        for _ in 0..2 {
            assert_eq!(bench.ask(&asked).await.unwrap().nonce(), NonceCheck::Matched, "{length}");
        }
    }
    assert_eq!((bench.table.lookups(), bench.signatures()), (12, 12));
    bench.status(&question(SERIAL)).await.unwrap();
    bench.ask(&question(SERIAL).with_nonce(&[8; 32]).unwrap()).await.unwrap();
    assert_eq!(bench.signatures(), 14);
}

#[tokio::test]
async fn row_54_a_change_shows_at_once_when_the_source_tells_of_it() {
    let bench = Bench::new().await;
    let asked = question(SERIAL);
    for standing in [Standing::Good, HOLD, Standing::Good, REVOKED] {
        bench.table.write(Told::Standing(standing));
        let good = bench.status(&asked).await.unwrap().status == CertStatus::Good;
        assert_eq!(good, standing == Standing::Good);
    }
}

#[tokio::test]
async fn row_54_a_change_shows_in_time_when_the_source_does_not_tell_of_it() {
    let bench = Bench::new().await;
    *bench.table.epoch.lock().unwrap() = None;
    let asked = question(SERIAL);
    bench.table.write(Told::For(Standing::Good, Duration::from_secs(10)));
    assert_eq!(bench.status(&asked).await.unwrap().status, CertStatus::Good);
    bench.table.write(Told::For(HOLD, Duration::from_secs(10)));
    bench.advance(4);
    assert_eq!(bench.status(&asked).await.unwrap().status, CertStatus::Good, "may be relied on still");
    bench.advance(7);
    assert_eq!(bench.status(&asked).await.unwrap().status, on_hold());
}

#[tokio::test]
async fn a_source_that_tells_neither_change_nor_time_is_asked_each_time() {
    let bench = Bench::new().await;
    *bench.table.epoch.lock().unwrap() = None;
    for asked in 1..=3 {
        bench.status(&question(SERIAL)).await.unwrap();
        assert_eq!(bench.table.lookups(), asked);
    }
    // The answer is signed once: the certificate stands as it did.
    assert_eq!(bench.signatures(), 1);
}

// clause: RFC 6960 15
#[tokio::test]
async fn what_was_kept_is_given_without_asking_while_nothing_changes() {
    let bench = Bench::new().await;
    let first = bench.service.answer(question(SERIAL).as_der()).await;
    for _ in 0..10 {
        bench.advance(20);
        let again = bench.service.answer(question(SERIAL).as_der()).await;
        assert_eq!(again.as_der(), first.as_der());
    }
    assert_eq!((bench.table.lookups(), bench.signatures()), (1, 1));
}

#[tokio::test]
async fn a_change_elsewhere_costs_a_lookup_and_no_signature() {
    let bench = Bench::new().await;
    bench.status(&question(SERIAL)).await.unwrap();
    for changes in 2..5 {
        bench.table.write(Told::Standing(Standing::Good));
        for _ in 0..3 {
            bench.status(&question(SERIAL)).await.unwrap();
        }
        assert_eq!((bench.table.lookups(), bench.signatures()), (changes, 1));
    }
}

#[tokio::test]
async fn what_was_kept_is_not_given_for_longer_than_the_source_allows_now() {
    let bench = Bench::new().await;
    bench.status(&question(SERIAL)).await.unwrap();
    bench.table.write(Told::For(Standing::Good, Duration::from_secs(10)));
    let single = bench.status(&question(SERIAL)).await.unwrap();
    assert_eq!(single.next_update, Some(start().saturating_add(Duration::from_secs(10))));
}

// clause: RFC 6960 15
// clause: RFC 9919 100
#[tokio::test]
async fn an_answer_is_renewed_half_way_to_next_update() {
    let bench = Bench::new().await;
    bench.status(&question(SERIAL)).await.unwrap();
    // Up to a tenth earlier, so that not all are renewed at once.
    bench.advance(269);
    bench.status(&question(SERIAL)).await.unwrap();
    assert_eq!(bench.signatures(), 1);
    bench.advance(31);
    let renewed = bench.status(&question(SERIAL)).await.unwrap();
    assert_eq!(bench.signatures(), 2);
    assert_eq!(renewed.next_update, Some(bench.clock_now().saturating_add(Duration::from_secs(600))));
}

// clause: RFC 6960 14
#[tokio::test]
async fn row_55_nothing_is_given_past_its_next_update() {
    let bench = Bench::new().await;
    bench.status(&question(SERIAL)).await.unwrap();
    bench.advance(86_400);
    assert!(bench.status(&question(SERIAL)).await.is_ok(), "fresh by the clock of the client");
    assert_eq!(bench.signatures(), 2);
}

#[tokio::test]
async fn row_55_an_answer_that_took_too_long_is_try_later() {
    let bench = Bench::new().await;
    let asked = question(SERIAL);
    bench.key.delay.store(601, Ordering::SeqCst);
    assert_eq!(error(&bench, asked.as_der()).await, ErrorStatus::TryLater, "signing took ten minutes");
    bench.key.delay.store(0, Ordering::SeqCst);
    bench.table.write(Told::For(Standing::Good, Duration::from_secs(10)));
    bench.table.delay.store(11, Ordering::SeqCst);
    assert_eq!(error(&bench, asked.as_der()).await, ErrorStatus::TryLater, "so did the source");
}

// clause: RFC 9919 93
#[tokio::test]
async fn row_59_a_clock_that_goes_back_brings_nothing_back_from_the_future() {
    let bench = Bench::new().await;
    bench.status(&question(SERIAL)).await.unwrap();
    bench.clock.set(start().saturating_sub(Duration::from_secs(120)));
    assert!(bench.status(&question(SERIAL)).await.is_ok(), "thisUpdate is not ahead of the client's clock");
}

// clause: RFC 6960 64
// clause: RFC 9919 105
#[tokio::test]
async fn row_57_a_bomb_of_cert_ids_is_refused_without_a_lookup() {
    let bench = Bench::new().await;
    assert_eq!(error(&bench, &request("nine")).await, ErrorStatus::Unauthorized);
    let issuer = Issuer::new(certificate("ca"));
    let serials = vec![SERIAL; 100];
    let bomb = Question::new(issuer, DigestAlgorithm::Sha1, serials).unwrap();
    assert_eq!(error(&bench, bomb.as_der()).await, ErrorStatus::Unauthorized);
    assert_eq!((bench.table.lookups(), bench.signatures()), (0, 0));
    let service = bench.service.with_max_cert_ids(1);
    let refused = service.answer(&request("three")).await;
    assert_eq!(*refused.as_der(), Response::error(ErrorStatus::Unauthorized).as_der());
}

// clause: RFC 6960 30, 64
// clause: RFC 9919 74, 75
#[tokio::test]
async fn row_58_signed_requests_cost_no_verification_and_large_ones_nothing() {
    let bench = Bench::new().await;
    let mut signed = request("signed");
    let last = signed.len() - 1;
    signed[last] ^= 1;
    let answer = bench.service.answer(&signed).await;
    assert!(answer.next_update().is_some(), "a broken signature is not looked at");
    assert_eq!(error(&bench, &vec![0x30; 64 * 1024]).await, ErrorStatus::MalformedRequest);
}

// clause: RFC 6960 49
// clause: RFC 9919 71, 77, 78
#[tokio::test]
async fn row_62_each_cert_id_is_answered_with_itself() {
    let bench = Bench::new().await;
    for _ in 0..2 {
        for digest in [DigestAlgorithm::Sha1, DigestAlgorithm::Sha256, DigestAlgorithm::Sha384] {
            assert!(bench.status(&question_by(digest, SERIAL)).await.is_ok(), "{digest:?}");
        }
    }
    assert_eq!(bench.signatures(), 3);
}

#[tokio::test]
async fn row_62_one_serial_number_of_two_cas_is_two_certificates() {
    let bench = Bench::new().await;
    let other = keeper("rsa-ca", "rsa-delegate", "rsa-delegate", bench.clock.clone()).await.unwrap();
    let issuers = vec![Arc::clone(&bench.keeper), other];
    let service =
        OcspService::new(OcspParts { issuers, source: bench.table.clone(), clock: bench.clock.clone() });
    let serial = SerialNumber::from_be_bytes(SERIAL).unwrap();
    let rsa = Issuer::new(certificate("rsa-ca"));
    bench.table.told.lock().unwrap().insert(CertRef { issuer: rsa.id(), serial }, Told::Standing(HOLD));
    let of_rsa = Question::new(rsa, DigestAlgorithm::Sha256, [SERIAL]).unwrap();
    for _ in 0..2 {
        for (asked, status) in [(&question(SERIAL), CertStatus::Good), (&of_rsa, on_hold())] {
            let answer = service.answer(asked.as_der()).await;
            let told = asked.verify(answer.as_der(), start(), Duration::ZERO, &AwsLc).unwrap();
            assert_eq!(told.statuses()[0].status, status);
        }
    }
}

// clause: RFC 6960 42
#[tokio::test]
async fn certificates_of_two_cas_in_one_request_are_unauthorized() {
    let bench = Bench::new().await;
    let other = keeper("rsa-ca", "rsa-delegate", "rsa-delegate", bench.clock.clone()).await.unwrap();
    let issuers = vec![Arc::clone(&bench.keeper), other];
    let service =
        OcspService::new(OcspParts { issuers, source: bench.table.clone(), clock: bench.clock.clone() });
    // Both requests hold one Request each; together they are a requestList of two.
    let of_rsa = Question::new(Issuer::new(certificate("rsa-ca")), DigestAlgorithm::Sha1, [SERIAL]).unwrap();
    let of_ca = question_by(DigestAlgorithm::Sha1, SERIAL);
    let list = [&of_rsa.as_der()[6..], &of_ca.as_der()[6..]].concat();
    let length = u8::try_from(list.len()).unwrap();
    let both = [&[0x30, 0x81, length + 6, 0x30, 0x81, length + 3, 0x30, 0x81, length], &*list].concat();
    let answer = service.answer(&both).await;
    assert_eq!(*answer.as_der(), Response::error(ErrorStatus::Unauthorized).as_der());
    assert_eq!(bench.table.lookups(), 0);
}

#[tokio::test]
async fn without_a_cache_every_answer_is_signed() {
    let mut bench = Bench::new().await;
    bench.service = bench.service.with_cache_capacity(0);
    for signatures in 1..4 {
        bench.status(&question(SERIAL)).await.unwrap();
        assert_eq!(bench.signatures(), signatures);
    }
}

#[tokio::test]
async fn answers_for_many_certificates_are_kept_up_to_the_limit() {
    let mut bench = Bench::new().await;
    bench.service = bench.service.with_cache_capacity(100);
    for serial in 1..1000_u16 {
        let [high, low] = serial.to_be_bytes();
        bench.status(&question(&[0x30, high, low])).await.unwrap();
    }
    let kept = format!("{:?}", bench.service);
    let count = kept.split("AnswerCache(").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
    assert!((1..=100).contains(&count.parse::<u32>().unwrap()), "{kept}");
}
