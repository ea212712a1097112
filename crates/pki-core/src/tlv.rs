//! DER elements, read by a cursor that keeps the bytes and written by wrapping.
//!
//! The protocol crates read and write their structures with this, because structures that come from devices have to
//! be echoed, digested and compared in the bytes they came in.

use alloc::vec::Vec;

use der::{Header, Reader, SliceReader};

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

/// Walks the elements of `what`, in order.
#[derive(Debug, Clone)]
pub struct Cursor<'a> {
    reader: SliceReader<'a>,
    what: &'static str,
}

impl<'a> Cursor<'a> {
    /// Over the elements that `bytes` holds.
    pub fn over(bytes: &'a [u8], what: &'static str) -> Result<Self, DecodeError> {
        let reader = SliceReader::new(bytes).map_err(|error| DecodeError::new(what, error))?;
        Ok(Self { reader, what })
    }

    /// Into `bytes`, which is one element of type `tag` and nothing more.
    pub fn into(bytes: &'a [u8], tag: u8, what: &'static str) -> Result<Self, DecodeError> {
        let mut outer = Self::over(bytes, what)?;
        let element = outer.expect(tag)?;
        outer.finish()?;
        Self::over(element.value, what)
    }

    /// Whether no element is left.
    pub fn is_empty(&self) -> bool {
        self.reader.is_finished()
    }

    /// The next element, of whatever type.
    #[expect(clippy::should_implement_trait, reason = "an iterator could not fail and go on to `finish`")]
    pub fn next(&mut self) -> Result<Tlv<'a>, DecodeError> {
        let (header, bytes) = self.read().map_err(|error| DecodeError::new(self.what, error))?;
        let tag = bytes.first().copied().unwrap_or_default();
        let length = usize::try_from(header.length()).unwrap_or(usize::MAX);
        let value = bytes.len().checked_sub(length).and_then(|start| bytes.get(start..));
        let value = value.ok_or_else(|| DecodeError::new(self.what, "a length past the end"))?;
        Ok(Tlv { tag, value, bytes })
    }

    /// The next element if there is one and its identifier octet is `tag`.
    pub fn optional(&mut self, tag: u8) -> Result<Option<Tlv<'a>>, DecodeError> {
        if self.reader.peek_byte() == Some(tag) { self.next().map(Some) } else { Ok(None) }
    }

    /// The next element, which is of type `tag`.
    pub fn expect(&mut self, tag: u8) -> Result<Tlv<'a>, DecodeError> {
        let element = self.next()?;
        if element.tag == tag {
            return Ok(element);
        }
        Err(DecodeError::new(self.what, format_args!("tag {:#04x} where {tag:#04x} belongs", element.tag)))
    }

    /// Descends into the next element, which is of type `tag`.
    pub fn enter(&mut self, tag: u8) -> Result<Self, DecodeError> {
        let element = self.expect(tag)?;
        Self::over(element.value, self.what)
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

    fn read(&mut self) -> der::Result<(Header, &'a [u8])> {
        let header = Header::peek(&self.reader)?;
        Ok((header, self.reader.tlv_bytes()?))
    }
}

/// Wraps `content` in an element of type `tag`.
pub fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len().saturating_add(6));
    out.push(tag);
    match content.len() {
        short @ 0..=0x7F => out.push(u8::try_from(short).unwrap_or_default()),
        long => {
            let octets = long.to_be_bytes();
            let digits = octets.iter().skip_while(|&&octet| octet == 0);
            out.push(0x80 | u8::try_from(digits.clone().count()).unwrap_or_default());
            out.extend(digits);
        }
    }
    out.extend_from_slice(content);
    out
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
    use super::*;

    #[test]
    fn times_read_back_across_the_change_of_form() {
        for (seconds, tag) in [(0, UTC_TIME), (2_524_607_999, UTC_TIME), (2_524_608_000, GENERALIZED_TIME)] {
            let der = time(UnixTime(seconds));
            assert_eq!(der.first(), Some(&tag));
            assert_eq!(Cursor::over(&der, "a Time").unwrap().time(), Ok(UnixTime(seconds)));
        }
    }
}
