//! Requests that a person approves.

use std::time::Duration;

use issuance::{Spend, TransactionKey};
use pki_core::{CertificationRequest, SerialNumber, UnixTime};
use serial_binding::BoundObject;

const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Which requests of a profile wait for a person, and for how long. By default: first enrollments, for a week.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApprovalPolicy {
    lifetime: Duration,
    scope: Scope,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scope {
    FirstEnrollments,
    Everything,
}

impl ApprovalPolicy {
    /// A request that nobody has decided within `lifetime` is forgotten; one that was approved must have been fetched.
    #[must_use]
    pub fn with_lifetime(self, lifetime: Duration) -> Self {
        Self { lifetime, ..self }
    }

    /// Renewals wait as well.
    #[must_use]
    pub fn including_renewals(self) -> Self {
        Self { scope: Scope::Everything, ..self }
    }

    pub(crate) fn lifetime(self) -> Duration {
        self.lifetime
    }

    pub(crate) fn includes_renewals(self) -> bool {
        self.scope == Scope::Everything
    }
}

impl Default for ApprovalPolicy {
    fn default() -> Self {
        Self { lifetime: WEEK, scope: Scope::FirstEnrollments }
    }
}

/// A request that waits, as it is stored: everything that was found out about it, and nothing secret.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built by enrollment, read by every store")]
pub struct PendingRequest {
    /// Its transaction.
    pub transaction: TransactionKey,
    /// What a CertPoll for it is found by: profile, transactionID and the key that signed the message around the
    /// request.
    pub poll: TransactionKey,
    /// SHA-256 of what makes a repeat a repeat: [`Provenance::request`](issuance::Provenance::request).
    pub request: [u8; 32],
    /// The profile that it was made with.
    pub profile: String,
    /// The object that the certificate will be bound to.
    pub object: BoundObject,
    /// What is asked for, less the challenge, so that its signature does not hold any more.
    pub csr: CertificationRequest,
    /// The challenge that is spent by waiting, so that nobody else can wait on the strength of it.
    pub spends: Option<Spend>,
    /// The certificate that this renews.
    pub renews: Option<SerialNumber>,
    /// When it came.
    pub created: UnixTime,
    /// Last second at which it can be decided, and its certificate be fetched.
    pub expires: UnixTime,
}

/// A request that waits or has waited, and what was said.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built by every store")]
pub struct QueuedRequest {
    /// The request.
    pub request: PendingRequest,
    /// What was said.
    pub verdict: Verdict,
}

/// What a person said of a request. Said once, for good.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no fourth")]
pub enum Verdict {
    /// Nothing yet.
    Waiting,
    /// Yes: whoever asks next gets the certificate.
    Approved {
        /// When.
        at: UnixTime,
    },
    /// No.
    Denied {
        /// When.
        at: UnixTime,
        /// Why; the requester is told.
        reason: String,
    },
}

/// What became of a request that was to be queued.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "enrollment must decide each case")]
pub enum QueueOutcome {
    /// It waits now.
    Queued,
    /// It was there already, with this verdict; nothing was recorded anew.
    Repeated(Verdict),
    /// Another request waits, or was approved, in its transaction; nothing was recorded.
    TransactionTaken,
    /// The challenge was spent by another transaction, or has expired meanwhile; nothing was recorded.
    ChallengeSpent,
    /// [`MOST_WAITING`], or [`MOST_WAITING_OF_ONE_OBJECT`], wait already; nothing was recorded.
    Full,
}

/// So many requests wait at a time, at most.
pub const MOST_WAITING: usize = 1000;
/// So many of them for one object.
pub const MOST_WAITING_OF_ONE_OBJECT: usize = 8;
