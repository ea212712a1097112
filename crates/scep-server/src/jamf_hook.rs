//! Jamf Pro's webhook SCEPChallenge: Jamf asks for a challenge each time that it writes a SCEP payload.

use std::{sync::Arc, time::Duration};

use directory::{Directory, DirectoryError};
use enrollment::{SealedChallenges, SealedTerms};
use http_listener::{BodyError, read_body};
use hyper::{Method, Request, StatusCode, body::Incoming};
use pki_core::{Clock, UnixTime};
use serde::Deserialize;
use serde_json::{Map, Value};
use serial_binding::BoundObject;

use crate::pages::{Reply, text};

/// Longer events are not read.
const MAX_EVENT: usize = 64 * 1024;

/// How long Jamf may take to send one.
const BODY_TIMEOUT: Duration = Duration::from_secs(5);

/// What of an event may say which device it is about.
const NAMES_OF_DEVICES: [&str; 4] = ["udid", "serialNumber", "jssID", "deviceId"];

/// Where Jamf asks for challenges of one profile.
#[derive(Debug, Clone)]
pub(crate) struct JamfHook {
    /// In small letters, without slashes around it.
    pub(crate) path: String,
    pub(crate) profile: String,
    pub(crate) sealed: Arc<SealedChallenges>,
    pub(crate) lifetime: Duration,
    pub(crate) directory: Arc<dyn Directory>,
    /// Who may ask; nobody in it: all who can log in.
    pub(crate) users: Vec<String>,
}

/// The webhook's body, as far as it is read.
#[derive(Deserialize)]
struct Event {
    webhook: Webhook,
    #[serde(default)]
    event: Map<String, Value>,
}

#[derive(Deserialize)]
struct Webhook {
    #[serde(rename = "webhookEvent")]
    event: String,
}

impl JamfHook {
    /// The bare challenge, as text, which is what Jamf puts into the payload.
    pub(crate) async fn answer(&self, user: &str, request: Request<Incoming>, clock: &dyn Clock) -> Reply {
        if !self.users.is_empty() && !self.users.iter().any(|known| known == user) {
            return text(StatusCode::FORBIDDEN, "This user may not have challenges here.");
        }
        if *request.method() != Method::POST {
            return text(StatusCode::METHOD_NOT_ALLOWED, "Jamf Pro posts its events.");
        }
        let body = match read_body(request.into_body(), MAX_EVENT, BODY_TIMEOUT).await {
            Ok(body) => body,
            Err(BodyError::TooLarge { .. }) => {
                return text(StatusCode::PAYLOAD_TOO_LARGE, "Too long an event.");
            }
            Err(_) => return text(StatusCode::BAD_REQUEST, "The body ends before it should."),
        };
        match self.challenge(&body, clock.now()).await {
            Ok((challenge, object)) => {
                let object =
                    object.map_or_else(|| "whom the request names".into(), |object| object.to_string());
                tracing::info!(profile = self.profile, user, object, "a challenge was handed out");
                text(StatusCode::OK, challenge)
            }
            Err((status, problem)) => {
                tracing::warn!(profile = self.profile, user, problem, "no challenge was handed out");
                text(status, problem)
            }
        }
    }

    async fn challenge(
        &self,
        body: &[u8],
        now: UnixTime,
    ) -> Result<(String, Option<BoundObject>), (StatusCode, String)> {
        let Event { webhook, event } = serde_json::from_slice(body).map_err(|error| {
            (StatusCode::BAD_REQUEST, format!("expected an event of Jamf Pro in JSON: {error}"))
        })?;
        if webhook.event != "SCEPChallenge" {
            let problem = "expected the event SCEPChallenge: choose it as the webhook's event";
            return Err((StatusCode::UNPROCESSABLE_ENTITY, problem.into()));
        }
        let object = self.object(&event).await?;
        let terms = SealedTerms { object, ..SealedTerms::until(now.saturating_add(self.lifetime)) };
        let sealed = self.sealed.seal(&terms, &self.profile);
        let sealed = sealed.map_err(|error| (StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
        Ok((sealed.expose().to_owned(), object))
    }

    /// The device that the event tells, if it tells one. One that is told and cannot be found gets no challenge.
    async fn object(&self, event: &Map<String, Value>) -> Result<Option<BoundObject>, (StatusCode, String)> {
        let told = NAMES_OF_DEVICES.iter().filter_map(|name| event.get(*name));
        let told: Vec<String> = told
            .map(|value| value.as_str().map_or_else(|| value.to_string(), String::from))
            .filter(|name| !name.is_empty() && name != "null")
            .collect();
        for name in &told {
            match self.directory.identify(name).await {
                Ok(Some(object)) => return Ok(Some(object)),
                Ok(None) | Err(DirectoryError::Ambiguous { .. }) => {}
                Err(error) => return Err((StatusCode::SERVICE_UNAVAILABLE, error.to_string())),
            }
        }
        if told.is_empty() {
            Ok(None)
        } else {
            Err((
                StatusCode::UNPROCESSABLE_ENTITY,
                "the directory does not know the device of this event".into(),
            ))
        }
    }
}
