//! The seam behind which the record of issued certificates lives.

use std::fmt;

use pki_core::{BoxFuture, CertRef, Certificate, UnixTime};
use serial_binding::BoundObject;

use crate::Provenance;

/// Remembers what was, and what was about to be, issued.
pub trait IssuanceLog: fmt::Debug + Send + Sync {
    /// Seen by everybody, and by whoever runs after this process has ended in whatever way, before any signature is made.
    /// It need not survive the machine before [`record_issued`](Self::record_issued) returns, for until then nothing that
    /// came of it has left the process. In one transaction it spends the challenge, claims the serial number and
    /// opens the transaction, or does none of these.
    fn record_intent<'a>(&'a self, intent: &'a Intent) -> BoxFuture<'a, Result<IntentOutcome, LogError>>;

    /// Survives the machine, with its intent, before the certificate leaves the process. Returns the certificate on record for that serial number:
    /// this one, or the one that a concurrent repeat of the transaction recorded first.
    fn record_issued<'a>(
        &'a self,
        issued: CertRef,
        certificate: &'a Certificate,
    ) -> BoxFuture<'a, Result<Certificate, LogError>>;
}

/// A certificate about to be signed.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "built by issuance, read by every ledger")]
pub struct Intent {
    /// The CA and the serial number claimed.
    pub certificate: CertRef,
    /// The DER of the TBSCertificate, so that a restarted server can sign the very same one.
    pub tbs: Vec<u8>,
    /// The profile's name.
    pub profile: String,
    /// The subject, as text, for people who search.
    pub subject: String,
    /// The object that the serial number is bound to.
    pub object: Option<BoundObject>,
    /// Last second of validity.
    pub not_after: UnixTime,
    /// When the intent was formed.
    pub at: UnixTime,
    /// On the strength of what.
    pub provenance: Provenance,
}

/// What became of an intent.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_enums, reason = "issuance must decide each case")]
pub enum IntentOutcome {
    /// On record; sign now.
    Recorded,
    /// That CA has given that serial number before; nothing was recorded. Try another.
    SerialTaken,
    /// The challenge was spent by another transaction, or has expired meanwhile; nothing was recorded.
    ChallengeSpent,
    /// The transaction was opened before by another request; nothing was recorded.
    TransactionTaken,
    /// The transaction was opened before by this very request; nothing was recorded anew.
    Repeated(Earlier),
}

/// How far an earlier run of the same transaction came.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_enums, reason = "issuance must decide each case")]
pub enum Earlier {
    /// It recorded this TBSCertificate and no certificate: sign this one.
    Prepared {
        /// Its serial number and issuer.
        certificate: CertRef,
        /// The DER to sign.
        tbs: Vec<u8>,
    },
    /// It issued this certificate.
    Issued(Certificate),
}

/// The record could not be read or written; nothing may be signed or handed out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the ledger failed: {0}")]
pub struct LogError(String);

impl LogError {
    /// With the cause as the store tells it.
    pub fn new(cause: impl fmt::Display) -> Self {
        Self(cause.to_string())
    }
}
