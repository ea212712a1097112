//! What is decided upon.

use pki_core::{Certificate, Name, SerialNumber, VerifiedRequest};

/// A certification request and how it came.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "built by every service")]
pub struct EnrollmentRequest<'a> {
    /// The name of the profile that is asked for; from the URL, never from the request.
    pub profile: &'a str,
    /// The transactionID, as it came.
    pub transaction_id: &'a [u8],
    /// The certification request, of which it is known that its requester has the key: SCEP's services verify that
    /// before they ask, others call [`CertificationRequest::verified`](pki_core::CertificationRequest::verified).
    pub csr: VerifiedRequest,
    /// The certificate whose key signed the message around it. The service has verified that signature.
    pub signer: Certificate,
    /// What the message says that it is.
    pub kind: RequestKind,
}

/// Asks what became of a request.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "built by every service")]
pub struct PollRequest<'a> {
    /// The name of the profile; from the URL.
    pub profile: &'a str,
    /// The transactionID of the request, as it came.
    pub transaction_id: &'a [u8],
    /// The certificate whose key signed the message that asks. The service has verified that signature.
    pub signer: &'a Certificate,
}

/// Asks for a certificate that was issued.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "built by every service")]
pub struct CertificateLookup<'a> {
    /// The issuer's name.
    pub issuer: &'a Name,
    /// The certificate's number.
    pub serial: SerialNumber,
    /// The certificate whose key signed the message that asks. The service has verified that signature.
    pub signer: &'a Certificate,
}

/// What becomes of a request that is not refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "services must decide each case")]
pub enum Enrollment {
    /// The certificate.
    Issued(Certificate),
    /// A person decides; whoever asks again learns what.
    Pending,
}

impl Enrollment {
    /// The same, to look at.
    pub fn as_issued(&self) -> Option<&Certificate> {
        match self {
            Self::Issued(certificate) => Some(certificate),
            Self::Pending => None,
        }
    }

    /// The certificate, if there is one by now.
    pub fn certificate(self) -> Option<Certificate> {
        match self {
            Self::Issued(certificate) => Some(certificate),
            Self::Pending => None,
        }
    }
}

/// What a message says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "closed on the wire")]
pub enum RequestKind {
    /// PKCSReq: a first enrollment, authorized by a challenge.
    Initial,
    /// RenewalReq: authorized by the signer's certificate.
    Renewal,
}
