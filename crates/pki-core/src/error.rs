//! The one error of parsing: what was expected, and what came instead.

use alloc::string::{String, ToString};
use core::fmt;

/// Bytes that are not what they should be.
///
/// `Display` reads "expected a Certificate: unexpected tag …". Nothing of the input itself is shown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}: {found}")]
pub struct DecodeError {
    expected: &'static str,
    found: String,
}

impl DecodeError {
    /// `expected` names the structure with its article ("a Certificate"); `found` says what came instead.
    pub fn new(expected: &'static str, found: impl fmt::Display) -> Self {
        Self { expected, found: found.to_string() }
    }

    /// The structure that was expected.
    pub fn expected(&self) -> &'static str {
        self.expected
    }
}
