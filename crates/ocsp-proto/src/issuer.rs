//! The CAs that a responder speaks for.

use alloc::{sync::Arc, vec::Vec};
use core::fmt;

use pki_core::{CertRef, Certificate, DigestAlgorithm, IssuerId};

use crate::CertId;

/// A CA and the hashes that CertIDs name it by, made once. Cheap to clone.
#[derive(Clone)]
pub struct Issuer(Arc<Inner>);

struct Inner {
    certificate: Certificate,
    id: IssuerId,
    hashes: [IssuerHashes; 4],
}

pub(crate) struct IssuerHashes {
    digest: DigestAlgorithm,
    pub(crate) name: Vec<u8>,
    pub(crate) key: Vec<u8>,
}

impl Issuer {
    /// The CA that holds `certificate`.
    pub fn new(certificate: Certificate) -> Self {
        let hashes = [
            DigestAlgorithm::Sha1,
            DigestAlgorithm::Sha256,
            DigestAlgorithm::Sha384,
            DigestAlgorithm::Sha512,
        ]
        .map(|digest| IssuerHashes::of(&certificate, digest));
        Self(Arc::new(Inner { id: IssuerId::of(&certificate), certificate, hashes }))
    }

    /// Its certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.0.certificate
    }

    /// Its id.
    pub fn id(&self) -> IssuerId {
        self.0.id
    }

    /// Whether `cert_id` names a certificate of this CA: the hashes of name and key both match, under a hash that is
    /// known.
    pub fn is_named_by(&self, cert_id: &CertId<'_>) -> bool {
        self.0.hashes.iter().any(|hashes| {
            Some(hashes.digest) == cert_id.digest()
                && hashes.key == cert_id.issuer_key_hash()
                && hashes.name == cert_id.issuer_name_hash()
        })
    }

    /// The certificate that `cert_id` names, if it is of this CA and its serial number is one that RFC 5280 allows.
    pub fn resolve(&self, cert_id: &CertId<'_>) -> Option<CertRef> {
        let serial = cert_id.serial_number().filter(|_| self.is_named_by(cert_id))?;
        Some(CertRef { issuer: self.id(), serial })
    }

    pub(crate) fn hashes(&self, digest: DigestAlgorithm) -> Option<&IssuerHashes> {
        self.0.hashes.iter().find(|hashes| hashes.digest == digest)
    }
}

impl IssuerHashes {
    fn of(issuer: &Certificate, digest: DigestAlgorithm) -> Self {
        // None of these digests is MD5, the only one that cannot be computed; no CertID matches an empty hash of it.
        let hash = |octets: &[u8]| digest.digest(octets).unwrap_or_default();
        Self { digest, name: hash(issuer.subject().as_der()), key: hash(issuer.public_key().key_octets()) }
    }
}

impl fmt::Debug for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Issuer({}, {:?})", self.certificate().subject(), self.id())
    }
}
