//! GetCACert ([RFC 8894 §4.2](https://www.rfc-editor.org/rfc/rfc8894#section-4.2)): the answer, and what a client picks
//! from it.

use alloc::vec::Vec;

use pki_core::{Certificate, DecodeError, KeyUsage};

use crate::{
    ber,
    signed_data::{SignedData, degenerate},
};

/// The media type of an answer of one certificate, as its DER.
pub const CA_CERT_MEDIA_TYPE: &str = "application/x-x509-ca-cert";

/// The media type of an answer of several certificates, as a degenerate SignedData.
pub const CA_RA_CERT_MEDIA_TYPE: &str = "application/x-x509-ca-ra-cert";

/// The media type and body of an answer. Several certificates stay in the order given, though DER would sort them.
pub fn encode(certificates: &[Certificate]) -> (&'static str, Vec<u8>) {
    match certificates {
        [single] => (CA_CERT_MEDIA_TYPE, single.as_der().to_vec()),
        several => (CA_RA_CERT_MEDIA_TYPE, degenerate(several, None)),
    }
}

/// Reads an answer of either form, whatever media type it came with. At most
/// [`MAX_CERTIFICATES`](crate::limits::MAX_CERTIFICATES), at least one.
///
/// Nothing is authenticated by this; compare a fingerprint.
pub fn parse(body: &[u8]) -> Result<Vec<Certificate>, DecodeError> {
    const WHAT: &str = "a certificate, or a SignedData of certificates";
    let der = ber::normalize(body)?;
    if let Ok(single) = Certificate::from_der(&der) {
        return Ok([single].into());
    }
    let data = SignedData::read(&der)?;
    let certificates: Vec<Certificate> = data.parsed_certificates().collect();
    if certificates.is_empty() { Err(DecodeError::new(WHAT, "no certificate")) } else { Ok(certificates) }
}

/// Which certificates of an answer are for what.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RaCertificates {
    /// Requests are encrypted to this one.
    pub encryption: Certificate,
    /// Replies are expected to be signed by this one. A CA may sign with any of the answer's certificates; to be
    /// lenient, trust all of them.
    pub signing: Certificate,
    /// Certificates are issued by this one.
    pub ca: Certificate,
}

impl RaCertificates {
    /// Picks the CA, and for encryption and signing an RA certificate whose keyUsage allows it (or does not limit it),
    /// or else the CA's own. The CA is the CA certificate that issued an RA certificate, if there is one, or else the
    /// first that issued no other CA certificate of the answer.
    ///
    /// `None` when there is no CA certificate, or no RSA key to encrypt to.
    pub fn pick(certificates: &[Certificate]) -> Option<Self> {
        let is_ca = |certificate: &&Certificate| certificate.basic_constraints().is_ok_and(|found| found.ca);
        let (authorities, others): (Vec<_>, Vec<_>) = certificates.iter().partition(is_ca);
        // A CA certificate of version 1 says nothing of itself; alone, it can be nothing else.
        let (authorities, others) = if authorities.is_empty() && others.len() == 1 {
            (others, authorities)
        } else {
            (authorities, others)
        };
        let ca = issuing_ca(&authorities, &others)?;
        let encryption =
            others.iter().copied().find(|ra| may(ra, KeyUsage::KEY_ENCIPHERMENT) && can_encipher(ra));
        let encryption = encryption.or(Some(ca).filter(|ca| can_encipher(ca)))?;
        let signing = others.iter().copied().find(|ra| may(ra, KeyUsage::DIGITAL_SIGNATURE)).unwrap_or(ca);
        Some(Self { encryption: encryption.clone(), signing: signing.clone(), ca: ca.clone() })
    }
}

fn issuing_ca<'c>(authorities: &[&'c Certificate], others: &[&'c Certificate]) -> Option<&'c Certificate> {
    let issued = |ca: &Certificate, certificates: &[&Certificate]| {
        let mut distinct = certificates.iter().filter(|&&certificate| certificate != ca);
        distinct.any(|certificate| certificate.issuer().matches(ca.subject()))
    };
    let mut of_an_ra = authorities.iter().copied().filter(|ca| issued(ca, others));
    let mut lowest = authorities.iter().copied().filter(|ca| !issued(ca, authorities));
    of_an_ra.next().or_else(|| lowest.next()).or_else(|| authorities.first().copied())
}

fn may(certificate: &Certificate, usage: KeyUsage) -> bool {
    certificate.key_usage().is_ok_and(|limit| limit.is_none_or(|limit| limit.contains(usage)))
}

fn can_encipher(certificate: &Certificate) -> bool {
    certificate.public_key().can_encipher()
}
