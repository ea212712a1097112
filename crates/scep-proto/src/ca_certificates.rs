//! GetCACert: the answer, and what a client picks from it.

use alloc::vec::Vec;

use pki_core::{Certificate, DecodeError};

/// The media type of a single certificate.
pub const CA_CERT_MEDIA_TYPE: &str = "application/x-x509-ca-cert";
/// The media type of several certificates.
pub const CA_RA_CERT_MEDIA_TYPE: &str = "application/x-x509-ca-ra-cert";

/// The media type and body of a GetCACert answer.
pub fn encode(_certificates: &[Certificate]) -> (&'static str, Vec<u8>) {
    todo!()
}

/// Reads a GetCACert answer of either form.
pub fn parse(_body: &[u8]) -> Result<Vec<Certificate>, DecodeError> {
    todo!()
}

/// Which certificates of a GetCACert answer are for what.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RaCertificates {
    /// Requests are encrypted to this one.
    pub encryption: Certificate,
    /// Replies are signed by this one.
    pub signing: Certificate,
    /// The CA.
    pub ca: Certificate,
}

impl RaCertificates {
    /// Picks.
    pub fn pick(_certificates: &[Certificate]) -> Option<Self> {
        todo!()
    }
}
