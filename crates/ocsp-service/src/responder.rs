//! From the bytes of a request to an answer.

use std::sync::Arc;

use ocsp_proto::{CertId, ErrorStatus, Request, Response};
use pki_core::{CertRef, Clock, UnixTime};
use revocation::{RevocationSource, Standing, StatusReport};

use crate::{
    Answer, AnswerPolicy, DelegateKeeper, Refusal,
    cache::{AnswerCache, Found, KeptAnswer, KeyRef},
    delegate_keeper::ActiveDelegate,
};

/// Answers requests; knows nothing of HTTP.
#[derive(Debug, Clone)]
pub(crate) struct Responder {
    pub(crate) issuers: Vec<Arc<DelegateKeeper>>,
    pub(crate) source: Arc<dyn RevocationSource>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) policy: AnswerPolicy,
    pub(crate) max_cert_ids: usize,
    pub(crate) cache: Arc<AnswerCache>,
}

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
    active: Arc<ActiveDelegate>,
    /// The source's, from before it is asked: what changes in between is then noticed the next time.
    epoch: Option<u64>,
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
    pub(crate) async fn answer(&self, der: &[u8], now: UnixTime) -> Given {
        let request = match Request::parse_at_most(der, self.max_cert_ids) {
            Ok(request) => request,
            Err(error) => return refused(&[], &error.into()),
        };
        let cert_ids = request.cert_ids();
        let result = match self.without_waiting(&request, now) {
            Ok(Step::Kept(kept)) => {
                tracing::debug!(?cert_ids, "answered as kept");
                return Given::Kept(kept);
            }
            // Boxed, because most answers were kept and this is large.
            Ok(Step::Ask(pending)) => Box::pin(self.ask_and_sign(&request, pending)).await,
            Err(refusal) => Err(refusal),
        };
        match result {
            Ok(given) => {
                tracing::debug!(?cert_ids, "answered");
                given
            }
            Err(refusal) => refused(cert_ids, &refusal),
        }
    }

    fn without_waiting<'a>(&self, request: &Request<'a>, now: UnixTime) -> Result<Step<'a>, Refusal> {
        let keeper = self.keeper_for(request.cert_ids())?;
        let active = keeper.current();
        let epoch = self.source.epoch();
        let key = KeyRef::of(request, keeper.issuer());
        let found = key.map_or(Found::Nothing, |key| self.cache.find(&key, now, epoch, &active));
        let unless_changed = match found {
            Found::Fresh(kept) => return Ok(Step::Kept(kept)),
            Found::UnlessChanged(kept) => Some(kept),
            Found::Nothing => None,
        };
        Ok(Step::Ask(Pending { active, epoch, key, unless_changed }))
    }

    /// The keeper of the one CA that every CertID names (RFC 6960 §4.2.2.2: a delegate answers for its own CA).
    fn keeper_for(&self, cert_ids: &[CertId<'_>]) -> Result<&DelegateKeeper, Refusal> {
        let names_all = |keeper: &&Arc<DelegateKeeper>| {
            cert_ids.iter().all(|cert_id| keeper.issuer().is_named_by(cert_id))
        };
        self.issuers.iter().find(names_all).map(|keeper| &**keeper).ok_or(Refusal::IssuerNotServed)
    }

    async fn ask_and_sign(&self, request: &Request<'_>, pending: Pending<'_>) -> Result<Given, Refusal> {
        let Pending { active, epoch, key, unless_changed } = pending;
        let mut reports = Vec::with_capacity(request.cert_ids().len());
        for cert_id in request.cert_ids() {
            reports.push(self.ask(active.delegate.issuer().resolve(cert_id)).await?);
        }
        let (Some(key), [report]) = (key, &*reports) else {
            return self.sign(request, &reports, &active).await.map(Given::Made);
        };
        let renewed = unless_changed.and_then(|kept| kept.renewed(report, epoch));
        let kept = if let Some(kept) = renewed {
            kept
        } else {
            let answer = self.sign(request, &reports, &active).await?;
            if answer.caching().is_none() {
                return Ok(Given::Made(answer));
            }
            KeptAnswer::new(answer, report, epoch, active)
        };
        let kept = Arc::new(kept);
        self.cache.keep(key, Arc::clone(&kept));
        Ok(Given::Kept(kept))
    }

    /// Asks the source. A serial number that no certificate can have is not looked up.
    async fn ask(&self, certificate: Option<CertRef>) -> Result<StatusReport, Refusal> {
        match certificate {
            Some(certificate) => Ok(self.source.status(certificate).await?),
            None => Ok(StatusReport {
                standing: Standing::NotMine,
                known_at: self.clock.now(),
                reliable_until: None,
            }),
        }
    }

    async fn sign(
        &self,
        request: &Request<'_>,
        reports: &[StatusReport],
        active: &ActiveDelegate,
    ) -> Result<Answer, Refusal> {
        // Asking may have taken long: this is the time of the answer.
        let now = self.clock.now();
        let status = |report| self.policy.status(report, now);
        let statuses = reports.iter().map(status).collect::<Result<Vec<_>, _>>()?;
        let unsigned = active.delegate.respond(request, &statuses, now)?;
        let signature = active.key.sign(unsigned.tbs()).await?;
        let answer = Answer::new(unsigned.finish(&signature));
        // So may signing have; what is out of date is never sent.
        let in_time = answer.next_update().is_some_and(|next_update| self.clock.now() <= next_update);
        if in_time { Ok(answer) } else { Err(Refusal::OutOfDate) }
    }
}

/// The nonce and what else the client sent stay out of the log.
fn refused(cert_ids: &[CertId<'_>], refusal: &Refusal) -> Given {
    tracing::debug!(?cert_ids, status = %refusal.status(), %refusal, "refused");
    Given::error(refusal.status())
}
