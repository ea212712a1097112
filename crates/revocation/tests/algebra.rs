//! Several sources make one answer: checked against a model of twenty lines.
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
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use pki_core::{BoxFuture, CertRef, CrlReason, UnixTime};
use proptest::prelude::*;
use revocation::{AllSources, RevocationSource, SourceError, Standing, StatusReport, source_fn};
use support::certificate;
use testkit::block_on;

type Answer = Result<StatusReport, SourceError>;

/// Answers after being polled so many times.
#[derive(Debug, Clone)]
struct Slow {
    answer: Answer,
    polls: u8,
    epoch: Option<u64>,
}

impl RevocationSource for Slow {
    fn status(&self, _certificate: CertRef) -> BoxFuture<'_, Answer> {
        Box::pin(self.clone())
    }

    fn epoch(&self) -> Option<u64> {
        self.epoch
    }
}

impl Future for Slow {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        if self.polls == 0 {
            return Poll::Ready(self.answer.clone());
        }
        self.polls -= 1;
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

/// The whole algebra once more, for answers as a list: what the first rule that applies says.
fn model(answers: &[Answer]) -> Option<StatusReport> {
    let told: Vec<StatusReport> = answers.iter().flatten().copied().collect();
    let oldest = |reports: &[StatusReport]| reports.iter().map(|report| report.known_at).min();
    let first_end =
        |reports: &[StatusReport]| reports.iter().filter_map(|report| report.reliable_until).min();
    let is_revoked = |report: &&StatusReport| matches!(report.standing, Standing::Revoked { .. });
    let is_hold = |report: &&StatusReport| matches!(report.standing, Standing::Hold { .. });
    let revoked: Vec<_> = told.iter().filter(is_revoked).copied().collect();
    let holds: Vec<_> = told.iter().filter(is_hold).copied().collect();
    let since = |report: &StatusReport| match report.standing {
        Standing::Revoked { since, reason } => (since, reason),
        Standing::Hold { since } => (since, CrlReason::CertificateHold),
        other => panic!("{other:?}"),
    };
    let (standing, known_at, reliable_until) = if let Some((since, reason)) = revoked.iter().map(since).min()
    {
        (Standing::Revoked { since, reason }, oldest(&revoked), first_end(&revoked))
    } else if let Some((since, _)) = holds.iter().map(since).min() {
        (Standing::Hold { since }, oldest(&holds), first_end(&told))
    } else if told.len() < answers.len() || told.is_empty() {
        return None;
    } else if told.iter().any(|report| report.standing == Standing::Good) {
        (Standing::Good, oldest(&told), first_end(&told))
    } else {
        (Standing::NotMine, oldest(&told), first_end(&told))
    };
    Some(StatusReport { standing, known_at: known_at.unwrap(), reliable_until })
}

fn answers() -> impl Strategy<Value = Answer> {
    let time = || (0..20u64).prop_map(UnixTime);
    let reasons = prop::sample::select(vec![CrlReason::KeyCompromise, CrlReason::Superseded]);
    let standing = prop_oneof![
        Just(Standing::NotMine),
        Just(Standing::Good),
        time().prop_map(|since| Standing::Hold { since }),
        (time(), reasons).prop_map(|(since, reason)| Standing::Revoked { since, reason }),
    ];
    let report = (standing, time(), prop::option::of(time()))
        .prop_map(|(standing, known_at, reliable_until)| StatusReport { standing, known_at, reliable_until });
    prop_oneof![1 => Just(Err(SourceError::unavailable("a source", "down"))), 5 => report.prop_map(Ok)]
}

fn sources() -> impl Strategy<Value = Vec<Slow>> {
    let source = (answers(), 0..4u8, prop::option::weighted(0.8, any::<u64>()))
        .prop_map(|(answer, polls, epoch)| Slow { answer, polls, epoch });
    prop::collection::vec(source, 0..5)
}

fn together(sources: &[Slow]) -> AllSources {
    AllSources::new(sources.iter().map(|source| Arc::new(source.clone()) as _).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(20_000))]

    #[test]
    fn row_51_no_error_is_swallowed_and_every_answer_counts(sources in sources()) {
        let answers: Vec<_> = sources.iter().map(|source| source.answer.clone()).collect();
        prop_assert_eq!(block_on(together(&sources).status(certificate(1))).ok(), model(&answers));
    }

    #[test]
    fn row_49_good_needs_every_source(sources in sources()) {
        let answer = block_on(together(&sources).status(certificate(1)));
        if answer.is_ok_and(|report| report.standing == Standing::Good) {
            for source in &sources {
                let standing = source.answer.as_ref().map(|report| report.standing);
                prop_assert!(matches!(standing, Ok(Standing::Good | Standing::NotMine)));
            }
        }
    }

    #[test]
    fn the_epoch_changes_when_that_of_any_source_does(
        mut sources in sources(), at in any::<prop::sample::Index>(), to in any::<u64>(),
    ) {
        let before = together(&sources).epoch();
        prop_assert_eq!(before.is_some(), sources.iter().all(|source| source.epoch.is_some()));
        if let (Some(before), false) = (before, sources.is_empty()) {
            let at = at.index(sources.len());
            let is_same = sources[at].epoch == Some(to);
            sources[at].epoch = Some(to);
            prop_assert_eq!(together(&sources).epoch() == Some(before), is_same);
        }
    }
}

#[test]
fn row_49_revoked_by_one_is_told_though_another_is_down() {
    let down = source_fn(|_| Err(SourceError::unavailable("the directory", "down")));
    let report = |standing| StatusReport { standing, known_at: UnixTime(9), reliable_until: None };
    let revoked = Standing::Revoked { since: UnixTime(5), reason: CrlReason::KeyCompromise };
    for standing in [revoked, Standing::Hold { since: UnixTime(5) }] {
        let sources =
            AllSources::new(vec![Arc::new(down), Arc::new(source_fn(move |_| Ok(report(standing))))]);
        assert_eq!(block_on(sources.status(certificate(1))), Ok(report(standing)));
    }
    for standing in [Standing::Good, Standing::NotMine] {
        let sources =
            AllSources::new(vec![Arc::new(source_fn(move |_| Ok(report(standing)))), Arc::new(down)]);
        let error = block_on(sources.status(certificate(1))).unwrap_err();
        assert_eq!(error.to_string(), "the directory cannot be asked now: down");
    }
}

#[test]
fn without_sources_nothing_is_known() {
    assert!(block_on(AllSources::new(Vec::new()).status(certificate(1))).is_err());
}

#[test]
fn every_source_is_asked_about_the_certificate_in_question() {
    let asked = certificate(7);
    let check = move |certificate| {
        assert_eq!(certificate, asked);
        Ok(StatusReport { standing: Standing::Good, known_at: UnixTime(1), reliable_until: None })
    };
    let sources = AllSources::new(vec![Arc::new(source_fn(check)), Arc::new(source_fn(check))]);
    assert_eq!(block_on(sources.status(asked)).unwrap().standing, Standing::Good);
}

#[test]
fn the_source_that_decided_is_named() {
    #[derive(Debug)]
    struct Named(&'static str, Standing);
    impl RevocationSource for Named {
        fn status(&self, _: CertRef) -> BoxFuture<'_, Result<StatusReport, SourceError>> {
            let (known_at, standing) = (UnixTime(100), self.1);
            Box::pin(async move { Ok(StatusReport { standing, known_at, reliable_until: None }) })
        }

        fn epoch(&self) -> Option<u64> {
            Some(1)
        }

        fn name(&self) -> &'static str {
            self.0
        }
    }
    let revoked = |since| Standing::Revoked { since: UnixTime(since), reason: CrlReason::KeyCompromise };
    for (first, second, expected) in [
        (Standing::Good, Standing::NotMine, "a"),
        (Standing::NotMine, Standing::Good, "b"),
        (Standing::NotMine, Standing::NotMine, "a"),
        (Standing::Good, revoked(7), "b"),
        (revoked(7), Standing::Hold { since: UnixTime(3) }, "a"),
        (revoked(7), revoked(5), "b"),
        (revoked(5), revoked(7), "a"),
    ] {
        let sources: Vec<Arc<dyn RevocationSource>> =
            vec![Arc::new(Named("a", first)), Arc::new(Named("b", second))];
        let attributed = block_on(AllSources::new(sources).attributed(certificate(1))).unwrap();
        assert_eq!(attributed.source, expected, "{first:?} {second:?}");
    }
}
