//! Where certificate status comes from, and how several answers become one.
//!
//! A [`RevocationSource`] says how a certificate stands; [`AllSources`] asks several side by side and makes one answer
//! of theirs. [`ManualRevocations`] and [`CrlRevocations`] are sources of their own, [`source_fn`] makes one of a closure.
//!
//! A status that could not be determined is an error: never good, never revoked.

mod algebra;
mod all_sources;
mod crl_acceptance;
mod crl_index;
mod crl_revocations;
mod manual;
mod source;
mod source_fn;
mod standing;

pub use all_sources::AllSources;
pub use crl_acceptance::{CrlRefused, NoCrlIssuer};
pub use crl_revocations::{CrlRevocations, CrlSourceParts, CrlSourceSettings, Deltas, TakenIn, Unlisted};
pub use manual::{ManualRevocation, ManualRevocations, NotARevocation};
pub use source::{AttributedReport, RevocationSource, SourceError};
pub use source_fn::{SourceFn, source_fn};
pub use standing::{Standing, StatusReport};
