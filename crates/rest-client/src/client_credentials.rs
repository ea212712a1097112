//! Tokens for a program that speaks for itself ([RFC 6749 §4.4](https://www.rfc-editor.org/rfc/rfc6749#section-4.4)).

use std::{sync::Arc, time::Duration};

use pki_core::{BoxFuture, Clock};
use serde::Deserialize;

use crate::{ClientAssertion, RestClient, RestError, Secret, Token, TokenSource};

/// A token that does not say how long it lives is taken to live so long.
const DEFAULT_LIFE: u64 = 300;

/// Fetches tokens with the program's own credentials: from Entra, Jamf Pro and everybody else who follows RFC 6749.
#[derive(Debug)]
pub struct ClientCredentials {
    client: RestClient,
    path: String,
    client_id: String,
    proof: ClientProof,
    scope: Option<String>,
    clock: Arc<dyn Clock>,
}

/// How the program proves that it is who it says.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientProof {
    /// By a secret that both know.
    Secret(Secret),
    /// By a signature ([RFC 7523 §2.2](https://www.rfc-editor.org/rfc/rfc7523#section-2.2)).
    Assertion(ClientAssertion),
}

impl ClientCredentials {
    /// `client` has no tokens itself; `path` is the token endpoint's.
    pub fn new(
        client: RestClient,
        path: impl Into<String>,
        client_id: impl Into<String>,
        proof: ClientProof,
        scope: Option<String>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self { client, path: path.into(), client_id: client_id.into(), proof, scope, clock }
    }

    async fn fetch(&self) -> Result<Token, RestError> {
        let asked_at = self.clock.now();
        let assertion;
        let mut form = vec![("grant_type", "client_credentials"), ("client_id", &*self.client_id)];
        match &self.proof {
            ClientProof::Secret(secret) => form.push(("client_secret", secret.expose())),
            ClientProof::Assertion(maker) => {
                assertion = maker.assert(&self.client_id, asked_at).await?;
                form.push((
                    "client_assertion_type",
                    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
                ));
                form.push(("client_assertion", assertion.expose()));
            }
        }
        form.extend(self.scope.as_deref().map(|scope| ("scope", scope)));
        let issued = self.client.post_form::<Issued>(&self.path, &form).await;
        let issued = issued.map_err(|error| match error {
            // The endpoint says 400 to a wrong secret.
            RestError::Refused { service, why, .. } => RestError::Unauthorized { service, why },
            other => other,
        })?;
        let life = Duration::from_secs(issued.expires_in.unwrap_or(DEFAULT_LIFE));
        Ok(Token::bearer(&issued.access_token, Some(asked_at.saturating_add(life))))
    }
}

impl TokenSource for ClientCredentials {
    fn token(&self) -> BoxFuture<'_, Result<Token, RestError>> {
        Box::pin(self.fetch())
    }
}

#[derive(Deserialize)]
struct Issued {
    access_token: String,
    expires_in: Option<u64>,
}
