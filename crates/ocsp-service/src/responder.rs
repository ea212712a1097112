//! From the bytes of a request to an answer.

use std::{future::poll_fn, pin::Pin, sync::Arc, task::Poll, time::Duration};

use ocsp_proto::{CertId, ErrorStatus, Request, Response, ResponseOptions};
use pki_core::{BoxFuture, CertRef, Clock, UnixTime};
use revocation::{AttributedReport, RevocationSource, SourceError, Standing, StatusReport};

use crate::{
    Answer, AnswerPolicy, NoncePolicy, OcspMetrics, Refusal,
    admission::Admission,
    cache::{AnswerCache, Found, KeptAnswer, KeyRef, Told},
    clock_guard::ClockGuard,
    flights::{Basis, Flights, Part},
    issuers::{Chosen, Issuers},
    metrics::{Answered, Origin, Via, timed, timed_if_waiting},
};

/// Answers requests; knows nothing of HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Responder {
    pub(crate) issuers: Issuers,
    pub(crate) source: Arc<dyn RevocationSource>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) guard: Arc<ClockGuard>,
    pub(crate) policy: AnswerPolicy,
    pub(crate) nonces: NoncePolicy,
    pub(crate) max_cert_ids: usize,
    pub(crate) max_duration: Duration,
    pub(crate) cache: Arc<AnswerCache>,
    pub(crate) flights: Arc<Flights>,
    pub(crate) admission: Arc<Admission>,
    pub(crate) metrics: OcspMetrics,
}

/// A source that was asked.
type Asking<'a> = BoxFuture<'a, Result<AttributedReport, SourceError>>;

/// An answer made for this request, or one that was kept.
pub(crate) enum Given {
    Made(Answer),
    Kept(Arc<KeptAnswer>),
}

/// How far a request gets without waiting for anyone.
enum Step<'a> {
    Kept(Arc<KeptAnswer>),
    Ask(Pending<'a>),
}

/// What is known of a request when the source has to be asked.
struct Pending<'a> {
    /// The epoch is the source's from before it is asked: what changes in between is then noticed the next time.
    basis: Basis,
    /// Where the answer may be kept.
    key: Option<KeyRef<'a>>,
    /// An answer that may be given again if nothing changed.
    unless_changed: Option<Arc<KeptAnswer>>,
}

impl Given {
    pub(crate) fn error(status: ErrorStatus) -> Self {
        Self::Made(Answer::new(Response::error(status)))
    }

    pub(crate) fn answer(&self) -> &Answer {
        match self {
            Self::Made(answer) => answer,
            Self::Kept(kept) => kept.answer(),
        }
    }
}

impl Responder {
    /// Answers at `now`; always has an answer. Logs one line.
    pub(crate) async fn answer(&self, der: &[u8], now: UnixTime, via: Via) -> Given {
        let request = match Request::parse_at_most(der, self.max_cert_ids) {
            Ok(request) => request,
            Err(error) => return self.refused(&[], &error.into()),
        };
        self.metrics.count_request(via, &request);
        let cert_ids = request.cert_ids();
        let result = match self.without_waiting(&request, now) {
            Ok(Step::Kept(kept)) => {
                tracing::debug!(?cert_ids, "answered as kept");
                kept.answered().count(Origin::Cache);
                return Given::Kept(kept);
            }
            Ok(Step::Ask(pending)) => match self.unless_changed(&pending).await {
                Ok(kept) => Ok(Given::Kept(kept)),
                // Boxed, because most answers were kept and this is large.
                Err(begun) => self.in_time(Box::pin(self.make(&request, pending, begun))).await,
            },
            Err(refusal) => Err(refusal),
        };
        match result {
            Ok(given) => {
                tracing::debug!(?cert_ids, "answered");
                given
            }
            Err(refusal) => self.refused(cert_ids, &refusal),
        }
    }

    /// The nonce and what else the client sent stay out of the log.
    pub(crate) fn refused(&self, cert_ids: &[CertId<'_>], refusal: &Refusal) -> Given {
        tracing::debug!(?cert_ids, status = %refusal.status(), cause = refusal.cause(), %refusal, "refused");
        self.metrics.count_refusal(refusal);
        Given::error(refusal.status())
    }

    fn without_waiting<'a>(&self, request: &Request<'a>, now: UnixTime) -> Result<Step<'a>, Refusal> {
        let Chosen { issuer, active, index } = self.issuers.choose(request)?;
        if self.nonces == NoncePolicy::Require && request.nonce().is_none() {
            return Err(Refusal::NoNonce);
        }
        let epoch = self.source.epoch();
        let key = KeyRef::of(request, issuer, index, self.nonces);
        let found = key.map_or(Found::Nothing, |key| self.cache.find(&key, now, epoch, &active));
        let unless_changed = match found {
            Found::Fresh(kept) => return Ok(Step::Kept(kept)),
            Found::UnlessChanged(kept) => Some(kept),
            Found::Nothing => None,
        };
        Ok(Step::Ask(Pending { basis: Basis { epoch, active }, key, unless_changed }))
    }

    /// Gives `work` no longer than it may take. What waits for nothing needs no timer.
    async fn in_time<T>(
        &self,
        mut work: Pin<Box<impl Future<Output = Result<T, Refusal>>>>,
    ) -> Result<T, Refusal> {
        let at_once = poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await;
        match at_once {
            Poll::Ready(result) => result,
            Poll::Pending => {
                let result = tokio::time::timeout(self.max_duration, work).await;
                result.unwrap_or(Err(Refusal::TimedOut))
            }
        }
    }

    /// What was kept, if the source says at once that it still holds; or else the source as it was asked, where nobody
    /// else asks it.
    async fn unless_changed(&self, pending: &Pending<'_>) -> Result<Arc<KeptAnswer>, Option<Asking<'_>>> {
        let (Some(key), Some(kept)) = (pending.key, &pending.unless_changed) else { return Err(None) };
        if self.flights.are_under_way(key.cert_id()) {
            return Err(None);
        }
        let (epoch, asked_at) = (pending.basis.epoch, self.clock.now());
        let mut asking = self.source.attributed(key.certificate());
        let answer = match poll_fn(|context| Poll::Ready(asking.as_mut().poll(context))).await {
            Poll::Ready(answer) => answer,
            Poll::Pending => return Err(Some(asking)),
        };
        let told = answer.as_ref().ok().map(|told| Told { report: told.report, epoch, asked_at });
        let Some(renewed) = told.and_then(|told| kept.renewed(&told)) else {
            return Err(Some(Box::pin(std::future::ready(answer))));
        };
        if !Arc::ptr_eq(&renewed, kept) {
            self.cache.keep(key, Arc::clone(&renewed));
        }
        renewed.answered().count(Origin::Cache);
        Ok(renewed)
    }

    /// Has the source asked and the answer signed, by this request or by another that asks the same.
    async fn make(
        &self,
        request: &Request<'_>,
        pending: Pending<'_>,
        mut begun: Option<Asking<'_>>,
    ) -> Result<Given, Refusal> {
        let Some(key) = pending.key else {
            let _permit = self.admission.enter().await?;
            return self.make_alone(request, &pending.basis).await.map(Given::Made);
        };
        loop {
            match self.flights.join(key.cert_id(), &pending.basis) {
                Part::Lead(lead) => {
                    let outcome = self.make_shared(request, &pending, key, begun.take()).await;
                    lead.publish(outcome.clone());
                    return outcome.map(Given::Kept);
                }
                Part::Follow(flight) => {
                    begun = None;
                    let place = self.admission.wait()?;
                    let outcome = flight.outcome().await;
                    drop(place);
                    if let Some(outcome) = outcome {
                        let kept = outcome?;
                        kept.answered().count(Origin::Shared);
                        return Ok(Given::Kept(kept));
                    }
                }
            }
        }
    }

    /// An answer about one certificate, good for everyone who asks the same.
    async fn make_shared(
        &self,
        request: &Request<'_>,
        pending: &Pending<'_>,
        key: KeyRef<'_>,
        begun: Option<Asking<'_>>,
    ) -> Result<Arc<KeptAnswer>, Refusal> {
        let _permit = self.admission.enter().await?;
        let Basis { epoch, active } = &pending.basis;
        let asked_at = self.clock.now();
        let asking = begun.unwrap_or_else(|| self.source.attributed(key.certificate()));
        let attributed = timed_if_waiting(&self.metrics.lookup, asking).await?;
        let told = Told { report: attributed.report, epoch: *epoch, asked_at };
        let renewed = pending.unless_changed.as_ref().and_then(|kept| kept.renewed(&told));
        let kept = if let Some(kept) = renewed {
            kept.answered().count(Origin::Cache);
            kept
        } else {
            let (answer, answered) = self.sign(request, &[attributed], &pending.basis).await?;
            let answered = answered.into_iter().next().ok_or(Refusal::OutOfDate)?;
            Arc::new(KeptAnswer::new(answer, &told, answered, Arc::clone(active)))
        };
        if kept.answer().caching().is_some() {
            self.cache.keep(key, Arc::clone(&kept));
        }
        Ok(kept)
    }

    async fn make_alone(&self, request: &Request<'_>, basis: &Basis) -> Result<Answer, Refusal> {
        let mut reports = Vec::with_capacity(request.cert_ids().len());
        for cert_id in request.cert_ids() {
            reports.push(self.ask(basis.active.delegate.issuer().resolve(cert_id)).await?);
        }
        self.sign(request, &reports, basis).await.map(|(answer, _)| answer)
    }

    /// Asks the source. A serial number that no certificate can have is not looked up.
    async fn ask(&self, certificate: Option<CertRef>) -> Result<AttributedReport, Refusal> {
        if let Some(certificate) = certificate {
            let asking = self.source.attributed(certificate);
            return Ok(timed_if_waiting(&self.metrics.lookup, asking).await?);
        }
        let (standing, known_at) = (Standing::NotMine, self.clock.now());
        let report = StatusReport { standing, known_at, reliable_until: None };
        Ok(AttributedReport { report, source: "serial" })
    }

    async fn sign(
        &self,
        request: &Request<'_>,
        reports: &[AttributedReport],
        basis: &Basis,
    ) -> Result<(Answer, Vec<Arc<Answered>>), Refusal> {
        // Asking may have taken long: this is the time of the answer.
        let now = self.guard.now().ok_or(Refusal::ClockJumped)?;
        let status = |attributed: &AttributedReport| self.policy.status(&attributed.report, now);
        let statuses = reports.iter().map(status).collect::<Result<Vec<_>, _>>()?;
        let active = &basis.active;
        let unsigned = active.delegate.respond_with(request, &statuses, now, self.options())?;
        let signature = timed(&self.metrics.signing, active.key.sign(unsigned.tbs())).await?;
        let answer = Answer::new(unsigned.finish(&signature));
        // So may signing have; what is out of date is never sent.
        if answer.next_update().is_none_or(|next_update| self.clock.now() > next_update) {
            return Err(Refusal::OutOfDate);
        }
        let counters = |(single, told): (&ocsp_proto::SingleStatus, &AttributedReport)| {
            self.metrics.answered(single.status, told.source)
        };
        let answered: Vec<_> = statuses.iter().zip(reports).map(counters).collect();
        for counters in &answered {
            counters.count(Origin::Signed);
        }
        Ok((answer, answered))
    }

    fn options(&self) -> ResponseOptions {
        let options = ResponseOptions::default().with_nonce(self.nonces.reply());
        match self.policy.archive_retention {
            Some(retention) => options.with_archive_cutoff(retention),
            None => options,
        }
    }
}
