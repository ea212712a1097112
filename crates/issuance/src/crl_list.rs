//! A CRL to be signed. Nothing outside of this crate makes one.

use pki_core::{
    Crl, CrlNumber, DecodeError, Extension, IssuingDistributionPoint, KeyError, SignatureAlgorithm,
    SigningKey, UnixTime, distribution_points, oids, tlv,
};

use crate::{Issuer, crl_contents::Listing};

/// What a list is apart from its entries.
#[derive(Debug)]
pub(crate) struct CrlHead<'a> {
    pub(crate) number: u64,
    pub(crate) this_update: UnixTime,
    pub(crate) next_update: UnixTime,
    pub(crate) kind: CrlKind<'a>,
    pub(crate) scope: Option<&'a IssuingDistributionPoint>,
}

/// Whether a list is whole.
#[derive(Debug)]
pub(crate) enum CrlKind<'a> {
    /// It is; and where delta lists for it are found, if there are any.
    Full { freshest: Option<&'a str> },
    /// It tells what has changed since the full list of number `base`.
    Delta { base: u64 },
}

/// A CRL that lacks only its signature.
#[derive(Debug)]
pub(crate) struct PreparedCrl {
    tbs: Vec<u8>,
    algorithm: SignatureAlgorithm,
}

impl PreparedCrl {
    /// ```text
    /// TBSCertList ::= SEQUENCE {
    ///     version Version, signature AlgorithmIdentifier, issuer Name, thisUpdate Time, nextUpdate Time,
    ///     revokedCertificates SEQUENCE OF SEQUENCE { ... } OPTIONAL, crlExtensions [0] EXPLICIT Extensions }
    /// ```
    pub(crate) fn new(issuer: &Issuer, head: &CrlHead<'_>, listing: &Listing) -> Self {
        const V2: [u8; 3] = [tlv::INTEGER, 1, 1];
        let algorithm = SignatureAlgorithm::from(issuer.algorithm());
        let (this_update, next_update) = (tlv::time(head.this_update), tlv::time(head.next_update));
        let (signature, name) = (algorithm.to_der(), issuer.certificate().subject().as_der());
        let fields = [&V2[..], &signature, name, &this_update, &next_update].concat();
        let extensions = tlv::wrap(0xA0, &tlv::wrap(tlv::SEQUENCE, &head.extensions(issuer)));
        let entries = listing.encoded();
        let entries = entries.as_bytes();
        let mut revoked = Vec::new();
        if !entries.is_empty() {
            tlv::push_header(&mut revoked, tlv::SEQUENCE, entries.len());
        }
        Self { tbs: joined(tlv::SEQUENCE, &[&fields, &revoked, entries, &extensions]), algorithm }
    }

    /// Signs with `key`, and reads what came of it.
    pub(crate) async fn sign_with(self, key: &dyn SigningKey) -> Result<Crl, CrlSignError> {
        if key.algorithm() != self.algorithm {
            return Err(CrlSignError::OtherAlgorithm);
        }
        let signature = key.sign(&self.tbs).await?;
        let bits = tlv::wrap(tlv::BIT_STRING, &[&[0], &*signature].concat());
        let der = joined(tlv::SEQUENCE, &[&self.tbs, &self.algorithm.to_der(), &bits]);
        drop(self.tbs);
        Ok(Crl::from_vec(der)?)
    }
}

impl CrlHead<'_> {
    fn extensions(&self, issuer: &Issuer) -> Vec<u8> {
        let mut extensions = issuer.authority_key().to_vec();
        let mut add = |extension: Extension| extensions.extend(extension.to_der());
        let number = |number: u64| CrlNumber::from(number).to_der();
        add(Extension::new(oids::CRL_NUMBER, number(self.number)));
        if let CrlKind::Delta { base } = self.kind {
            add(Extension::new(oids::DELTA_CRL_INDICATOR, number(base)).critical());
        }
        if let Some(scope) = self.scope {
            add(Extension::new(oids::ISSUING_DISTRIBUTION_POINT, scope.as_der().to_vec()).critical());
        }
        if let CrlKind::Full { freshest: Some(uri) } = self.kind {
            add(Extension::new(oids::FRESHEST_CRL, distribution_points([uri])));
        }
        extensions
    }
}

/// An element of type `tag` whose content is `parts`, put together once: a list may have many megabytes.
fn joined(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length = parts.iter().map(|part| part.len()).fold(0, usize::saturating_add);
    let mut out = Vec::with_capacity(length.saturating_add(8));
    tlv::push_header(&mut out, tag, length);
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

/// A prepared CRL was not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CrlSignError {
    /// The key makes other signatures than the list was prepared for.
    #[error("the CRL was prepared for a key of another signature algorithm")]
    OtherAlgorithm,
    /// The key did not sign.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// What was signed is no CRL.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
}
