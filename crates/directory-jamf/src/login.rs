//! Tokens for a user account.

use std::{sync::Arc, time::Duration};

use pki_core::{BoxFuture, Clock, UnixTime};
use rest_client::{Basic, RestClient, RestError, RestSettings, Secret, Token, TokenSource};
use serde::Deserialize;
use serde_json::Value;

/// A token that does not say when it expires is taken to live so long; theirs live half an hour.
const DEFAULT_LIFE: Duration = Duration::from_secs(300);

/// Changes a user's name and password for a token. Wrap it in [`Cached`](rest_client::Cached).
#[derive(Debug)]
pub struct Login {
    client: RestClient,
    clock: Arc<dyn Clock>,
}

impl Login {
    /// `settings` name the server, as those of the directory's own client do.
    pub fn new(
        settings: RestSettings,
        user: &str,
        password: &Secret,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, RestError> {
        let client = RestClient::new(settings, Some(Arc::new(Basic::new(user, password))))?;
        Ok(Self { client, clock })
    }

    async fn fetch(&self) -> Result<Token, RestError> {
        let issued = self.client.post::<Issued>("/api/v1/auth/token", &serde_json::json!({})).await?;
        let service = || self.client.service().to_owned();
        let why = || String::from("there is no such endpoint for tokens: is this Jamf Pro 10.35 or later?");
        let issued = issued.ok_or_else(|| RestError::Garbage { service: service(), why: why() })?;
        let default = self.clock.now().saturating_add(DEFAULT_LIFE);
        Ok(Token::bearer(&issued.token, Some(time(&issued.expires).unwrap_or(default))))
    }
}

impl TokenSource for Login {
    fn token(&self) -> BoxFuture<'_, Result<Token, RestError>> {
        Box::pin(self.fetch())
    }
}

#[derive(Deserialize)]
struct Issued {
    token: String,
    #[serde(default)]
    expires: Value,
}

/// Milliseconds by the specification, RFC 3339 in practice.
fn time(value: &Value) -> Option<UnixTime> {
    match value {
        Value::Number(milliseconds) => milliseconds.as_u64()?.checked_div(1000).map(UnixTime),
        Value::String(text) => rest_client::time(text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_forms_of_time_are_read() {
        let expected = Some(UnixTime(1_539_619_348));
        for value in [
            serde_json::json!(1_539_619_348_124_u64),
            serde_json::json!("2018-10-15T16:02:28.124Z"),
            serde_json::json!("2018-10-15T16:02:28Z"),
        ] {
            assert_eq!(time(&value), expected, "{value}");
        }
        assert_eq!(time(&Value::Null), None);
        assert_eq!(time(&serde_json::json!("soon")), None);
    }
}
