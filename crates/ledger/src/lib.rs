//! Remembers what was issued, challenged and revoked, in one SQLite file.
//!
//! [`Ledger`] is the issuer's: it implements [`IssuanceLog`](issuance::IssuanceLog),
//! [`CrlLog`](issuance::CrlLog), [`EnrollmentStore`](enrollment::EnrollmentStore) and
//! [`Tombstones`](directory::Tombstones), and has the operations of an operator. [`LedgerReader`] is what a responder on the same host needs of it, and never writes.
//!
//! What is written is on disk before the call returns. An intent to issue alone is not waited for: it survives the end
//! of the process, and it is on disk before the certificate that follows it. One wait for the disk serves all whose
//! commits came before it.

mod approvals;
mod certificates;
mod challenges;
mod crl_candidates;
mod crl_log;
mod disk;
mod encoding;
mod enrollment_store;
mod error;
mod expiry;
mod issuance_log;
mod issued_only;
mod ledger_file;
mod outbox;
mod pending;
mod queue;
mod reader;
mod refusals;
mod revocations;
mod schema;
mod tombstones;
mod watch;
mod writer;

pub use approvals::DecisionError;
pub use certificates::{CertificateQuery, CertificateRecord, Succession};
pub use challenges::{ChallengeFate, ChallengeRecord};
pub use crl_candidates::{CertificateCursor, IssuedCertificate, RevokedByOrder};
pub use error::{LedgerError, RevokeError};
pub use expiry::Expiring;
pub use issued_only::IssuedOnly;
pub use ledger_file::{Ledger, LedgerSettings};
pub use outbox::{DueNotice, MOST_NOTICES_OF_FAILURE, NoticeFate, NoticeId, OutboxSize};
pub use pending::{PendingQuery, PendingRecord};
pub use reader::LedgerReader;
pub use refusals::{RefusalNote, RefusalQuery, RefusalRecord};
pub use revocations::{RevocationOrder, RevocationRecord};
