//! The words of the protocol: messageType, pkiStatus, failInfo.

use core::fmt;

/// `messageType` ([RFC 8894 §3.2.1.2](https://www.rfc-editor.org/rfc/rfc8894#section-3.2.1.2)); closed, so that no
/// handler ever meets a type that it does not know. 18 (UpdateReq of the drafts) is not among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "closed on the wire")]
pub enum MessageType {
    /// 3: the reply to any request.
    CertRep,
    /// 17: a PKCS #10 request authenticated by an existing certificate.
    RenewalReq,
    /// 19: a PKCS #10 request.
    PkcsReq,
    /// 20: whether a pending request is decided.
    CertPoll,
    /// 21: a certificate by its number.
    GetCert,
    /// 22: a CRL.
    GetCrl,
}

impl MessageType {
    const TABLE: [(Self, &'static str); 6] = [
        (Self::CertRep, "3"),
        (Self::RenewalReq, "17"),
        (Self::PkcsReq, "19"),
        (Self::CertPoll, "20"),
        (Self::GetCert, "21"),
        (Self::GetCrl, "22"),
    ];

    /// The decimal text of the attribute.
    pub fn as_str(self) -> &'static str {
        to_text(&Self::TABLE, self)
    }

    pub(crate) fn from_text(text: &[u8]) -> Option<Self> {
        from_text(&Self::TABLE, text)
    }
}

impl fmt::Display for MessageType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CertRep => "CertRep",
            Self::RenewalReq => "RenewalReq",
            Self::PkcsReq => "PKCSReq",
            Self::CertPoll => "CertPoll",
            Self::GetCert => "GetCert",
            Self::GetCrl => "GetCRL",
        })
    }
}

/// `pkiStatus` ([RFC 8894 §3.2.1.3](https://www.rfc-editor.org/rfc/rfc8894#section-3.2.1.3)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "closed on the wire")]
pub enum PkiStatus {
    /// 0: granted.
    Success,
    /// 2: refused, see failInfo.
    Failure,
    /// 3: to be decided by a person; poll.
    Pending,
}

impl PkiStatus {
    const TABLE: [(Self, &'static str); 3] =
        [(Self::Success, "0"), (Self::Failure, "2"), (Self::Pending, "3")];

    /// The decimal text of the attribute.
    pub fn as_str(self) -> &'static str {
        to_text(&Self::TABLE, self)
    }

    pub(crate) fn from_text(text: &[u8]) -> Option<Self> {
        from_text(&Self::TABLE, text)
    }
}

/// `failInfo` ([RFC 8894 §3.2.1.4](https://www.rfc-editor.org/rfc/rfc8894#section-3.2.1.4)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "closed on the wire")]
pub enum FailInfo {
    /// 0: unrecognized or unsupported algorithm.
    BadAlg,
    /// 1: the integrity of the message could not be established.
    BadMessageCheck,
    /// 2: the transaction is not permitted or supported.
    BadRequest,
    /// 3: the signingTime was not sufficiently close to the system time.
    BadTime,
    /// 4: no certificate could be identified.
    BadCertId,
}

impl FailInfo {
    const TABLE: [(Self, &'static str); 5] = [
        (Self::BadAlg, "0"),
        (Self::BadMessageCheck, "1"),
        (Self::BadRequest, "2"),
        (Self::BadTime, "3"),
        (Self::BadCertId, "4"),
    ];

    /// The decimal text of the attribute.
    pub fn as_str(self) -> &'static str {
        to_text(&Self::TABLE, self)
    }

    pub(crate) fn from_text(text: &[u8]) -> Option<Self> {
        from_text(&Self::TABLE, text)
    }
}

impl fmt::Display for FailInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadAlg => "badAlg",
            Self::BadMessageCheck => "badMessageCheck",
            Self::BadRequest => "badRequest",
            Self::BadTime => "badTime",
            Self::BadCertId => "badCertId",
        })
    }
}

fn to_text<T: Copy + PartialEq>(table: &[(T, &'static str)], word: T) -> &'static str {
    table.iter().find(|(known, _)| *known == word).map_or("", |(_, text)| text)
}

fn from_text<T: Copy>(table: &[(T, &'static str)], text: &[u8]) -> Option<T> {
    table.iter().find(|(_, known)| known.as_bytes() == text).map(|(word, _)| *word)
}
