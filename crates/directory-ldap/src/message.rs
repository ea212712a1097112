//! LDAP's messages ([RFC 4511 §4](https://www.rfc-editor.org/rfc/rfc4511#section-4)): requests written, answers read.

use crate::{
    Filter,
    ber::{
        BOOLEAN, ENUMERATED, INTEGER, Malformed, OCTET_STRING, Reader, SEQUENCE, SET, constructed, element,
        number, octet_string,
    },
};

/// Paged results ([RFC 2696](https://www.rfc-editor.org/rfc/rfc2696)).
pub(crate) const PAGED_RESULTS: &str = "1.2.840.113556.1.4.319";
/// Active Directory leaves out what lies in other naming contexts, instead of referring to them.
pub(crate) const DOMAIN_SCOPE: &str = "1.2.840.113556.1.4.1339";
/// Active Directory shows what was deleted lately.
pub(crate) const SHOW_DELETED: &str = "1.2.840.113556.1.4.417";
/// StartTLS ([RFC 4511 §4.14](https://www.rfc-editor.org/rfc/rfc4511#section-4.14)).
pub(crate) const START_TLS: &str = "1.3.6.1.4.1.1466.20037";

/// What is asked.
#[derive(Debug, Clone)]
pub(crate) enum Request {
    Bind { name: String, password: zeroize::Zeroizing<String> },
    Search(Search),
    Extended { name: &'static str },
    Unbind,
}

/// Which entries, and what of them.
#[derive(Debug, Clone)]
pub(crate) struct Search {
    pub(crate) base: String,
    pub(crate) scope: Scope,
    /// At most so many entries; 0 for all.
    pub(crate) most: u32,
    pub(crate) filter: Filter,
    pub(crate) attributes: Vec<String>,
    pub(crate) controls: Vec<Control>,
}

/// How far below the base.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    Base,
    Subtree,
}

/// What is added to a request or an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Control {
    pub(crate) oid: String,
    pub(crate) criticality: Criticality,
    pub(crate) value: Option<Vec<u8>>,
}

/// What a server does that does not know a control.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Criticality {
    Refuse,
    Ignore,
}

impl Control {
    pub(crate) fn bare(oid: &str, criticality: Criticality) -> Self {
        Self { oid: oid.into(), criticality, value: None }
    }

    /// ```asn1
    /// realSearchControlValue ::= SEQUENCE { size INTEGER (0..maxInt), cookie OCTET STRING }
    /// ```
    pub(crate) fn page(size: u32, cookie: &[u8]) -> Self {
        let value = constructed(SEQUENCE, [number(INTEGER, size), octet_string(cookie)]);
        Self { oid: PAGED_RESULTS.into(), criticality: Criticality::Refuse, value: Some(value) }
    }

    fn encode(&self) -> Vec<u8> {
        let critical = (self.criticality == Criticality::Refuse).then(|| element(BOOLEAN, &[0xFF]));
        let value = self.value.as_ref().map(octet_string);
        constructed(SEQUENCE, [Some(octet_string(&self.oid)), critical, value].into_iter().flatten())
    }

    fn read(mut reader: Reader<'_>) -> Result<Self, Malformed> {
        let oid = reader.text("the OID of a control")?;
        let critical = reader.optional(BOOLEAN)?.is_some_and(|flag| flag != [0]);
        let criticality = if critical { Criticality::Refuse } else { Criticality::Ignore };
        let value = reader.optional(OCTET_STRING)?.map(Vec::from);
        Ok(Self { oid, criticality, value })
    }
}

/// The cookie of the next page; `None` after the last one, or where the answer has no pages.
pub(crate) fn next_page(controls: &[Control]) -> Result<Option<Vec<u8>>, Malformed> {
    let paged = controls.iter().find(|control| control.oid == PAGED_RESULTS);
    let Some(value) = paged.and_then(|control| control.value.as_deref()) else { return Ok(None) };
    let mut value = Reader::new(value).enter(SEQUENCE, "a page's size and cookie")?;
    value.number(INTEGER, "a page's size")?;
    let cookie = value.expect(OCTET_STRING, "a page's cookie")?;
    Ok((!cookie.is_empty()).then(|| cookie.to_vec()))
}

impl Request {
    /// As it is sent, with that number.
    pub(crate) fn encode(&self, message: u32) -> Vec<u8> {
        let (operation, controls) = match self {
            Self::Bind { name, password } => {
                let simple = element(0x80, password.as_bytes());
                (constructed(0x60, [number(INTEGER, 3), octet_string(name), simple]), &[][..])
            }
            Self::Search(search) => (search.encode(), &search.controls[..]),
            Self::Extended { name } => (constructed(0x77, [element(0x80, name.as_bytes())]), &[][..]),
            Self::Unbind => (element(0x42, &[]), &[][..]),
        };
        let controls =
            (!controls.is_empty()).then(|| constructed(0xA0, controls.iter().map(Control::encode)));
        let parts = [Some(number(INTEGER, message)), Some(operation), controls];
        constructed(SEQUENCE, parts.into_iter().flatten())
    }
}

impl Search {
    fn encode(&self) -> Vec<u8> {
        let scope = match self.scope {
            Scope::Base => 0,
            Scope::Subtree => 2,
        };
        let never = 0;
        constructed(
            0x63,
            [
                octet_string(&self.base),
                number(ENUMERATED, scope),
                number(ENUMERATED, never),
                number(INTEGER, self.most),
                number(INTEGER, 0),
                element(BOOLEAN, &[0]),
                self.filter.encode(),
                constructed(SEQUENCE, self.attributes.iter().map(octet_string)),
            ],
        )
    }
}

/// One answer, and which request it belongs to; 0 for none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) id: u32,
    pub(crate) answer: Answer,
    pub(crate) controls: Vec<Control>,
}

/// What a server says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// An entry that was searched for.
    Entry(Entry),
    /// Where else to search: URLs.
    Reference(Vec<String>),
    /// The end of an operation, and what came of it.
    Done(Outcome),
    /// Something on the way to it.
    Intermediate,
}

/// How an operation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) code: u32,
    pub(crate) text: String,
}

/// Everything that was asked for is there.
pub(crate) const SUCCESS: u32 = 0;
/// There are more entries than were asked for.
pub(crate) const SIZE_LIMIT_EXCEEDED: u32 = 4;
/// There is nothing at the base.
pub(crate) const NO_SUCH_OBJECT: u32 = 32;
/// The name or the password is wrong.
pub(crate) const INVALID_CREDENTIALS: u32 = 49;
/// The server has too much to do.
pub(crate) const BUSY: u32 = 51;

/// An entry, or the part of it that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) attributes: Vec<(String, Vec<Vec<u8>>)>,
}

impl Entry {
    /// The values of that attribute; none when it is not there.
    pub(crate) fn values(&self, attribute: &str) -> &[Vec<u8>] {
        let found = self.attributes.iter().find(|(name, _)| name.eq_ignore_ascii_case(attribute));
        found.map_or(&[], |(_, values)| values)
    }

    /// The values that are text.
    pub(crate) fn texts<'a>(&'a self, attribute: &str) -> impl Iterator<Item = &'a str> {
        self.values(attribute).iter().filter_map(|value| std::str::from_utf8(value).ok())
    }

    /// Its only value.
    pub(crate) fn only(&self, attribute: &str) -> Option<&[u8]> {
        match self.values(attribute) {
            [value] => Some(value),
            _ => None,
        }
    }

    fn read(mut reader: Reader<'_>) -> Result<Self, Malformed> {
        let name = reader.text("the name of an entry")?;
        let mut list = reader.enter(SEQUENCE, "the attributes of an entry")?;
        let mut attributes = Vec::new();
        while !list.is_empty() {
            let mut attribute = list.enter(SEQUENCE, "an attribute")?;
            let kind = attribute.text("the name of an attribute")?;
            let mut set = attribute.enter(SET, "the values of an attribute")?;
            let mut values = Vec::new();
            while !set.is_empty() {
                values.push(set.expect(OCTET_STRING, "a value")?.to_vec());
            }
            attributes.push((kind, values));
        }
        Ok(Self { name, attributes })
    }
}

impl Message {
    /// Reads one whole message.
    pub(crate) fn read(octets: &[u8]) -> Result<Self, Malformed> {
        let mut message = Reader::new(octets).enter(SEQUENCE, "a message")?;
        let id = message.number(INTEGER, "the number of a message")?;
        let (tag, content) = message.any()?;
        let mut content = Reader::new(content);
        let answer = match tag {
            // BindResponse, SearchResultDone, ExtendedResponse: they begin alike.
            0x61 | 0x65 | 0x78 => Answer::Done(Outcome::read(&mut content)?),
            0x64 => Answer::Entry(Entry::read(content)?),
            0x73 => {
                let mut urls = Vec::new();
                while !content.is_empty() {
                    urls.push(content.text("the URL of a reference")?);
                }
                Answer::Reference(urls)
            }
            0x79 => Answer::Intermediate,
            _ => {
                return Err(Malformed { expected: "an answer to a bind, a search or an extended operation" });
            }
        };
        let mut controls = Vec::new();
        if let Some(list) = message.optional(0xA0)? {
            let mut list = Reader::new(list);
            while !list.is_empty() {
                controls.push(Control::read(list.enter(SEQUENCE, "a control")?)?);
            }
        }
        Ok(Self { id, answer, controls })
    }
}

impl Outcome {
    fn read(reader: &mut Reader<'_>) -> Result<Self, Malformed> {
        let code = reader.number(ENUMERATED, "a result code")?;
        reader.text("a matched name")?;
        Ok(Self { code, text: reader.text("a diagnostic message")? })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_bind_is_written_as_others_write_it() {
        let password = zeroize::Zeroizing::new(String::from("pw"));
        let bind = Request::Bind { name: "cn=a".into(), password };
        let expected = b"\x30\x12\x02\x01\x01\x60\x0d\x02\x01\x03\x04\x04cn=a\x80\x02pw";
        assert_eq!(bind.encode(1), expected);
    }

    #[test]
    fn an_entry_is_read() {
        let values = constructed(SET, [octet_string("Ada"), octet_string([0xFF, 0])]);
        let attributes = constructed(SEQUENCE, [constructed(SEQUENCE, [octet_string("CN"), values])]);
        let entry = constructed(0x64, [octet_string("cn=Ada"), attributes]);
        let message = Message::read(&constructed(SEQUENCE, [number(INTEGER, 7), entry])).unwrap();
        let Answer::Entry(entry) = message.answer else { panic!("{message:?}") };
        assert_eq!((message.id, &*entry.name), (7, "cn=Ada"));
        assert_eq!(entry.values("cn"), [b"Ada".to_vec(), vec![0xFF, 0]]);
        assert_eq!(entry.texts("cn").collect::<Vec<_>>(), ["Ada"]);
        assert_eq!((entry.only("cn"), entry.values("sn").len()), (None, 0));
    }

    #[test]
    fn the_cookie_of_a_page_is_read_and_the_last_page_has_none() {
        for (cookie, expected) in [(&b"\x01\x02"[..], Some(vec![1, 2])), (b"", None)] {
            assert_eq!(next_page(&[Control::page(500, cookie)]), Ok(expected));
        }
        assert_eq!(next_page(&[]), Ok(None));
    }

    /// Active Directory puts the name of a notice of disconnection where controls belong.
    #[test]
    fn a_notice_of_disconnection_is_read_either_way() {
        let outcome = || [number(ENUMERATED, 52), octet_string(""), octet_string("bye")];
        let name = || element(0x8A, b"1.3.6.1.4.1.1466.20036");
        let inside = constructed(0x78, outcome().into_iter().chain([name()]));
        let inside = constructed(SEQUENCE, [number(INTEGER, 0), inside]);
        let outside = constructed(SEQUENCE, [number(INTEGER, 0), constructed(0x78, outcome()), name()]);
        for octets in [inside, outside] {
            let message = Message::read(&octets).unwrap();
            assert_eq!(message.answer, Answer::Done(Outcome { code: 52, text: "bye".into() }));
        }
    }

    #[test]
    fn nesting_costs_nothing() {
        let mut octets = Vec::new();
        for depth in (0..200_000u32).rev() {
            octets.extend_from_slice(&[0x30, 0x84]);
            octets.extend_from_slice(&(depth * 6).to_be_bytes());
        }
        assert!(Message::read(&octets).is_err());
    }

    proptest! {
        #[test]
        fn no_octets_make_the_reader_fall_over(octets in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Message::read(&octets);
        }

        #[test]
        fn a_changed_message_is_read_or_refused(at in any::<proptest::sample::Index>(), octet in any::<u8>()) {
            let values = constructed(SET, [octet_string("Ada")]);
            let attributes = constructed(SEQUENCE, [constructed(SEQUENCE, [octet_string("cn"), values])]);
            let entry = constructed(0x64, [octet_string("cn=Ada"), attributes]);
            let controls = constructed(0xA0, [Control::page(1, b"x").encode()]);
            let mut message = constructed(SEQUENCE, [number(INTEGER, 7), entry, controls]);
            *at.get_mut(&mut message) = octet;
            if let Ok(message) = Message::read(&message) {
                let _ = next_page(&message.controls);
            }
        }
    }
}
