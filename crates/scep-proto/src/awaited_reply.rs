//! Replies as a client receives them.

use alloc::{string::String, vec::Vec};

use pki_core::{Certificate, ContentKey, SignatureVerifier, WrappedKey};

use crate::{AlgorithmPolicy, FailInfo, ReplyError, TransactionId};

/// Knows the reply that belongs to a request.
#[derive(Debug, Clone)]
pub struct AwaitedReply {
    transaction_id: TransactionId,
    sender_nonce: Vec<u8>,
    signer: Certificate,
}

impl AwaitedReply {
    /// Reads a reply signed by one of `trusted`.
    pub fn read(
        &self,
        _reply: &[u8],
        _trusted: &[Certificate],
        _verifier: &dyn SignatureVerifier,
        _policy: &AlgorithmPolicy,
    ) -> Result<CertRep, ReplyError> {
        let _ = (&self.transaction_id, &self.sender_nonce, &self.signer);
        todo!()
    }
}

/// A verified reply.
#[derive(Debug)]
#[expect(clippy::exhaustive_enums, reason = "closed on the wire")]
pub enum CertRep {
    /// Granted.
    Success(SealedReply),
    /// Refused.
    Failure {
        /// Why.
        fail_info: FailInfo,
        /// failInfoText.
        text: Option<String>,
    },
    /// Poll.
    Pending,
}

/// What a SUCCESS delivers, encrypted.
#[derive(Debug)]
pub struct SealedReply {
    wrapped: WrappedKey,
}

impl SealedReply {
    /// For the signer's DecryptionKey.
    pub fn wrapped_key(&self) -> &WrappedKey {
        &self.wrapped
    }

    /// Opens.
    pub fn open(&self, _key: &ContentKey) -> Result<Issued, ReplyError> {
        todo!()
    }
}

/// What a SUCCESS delivers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Issued {
    /// Certificates in the order sent.
    pub certificates: Vec<Certificate>,
    /// CRLs as DER.
    pub crls: Vec<Vec<u8>>,
}
