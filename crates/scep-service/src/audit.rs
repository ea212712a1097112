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
        code = reason.code(),
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
        ScepError::TooMany(_) => "too-many-requests",
        ScepError::KeyUnavailable(_) => "key-unavailable",
        ScepError::Internal(_) => "internal-error",
    };
    let (peer, path, reason) = (origin.peer.map(display), &origin.path, error.to_string());
    match error {
        ScepError::NotScep(_) => tracing::info!(target: "scep", code, peer, ?path, ?reason, "rejected"),
        ScepError::TryLater(_) => tracing::warn!(target: "scep", code, peer, ?path, ?reason, "put off"),
        // A flood of requests must not become a flood of log lines.
        ScepError::TooMany(_) => tracing::debug!(target: "scep", code, peer, ?path, ?reason, "throttled"),
        ScepError::KeyUnavailable(_) | ScepError::Internal(_) => {
            tracing::error!(target: "scep", code, correlation, peer, ?path, ?reason, "no reply");
        }
    }
}

/// A source has sent as many messages that cannot be decrypted as it may.
pub(crate) fn decryption_budget_spent(origin: &Origin) {
    tracing::warn!(
        target: "scep",
        code = "decryption-budget-spent",
        source = origin.accountable().map(display),
        peer = origin.peer.map(display),
        path = ?origin.path,
        "messages of this source cannot be decrypted: it is held off, for it may be trying to have one decrypted"
    );
}
