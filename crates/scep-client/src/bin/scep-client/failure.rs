//! What went wrong, for people and for scripts.

use std::fmt;

use pki_core::DigestAlgorithm;
use scep_client::{ClientError, Untrusted};
use scep_proto::{ContentCipher, ReplyError, Tolerance};

/// Why there is nothing to show, in the order of the exit codes that `--help` tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A file or key of this machine.
    Local,
    /// The server was not reached, or talks no SCEP.
    Server,
    /// The CA or its answer is not to be trusted.
    Untrusted,
    /// The CA said no.
    Refused,
}

impl Kind {
    /// The exit code.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Local => 1,
            Self::Server => 3,
            Self::Untrusted => 4,
            Self::Refused => 5,
        }
    }

    /// The word for scripts.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Local => "local",
            Self::Server => "server",
            Self::Untrusted => "untrusted",
            Self::Refused => "refused",
        }
    }
}

/// A message to print and its kind.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    kind: Kind,
    message: String,
    fail_info: Option<String>,
}

impl Failure {
    /// A file or key of this machine.
    pub(crate) fn local(message: impl fmt::Display) -> Self {
        Self { kind: Kind::Local, message: message.to_string(), fail_info: None }
    }

    /// The same, saying what it was about.
    pub(crate) fn explained(self, context: impl fmt::Display) -> Self {
        Self { message: format!("{} ({context})", self.message), ..self }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// The failInfo of a refusal.
    pub(crate) fn fail_info(&self) -> Option<&str> {
        self.fail_info.as_deref()
    }

    /// Whether the CA has decided, so that nothing is left to wait for.
    pub(crate) fn is_final(&self) -> bool {
        self.kind == Kind::Refused
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        let fail_info = match &error {
            ClientError::Refused { fail_info, .. } => Some(fail_info.to_string()),
            _ => None,
        };
        let kind = match &error {
            ClientError::Transport(_)
            | ClientError::Http { .. }
            | ClientError::CaCertificates(_)
            | ClientError::NotAsked { .. } => Kind::Server,
            ClientError::Untrusted(_) => Kind::Untrusted,
            ClientError::Refused { .. } | ClientError::SameCertificate => Kind::Refused,
            _ => Kind::Local,
        };
        let failure = Self { kind, message: error.to_string(), fail_info };
        match advice(&error) {
            Some(advice) => failure.explained(advice),
            None => failure,
        }
    }
}

/// How to put up with a server that is older than RFC 8894.
fn advice(error: &ClientError) -> Option<String> {
    let ClientError::Untrusted(Untrusted::Reply(error)) = error else { return None };
    let tolerated = match error {
        ReplyError::NotTolerated(Tolerance::ReplyNonce) => "reply-nonce",
        ReplyError::AlgorithmNotAllowed(oid) if *oid == DigestAlgorithm::Sha1.oid() => "sha1",
        ReplyError::AlgorithmNotAllowed(oid) if *oid == ContentCipher::TripleDesCbc.oid() => "triple-des",
        ReplyError::AlgorithmNotAllowed(oid) if *oid == ContentCipher::DesCbc.oid() => "single-des",
        _ => return None,
    };
    Some(format!("if this server cannot do better, --allow {tolerated} puts up with it"))
}
