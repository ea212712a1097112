//! A signed statement in place of a secret.

use std::{sync::Arc, time::Duration};

use base64ct::{Base64UrlUnpadded, Encoding as _};
use pki_core::{Certificate, DigestAlgorithm, SecureRandom, SigningKey, UnixTime};
use serde_json::json;

use crate::{RestError, Secret};

/// How long a statement is good. It is used once, at once.
const LIFE: Duration = Duration::from_secs(300);

/// Makes JWTs that prove possession of a certificate's key
/// ([RFC 7523 §3](https://www.rfc-editor.org/rfc/rfc7523#section-3)).
#[derive(Debug)]
pub struct ClientAssertion(ClientAssertionParts);

/// What a [`ClientAssertion`] is made of.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "required collaborators")]
pub struct ClientAssertionParts {
    /// The service, in errors.
    pub service: String,
    /// Whom the statement is for: the token endpoint's URL, as a rule.
    pub audience: String,
    /// The certificate that the service has on file.
    pub certificate: Certificate,
    /// Its key.
    pub key: Arc<dyn SigningKey>,
    /// How the key signs.
    pub algorithm: AssertionAlgorithm,
    /// Feeds the ids.
    pub random: Arc<dyn SecureRandom>,
}

/// An algorithm of [RFC 7518 §3.1](https://www.rfc-editor.org/rfc/rfc7518#section-3.1); the key must be of the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum AssertionAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PSS with SHA-256.
    Ps256,
}

impl AssertionAlgorithm {
    fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
        }
    }
}

impl ClientAssertion {
    /// From its parts.
    pub fn new(parts: ClientAssertionParts) -> Self {
        Self(parts)
    }

    /// A statement by `client_id` about itself, made at `now`.
    pub async fn assert(&self, client_id: &str, now: UnixTime) -> Result<Secret, RestError> {
        let unusable = |why: &dyn std::fmt::Display| {
            RestError::unauthorized(&self.0.service, format!("no statement could be signed: {why}"))
        };
        let mut id = [0; 16];
        self.0.random.fill(&mut id).map_err(|why| unusable(&why))?;
        let certificate = self.0.certificate.as_der();
        let digest = |algorithm: DigestAlgorithm| {
            algorithm.digest(certificate).map(|digest| Base64UrlUnpadded::encode_string(&digest))
        };
        let header = json!({
            "alg": self.0.algorithm.name(),
            "typ": "JWT",
            "x5t": digest(DigestAlgorithm::Sha1),
            "x5t#S256": digest(DigestAlgorithm::Sha256),
        });
        let claims = json!({
            "aud": self.0.audience,
            "iss": client_id,
            "sub": client_id,
            "jti": Base64UrlUnpadded::encode_string(&id),
            "nbf": now.0,
            "exp": now.saturating_add(LIFE).0,
        });
        let part = |json: &serde_json::Value| Base64UrlUnpadded::encode_string(json.to_string().as_bytes());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = self.0.key.sign(signed.as_bytes()).await.map_err(|why| unusable(&why))?;
        Ok(Secret::new(format!("{signed}.{}", Base64UrlUnpadded::encode_string(&signature))))
    }
}
