//! Base64 as clients put it into request targets.

use alloc::vec::Vec;

use base64ct::{Base64Unpadded, Encoding as _};

use crate::DecodeError;

const WHAT: &str = "base64 in the request target";

/// Decodes base64 taken from a raw request target: percent-encoded, the standard or the URL alphabet, `+` sent raw or
/// turned into a space on the way, with line breaks, with or without padding.
///
/// ```
/// # use pki_core::decode_url_base64;
/// for text in ["+/8=", "%2B%2F8%3D", "-_8", " /8=", "+/%0A8"] {
///     assert_eq!(decode_url_base64(text.as_bytes())?, [0xFB, 0xFF], "{text}");
/// }
/// # Ok::<(), pki_core::DecodeError>(())
/// ```
pub fn decode_url_base64(text: &[u8]) -> Result<Vec<u8>, DecodeError> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text.iter().copied();
    while let Some(octet) = rest.next() {
        let octet = if octet == b'%' { percent(rest.next(), rest.next())? } else { octet };
        match octet {
            b'\r' | b'\n' | b'\t' => {}
            b' ' | b'-' => plain.push(b'+'),
            b'_' => plain.push(b'/'),
            other => plain.push(other),
        }
    }
    let padding = plain.iter().rev().take_while(|&&octet| octet == b'=').count();
    if padding > 2 {
        return Err(DecodeError::new(WHAT, "too much padding"));
    }
    plain.truncate(plain.len().saturating_sub(padding));
    let text = core::str::from_utf8(&plain).map_err(|error| DecodeError::new(WHAT, error))?;
    Base64Unpadded::decode_vec(text).map_err(|error| DecodeError::new(WHAT, error))
}

fn percent(high: Option<u8>, low: Option<u8>) -> Result<u8, DecodeError> {
    let digit = |octet: Option<u8>| octet.and_then(|octet| char::from(octet).to_digit(16));
    let value = digit(high).zip(digit(low)).map(|(high, low)| high << 4 | low);
    value
        .and_then(|value| u8::try_from(value).ok())
        .ok_or_else(|| DecodeError::new(WHAT, "a percent sign without two hexadecimal digits"))
}

#[cfg(test)]
mod tests {
    use base64ct::{Base64, Base64UrlUnpadded};
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_spelling_means_the_same(octets in prop::collection::vec(any::<u8>(), 0..400)) {
            let standard = Base64::encode_string(&octets);
            for text in [
                standard.replace('+', "%2B").replace('/', "%2f").replace('=', "%3D"),
                standard.replace('+', " "),
                standard.trim_end_matches('=').into(),
                Base64UrlUnpadded::encode_string(&octets),
                standard.clone(),
            ] {
                prop_assert_eq!(&decode_url_base64(text.as_bytes()).unwrap(), &octets);
            }
        }

        #[test]
        fn any_octets_give_an_answer(octets in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = decode_url_base64(&octets);
        }
    }

    #[test]
    fn broken_text_is_an_error() {
        for text in ["%", "%4", "%zz", "A===", "A", "$$$$", "AA=A"] {
            assert!(decode_url_base64(text.as_bytes()).is_err(), "{text}");
        }
    }
}
