//! DER elements, read by a cursor that keeps the bytes and written by wrapping.
//!
//! The protocol crates read and write their structures with this, because structures that come from devices have to
//! be echoed, digested and compared in the bytes they came in.

use alloc::vec::Vec;

use crate::{DecodeError, Oid, UnixTime};

/// Identifier octet of BOOLEAN.
pub const BOOLEAN: u8 = 0x01;
/// Identifier octet of INTEGER.
pub const INTEGER: u8 = 0x02;
/// Identifier octet of BIT STRING.
pub const BIT_STRING: u8 = 0x03;
/// Identifier octet of OCTET STRING.
pub const OCTET_STRING: u8 = 0x04;
/// Identifier octet of OBJECT IDENTIFIER.
pub const OBJECT_IDENTIFIER: u8 = 0x06;
/// Identifier octet of UTCTime.
pub const UTC_TIME: u8 = 0x17;
/// Identifier octet of GeneralizedTime.
pub const GENERALIZED_TIME: u8 = 0x18;
/// Identifier octet of SEQUENCE and SEQUENCE OF.
pub const SEQUENCE: u8 = 0x30;
/// Identifier octet of SET and SET OF.
pub const SET: u8 = 0x31;

/// One element: its identifier octet, its content, and both with the length between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "an element has no more parts")]
pub struct Tlv<'a> {
    /// The identifier octet.
    pub tag: u8,
    /// The content octets.
    pub value: &'a [u8],
    /// The whole element.
    pub bytes: &'a [u8],
}

impl<'a> Tlv<'a> {
    /// The first element of `bytes`, and what follows it. `None` when that is not an element of DER with a tag of one
    /// octet, a definite length in its shortest form, and less than 4 GiB of content.
    #[inline]
    pub fn split_first(bytes: &'a [u8]) -> Option<(Self, &'a [u8])> {
        let (tag, start, length) = header(bytes)?;
        let (bytes, rest) = bytes.split_at_checked(start.checked_add(length)?)?;
        Some((Self { tag, value: bytes.get(start..)?, bytes }, rest))
    }
}

/// Identifier octet, octets of the header, octets of the content.
#[inline]
fn header(bytes: &[u8]) -> Option<(u8, usize, usize)> {
    let tag = *bytes.first().filter(|&&tag| tag & 0x1F != 0x1F)?;
    let (start, length) = match *bytes.get(1..)? {
        [short @ 0..=0x7F, ..] => (2, [0, 0, 0, short]),
        [0x81, low @ 0x80..=0xFF, ..] => (3, [0, 0, 0, low]),
        [0x82, middle @ 1..=0xFF, low, ..] => (4, [0, 0, middle, low]),
        [0x83, high @ 1..=0xFF, middle, low, ..] => (5, [0, high, middle, low]),
        // CRLs get that long.
        [0x84, top @ 1..=0xFF, high, middle, low, ..] => (6, [top, high, middle, low]),
        _ => return None,
    };
    Some((tag, start, usize::try_from(u32::from_be_bytes(length)).ok()?))
}

/// Walks the elements of `what`, in order.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Cursor<'a> {
    /// Over the elements that `bytes` holds.
    #[inline]
    pub fn over(bytes: &'a [u8], what: &'static str) -> Result<Self, DecodeError> {
        Ok(Self { rest: bytes, what })
    }

    /// Into `bytes`, which is one element of type `tag` and nothing more.
    #[inline]
    pub fn into(bytes: &'a [u8], tag: u8, what: &'static str) -> Result<Self, DecodeError> {
        let mut outer = Self { rest: bytes, what };
        let inner = outer.enter(tag)?;
        outer.finish()?;
        Ok(inner)
    }

    /// Whether no element is left.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next element, of whatever type.
    #[expect(clippy::should_implement_trait, reason = "an iterator could not fail and go on to `finish`")]
    #[inline]
    pub fn next(&mut self) -> Result<Tlv<'a>, DecodeError> {
        let (element, rest) = Tlv::split_first(self.rest).ok_or_else(|| self.no_element())?;
        self.rest = rest;
        Ok(element)
    }

    /// The next element if there is one and its identifier octet is `tag`.
    #[inline]
    pub fn optional(&mut self, tag: u8) -> Result<Option<Tlv<'a>>, DecodeError> {
        if self.rest.first() == Some(&tag) { self.next().map(Some) } else { Ok(None) }
    }

    /// The next element, which is of type `tag`.
    #[inline]
    pub fn expect(&mut self, tag: u8) -> Result<Tlv<'a>, DecodeError> {
        let element = self.next()?;
        if element.tag == tag { Ok(element) } else { Err(self.wrong_tag(element.tag, tag)) }
    }

    /// Descends into the next element, which is of type `tag`.
    #[inline]
    pub fn enter(&mut self, tag: u8) -> Result<Self, DecodeError> {
        let element = self.expect(tag)?;
        Ok(Self { rest: element.value, what: self.what })
    }

    /// An OBJECT IDENTIFIER.
    pub fn oid(&mut self) -> Result<Oid, DecodeError> {
        Oid::from_content(self.expect(OBJECT_IDENTIFIER)?.value)
    }

    /// A BOOLEAN, if there is one here.
    pub fn boolean(&mut self) -> Result<Option<bool>, DecodeError> {
        match self.optional(BOOLEAN)?.map(|element| element.value) {
            None => Ok(None),
            Some([0]) => Ok(Some(false)),
            Some([0xFF]) => Ok(Some(true)),
            Some(_) => Err(DecodeError::new(self.what, "a BOOLEAN that is neither 00 nor FF")),
        }
    }

    /// A BIT STRING of whole octets: its octets.
    pub fn octet_bits(&mut self) -> Result<&'a [u8], DecodeError> {
        match self.expect(BIT_STRING)?.value.split_first() {
            Some((0, octets)) => Ok(octets),
            _ => Err(DecodeError::new(self.what, "a BIT STRING that is empty or not of whole octets")),
        }
    }

    /// A `Time` of RFC 5280 §4.1.2.5: UTCTime or GeneralizedTime.
    pub fn time(&mut self) -> Result<UnixTime, DecodeError> {
        use der::{Decode, asn1};
        let element = self.next()?;
        let time = match element.tag {
            UTC_TIME => asn1::UtcTime::from_der(element.bytes).map(|time| time.to_date_time()),
            GENERALIZED_TIME => {
                asn1::GeneralizedTime::from_der(element.bytes).map(|time| time.to_date_time())
            }
            _ => return Err(DecodeError::new("a UTCTime or GeneralizedTime", "another type")),
        };
        let time = time.map_err(|error| DecodeError::new("a UTCTime or GeneralizedTime", error))?;
        Ok(UnixTime::from_date_time(&time))
    }

    /// Nothing may be left.
    pub fn finish(self) -> Result<(), DecodeError> {
        if self.is_empty() { Ok(()) } else { Err(DecodeError::new(self.what, "trailing bytes")) }
    }

    #[cold]
    fn no_element(&self) -> DecodeError {
        DecodeError::new(self.what, "no whole DER element of a definite length")
    }

    #[cold]
    fn wrong_tag(&self, tag: u8, expected: u8) -> DecodeError {
        DecodeError::new(self.what, format_args!("tag {tag:#04x} where {expected:#04x} belongs"))
    }
}

/// Wraps `content` in an element of type `tag`.
pub fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len().saturating_add(6));
    push_header(&mut out, tag, content.len());
    out.extend_from_slice(content);
    out
}

/// Begins an element of type `tag` in `out`, whose content of `length` octets is to follow: for what is too large to be
/// wrapped by copying it.
pub fn push_header(out: &mut Vec<u8>, tag: u8, length: usize) {
    out.push(tag);
    match length {
        short @ 0..=0x7F => out.push(u8::try_from(short).unwrap_or_default()),
        long => {
            let octets = long.to_be_bytes();
            let digits = octets.iter().skip_while(|&&octet| octet == 0);
            out.push(0x80 | u8::try_from(digits.clone().count()).unwrap_or_default());
            out.extend(digits);
        }
    }
}

/// Wraps the concatenation of `parts` in a SEQUENCE.
pub fn sequence<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u8> {
    let content: Vec<u8> = parts.into_iter().flatten().copied().collect();
    wrap(SEQUENCE, &content)
}

/// The OBJECT IDENTIFIER element of `oid`.
pub fn oid(oid: Oid) -> Vec<u8> {
    wrap(OBJECT_IDENTIFIER, oid.as_content())
}

/// A `Time` as RFC 5280 §4.1.2.5 and RFC 5652 §11.3 want it: UTCTime through 2049, GeneralizedTime from 2050.
pub fn time(time: UnixTime) -> Vec<u8> {
    const START_OF_2050: UnixTime = UnixTime(2_524_608_000);
    let text = time.to_generalized();
    if time < START_OF_2050 {
        wrap(UTC_TIME, text.get(2..).unwrap_or_default())
    } else {
        wrap(GENERALIZED_TIME, &text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lengths_past_the_end_and_other_forms_are_refused() {
        for der in [
            &[0x30, 0x84, 0x7F, 0xFF, 0xFF, 0xFF][..],
            &[0x30, 0x83, 0xFF, 0xFF, 0xFF],
            &[0x30, 0x80, 0, 0],
            &[0x30, 0x81, 0x7F],
            &[0x30, 0x82, 0, 0x80],
            &[0x30, 0x01],
            &[0x30],
            &[0x1F, 0x81, 0x01, 0x00],
            &[],
        ] {
            assert_eq!(Tlv::split_first(der), None, "{der:02x?}");
            assert!(Cursor::over(der, "x").unwrap().next().is_err());
        }
    }

    proptest! {
        #[test]
        fn reads_the_same_elements_as_der(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            use der::Reader as _;
            let mut theirs = der::SliceReader::new(&bytes).unwrap();
            let mut ours = &*bytes;
            // der knows which universal tags there are; here a tag is compared with the one that belongs.
            while let (Some((element, rest)), Ok(bytes)) = (Tlv::split_first(ours), theirs.tlv_bytes()) {
                prop_assert_eq!(element.bytes, bytes);
                ours = rest;
            }
        }
    }

    #[test]
    fn elements_of_every_form_of_length_read_back() {
        for length in [0, 0x7F, 0x80, 0xFF, 0x100, 0xFFFF, 0x1_0000, 0xFF_FFFF, 0x100_0000] {
            let der = wrap(SEQUENCE, &alloc::vec![0xA5; length]);
            let (element, rest) = Tlv::split_first(&der).unwrap();
            assert_eq!((element.tag, element.value.len(), rest.len()), (SEQUENCE, length, 0), "{length}");
        }
    }

    #[test]
    fn times_read_back_across_the_change_of_form() {
        for (seconds, tag) in [(0, UTC_TIME), (2_524_607_999, UTC_TIME), (2_524_608_000, GENERALIZED_TIME)] {
            let der = time(UnixTime(seconds));
            assert_eq!(der.first(), Some(&tag));
            assert_eq!(Cursor::over(&der, "a Time").unwrap().time(), Ok(UnixTime(seconds)));
        }
    }
}
