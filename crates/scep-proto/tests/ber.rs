//! The BER normalizer against every way to write the same element, and against bombs.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::arithmetic_side_effects, missing_docs)]
#![allow(clippy::cast_possible_truncation, reason = "tests")]

use std::borrow::Cow;

use pki_core::tlv;
use proptest::prelude::*;
use scep_proto::{PkiMessage, ber, limits};

/// An element to be written in DER, and in BER by the choices that a byte string makes.
#[derive(Debug, Clone)]
enum Element {
    Primitive(u8, Vec<u8>),
    OctetString(Vec<u8>),
    Constructed(u8, Vec<Self>),
    /// An EncryptedContentInfo, whose content clients send in segments under an implicit tag.
    Encrypted(Vec<u8>),
}

const DATA: [u8; 11] = [0x06, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 1];
const ALGORITHM: [u8; 4] = [0x30, 2, 5, 0];

impl Element {
    fn der(&self) -> Vec<u8> {
        match self {
            Self::Primitive(tag, content) => tlv::wrap(*tag, content),
            Self::OctetString(content) => tlv::wrap(tlv::OCTET_STRING, content),
            Self::Constructed(tag, elements) => {
                tlv::wrap(*tag, &elements.iter().flat_map(Self::der).collect::<Vec<_>>())
            }
            Self::Encrypted(content) => tlv::sequence([&DATA[..], &ALGORITHM, &tlv::wrap(0x80, content)]),
        }
    }

    fn ber(&self, choices: &mut Choices) -> Vec<u8> {
        match self {
            Self::Primitive(tag, content) => choices.definite(*tag, content),
            Self::OctetString(content) => choices.string(tlv::OCTET_STRING, content, 3),
            Self::Constructed(tag, elements) => {
                let content: Vec<u8> = elements.iter().flat_map(|element| element.ber(choices)).collect();
                choices.constructed(*tag, &content)
            }
            Self::Encrypted(content) => {
                let content = choices.string(0x80, content, 3);
                choices.constructed(tlv::SEQUENCE, &[&DATA[..], &ALGORITHM, &content].concat())
            }
        }
    }
}

struct Choices(std::vec::IntoIter<u8>);

impl Choices {
    fn next(&mut self) -> u8 {
        self.0.next().unwrap_or(0)
    }

    /// A length of up to four octets more than it needs.
    fn definite(&mut self, tag: u8, content: &[u8]) -> Vec<u8> {
        let extra = usize::from(self.next() % 5);
        if extra == 0 {
            return tlv::wrap(tag, content);
        }
        let octets = content.len().to_be_bytes();
        let digits: Vec<u8> = octets.iter().copied().skip_while(|&octet| octet == 0).collect();
        let length = [&vec![0; extra][..], &digits].concat();
        [&[tag, 0x80 | length.len() as u8], &length[..], content].concat()
    }

    fn constructed(&mut self, tag: u8, content: &[u8]) -> Vec<u8> {
        if self.next().is_multiple_of(2) {
            self.definite(tag, content)
        } else {
            [&[tag, 0x80], content, &[0, 0]].concat()
        }
    }

    /// Whole, or in segments, which may be in segments themselves.
    fn string(&mut self, tag: u8, content: &[u8], depth: u8) -> Vec<u8> {
        if depth == 0 || self.next().is_multiple_of(2) {
            return self.definite(tag, content);
        }
        let at = usize::from(self.next()) % (content.len() + 1);
        let segments: Vec<u8> = [&content[..at], &content[at..]]
            .into_iter()
            .flat_map(|segment| self.string(tlv::OCTET_STRING, segment, depth - 1))
            .collect();
        self.constructed(tag | 0x20, &segments)
    }
}

fn element() -> impl Strategy<Value = Element> {
    let octets = || prop::collection::vec(any::<u8>(), 0..200);
    let leaf = prop_oneof![
        (prop::sample::select(&[0x02_u8, 0x03, 0x0C, 0x13, 0x17, 0x80, 0x81, 0x86][..]), octets())
            .prop_map(|(tag, content)| Element::Primitive(tag, content)),
        octets().prop_map(Element::OctetString),
        octets().prop_map(Element::Encrypted),
    ];
    leaf.prop_recursive(6, 40, 5, |inner| {
        (prop::sample::select(&[0x30_u8, 0x31, 0xA1, 0xA3][..]), prop::collection::vec(inner, 0..5))
            .prop_map(|(tag, elements)| Element::Constructed(tag, elements))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_way_to_write_an_element_is_the_same_der(
        element in element(),
        choices in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let der = element.der();
        let ber = element.ber(&mut Choices(choices.into_iter()));
        let normalized = ber::normalize(&ber).unwrap();
        prop_assert_eq!(&*normalized, &*der);
        prop_assert_eq!(matches!(normalized, Cow::Borrowed(_)), ber == der);
    }

    #[test]
    fn normal_form_is_normal(octets in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(once) = ber::normalize(&octets) {
            let twice = ber::normalize(&once).unwrap();
            prop_assert!(matches!(twice, Cow::Borrowed(_)));
        }
    }
}

fn nested(opening: &[u8], levels: usize, closing: &[u8]) -> Vec<u8> {
    [opening.repeat(levels), closing.repeat(levels)].concat()
}

/// Definite lengths all the way down, as deep as the octets allow.
fn nested_definite(levels: usize) -> Vec<u8> {
    let mut reversed = Vec::new();
    for _ in 0..levels {
        let length = reversed.len();
        if length < 0x80 {
            reversed.push(length as u8);
        } else {
            reversed.extend((length as u32).to_le_bytes());
            reversed.push(0x84);
        }
        reversed.push(0x30);
    }
    reversed.reverse();
    reversed
}

#[test]
fn row_31_no_nesting_exhausts_the_stack() {
    for levels in [65, 4_100, 50_000] {
        assert!(ber::normalize(&nested(&[0x30, 0x80], levels, &[])).is_err());
        assert!(ber::normalize(&nested(&[0x30, 0x80], levels, &[0, 0])).is_err());
        assert!(ber::normalize(&nested(&[0x24, 0x80], levels, &[0, 0])).is_err());
        assert!(PkiMessage::parse(&nested(&[0x30, 0x80], levels, &[0, 0])).is_err());
    }
    for levels in [33, 10_000, 64_000] {
        assert!(ber::normalize(&nested_definite(levels)).is_err(), "{levels}");
    }
    assert!(ber::normalize(&nested_definite(limits::MAX_DEPTH)).is_ok());
    assert!(ber::normalize(&nested(&[0x30, 0x80], limits::MAX_DEPTH, &[0, 0])).is_ok());
}

#[test]
fn row_32_a_length_that_lies_reserves_nothing() {
    for bomb in [
        &[0x30, 0x84, 0x7F, 0xFF, 0xFF, 0xFF][..],
        &[0x04, 0x84, 0x7F, 0xFF, 0xFF, 0xFF],
        &[0x30, 0x88, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
        &[0x30, 0x89, 1, 0, 0, 0, 0, 0, 0, 0, 0],
        &[0x30, 0xFF, 0],
        &[0x30, 0x83, 1],
        &[0x30, 5, 0x04, 4, 0, 0, 0],
    ] {
        assert!(ber::normalize(bomb).is_err(), "{bomb:02x?}");
        assert!(PkiMessage::parse(bomb).is_err());
    }
    let long = tlv::wrap(tlv::OCTET_STRING, &vec![0; limits::MAX_REPLY_LEN]);
    assert!(ber::normalize(&long).is_err());
    let long = tlv::wrap(tlv::OCTET_STRING, &vec![0; limits::MAX_MESSAGE_LEN]);
    assert!(PkiMessage::parse(&long).is_err());
}

#[test]
fn row_33_identifiers_and_integers_have_limits() {
    for (tag, limit) in
        [(tlv::OBJECT_IDENTIFIER, limits::MAX_OID_LEN), (tlv::INTEGER, limits::MAX_INTEGER_LEN)]
    {
        assert!(ber::normalize(&tlv::wrap(tag, &vec![1; limit])).is_ok());
        assert!(ber::normalize(&tlv::wrap(tag, &vec![1; limit + 1])).is_err());
        assert!(ber::normalize(&tlv::wrap(tag, &vec![1; 60_000])).is_err());
    }
}

#[test]
fn what_is_no_one_element_is_an_error() {
    for broken in [
        &[][..],
        &[0x30],
        &[0, 0],
        &[0x30, 0, 0],
        &[0x04, 0x80, 0, 0],
        &[0x30, 0x80],
        &[0x30, 0x80, 0],
        &[0x30, 2, 0, 0],
        &[0x30, 4, 0x30, 0x80, 0, 0, 0, 0],
        &[0x1F, 0x81, 0x01, 0],
        &[0x24, 3, 0x0C, 1, b'a'],
        &[0x24, 2, 0x30, 0],
    ] {
        assert!(ber::normalize(broken).is_err(), "{broken:02x?}");
    }
}

#[test]
fn sets_keep_their_order_and_integers_their_octets() {
    let set = [0x31, 0x80, 0x02, 2, 0, 5, 0x02, 1, 3, 0, 0];
    assert_eq!(*ber::normalize(&set).unwrap(), [0x31, 7, 0x02, 2, 0, 5, 0x02, 1, 3]);
}
