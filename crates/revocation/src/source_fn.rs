//! A source made of a closure.

use std::{fmt, future::ready};

use pki_core::{BoxFuture, CertRef};

use crate::{RevocationSource, SourceError, StatusReport};

/// A source made of a plain function; for tests, examples and tables in memory.
///
/// ```
/// use pki_core::UnixTime;
/// use revocation::{Standing, StatusReport, source_fn};
///
/// let source = source_fn(|_| {
///     Ok(StatusReport { standing: Standing::Good, known_at: UnixTime(1_795_262_400), reliable_until: None })
/// });
/// ```
pub fn source_fn<F>(lookup: F) -> SourceFn<F>
where
    F: Fn(CertRef) -> Result<StatusReport, SourceError> + Send + Sync,
{
    SourceFn(lookup)
}

/// Made by [`source_fn`]. It cannot tell when its answers change.
#[derive(Clone, Copy)]
pub struct SourceFn<F>(F);

impl<F> fmt::Debug for SourceFn<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SourceFn")
    }
}

impl<F> RevocationSource for SourceFn<F>
where
    F: Fn(CertRef) -> Result<StatusReport, SourceError> + Send + Sync,
{
    fn status(&self, certificate: CertRef) -> BoxFuture<'_, Result<StatusReport, SourceError>> {
        Box::pin(ready((self.0)(certificate)))
    }

    fn epoch(&self) -> Option<u64> {
        None
    }
}
