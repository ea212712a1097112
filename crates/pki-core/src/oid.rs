//! Object identifiers.

use core::{fmt, str::FromStr};

use der::asn1::ObjectIdentifier;

use crate::DecodeError;

/// An object identifier; prints and parses in dotted form.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Oid(ObjectIdentifier);

impl Oid {
    /// From dotted text, at compile time; malformed text does not compile.
    pub const fn new_unwrap(dotted: &str) -> Self {
        Self(ObjectIdentifier::new_unwrap(dotted))
    }

    /// From the content octets of a DER OBJECT IDENTIFIER.
    pub fn from_content(octets: &[u8]) -> Result<Self, DecodeError> {
        ObjectIdentifier::from_bytes(octets)
            .map(Self)
            .map_err(|error| DecodeError::new("an OBJECT IDENTIFIER", error))
    }

    /// The content octets of the DER OBJECT IDENTIFIER.
    pub fn as_content(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl FromStr for Oid {
    type Err = DecodeError;

    fn from_str(dotted: &str) -> Result<Self, Self::Err> {
        ObjectIdentifier::new(dotted)
            .map(Self)
            .map_err(|error| DecodeError::new("an object identifier such as 2.5.29.17", error))
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Oid({})", self.0)
    }
}
