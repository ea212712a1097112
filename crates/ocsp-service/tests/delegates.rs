//! Delegates: taken when sound, renewed in time, never missed.
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
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use keys_software::AwsLc;
use ocsp_proto::{DelegateError, ErrorStatus, Response, VerifyError};
use ocsp_service::{
    DelegateKeeper, DelegateParts, DelegateSource, DelegateSourceError, IssuedDelegate, NoDelegate,
    OcspParts, OcspService,
};
use pki_core::{BoxFuture, Certificate, Clock as _, SigningKey, UnixTime};
use support::{SERIAL, certificate, keeper, key, question, start, wall_table};
use testkit::FixedClock;

/// Gives what it is told to.
#[derive(Debug)]
struct Offers {
    next: Mutex<Result<(&'static str, &'static str), DelegateSourceError>>,
    asked: AtomicUsize,
}

impl Offers {
    fn offer(&self, certificate: &'static str, key: &'static str) {
        *self.next.lock().unwrap() = Ok((certificate, key));
    }

    fn refuse(&self) {
        *self.next.lock().unwrap() = Err(DelegateSourceError("the CA is away".into()));
    }
}

impl DelegateSource for Offers {
    fn delegate(&self) -> BoxFuture<'_, Result<IssuedDelegate, DelegateSourceError>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let next = self.next.lock().unwrap().clone();
        Box::pin(async move {
            let (name, key_name) = next?;
            let signing: Arc<dyn SigningKey> = Arc::new(key(key_name));
            Ok(IssuedDelegate { certificate: certificate(name), key: signing })
        })
    }
}

struct Bench {
    clock: Arc<FixedClock>,
    offers: Arc<Offers>,
    keeper: Arc<DelegateKeeper>,
    service: OcspService,
}

impl Bench {
    async fn new() -> Self {
        let clock = Arc::new(FixedClock::new(start()));
        let offers =
            Arc::new(Offers { next: Mutex::new(Ok(("delegate", "delegate"))), asked: AtomicUsize::new(0) });
        let (source, verifier) = (offers.clone(), Arc::new(AwsLc));
        let parts = DelegateParts { issuer: certificate("ca"), source, clock: clock.clone(), verifier };
        let keeper = DelegateKeeper::start(parts).await.unwrap();
        let parts = OcspParts {
            issuers: vec![keeper.clone()],
            source: wall_table(clock.clone()),
            clock: clock.clone(),
        };
        Self { service: OcspService::new(parts), clock, offers, keeper }
    }

    /// Who signs for a client that asks now.
    async fn signer(&self) -> Result<Certificate, VerifyError> {
        let asked = question(SERIAL);
        let answer = self.service.answer(asked.as_der()).await;
        let told = asked.verify(answer.as_der(), self.clock.now(), Duration::ZERO, &AwsLc)?;
        Ok(told.signer().clone())
    }
}

fn half_life() -> UnixTime {
    let validity = certificate("delegate").validity();
    let life = validity.not_after().saturating_since(validity.not_before());
    validity.not_before().saturating_add(life / 2)
}

// clause: RFC 6960 3, 42, 45, 46
#[tokio::test]
async fn row_52_a_bad_delegate_is_never_ready() {
    for (name, error) in [
        ("delegate-without-eku", DelegateError::NotForOcsp),
        ("delegate-without-nocheck", DelegateError::NoNocheck),
        ("delegate-for-encipherment", DelegateError::NotForSignatures),
        ("delegate-with-ca", DelegateError::IsCa),
        ("delegate-of-impostor", DelegateError::NotIssuedByCa),
        ("delegate-of-sub-ca", DelegateError::NotIssuedByCa),
    ] {
        let clock = Arc::new(FixedClock::new(start()));
        let result = keeper("ca", name, "delegate", clock).await;
        assert_eq!(result.unwrap_err(), NoDelegate::Unsound(error), "{name}");
    }
    let late = certificate("delegate").validity().not_after().saturating_add(Duration::from_secs(1));
    let result = keeper("ca", "delegate", "delegate", Arc::new(FixedClock::new(late))).await;
    assert!(matches!(result.unwrap_err(), NoDelegate::Unsound(DelegateError::NotValid { .. })));
}

// clause: RFC 6960 48
#[tokio::test]
async fn row_52_a_key_that_is_not_the_certificates_is_never_ready() {
    let clock = Arc::new(FixedClock::new(start()));
    let result = keeper("ca", "delegate", "delegate-next", clock).await;
    assert_eq!(result.unwrap_err(), NoDelegate::NotBelieved(VerifyError::BadSignature));
}

// clause: RFC 9919 85
#[tokio::test]
async fn a_delegate_is_replaced_at_half_of_its_life_and_not_before() {
    let bench = Bench::new().await;
    bench.offers.offer("delegate-next", "delegate-next");
    bench.clock.set(half_life().saturating_sub(Duration::from_secs(1)));
    bench.keeper.renew_if_due().await.unwrap();
    assert_eq!(bench.signer().await.unwrap(), certificate("delegate"));
    bench.clock.advance(Duration::from_secs(1));
    bench.keeper.renew_if_due().await.unwrap();
    // At once, though an answer of the first was kept.
    assert_eq!(bench.signer().await.unwrap(), certificate("delegate-next"));
    assert_eq!(bench.offers.asked.load(Ordering::SeqCst), 2);
}

#[tokio::test]
async fn the_old_delegate_goes_on_while_no_sound_one_is_offered() {
    let bench = Bench::new().await;
    bench.clock.set(half_life());
    bench.offers.refuse();
    assert!(matches!(bench.keeper.renew_if_due().await, Err(NoDelegate::Source(_))));
    bench.offers.offer("delegate-without-eku", "delegate");
    assert!(matches!(bench.keeper.renew_if_due().await, Err(NoDelegate::Unsound(_))));
    bench.offers.offer("delegate-next", "delegate");
    assert!(matches!(bench.keeper.renew_if_due().await, Err(NoDelegate::NotBelieved(_))));
    bench.offers.offer("delegate", "delegate");
    assert!(matches!(bench.keeper.renew_if_due().await, Err(NoDelegate::Same { .. })));
    assert_eq!(bench.signer().await.unwrap(), certificate("delegate"));
    assert!(bench.service.is_ready());
}

// clause: RFC 6960 3
// clause: RFC 9919 89
#[tokio::test]
async fn row_52_after_its_end_a_delegate_signs_nothing() {
    let bench = Bench::new().await;
    let not_after = certificate("delegate").validity().not_after();
    bench.clock.set(not_after.saturating_sub(Duration::from_secs(300)));
    let asked = question(SERIAL);
    let answer = bench.service.answer(asked.as_der()).await;
    assert_eq!(answer.next_update(), Some(not_after), "clipped");
    bench.clock.set(not_after.saturating_add(Duration::from_secs(1)));
    let answer = bench.service.answer(asked.as_der()).await;
    assert_eq!(*answer.as_der(), Response::error(ErrorStatus::TryLater).as_der());
    assert!(!bench.service.is_ready());
}

#[tokio::test(start_paused = true)]
async fn whoever_runs_the_service_need_not_think_of_renewal() {
    let bench = Bench::new().await;
    let running = tokio::spawn(bench.service.clone().run());
    bench.offers.refuse();
    bench.clock.set(half_life());
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(bench.signer().await.unwrap(), certificate("delegate"));
    bench.offers.offer("delegate-next", "delegate-next");
    tokio::time::sleep(Duration::from_secs(61)).await;
    assert_eq!(bench.signer().await.unwrap(), certificate("delegate-next"));
    let asked = bench.offers.asked.load(Ordering::SeqCst);
    assert_eq!(asked, 3, "the start, a failure, and a success: once a minute");
    assert!(!running.is_finished());
    running.abort();
}
