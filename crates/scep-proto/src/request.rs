//! What a client asks for.

use alloc::vec::Vec;

use pki_core::{
    CertificationRequest, ChallengePassword, DecodeError, Name, SerialNumber, VerifiedRequest, tlv,
};

use crate::{Exchange, MessageType};

/// A decrypted request whose signature holds, proof of possession included, and where to send the reply.
///
/// Who the signer is, and whether it may have what it asks for, has *not* been decided.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Request {
    /// What is asked.
    pub message: RequestMessage,
    /// Whom and how to answer; also holds the transactionID and the certificate of the signer.
    pub exchange: Exchange,
    pub(crate) proven: Option<VerifiedRequest>,
}

impl Request {
    /// The certification request of a PKCSReq or RenewalReq, with the knowledge that its own signature holds.
    pub fn verified_request(&self) -> Option<&VerifiedRequest> {
        self.proven.as_ref()
    }
}

/// What is asked ([RFC 8894 §3.3](https://www.rfc-editor.org/rfc/rfc8894#section-3.3)); closed, so that whoever
/// handles requests handles all of them.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "closed on the wire")]
pub enum RequestMessage {
    /// 19: a certificate for a PKCS #10 request.
    PkcsReq(CertificationRequest),
    /// 17: the same, to be authenticated by the signer's certificate.
    RenewalReq(CertificationRequest),
    /// 20: whether the request of the same transactionID is decided. As received by a CA, the names are those of the
    /// RA's issuer and of the signer, whatever was sent: see [`SealedRequest`](crate::SealedRequest).
    ///
    /// ```text
    /// issuerAndSubject ::= SEQUENCE { issuer Name, subject Name }
    /// ```
    CertPoll {
        /// The CA's subject name.
        issuer: Name,
        /// The subject of the request.
        subject: Name,
    },
    /// 21: a certificate that the CA issued.
    ///
    /// ```text
    /// IssuerAndSerialNumber ::= SEQUENCE { issuer Name, serialNumber CertificateSerialNumber }
    /// ```
    GetCert {
        /// The CA's subject name.
        issuer: Name,
        /// The certificate's number.
        serial: SerialNumber,
    },
    /// 22: the CRL on which a certificate would be.
    GetCrl {
        /// The CA's subject name.
        issuer: Name,
        /// The certificate's number.
        serial: SerialNumber,
    },
}

impl RequestMessage {
    /// The messageType that goes with it.
    pub fn message_type(&self) -> MessageType {
        match self {
            Self::PkcsReq(_) => MessageType::PkcsReq,
            Self::RenewalReq(_) => MessageType::RenewalReq,
            Self::CertPoll { .. } => MessageType::CertPoll,
            Self::GetCert { .. } => MessageType::GetCert,
            Self::GetCrl { .. } => MessageType::GetCrl,
        }
    }

    /// The challenge of its certification request.
    pub(crate) fn challenge(&self) -> Option<&ChallengePassword> {
        match self {
            Self::PkcsReq(request) | Self::RenewalReq(request) => request.challenge_password(),
            Self::CertPoll { .. } | Self::GetCert { .. } | Self::GetCrl { .. } => None,
        }
    }

    /// The octets that are encrypted.
    pub(crate) fn to_der(&self) -> Vec<u8> {
        match self {
            Self::PkcsReq(request) | Self::RenewalReq(request) => request.as_der().to_vec(),
            Self::CertPoll { issuer, subject } => tlv::sequence([issuer.as_der(), subject.as_der()]),
            Self::GetCert { issuer, serial } | Self::GetCrl { issuer, serial } => {
                tlv::sequence([issuer.as_der(), &tlv::wrap(tlv::INTEGER, serial.as_be_bytes())])
            }
        }
    }

    /// Reads what was encrypted in a message of that type.
    pub(crate) fn from_der(message_type: MessageType, der: &[u8]) -> Result<Self, DecodeError> {
        match message_type {
            MessageType::PkcsReq => CertificationRequest::from_der(der).map(Self::PkcsReq),
            MessageType::RenewalReq => CertificationRequest::from_der(der).map(Self::RenewalReq),
            MessageType::CertPoll => {
                let (issuer, subject) = pair(der, "an issuerAndSubject", tlv::SEQUENCE)?;
                Ok(Self::CertPoll { issuer, subject: Name::from_der(subject.bytes)? })
            }
            MessageType::GetCert => {
                issuer_and_serial(der).map(|(issuer, serial)| Self::GetCert { issuer, serial })
            }
            MessageType::GetCrl => {
                issuer_and_serial(der).map(|(issuer, serial)| Self::GetCrl { issuer, serial })
            }
            MessageType::CertRep => Err(DecodeError::new("a request", "a CertRep")),
        }
    }
}

fn issuer_and_serial(der: &[u8]) -> Result<(Name, SerialNumber), DecodeError> {
    const WHAT: &str = "an IssuerAndSerialNumber";
    let (issuer, serial) = pair(der, WHAT, tlv::INTEGER)?;
    let serial = SerialNumber::from_be_bytes(serial.value).map_err(|error| DecodeError::new(WHAT, error))?;
    Ok((issuer, serial))
}

fn pair<'a>(der: &'a [u8], what: &'static str, tag: u8) -> Result<(Name, tlv::Tlv<'a>), DecodeError> {
    let mut fields = tlv::Cursor::into(der, tlv::SEQUENCE, what)?;
    let issuer = Name::from_der(fields.expect(tlv::SEQUENCE)?.bytes)?;
    let second = fields.expect(tag)?;
    fields.finish()?;
    Ok((issuer, second))
}
