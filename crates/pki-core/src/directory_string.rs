//! The string types of X.520, read as text.

use alloc::string::String;

const UTF8: u8 = 0x0C;
const NUMERIC: u8 = 0x12;
const PRINTABLE: u8 = 0x13;
const TELETEX: u8 = 0x14;
const IA5: u8 = 0x16;
const UNIVERSAL: u8 = 0x1C;
const BMP: u8 = 0x1E;

/// The text of a `DirectoryString` (RFC 5280 §4.1.2.4) or IA5String or NumericString; `None` for other types and for
/// octets that are not text of their type. TeletexString is read as Latin-1, which is what its senders mean.
pub(crate) fn text(tag: u8, octets: &[u8]) -> Option<String> {
    match tag {
        UTF8 => String::from_utf8(octets.to_vec()).ok(),
        NUMERIC | PRINTABLE | IA5 if octets.is_ascii() => String::from_utf8(octets.to_vec()).ok(),
        TELETEX => Some(octets.iter().map(|&octet| char::from(octet)).collect()),
        BMP => {
            let (pairs, rest) = octets.as_chunks::<2>();
            let units = pairs.iter().map(|pair| u16::from_be_bytes(*pair));
            if rest.is_empty() { char::decode_utf16(units).collect::<Result<_, _>>().ok() } else { None }
        }
        UNIVERSAL => {
            let (quads, rest) = octets.as_chunks::<4>();
            let chars = quads.iter().map(|quad| char::from_u32(u32::from_be_bytes(*quad)));
            if rest.is_empty() { chars.collect() } else { None }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_string_type() {
        for (tag, octets) in [
            (UTF8, "Zoë".as_bytes()),
            (TELETEX, b"Zo\xEB"),
            (BMP, b"\0Z\0o\0\xEB"),
            (UNIVERSAL, b"\0\0\0Z\0\0\0o\0\0\0\xEB"),
        ] {
            assert_eq!(text(tag, octets).as_deref(), Some("Zoë"), "{tag:#x}");
        }
        for (tag, octets) in
            [(UTF8, &b"\xFF"[..]), (PRINTABLE, b"\xEB"), (BMP, b"\0"), (BMP, b"\xD8\0"), (0x04, b"x")]
        {
            assert_eq!(text(tag, octets), None, "{tag:#x}");
        }
    }
}
