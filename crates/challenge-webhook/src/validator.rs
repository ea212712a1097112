//! First enrollments that a webhook decides upon.

use std::{fmt, sync::Arc};

use enrollment::{Asked, ChallengeValidator, Outbox, Refusal, Validated};
use pki_core::BoxFuture;

use crate::{
    Webhook,
    body::{Answer, Data, Question},
    notices,
};

/// What a [`WebhookChallenge`] is made of.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "required collaborators")]
pub struct WebhookChallengeParts {
    /// Is asked.
    pub webhook: Webhook,
    /// Keeps what is to be told, and the kind of it: that of the [`WebhookNotices`](crate::WebhookNotices) that carry it.
    /// `None`: nobody is told.
    pub told: Option<(Arc<dyn Outbox>, String)>,
}

/// Has a webhook decide. It may name the object and the names; otherwise the names in the request find the object. A
/// request without a challenge is asked about, too.
pub struct WebhookChallenge(WebhookChallengeParts);

impl WebhookChallenge {
    /// From its parts.
    pub fn new(parts: WebhookChallengeParts) -> Self {
        Self(parts)
    }

    async fn decide(&self, asked: &Asked<'_>) -> Result<Validated, Refusal> {
        let answer = self.0.webhook.post::<Answer>(&Question::about(asked)?).await;
        let answer = answer.map_err(|error| Refusal::AuthorityUnavailable(error.to_string()))?;
        let Data { object, names, reason } = answer.data.unwrap_or_default();
        if !answer.allow {
            let why = reason.unwrap_or_else(|| "it gave no reason".into());
            return Err(Refusal::rejected_by("the webhook", &why));
        }
        let object = object.map(|object| {
            let expected = "the webhook named an object in another form than kind:id";
            object.parse().map_err(|error| Refusal::Internal(format!("{expected}: {error}")))
        });
        let notice = self.0.told.as_ref().and_then(|(_, kind)| notices::of_success(kind, asked));
        Ok(Validated { object: object.transpose()?, names, notice, ..Validated::default() })
    }

    async fn tell_of(&self, asked: &Asked<'_>, refusal: &Refusal) {
        let Some((outbox, kind)) = &self.0.told else { return };
        let Some(notice) = notices::of_failure(kind, asked, refusal) else { return };
        if let Err(error) = outbox.post(asked.transaction, &notice).await {
            tracing::warn!(%error, code = refusal.code(), "the webhook will not be told that there is no certificate");
        }
    }
}

impl ChallengeValidator for WebhookChallenge {
    fn validate<'a>(&'a self, asked: &'a Asked<'a>) -> BoxFuture<'a, Result<Validated, Refusal>> {
        Box::pin(self.decide(asked))
    }

    fn refused<'a>(&'a self, asked: &'a Asked<'a>, refusal: &'a Refusal) -> BoxFuture<'a, ()> {
        Box::pin(self.tell_of(asked, refusal))
    }
}

impl fmt::Debug for WebhookChallenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WebhookChallenge({:?})", self.0.webhook)
    }
}
