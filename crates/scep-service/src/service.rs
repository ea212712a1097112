//! The service itself: a pkiMessage in, a CertRep out.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use http_listener::TrustedProxies;
use pki_core::{DigestAlgorithm, KeyError, RandomFailed};
use scep_proto::{
    Capabilities, Capability, Exchange, FailInfo, MessageType, PkiMessage, RejectReason, Rejection, Request,
    RequestMessage, SealedRequest, Tolerances, UnsignedReply, VerifiedMessage, ca_certificates,
};

use crate::{
    Decision, Origin, OtherAuthority, PartsError, Rate, Renewal, ScepError, ScepParts, Submission, Throttle,
    audit,
    authority::Authority,
    metrics::{Outcome, ProfileMetrics, Stage, Stopwatch},
    throttle::Allowance,
};

/// Answers SCEP ([RFC 8894](https://www.rfc-editor.org/rfc/rfc8894)). Cheap to clone.
///
/// As a [`hyper::service::Service`] it answers HTTP requests whatever their path: routing, and with it the choice of
/// a profile, belongs to whoever mounts it. [`ScepService::pki_operation`] does the same below HTTP.
#[derive(Debug, Clone)]
pub struct ScepService(Arc<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    parts: ScepParts,
    /// The one of the parts.
    authority: Authority,
    others: Vec<Authority>,
    neighbors: Vec<ScepService>,
    capabilities: Bytes,
    certificates: (&'static str, Bytes),
    next_certificates: Option<Bytes>,
    throttle: Option<Arc<Throttle>>,
    allowance: Option<Arc<Allowance>>,
    trusted_proxies: Arc<TrustedProxies>,
    metrics: Option<ProfileMetrics>,
    /// Numbers the internal errors, so that a log line can be found from what a client was told.
    errors: Arc<AtomicU64>,
}

/// A CertRep, and what it says.
struct Reply {
    body: Vec<u8>,
    outcome: Outcome,
}

impl ScepService {
    /// A service of these parts.
    pub fn new(parts: ScepParts) -> Result<Self, PartsError> {
        let authority = Authority::new(parts.authority())?;
        let capabilities = parts.capabilities().collect::<Capabilities>().to_string().into();
        let (media_type, body) = ca_certificates::encode(&parts.certificates());
        Ok(Self(Arc::new(Inner {
            parts,
            authority,
            others: Vec::new(),
            neighbors: Vec::new(),
            capabilities,
            certificates: (media_type, body.into()),
            next_certificates: None,
            throttle: None,
            allowance: None,
            trusted_proxies: Arc::default(),
            metrics: None,
            errors: Arc::new(AtomicU64::new(1)),
        })))
    }

    /// Speaks for another CA as well: messages that are encrypted to its RA are decided by its handler and answered by
    /// its RA.
    pub fn with_other_authority(mut self, authority: OtherAuthority) -> Result<Self, PartsError> {
        let authority = Authority::new(authority)?;
        self.change().others.push(authority);
        Ok(self)
    }

    /// Answers GetNextCACert with this body, a SignedData by the CA's key around the next CA's certificates
    /// ([RFC 8894 §4.7.1](https://www.rfc-editor.org/rfc/rfc8894#section-4.7.1)), and says so in GetCACaps.
    #[must_use]
    pub fn with_next_certificates(mut self, signed: impl Into<Bytes>) -> Self {
        let inner = self.change();
        let offered = inner.parts.capabilities().chain([Capability::GetNextCaCert]);
        inner.capabilities = offered.collect::<Capabilities>().to_string().into();
        inner.next_certificates = Some(signed.into());
        self
    }

    /// Hands messages that are encrypted to none of its own RAs, but to one of another service's, to that one: for
    /// clients that were given the certificates of a CA that they named, and have nowhere to name it again.
    #[must_use]
    pub fn with_neighbors(mut self, neighbors: Vec<ScepService>) -> Self {
        self.change().neighbors = neighbors;
        self
    }

    /// Holds back sources that ask for more than `throttle` allows: HTTP 429. Share one among services.
    #[must_use]
    pub fn with_throttle(mut self, throttle: Arc<Throttle>) -> Self {
        self.change().throttle = Some(throttle);
        self
    }

    /// Answers no more PKIOperations than that, of all sources together: HTTP 429.
    #[must_use]
    pub fn with_rate(mut self, rate: Rate) -> Self {
        self.change().allowance = Some(Arc::new(Allowance::new(rate)));
        self
    }

    /// Takes the word of these on where a request came from.
    #[must_use]
    pub fn with_trusted_proxies(mut self, proxies: TrustedProxies) -> Self {
        self.change().trusted_proxies = Arc::new(proxies);
        self
    }

    /// Counts what it does.
    #[must_use]
    pub fn with_metrics(mut self, metrics: ProfileMetrics) -> Self {
        self.change().metrics = Some(metrics);
        self
    }

    /// Answers one `PKIOperation`: a pkiMessage in, the CertRep to send back out.
    pub async fn pki_operation(&self, message: &[u8], origin: Origin) -> Result<Vec<u8>, ScepError> {
        self.admit(&origin).inspect_err(|_| self.count(None, Outcome::Throttled))?;
        let watch = Stopwatch::start(self.0.metrics.as_ref());
        let message = PkiMessage::parse(message).inspect_err(|_| self.count(None, Outcome::NotScep))?;
        self.answer(&message, origin, watch).await
    }

    fn admit(&self, origin: &Origin) -> Result<(), ScepError> {
        let Inner { parts, throttle, allowance, .. } = &*self.0;
        let now = parts.clock.now();
        let by_source = throttle.as_ref().zip(origin.accountable());
        let by_source = by_source.map_or(Ok(()), |(throttle, source)| throttle.admit(source, now));
        let all = || allowance.as_ref().map_or(Ok(()), |allowance| allowance.take(now));
        by_source.and_then(|()| all()).map_err(ScepError::TooMany)
    }

    async fn answer(
        &self,
        message: &PkiMessage,
        origin: Origin,
        mut watch: Stopwatch<'_>,
    ) -> Result<Vec<u8>, ScepError> {
        let Inner { parts, authority, others, neighbors, .. } = &*self.0;
        let verified = message.verify(&*parts.verifier, &parts.policy);
        let digest = message.digest();
        watch.lap(Stage::Verify);
        let reply = match &verified {
            Err(rejection) => self.reject(authority, rejection, &origin).await,
            Ok(verified) => match authority.sealed(verified) {
                Ok(sealed) => self.serve(authority, (&sealed, digest), origin, watch).await,
                Err(not_for_us) => {
                    let other = others.iter().find_map(|other| Some((other, other.sealed(verified).ok()?)));
                    let neighbor = || neighbors.iter().find(|neighbor| neighbor.is_addressed(verified));
                    if let Some((other, sealed)) = other {
                        self.serve(other, (&sealed, digest), origin, watch).await
                    } else if let Some(neighbor) = neighbor() {
                        // That one counts it.
                        return Box::pin(neighbor.answer(message, origin, watch)).await;
                    } else {
                        self.reject(authority, &not_for_us, &origin).await
                    }
                }
            },
        };
        self.count(message.message_type(), reply.as_ref().map_or_else(outcome_of, |reply| reply.outcome));
        reply.map(|reply| reply.body)
    }

    fn is_addressed(&self, message: &VerifiedMessage) -> bool {
        let Inner { authority, others, .. } = &*self.0;
        std::iter::once(authority).chain(others).any(|authority| authority.sealed(message).is_ok())
    }

    /// Counts departures from the RFC that a request needed.
    pub(crate) fn count_tolerated(&self, tolerated: Tolerances) {
        if let Some(metrics) = &self.0.metrics {
            metrics.tolerated(tolerated);
        }
    }

    /// The departures from the RFC that are read all the same.
    pub(crate) fn tolerances(&self) -> Tolerances {
        self.0.parts.policy.tolerances()
    }

    /// The counters of this service.
    pub(crate) fn metrics(&self) -> Option<&ProfileMetrics> {
        self.0.metrics.as_ref()
    }

    pub(crate) fn trusted_proxies(&self) -> &TrustedProxies {
        &self.0.trusted_proxies
    }

    /// The body of the answer to GetCACaps.
    pub(crate) fn capabilities(&self) -> Bytes {
        self.0.capabilities.clone()
    }

    /// The media type and the body of the answer to GetCACert.
    pub(crate) fn certificates(&self) -> (&'static str, Bytes) {
        self.0.certificates.clone()
    }

    /// The body of the answer to GetNextCACert, where there is a next CA.
    pub(crate) fn next_certificates(&self) -> Option<Bytes> {
        self.0.next_certificates.clone()
    }

    /// A name for one internal error, unique while the process lives and telling when.
    pub(crate) fn correlation(&self) -> String {
        let number = self.0.errors.fetch_add(1, Ordering::Relaxed);
        format!("{:x}-{number:x}", self.0.parts.clock.now().0)
    }

    async fn serve(
        &self,
        authority: &Authority,
        (sealed, digest): (&SealedRequest<'_>, Option<DigestAlgorithm>),
        origin: Origin,
        mut watch: Stopwatch<'_>,
    ) -> Result<Reply, ScepError> {
        let request = match self.open(authority, sealed, &mut watch).await {
            Ok(request) => request,
            Err(Unopened::Rejected(rejection)) => return self.reject(authority, &rejection, &origin).await,
            Err(Unopened::Error(error)) => return Err(error),
        };
        self.count_tolerated(request.exchange.tolerated());
        if let Some(metrics) = &self.0.metrics {
            metrics.read(&request.exchange, digest);
        }
        let (unsigned, outcome) = self.decide(authority, request, origin, &mut watch).await?;
        let body = authority.sign(unsigned).await?;
        watch.lap(Stage::Reply);
        Ok(Reply { body, outcome })
    }

    async fn open(
        &self,
        authority: &Authority,
        sealed: &SealedRequest<'_>,
        watch: &mut Stopwatch<'_>,
    ) -> Result<Request, Unopened> {
        let parts = &self.0.parts;
        let key = match authority.parts.decryption_key.unwrap_key(sealed.wrapped_key()).await {
            Ok(key) => Some(key),
            // The same whatever was sent, so it tells nothing about it.
            Err(error @ KeyError::Unavailable(_)) => {
                return Err(Unopened::Error(ScepError::KeyUnavailable(error)));
            }
            // From here on nothing may show how far the message got.
            Err(_) => None,
        };
        watch.lap(Stage::Unwrap);
        let opened = sealed.open(key, &*parts.verifier, &*parts.random);
        watch.lap(Stage::Open);
        Ok(opened?)
    }

    async fn decide(
        &self,
        authority: &Authority,
        request: Request,
        origin: Origin,
        watch: &mut Stopwatch<'_>,
    ) -> Result<(UnsignedReply, Outcome), ScepError> {
        let exchange = request.exchange.clone();
        let renewal = matches!(request.message, RequestMessage::RenewalReq(_));
        let decision = if renewal && self.0.parts.renewal == Renewal::Refused {
            const CODE: &str = "renewal-not-offered";
            const TEXT: &str = "RenewalReq is not offered here: see GetCACaps";
            authority.parts.handler.turned_down(&exchange, &origin, CODE, TEXT);
            Decision::Refuse { code: CODE, info: FailInfo::BadRequest, text: TEXT.into() }
        } else {
            authority.parts.handler.handle(Submission { request, origin: origin.clone() }).await
        };
        let decision = match decision {
            // What a CertPoll holds is not read, so that it brings no challenge along.
            Decision::Issue(_) if !exchange.can_deliver() => {
                let text = "the reply cannot be encrypted to this key: send the request itself again, with its challenge";
                Decision::Refuse { code: "undeliverable", info: FailInfo::BadRequest, text: text.into() }
            }
            decided => decided,
        };
        watch.lap(Stage::Decide);
        let (parts, signer) = (&self.0.parts, &authority.signer);
        let (encryptor, random, now) = (&*parts.encryptor, &*parts.random, parts.clock.now());
        match decision {
            Decision::Issue(issued) => {
                if let Some(certificate) = issued.first() {
                    audit::issued(&origin, &exchange, certificate);
                }
                Ok((exchange.success(&issued, signer, encryptor, random, now)?, Outcome::Success))
            }
            Decision::Crl(crl) => {
                audit::crl_sent(&origin, &exchange);
                Ok((exchange.success_with_crl(&crl, signer, encryptor, random, now)?, Outcome::Success))
            }
            Decision::Pending => {
                audit::pending(&origin, &exchange);
                Ok((exchange.pending(signer, random, now)?, Outcome::Pending))
            }
            Decision::Refuse { code, info, text } => {
                audit::refused(&origin, &exchange, code, info, &text);
                self.count_refusal(code);
                Ok((self.failure(authority, &exchange, info, &text)?, Outcome::Failure))
            }
            Decision::TryLater { after } => Err(ScepError::TryLater(after)),
        }
    }

    /// Turned down before the handler saw it.
    async fn reject(
        &self,
        authority: &Authority,
        rejection: &Rejection,
        origin: &Origin,
    ) -> Result<Reply, ScepError> {
        let (exchange, reason) = (rejection.exchange(), rejection.reason());
        if *reason == RejectReason::NoRandomness {
            return Err(ScepError::Internal(RandomFailed.into()));
        }
        audit::rejected(origin, exchange, reason);
        self.count_tolerated(exchange.tolerated());
        self.count_refusal(reason.code());
        authority.parts.handler.turned_down(exchange, origin, reason.code(), &reason.to_string());
        if *reason == RejectReason::Undecryptable {
            self.charge_undecryptable(origin);
        }
        let unsigned = self.failure(authority, exchange, reason.fail_info(), &reason.to_string())?;
        Ok(Reply { body: authority.sign(unsigned).await?, outcome: Outcome::Failure })
    }

    fn charge_undecryptable(&self, origin: &Origin) {
        let Some((throttle, source)) = self.0.throttle.as_ref().zip(origin.accountable()) else { return };
        if throttle.undecryptable(source, self.0.parts.clock.now()) {
            audit::decryption_budget_spent(origin);
        }
    }

    fn failure(
        &self,
        authority: &Authority,
        exchange: &Exchange,
        info: FailInfo,
        text: &str,
    ) -> Result<UnsignedReply, ScepError> {
        let parts = &self.0.parts;
        let text = (!text.is_empty()).then_some(text);
        Ok(exchange.failure(&authority.signer, info, text, &*parts.random, parts.clock.now())?)
    }

    fn count(&self, operation: Option<MessageType>, outcome: Outcome) {
        if let Some(metrics) = &self.0.metrics {
            metrics.message(operation, outcome);
        }
    }

    fn count_refusal(&self, code: &'static str) {
        if let Some(metrics) = &self.0.metrics {
            metrics.refused(code);
        }
    }

    fn change(&mut self) -> &mut Inner {
        Arc::make_mut(&mut self.0)
    }
}

fn outcome_of(error: &ScepError) -> Outcome {
    match error {
        ScepError::NotScep(_) => Outcome::NotScep,
        ScepError::TooMany(_) => Outcome::Throttled,
        ScepError::TryLater(_) | ScepError::KeyUnavailable(_) => Outcome::PutOff,
        ScepError::Internal(_) => Outcome::Error,
    }
}

/// A message that did not come to be a request.
enum Unopened {
    Rejected(Rejection),
    Error(ScepError),
}

impl From<Rejection> for Unopened {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}
