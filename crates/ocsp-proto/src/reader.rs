//! A cursor over DER elements that copies nothing and never recurses.
//!
//! That of [`pki_core::tlv`] with what OCSP has besides, and the content octets of identifiers as they are.

use pki_core::{DecodeError, UnixTime, tlv::Tlv};

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const OBJECT_IDENTIFIER: u8 = 0x06;
pub(crate) const ENUMERATED: u8 = 0x0A;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const SEQUENCE: u8 = 0x30;

/// Longer object identifiers and integers are refused before anything is done with them.
const MAX_OID_OCTETS: usize = 64;
const MAX_INTEGER_OCTETS: usize = 1024;

/// The constructed context-specific tag `[number]`.
pub(crate) const fn explicit(number: u8) -> u8 {
    0xA0 | number
}

/// Walks the elements of `what`, in order.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    what: &'static str,
}

impl<'a> Reader<'a> {
    /// Over the elements that `bytes` holds.
    #[inline]
    pub(crate) fn over(bytes: &'a [u8], what: &'static str) -> Self {
        Self { rest: bytes, what }
    }

    /// Into `bytes`, which is one element of type `tag` and nothing more.
    #[inline]
    pub(crate) fn into(bytes: &'a [u8], tag: u8, what: &'static str) -> Result<Self, DecodeError> {
        let mut outer = Self::over(bytes, what);
        let inner = outer.enter(tag)?;
        outer.finish()?;
        Ok(inner)
    }

    /// What is left.
    #[inline]
    pub(crate) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    #[inline]
    pub(crate) fn next(&mut self) -> Result<Tlv<'a>, DecodeError> {
        let (element, rest) = Tlv::split_first(self.rest)
            .ok_or_else(|| self.error("no whole DER element of a definite length"))?;
        self.rest = rest;
        Ok(element)
    }

    /// The next element if there is one and its identifier octet is `tag`.
    #[inline]
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Tlv<'a>>, DecodeError> {
        if self.rest.first() == Some(&tag) { self.next().map(Some) } else { Ok(None) }
    }

    #[inline]
    pub(crate) fn expect(&mut self, tag: u8) -> Result<Tlv<'a>, DecodeError> {
        let element = self.next()?;
        if element.tag == tag {
            return Ok(element);
        }
        Err(self.wrong_tag(element.tag, tag))
    }

    /// Descends into the next element, which is of type `tag`.
    #[inline]
    pub(crate) fn enter(&mut self, tag: u8) -> Result<Self, DecodeError> {
        let element = self.expect(tag)?;
        Ok(Self::over(element.value, self.what))
    }

    /// The content octets of an OBJECT IDENTIFIER.
    #[inline]
    pub(crate) fn oid(&mut self) -> Result<&'a [u8], DecodeError> {
        let content = self.expect(OBJECT_IDENTIFIER)?.value;
        let sound = (1..=MAX_OID_OCTETS).contains(&content.len());
        if sound { Ok(content) } else { Err(self.error("an OBJECT IDENTIFIER of no or too many octets")) }
    }

    /// The content octets of an INTEGER.
    #[inline]
    pub(crate) fn integer(&mut self) -> Result<&'a [u8], DecodeError> {
        let content = self.expect(INTEGER)?.value;
        let sound = (1..=MAX_INTEGER_OCTETS).contains(&content.len());
        if sound { Ok(content) } else { Err(self.error("an INTEGER of no or too many octets")) }
    }

    /// A `BOOLEAN DEFAULT FALSE`.
    #[inline]
    pub(crate) fn default_false(&mut self) -> Result<bool, DecodeError> {
        match self.optional(BOOLEAN)?.map(|element| element.value) {
            None | Some([0]) => Ok(false),
            Some([0xFF]) => Ok(true),
            Some(_) => Err(self.error("a BOOLEAN that is neither 00 nor FF")),
        }
    }

    /// A `version [0] EXPLICIT INTEGER DEFAULT v1(0)`; every other version is refused (RFC 6960 §4.2.2.3).
    #[inline]
    pub(crate) fn version_1(&mut self) -> Result<(), DecodeError> {
        match self.optional(explicit(0))?.map(|element| element.value) {
            None | Some([INTEGER, 1, 0]) => Ok(()),
            Some(_) => Err(self.error("a version other than v1")),
        }
    }

    /// A BIT STRING of whole octets: its octets.
    pub(crate) fn octet_bits(&mut self) -> Result<&'a [u8], DecodeError> {
        match self.expect(BIT_STRING)?.value.split_first() {
            Some((0, octets)) => Ok(octets),
            _ => Err(self.error("a BIT STRING that is empty or not of whole octets")),
        }
    }

    /// A GeneralizedTime as RFC 5280 §4.1.2.5.2 has it: UTC, seconds, no fraction.
    pub(crate) fn time(&mut self) -> Result<UnixTime, DecodeError> {
        use der::{Decode as _, asn1::GeneralizedTime};
        let element = self.expect(GENERALIZED_TIME)?;
        let time = GeneralizedTime::from_der(element.bytes)
            .map_err(|error| DecodeError::new("a GeneralizedTime YYYYMMDDHHMMSSZ", error))?;
        Ok(UnixTime(time.to_unix_duration().as_secs()))
    }

    /// Nothing may be left.
    #[inline]
    pub(crate) fn finish(self) -> Result<(), DecodeError> {
        if self.is_empty() { Ok(()) } else { Err(self.error("trailing bytes")) }
    }

    #[cold]
    fn wrong_tag(&self, tag: u8, expected: u8) -> DecodeError {
        DecodeError::new(self.what, format_args!("tag {tag:#04x} where {expected:#04x} belongs"))
    }

    #[cold]
    pub(crate) fn error(&self, found: &'static str) -> DecodeError {
        DecodeError::new(self.what, found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn row_32_length_bombs_are_refused() {
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
            assert!(Reader::over(der, "x").next().is_err(), "{der:02x?}");
        }
    }

    #[test]
    fn row_33_long_identifiers_and_integers_are_refused() {
        let long = |tag, length: u16| {
            let [high, low] = length.to_be_bytes();
            [vec![tag, 0x82, high, low], vec![1; usize::from(length)]].concat()
        };
        assert!(Reader::over(&long(OBJECT_IDENTIFIER, 60_000), "x").oid().is_err());
        assert!(Reader::over(&long(INTEGER, 1025), "x").integer().is_err());
        assert!(Reader::over(&long(INTEGER, 1024), "x").integer().is_ok());
    }

    // clause: RFC 6960 39
    // clause: RFC 9919 90
    #[test]
    fn row_36_times_are_read_or_refused() {
        let read = |text: &[u8]| {
            let der = [&[GENERALIZED_TIME, u8::try_from(text.len()).unwrap()], text].concat();
            Reader::over(&der, "x").time()
        };
        assert_eq!(read(b"20261121120001Z"), Ok(UnixTime(1_795_262_401)));
        for text in [
            &b"20261121120001.5Z"[..],
            b"20261121120001+0100",
            b"202611211200Z",
            b"20261321120001Z",
            b"\xFF\xFF261121120001Z",
            b"",
        ] {
            assert!(read(text).is_err(), "{text:?}");
        }
    }
}
