//! CertReps to be signed.

use alloc::vec::Vec;

use pki_core::{Certificate, SignatureAlgorithm};

/// Who signs replies.
#[derive(Debug, Clone)]
pub struct ReplySigner {
    certificate: Certificate,
    chain: Vec<Certificate>,
    algorithm: SignatureAlgorithm,
    empty_content: EmptyContent,
}

/// What the content of a CertRep without messageData is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum EmptyContent {
    /// An OCTET STRING of no octets.
    #[default]
    OctetString,
    /// Omitted.
    Omitted,
}

impl ReplySigner {
    /// The holder of `certificate`, whose key signs with `algorithm`.
    pub fn new(certificate: Certificate, algorithm: SignatureAlgorithm) -> Self {
        Self { certificate, chain: Vec::new(), algorithm, empty_content: EmptyContent::default() }
    }

    /// The same, sending `chain` along.
    #[must_use]
    pub fn with_chain(self, chain: Vec<Certificate>) -> Self {
        Self { chain, ..self }
    }

    /// The same, with another form of empty content.
    #[must_use]
    pub fn with_empty_content(self, empty_content: EmptyContent) -> Self {
        Self { empty_content, ..self }
    }
}

/// A CertRep that lacks only its signature.
#[derive(Debug)]
#[must_use]
pub struct UnsignedReply {
    signed_attributes: Vec<u8>,
}

impl UnsignedReply {
    /// Bytes to sign.
    pub fn tbs(&self) -> &[u8] {
        &self.signed_attributes
    }

    /// Attaches the signature.
    pub fn finish(self, _signature: &[u8]) -> Vec<u8> {
        todo!()
    }
}
