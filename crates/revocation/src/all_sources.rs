//! Several sources asked as one.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use pki_core::{BoxFuture, CertRef};

use crate::{AttributedReport, RevocationSource, SourceError, StatusReport, algebra::Verdict};

type Answer = Result<AttributedReport, SourceError>;

/// Asks every source side by side and makes one answer of theirs:
///
/// * revoked by any: revoked, since the earliest time told, though other sources could not be asked;
/// * else on hold by any: on hold, in the same way;
/// * else an error from any: that error, for every source is required;
/// * else good if any says good, known since the oldest answer, reliable until the first one runs out;
/// * else nobody's.
///
/// Without sources the answer is an error. Nothing is spawned: sources that answer at once are asked one after the
/// other within one poll.
#[derive(Debug, Clone)]
pub struct AllSources(Vec<Arc<dyn RevocationSource>>);

impl AllSources {
    /// Over these sources, all of them required.
    pub fn new(sources: Vec<Arc<dyn RevocationSource>>) -> Self {
        Self(sources)
    }
}

impl RevocationSource for AllSources {
    fn status(&self, certificate: CertRef) -> BoxFuture<'_, Result<StatusReport, SourceError>> {
        let attributed = self.attributed(certificate);
        Box::pin(async { Ok(attributed.await?.report) })
    }

    fn attributed(&self, certificate: CertRef) -> BoxFuture<'_, Answer> {
        match &*self.0 {
            [only] => only.attributed(certificate),
            sources => {
                let verdict = Verdict::default();
                Box::pin(Asking { sources, certificate, waiting: Vec::new(), verdict })
            }
        }
    }

    /// Changes when the epoch of any source does; `None` when any source has none.
    fn epoch(&self) -> Option<u64> {
        // Each step is one-to-one in either operand, so that a change of one epoch always shows.
        self.0.iter().try_fold(0u64, |mixed, source| {
            Some((mixed.rotate_left(29) ^ source.epoch()?).wrapping_mul(0x9E37_79B9_7F4A_7C15))
        })
    }
}

/// Polls what has not answered yet; the first poll asks.
struct Asking<'a> {
    sources: &'a [Arc<dyn RevocationSource>],
    certificate: CertRef,
    waiting: Vec<BoxFuture<'a, Answer>>,
    verdict: Verdict,
}

impl Future for Asking<'_> {
    type Output = Answer;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Answer> {
        let Self { sources, certificate, waiting, verdict } = &mut *self;
        let mut unanswered = |question: &mut BoxFuture<'_, Answer>| match question.as_mut().poll(context) {
            Poll::Ready(answer) => {
                verdict.add(answer);
                false
            }
            Poll::Pending => true,
        };
        waiting.retain_mut(&mut unanswered);
        for source in std::mem::take(sources) {
            let mut question = source.attributed(*certificate);
            if unanswered(&mut question) {
                waiting.push(question);
            }
        }
        if waiting.is_empty() { Poll::Ready(std::mem::take(verdict).end()) } else { Poll::Pending }
    }
}
