//! The service itself: a pkiMessage in, a CertRep out.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use pki_core::{KeyError, RandomFailed};
use scep_proto::{
    Exchange, FailInfo, PkiMessage, RejectReason, Rejection, ReplySigner, Request, RequestMessage,
    UnsignedReply, ca_certificates,
};

use crate::{Decision, Origin, PartsError, Renewal, ScepError, ScepParts, Submission, audit};

/// Answers SCEP ([RFC 8894](https://www.rfc-editor.org/rfc/rfc8894)). Cheap to clone.
///
/// As a [`hyper::service::Service`] it answers HTTP requests whatever their path: routing, and with it the choice of
/// a profile, belongs to whoever mounts it. [`ScepService::pki_operation`] does the same below HTTP.
#[derive(Debug, Clone)]
pub struct ScepService(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    parts: ScepParts,
    signer: ReplySigner,
    capabilities: Bytes,
    certificates: (&'static str, Bytes),
    /// Numbers the internal errors, so that a log line can be found from what a client was told.
    errors: AtomicU64,
}

impl ScepService {
    /// A service of these parts.
    pub fn new(parts: ScepParts) -> Result<Self, PartsError> {
        parts.check()?;
        let signer = ReplySigner::new(parts.ra_certificate.clone(), parts.signing_key.algorithm());
        let capabilities = parts.capabilities().to_string().into();
        let (media_type, body) = ca_certificates::encode(&parts.certificates());
        let certificates = (media_type, body.into());
        let errors = AtomicU64::new(1);
        Ok(Self(Arc::new(Inner { parts, signer, capabilities, certificates, errors })))
    }

    /// Answers one `PKIOperation`: a pkiMessage in, the CertRep to send back out.
    pub async fn pki_operation(&self, message: &[u8], origin: Origin) -> Result<Vec<u8>, ScepError> {
        let message = PkiMessage::parse(message)?;
        let unsigned = match self.open(&message).await {
            Ok(request) => self.decide(request, origin).await?,
            Err(Unopened::Rejected(rejection)) => self.reject(&rejection, &origin)?,
            Err(Unopened::Error(error)) => return Err(error),
        };
        let signature = self.0.parts.signing_key.sign(unsigned.tbs()).await?;
        Ok(unsigned.finish(&signature))
    }

    /// The body of the answer to GetCACaps.
    pub(crate) fn capabilities(&self) -> Bytes {
        self.0.capabilities.clone()
    }

    /// The media type and the body of the answer to GetCACert.
    pub(crate) fn certificates(&self) -> (&'static str, Bytes) {
        self.0.certificates.clone()
    }

    /// A name for one internal error, unique while the process lives and telling when.
    pub(crate) fn correlation(&self) -> String {
        let number = self.0.errors.fetch_add(1, Ordering::Relaxed);
        format!("{:x}-{number:x}", self.0.parts.clock.now().0)
    }

    async fn open(&self, message: &PkiMessage) -> Result<Request, Unopened> {
        let parts = &self.0.parts;
        let verified = message.verify(&*parts.verifier, &parts.policy)?;
        let sealed = verified.sealed_for(&parts.ra_certificate)?;
        let key = match parts.decryption_key.unwrap_key(sealed.wrapped_key()).await {
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

    async fn decide(&self, request: Request, origin: Origin) -> Result<UnsignedReply, ScepError> {
        let exchange = request.exchange.clone();
        let renewal = matches!(request.message, RequestMessage::RenewalReq(_));
        if renewal && self.0.parts.renewal == Renewal::Refused {
            const TEXT: &str = "RenewalReq is not offered here: see GetCACaps";
            audit::refused(&origin, &exchange, "renewal-not-offered", FailInfo::BadRequest, TEXT);
            return self.failure(&exchange, FailInfo::BadRequest, TEXT);
        }
        let submission = Submission { request, origin: origin.clone() };
        let Inner { parts, signer, .. } = &*self.0;
        let decision = parts.handler.handle(submission).await;
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
                self.failure(&exchange, info, &text)
            }
            Decision::TryLater { after } => Err(ScepError::TryLater(after)),
        }
    }

    fn reject(&self, rejection: &Rejection, origin: &Origin) -> Result<UnsignedReply, ScepError> {
        let (exchange, reason) = (rejection.exchange(), rejection.reason());
        if *reason == RejectReason::NoRandomness {
            return Err(ScepError::Internal(RandomFailed.into()));
        }
        audit::rejected(origin, exchange, reason);
        self.failure(exchange, reason.fail_info(), &reason.to_string())
    }

    fn failure(&self, exchange: &Exchange, info: FailInfo, text: &str) -> Result<UnsignedReply, ScepError> {
        let Inner { parts, signer, .. } = &*self.0;
        let text = (!text.is_empty()).then_some(text);
        Ok(exchange.failure(signer, info, text, &*parts.random, parts.clock.now())?)
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
