//! The client of one SCEP server.

use std::sync::Arc;

use pki_core::{
    Certificate, ChallengePassword, Clock, DecryptionKey, KeyEncryptor, Name, RequestedExtensions,
    SecureRandom, SignatureVerifier, SigningKey,
};
use scep_proto::{Capabilities, Capability, ca_certificates};

use crate::{
    ClientError, HttpReply, Transaction, Transport, Trust, TrustedCa, error::said, transaction::Signer,
};

/// Talks to one SCEP server. Cheap to clone.
///
/// ```no_run
/// # use scep_client::{ClientError, ClientKey, ClientParts, Enrollment, Outcome, Patience, ScepClient, Trust};
/// # async fn example(parts: ClientParts, key: ClientKey, fingerprint: [u8; 32]) -> Result<(), ClientError> {
/// let client = ScepClient::new("http://ca.example.com/scep", parts);
/// let ca = client.ca(Trust::Fingerprint(fingerprint)).await?;
/// let wanted = Enrollment {
///     subject: "CN=laptop-1".parse().unwrap(),
///     challenge: Some(pki_core::ChallengePassword::new("s3cret".into())),
///     extensions: pki_core::RequestedExtensions::default(),
/// };
/// let mut transaction = client.enroll(&ca, &wanted, &key).await?;
/// match transaction.complete(Patience::default()).await? {
///     Outcome::Issued(certificate) => println!("{}", certificate.to_pem()),
///     Outcome::Pending => println!("somebody has to approve it"),
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct ScepClient {
    url: String,
    ca_identifier: String,
    parts: ClientParts,
}

/// What a client works with.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "every field is a decision of whoever embeds the client")]
pub struct ClientParts {
    /// Carries messages.
    pub transport: Arc<dyn Transport>,
    /// Checks what comes back.
    pub verifier: Arc<dyn SignatureVerifier>,
    /// Encrypts to the RA.
    pub encryptor: Arc<dyn KeyEncryptor>,
    /// Nonces, content keys, serial numbers.
    pub random: Arc<dyn SecureRandom>,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// A key of the requester: it signs, and opens replies. Both halves are one RSA key.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "two views of one key")]
pub struct ClientKey {
    /// Signs.
    pub signing: Arc<dyn SigningKey>,
    /// Decrypts.
    pub decryption: Arc<dyn DecryptionKey>,
}

impl ClientKey {
    /// Of a key that does both.
    pub fn new<K: SigningKey + DecryptionKey + 'static>(key: Arc<K>) -> Self {
        Self { signing: Arc::<K>::clone(&key), decryption: key }
    }
}

/// What to ask for.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "the fields of a PKCS #10 request")]
pub struct Enrollment {
    /// The name.
    pub subject: Name,
    /// What proves the right to it; usually none on renewal.
    pub challenge: Option<ChallengePassword>,
    /// Everything else.
    pub extensions: RequestedExtensions,
}

impl ScepClient {
    /// A client of the server at `url`, such as `http://ca.example.com/scep`.
    pub fn new(url: impl Into<String>, parts: ClientParts) -> Self {
        Self { url: url.into(), ca_identifier: String::new(), parts }
    }

    /// The same, naming in GetCACert which CA is meant.
    #[must_use]
    pub fn with_ca_identifier(self, ca_identifier: impl Into<String>) -> Self {
        Self { ca_identifier: ca_identifier.into(), ..self }
    }

    /// GetCACaps. A server that does not know the operation has none, as RFC 8894 section 3.5.2 reads it.
    pub async fn capabilities(&self) -> Result<Capabilities, ClientError> {
        let reply = self.parts.transport.send(&self.operation_url("GetCACaps"), None).await?;
        match reply.status {
            200 => Ok(Capabilities::parse(&reply.body)),
            // Not a server that knows no capabilities, but one that is not well.
            429 | 500.. => Err(unexpected("GetCACaps", &reply)),
            _ => Ok(Capabilities::default()),
        }
    }

    /// GetCACert, as it came: nothing of it is trusted yet.
    pub async fn ca_certificates(&self) -> Result<Vec<Certificate>, ClientError> {
        let reply = self.parts.transport.send(&self.operation_url("GetCACert"), None).await?;
        if reply.status != 200 {
            return Err(unexpected("GetCACert", &reply));
        }
        ca_certificates::parse(&reply.body).map_err(ClientError::CaCertificates)
    }

    /// GetCACert, judged.
    pub async fn ca(&self, trust: Trust) -> Result<TrustedCa, ClientError> {
        let certificates = self.ca_certificates().await?;
        Ok(TrustedCa::new(&certificates, trust, &*self.parts.verifier, self.parts.clock.now())?)
    }

    /// Prepares a PKCSReq for `key`, signed by a self-signed certificate of the same key.
    pub async fn enroll(
        &self,
        ca: &TrustedCa,
        wanted: &Enrollment,
        key: &ClientKey,
    ) -> Result<Transaction, ClientError> {
        let signer = Signer::self_signed(&wanted.subject, key, &self.parts).await?;
        Transaction::prepare(self, ca, wanted, key, signer).await
    }

    /// Prepares a RenewalReq for `new_key`, signed by `certificate` and its `key`. Where the server does not offer
    /// Renewal it is a PKCSReq signed the same way, which is how clients renewed before there was a RenewalReq.
    pub async fn renew(
        &self,
        ca: &TrustedCa,
        wanted: &Enrollment,
        new_key: &ClientKey,
        certificate: &Certificate,
        key: &ClientKey,
    ) -> Result<Transaction, ClientError> {
        if certificate.public_key() != key.signing.public_key() {
            return Err(ClientError::Request(
                "the certificate to renew is not of the key given for it".into(),
            ));
        }
        let signer = Signer::existing(certificate.clone(), key.clone());
        Transaction::prepare(self, ca, wanted, new_key, signer).await
    }

    pub(crate) fn parts(&self) -> &ClientParts {
        &self.parts
    }

    /// Sends a pkiMessage in the way that `capabilities` allow.
    pub(crate) async fn pki_operation(
        &self,
        message: &[u8],
        capabilities: Capabilities,
    ) -> Result<Vec<u8>, ClientError> {
        let transport = &self.parts.transport;
        let reply = if capabilities.has(Capability::PostPkiOperation) {
            transport.send(&self.url_with("operation=PKIOperation"), Some(message)).await?
        } else {
            let query = scep_proto::pki_operation_query(message);
            transport.send(&self.url_with(&query), None).await?
        };
        if reply.status == 200 { Ok(reply.body) } else { Err(unexpected("PKIOperation", &reply)) }
    }

    fn operation_url(&self, operation: &str) -> String {
        let identifier: String = self.ca_identifier.bytes().map(percent_encoded).collect();
        self.url_with(&format!("operation={operation}&message={identifier}"))
    }

    fn url_with(&self, query: &str) -> String {
        let separator = if self.url.contains('?') { '&' } else { '?' };
        format!("{}{separator}{query}", self.url)
    }
}

/// RFC 3986 §2.1.
fn percent_encoded(octet: u8) -> String {
    match octet {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(octet).into(),
        _ => format!("%{octet:02X}"),
    }
}

fn unexpected(operation: &'static str, reply: &HttpReply) -> ClientError {
    let text = said(&String::from_utf8_lossy(&reply.body));
    ClientError::Http { operation, status: reply.status, retry_after: reply.retry_after, text }
}
