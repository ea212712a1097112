//! Delegates of a CA whose key is elsewhere: made here, certified by a `scep-server`.

use std::{sync::Arc, time::Duration};

use keys_software::{KeyAlgorithm, SoftwareKey};
use ocsp_service::{DelegateSource, DelegateSourceError, IssuedDelegate};
use pki_core::{
    BoxFuture, Certificate, Clock, Name, RequestedExtensions, SigningKey as _, UnsignedCertificationRequest,
};

use crate::{
    ServerError,
    delegate_token::{DelegateToken, PATH, hex},
};

/// How long the CA may take.
const TIMEOUT: Duration = Duration::from_secs(20);
/// More than this is not read of its answer.
const MAX_ANSWER: usize = 64 * 1024;

/// Makes a fresh key each time, in memory, and has a `scep-server` certify it (see [`crate::delegate_token`]).
#[derive(Debug)]
pub struct RemoteDelegates {
    client: reqwest::Client,
    url: String,
    ca: [u8; 32],
    token: DelegateToken,
    key: KeyAlgorithm,
    clock: Arc<dyn Clock>,
}

impl RemoteDelegates {
    /// From the `scep-server` at `issuer` (its URL, without a path), which has the key of `ca`.
    pub fn new(
        issuer: &str,
        ca: &Certificate,
        token: DelegateToken,
        key: KeyAlgorithm,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ServerError> {
        // It asks the host that it is told to, and no other: no redirects, no proxy.
        let client = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent(concat!("ocsp-server/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(ServerError::new)?;
        let ca = ca.fingerprint();
        let url = format!("{}/{PATH}/{}", issuer.trim_end_matches('/'), hex(&ca));
        Ok(Self { client, url, ca, token, key, clock })
    }

    async fn issued(&self) -> Result<IssuedDelegate, ServerError> {
        let key = SoftwareKey::generate(self.key)?;
        let name = Name::of_common_name("OCSP responder");
        let unsigned =
            UnsignedCertificationRequest::new(&name, key.public_key(), None, &RequestedExtensions::default());
        let signature = key.sign(unsigned.tbs()).await.map_err(ServerError::new)?;
        let request = unsigned.finish(key.algorithm(), &signature)?;
        let der = self.exchange(request.as_der()).await?;
        Ok(IssuedDelegate { certificate: Certificate::from_der(&der)?, key: Arc::new(key) })
    }

    async fn exchange(&self, body: &[u8]) -> Result<Vec<u8>, ServerError> {
        let failed =
            |error: reqwest::Error| ServerError::new(format_args!("{}: {}", self.url, causes(&error)));
        let authorization = self.token.authorization(&self.ca, body, self.clock.now());
        let request = self.client.post(&self.url).header("authorization", authorization);
        let request = request.header("content-type", "application/pkcs10").body(body.to_vec());
        let mut response = request.send().await.map_err(failed)?;
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if answer.len().saturating_add(chunk.len()) > MAX_ANSWER {
                return Err(ServerError::new(format_args!("{}: too long an answer", self.url)));
            }
            answer.extend_from_slice(&chunk);
        }
        if response.status().is_success() {
            return Ok(answer);
        }
        let said: String = String::from_utf8_lossy(&answer).chars().take(200).collect();
        Err(ServerError::new(format_args!("{} answers {}: {}", self.url, response.status(), said.trim())))
    }
}

impl DelegateSource for RemoteDelegates {
    fn delegate(&self) -> BoxFuture<'_, Result<IssuedDelegate, DelegateSourceError>> {
        Box::pin(async { self.issued().await.map_err(|error| DelegateSourceError(error.to_string())) })
    }

    fn may_be_late(&self) -> bool {
        true
    }
}

/// reqwest keeps the interesting half ("connection refused") in the causes.
fn causes(error: &reqwest::Error) -> String {
    let mut text = String::from("no answer");
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
