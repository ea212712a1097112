//! The part of BER that LDAP uses ([RFC 4511 §5.1](https://www.rfc-editor.org/rfc/rfc4511#section-5.1)): definite
//! lengths, one octet of tag. Nothing here calls itself, so no nesting exhausts the stack.

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const ENUMERATED: u8 = 0x0A;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;

/// Octets that are not what the protocol has there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not LDAP: expected {expected}")]
pub(crate) struct Malformed {
    pub(crate) expected: &'static str,
}

const fn malformed(expected: &'static str) -> Malformed {
    Malformed { expected }
}

/// Elements one after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn new(octets: &'a [u8]) -> Self {
        Self(octets)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next element: its tag and its content.
    pub(crate) fn any(&mut self) -> Result<(u8, &'a [u8]), Malformed> {
        let header = Header::read(self.0)?.ok_or(malformed("an element"))?;
        let (element, rest) = self.0.split_at_checked(header.total()).ok_or(malformed("a whole element"))?;
        self.0 = rest;
        Ok((header.tag, element.get(header.len..).unwrap_or_default()))
    }

    /// The content of the next element, which must have that tag.
    pub(crate) fn expect(&mut self, tag: u8, what: &'static str) -> Result<&'a [u8], Malformed> {
        let (found, content) = self.any()?;
        if found == tag { Ok(content) } else { Err(malformed(what)) }
    }

    /// The elements inside the next one, which must have that tag.
    pub(crate) fn enter(&mut self, tag: u8, what: &'static str) -> Result<Reader<'a>, Malformed> {
        self.expect(tag, what).map(Reader)
    }

    /// The content of the next element if it has that tag.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<&'a [u8]>, Malformed> {
        if self.0.first() == Some(&tag) { self.any().map(|(_, content)| Some(content)) } else { Ok(None) }
    }

    /// A number of at most 31 bits and no sign, as all of LDAP's are.
    pub(crate) fn number(&mut self, tag: u8, what: &'static str) -> Result<u32, Malformed> {
        let content = self.expect(tag, what)?;
        let is_positive = content.first().is_some_and(|first| *first < 0x80);
        let number = (is_positive && content.len() <= 4)
            .then(|| content.iter().fold(0u32, |number, octet| number << 8 | u32::from(*octet)));
        number.ok_or(malformed(what))
    }

    /// UTF-8; what is none is replaced, for it is only shown or compared.
    pub(crate) fn text(&mut self, what: &'static str) -> Result<String, Malformed> {
        self.expect(OCTET_STRING, what).map(|content| String::from_utf8_lossy(content).into_owned())
    }
}

/// The beginning of an element.
#[derive(Debug, Clone, Copy)]
struct Header {
    tag: u8,
    /// Octets before the content.
    len: usize,
    content: usize,
}

impl Header {
    /// `None` when more octets are needed to tell.
    fn read(octets: &[u8]) -> Result<Option<Self>, Malformed> {
        let Some((&tag, rest)) = octets.split_first() else { return Ok(None) };
        if tag & 0x1F == 0x1F {
            return Err(malformed("a tag of one octet"));
        }
        let Some((&first, rest)) = rest.split_first() else { return Ok(None) };
        if first < 0x80 {
            return Ok(Some(Self { tag, len: 2, content: usize::from(first) }));
        }
        // Active Directory always writes four octets of length.
        let count = usize::from(first & 0x7F);
        if !(1..=4).contains(&count) {
            return Err(malformed("a definite length of at most four octets"));
        }
        let Some(length) = rest.get(..count) else { return Ok(None) };
        let content = length.iter().fold(0usize, |sum, octet| sum << 8 | usize::from(*octet));
        Ok(Some(Self { tag, len: count.saturating_add(2), content }))
    }

    fn total(self) -> usize {
        self.len.saturating_add(self.content)
    }
}

/// How many octets the element at the beginning of `octets` has, once that can be told.
pub(crate) fn element_len(octets: &[u8]) -> Result<Option<usize>, Malformed> {
    Ok(Header::read(octets)?.map(Header::total))
}

/// An element.
pub(crate) fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len().saturating_add(6));
    out.push(tag);
    if let Ok(short @ ..0x80) = u8::try_from(content.len()) {
        out.push(short);
    } else {
        let length = content.len().to_be_bytes();
        let zeros = length.iter().take_while(|octet| **octet == 0).count();
        let length = length.get(zeros..).unwrap_or_default();
        out.push(0x80 | u8::try_from(length.len()).unwrap_or(0x7F));
        out.extend_from_slice(length);
    }
    out.extend_from_slice(content);
    out
}

/// An element made of others.
pub(crate) fn constructed<T: AsRef<[u8]>>(tag: u8, parts: impl IntoIterator<Item = T>) -> Vec<u8> {
    let mut content = Vec::new();
    for part in parts {
        content.extend_from_slice(part.as_ref());
    }
    element(tag, &content)
}

/// INTEGER or ENUMERATED.
pub(crate) fn number(tag: u8, number: u32) -> Vec<u8> {
    let octets = i64::from(number).to_be_bytes();
    let is_positive = |next: Option<&u8>| next.is_some_and(|next| *next < 0x80);
    let mut from = 0usize;
    while octets.get(from) == Some(&0) && is_positive(octets.get(from.saturating_add(1))) {
        from = from.saturating_add(1);
    }
    element(tag, octets.get(from..).unwrap_or_default())
}

/// OCTET STRING.
pub(crate) fn octet_string(content: impl AsRef<[u8]>) -> Vec<u8> {
    element(OCTET_STRING, content.as_ref())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_have_their_shortest_form() {
        for (value, expected) in [
            (0u32, &[2u8, 1, 0][..]),
            (127, &[2, 1, 127]),
            (128, &[2, 2, 0, 128]),
            (0x7FFF_FFFF, &[2, 4, 127, 255, 255, 255]),
        ] {
            assert_eq!(number(INTEGER, value), expected);
            assert_eq!(Reader::new(expected).number(INTEGER, "a number"), Ok(value));
        }
    }

    #[test]
    fn lengths_as_active_directory_writes_them_are_read() {
        let mut reader = Reader::new(&[0x04, 0x84, 0, 0, 0, 2, b'a', b'b']);
        assert_eq!(reader.text("text"), Ok("ab".into()));
    }

    #[test]
    fn what_is_no_element_is_refused() {
        for octets in [
            &[][..],
            &[0x30],
            &[0x30, 2, 0],
            &[0x30, 0x80, 0, 0],
            &[0x30, 0x85, 0, 0, 0, 0, 0],
            &[0x30, 0xFF],
            &[0x1F, 1, 0],
            &[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF],
        ] {
            assert!(Reader::new(octets).any().is_err(), "{octets:02x?}");
        }
    }

    proptest! {
        #[test]
        fn elements_read_back(tag in 0u8..0x1F, content in proptest::collection::vec(any::<u8>(), 0..300)) {
            let written = element(tag, &content);
            prop_assert_eq!(element_len(&written), Ok(Some(written.len())));
            let mut reader = Reader::new(&written);
            prop_assert_eq!(reader.any(), Ok((tag, &content[..])));
            prop_assert!(reader.is_empty());
        }
    }
}
