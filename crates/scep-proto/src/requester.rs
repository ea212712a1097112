//! Requests as a client makes them.

use alloc::vec::Vec;

use pki_core::{Certificate, KeyEncryptor, KeyTransport, SecureRandom, SignatureAlgorithm, UnixTime};

use crate::{AwaitedReply, ContentCipher, EncodeError, RequestMessage, TransactionId};

/// What all requests of a client have in common.
#[derive(Debug, Clone)]
pub struct Requester {
    signer: Certificate,
    algorithm: SignatureAlgorithm,
    recipient: Certificate,
    cipher: ContentCipher,
    transport: KeyTransport,
}

impl Requester {
    /// Signs as `signer` with `algorithm`, encrypts to `recipient` (the RA's encryption certificate).
    pub fn new(signer: Certificate, algorithm: SignatureAlgorithm, recipient: Certificate) -> Self {
        let (cipher, transport) = (ContentCipher::Aes128Cbc, KeyTransport::RsaPkcs1);
        Self { signer, algorithm, recipient, cipher, transport }
    }

    /// With another content cipher than AES-128.
    #[must_use]
    pub fn with_cipher(self, cipher: ContentCipher) -> Self {
        Self { cipher, ..self }
    }

    /// With another key transport than PKCS #1 v1.5.
    #[must_use]
    pub fn with_key_transport(self, transport: KeyTransport) -> Self {
        Self { transport, ..self }
    }

    /// Prepares.
    pub fn prepare(
        &self,
        _message: &RequestMessage,
        _transaction_id: &TransactionId,
        _encryptor: &dyn KeyEncryptor,
        _random: &dyn SecureRandom,
        _now: UnixTime,
    ) -> Result<UnsignedRequest, EncodeError> {
        todo!()
    }
}

/// A request that lacks only its signature.
#[derive(Debug)]
#[must_use]
pub struct UnsignedRequest {
    signed_attributes: Vec<u8>,
}

impl UnsignedRequest {
    /// Bytes to sign.
    pub fn tbs(&self) -> &[u8] {
        &self.signed_attributes
    }

    /// Attaches the signature.
    pub fn finish(self, _signature: &[u8]) -> OutgoingRequest {
        todo!()
    }
}

/// A finished request and what its reply is told by.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct OutgoingRequest {
    /// The body to send.
    pub message: Vec<u8>,
    /// Reads the reply.
    pub awaited: AwaitedReply,
}
