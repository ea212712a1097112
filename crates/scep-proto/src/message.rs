//! Requests as a CA receives them.

use alloc::sync::Arc;

use pki_core::{Certificate, ContentKey, DecodeError, SecureRandom, SignatureVerifier, WrappedKey};

use crate::{AlgorithmPolicy, Exchange, Rejection, Request};

/// A pkiMessage that was parsed and **not** verified.
#[derive(Debug)]
pub struct PkiMessage {
    exchange: Exchange,
}

impl PkiMessage {
    /// Parses.
    pub fn parse(_message: &[u8]) -> Result<Self, DecodeError> {
        todo!()
    }

    /// Where to answer.
    pub fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// Verifies.
    pub fn verify(
        &self,
        _verifier: &dyn SignatureVerifier,
        _policy: &AlgorithmPolicy,
    ) -> Result<VerifiedMessage, Rejection> {
        todo!()
    }
}

/// A pkiMessage whose signature holds; its content is still encrypted.
#[derive(Debug)]
pub struct VerifiedMessage {
    _p: Arc<()>,
}

impl VerifiedMessage {
    /// Where to answer.
    pub fn exchange(&self) -> &Exchange {
        todo!()
    }

    /// The wrapped content key.
    pub fn wrapped_key(&self, _recipient: &Certificate) -> Result<&WrappedKey, Rejection> {
        todo!()
    }

    /// Opens.
    pub fn open(&self, _key: Option<ContentKey>, _random: &dyn SecureRandom) -> Result<Request, Rejection> {
        todo!()
    }
}
