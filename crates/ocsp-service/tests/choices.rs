//! What an operator chooses: nonces, presets, several delegates; and what a responder counts.
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
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use keys_software::AwsLc;
use ocsp_proto::{ErrorStatus, Issuer, NonceCheck, Question, Response};
use ocsp_service::{
    AnswerPolicy, DelegateKeeper, DelegateParts, DelegateSource, DelegateSourceError, IssuedDelegate,
    NoncePolicy, NotReady, OcspParts, OcspService, Preset,
};
use pki_core::{
    BoxFuture, CertStatus, Clock, CrlReason, DigestAlgorithm, SignatureAlgorithm, SigningKey as _, UnixTime,
};
use revocation::Standing;
use support::{
    Bench, SERIAL, Told, certificate, keeper, key, question, question_by, request, start, wall_table,
};

fn error(status: ErrorStatus) -> Vec<u8> {
    Response::error(status).into_der()
}

// clause: RFC 9919 81, 94
// clause: RFC 9654 110, 111
#[tokio::test]
async fn nonces_are_echoed_passed_over_or_required_and_clones_share_the_rest() {
    let bench = Bench::new().await;
    let with = question(SERIAL).with_nonce(&[7; 32]).unwrap();
    let ask = async |nonces, asked: &Question| {
        let answer = bench.service.clone().with_nonces(nonces).answer(asked.as_der()).await;
        let told = asked.verify(answer.as_der(), bench.clock_now(), Duration::ZERO, &AwsLc);
        told.map(|told| told.nonce()).map_err(|_| answer.as_der().to_vec())
    };
    assert_eq!(ask(NoncePolicy::Echo, &with).await, Ok(NonceCheck::Matched));
    assert_eq!(ask(NoncePolicy::Require, &with).await, Ok(NonceCheck::Matched));
    assert_eq!(bench.signatures(), 2);
    for _ in 0..3 {
        assert_eq!(ask(NoncePolicy::Ignore, &with).await, Ok(NonceCheck::Absent));
        assert_eq!(ask(NoncePolicy::Echo, &question(SERIAL)).await, Ok(NonceCheck::NotAsked));
    }
    assert_eq!(
        bench.signatures(),
        3,
        "one answer for those who send a nonce in vain and those who send none"
    );
    let refused = ask(NoncePolicy::Require, &question(SERIAL)).await;
    assert_eq!(refused, Err(error(ErrorStatus::Unauthorized)));
    assert_eq!(bench.signatures(), 3);
}

// clause: RFC 9919 88
// clause: RFC 6960 6, 7, 8, 9, 11, 12
#[tokio::test]
async fn row_47_presets_say_what_becomes_of_certificates_never_issued() {
    let mut bench = Bench::new().await;
    bench.table.write(Told::Standing(Standing::NotMine));
    for (preset, expected) in [
        (
            Preset::Enterprise,
            Some(CertStatus::Revoked { at: UnixTime(0), reason: Some(CrlReason::CertificateHold) }),
        ),
        (Preset::Cabf, None),
        (Preset::Lenient, Some(CertStatus::Unknown)),
    ] {
        bench.service = bench.service.with_policy(AnswerPolicy::preset(preset));
        let told = bench.status(&question(SERIAL)).await;
        assert_eq!(told.ok().map(|single| single.status), expected, "{preset:?}");
    }
}

// clause: RFC 6960 14, 23
#[tokio::test]
async fn answers_kept_under_one_policy_are_not_given_under_another() {
    let bench = Bench::new().await;
    let first = bench.status(&question(SERIAL)).await.unwrap();
    let lenient = bench.service.clone().with_policy(AnswerPolicy::preset(Preset::Lenient));
    let answer = lenient.answer(question(SERIAL).as_der()).await;
    let told = question(SERIAL).verify(answer.as_der(), start(), Duration::ZERO, &AwsLc).unwrap();
    let dated = told.statuses()[0].this_update;
    assert_eq!(dated, first.this_update.saturating_sub(Duration::from_secs(300)));
}

// clause: RFC 6960 55
#[tokio::test]
async fn the_archive_cutoff_is_told_where_it_is_configured() {
    const OID: [u8; 11] = [6, 9, 0x2B, 6, 1, 5, 5, 7, 48, 1, 6];
    let bench = Bench::new().await;
    let mut policy = AnswerPolicy::default();
    let answer = bench.service.answer(question(SERIAL).as_der()).await;
    assert!(!answer.as_der().windows(11).any(|window| window == OID));
    policy.archive_retention = Some(Duration::from_secs(86_400));
    let answer = bench.service.clone().with_policy(policy).answer(question(SERIAL).as_der()).await;
    assert!(answer.as_der().windows(11).any(|window| window == OID));
}

/// A responder of `ca` with a delegate on P-256, as the CA's own key is, one on P-384 and one with RSA.
async fn with_three_delegates(clock: Arc<dyn Clock>) -> OcspService {
    let mut issuers = Vec::new();
    for name in ["delegate-rsa", "delegate", "delegate-p384"] {
        issuers.push(keeper("ca", name, name, clock.clone()).await.unwrap());
    }
    OcspService::new(OcspParts { issuers, source: wall_table(clock.clone()), clock })
}

// clause: RFC 6960 58, 59, 60
// clause: RFC 9919 87
#[tokio::test]
async fn each_client_gets_the_signature_that_it_prefers_from_the_cache_too() {
    let service = with_three_delegates(Arc::new(testkit::FixedClock::new(start()))).await;
    let plain = question(SERIAL);
    for _ in 0..3 {
        for (asked, signer) in [
            (plain.clone(), "delegate"),
            (plain.clone().preferring(&[SignatureAlgorithm::EcdsaSha384]), "delegate-p384"),
            (plain.clone().preferring(&[SignatureAlgorithm::RsaPkcs1Sha256]), "delegate-rsa"),
            (plain.clone().preferring(&[SignatureAlgorithm::Ed25519]), "delegate"),
        ] {
            let answer = service.answer(asked.as_der()).await;
            let told = asked.verify(answer.as_der(), start(), Duration::ZERO, &AwsLc).unwrap();
            assert_eq!(*told.signer(), certificate(signer));
        }
    }
    let shown = support::metrics(&service);
    assert!(shown.contains(r#"origin="signed"} 3"#), "one signature each: {shown}");
    assert!(shown.contains(r#"origin="cache"} 9"#), "{shown}");
}

#[tokio::test]
async fn what_happens_is_counted_by_cause() {
    let bench = Bench::new().await;
    let of = async |der: &[u8]| drop(bench.service.answer(der).await);
    of(question(SERIAL).as_der()).await;
    of(question(SERIAL).as_der()).await;
    of(question_by(DigestAlgorithm::Sha1, SERIAL).with_nonce(&[7; 8]).unwrap().as_der()).await;
    of(question_by(DigestAlgorithm::Sha384, SERIAL).with_nonce(&[7; 32]).unwrap().as_der()).await;
    of(question_by(DigestAlgorithm::Sha512, SERIAL).with_nonce(&[7; 33]).unwrap().as_der()).await;
    of(b"no request").await;
    of(&[0; 10_001]).await;
    of(&request("nine")).await;
    of(&request("rsa")).await;
    of(&request("unknown-digest")).await;
    for (standing, serial) in [
        (Standing::Hold { since: UnixTime(7) }, 1),
        (Standing::Revoked { since: UnixTime(7), reason: CrlReason::KeyCompromise }, 2),
        (Standing::NotMine, 3),
    ] {
        bench.table.write(Told::Standing(standing));
        of(question(&[serial]).as_der()).await;
    }
    of(question(&[0x30; 21]).as_der()).await;
    bench.table.write(Told::Nothing);
    of(question(SERIAL).as_der()).await;

    let shown = support::metrics(&bench.service);
    for line in [
        r#"requests_total{method="none",cert_id_hash="sha256",nonce="absent"} 7"#,
        r#"requests_total{method="none",cert_id_hash="sha1",nonce="short"} 1"#,
        r#"requests_total{method="none",cert_id_hash="sha384",nonce="usual"} 1"#,
        r#"requests_total{method="none",cert_id_hash="sha512",nonce="long"} 1"#,
        r#"requests_total{method="none",cert_id_hash="other",nonce="absent"} 1"#,
        r#"answers_total{status="good",source="table",origin="signed"} 4"#,
        r#"answers_total{status="good",source="table",origin="cache"} 1"#,
        r#"answers_total{status="hold",source="table",origin="signed"} 1"#,
        r#"answers_total{status="revoked",source="table",origin="signed"} 1"#,
        r#"answers_total{status="unknown",source="table",origin="signed"} 1"#,
        r#"answers_total{status="unknown",source="serial",origin="signed"} 1"#,
        r#"refusals_total{status="malformedRequest",cause="syntax"} 1"#,
        r#"refusals_total{status="malformedRequest",cause="too-long"} 1"#,
        r#"refusals_total{status="unauthorized",cause="too-many-certificates"} 1"#,
        r#"refusals_total{status="unauthorized",cause="issuer"} 1"#,
        r#"refusals_total{status="unauthorized",cause="digest"} 1"#,
        r#"refusals_total{status="tryLater",cause="source"} 1"#,
        "signing_seconds_count 8",
    ] {
        assert!(shown.contains(&format!("certbound_ocsp_{line}\n")), "{line} is not in\n{shown}");
    }
}

/// A wall clock that can be set beside one that cannot.
#[derive(Debug)]
struct TwoClocks {
    wall: AtomicU64,
    monotonic: AtomicU64,
}

impl Clock for TwoClocks {
    fn now(&self) -> UnixTime {
        UnixTime(self.wall.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Option<Duration> {
        Some(Duration::from_secs(self.monotonic.load(Ordering::SeqCst)))
    }
}

// clause: RFC 9919 93
#[tokio::test(start_paused = true)]
async fn row_59_while_the_clock_is_wrong_nothing_is_signed_and_the_responder_is_not_ready() {
    let clock = Arc::new(TwoClocks { wall: AtomicU64::new(start().0), monotonic: AtomicU64::new(0) });
    let service = with_three_delegates(clock.clone()).await;
    let running = tokio::spawn(service.clone().run());
    let asked = question(SERIAL);
    let is_answered = async || service.answer(asked.as_der()).await.next_update().is_some();
    assert!(is_answered().await && service.is_ready());
    for jump in [3600, -3600, 61, -61] {
        clock.wall.store(start().0.checked_add_signed(jump).unwrap(), Ordering::SeqCst);
        // A nonce, because what was kept may still be given by a clock that is a minute off.
        let fresh = asked.clone().with_nonce(&[7; 32]).unwrap();
        let answer = service.answer(fresh.as_der()).await;
        assert_eq!(*answer.as_der(), error(ErrorStatus::TryLater), "{jump}");
        assert_eq!(service.readiness(), Err(NotReady::ClockJumped));
        clock.wall.store(start().0, Ordering::SeqCst);
        assert!(is_answered().await);
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(service.is_ready());
    }
    let shown = support::metrics(&service);
    assert!(shown.contains(r#"refusals_total{status="tryLater",cause="clock"} 4"#), "{shown}");
    running.abort();
}

/// Has nothing at first.
#[derive(Debug, Default)]
struct Later(AtomicU64);

impl DelegateSource for Later {
    fn delegate(&self) -> BoxFuture<'_, Result<IssuedDelegate, DelegateSourceError>> {
        Box::pin(async {
            if self.0.fetch_add(1, Ordering::SeqCst) < 2 {
                return Err(DelegateSourceError("the CA is away".into()));
            }
            Ok(IssuedDelegate { certificate: certificate("delegate"), key: Arc::new(key("delegate")) })
        })
    }
}

/// As when an earlier generation of a CA comes to its end while the server runs.
#[tokio::test(start_paused = true)]
async fn a_ca_whose_certificate_is_over_keeps_no_responder_from_being_ready() {
    let clock = Arc::new(testkit::FixedClock::new(start()));
    let parts = |issuer, source: Arc<dyn DelegateSource>| DelegateParts {
        issuer,
        source,
        clock: clock.clone(),
        verifier: Arc::new(AwsLc),
    };
    let earlier = testkit::ca().certificate;
    let never = || Arc::new(Later(AtomicU64::new(0)));
    let given = Arc::new(Later(AtomicU64::new(2)));
    let current = DelegateKeeper::start(parts(certificate("ca"), given)).await.unwrap();
    let of = |issuers| {
        OcspService::new(OcspParts { issuers, source: wall_table(clock.clone()), clock: clock.clone() })
    };
    let both = of(vec![current, DelegateKeeper::start_without(parts(earlier.clone(), never()))]);
    let alone = of(vec![DelegateKeeper::start_without(parts(earlier.clone(), never()))]);
    clock.set(earlier.validity().not_after());
    assert_eq!(both.readiness(), Err(NotReady::NoDelegate), "it has none, and needs one still");
    clock.set(earlier.validity().not_after().saturating_add(Duration::from_secs(1)));
    assert_eq!(both.readiness(), Ok(()));
    assert_eq!(alone.readiness(), Err(NotReady::NoDelegate), "somebody must be answered for");
}

#[tokio::test(start_paused = true)]
async fn a_responder_may_wait_for_its_first_delegate() {
    let clock = Arc::new(testkit::FixedClock::new(start()));
    let parts = DelegateParts {
        issuer: certificate("ca"),
        source: Arc::new(Later::default()),
        clock: clock.clone(),
        verifier: Arc::new(AwsLc),
    };
    let issuers = vec![DelegateKeeper::start_without(parts)];
    let service = OcspService::new(OcspParts { issuers, source: wall_table(clock.clone()), clock });
    assert_eq!(service.readiness(), Err(NotReady::NoDelegate));
    let running = tokio::spawn(service.clone().run());
    let asked = question(SERIAL);
    assert_eq!(*service.answer(asked.as_der()).await.as_der(), error(ErrorStatus::TryLater));
    tokio::time::sleep(Duration::from_secs(16)).await;
    assert!(service.is_ready());
    let answer = service.answer(asked.as_der()).await;
    assert!(asked.verify(answer.as_der(), start(), Duration::ZERO, &AwsLc).is_ok());
    let shown = support::metrics(&service);
    let end = certificate("delegate").validity().not_after().0;
    assert!(
        shown.contains("certbound_ocsp_delegate_end_seconds{") && shown.contains(&format!("}} {end}\n")),
        "{shown}"
    );
    running.abort();
}

// clause: RFC 6960 51
#[tokio::test]
async fn delegates_of_every_kind_of_key_answer() {
    let clock = Arc::new(testkit::FixedClock::new(start()));
    for name in ["delegate", "delegate-p384", "delegate-rsa", "delegate-ed25519"] {
        let issuers = vec![keeper("ca", name, name, clock.clone()).await.unwrap()];
        let source = wall_table(clock.clone());
        let service = OcspService::new(OcspParts { issuers, source, clock: clock.clone() });
        let asked = Question::new(Issuer::new(certificate("ca")), DigestAlgorithm::Sha256, [SERIAL]).unwrap();
        let answer = service.answer(asked.as_der()).await;
        let told = asked.verify(answer.as_der(), start(), Duration::ZERO, &AwsLc).unwrap();
        assert_eq!(told.signer().public_key(), key(name).public_key());
    }
}
