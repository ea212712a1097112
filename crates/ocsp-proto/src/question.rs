//! OCSPRequest, as a client makes it.

use alloc::{string::String, vec::Vec};

use pki_core::DigestAlgorithm;

use crate::{
    Issuer, MAX_GET_URL,
    cert_id::put_cert_id,
    get_url,
    nonce::MAX_NONCE,
    oids,
    reader::{OCTET_STRING, SEQUENCE, explicit},
    respond::put_extension,
    writer::BackWriter,
};

/// A request ([RFC 6960 §4.1](https://www.rfc-editor.org/rfc/rfc6960#section-4.1)) that was made here, and what its
/// response must fit.
#[derive(Debug, Clone)]
pub struct Question {
    der: Vec<u8>,
    issuer: Issuer,
    cert_ids: Vec<Vec<u8>>,
    nonce: Option<Vec<u8>>,
}

impl Question {
    /// Asks about the certificates of `issuer` with these serial numbers
    /// ([`Certificate::serial_octets`](pki_core::Certificate::serial_octets)), named by `digest`: SHA-256 by
    /// RFC 9919 §3.1.1, SHA-1 for responders that know nothing else.
    pub fn new<'a>(
        issuer: Issuer,
        digest: DigestAlgorithm,
        serials: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Self, QuestionError> {
        let hashes = issuer.hashes(digest).ok_or(QuestionError::Digest(digest))?;
        let cert_id = |serial| {
            let mut out = BackWriter::with_capacity(192);
            put_cert_id(&mut out, digest, &hashes.name, &hashes.key, serial);
            out.finish()
        };
        let cert_ids: Vec<_> = serials.into_iter().map(cert_id).collect();
        if cert_ids.is_empty() {
            return Err(QuestionError::NoCertificate);
        }
        Ok(Self { der: encode(&cert_ids, None), issuer, cert_ids, nonce: None })
    }

    /// The same with a nonce, which must come from a source of secure randomness and should be 32 octets long
    /// (RFC 9654 §2.1).
    pub fn with_nonce(self, nonce: &[u8]) -> Result<Self, QuestionError> {
        if !(1..=MAX_NONCE).contains(&nonce.len()) {
            return Err(QuestionError::NonceLength(nonce.len()));
        }
        Ok(Self { der: encode(&self.cert_ids, Some(nonce)), nonce: Some(nonce.to_vec()), ..self })
    }

    /// The DER, to be sent by POST.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// The URL of a GET to the responder at `url`, unless it would be too long and POST is due (RFC 9919 §6).
    pub fn get_url(&self, url: &str) -> Option<String> {
        Some(get_url(url, &self.der)).filter(|url| url.len() <= MAX_GET_URL)
    }

    pub(crate) fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    pub(crate) fn cert_ids(&self) -> &[Vec<u8>] {
        &self.cert_ids
    }

    pub(crate) fn nonce(&self) -> Option<&[u8]> {
        self.nonce.as_deref()
    }
}

/// A request that cannot be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuestionError {
    /// No serial number was given.
    #[error("a request asks about at least one certificate")]
    NoCertificate,
    /// Not a digest for CertIDs.
    #[error("CertIDs are made with SHA-1, SHA-256, SHA-384 or SHA-512, not {0:?}")]
    Digest(DigestAlgorithm),
    /// A nonce of a size that there is not.
    #[error("a nonce has 1 to 128 octets, not {0}")]
    NonceLength(usize),
}

fn encode(cert_ids: &[Vec<u8>], nonce: Option<&[u8]>) -> Vec<u8> {
    let mut out = BackWriter::with_capacity(256);
    out.wrap(SEQUENCE, |out| {
        out.wrap(SEQUENCE, |out| {
            if let Some(nonce) = nonce {
                out.wrap(explicit(2), |out| out.wrap(SEQUENCE, |out| put_nonce(out, nonce)));
            }
            out.wrap(SEQUENCE, |out| {
                cert_ids.iter().rev().for_each(|cert_id| out.element(SEQUENCE, cert_id));
            });
        });
    });
    out.finish()
}

fn put_nonce(out: &mut BackWriter, nonce: &[u8]) {
    let mut value = BackWriter::with_capacity(nonce.len().saturating_add(4));
    value.element(OCTET_STRING, nonce);
    put_extension(out, oids::NONCE, &value.finish());
}
