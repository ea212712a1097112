//! What one source says of a certificate.

use pki_core::{CrlReason, UnixTime};

/// How a certificate stands with one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(clippy::exhaustive_enums, reason = "every caller must decide each case")]
pub enum Standing {
    /// The source has nothing to say of it.
    NotMine,
    /// Nothing against it.
    Good,
    /// Revoked for now: `certificateHold`.
    Hold {
        /// Since when.
        since: UnixTime,
    },
    /// Revoked for ever.
    Revoked {
        /// Since when.
        since: UnixTime,
        /// Why; never `certificateHold` nor `removeFromCRL`.
        reason: CrlReason,
    },
}

/// A standing, and how long it may be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built by every source")]
pub struct StatusReport {
    /// What the source says.
    pub standing: Standing,
    /// When that was known to be so (OCSP `thisUpdate`).
    pub known_at: UnixTime,
    /// Until when it may be served without asking again; `None` when it may be relied on until
    /// [`RevocationSource::epoch`](crate::RevocationSource::epoch) changes.
    pub reliable_until: Option<UnixTime>,
}
