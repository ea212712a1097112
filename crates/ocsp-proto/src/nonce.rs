//! The nonce extension.

use pki_core::DecodeError;

use crate::reader::{OCTET_STRING, Reader};

/// `Nonce` ([RFC 9654 §2.1](https://www.rfc-editor.org/rfc/rfc9654#section-2.1)): what extnValue holds, and the octets
/// in it.
///
/// ```text
/// Nonce ::= OCTET STRING (SIZE(1..128))
/// ```
///
/// Some clients put the bare octets into extnValue. Those are taken too; a response repeats extnValue as it came, so
/// each client finds what it sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Nonce<'a> {
    extension_value: &'a [u8],
    octets: &'a [u8],
}

/// The most octets that a nonce has.
pub(crate) const MAX_NONCE: usize = 128;

impl<'a> Nonce<'a> {
    pub(crate) fn from_extension_value(extension_value: &'a [u8]) -> Result<Self, DecodeError> {
        let wrapped = Reader::into(extension_value, OCTET_STRING, "a Nonce").ok();
        let octets = wrapped.map_or(extension_value, |content| content.rest());
        if (1..=MAX_NONCE).contains(&octets.len()) {
            return Ok(Self { extension_value, octets });
        }
        Err(DecodeError::new("a nonce of 1 to 128 octets", format_args!("{} octets", octets.len())))
    }

    pub(crate) fn octets(self) -> &'a [u8] {
        self.octets
    }

    /// What goes back into extnValue.
    pub(crate) fn extension_value(self) -> &'a [u8] {
        self.extension_value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrapped(length: u8) -> Vec<u8> {
        let header =
            if length < 0x80 { vec![OCTET_STRING, length] } else { vec![OCTET_STRING, 0x81, length] };
        [header, vec![7; usize::from(length)]].concat()
    }

    // clause: RFC 9654 107, 109
    #[test]
    fn row_53_nonce_sizes() {
        for (length, allowed) in
            [(0, false), (1, true), (15, true), (16, true), (32, true), (33, true), (128, true), (129, false)]
        {
            let value = wrapped(length);
            let nonce = Nonce::from_extension_value(&value);
            assert_eq!(nonce.is_ok(), allowed, "{length} octets");
            if let Ok(nonce) = nonce {
                assert_eq!(nonce.octets(), vec![7; usize::from(length)]);
                assert_eq!(nonce.extension_value(), value);
            }
        }
    }

    // clause: RFC 9654 112
    #[test]
    fn bare_octets_are_a_nonce_too() {
        for (length, allowed) in [(0, false), (1, true), (16, true), (128, true), (129, false)] {
            let value = vec![7; length];
            assert_eq!(
                Nonce::from_extension_value(&value).map(Nonce::octets).ok(),
                allowed.then_some(&value[..])
            );
        }
    }
}
