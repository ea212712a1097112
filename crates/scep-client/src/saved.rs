//! Transactions between two runs of a program.

use pki_core::CertificationRequest;

use crate::{Transaction, transaction::Progress};

/// What it takes, beside the key that signed the request, to go on with a [`Transaction`] in another process
/// ([RFC 8894 §5.2](https://www.rfc-editor.org/rfc/rfc8894#section-5.2)).
///
/// The request holds the challenge in the clear: keep it where the key is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedTransaction {
    message: Vec<u8>,
    request: CertificationRequest,
    progress: Progress,
}

impl SavedTransaction {
    /// One whose message was sent, or was about to be: no answer is known.
    pub fn unanswered(message: Vec<u8>, request: CertificationRequest) -> Self {
        Self { message, request, progress: Progress::Unanswered }
    }

    /// One that the CA has answered with PENDING.
    pub fn pending(message: Vec<u8>, request: CertificationRequest) -> Self {
        Self { message, request, progress: Progress::Pending }
    }

    /// The pkiMessage, as it was sent.
    pub fn message(&self) -> &[u8] {
        &self.message
    }

    /// The request within.
    pub fn request(&self) -> &CertificationRequest {
        &self.request
    }

    /// Whether the CA has answered PENDING.
    pub fn is_pending(&self) -> bool {
        self.progress == Progress::Pending
    }

    pub(crate) fn progress(&self) -> Progress {
        self.progress
    }
}

impl Transaction {
    /// What [`ScepClient::resume`](crate::ScepClient::resume) needs. Keep it before anything is sent, and drop it when
    /// the certificate is safe.
    pub fn saved(&self) -> SavedTransaction {
        let (message, request) = (self.message().to_vec(), self.request().clone());
        SavedTransaction { message, request, progress: self.progress() }
    }
}
