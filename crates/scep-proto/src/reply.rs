//! CertReps to be signed.

use alloc::vec::Vec;

use pki_core::{Certificate, SignatureAlgorithm};

use crate::signed_data::UnsignedSignedData;

/// Who signs the replies: the RA certificate of GetCACert, and the algorithm of its key.
#[derive(Debug, Clone)]
pub struct ReplySigner {
    pub(crate) certificate: Certificate,
    pub(crate) chain: Vec<Certificate>,
    pub(crate) algorithm: SignatureAlgorithm,
    pub(crate) empty_content: EmptyContent,
}

/// What stands for the content of a CertRep that has none, PENDING and FAILURE.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum EmptyContent {
    /// eContent is an OCTET STRING of no octets. certmonger ("no content") and pyscep cannot read the status of a reply
    /// without eContent; no client is known that minds an empty one.
    #[default]
    OctetString,
    /// eContent is absent, as RFC 8894 sections 3, 3.3.2.2 and 3.3.2.3 have it.
    Omitted,
}

impl ReplySigner {
    /// The holder of `certificate`, whose key signs with `algorithm`. Every reply carries `certificate`.
    pub fn new(certificate: Certificate, algorithm: SignatureAlgorithm) -> Self {
        Self { certificate, chain: Vec::new(), algorithm, empty_content: EmptyContent::default() }
    }

    /// The same, sending `chain` along with the signer's certificate.
    #[must_use]
    pub fn with_chain(self, chain: Vec<Certificate>) -> Self {
        Self { chain, ..self }
    }

    /// The same, with another form of empty content.
    #[must_use]
    pub fn with_empty_content(self, empty_content: EmptyContent) -> Self {
        Self { empty_content, ..self }
    }

    /// The certificate whose key signs.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }
}

/// A CertRep that lacks only its signature.
///
/// ```no_run
/// # async fn sign(unsigned: scep_proto::UnsignedReply, key: &dyn pki_core::SigningKey) -> Result<Vec<u8>, pki_core::KeyError> {
/// let signature = key.sign(unsigned.tbs()).await?;
/// let body = unsigned.finish(&signature);
/// # Ok(body) }
/// ```
#[derive(Debug)]
#[must_use]
pub struct UnsignedReply(pub(crate) UnsignedSignedData);

impl UnsignedReply {
    /// Bytes to sign: the DER of the signed attributes.
    pub fn tbs(&self) -> &[u8] {
        self.0.tbs()
    }

    /// Attaches the signature made over [`UnsignedReply::tbs`] and returns the body to send, of media type
    /// [`PKI_MESSAGE_MEDIA_TYPE`](crate::PKI_MESSAGE_MEDIA_TYPE).
    pub fn finish(self, signature: &[u8]) -> Vec<u8> {
        self.0.finish(signature)
    }
}
