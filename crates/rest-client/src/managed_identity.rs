//! Tokens for a program that runs in Azure, from the machine it runs on.

use std::sync::Arc;

use pki_core::{BoxFuture, Clock, UnixTime};
use serde::Deserialize;

use crate::{RestClient, RestError, RestSettings, Token, TokenSource};

/// Fetches tokens from the instance metadata service of a virtual machine, or from the endpoint that App Service names
/// in the environment. Nobody has to keep a secret.
#[derive(Debug)]
pub struct ManagedIdentity {
    client: RestClient,
    path: String,
    clock: Arc<dyn Clock>,
}

impl ManagedIdentity {
    /// Of a virtual machine: `endpoint` is `http://169.254.169.254` there. `resource` is what the token is for, such as
    /// `https://graph.microsoft.com`; `client_id` chooses among several identities.
    pub fn of_machine(
        endpoint: &str,
        resource: &str,
        client_id: Option<&str>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, RestError> {
        let path = path("/metadata/identity/oauth2/token?api-version=2018-02-01", resource, client_id);
        let mut settings = RestSettings::new("the machine's identity service", endpoint);
        settings.headers.push(("metadata", String::from("true")));
        Ok(Self { client: RestClient::new(settings, None)?, path, clock })
    }

    /// Of an app: `endpoint` and `secret` are what the environment has in `IDENTITY_ENDPOINT` and `IDENTITY_HEADER`.
    pub fn of_app(
        endpoint: &str,
        secret: &str,
        resource: &str,
        client_id: Option<&str>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, RestError> {
        let mut settings = RestSettings::new("the app's identity service", endpoint);
        settings.headers.push(("x-identity-header", secret.to_owned()));
        let whole = path(&format!("{endpoint}?api-version=2019-08-01"), resource, client_id);
        Ok(Self { client: RestClient::new(settings, None)?, path: whole, clock })
    }

    async fn fetch(&self) -> Result<Token, RestError> {
        let asked_at = self.clock.now();
        let issued = self.client.get::<Issued>(&self.path).await?;
        let issued = issued.ok_or_else(|| {
            RestError::unauthorized(self.client.service(), "this machine has no such identity")
        })?;
        let expires = match (issued.expires_on, issued.expires_in) {
            (Some(Number(at)), _) => Some(UnixTime(at)),
            (None, Some(Number(life))) => Some(asked_at.saturating_add(std::time::Duration::from_secs(life))),
            (None, None) => Some(asked_at),
        };
        Ok(Token::bearer(&issued.access_token, expires))
    }
}

fn path(start: &str, resource: &str, client_id: Option<&str>) -> String {
    let mut query = vec![("resource", resource)];
    query.extend(client_id.map(|id| ("client_id", id)));
    // Parsed as URLs again, which escapes what has to be.
    let query = reqwest::Url::parse_with_params("http://x/", &query);
    let query = query.ok().and_then(|url| url.query().map(String::from)).unwrap_or_default();
    format!("{start}&{query}")
}

impl TokenSource for ManagedIdentity {
    fn token(&self) -> BoxFuture<'_, Result<Token, RestError>> {
        Box::pin(self.fetch())
    }
}

#[derive(Deserialize)]
struct Issued {
    access_token: String,
    expires_on: Option<Number>,
    expires_in: Option<Number>,
}

/// A number, which some endpoints send as text.
struct Number(u64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(u64),
            Text(String),
        }
        match Either::deserialize(deserializer)? {
            Either::Number(number) => Ok(Self(number)),
            Either::Text(text) => text.parse().map(Self).map_err(serde::de::Error::custom),
        }
    }
}
