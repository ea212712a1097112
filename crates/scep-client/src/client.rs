//! The client of one SCEP server.

use std::sync::Arc;

use pki_core::{
    Certificate, ChallengePassword, Clock, KeyEncryptor, KeyTransport, Name, RequestedExtensions,
    SecureRandom, SignatureVerifier,
};
use scep_proto::{
    AlgorithmPolicy, Capabilities, Capability, ContentCipher, Requester, Tolerance, Tolerances,
    ca_certificates, next_ca_certificates,
};

use crate::{
    ClientError, ClientKey, HttpReply, Identity, SavedTransaction, Transaction, Transport, Trust, TrustedCa,
    Untrusted, error::said,
};

/// Where RFC 8894 section 4.1 wants requests to go when nobody names a path.
const DEFAULT_PATH: &str = "/cgi-bin/pkiclient.exe";

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
    algorithms: Algorithms,
    assumed: Option<Capabilities>,
    ra: Vec<Certificate>,
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

/// Which algorithms requests use, and which replies may.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update")]
pub struct Algorithms {
    /// What is accepted in replies: AES and SHA-256 or better, and a nonce of the server's own, unless it says more.
    pub policy: AlgorithmPolicy,
    /// The cipher of requests. Without one it is AES-128, or Triple DES where `policy` allows it and the server offers
    /// nothing better.
    pub cipher: Option<ContentCipher>,
    /// How content keys are wrapped for the RA.
    pub key_transport: KeyTransport,
}

impl Default for Algorithms {
    /// What every RFC 8894 server has, and nothing older.
    fn default() -> Self {
        let tolerances = Tolerances::default().without(Tolerance::ReplyNonce);
        let policy = AlgorithmPolicy::default().tolerating(tolerances);
        Self { policy, cipher: None, key_transport: KeyTransport::RsaPkcs1 }
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
    /// A client of the server at `url`, such as `http://ca.example.com/scep`. A URL without a path gets the one that
    /// [RFC 8894 §4.1](https://www.rfc-editor.org/rfc/rfc8894#section-4.1) names, `/cgi-bin/pkiclient.exe`.
    pub fn new(url: impl Into<String>, parts: ClientParts) -> Self {
        let mut url = url.into();
        if url.split_once("://").is_some_and(|(_, rest)| !rest.contains(['/', '?'])) {
            url.push_str(DEFAULT_PATH);
        }
        let (algorithms, ca_identifier) = (Algorithms::default(), String::new());
        Self { url, ca_identifier, parts, algorithms, assumed: None, ra: Vec::new() }
    }

    /// The same, naming in GetCACert which CA is meant.
    #[must_use]
    pub fn with_ca_identifier(self, ca_identifier: impl Into<String>) -> Self {
        Self { ca_identifier: ca_identifier.into(), ..self }
    }

    /// The same, with other algorithms.
    #[must_use]
    pub fn with_algorithms(self, algorithms: Algorithms) -> Self {
        Self { algorithms, ..self }
    }

    /// The same, going on as if the server had these capabilities, whatever it answers to GetCACaps, which anyone on
    /// the way can change ([RFC 8894 §7.5](https://www.rfc-editor.org/rfc/rfc8894#section-7.5)).
    #[must_use]
    pub fn assuming(self, capabilities: Capabilities) -> Self {
        Self { assumed: Some(capabilities), ..self }
    }

    /// The same, with the certificates of the RA, which somebody trustworthy has named: see [`TrustedCa::with_ra`].
    #[must_use]
    pub fn with_ra(self, ra: Vec<Certificate>) -> Self {
        Self { ra, ..self }
    }

    /// The URL that requests go to, without query.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// GetCACaps. A server that answers with an error, or closes the connection as old ones do, has none, as RFC 8894
    /// section 3.5.2 reads it. One that says that it is busy (429, 503) has not answered.
    pub async fn capabilities(&self) -> Result<Capabilities, ClientError> {
        let reply = match self.parts.transport.send(&self.operation_url("GetCACaps"), None).await {
            Err(error) if error.is_closed() => return Ok(Capabilities::default()),
            sent => sent?,
        };
        match reply.status {
            200 => Ok(Capabilities::parse(&reply.body)),
            429 | 503 => Err(unexpected("GetCACaps", &reply)),
            _ => Ok(Capabilities::default()),
        }
    }

    /// What the server is dealt with as: what it answers, or what is assumed of it.
    pub(crate) async fn effective_capabilities(&self) -> Result<Capabilities, ClientError> {
        match self.assumed {
            Some(capabilities) => Ok(capabilities),
            None => self.capabilities().await,
        }
    }

    /// GetCACert, as it came: nothing of it is trusted yet.
    pub async fn ca_certificates(&self) -> Result<Vec<Certificate>, ClientError> {
        let body = self.fetch("GetCACert").await?;
        ca_certificates::parse(&body).map_err(ClientError::CaCertificates)
    }

    /// GetCACert, judged.
    pub async fn ca(&self, trust: Trust) -> Result<TrustedCa, ClientError> {
        let certificates = self.ca_certificates().await?;
        let (verifier, now) = (&*self.parts.verifier, self.parts.clock.now());
        Ok(TrustedCa::with_ra(&certificates, &self.ra, trust, verifier, now)?)
    }

    /// GetCACert, judged by a CA certificate that is at hand, whether the server sends it along or not.
    pub async fn ca_of(&self, anchor: &Certificate) -> Result<TrustedCa, ClientError> {
        let mut certificates = self.ca_certificates().await?;
        let found = certificates.iter().map(Certificate::fingerprint).collect();
        let sent = certificates.contains(anchor);
        if !sent {
            certificates.push(anchor.clone());
        }
        let expected = anchor.fingerprint();
        let (verifier, now) = (&*self.parts.verifier, self.parts.clock.now());
        let trust = Trust::Fingerprint(expected);
        let ca = TrustedCa::with_ra(&certificates, &self.ra, trust, verifier, now)?;
        // Where it was not sent itself, something that was has to belong to it.
        if !sent && ca.reply_signers().iter().all(|certificate| certificate == anchor) {
            return Err(Untrusted::Fingerprint { expected, found }.into());
        }
        Ok(ca)
    }

    /// GetNextCACert ([RFC 8894 §4.7](https://www.rfc-editor.org/rfc/rfc8894#section-4.7)): the CA that takes over from
    /// `current`, which has signed the answer. Requests to it are for certificates that count from then on.
    pub async fn next_ca(&self, current: &TrustedCa) -> Result<TrustedCa, ClientError> {
        let body = self.fetch("GetNextCACert").await?;
        let (verifier, now) = (&*self.parts.verifier, self.parts.clock.now());
        let certificates = next_ca_certificates::parse(&body, current.issuer(), verifier, self.policy())?;
        Ok(current.next(&certificates, verifier, now)?)
    }

    /// Prepares a PKCSReq for `key`, signed by a self-signed certificate of the same key.
    pub async fn enroll(
        &self,
        ca: &TrustedCa,
        wanted: &Enrollment,
        key: &ClientKey,
    ) -> Result<Transaction, ClientError> {
        let signer = self.self_signed(&wanted.subject, key).await?;
        Transaction::prepare(self, ca, wanted, key, signer).await
    }

    /// Prepares a RenewalReq for `new_key`, signed by `certificate` and its `key`. Where the server does not offer
    /// Renewal it is a PKCSReq signed the same way, which is how clients renewed before there was a RenewalReq.
    ///
    /// `certificate` may also be another CA's, where this one believes it
    /// ([RFC 8894 §2.3](https://www.rfc-editor.org/rfc/rfc8894#section-2.3), case 3).
    pub async fn renew(
        &self,
        ca: &TrustedCa,
        wanted: &Enrollment,
        new_key: &ClientKey,
        certificate: &Certificate,
        key: &ClientKey,
    ) -> Result<Transaction, ClientError> {
        let signer = Identity::new(certificate.clone(), key.clone())?;
        Transaction::prepare(self, ca, wanted, new_key, signer).await
    }

    /// Who has a key and no certificate yet, with a certificate that is made for the purpose.
    pub async fn self_signed(&self, subject: &Name, key: &ClientKey) -> Result<Identity, ClientError> {
        Identity::self_signed(subject, key, &self.parts).await
    }

    /// Takes up a transaction where [`Transaction::saved`] left it; `key` is the one that signed its request.
    pub async fn resume(
        &self,
        ca: &TrustedCa,
        saved: &SavedTransaction,
        key: &ClientKey,
    ) -> Result<Transaction, ClientError> {
        Transaction::resume(self, ca, saved, key).await
    }

    pub(crate) fn parts(&self) -> &ClientParts {
        &self.parts
    }

    pub(crate) fn policy(&self) -> &AlgorithmPolicy {
        &self.algorithms.policy
    }

    /// Who makes requests as `signer`.
    ///
    /// AES and SHA-256 unless told otherwise, whatever the capabilities say: they come unauthenticated, and whoever
    /// shortened the list on the way must not gain by it (RFC 8894 §7.5).
    pub(crate) fn requester(
        &self,
        ca: &TrustedCa,
        signer: &Identity,
        capabilities: Capabilities,
    ) -> Requester {
        let Algorithms { policy, cipher, key_transport } = &self.algorithms;
        let cipher = cipher.unwrap_or_else(|| capabilities.cipher(policy));
        let algorithm = signer.key().signing.algorithm();
        Requester::new(signer.certificate().clone(), algorithm, ca.recipient().clone())
            .with_cipher(cipher)
            .with_key_transport(*key_transport)
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

    /// The body of the answer to an operation that needs no message.
    pub(crate) async fn fetch(&self, operation: &'static str) -> Result<Vec<u8>, ClientError> {
        let reply = self.parts.transport.send(&self.operation_url(operation), None).await?;
        if reply.status == 200 { Ok(reply.body) } else { Err(unexpected(operation, &reply)) }
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

/// An answer that is none.
pub(crate) fn unexpected(operation: &'static str, reply: &HttpReply) -> ClientError {
    let text = said(&String::from_utf8_lossy(&reply.body));
    ClientError::Http { operation, status: reply.status, retry_after: reply.retry_after, text }
}
