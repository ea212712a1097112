//! OCSPRequest, as a client makes it.

use alloc::{string::String, vec::Vec};
use core::time::Duration;

use pki_core::{Certificate, DigestAlgorithm, SignatureAlgorithm};

use crate::{
    Issuer, MAX_GET_URL,
    cert_id::put_cert_id,
    get_url,
    nonce::MAX_NONCE,
    oids, preferred,
    reader::{OBJECT_IDENTIFIER, OCTET_STRING, SEQUENCE, explicit},
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
    extensions: Extensions,
    demands: Demands,
}

/// What goes into requestExtensions.
#[derive(Debug, Clone, Default)]
struct Extensions {
    nonce: Option<Vec<u8>>,
    preferred: Vec<SignatureAlgorithm>,
    names_response_type: bool,
}

/// What a response must be like beyond what every response must.
#[derive(Debug, Clone, Default)]
pub(crate) struct Demands {
    pub(crate) trusted: Vec<Certificate>,
    pub(crate) max_age: Option<Duration>,
    pub(crate) nonce: NonceDemand,
}

/// Whether a response without the nonce that was sent is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum NonceDemand {
    /// It is, by its times alone (RFC 9919 §4).
    #[default]
    Optional,
    /// It is not.
    Required,
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
        let (extensions, demands) = (Extensions::default(), Demands::default());
        Ok(Self { der: encode(&cert_ids, &extensions), issuer, cert_ids, extensions, demands })
    }

    /// The same with a nonce, which must come from a source of secure randomness and should be 32 octets long
    /// (RFC 9654 §2.1).
    pub fn with_nonce(self, nonce: &[u8]) -> Result<Self, QuestionError> {
        if !(1..=MAX_NONCE).contains(&nonce.len()) {
            return Err(QuestionError::NonceLength(nonce.len()));
        }
        Ok(self.extended(|extensions| extensions.nonce = Some(nonce.to_vec())))
    }

    /// The same, saying which signature algorithms the client prefers, the dearest first (RFC 6960 §4.4.7). Each must be
    /// one that whoever verifies the response knows.
    #[must_use]
    pub fn preferring(self, algorithms: &[SignatureAlgorithm]) -> Self {
        self.extended(|extensions| extensions.preferred = algorithms.to_vec())
    }

    /// The same, saying that the client understands responses of type id-pkix-ocsp-basic and no others (RFC 6960
    /// §4.4.3).
    #[must_use]
    pub fn naming_response_type(self) -> Self {
        self.extended(|extensions| extensions.names_response_type = true)
    }

    /// Believes what `responder` signs, too, whoever issued it: the local configuration that RFC 6960 §4.2.2.2 speaks of.
    #[must_use]
    pub fn trusting(mut self, responder: Certificate) -> Self {
        self.demands.trusted.push(responder);
        self
    }

    /// Believes no status that was known longer ago than this, though its nextUpdate is yet to come (RFC 6960 §3.2,
    /// number 5).
    #[must_use]
    pub fn with_max_age(mut self, age: Duration) -> Self {
        self.demands.max_age = Some(age);
        self
    }

    /// Whether a response may lack the nonce; it may by default.
    #[must_use]
    pub fn with_nonce_demand(mut self, demand: NonceDemand) -> Self {
        self.demands.nonce = demand;
        self
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
        self.extensions.nonce.as_deref()
    }

    pub(crate) fn demands(&self) -> &Demands {
        &self.demands
    }

    fn extended(mut self, change: impl FnOnce(&mut Extensions)) -> Self {
        change(&mut self.extensions);
        self.der = encode(&self.cert_ids, &self.extensions);
        self
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

fn encode(cert_ids: &[Vec<u8>], extensions: &Extensions) -> Vec<u8> {
    let mut out = BackWriter::with_capacity(256);
    out.wrap(SEQUENCE, |out| {
        out.wrap(SEQUENCE, |out| {
            if !extensions.is_empty() {
                out.wrap(explicit(2), |out| out.wrap(SEQUENCE, |out| extensions.put(out)));
            }
            out.wrap(SEQUENCE, |out| {
                cert_ids.iter().rev().for_each(|cert_id| out.element(SEQUENCE, cert_id));
            });
        });
    });
    out.finish()
}

impl Extensions {
    fn is_empty(&self) -> bool {
        self.nonce.is_none() && self.preferred.is_empty() && !self.names_response_type
    }

    fn put(&self, out: &mut BackWriter) {
        if !self.preferred.is_empty() {
            put_extension(out, oids::PREFERRED_ALGORITHMS, &preferred::encode(&self.preferred));
        }
        if self.names_response_type {
            let mut types = BackWriter::with_capacity(16);
            types.wrap(SEQUENCE, |types| types.element(OBJECT_IDENTIFIER, oids::BASIC));
            put_extension(out, oids::ACCEPTABLE_RESPONSES, &types.finish());
        }
        if let Some(nonce) = &self.nonce {
            put_nonce(out, nonce);
        }
    }
}

fn put_nonce(out: &mut BackWriter, nonce: &[u8]) {
    let mut value = BackWriter::with_capacity(nonce.len().saturating_add(4));
    value.element(OCTET_STRING, nonce);
    put_extension(out, oids::NONCE, &value.finish());
}
