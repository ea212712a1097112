//! What can go wrong between asking for a certificate and holding it.

use std::fmt;

use pki_core::{DecodeError, KeyError, KeyKind, RandomFailed, UnixTime};
use scep_proto::{EncodeError, FailInfo, ReplyError};

use crate::{NotSaved, TransportError};

/// No certificate. The variants go by who has to do something about it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// The server was not reached. Sending the same again is safe.
    #[error("{0}")]
    Transport(#[from] TransportError),
    /// The server answers, but not with SCEP.
    #[error("expected an answer to {operation}: HTTP {status}{}", Said(text))]
    Http {
        /// What was asked.
        operation: &'static str,
        /// The HTTP status.
        status: u16,
        /// Seconds to wait before the next try, if the server says.
        retry_after: Option<u64>,
        /// The first line of what it said; control characters escaped.
        text: String,
    },
    /// The answer to GetCACert is none.
    #[error("the answer to GetCACert cannot be read: {0}")]
    CaCertificates(DecodeError),
    /// The CA, or something on the way, cannot be trusted.
    #[error(transparent)]
    Untrusted(#[from] Untrusted),
    /// The CA turned the request down.
    #[error("the CA refused the request: {fail_info}{}", Said(text))]
    Refused {
        /// The RFC's reason.
        fail_info: FailInfo,
        /// What it said about it; control characters escaped.
        text: String,
    },
    /// The CA answered with the certificate that was to be renewed.
    #[error(
        "expected a new certificate: the CA sent the old one again, as some do for a key that they know. \
         Ask with a new key"
    )]
    SameCertificate,
    /// The CA sent a certificate or a CRL, but not what was asked for.
    #[error("expected {expected} from the CA: {found}")]
    NotAsked {
        /// What was asked for.
        expected: String,
        /// What came.
        found: String,
    },
    /// A key that cannot decrypt, and no challenge to encrypt the reply under.
    #[error(
        "expected a key that can decrypt the reply (RSA), or a challenge to encrypt it under: the key is {0}"
    )]
    CannotDecrypt(KeyKind),
    /// The transaction could not be kept for the case that this process dies, and so nothing was sent.
    #[error("the transaction could not be saved: {0}")]
    NotSaved(#[from] NotSaved),
    /// The requester's own key did not do what was asked of it.
    #[error("the key cannot be used: {0}")]
    Key(#[from] KeyError),
    /// No randomness.
    #[error(transparent)]
    Random(#[from] RandomFailed),
    /// The request could not be made: the subject, the key or the RA's key is unusual.
    #[error("the request cannot be made: {0}")]
    Request(String),
}

/// Why a CA or its answer is not to be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Untrusted {
    /// No certificate of that fingerprint among those of GetCACert.
    #[error(
        "expected a CA certificate with the SHA-256 fingerprint {}, got {}: ask the CA's operator which one is right",
        Hex(.expected), List(.found)
    )]
    Fingerprint {
        /// What was asked for.
        expected: [u8; 32],
        /// What the server sent.
        found: Vec<[u8; 32]>,
    },
    /// GetCACert has no certificate that messages can be encrypted to or replies signed with, issued by the CA.
    #[error(
        "the CA is the right one, but sends no RA certificate that it issued and that can be used for SCEP"
    )]
    NoRa,
    /// A certificate that is needed is not valid now.
    #[error("the certificate of {subject} is valid from {from} to {to}, and this machine's clock says {now}")]
    NotNow {
        /// Whose it is.
        subject: String,
        /// First second.
        from: UnixTime,
        /// Last second.
        to: UnixTime,
        /// The clock.
        now: UnixTime,
    },
    /// The reply is not what this CA answered to this request.
    #[error("the CA's reply is not acceptable: {0}")]
    Reply(#[from] ReplyError),
    /// SUCCESS without a certificate for the key.
    #[error("expected a certificate for the key that was sent: none of the {0} in the reply is for it")]
    NotForKey(usize),
    /// A certificate that the CA did not issue.
    #[error("expected a certificate issued by this CA: its issuer is {0}, or the signature does not hold")]
    NotIssuedByCa(String),
}

impl ClientError {
    /// Whether the same message may well get an answer later.
    pub fn is_passing(&self) -> bool {
        matches!(self, Self::Transport(_) | Self::Http { status: 429 | 500 | 502..=504, .. })
    }

    /// Whether the server may have acted on the message that got this in place of an answer.
    pub(crate) fn may_have_arrived(&self) -> bool {
        match self {
            Self::Transport(error) => error.may_have_arrived(),
            // These say that nothing was done.
            Self::Http { status, .. } => !matches!(status, 400..=499 | 503),
            _ => true,
        }
    }
}

/// A request of ours, that is: what comes from a peer has errors of its own.
impl From<DecodeError> for ClientError {
    fn from(error: DecodeError) -> Self {
        Self::Request(error.to_string())
    }
}

impl From<EncodeError> for ClientError {
    fn from(error: EncodeError) -> Self {
        match error {
            EncodeError::Key(error) => Self::Key(error),
            EncodeError::Random(error) => Self::Random(error),
            other => Self::Request(other.to_string()),
        }
    }
}

impl From<ReplyError> for ClientError {
    fn from(error: ReplyError) -> Self {
        Self::Untrusted(error.into())
    }
}

/// What a peer said, where it said something.
struct Said<'a>(&'a str);

impl fmt::Display for Said<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() { Ok(()) } else { write!(f, ", \"{}\"", self.0) }
    }
}

struct Hex<'a>(&'a [u8; 32]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

struct List<'a>(&'a [[u8; 32]]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = self.0.iter().map(|hash| Hex(hash).to_string()).collect();
        f.write_str(if texts.is_empty() { "none" } else { "" })?;
        f.write_str(&texts.join(" and "))
    }
}

/// The first line of what a peer said, short and printable.
pub(crate) fn said(text: &str) -> String {
    let line = text.lines().next().unwrap_or_default().trim();
    line.chars().take(200).flat_map(char::escape_debug).collect()
}
