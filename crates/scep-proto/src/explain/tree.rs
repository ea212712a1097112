//! ASN.1 as an annotated tree.

use alloc::{
    borrow::ToOwned as _,
    format,
    string::{String, ToString as _},
    vec::Vec,
};
use core::fmt::{self, Write as _};

use pki_core::{Name, Oid, tlv};

use super::{
    oid_names::oid_name,
    schema::{Field, Shape},
};

/// Deeper than [`crate::limits::MAX_DEPTH`], because extensions are taken apart as well.
const MAX_DEPTH: usize = 48;

/// The longest value that is shown whole, in octets.
const SHOWN: usize = 32;

/// The longest text that is shown whole, in octets.
const TEXT_SHOWN: usize = 128;

/// One element, or one fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub(super) offset: Option<usize>,
    pub(super) depth: usize,
    pub(super) label: String,
    pub(super) value: String,
}

impl Line {
    /// Where the element begins, counted from the beginning of its section, in DER.
    pub fn offset(&self) -> Option<usize> {
        self.offset
    }

    /// How deep it lies.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// The name of the field, or the type where it has none.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Type and value.
    pub fn value(&self) -> &str {
        &self.value
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(offset) = self.offset {
            write!(f, "{offset:>6}  ")?;
        }
        let indent = self.depth.saturating_mul(2);
        let between = if self.value.is_empty() { "" } else { ": " };
        write!(f, "{:indent$}{}{between}{}", "", self.label, self.value)
    }
}

/// The elements of `der` as far as they are sound, named by `shape`.
pub(super) fn lines(der: &[u8], shape: &'static Shape) -> Vec<Line> {
    let mut walk = Walk { lines: Vec::new(), start: der.as_ptr().addr() };
    if let Some((element, _)) = tlv::Tlv::split_first(der) {
        walk.element(element, "", shape, 0, None);
    }
    walk.lines
}

struct Walk {
    lines: Vec<Line>,
    start: usize,
}

impl Walk {
    /// `kind` is the object identifier that stood before the element in its SEQUENCE.
    fn element(
        &mut self,
        element: tlv::Tlv<'_>,
        name: &str,
        shape: &'static Shape,
        depth: usize,
        kind: Option<Oid>,
    ) {
        let shape = match shape {
            Shape::ByType(table) => {
                let found = table.iter().find(|(known, _)| Some(*known) == kind);
                found.map_or(&Shape::Any, |(_, shape)| *shape)
            }
            Shape::ByTag(table) => {
                let found = table.iter().find(|(tag, _)| *tag == element.tag);
                found.map_or(&Shape::Any, |(_, shape)| *shape)
            }
            other => other,
        };
        let label = match (name, shape) {
            ("", Shape::Sequence(name, _) | Shape::SetOf(name, _, _)) => *name,
            ("", _) => type_name(element.tag),
            (name, _) => name,
        };
        let value = shown(element, shape);
        // The type is not said twice.
        let value = match value.strip_prefix(label) {
            Some(rest) => rest.trim_start().to_owned(),
            None => value,
        };
        self.push(element, label, value, depth);
        if depth >= MAX_DEPTH {
            return;
        }
        let below = depth.saturating_add(1);
        match shape {
            Shape::Name | Shape::Secret => {}
            Shape::Sequence(_, fields) => self.fields(element.value, fields, below),
            Shape::SetOf(_, item, shape) => self.items(element.value, item, shape, below, kind),
            Shape::Explicit(shape) | Shape::Octets(shape) => {
                self.items(element.value, "", shape, below, kind);
            }
            _ if element.tag & 0x20 != 0 => self.items(element.value, "", &Shape::Any, below, None),
            _ => {}
        }
    }

    /// The fields of a SEQUENCE, in order, those that are absent passed over.
    fn fields(&mut self, content: &[u8], fields: &'static [Field], depth: usize) {
        let (mut rest, mut expected, mut kind) = (content, fields, None);
        while let Some((element, after)) = tlv::Tlv::split_first(rest) {
            rest = after;
            let at = expected.iter().position(|field| field.tag.is_none_or(|tag| tag == element.tag));
            let (name, shape) = match at.and_then(|at| expected.get(at)) {
                Some(field) => (field.name, field.shape),
                None => ("", &Shape::Any),
            };
            if let Some(at) = at {
                expected = expected.get(at.saturating_add(1)..).unwrap_or_default();
            }
            self.element(element, name, shape, depth, kind);
            if element.tag == tlv::OBJECT_IDENTIFIER {
                kind = Oid::from_content(element.value).ok();
            }
        }
        self.rest(rest, depth);
    }

    fn items(&mut self, content: &[u8], name: &str, shape: &'static Shape, depth: usize, kind: Option<Oid>) {
        let mut rest = content;
        while let Some((element, after)) = tlv::Tlv::split_first(rest) {
            rest = after;
            self.element(element, name, shape, depth, kind);
        }
        self.rest(rest, depth);
    }

    /// Octets that are no element.
    fn rest(&mut self, rest: &[u8], depth: usize) {
        if !rest.is_empty() {
            let element = tlv::Tlv { tag: 0, value: rest, bytes: rest };
            self.push(element, "no element", octets(rest), depth);
        }
    }

    fn push(&mut self, element: tlv::Tlv<'_>, label: &str, value: String, depth: usize) {
        let offset = element.bytes.as_ptr().addr().saturating_sub(self.start);
        self.lines.push(Line { offset: Some(offset), depth, label: label.to_owned(), value });
    }
}

fn shown(element: tlv::Tlv<'_>, shape: &Shape) -> String {
    let type_name = type_name(element.tag);
    match (shape, element.tag) {
        (Shape::Secret, _) => format!("{type_name}, {} octets, not shown", element.value.len()),
        (Shape::Name, _) => match Name::from_der(element.bytes) {
            Ok(name) => format!("\"{}\"", name.to_string().escape_debug()),
            Err(error) => error.to_string(),
        },
        (_, tlv::OBJECT_IDENTIFIER) => Oid::from_content(element.value).map_or_else(
            |_| format!("{type_name} {}", octets(element.value)),
            |oid| oid_name(oid).map_or_else(|| oid.to_string(), |name| format!("{name} ({oid})")),
        ),
        (_, tlv::INTEGER) => integer(element.value),
        (_, tlv::BOOLEAN) => format!("BOOLEAN {}", element.value != [0]),
        (_, 0x05) => "NULL".to_owned(),
        (_, tlv::UTC_TIME | tlv::GENERALIZED_TIME) => match tlv::Cursor::over(element.bytes, "a Time") {
            Ok(mut cursor) => cursor.time().map_or_else(|error| error.to_string(), |time| time.to_string()),
            Err(error) => error.to_string(),
        },
        (_, 0x0C | 0x12..=0x16 | 0x1A..=0x1E) => {
            let text = element.value.get(..TEXT_SHOWN).unwrap_or(element.value);
            format!("{type_name} \"{}\"", text.escape_ascii())
        }
        (Shape::Octets(_), _) => format!("{type_name} ({} octets)", element.value.len()),
        (_, tag) if tag & 0x20 == 0 => format!("{type_name} {}", octets(element.value)),
        (_, _) => format!("{type_name} ({} octets)", element.value.len()),
    }
}

fn integer(octets_of: &[u8]) -> String {
    match octets_of {
        [first, ..] if *first < 0x80 && octets_of.len() <= 8 => {
            let number = octets_of.iter().fold(0_u64, |number, octet| number << 8 | u64::from(*octet));
            format!("INTEGER {number}")
        }
        _ => format!("INTEGER {}", octets(octets_of)),
    }
}

fn octets(octets: &[u8]) -> String {
    let mut text = format!("({} octets)", octets.len());
    for (at, octet) in excerpt(octets).iter().enumerate() {
        let space = if at == 0 { " " } else { "" };
        let _ = write!(text, "{space}{octet:02x}");
    }
    if octets.len() > SHOWN {
        text.push_str("..");
    }
    text
}

fn excerpt(octets: &[u8]) -> &[u8] {
    octets.get(..SHOWN).unwrap_or(octets)
}

fn type_name(tag: u8) -> &'static str {
    match tag {
        tlv::BOOLEAN => "BOOLEAN",
        tlv::INTEGER => "INTEGER",
        tlv::BIT_STRING => "BIT STRING",
        tlv::OCTET_STRING => "OCTET STRING",
        0x05 => "NULL",
        tlv::OBJECT_IDENTIFIER => "OBJECT IDENTIFIER",
        0x0A => "ENUMERATED",
        0x0C => "UTF8String",
        0x12 => "NumericString",
        0x13 => "PrintableString",
        0x14 => "TeletexString",
        0x16 => "IA5String",
        0x1A => "VisibleString",
        0x1C => "UniversalString",
        0x1E => "BMPString",
        tlv::UTC_TIME => "UTCTime",
        tlv::GENERALIZED_TIME => "GeneralizedTime",
        tlv::SEQUENCE => "SEQUENCE",
        tlv::SET => "SET",
        0x80 | 0xA0 => "[0]",
        0x81 | 0xA1 => "[1]",
        0x82 | 0xA2 => "[2]",
        0x83 | 0xA3 => "[3]",
        0x84 | 0xA4 => "[4]",
        0x85 | 0xA5 => "[5]",
        0x86 | 0xA6 => "[6]",
        _ => "another type",
    }
}
