//! Base64 as clients put it into request targets.

use alloc::vec::Vec;

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
    let mut decoded = Vec::with_capacity(text.len());
    // The digits of an unfinished group of four, below a one that tells how many they are.
    let mut group = 1_u32;
    let mut padding = 0_u8;
    let mut rest = plain_groups(text, &mut decoded).iter();
    while let Some(octet) = rest.next().copied() {
        let octet = if octet == b'%' { percent(rest.next().copied(), rest.next().copied())? } else { octet };
        match meaning(octet) {
            SKIPPED => {}
            PADDING => padding = padding.saturating_add(1),
            NOTHING => return Err(DecodeError::new(WHAT, "another character")),
            _ if padding > 0 => return Err(DecodeError::new(WHAT, "more after the padding")),
            digit => group = group << 6 | u32::from(digit),
        }
        if let [1, first, second, third] = group.to_be_bytes() {
            decoded.extend_from_slice(&[first, second, third]);
            group = 1;
            rest = plain_groups(rest.as_slice(), &mut decoded).iter();
        }
    }
    if padding > 2 {
        return Err(DecodeError::new(WHAT, "too much padding"));
    }
    match (group, (group << 4).to_be_bytes(), (group << 6).to_be_bytes()) {
        (1, ..) => {}
        (_, [0, 1, first, 0], _) => decoded.push(first),
        (_, _, [1, first, second, 0]) => decoded.extend_from_slice(&[first, second]),
        _ => return Err(DecodeError::new(WHAT, "an end within an octet")),
    }
    Ok(decoded)
}

/// Decodes groups of four digits as long as there is nothing between them, which is most of any text; what is left.
fn plain_groups<'a>(mut text: &'a [u8], decoded: &mut Vec<u8>) -> &'a [u8] {
    while let Some((four, rest)) = text.split_first_chunk::<4>() {
        let [first, second, third, fourth] = four.map(meaning);
        if (first | second | third | fourth) >= PADDING {
            break;
        }
        let high = u32::from(first) << 18 | u32::from(second) << 12;
        let [_, group @ ..] = (high | u32::from(third) << 6 | u32::from(fourth)).to_be_bytes();
        decoded.extend_from_slice(&group);
        text = rest;
    }
    text
}

fn meaning(octet: u8) -> u8 {
    MEANINGS.get(usize::from(octet)).copied().unwrap_or(NOTHING)
}

const PADDING: u8 = 0x40;
const SKIPPED: u8 = 0x41;
const NOTHING: u8 = 0x42;

/// What each octet means: a digit of six bits, or one of the above. A table, because every GET passes through here;
/// nothing that is decoded is secret.
const MEANINGS: [u8; 256] = meanings();

#[expect(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "computed at compile time")]
const fn meanings() -> [u8; 256] {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut table = [NOTHING; 256];
    let mut digit = 0;
    while digit < 64 {
        table[DIGITS[digit as usize] as usize] = digit;
        digit += 1;
    }
    (table[b' ' as usize], table[b'-' as usize], table[b'_' as usize]) = (62, 62, 63);
    (table[b'\r' as usize], table[b'\n' as usize], table[b'\t' as usize]) = (SKIPPED, SKIPPED, SKIPPED);
    table[b'=' as usize] = PADDING;
    table
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
    use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
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
        for text in
            ["%", "%4", "%zz", "A===", "A", "AAAAA", "$$$$", "AA=A", "AB", "AAB=", "AAAA=AAAA", "AAA\u{e9}"]
        {
            assert!(decode_url_base64(text.as_bytes()).is_err(), "{text}");
        }
    }
}
