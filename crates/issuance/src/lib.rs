//! Issues certificates: prepare, record, sign, record.

mod log;
mod provenance;

pub use log::{Earlier, Intent, IntentOutcome, IssuanceLog, LogError};
pub use provenance::{ChallengeId, Provenance, TransactionKey};
