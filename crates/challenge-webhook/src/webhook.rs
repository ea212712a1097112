//! A web service that is told things under a signature.

use std::{fmt, time::Duration};

use base64ct::{Base64, Base64Unpadded, Encoding as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use rest_client::{RestClient, RestError, RestSettings};
use serde::{Serialize, de::DeserializeOwned};
use sha2::Sha256;
use zeroize::Zeroizing;

/// A shorter secret could be guessed.
const SHORTEST_SECRET: usize = 16;

/// So long may an answer take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Answers are short.
const MAX_ANSWER: usize = 64 * 1024;

/// What a [`Webhook`] is made of.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update")]
pub struct WebhookSettings {
    /// Where it is, in full. Plain HTTP goes to this machine only: answers are not signed.
    pub url: String,
    /// What it is called, in the header `X-Smallstep-Webhook-ID`.
    pub id: String,
    /// The secret that both sides have.
    pub secret: WebhookSecret,
    /// The only certification authorities that are trusted, as PEM; empty for those of the system.
    pub trusted_cas: Vec<u8>,
}

/// A web service that is asked or told something by POST of JSON. Cheap to clone.
///
/// Each request has the header `X-Smallstep-Signature`: the HMAC-SHA-256 of its body under the secret, in hexadecimal. One
/// that the service failed to answer is sent once more.
#[derive(Clone)]
pub struct Webhook {
    client: RestClient,
    path: String,
    id: String,
    secret: WebhookSecret,
}

impl Webhook {
    /// Fails when that is no URL that may be asked.
    pub fn new(settings: WebhookSettings) -> Result<Self, InvalidWebhook> {
        let WebhookSettings { url, id, secret, trusted_cas } = settings;
        let (base, path) = split(&url).ok_or_else(|| InvalidWebhook::Url(url.clone()))?;
        if !may_be_asked(base) {
            return Err(InvalidWebhook::Unencrypted(url));
        }
        let rest = RestSettings {
            timeout: TIMEOUT,
            max_answer: MAX_ANSWER,
            trusted_cas,
            ..RestSettings::new("the webhook", base)
        };
        Ok(Self { client: RestClient::new(rest, None)?, path: path.to_owned(), id, secret })
    }

    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        body: &(impl Serialize + Sync),
    ) -> Result<T, RestError> {
        match self.once(body).await {
            Err(RestError::Unavailable { .. }) => self.once(body).await,
            answer => answer,
        }
    }

    async fn once<T: DeserializeOwned>(&self, body: &(impl Serialize + Sync)) -> Result<T, RestError> {
        let service = || self.client.service().to_owned();
        let octets = serde_json::to_vec(body)
            .map_err(|error| RestError::Garbage { service: service(), why: error.to_string() })?;
        let signature = self.secret.sign(&octets);
        let headers = [("X-Smallstep-Signature", &*signature), ("X-Smallstep-Webhook-ID", &self.id)];
        let answer = self.client.post_with(&self.path, body, &headers).await?;
        answer.ok_or_else(|| RestError::Garbage {
            service: service(),
            why: "there is nothing at its URL".into(),
        })
    }
}

impl fmt::Debug for Webhook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Webhook").field(&self.client).finish()
    }
}

/// The secret that signs. Wiped when dropped, never printed.
#[derive(Clone)]
pub struct WebhookSecret(Zeroizing<Vec<u8>>);

impl WebhookSecret {
    /// From base64, as step-ca prints it. Fails for fewer than 16 octets.
    pub fn from_base64(text: &str) -> Result<Self, InvalidWebhook> {
        let text = text.trim();
        let octets = Base64::decode_vec(text).or_else(|_| Base64Unpadded::decode_vec(text));
        let octets = octets.map(Zeroizing::new).map_err(|_| InvalidWebhook::Secret)?;
        if octets.len() < SHORTEST_SECRET { Err(InvalidWebhook::Secret) } else { Ok(Self(octets)) }
    }

    /// In hexadecimal.
    fn sign(&self, body: &[u8]) -> String {
        // HMAC takes keys of every length.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return String::new() };
        mac.update(body);
        mac.finalize().into_bytes().iter().fold(String::new(), |mut text, octet| {
            // Text in memory takes everything.
            let _ = fmt::Write::write_fmt(&mut text, format_args!("{octet:02x}"));
            text
        })
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(..)")
    }
}

/// `https://host:port` and what follows.
fn split(url: &str) -> Option<(&str, &str)> {
    let host = url.find("://")?.checked_add(3)?;
    match url.get(host..)?.find('/') {
        Some(length) => url.split_at_checked(host.checked_add(length)?),
        None => Some((url, "/")),
    }
}

fn may_be_asked(base: &str) -> bool {
    let Some(host) = base.strip_prefix("http://") else { return base.starts_with("https://") };
    let name = host.rsplit_once(':').map_or(host, |(name, port)| {
        if port.bytes().all(|digit| digit.is_ascii_digit()) { name } else { host }
    });
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}

/// Not a webhook.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidWebhook {
    /// Something else than an URL.
    #[error("expected the URL of a webhook such as https://hooks.example.com/scep: {0:?}")]
    Url(String),
    /// Whoever is on the way could answer.
    #[error(
        "expected https, for the answers of a webhook are not signed; http goes to this machine only: {0:?}"
    )]
    Unencrypted(String),
    /// The secret is no base64, or too short.
    #[error("expected a secret of 16 octets at least, in base64")]
    Secret,
    /// It cannot be asked.
    #[error(transparent)]
    Client(#[from] RestError),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_67_a_secret_is_long_and_never_printed() {
        let secret = WebhookSecret::from_base64("MDEyMzQ1Njc4OWFiY2RlZg==\n").unwrap();
        assert_eq!(format!("{secret:?}"), "WebhookSecret(..)");
        assert!(WebhookSecret::from_base64("MDEyMzQ1Njc4OWFiY2RlZg").is_ok());
        for text in ["", "c2hvcnQ=", "not base64, but long enough"] {
            assert_eq!(WebhookSecret::from_base64(text).unwrap_err(), InvalidWebhook::Secret, "{text}");
        }
    }

    #[test]
    fn only_this_machine_is_asked_without_encryption() {
        let secret = WebhookSecret::from_base64("MDEyMzQ1Njc4OWFiY2RlZg==").unwrap();
        let made = |url: &str| {
            let settings = WebhookSettings {
                url: url.into(),
                id: String::new(),
                secret: secret.clone(),
                trusted_cas: Vec::new(),
            };
            Webhook::new(settings).map(|hook| hook.path)
        };
        for (url, path) in [
            ("https://hooks.example.com/scep?a=b", "/scep?a=b"),
            ("https://hooks.example.com:8443", "/"),
            ("http://127.0.0.1:9/x", "/x"),
            ("http://[::1]/", "/"),
            ("http://localhost", "/"),
        ] {
            assert_eq!(made(url).as_deref(), Ok(path));
        }
        for url in [
            "http://hooks.example.com/",
            "http://127.0.0.1.example.com/",
            "http://localhost:x/",
            "ftp://localhost/",
            "http://a@localhost/",
        ] {
            assert!(matches!(made(url), Err(InvalidWebhook::Unencrypted(_))), "{url}");
        }
        assert!(matches!(made("hooks.example.com"), Err(InvalidWebhook::Url(_))));
    }
}
