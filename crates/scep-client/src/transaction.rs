//! One operation, from its request to the certificate.

use pki_core::{
    Certificate, CertificationRequest, ChallengePassword, RandomFailed, SecureRandom,
    UnsignedCertificationRequest,
};
use scep_proto::{
    AwaitedReply, Capabilities, Capability, Issued, OutgoingRequest, PkiMessage, RequestMessage,
    TransactionId,
};

use crate::{
    ClientError, ClientKey, Enrollment, Identity, SavedTransaction, ScepClient, TrustedCa, Untrusted,
    exchange::Opener,
};

/// A prepared request and everything needed to get its certificate. Sending is repeatable: a lost reply costs
/// nothing, because the same message under the same transactionID gets the same certificate.
#[derive(Debug)]
pub struct Transaction {
    client: ScepClient,
    ca: TrustedCa,
    capabilities: Capabilities,
    signer: Identity,
    request: CertificationRequest,
    id: TransactionId,
    message: Vec<u8>,
    awaited: AwaitedReply,
    progress: Progress,
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

/// The states of [RFC 8894 §2.5.1](https://www.rfc-editor.org/rfc/rfc8894#section-2.5.1) between asking and having.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Nothing was sent by this process.
    Prepared,
    /// Sent, and no answer is known.
    Unanswered,
    /// To be polled.
    Pending,
}

impl Transaction {
    pub(crate) async fn prepare(
        client: &ScepClient,
        ca: &TrustedCa,
        wanted: &Enrollment,
        key: &ClientKey,
        signer: Identity,
    ) -> Result<Self, ClientError> {
        let made_up = secret_for_reply(wanted, &signer, &*client.parts().random)?;
        let challenge = wanted.challenge.as_ref().or(made_up.as_ref());
        Opener { key: signer.key(), challenge }.check()?;
        let capabilities = client.effective_capabilities().await?;
        let request = certification_request(wanted, challenge, key).await?;
        Self::begin(client.clone(), ca.clone(), capabilities, signer, request).await
    }

    /// A new transaction for a request that is made.
    async fn begin(
        client: ScepClient,
        ca: TrustedCa,
        capabilities: Capabilities,
        signer: Identity,
        request: CertificationRequest,
    ) -> Result<Self, ClientError> {
        let id = TransactionId::generate(request.public_key(), &*client.parts().random)?;
        let asked = if signer.is_issued() && capabilities.has(Capability::Renewal) {
            RequestMessage::RenewalReq(request.clone())
        } else {
            RequestMessage::PkcsReq(request.clone())
        };
        let sent = sign(&client, &ca, &signer, capabilities, (&asked, &id)).await?;
        let OutgoingRequest { message, awaited, .. } = sent;
        let progress = Progress::Prepared;
        Ok(Self { client, ca, capabilities, signer, request, id, message, awaited, progress })
    }

    pub(crate) async fn resume(
        client: &ScepClient,
        ca: &TrustedCa,
        saved: &SavedTransaction,
        key: &ClientKey,
    ) -> Result<Self, ClientError> {
        let unreadable =
            |error| ClientError::Request(format!("the saved transaction is unreadable: {error}"));
        let message = PkiMessage::parse(saved.message()).map_err(unreadable)?;
        let exchange = message.exchange();
        let signer = Identity::resumed(exchange.signer().clone(), key.clone())?;
        Ok(Self {
            client: client.clone(),
            ca: ca.clone(),
            capabilities: client.effective_capabilities().await?,
            signer,
            request: saved.request().clone(),
            id: exchange.transaction_id().clone(),
            message: saved.message().to_vec(),
            awaited: AwaitedReply::from(exchange),
            progress: saved.progress(),
        })
    }

    /// The transactionID, by which the CA's log tells of it.
    pub fn id(&self) -> &TransactionId {
        &self.id
    }

    /// What is asked for.
    pub fn request(&self) -> &CertificationRequest {
        &self.request
    }

    /// The pkiMessage that asks for it.
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    pub(crate) fn progress(&self) -> Progress {
        self.progress
    }

    /// Sends the request. The same octets every time.
    pub async fn send(&mut self) -> Result<Outcome, ClientError> {
        let answer = self.exchange(&self.message, &self.awaited).await;
        self.note_progress(&answer);
        self.settled(answer?)
    }

    /// Asks whether a pending request is decided: by CertPoll, or, with a key that cannot decrypt, by the request once
    /// more, because a CertPoll holds no challenge to encrypt the certificate under.
    pub async fn poll(&mut self) -> Result<Outcome, ClientError> {
        if self.signer.key().decryption.is_none() {
            return self.send().await;
        }
        let issuer = self.ca.issuer().subject().clone();
        let asked = RequestMessage::CertPoll { issuer, subject: self.request.subject().clone() };
        let poll = sign(&self.client, &self.ca, &self.signer, self.capabilities, (&asked, &self.id)).await?;
        let answer = self.exchange(&poll.message, &poll.awaited).await?;
        self.settled(answer)
    }

    /// Goes on with the same request in a new transaction, as
    /// [RFC 8894 §5.2](https://www.rfc-editor.org/rfc/rfc8894#section-5.2) recommends when the CA knows nothing, or too
    /// much, of the old one. Nothing is sent yet.
    pub async fn start_over(&mut self) -> Result<(), ClientError> {
        let (client, ca) = (self.client.clone(), self.ca.clone());
        let (signer, request) = (self.signer.clone(), self.request.clone());
        *self = Self::begin(client, ca, self.capabilities, signer, request).await?;
        Ok(())
    }

    async fn exchange(&self, message: &[u8], awaited: &AwaitedReply) -> Result<Option<Issued>, ClientError> {
        let opener = Opener { key: self.signer.key(), challenge: self.request.challenge_password() };
        self.client.exchange(message, awaited, (&self.ca, self.capabilities), opener).await
    }

    fn note_progress(&mut self, answer: &Result<Option<Issued>, ClientError>) {
        self.progress = match answer {
            Ok(None) => Progress::Pending,
            Err(error) if !error.may_have_arrived() => return,
            _ => Progress::Unanswered,
        };
    }

    fn settled(&self, answer: Option<Issued>) -> Result<Outcome, ClientError> {
        let Some(issued) = answer else { return Ok(Outcome::Pending) };
        let of_our_key = |certificate: &&Certificate| certificate.public_key() == self.request.public_key();
        let mut ours = issued.certificates.iter().filter(of_our_key).peekable();
        if ours.peek().is_none() {
            return Err(Untrusted::NotForKey(issued.certificates.len()).into());
        }
        let new = ours.find(|&certificate| certificate != self.signer.certificate());
        let ours = new.ok_or(ClientError::SameCertificate)?.clone();
        if self.ca.issued(&ours, &*self.client.parts().verifier) {
            Ok(Outcome::Issued(ours))
        } else {
            Err(Untrusted::NotIssuedByCa(ours.issuer().to_string()).into())
        }
    }
}

/// What a renewal by a key that cannot decrypt gets its reply encrypted under when nobody gave a challenge: it proves
/// nothing, and CAs that go by the old certificate do not look at it.
fn secret_for_reply(
    wanted: &Enrollment,
    signer: &Identity,
    random: &dyn SecureRandom,
) -> Result<Option<ChallengePassword>, RandomFailed> {
    let able = signer.key().decryption.is_some();
    if able || wanted.challenge.is_some() || !signer.is_issued() {
        return Ok(None);
    }
    let mut octets = [0; 16];
    random.fill(&mut octets)?;
    let text = octets.iter().map(|octet| format!("{octet:02x}")).collect::<Vec<_>>().concat();
    Ok(Some(ChallengePassword::new(text)))
}

async fn certification_request(
    wanted: &Enrollment,
    challenge: Option<&ChallengePassword>,
    key: &ClientKey,
) -> Result<CertificationRequest, ClientError> {
    let signing = &*key.signing;
    let unsigned = UnsignedCertificationRequest::new(
        &wanted.subject,
        signing.public_key(),
        challenge,
        &wanted.extensions,
    );
    let signature = signing.sign(unsigned.tbs()).await?;
    Ok(unsigned.finish(signing.algorithm(), &signature)?)
}

/// A pkiMessage by `signer` that asks `ca` for something.
pub(crate) async fn sign(
    client: &ScepClient,
    ca: &TrustedCa,
    signer: &Identity,
    capabilities: Capabilities,
    (asked, id): (&RequestMessage, &TransactionId),
) -> Result<OutgoingRequest, ClientError> {
    let (requester, parts) = (client.requester(ca, signer, capabilities), client.parts());
    let unsigned = requester.prepare(asked, id, &*parts.encryptor, &*parts.random, parts.clock.now())?;
    let signature = signer.key().signing.sign(unsigned.tbs()).await?;
    Ok(unsigned.finish(&signature))
}
