//! The one place where something becomes authorized.

use issuance::{Authorized, Provenance};

/// Every path that leads to a signature leads through here; a test counts the exceptions to the lint.
#[expect(clippy::disallowed_methods, reason = "the one place that decides")]
pub(crate) fn vouch<T>(value: T, provenance: Provenance) -> Authorized<T> {
    Authorized::vouch(value, provenance)
}
