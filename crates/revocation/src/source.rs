//! The seam behind which certificate status is known.

use std::fmt;

use pki_core::{BoxFuture, CertRef};

use crate::StatusReport;

/// Answers "does anything stand against this certificate?".
pub trait RevocationSource: fmt::Debug + Send + Sync {
    /// Looks one certificate up. `Err` means "could not tell now"; it is never read as good and never as revoked.
    fn status(&self, certificate: CertRef) -> BoxFuture<'_, Result<StatusReport, SourceError>>;

    /// A number that changes whenever an answer given earlier may no longer hold. `None` for a source that cannot
    /// tell, or cannot tell now, because it has lost touch with what it answers from: its answers hold until they say
    /// ([`StatusReport::reliable_until`]) and no longer; one that names no time must be asked for again.
    fn epoch(&self) -> Option<u64>;

    /// What it is called in metrics: a word such as `directory`.
    fn name(&self) -> &'static str {
        "other"
    }

    /// [`RevocationSource::status`], and who decided it. Who asks several others names the one whose answer it gives.
    fn attributed(&self, certificate: CertRef) -> BoxFuture<'_, Result<AttributedReport, SourceError>> {
        let (status, source) = (self.status(certificate), self.name());
        Box::pin(async move { Ok(AttributedReport { report: status.await?, source }) })
    }
}

/// A report, and whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built by every source of several")]
pub struct AttributedReport {
    /// What was told.
    pub report: StatusReport,
    /// [`RevocationSource::name`] of the source that told it.
    pub source: &'static str,
}

/// Status could not be determined.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SourceError {
    /// Ask again later (OCSP `tryLater`).
    #[error("{source_name} cannot be asked now: {why}")]
    Unavailable {
        /// Which source, for the log.
        source_name: String,
        /// What happened.
        why: String,
    },
}

impl SourceError {
    /// The source of that name cannot be asked now.
    pub fn unavailable(source_name: impl Into<String>, why: impl fmt::Display) -> Self {
        Self::Unavailable { source_name: source_name.into(), why: why.to_string() }
    }
}
