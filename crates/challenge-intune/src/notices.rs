//! What Intune is told, kept until it has heard it.

use enrollment::{NoticeCarrier, Refusal, RefusalClass, Undelivered};
use issuance::Notice;
use pki_core::{BoxFuture, CertRef, Certificate};
use rest_client::RestError;
use serde::{Deserialize, Serialize};

use crate::{HResult, IntuneError, IntuneService, ScepTransaction};

/// The body of a [`Notice`], as JSON.
#[derive(Debug, Serialize, Deserialize)]
struct Body {
    #[serde(flatten)]
    transaction: ScepTransaction,
    /// `None` for a success.
    failure: Option<Failure>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Failure {
    result: HResult,
    description: String,
}

/// That a certificate was issued in `transaction`.
pub(crate) fn of_success(kind: &str, transaction: ScepTransaction) -> Option<Notice> {
    notice(kind, &Body { transaction, failure: None })
}

/// That there will be none; nothing when the request may come again.
pub(crate) fn of_failure(kind: &str, transaction: ScepTransaction, refusal: &Refusal) -> Option<Notice> {
    let result = match refusal.class() {
        RefusalClass::TryLater => return None,
        RefusalClass::BadRequest | RefusalClass::NotFound => HResult::AccessDenied,
        RefusalClass::BadAlgorithm => HResult::BadAlgorithm,
        RefusalClass::Internal => HResult::Failed,
    };
    let failure = Some(Failure { result, description: refusal.reply_text().into_owned() });
    notice(kind, &Body { transaction, failure })
}

fn notice(kind: &str, body: &Body) -> Option<Notice> {
    Some(Notice { kind: kind.to_owned(), body: serde_json::to_vec(body).ok()? })
}

/// Tells Intune what became of the requests that it let through.
#[derive(Debug)]
pub struct IntuneNotices {
    service: IntuneService,
    kind: String,
}

impl IntuneNotices {
    /// Carries notices of `kind`, which an [`IntuneChallenge`](crate::IntuneChallenge) makes.
    pub fn new(service: IntuneService, kind: impl Into<String>) -> Self {
        Self { service, kind: kind.into() }
    }

    async fn deliver(
        &self,
        notice: &Notice,
        issued: Option<&(CertRef, Certificate)>,
    ) -> Result<(), Undelivered> {
        let body = serde_json::from_slice::<Body>(&notice.body);
        let Body { transaction, failure } =
            body.map_err(|error| Undelivered::Never { why: format!("the notice cannot be read: {error}") })?;
        let told = match (issued, failure) {
            (Some((reference, certificate)), _) => {
                self.service.notify_success(&transaction, certificate, reference.issuer).await
            }
            (None, Some(Failure { result, description })) => {
                self.service.notify_failure(&transaction, result, &description).await
            }
            (None, None) => {
                return Err(Undelivered::Never { why: String::from("a success without a certificate") });
            }
        };
        told.map_err(|error| match error {
            IntuneError::Rejected { .. } => Undelivered::Never { why: error.to_string() },
            IntuneError::Unreachable(RestError::Throttled { retry_after, .. }) => {
                Undelivered::Later { why: error.to_string(), after: Some(retry_after) }
            }
            IntuneError::Undecided { .. } | IntuneError::Unreachable(_) => {
                Undelivered::Later { why: error.to_string(), after: None }
            }
        })
    }
}

impl NoticeCarrier for IntuneNotices {
    fn kind(&self) -> &str {
        &self.kind
    }

    fn carry<'a>(
        &'a self,
        notice: &'a Notice,
        issued: Option<&'a (CertRef, Certificate)>,
    ) -> BoxFuture<'a, Result<(), Undelivered>> {
        Box::pin(self.deliver(notice, issued))
    }
}
