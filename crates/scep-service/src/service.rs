//! The service itself: a pkiMessage in, a CertRep out.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use pki_core::{KeyError, RandomFailed};
use scep_proto::{
    Capabilities, Capability, Exchange, FailInfo, PkiMessage, RejectReason, Rejection, Request,
    RequestMessage, SealedRequest, UnsignedReply, VerifiedMessage, ca_certificates,
};

use crate::{
    Decision, Origin, OtherAuthority, PartsError, Renewal, ScepError, ScepParts, Submission, audit,
    authority::Authority,
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
    /// Numbers the internal errors, so that a log line can be found from what a client was told.
    errors: Arc<AtomicU64>,
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

    /// Answers one `PKIOperation`: a pkiMessage in, the CertRep to send back out.
    pub async fn pki_operation(&self, message: &[u8], origin: Origin) -> Result<Vec<u8>, ScepError> {
        let message = PkiMessage::parse(message)?;
        self.answer(&message, origin).await
    }

    async fn answer(&self, message: &PkiMessage, origin: Origin) -> Result<Vec<u8>, ScepError> {
        let Inner { parts, authority, others, neighbors, .. } = &*self.0;
        let verified = match message.verify(&*parts.verifier, &parts.policy) {
            Ok(verified) => verified,
            Err(rejection) => return self.reject(authority, &rejection, &origin).await,
        };
        let not_for_us = match authority.sealed(&verified) {
            Ok(sealed) => return self.serve(authority, &sealed, origin).await,
            Err(rejection) => rejection,
        };
        for other in others {
            if let Ok(sealed) = other.sealed(&verified) {
                return self.serve(other, &sealed, origin).await;
            }
        }
        match neighbors.iter().find(|neighbor| neighbor.is_addressed(&verified)) {
            Some(neighbor) => Box::pin(neighbor.answer(message, origin)).await,
            None => self.reject(authority, &not_for_us, &origin).await,
        }
    }

    fn is_addressed(&self, message: &VerifiedMessage) -> bool {
        let Inner { authority, others, .. } = &*self.0;
        std::iter::once(authority).chain(others).any(|authority| authority.sealed(message).is_ok())
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
        sealed: &SealedRequest<'_>,
        origin: Origin,
    ) -> Result<Vec<u8>, ScepError> {
        let unsigned = match self.open(authority, sealed).await {
            Ok(request) => self.decide(authority, request, origin).await?,
            Err(Unopened::Rejected(rejection)) => return self.reject(authority, &rejection, &origin).await,
            Err(Unopened::Error(error)) => return Err(error),
        };
        Ok(authority.sign(unsigned).await?)
    }

    async fn open(&self, authority: &Authority, sealed: &SealedRequest<'_>) -> Result<Request, Unopened> {
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
        Ok(sealed.open(key, &*parts.verifier, &*parts.random)?)
    }

    async fn decide(
        &self,
        authority: &Authority,
        request: Request,
        origin: Origin,
    ) -> Result<UnsignedReply, ScepError> {
        let exchange = request.exchange.clone();
        let renewal = matches!(request.message, RequestMessage::RenewalReq(_));
        if renewal && self.0.parts.renewal == Renewal::Refused {
            const TEXT: &str = "RenewalReq is not offered here: see GetCACaps";
            audit::refused(&origin, &exchange, "renewal-not-offered", FailInfo::BadRequest, TEXT);
            return self.failure(authority, &exchange, FailInfo::BadRequest, TEXT);
        }
        let submission = Submission { request, origin: origin.clone() };
        let decision = authority.parts.handler.handle(submission).await;
        let (parts, signer) = (&self.0.parts, &authority.signer);
        let (encryptor, random, now) = (&*parts.encryptor, &*parts.random, parts.clock.now());
        match decision {
            Decision::Issue(issued) => {
                if let Some(certificate) = issued.first() {
                    audit::issued(&origin, &exchange, certificate);
                }
                Ok(exchange.success(&issued, signer, encryptor, random, now)?)
            }
            Decision::Crl(crl) => {
                audit::crl_sent(&origin, &exchange);
                Ok(exchange.success_with_crl(&crl, signer, encryptor, random, now)?)
            }
            Decision::Pending => {
                audit::pending(&origin, &exchange);
                Ok(exchange.pending(signer, random, now)?)
            }
            Decision::Refuse { code, info, text } => {
                audit::refused(&origin, &exchange, code, info, &text);
                self.failure(authority, &exchange, info, &text)
            }
            Decision::TryLater { after } => Err(ScepError::TryLater(after)),
        }
    }

    async fn reject(
        &self,
        authority: &Authority,
        rejection: &Rejection,
        origin: &Origin,
    ) -> Result<Vec<u8>, ScepError> {
        Ok(authority.sign(self.rejection(authority, rejection, origin)?).await?)
    }

    fn rejection(
        &self,
        authority: &Authority,
        rejection: &Rejection,
        origin: &Origin,
    ) -> Result<UnsignedReply, ScepError> {
        let (exchange, reason) = (rejection.exchange(), rejection.reason());
        if *reason == RejectReason::NoRandomness {
            return Err(ScepError::Internal(RandomFailed.into()));
        }
        audit::rejected(origin, exchange, reason);
        self.failure(authority, exchange, reason.fail_info(), &reason.to_string())
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

    fn change(&mut self) -> &mut Inner {
        Arc::make_mut(&mut self.0)
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
