//! One log record for each thing that became of a request.
//!
//! Target `scep`; the field `code` is stable and meant for machines. Whatever a stranger chose is escaped. Challenges
//! and bodies are never among the fields.

use scep_proto::{Exchange, FailInfo, RejectReason};
use tracing::field::display;

use crate::{Origin, ScepError};

/// A message was turned down before the handler saw it.
pub(crate) fn rejected(origin: &Origin, exchange: &Exchange, reason: &RejectReason) {
    tracing::info!(
        target: "scep",
        code = rejection_code(reason),
        fail_info = %reason.fail_info(),
        transaction = %exchange.transaction_id(),
        signer = %exchange.signer().subject(),
        peer = origin.peer.map(display),
        path = ?origin.path,
        reason = ?reason.to_string(),
        "rejected"
    );
}

/// The handler, or a setting, said no.
pub(crate) fn refused(origin: &Origin, exchange: &Exchange, code: &str, info: FailInfo, text: &str) {
    tracing::info!(
        target: "scep",
        code,
        fail_info = %info,
        transaction = %exchange.transaction_id(),
        signer = %exchange.signer().subject(),
        peer = origin.peer.map(display),
        path = ?origin.path,
        reason = ?text,
        "refused"
    );
}

/// A certificate went out, or was made and is about to.
pub(crate) fn issued(origin: &Origin, exchange: &Exchange, certificate: &pki_core::Certificate) {
    tracing::info!(
        target: "scep",
        code = "issued",
        serial = certificate.serial_number().map(display),
        subject = %certificate.subject(),
        transaction = %exchange.transaction_id(),
        peer = origin.peer.map(display),
        path = ?origin.path,
        "issued"
    );
}

/// A CRL goes out.
pub(crate) fn crl_sent(origin: &Origin, exchange: &Exchange) {
    tracing::info!(
        target: "scep",
        code = "crl-sent",
        transaction = %exchange.transaction_id(),
        signer = %exchange.signer().subject(),
        peer = origin.peer.map(display),
        path = ?origin.path,
        "sent a CRL"
    );
}

/// Somebody has to decide.
pub(crate) fn pending(origin: &Origin, exchange: &Exchange) {
    tracing::info!(
        target: "scep",
        code = "pending",
        transaction = %exchange.transaction_id(),
        signer = %exchange.signer().subject(),
        peer = origin.peer.map(display),
        path = ?origin.path,
        "pending"
    );
}

/// No CertRep was sent.
pub(crate) fn failed(origin: &Origin, error: &ScepError, correlation: &str) {
    let code = match error {
        ScepError::NotScep(_) => "not-scep",
        ScepError::TryLater(_) => "try-later",
        ScepError::KeyUnavailable(_) => "key-unavailable",
        ScepError::Internal(_) => "internal-error",
    };
    let (peer, path, reason) = (origin.peer.map(display), &origin.path, error.to_string());
    match error {
        ScepError::NotScep(_) => tracing::info!(target: "scep", code, peer, ?path, ?reason, "rejected"),
        ScepError::TryLater(_) => tracing::warn!(target: "scep", code, peer, ?path, ?reason, "put off"),
        ScepError::KeyUnavailable(_) | ScepError::Internal(_) => {
            tracing::error!(target: "scep", code, correlation, peer, ?path, ?reason, "no reply");
        }
    }
}

/// The stable code of a rejection.
fn rejection_code(reason: &RejectReason) -> &'static str {
    match reason {
        RejectReason::UnknownMessageType(_) => "unknown-message-type",
        RejectReason::NotARequest(_) => "not-a-request",
        RejectReason::AlgorithmNotAllowed { .. } => "algorithm-not-allowed",
        RejectReason::SignerCannotDecrypt(_) => "signer-cannot-decrypt",
        RejectReason::SignedAttribute(_) => "signed-attribute",
        RejectReason::AmbiguousContent => "ambiguous-content",
        RejectReason::SignatureMismatch => "signature-mismatch",
        RejectReason::Envelope(_) => "envelope",
        RejectReason::NotForRecipient => "not-for-recipient",
        RejectReason::UnsupportedRecipient => "unsupported-recipient",
        RejectReason::Undecryptable => "undecryptable",
        _ => "rejected",
    }
}
