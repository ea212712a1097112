//! Delegates of a CA whose key is elsewhere: made here, certified by a `scep-server`.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use keys_software::{KeyAlgorithm, SoftwareKey, load_key};
use ocsp_service::{DelegateSource, DelegateSourceError, IssuedDelegate};
use pki_core::{
    BoxFuture, Certificate, Clock, Name, RequestedExtensions, SigningKey as _, UnsignedCertificationRequest,
};
use zeroize::Zeroizing;

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
    url: String,
    ca: [u8; 32],
    credential: Credential,
    key: KeyAlgorithm,
    clock: Arc<dyn Clock>,
}

/// What is shown to the `scep-server`.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Credential {
    /// A MAC by a secret that both share.
    Token(DelegateToken),
    /// A certificate, over TLS. The files are read each time: whoever renews them need not tell.
    Certificate {
        /// PEM certificate, and those between it and its root.
        certificate: PathBuf,
        /// PEM key.
        key: PathBuf,
        /// PEM certificates of the CAs that the server's own certificate may be below, and no others.
        issuer_ca: PathBuf,
    },
}

impl Credential {
    fn client(&self) -> Result<reqwest::Client, ServerError> {
        // It asks the host that it is told to, and no other: no redirects, no proxy.
        let builder = reqwest::Client::builder()
            .timeout(TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent(concat!("ocsp-server/", env!("CARGO_PKG_VERSION")));
        let builder = match self {
            Self::Token(_) => builder,
            Self::Certificate { certificate, key, issuer_ca } => {
                let roots = read(issuer_ca)?;
                let roots = reqwest::Certificate::from_pem_bundle(&roots);
                let roots = roots.map_err(|error| ServerError::of_file(issuer_ca, error))?;
                let mut pem = Zeroizing::new(read(certificate)?);
                let key = load_key(key)?.to_pkcs8_pem().map_err(ServerError::new)?;
                pem.extend_from_slice(b"\n");
                pem.extend_from_slice(key.as_bytes());
                let identity = reqwest::Identity::from_pem(&pem);
                let identity = identity.map_err(|error| ServerError::of_file(certificate, error))?;
                builder.https_only(true).tls_certs_only(roots).identity(identity)
            }
        };
        builder.build().map_err(|error| ServerError::new(causes(&error)))
    }
}

fn read(path: &Path) -> Result<Vec<u8>, ServerError> {
    std::fs::read(path).map_err(|error| ServerError::of_file(path, error))
}

impl RemoteDelegates {
    /// From the `scep-server` at `issuer` (its URL, without a path), which has the key of `ca`. Files that the credential
    /// names are there and sound already.
    pub fn new(
        issuer: &str,
        ca: &Certificate,
        credential: Credential,
        key: KeyAlgorithm,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, ServerError> {
        credential.client()?;
        if matches!(credential, Credential::Certificate { .. }) && !issuer.starts_with("https://") {
            return Err(ServerError::new(format_args!(
                "delegate.issuer: a certificate is shown over https:// alone, not to {issuer}"
            )));
        }
        let ca = ca.fingerprint();
        let url = format!("{}/{PATH}/{}", issuer.trim_end_matches('/'), hex(&ca));
        Ok(Self { url, ca, credential, key, clock })
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
        let mut request = self.credential.client()?.post(&self.url);
        if let Credential::Token(token) = &self.credential {
            let authorization = token.authorization(&self.ca, body, self.clock.now());
            request = request.header("authorization", authorization);
        }
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
