//! What a response says: of the request as a whole, and of one certificate.

use core::fmt;

use pki_core::{CertStatus, CrlReason, UnixTime};

/// `OCSPResponseStatus` less `successful`
/// ([RFC 6960 §4.2.1](https://www.rfc-editor.org/rfc/rfc6960#section-4.2.1), meanings in §2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "closed on the wire")]
pub enum ErrorStatus {
    /// 1: not a request that can be understood.
    MalformedRequest,
    /// 2: the responder is in an inconsistent state.
    InternalError,
    /// 3: the status cannot be told now.
    TryLater,
    /// 5: the request must be signed.
    SigRequired,
    /// 6: not allowed to ask this, or not something this responder speaks for.
    Unauthorized,
}

impl ErrorStatus {
    /// The ENUMERATED value.
    pub fn code(self) -> u8 {
        match self {
            Self::MalformedRequest => 1,
            Self::InternalError => 2,
            Self::TryLater => 3,
            Self::SigRequired => 5,
            Self::Unauthorized => 6,
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        [Self::MalformedRequest, Self::InternalError, Self::TryLater, Self::SigRequired, Self::Unauthorized]
            .into_iter()
            .find(|status| status.code() == code)
    }

    /// The RFC's identifier.
    pub fn name(self) -> &'static str {
        match self {
            Self::MalformedRequest => "malformedRequest",
            Self::InternalError => "internalError",
            Self::TryLater => "tryLater",
            Self::SigRequired => "sigRequired",
            Self::Unauthorized => "unauthorized",
        }
    }
}

impl fmt::Display for ErrorStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What a `SingleResponse` ([RFC 6960 §4.2.1](https://www.rfc-editor.org/rfc/rfc6960#section-4.2.1)) says of its
/// certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the fields of the wire")]
pub struct SingleStatus {
    /// certStatus.
    pub status: CertStatus,
    /// When that was known to be so.
    pub this_update: UnixTime,
    /// When newer information will be there at the latest. RFC 9919 §3.2.4 demands one.
    pub next_update: Option<UnixTime>,
}

impl SingleStatus {
    /// "Revoked", for a certificate that was never issued (RFC 6960 §2.2): on hold since 1970. A response that says
    /// this carries the extended revoke extension.
    pub fn not_issued(this_update: UnixTime, next_update: Option<UnixTime>) -> Self {
        Self { status: NOT_ISSUED, this_update, next_update }
    }

    pub(crate) fn says_not_issued(&self) -> bool {
        self.status == NOT_ISSUED
    }
}

const NOT_ISSUED: CertStatus =
    CertStatus::Revoked { at: UnixTime(0), reason: Some(CrlReason::CertificateHold) };
