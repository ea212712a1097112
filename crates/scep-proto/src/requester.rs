//! Requests as a client makes them.

use alloc::{borrow::Cow, vec::Vec};

use pki_core::{
    Certificate, ChallengePassword, KeyEncryptor, KeyTransport, SecureRandom, SignatureAlgorithm, UnixTime,
};

use crate::{
    AwaitedReply, ContentCipher, EncodeError, RequestMessage, TransactionId,
    attributes::AttributeList,
    cms_oids,
    enveloped_data::{Envelope, SealedTo},
    limits::NONCE_LEN,
    signed_data::{SignedDataParts, UnsignedSignedData},
};

/// What the requests of a client have in common: who signs them, and for whom and how they are encrypted.
///
/// ```no_run
/// # use pki_core::{Certificate, CertificationRequest, DecryptionKey, KeyEncryptor, SecureRandom, SignatureVerifier, SigningKey, UnixTime};
/// # use scep_proto::{AlgorithmPolicy, CertRep, RequestMessage, Requester, TransactionId};
/// # fn post(_: &[u8]) -> Vec<u8> { Vec::new() }
/// # async fn enroll(own: Certificate, ra: Certificate, request: CertificationRequest,
/// #     signing: &dyn SigningKey, decryption: &dyn DecryptionKey, encryptor: &dyn KeyEncryptor,
/// #     verifier: &dyn SignatureVerifier, random: &dyn SecureRandom, now: UnixTime,
/// # ) -> Result<(), Box<dyn std::error::Error>> {
/// let requester = Requester::new(own, signing.algorithm(), ra.clone());
/// let transaction = TransactionId::generate(request.public_key(), random)?;
/// let message = RequestMessage::PkcsReq(request);
/// let unsigned = requester.prepare(&message, &transaction, encryptor, random, now)?;
/// let signature = signing.sign(unsigned.tbs()).await?;
/// let outgoing = unsigned.finish(&signature);
///
/// let reply = post(&outgoing.message);
/// match outgoing.awaited.read(&reply, &[ra], verifier, &AlgorithmPolicy::default())? {
///     CertRep::Success(sealed) => {
///         let key = decryption.unwrap_key(sealed.wrapped_key()).await?;
///         let issued = sealed.open(&key)?;
///     }
///     CertRep::Failure { fail_info, text } => {}
///     CertRep::Pending => {} // wait, then RequestMessage::CertPoll under the same transaction
/// }
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct Requester {
    signer: Certificate,
    algorithm: SignatureAlgorithm,
    recipient: Certificate,
    cipher: ContentCipher,
    transport: KeyTransport,
    challenge: Option<ChallengePassword>,
}

impl Requester {
    /// Signs as the holder of `signer`, whose key signs with `algorithm`; encrypts to `recipient`, the
    /// [`encryption`](crate::ca_certificates::RaCertificates::encryption) certificate of the RA, with AES-128 and
    /// PKCS #1 v1.5, which every server reads. Replies come back encrypted to the key of `signer`.
    pub fn new(signer: Certificate, algorithm: SignatureAlgorithm, recipient: Certificate) -> Self {
        let (cipher, transport) = (ContentCipher::Aes128Cbc, KeyTransport::RsaPkcs1);
        Self { signer, algorithm, recipient, cipher, transport, challenge: None }
    }

    /// The same, with another content cipher.
    #[must_use]
    pub fn with_cipher(self, cipher: ContentCipher) -> Self {
        Self { cipher, ..self }
    }

    /// The same, with another key transport.
    #[must_use]
    pub fn with_key_transport(self, transport: KeyTransport) -> Self {
        Self { transport, ..self }
    }

    /// The same, where messages that hold no certification request are encrypted by `challenge` if the key of the
    /// recipient cannot encipher; a certification request brings its own.
    #[must_use]
    pub fn with_challenge(self, challenge: ChallengePassword) -> Self {
        Self { challenge: Some(challenge), ..self }
    }

    /// A pkiMessage ([RFC 8894 §3.3](https://www.rfc-editor.org/rfc/rfc8894#section-3.3)) that asks for `message`. All
    /// messages of one operation go under one `transaction_id`, those sent again because a reply was lost included.
    pub fn prepare(
        &self,
        message: &RequestMessage,
        transaction_id: &TransactionId,
        encryptor: &dyn KeyEncryptor,
        random: &dyn SecureRandom,
        now: UnixTime,
    ) -> Result<UnsignedRequest, EncodeError> {
        let mut nonce = [0; NONCE_LEN];
        random.fill(&mut nonce)?;
        let challenge = message.challenge().or(self.challenge.as_ref());
        let to = SealedTo::choose(&self.recipient, self.transport, challenge)?;
        let envelope = Envelope::seal(&message.to_der(), to, self.cipher, encryptor, random)?;
        let attributes = AttributeList::default()
            .with_signing_time(now)
            .with_text(cms_oids::MESSAGE_TYPE, message.message_type().as_str())
            .with(cms_oids::TRANSACTION_ID, &transaction_id.to_der())
            .with_octets(cms_oids::SENDER_NONCE, &nonce);
        let data = UnsignedSignedData::new(SignedDataParts {
            signer: &self.signer,
            algorithm: self.algorithm,
            chain: &[],
            content: Some(Cow::Owned(envelope)),
            attributes,
        })?;
        let awaited = AwaitedReply::new(transaction_id.clone(), nonce.to_vec(), self.signer.clone());
        Ok(UnsignedRequest { data, awaited })
    }
}

/// A request that lacks only its signature.
#[derive(Debug)]
#[must_use]
pub struct UnsignedRequest {
    data: UnsignedSignedData,
    awaited: AwaitedReply,
}

impl UnsignedRequest {
    /// Bytes to sign: the DER of the signed attributes.
    pub fn tbs(&self) -> &[u8] {
        self.data.tbs()
    }

    /// Attaches the signature made over [`UnsignedRequest::tbs`].
    pub fn finish(self, signature: &[u8]) -> OutgoingRequest {
        OutgoingRequest { message: self.data.finish(signature), awaited: self.awaited }
    }
}

/// A request to send, and what knows its reply.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct OutgoingRequest {
    /// The body to send, of media type [`PKI_MESSAGE_MEDIA_TYPE`](crate::PKI_MESSAGE_MEDIA_TYPE).
    pub message: Vec<u8>,
    /// Reads the reply.
    pub awaited: AwaitedReply,
}
