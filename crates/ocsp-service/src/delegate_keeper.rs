//! Keeps a sound delegate of one CA at hand.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use ocsp_proto::{
    Delegate, DelegateError, Issuer, Question, QuestionError, Request, RequestError, RespondError,
    SingleStatus, VerifyError,
};
use pki_core::{
    CertStatus, Certificate, Clock, DigestAlgorithm, KeyError, SignatureVerifier, SigningKey, UnixTime,
};

use crate::{DelegateSource, DelegateSourceError, IssuedDelegate};

/// What a [`DelegateKeeper`] needs.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "every part is required")]
pub struct DelegateParts {
    /// The CA to speak for.
    pub issuer: Certificate,
    /// Where its delegates come from.
    pub source: Arc<dyn DelegateSource>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Checks what the source gives.
    pub verifier: Arc<dyn SignatureVerifier>,
}

/// Holds the delegate that signs for one CA, and replaces it at half of its life. A delegate is taken into use only
/// after a response signed with it was verified as a client would.
#[derive(Debug)]
pub struct DelegateKeeper {
    issuer: Issuer,
    source: Arc<dyn DelegateSource>,
    clock: Arc<dyn Clock>,
    verifier: Arc<dyn SignatureVerifier>,
    current: RwLock<Option<Arc<ActiveDelegate>>>,
}

/// A delegate in use. Who holds one may finish with it after it was replaced: its certificate is valid for as long
/// again.
#[derive(Debug)]
pub(crate) struct ActiveDelegate {
    pub(crate) delegate: Delegate,
    pub(crate) key: Arc<dyn SigningKey>,
}

impl DelegateKeeper {
    /// Gets the first delegate; fails when there is none or it is not sound.
    pub async fn start(parts: DelegateParts) -> Result<Arc<Self>, NoDelegate> {
        let keeper = Self::start_without(parts);
        keeper.renew().await?;
        Ok(keeper)
    }

    /// Has no delegate yet; the first one comes when the source gives one, after
    /// [`OcspService::run`](crate::OcspService::run) has asked for it. Until then every answer is tryLater.
    pub fn start_without(parts: DelegateParts) -> Arc<Self> {
        let DelegateParts { issuer, source, clock, verifier } = parts;
        let (issuer, current) = (Issuer::new(issuer), RwLock::default());
        Arc::new(Self { issuer, source, clock, verifier, current })
    }

    /// The CA.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// The certificate that answers are signed under now, if there is one.
    pub fn certificate(&self) -> Option<Certificate> {
        self.current().map(|current| current.delegate.certificate().clone())
    }

    /// Whether answers can be signed now.
    pub fn is_ready(&self) -> bool {
        let now = self.clock.now();
        self.current().is_some_and(|current| current.delegate.certificate().validity().contains(now))
    }

    /// Whether the CA's certificate is over, so that there will be no further delegate.
    pub(crate) fn issuer_is_over(&self) -> bool {
        self.issuer.certificate().validity().not_after() < self.clock.now()
    }

    /// Asks the source for another delegate if half of the current one's life is over, and the CA's is not.
    pub async fn renew_if_due(&self) -> Result<(), NoDelegate> {
        if self.clock.now() < self.renew_at() || self.issuer_is_over() {
            return Ok(());
        }
        self.renew().await
    }

    async fn renew(&self) -> Result<(), NoDelegate> {
        let offered = self.source.delegate().await?;
        if Some(&offered.certificate) == self.certificate().as_ref() {
            return Err(NoDelegate::Same { not_after: offered.certificate.validity().not_after() });
        }
        let next = ActiveDelegate::try_out(offered, &self.issuer, self.clock.now(), &*self.verifier).await?;
        next.log();
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(next));
        Ok(())
    }

    /// When half of the current delegate's life is over; long ago when there is none.
    pub fn renew_at(&self) -> UnixTime {
        let Some(certificate) = self.certificate() else { return UnixTime(0) };
        let validity = certificate.validity();
        let life = validity.not_after().saturating_since(validity.not_before());
        validity.not_before().saturating_add(life.checked_div(2).unwrap_or_default())
    }

    /// Loud without a certificate and in the last tenth of its life; before, there is time for the next attempts.
    pub(crate) fn log_failure(&self, error: &dyn fmt::Display) {
        let Some(certificate) = self.certificate() else {
            tracing::error!(issuer = ?self.issuer, %error, "no responder certificate can be had yet");
            return;
        };
        let validity = certificate.validity();
        let (life, not_after) =
            (validity.not_after().saturating_since(validity.not_before()), validity.not_after());
        let left = not_after.saturating_since(self.clock.now());
        if left < life.checked_div(10).unwrap_or_default() {
            tracing::error!(issuer = ?self.issuer, %not_after, %error, "responder certificate not renewed");
        } else {
            tracing::info!(issuer = ?self.issuer, %not_after, %error, "responder certificate not renewed yet");
        }
    }

    pub(crate) fn current(&self) -> Option<Arc<ActiveDelegate>> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl ActiveDelegate {
    /// Has a response signed and verifies it, so that a key that is not the certificate's comes to light before
    /// anyone is answered.
    async fn try_out(
        offered: IssuedDelegate,
        issuer: &Issuer,
        now: UnixTime,
        verifier: &dyn SignatureVerifier,
    ) -> Result<Self, NoDelegate> {
        let IssuedDelegate { certificate, key } = offered;
        let delegate = Delegate::new(certificate, issuer.clone(), key.algorithm(), now, verifier)?;
        let question = Question::new(issuer.clone(), DigestAlgorithm::Sha256, [&[1][..]])?;
        let request = Request::parse(question.as_der())?;
        let status = SingleStatus { status: CertStatus::Unknown, this_update: now, next_update: Some(now) };
        let unsigned = delegate.respond(&request, &[status], now)?;
        let signature = key.sign(unsigned.tbs()).await?;
        question.verify(unsigned.finish(&signature).as_der(), now, Duration::ZERO, verifier)?;
        Ok(Self { delegate, key })
    }

    fn log(&self) {
        let certificate = self.delegate.certificate();
        tracing::info!(
            issuer = %certificate.issuer(),
            serial = certificate.serial_number().map(tracing::field::display),
            not_after = %certificate.validity().not_after(),
            "responder certificate in use"
        );
    }
}

/// Why there is no new delegate.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NoDelegate {
    /// The source has none.
    #[error(transparent)]
    Source(#[from] DelegateSourceError),
    /// The certificate is not one to answer with.
    #[error(transparent)]
    Unsound(#[from] DelegateError),
    /// The source gives the certificate that is in use already.
    #[error("the responder certificate is to be replaced by a newer one before it ends at {not_after}")]
    Same {
        /// The end of its validity.
        not_after: UnixTime,
    },
    /// The key cannot sign.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A client would not believe what the delegate signs: most likely the key is not that of the certificate.
    #[error("a response signed on trial does not verify: {0}")]
    NotBelieved(#[from] VerifyError),
    /// No response can be built with it.
    #[error(transparent)]
    Respond(#[from] RespondError),
    /// No trial can be made.
    #[error(transparent)]
    Trial(#[from] QuestionError),
    /// No trial can be made.
    #[error(transparent)]
    TrialRequest(#[from] RequestError),
}
