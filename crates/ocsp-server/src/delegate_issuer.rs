//! Certifies delegates for responders elsewhere; what a CA's server mounts below [`PATH`](crate::delegate_token::PATH).

use std::{fmt, sync::Arc};

use keys_software::AwsLc;
use pki_core::{CertificationRequest, KeyKind, UnixTime};

use crate::{
    SelfIssuedDelegates, ServerError,
    delegate_token::{DelegateToken, NotAdmitted, octets},
};

/// Certifies delegates of one or several CAs for whoever is admitted.
#[derive(Debug)]
pub struct DelegateIssuer {
    cas: Vec<Arc<SelfIssuedDelegates>>,
}

/// What a responder shows for itself.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Shown<'a> {
    /// A value of `Authorization`, to be judged with the token, now.
    Token(&'a DelegateToken, &'a str, UnixTime),
    /// A certificate, over TLS, which the caller has judged.
    Certificate,
}

impl DelegateIssuer {
    /// More than this is no request.
    pub const MAX_REQUEST: usize = 16 * 1024;

    /// For these CAs.
    pub fn new(cas: Vec<Arc<SelfIssuedDelegates>>) -> Self {
        Self { cas }
    }

    /// Answers `POST /ocsp-delegate/{ca}`: the DER of a certificate for the key of the certification request in `body`.
    pub async fn answer(&self, ca: &str, body: &[u8], shown: Shown<'_>) -> Result<Vec<u8>, DelegateRefused> {
        let fingerprint = octets(ca).ok_or(DelegateRefused::NoSuchCa)?;
        if let Shown::Token(token, authorization, now) = shown {
            token.admits(authorization, &fingerprint, body, now)?;
        }
        let ca = self.cas.iter().find(|ca| ca.certificate().fingerprint() == fingerprint);
        let ca = ca.ok_or(DelegateRefused::NoSuchCa)?;
        let request = CertificationRequest::from_der(body).map_err(|_| DelegateRefused::NoRequest)?;
        request.verify(&AwsLc).map_err(|_| DelegateRefused::NoRequest)?;
        if matches!(request.public_key().kind(), KeyKind::Rsa { bits: ..2048 } | KeyKind::Other(_)) {
            return Err(DelegateRefused::NoRequest);
        }
        let certificate = ca.certify(request.public_key()).await.map_err(DelegateRefused::Ca)?;
        tracing::info!(
            ca = %ca.certificate().subject(),
            serial = certificate.serial_number().map(tracing::field::display),
            not_after = %certificate.validity().not_after(),
            "responder certificate issued to another process"
        );
        Ok(certificate.as_der().to_vec())
    }
}

/// Why no delegate is certified. `Display` is for the responder's operator.
#[derive(Debug)]
#[non_exhaustive]
pub enum DelegateRefused {
    /// The token does not admit the request: 401.
    NotAdmitted(NotAdmitted),
    /// The certificate that was shown is none of a responder's, or is revoked: 403.
    NotAResponder(String),
    /// The CA is none of those here: 404.
    NoSuchCa,
    /// The body is not a sound certification request: 400.
    NoRequest,
    /// The CA cannot sign now: 503.
    Ca(ServerError),
}

impl DelegateRefused {
    /// The HTTP status.
    pub fn status(&self) -> u16 {
        match self {
            Self::NotAdmitted(_) => 401,
            Self::NotAResponder(_) => 403,
            Self::NoSuchCa => 404,
            Self::NoRequest => 400,
            Self::Ca(_) => 503,
        }
    }
}

impl fmt::Display for DelegateRefused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAdmitted(reason) => fmt::Display::fmt(reason, f),
            Self::NotAResponder(reason) => f.write_str(reason),
            Self::NoSuchCa => f.write_str("no CA here has a certificate with that fingerprint"),
            Self::NoRequest => {
                f.write_str("expected a PKCS #10 request, signed by its own key, that OCSP is signed with")
            }
            // What is wrong with the CA's key is for the log of its server.
            Self::Ca(_) => f.write_str("the CA cannot certify now"),
        }
    }
}

impl std::error::Error for DelegateRefused {}

impl From<NotAdmitted> for DelegateRefused {
    fn from(reason: NotAdmitted) -> Self {
        Self::NotAdmitted(reason)
    }
}
