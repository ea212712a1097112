//! What a webhook is told of requests that another one let through.

use std::sync::Arc;

use enrollment::{Asked, NoticeCarrier, Refusal, RefusalClass, Undelivered};
use issuance::Notice;
use pki_core::{BoxFuture, CertRef, Certificate, Clock};
use rest_client::RestError;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Webhook,
    body::{Issued, News},
};

/// The body of a [`Notice`], as JSON.
#[derive(Debug, Serialize, Deserialize)]
struct Body {
    profile: String,
    transaction_id: String,
    /// `None` for a success.
    failure: Option<Failure>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Failure {
    /// SCEP's failInfo.
    code: u8,
    description: String,
}

/// That a certificate was issued.
pub(crate) fn of_success(kind: &str, asked: &Asked<'_>) -> Option<Notice> {
    notice(kind, asked, None)
}

/// That there will be none; nothing when the request may come again.
pub(crate) fn of_failure(kind: &str, asked: &Asked<'_>, refusal: &Refusal) -> Option<Notice> {
    let code = match refusal.class() {
        RefusalClass::TryLater => return None,
        RefusalClass::BadAlgorithm => 0,
        RefusalClass::BadRequest | RefusalClass::Internal => 2,
        RefusalClass::NotFound => 4,
    };
    notice(kind, asked, Some(Failure { code, description: refusal.reply_text().into_owned() }))
}

fn notice(kind: &str, asked: &Asked<'_>, failure: Option<Failure>) -> Option<Notice> {
    let transaction_id = String::from_utf8_lossy(asked.transaction_id).into_owned();
    let body = Body { profile: asked.profile.to_owned(), transaction_id, failure };
    Some(Notice { kind: kind.to_owned(), body: serde_json::to_vec(&body).ok()? })
}

/// Tells a webhook what became of requests.
#[derive(Debug)]
pub struct WebhookNotices {
    webhook: Webhook,
    kind: String,
    clock: Arc<dyn Clock>,
}

impl WebhookNotices {
    /// Carries notices of `kind`, which a [`WebhookChallenge`](crate::WebhookChallenge) makes.
    pub fn new(webhook: Webhook, kind: impl Into<String>, clock: Arc<dyn Clock>) -> Self {
        Self { webhook, kind: kind.into(), clock }
    }

    async fn deliver(
        &self,
        notice: &Notice,
        issued: Option<&(CertRef, Certificate)>,
    ) -> Result<(), Undelivered> {
        let body = serde_json::from_slice::<Body>(&notice.body);
        let Body { profile, transaction_id, failure } =
            body.map_err(|error| Undelivered::Never { why: format!("the notice cannot be read: {error}") })?;
        let news = News {
            timestamp: self.clock.now().to_string(),
            provisioner_name: &profile,
            scep_transaction_id: &transaction_id,
            x509_certificate: issued.map(|(_, certificate)| Issued::of(certificate)),
            scep_error_code: failure.as_ref().map(|failure| failure.code),
            scep_error_description: failure.as_ref().map(|failure| &*failure.description),
        };
        match self.webhook.post::<Value>(&news).await {
            Ok(_) => Ok(()),
            Err(error @ RestError::Refused { .. }) => Err(Undelivered::Never { why: error.to_string() }),
            Err(RestError::Throttled { retry_after, service }) => Err(Undelivered::Later {
                why: format!("{service} asks for patience"),
                after: Some(retry_after),
            }),
            Err(error) => Err(Undelivered::Later { why: error.to_string(), after: None }),
        }
    }
}

impl NoticeCarrier for WebhookNotices {
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
