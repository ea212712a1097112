//! Graph tells of its own accord that users have changed.

use std::{sync::Arc, time::Duration};

use rest_client::{RestError, Secret};
use serde::Deserialize;
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;
use tokio::time::sleep;

use crate::{Follower, follower::Trouble, records::uuid};

/// A notification longer than this is refused, in octets.
pub const MAX_NOTIFICATION: usize = 1 << 20;
/// A token to be sent back that is longer is refused, in octets.
const MAX_VALIDATION_TOKEN: usize = 2048;
/// How long a subscription lives unless it is renewed; Graph allows 29 days for users, and once allowed three.
const LIFE: Duration = Duration::from_secs(2 * 24 * 3600);
/// When it is renewed.
const RENEWED_AFTER: Duration = Duration::from_secs(24 * 3600);
const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// What a [`Notifications`] is made of.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "built by every server")]
pub struct NotificationParts {
    /// Who is told.
    pub follower: Arc<Follower>,
    /// Where Graph reaches [`Notifications::answer`]: an `https` URL.
    pub url: String,
    /// What every notification must carry; all instances behind the URL know the same, 128 characters at most.
    pub client_state: Secret,
}

/// Subscribes to changes of users, and takes the notifications. Graph has none of changes to devices.
///
/// A notification changes nobody's state: it only has the object asked about anew, and the list of changes at once.
#[derive(Debug)]
pub struct Notifications(NotificationParts);

/// The answer to a request that came to the [URL](NotificationParts::url).
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "closed")]
pub enum NotificationAnswer {
    /// 200, with this as `text/plain`.
    Echo(String),
    /// 202, with nothing.
    Taken,
    /// 400: this is no request of Graph's.
    Refused,
}

impl Notifications {
    /// From its parts.
    pub fn new(parts: NotificationParts) -> Self {
        Self(parts)
    }

    /// Answers a POST with that query, undecoded, and that body. A notification without the right client state is taken
    /// and changes nothing.
    pub fn answer(&self, query: &str, body: &[u8]) -> NotificationAnswer {
        let token = query.split('&').find_map(|pair| pair.strip_prefix("validationToken="));
        if let Some(token) = token {
            let token = Some(token).filter(|token| token.len() <= MAX_VALIDATION_TOKEN).and_then(unescaped);
            return token.map_or(NotificationAnswer::Refused, NotificationAnswer::Echo);
        }
        let Ok(Told { value }) = serde_json::from_slice(body) else { return NotificationAnswer::Refused };
        for notification in value {
            self.take(&notification);
        }
        NotificationAnswer::Taken
    }

    fn take(&self, notification: &Notification) {
        let state = notification.client_state.as_deref().unwrap_or_default();
        if !bool::from(state.as_bytes().ct_eq(self.0.client_state.expose().as_bytes())) {
            tracing::warn!(target: "directory", "a notification with another client state is passed over");
            return;
        }
        let id = notification.resource_data.as_ref().and_then(|data| data.get("id")?.as_str());
        if let Some(id) = id.and_then(uuid) {
            self.0.follower.doubt_user(id);
        }
    }

    /// Subscribes, and renews the subscription for ever. Needs a tokio runtime with time.
    pub async fn keep_subscribed(&self) {
        let mut id = None;
        let mut trouble = Trouble::default();
        loop {
            let kept = self.subscribe(&mut id).await;
            let failed = trouble.pause("Graph does not notify of changes", kept);
            sleep(failed.map_or(RENEWED_AFTER, |pause| pause.max(AGAIN_AFTER))).await;
        }
    }

    /// Renews the subscription of that id, or makes one; then its id is there.
    pub async fn subscribe(&self, id: &mut Option<String>) -> Result<(), RestError> {
        let client = self.0.follower.client();
        let expires = self.0.follower.now().saturating_add(LIFE).to_string();
        if let Some(known) = id.as_deref() {
            let path = format!("/v1.0/subscriptions/{}", rest_client::escape(known));
            match client.patch::<Value>(&path, &json!({"expirationDateTime": expires})).await {
                Ok(Some(_)) => return Ok(()),
                Err(error @ (RestError::Throttled { .. } | RestError::Unavailable { .. })) => {
                    return Err(error);
                }
                // It has expired, or somebody has removed it.
                Ok(None) | Err(_) => *id = None,
            }
        }
        let wanted = json!({
            "changeType": "updated,deleted",
            "notificationUrl": self.0.url,
            "resource": "users",
            "expirationDateTime": expires,
            "clientState": self.0.client_state.expose(),
            "latestSupportedTlsVersion": "v1_2",
        });
        let made = client.post::<Subscription>("/v1.0/subscriptions", &wanted).await?;
        let service = client.service().to_owned();
        let made =
            made.ok_or_else(|| RestError::Garbage { service, why: "there are no subscriptions".into() })?;
        *id = Some(made.id);
        Ok(())
    }
}

#[derive(Deserialize)]
struct Subscription {
    id: String,
}

#[derive(Deserialize)]
struct Told {
    value: Vec<Notification>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Notification {
    client_state: Option<String>,
    resource_data: Option<Value>,
}

/// As in a query: `+` is a space, and `%` begins an octet.
fn unescaped(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        octets.push(match first {
            b'+' => b' ',
            b'%' => {
                let (digits, after) = rest.split_at_checked(2)?;
                rest = after;
                u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?
            }
            octet => *octet,
        });
    }
    String::from_utf8(octets).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_are_decoded() {
        for (text, expected) in [
            (
                "Validation%3a+Testing+client+application%20%c3%bc",
                Some("Validation: Testing client application ü"),
            ),
            ("", Some("")),
            ("100%", None),
            ("%zz", None),
            ("%ff", None),
        ] {
            assert_eq!(unescaped(text).as_deref(), expected, "{text}");
        }
    }
}
