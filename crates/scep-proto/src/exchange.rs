//! Whom and how to answer, and the answers.

use alloc::{borrow::Cow, vec::Vec};

use pki_core::{Certificate, ChallengePassword, KeyEncryptor, KeyTransport, SecureRandom, UnixTime};

use crate::{
    ContentCipher, EncodeError, FailInfo, MessageType, PkiStatus, ReplySigner, Tolerances, TransactionId,
    UnsignedReply,
    attributes::AttributeList,
    cms_oids,
    enveloped_data::{Envelope, Recipient, SealedTo},
    limits::NONCE_LEN,
    reply::EmptyContent,
    signed_data::{SignedDataParts, UnsignedSignedData, degenerate},
};

/// One request as seen by who answers it: the transaction, the sender's nonce, its certificate, and the algorithms in
/// which it can read the answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    transaction_id: TransactionId,
    sender_nonce: Vec<u8>,
    signer: Certificate,
    cipher: ContentCipher,
    transport: KeyTransport,
    tolerated: Tolerances,
    challenge: Option<ChallengePassword>,
}

impl Exchange {
    pub(crate) fn new(transaction_id: TransactionId, sender_nonce: Vec<u8>, signer: Certificate) -> Self {
        let (cipher, transport) = (ContentCipher::Aes128Cbc, KeyTransport::RsaPkcs1);
        let (tolerated, challenge) = (Tolerances::NONE, None);
        Self { transaction_id, sender_nonce, signer, cipher, transport, tolerated, challenge }
    }

    /// The same, where a key that cannot encipher gets its reply encrypted by `challenge`. The challenge of a
    /// certification request is known already; whoever answers a CertPoll of such a signer has to remember it.
    #[must_use]
    pub fn with_challenge(self, challenge: ChallengePassword) -> Self {
        Self { challenge: Some(challenge), ..self }
    }

    /// Whether a SUCCESS can be encrypted: to the key of [`Exchange::signer`], or by a challenge.
    pub fn can_deliver(&self) -> bool {
        SealedTo::choose(&self.signer, self.transport, self.challenge.as_ref()).is_ok()
    }

    pub(crate) fn tolerating(self, needed: Tolerances) -> Self {
        Self { tolerated: self.tolerated.union(needed), ..self }
    }

    /// To be answered in the algorithms that `envelope` uses.
    pub(crate) fn answered_in(self, envelope: &Envelope) -> Self {
        let transport = match envelope.recipients.as_slice() {
            [Recipient::KeyTransport { wrapped, .. }] => wrapped.transport(),
            _ => self.transport,
        };
        Self { cipher: envelope.cipher(), transport, ..self }
    }

    /// The operation that the message belongs to.
    pub fn transaction_id(&self) -> &TransactionId {
        &self.transaction_id
    }

    /// The nonce that the reply repeats.
    pub fn sender_nonce(&self) -> &[u8] {
        &self.sender_nonce
    }

    /// The certificate of who signed the message, self-signed or issued; replies are encrypted to its key.
    pub fn signer(&self) -> &Certificate {
        &self.signer
    }

    /// Which departures from the RFC the message needed so far, granted or not: some show only when it is opened.
    pub fn tolerated(&self) -> Tolerances {
        self.tolerated
    }

    /// The cipher of replies: that of the request, which passed the policy; AES-128 for a request that was not read
    /// so far.
    pub fn cipher(&self) -> ContentCipher {
        self.cipher
    }

    /// The key transport of replies: that of the request.
    pub fn key_transport(&self) -> KeyTransport {
        self.transport
    }

    /// A CertRep SUCCESS ([RFC 8894 §3.3.2.1](https://www.rfc-editor.org/rfc/rfc8894#section-3.3.2.1)) that delivers
    /// `issued`, encrypted to the key of [`Exchange::signer`], or by the challenge where that key cannot encipher.
    ///
    /// The certificate asked for comes first and all stay in the order given, although DER would sort them: iOS takes
    /// the first one. Send the chain along only to clients that are known to want it.
    pub fn success(
        &self,
        issued: &[Certificate],
        signer: &ReplySigner,
        encryptor: &dyn KeyEncryptor,
        random: &dyn SecureRandom,
        now: UnixTime,
    ) -> Result<UnsignedReply, EncodeError> {
        if issued.is_empty() {
            return Err(EncodeError::NothingToDeliver);
        }
        self.delivery(&degenerate(issued, None), signer, encryptor, random, now)
    }

    /// A CertRep SUCCESS that delivers a CRL, given as its DER: the answer to GetCRL.
    pub fn success_with_crl(
        &self,
        crl: &[u8],
        signer: &ReplySigner,
        encryptor: &dyn KeyEncryptor,
        random: &dyn SecureRandom,
        now: UnixTime,
    ) -> Result<UnsignedReply, EncodeError> {
        self.delivery(&degenerate(&[], Some(crl)), signer, encryptor, random, now)
    }

    /// A CertRep PENDING ([RFC 8894 §3.3.2.3](https://www.rfc-editor.org/rfc/rfc8894#section-3.3.2.3)): poll.
    pub fn pending(
        &self,
        signer: &ReplySigner,
        random: &dyn SecureRandom,
        now: UnixTime,
    ) -> Result<UnsignedReply, EncodeError> {
        let attributes = self.attributes(PkiStatus::Pending, random, now)?;
        Self::without_message_data(attributes, signer)
    }

    /// A CertRep FAILURE ([RFC 8894 §3.3.2.2](https://www.rfc-editor.org/rfc/rfc8894#section-3.3.2.2)). `text` becomes
    /// failInfoText, which a person at the device may read; keep secrets and details of the CA out of it.
    pub fn failure(
        &self,
        signer: &ReplySigner,
        fail_info: FailInfo,
        text: Option<&str>,
        random: &dyn SecureRandom,
        now: UnixTime,
    ) -> Result<UnsignedReply, EncodeError> {
        const UTF8_STRING: u8 = 0x0C;
        let attributes = self.attributes(PkiStatus::Failure, random, now)?;
        let attributes = attributes.with_text(cms_oids::FAIL_INFO, fail_info.as_str());
        let attributes = match text {
            Some(text) => {
                attributes.with(cms_oids::FAIL_INFO_TEXT, &pki_core::tlv::wrap(UTF8_STRING, text.as_bytes()))
            }
            None => attributes,
        };
        Self::without_message_data(attributes, signer)
    }

    fn delivery(
        &self,
        message_data: &[u8],
        signer: &ReplySigner,
        encryptor: &dyn KeyEncryptor,
        random: &dyn SecureRandom,
        now: UnixTime,
    ) -> Result<UnsignedReply, EncodeError> {
        let attributes = self.attributes(PkiStatus::Success, random, now)?;
        let to = SealedTo::choose(&self.signer, self.transport, self.challenge.as_ref())?;
        let envelope = Envelope::seal(message_data, to, self.cipher, encryptor, random)?;
        unsigned(attributes, Some(Cow::Owned(envelope)), signer)
    }

    fn without_message_data(
        attributes: AttributeList,
        signer: &ReplySigner,
    ) -> Result<UnsignedReply, EncodeError> {
        let content = match signer.empty_content {
            EmptyContent::OctetString => Some(Cow::Borrowed(&[][..])),
            EmptyContent::Omitted => None,
        };
        unsigned(attributes, content, signer)
    }

    fn attributes(
        &self,
        status: PkiStatus,
        random: &dyn SecureRandom,
        now: UnixTime,
    ) -> Result<AttributeList, EncodeError> {
        let mut nonce = [0; NONCE_LEN];
        random.fill(&mut nonce)?;
        Ok(AttributeList::default()
            .with_signing_time(now)
            .with_text(cms_oids::MESSAGE_TYPE, MessageType::CertRep.as_str())
            .with_text(cms_oids::PKI_STATUS, status.as_str())
            .with(cms_oids::TRANSACTION_ID, &self.transaction_id.to_der())
            .with_octets(cms_oids::SENDER_NONCE, &nonce)
            .with_octets(cms_oids::RECIPIENT_NONCE, &self.sender_nonce))
    }
}

fn unsigned(
    attributes: AttributeList,
    content: Option<Cow<'_, [u8]>>,
    signer: &ReplySigner,
) -> Result<UnsignedReply, EncodeError> {
    let parts = SignedDataParts {
        signer: &signer.certificate,
        algorithm: signer.algorithm,
        chain: &signer.chain,
        content,
        attributes,
    };
    UnsignedSignedData::new(parts).map(UnsignedReply)
}
