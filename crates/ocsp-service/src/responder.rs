//! From the bytes of a request to an answer.

use std::sync::Arc;

use ocsp_proto::{CertId, ErrorStatus, Request, Response, SingleStatus};
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

/// An answer signed for this request, or one that was kept.
pub(crate) enum Given {
    Signed(Answer),
    Kept(Arc<KeptAnswer>),
}

impl Given {
    pub(crate) fn answer(&self) -> &Answer {
        match self {
            Self::Signed(answer) => answer,
            Self::Kept(kept) => kept.answer(),
        }
    }
}

impl Responder {
    /// Answers; always has an answer. Logs one line.
    pub(crate) async fn answer(&self, der: &[u8]) -> Given {
        let result = match Request::parse_at_most(der, self.max_cert_ids) {
            Ok(request) => {
                let result = self.answer_request(&request).await;
                log(request.cert_ids(), &result);
                result
            }
            Err(error) => {
                log(&[], &Err(error.clone().into()));
                Err(error.into())
            }
        };
        result.unwrap_or_else(|refusal| Given::Signed(error_answer(refusal.status())))
    }

    async fn answer_request(&self, request: &Request<'_>) -> Result<Given, Refusal> {
        let keeper = self.keeper_for(request.cert_ids())?;
        let active = keeper.current();
        let certificates: Vec<_> =
            request.cert_ids().iter().map(|cert_id| keeper.issuer().resolve(cert_id)).collect();
        let key = KeyRef::of(request, &certificates);
        let now = self.clock.now();
        // Read before the source is asked: what changes in between is then noticed the next time.
        let epoch = self.source.epoch();
        let found = key.map_or(Found::Nothing, |key| self.cache.find(&key, now, epoch, &active));
        if let Found::Fresh(kept) = found {
            return Ok(Given::Kept(kept));
        }
        let reports = self.ask(&certificates, now).await?;
        if let (Found::IfUnchanged(kept), Some(key), [report]) = (found, key, &*reports)
            && let Some(kept) = kept.renewed(report, epoch)
        {
            let kept = Arc::new(kept);
            self.cache.keep(key, Arc::clone(&kept));
            return Ok(Given::Kept(kept));
        }
        let answer = self.sign(request, &reports, &active).await?;
        match (key, &*reports) {
            (Some(key), [report]) if answer.caching().is_some() => {
                let kept = Arc::new(KeptAnswer::new(answer, report, epoch, active));
                self.cache.keep(key, Arc::clone(&kept));
                Ok(Given::Kept(kept))
            }
            _ => Ok(Given::Signed(answer)),
        }
    }

    /// The keeper of the one CA that every CertID names (RFC 6960 §4.2.2.2: a delegate answers for its own CA).
    fn keeper_for(&self, cert_ids: &[CertId<'_>]) -> Result<&DelegateKeeper, Refusal> {
        let names_all = |keeper: &&Arc<DelegateKeeper>| {
            cert_ids.iter().all(|cert_id| keeper.issuer().is_named_by(cert_id))
        };
        self.issuers.iter().find(names_all).map(|keeper| &**keeper).ok_or(Refusal::IssuerNotServed)
    }

    /// Asks the source about each certificate. A serial number that no certificate has is not looked up.
    async fn ask(
        &self,
        certificates: &[Option<CertRef>],
        now: UnixTime,
    ) -> Result<Vec<StatusReport>, Refusal> {
        let mut reports = Vec::with_capacity(certificates.len());
        for certificate in certificates {
            reports.push(match certificate {
                Some(certificate) => self.source.status(*certificate).await?,
                None => StatusReport { standing: Standing::NotMine, known_at: now, reliable_until: None },
            });
        }
        Ok(reports)
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
        let statuses = reports.iter().map(status).collect::<Result<Vec<SingleStatus>, _>>()?;
        let unsigned = active.delegate.respond(request, &statuses, now)?;
        let signature = active.key.sign(unsigned.tbs()).await?;
        let answer = Answer::new(unsigned.finish(&signature));
        // So may signing have; what is out of date is never sent.
        let in_time = answer.next_update().is_some_and(|next_update| self.clock.now() <= next_update);
        if in_time { Ok(answer) } else { Err(Refusal::OutOfDate) }
    }
}

pub(crate) fn error_answer(status: ErrorStatus) -> Answer {
    Answer::new(Response::error(status))
}

/// One event an answer; the nonce and what else the client sent stay out of it.
fn log(cert_ids: &[CertId<'_>], result: &Result<Given, Refusal>) {
    match result {
        Ok(Given::Kept(_)) => tracing::debug!(?cert_ids, "answered, as kept or to be kept"),
        Ok(Given::Signed(_)) => tracing::debug!(?cert_ids, "answered, signed for this request alone"),
        Err(refusal) => tracing::debug!(?cert_ids, status = %refusal.status(), %refusal, "refused"),
    }
}
