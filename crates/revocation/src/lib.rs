//! Where certificate status comes from, and how several answers become one.

mod source;
mod standing;

pub use source::{RevocationSource, SourceError};
pub use standing::{Standing, StatusReport};
