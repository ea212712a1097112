//! One operation, from its request to the certificate.

use std::{fmt::Write as _, time::Duration};

use pki_core::{
    Certificate, CertificationRequest, DigestAlgorithm, Name, UnsignedCertificationRequest, Validity,
};
use scep_proto::{
    AlgorithmPolicy, AwaitedReply, Capabilities, Capability, CertRep, OutgoingRequest, RequestMessage,
    Requester, SealedReply, TransactionId, UnsignedSignerCertificate,
};

use crate::{ClientError, ClientKey, ClientParts, Enrollment, ScepClient, TrustedCa, Untrusted, error::said};

/// How long a self-signed signer certificate holds, before and after now: long enough for a request that waits for
/// approval, and for clocks that are wrong.
const SIGNER_VALIDITY: Duration = Duration::from_secs(30 * 24 * 3600);

/// The longest that a server's Retry-After is followed.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(60);

/// A prepared request and everything needed to get its certificate. Sending is repeatable: a lost reply costs
/// nothing, because the same message under the same transactionID gets the same certificate.
#[derive(Debug)]
pub struct Transaction {
    client: ScepClient,
    ca: TrustedCa,
    capabilities: Capabilities,
    requester: Requester,
    key_of_signer: ClientKey,
    csr: CertificationRequest,
    id: TransactionId,
    request: OutgoingRequest,
}

/// Where a transaction stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "a refusal is an error, and there is nothing else")]
pub enum Outcome {
    /// The certificate: for the key that was asked for, and issued by the CA.
    Issued(Certificate),
    /// Somebody has to approve it; [`Transaction::poll`] asks again.
    Pending,
}

/// How long [`Transaction::complete`] tries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update")]
pub struct Patience {
    /// How often a message is sent again when no answer comes, or one that says "later".
    pub retries: u32,
    /// The pause before the first of them; doubled for each further one.
    pub retry_pause: Duration,
    /// How long to wait for approval; zero returns [`Outcome::Pending`] at once.
    pub max_wait: Duration,
    /// The pause between two polls.
    pub poll_interval: Duration,
}

impl Default for Patience {
    /// Three retries, from 1 s on; no waiting for approval.
    fn default() -> Self {
        Self {
            retries: 3,
            retry_pause: Duration::from_secs(1),
            max_wait: Duration::ZERO,
            poll_interval: Duration::from_secs(10),
        }
    }
}

impl Transaction {
    pub(crate) async fn prepare(
        client: &ScepClient,
        ca: &TrustedCa,
        wanted: &Enrollment,
        key: &ClientKey,
        signer: Signer,
    ) -> Result<Self, ClientError> {
        let capabilities = client.capabilities().await?;
        let csr = certification_request(wanted, key).await?;
        let id = transaction_id(&csr)?;
        let message = if signer.existing && capabilities.has(Capability::Renewal) {
            RequestMessage::RenewalReq(csr.clone())
        } else {
            RequestMessage::PkcsReq(csr.clone())
        };
        // AES and SHA-256 whatever the capabilities say: they come unauthenticated, and whoever shortened the list
        // on the way must not gain by it (RFC 8894 §7.5). A CA too old for them refuses.
        let algorithm = signer.key.signing.algorithm();
        let requester = Requester::new(signer.certificate, algorithm, ca.recipient().clone());
        let request = sign(&requester, &message, &id, &signer.key, client.parts()).await?;
        let (client, ca, key_of_signer) = (client.clone(), ca.clone(), signer.key);
        Ok(Self { client, ca, capabilities, requester, key_of_signer, csr, id, request })
    }

    /// The transactionID, by which the CA's log tells of it.
    pub fn id(&self) -> &TransactionId {
        &self.id
    }

    /// Sends the request. The same octets every time.
    pub async fn send(&mut self) -> Result<Outcome, ClientError> {
        let request = self.request.clone();
        self.exchange(&request.message, &request.awaited).await
    }

    /// Asks whether a pending request is decided (CertPoll).
    pub async fn poll(&mut self) -> Result<Outcome, ClientError> {
        let issuer = self.ca.issuer().subject().clone();
        let message = RequestMessage::CertPoll { issuer, subject: self.csr.subject().clone() };
        let parts = self.client.parts();
        let poll = sign(&self.requester, &message, &self.id, &self.key_of_signer, parts).await?;
        self.exchange(&poll.message, &poll.awaited).await
    }

    /// Sends, sends again what got no answer, and polls, as long as `patience` lasts.
    pub async fn complete(&mut self, patience: Patience) -> Result<Outcome, ClientError> {
        let mut waited = Duration::ZERO;
        let mut outcome = self.persistently(Step::Send, patience).await?;
        while outcome == Outcome::Pending && waited < patience.max_wait {
            let pause = patience.poll_interval.max(Duration::from_millis(10));
            tokio::time::sleep(pause).await;
            waited = waited.saturating_add(pause);
            outcome = self.persistently(Step::Poll, patience).await?;
        }
        Ok(outcome)
    }

    async fn persistently(&mut self, step: Step, patience: Patience) -> Result<Outcome, ClientError> {
        let mut pause = patience.retry_pause;
        for _ in 0..patience.retries {
            match self.step(step).await {
                Err(error) if is_passing(&error) => {
                    tokio::time::sleep(retry_after(&error).unwrap_or(pause)).await;
                    pause = pause.saturating_mul(2);
                }
                settled => return settled,
            }
        }
        self.step(step).await
    }

    async fn step(&mut self, step: Step) -> Result<Outcome, ClientError> {
        match step {
            Step::Send => self.send().await,
            Step::Poll => self.poll().await,
        }
    }

    async fn exchange(&self, message: &[u8], awaited: &AwaitedReply) -> Result<Outcome, ClientError> {
        let reply = self.client.pki_operation(message, self.capabilities).await?;
        let verifier = &*self.client.parts().verifier;
        let signers = self.ca.reply_signers();
        match awaited.read(&reply, &signers, verifier, &AlgorithmPolicy::default())? {
            CertRep::Success(sealed) => self.open(&sealed).await.map(Outcome::Issued),
            CertRep::Pending => Ok(Outcome::Pending),
            CertRep::Failure { fail_info, text } => {
                Err(ClientError::Refused { fail_info, text: said(&text.unwrap_or_default()) })
            }
        }
    }

    async fn open(&self, sealed: &SealedReply) -> Result<Certificate, ClientError> {
        let key = self.key_of_signer.decryption.unwrap_key(sealed.wrapped_key()).await?;
        let issued = sealed.open(&key)?;
        let ours = issued.certificate_for(self.csr.public_key()).cloned();
        let ours = ours.ok_or(Untrusted::NotForKey(issued.certificates.len()))?;
        if self.ca.issued(&ours, &*self.client.parts().verifier) {
            Ok(ours)
        } else {
            Err(Untrusted::NotIssuedByCa(ours.issuer().to_string()).into())
        }
    }
}

#[derive(Debug, Clone, Copy)]
enum Step {
    Send,
    Poll,
}

/// Who signs the messages of a transaction, and so whom the replies are encrypted to.
#[derive(Debug)]
pub(crate) struct Signer {
    certificate: Certificate,
    key: ClientKey,
    existing: bool,
}

impl Signer {
    /// The holder of a certificate of this CA.
    pub(crate) fn existing(certificate: Certificate, key: ClientKey) -> Self {
        Self { certificate, key, existing: true }
    }

    /// A requester that has no certificate yet
    /// ([RFC 8894 §2.3](https://www.rfc-editor.org/rfc/rfc8894#section-2.3)).
    pub(crate) async fn self_signed(
        subject: &Name,
        key: &ClientKey,
        parts: &ClientParts,
    ) -> Result<Self, ClientError> {
        let (signing, now) = (&*key.signing, parts.clock.now());
        let (from, to) = (now.saturating_sub(SIGNER_VALIDITY), now.saturating_add(SIGNER_VALIDITY));
        let validity = Validity::new(from, to).map_err(|error| unusual(&error))?;
        let (public, algorithm) = (signing.public_key(), signing.algorithm());
        let unsigned = UnsignedSignerCertificate::new(subject, public, algorithm, validity, &*parts.random)?;
        let signature = signing.sign(unsigned.tbs()).await?;
        let certificate = unsigned.finish(&signature).map_err(|error| unusual(&error))?;
        Ok(Self { certificate, key: key.clone(), existing: false })
    }
}

async fn certification_request(
    wanted: &Enrollment,
    key: &ClientKey,
) -> Result<CertificationRequest, ClientError> {
    let (signing, challenge) = (&*key.signing, wanted.challenge.as_ref());
    let unsigned = UnsignedCertificationRequest::new(
        &wanted.subject,
        signing.public_key(),
        challenge,
        &wanted.extensions,
    );
    let signature = signing.sign(unsigned.tbs()).await?;
    unsigned.finish(signing.algorithm(), &signature).map_err(|error| unusual(&error))
}

/// Follows from the request, so that asking for the same again (after a crash, say) is the same transaction.
fn transaction_id(csr: &CertificationRequest) -> Result<TransactionId, ClientError> {
    let hash = DigestAlgorithm::Sha256.digest(csr.as_der()).unwrap_or_default();
    let text = hash.iter().take(20).fold(String::new(), |mut text, octet| {
        let _ = write!(text, "{octet:02X}");
        text
    });
    TransactionId::new(&text).map_err(|error| unusual(&error))
}

async fn sign(
    requester: &Requester,
    message: &RequestMessage,
    id: &TransactionId,
    key: &ClientKey,
    parts: &ClientParts,
) -> Result<OutgoingRequest, ClientError> {
    let unsigned = requester.prepare(message, id, &*parts.encryptor, &*parts.random, parts.clock.now())?;
    let signature = key.signing.sign(unsigned.tbs()).await?;
    Ok(unsigned.finish(&signature))
}

/// Whether the same message may well get an answer later.
fn is_passing(error: &ClientError) -> bool {
    matches!(error, ClientError::Transport(_) | ClientError::Http { status: 429 | 500 | 502..=504, .. })
}

fn retry_after(error: &ClientError) -> Option<Duration> {
    let ClientError::Http { retry_after: Some(seconds), .. } = error else { return None };
    Some(Duration::from_secs(*seconds).min(MAX_RETRY_AFTER))
}

fn unusual(error: &pki_core::DecodeError) -> ClientError {
    ClientError::Request(error.to_string())
}
