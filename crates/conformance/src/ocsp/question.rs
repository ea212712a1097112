//! Requests in the making.

use pki_core::{Certificate, DigestAlgorithm, Extension, Oid, tlv};

pub(crate) const NONCE: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.48.1.2");
pub(crate) const PREFERRED_ALGORITHMS: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.48.1.8");
pub(crate) const EXTENDED_REVOKE: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.48.1.9");
/// Below the enterprise number for documentation (RFC 5612): nobody knows it.
pub(crate) const UNHEARD_OF: Oid = Oid::new_unwrap("1.3.6.1.4.1.32473.6.1");

/// A CertID.
#[derive(Debug, Clone)]
pub(crate) struct CertIdDraft {
    pub(crate) digest: Oid,
    /// The DER of the digest's parameters; often NULL.
    pub(crate) parameters: Vec<u8>,
    pub(crate) name_hash: Vec<u8>,
    pub(crate) key_hash: Vec<u8>,
    /// Content octets of the INTEGER.
    pub(crate) serial: Vec<u8>,
}

impl CertIdDraft {
    pub(crate) fn new(digest: DigestAlgorithm, issuer: &Certificate, serial: &[u8]) -> Self {
        Self {
            digest: digest.oid(),
            parameters: vec![5, 0],
            name_hash: digest.digest(issuer.subject().as_der()).unwrap_or_default(),
            key_hash: digest.digest(issuer.public_key().key_octets()).unwrap_or_default(),
            serial: serial.to_vec(),
        }
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        tlv::sequence([
            &*tlv::sequence([&*tlv::oid(self.digest), &self.parameters]),
            &tlv::wrap(tlv::OCTET_STRING, &self.name_hash),
            &tlv::wrap(tlv::OCTET_STRING, &self.key_hash),
            &tlv::wrap(tlv::INTEGER, &self.serial),
        ])
    }
}

/// An OCSPRequest.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    /// The DER of the version, where it is written out.
    pub(crate) version: Vec<u8>,
    /// The DER of the requestorName, with its tag.
    pub(crate) requestor: Vec<u8>,
    pub(crate) ids: Vec<CertIdDraft>,
    pub(crate) single_extensions: Vec<Extension>,
    pub(crate) extensions: Vec<Extension>,
    /// The DER of optionalSignature, with its tag.
    pub(crate) signature: Vec<u8>,
}

impl Question {
    pub(crate) fn about(ids: Vec<CertIdDraft>) -> Self {
        Self {
            version: Vec::new(),
            requestor: Vec::new(),
            ids,
            single_extensions: Vec::new(),
            extensions: Vec::new(),
            signature: Vec::new(),
        }
    }

    /// With a nonce of those octets, wrapped as RFC 9654 has it.
    pub(crate) fn with_nonce(mut self, nonce: &[u8]) -> Self {
        self.extensions.push(Extension::new(NONCE, tlv::wrap(tlv::OCTET_STRING, nonce)));
        self
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let single = extensions(0xA0, &self.single_extensions);
        let requests: Vec<u8> =
            self.ids.iter().flat_map(|id| tlv::sequence([&*id.encode(), &single])).collect();
        let tbs = tlv::sequence([
            &*self.version,
            &self.requestor,
            &tlv::wrap(tlv::SEQUENCE, &requests),
            &extensions(0xA2, &self.extensions),
        ]);
        tlv::sequence([&*tbs, &self.signature])
    }
}

fn extensions(tag: u8, list: &[Extension]) -> Vec<u8> {
    let list: Vec<u8> = list.iter().flat_map(Extension::to_der).collect();
    if list.is_empty() { Vec::new() } else { tlv::wrap(tag, &tlv::wrap(tlv::SEQUENCE, &list)) }
}
