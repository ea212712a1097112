//! Where to answer, and the answers.

use alloc::vec::Vec;

use pki_core::{Certificate, KeyEncryptor, KeyTransport, SecureRandom, UnixTime};

use crate::{ContentCipher, EncodeError, FailInfo, MessageType, ReplySigner, TransactionId, UnsignedReply};

/// Whom and how to answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    transaction_id: TransactionId,
    sender_nonce: Vec<u8>,
    signer: Certificate,
    cipher: ContentCipher,
    transport: KeyTransport,
}

impl Exchange {
    /// The operation that the message belongs to.
    pub fn transaction_id(&self) -> &TransactionId {
        &self.transaction_id
    }

    /// The nonce that the reply repeats.
    pub fn sender_nonce(&self) -> &[u8] {
        &self.sender_nonce
    }

    /// The certificate of the message's signer.
    pub fn signer(&self) -> &Certificate {
        &self.signer
    }

    /// messageType, if known.
    pub fn message_type(&self) -> Option<MessageType> {
        todo!()
    }

    /// The reply's cipher.
    pub fn cipher(&self) -> ContentCipher {
        self.cipher
    }

    /// The reply's key transport.
    pub fn key_transport(&self) -> KeyTransport {
        self.transport
    }

    /// SUCCESS.
    pub fn success(
        &self,
        _issued: &[Certificate],
        _signer: &ReplySigner,
        _encryptor: &dyn KeyEncryptor,
        _random: &dyn SecureRandom,
        _now: UnixTime,
    ) -> Result<UnsignedReply, EncodeError> {
        todo!()
    }

    /// SUCCESS with a CRL.
    pub fn success_with_crl(
        &self,
        _crl: &[u8],
        _signer: &ReplySigner,
        _encryptor: &dyn KeyEncryptor,
        _random: &dyn SecureRandom,
        _now: UnixTime,
    ) -> Result<UnsignedReply, EncodeError> {
        todo!()
    }

    /// PENDING.
    pub fn pending(
        &self,
        _signer: &ReplySigner,
        _random: &dyn SecureRandom,
        _now: UnixTime,
    ) -> Result<UnsignedReply, EncodeError> {
        todo!()
    }

    /// FAILURE.
    pub fn failure(
        &self,
        _signer: &ReplySigner,
        _fail_info: FailInfo,
        _text: Option<&str>,
        _random: &dyn SecureRandom,
        _now: UnixTime,
    ) -> Result<UnsignedReply, EncodeError> {
        todo!()
    }
}
