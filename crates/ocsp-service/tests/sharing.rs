//! One answer for many who ask, an end to waiting, and a limit to how many wait.
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
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use ocsp_proto::{ErrorStatus, Question, Response};
use ocsp_service::{Answer, OcspParts, OcspService};
use pki_core::{BoxFuture, CertRef, Clock as _};
use revocation::{RevocationSource, SourceError, Standing, StatusReport};
use support::{Bench, SERIAL, Told, keeper, question, question_by, start};
use testkit::FixedClock;
use tokio::sync::Semaphore;

/// Answers when it is let.
#[derive(Debug)]
struct Gate {
    open: Semaphore,
    lookups: AtomicUsize,
    epoch: AtomicU64,
    clock: Arc<FixedClock>,
}

impl RevocationSource for Gate {
    fn status(&self, _: CertRef) -> BoxFuture<'_, Result<StatusReport, SourceError>> {
        self.lookups.fetch_add(1, Ordering::SeqCst);
        Box::pin(async {
            self.open.acquire().await.unwrap().forget();
            let known_at = self.clock.now();
            Ok(StatusReport { standing: Standing::Good, known_at, reliable_until: None })
        })
    }

    fn epoch(&self) -> Option<u64> {
        Some(self.epoch.load(Ordering::SeqCst))
    }
}

struct Gated {
    gate: Arc<Gate>,
    service: OcspService,
}

impl Gated {
    async fn new() -> Self {
        let clock = Arc::new(FixedClock::new(start()));
        let gate = Arc::new(Gate {
            open: Semaphore::new(0),
            lookups: AtomicUsize::new(0),
            epoch: AtomicU64::new(1),
            clock: clock.clone(),
        });
        let keeper = keeper("ca", "delegate", "delegate", clock.clone()).await.unwrap();
        let service = OcspService::new(OcspParts { issuers: vec![keeper], source: gate.clone(), clock });
        Self { gate, service }
    }

    /// Asks without waiting for the answer, as far as that goes.
    async fn ask(&self, question: &Question) -> tokio::task::JoinHandle<Answer> {
        let (service, der) = (self.service.clone(), question.as_der().to_vec());
        let asking = tokio::spawn(async move { service.answer(&der).await });
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        asking
    }

    fn lookups(&self) -> usize {
        self.gate.lookups.load(Ordering::SeqCst)
    }
}

fn is_try_later(answer: &Answer) -> bool {
    *answer.as_der() == Response::error(ErrorStatus::TryLater).as_der()
}

#[tokio::test]
async fn row_48_many_who_ask_the_same_wait_for_one_answer() {
    let gated = Gated::new().await;
    let asked = question(SERIAL);
    let mut asking = Vec::new();
    for _ in 0..50 {
        asking.push(gated.ask(&asked).await);
    }
    assert_eq!(gated.lookups(), 1);
    gated.gate.open.add_permits(1);
    let mut answers = Vec::new();
    for one in asking {
        answers.push(one.await.unwrap());
    }
    assert!(answers.iter().all(|answer| answer.as_der() == answers[0].as_der()));
    assert_eq!(gated.lookups(), 1);
    let shown = support::metrics(&gated.service);
    assert!(shown.contains(r#"answers_total{status="good",source="other",origin="signed"} 1"#), "{shown}");
    assert!(shown.contains(r#"answers_total{status="good",source="other",origin="shared"} 49"#), "{shown}");
    assert!(shown.contains("lookup_seconds_count 1\n"), "one that had to be waited for: {shown}");
}

#[tokio::test]
async fn others_do_not_wait_for_it() {
    let gated = Gated::new().await;
    let first = gated.ask(&question(SERIAL)).await;
    let asked = question(SERIAL).with_nonce(&[7; 32]).unwrap();
    for other in
        [question(&[0x31]), question_by(pki_core::DigestAlgorithm::Sha1, SERIAL), asked.clone(), asked]
    {
        drop(gated.ask(&other).await);
    }
    assert_eq!(gated.lookups(), 5);
    gated.gate.open.add_permits(5);
    assert!(first.await.unwrap().next_update().is_some());
}

#[tokio::test]
async fn whoever_gives_up_leaves_the_work_to_the_next() {
    let gated = Gated::new().await;
    let asked = question(SERIAL);
    let [first, second, third] = [gated.ask(&asked).await, gated.ask(&asked).await, gated.ask(&asked).await];
    assert_eq!(gated.lookups(), 1);
    first.abort();
    assert!(first.await.is_err());
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    assert_eq!(gated.lookups(), 2, "one of the two asks now");
    gated.gate.open.add_permits(2);
    assert!(second.await.unwrap().next_update().is_some());
    assert!(third.await.unwrap().next_update().is_some());
}

#[tokio::test]
async fn row_54_nobody_is_told_what_was_looked_up_before_a_change() {
    let gated = Gated::new().await;
    let asked = question(SERIAL);
    let before = gated.ask(&asked).await;
    gated.gate.epoch.store(2, Ordering::SeqCst);
    let after = gated.ask(&asked).await;
    assert_eq!(gated.lookups(), 2, "the first lookup may have missed the change");
    gated.gate.open.add_permits(2);
    assert!(before.await.unwrap().next_update().is_some());
    assert!(after.await.unwrap().next_update().is_some());
}

// clause: RFC 6960 12, 13
// clause: RFC 9919 105
#[tokio::test]
async fn beyond_the_limit_the_answer_is_try_later_at_once() {
    let mut gated = Gated::new().await;
    gated.service = gated.service.with_concurrency(1, 2);
    let working = gated.ask(&question(&[1])).await;
    let waiting = [gated.ask(&question(&[2])).await, gated.ask(&question(&[1])).await];
    for serial in [&[1][..], &[2], &[3]] {
        let answer = gated.service.answer(question(serial).as_der()).await;
        assert!(is_try_later(&answer) && answer.next_update().is_none(), "{serial:?}");
    }
    assert_eq!(gated.lookups(), 1);
    let shown = support::metrics(&gated.service);
    assert!(shown.contains(r#"refusals_total{status="tryLater",cause="overload"} 3"#), "{shown}");
    gated.gate.open.add_permits(9);
    assert!(working.await.unwrap().next_update().is_some());
    for one in waiting {
        assert!(one.await.unwrap().next_update().is_some());
    }
    assert!(
        gated.service.answer(question(&[3]).as_der()).await.next_update().is_some(),
        "there is room again"
    );
}

#[tokio::test(start_paused = true)]
async fn a_source_that_does_not_answer_is_not_waited_for() {
    let gated = Gated::new().await;
    let asked = gated.ask(&question(SERIAL)).await;
    tokio::time::sleep(Duration::from_millis(4400)).await;
    assert!(!asked.is_finished());
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(asked.is_finished() && is_try_later(&asked.await.unwrap()));
    let shown = support::metrics(&gated.service);
    assert!(shown.contains(r#"refusals_total{status="tryLater",cause="too-slow"} 1"#), "{shown}");
}

#[tokio::test]
async fn row_54_a_change_shows_within_five_seconds_whatever_the_source_promised() {
    let bench = Bench::new().await;
    *bench.table.epoch.lock().unwrap() = None;
    let asked = question(SERIAL);
    bench.table.write(Told::For(Standing::Good, Duration::from_secs(3600)));
    let good = bench.status(&asked).await.unwrap();
    bench.table.write(Told::For(Standing::Hold { since: start() }, Duration::from_secs(3600)));
    bench.advance(4);
    assert_eq!(bench.status(&asked).await.unwrap(), good);
    assert_eq!(bench.table.lookups(), 1);
    bench.advance(1);
    assert_ne!(bench.status(&asked).await.unwrap().status, good.status);
    // What did not change is not signed anew.
    bench.advance(5);
    bench.status(&asked).await.unwrap();
    assert_eq!((bench.table.lookups(), bench.signatures()), (3, 2));
}
