//! What may have to stand on a CRL, and the seam that tells.

use std::fmt;

use pki_core::{BoxFuture, CrlReason, SerialNumber, UnixTime};

/// Tells which certificates of the CA are revoked.
pub trait CrlCandidates: fmt::Debug + Send + Sync {
    /// Every certificate that is revoked or on hold, and every one of which that cannot be told now, of those that end
    /// at `ends_from` or later; in any order.
    fn candidates(
        &self,
        ends_from: UnixTime,
    ) -> BoxFuture<'_, Result<Vec<CrlCandidate>, CandidatesUnavailable>>;
}

/// A certificate that may have to stand on a CRL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built by whoever knows")]
pub struct CrlCandidate {
    /// Its serial number.
    pub serial: SerialNumber,
    /// Last second of its validity: after that it stays for one more list.
    pub not_after: UnixTime,
    /// How it stands.
    pub standing: CrlStanding,
}

/// How a candidate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "issuance must decide each case")]
pub enum CrlStanding {
    /// Revoked, or on hold (`certificateHold`).
    Revoked {
        /// Since when.
        since: UnixTime,
        /// Why; never `removeFromCRL`.
        reason: CrlReason,
    },
    /// Nobody can tell now: what the last list said of it goes on, for as long as that list said.
    NotTold,
}

/// Which certificates are revoked could not be found out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("what is revoked cannot be told: {0}")]
pub struct CandidatesUnavailable(String);

impl CandidatesUnavailable {
    /// With the cause.
    pub fn new(cause: impl fmt::Display) -> Self {
        Self(cause.to_string())
    }
}
