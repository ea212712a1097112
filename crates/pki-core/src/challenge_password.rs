//! The challenge that a requester proves itself with.

use alloc::{string::String, vec::Vec};
use core::fmt;

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

use crate::{DecodeError, directory_string, tlv};

/// The longest challenge taken, in octets of UTF-8. Intune's are a few kilobytes.
const MAX_LEN: usize = 16 * 1024;

/// A `challengePassword` ([RFC 2985 §5.4.1](https://www.rfc-editor.org/rfc/rfc2985#section-5.4.1)): a secret, wiped
/// when dropped and never printed.
#[derive(Clone)]
pub struct ChallengePassword(Zeroizing<String>);

impl ChallengePassword {
    /// Wraps a secret.
    pub fn new(secret: String) -> Self {
        Self(Zeroizing::new(secret))
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether both are the same, in time that depends only on their lengths.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.as_bytes().ct_eq(other.0.as_bytes()).into()
    }

    /// Reads any string type: clients use all of them.
    pub(crate) fn from_tlv(element: tlv::Tlv<'_>) -> Result<Self, DecodeError> {
        let text = directory_string::text(element.tag, element.value).map(Zeroizing::new);
        let text = text.filter(|text| text.len() <= MAX_LEN);
        text.map(Self).ok_or_else(|| DecodeError::new("a challengePassword", "no string, or one too long"))
    }

    /// PrintableString where it can be that, as RFC 2985 recommends, otherwise UTF8String.
    pub(crate) fn to_der(&self) -> Vec<u8> {
        let printable = |c: char| c.is_ascii_alphanumeric() || " '()+,-./:=?".contains(c);
        let tag = if self.0.chars().all(printable) { 0x13 } else { 0x0C };
        tlv::wrap(tag, self.0.as_bytes())
    }
}

impl fmt::Debug for ChallengePassword {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ChallengePassword(..)")
    }
}
