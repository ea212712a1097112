//! Distinguished names.

use alloc::{
    format,
    string::{String, ToString},
    sync::Arc,
    vec::Vec,
};
use core::{
    fmt::{self, Write as _},
    str::FromStr,
};

use der::Encode as _;

use crate::{DecodeError, Oid, directory_string, oids, tlv};

const WHAT: &str = "a Name";

/// More relative names than this in one name are refused.
const MAX_RDNS: usize = 32;

/// A `Name` ([RFC 5280 §4.1.2.4](https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.4)): the DER it came as.
///
/// `Display` and `FromStr` are the string form of RFC 4514, most specific part first. `==` compares the DER;
/// [`Name::matches`] compares what is meant.
///
/// ```
/// # use pki_core::Name;
/// let name: Name = "CN=laptop-1,O=Example".parse()?;
/// assert_eq!(name.to_string(), "CN=laptop-1,O=Example");
/// assert_eq!(name.common_name().as_deref(), Some("laptop-1"));
/// # Ok::<(), pki_core::DecodeError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Name(Arc<[u8]>);

/// One `AttributeTypeAndValue` of a [`Name`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameAttribute {
    oid: Oid,
    tag: u8,
    value: Vec<u8>,
}

impl NameAttribute {
    /// The attribute's type.
    pub fn oid(&self) -> Oid {
        self.oid
    }

    /// The identifier octet of its value, such as 0x0C for UTF8String.
    pub fn tag(&self) -> u8 {
        self.tag
    }

    /// Its value, when that is a string of any of X.520's types.
    pub fn text(&self) -> Option<String> {
        directory_string::text(self.tag, &self.value)
    }

    /// Equal under RFC 5280 §7.1: strings of any type, without regard to case and repeated space.
    fn matches(&self, other: &Self) -> bool {
        let folded = |attribute: &Self| {
            let text = attribute.text()?.to_lowercase();
            Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
        };
        self.oid == other.oid
            && match (folded(self), folded(other)) {
                (Some(mine), Some(theirs)) => mine == theirs,
                _ => self.tag == other.tag && self.value == other.value,
            }
    }
}

impl Name {
    /// Parses.
    pub fn from_der(der: &[u8]) -> Result<Self, DecodeError> {
        rdns(der)?;
        Ok(Self(der.into()))
    }

    /// A name of nothing but commonNames, as UTF8String.
    pub fn of_common_name(common_name: &str) -> Self {
        let value = tlv::wrap(0x0C, common_name.as_bytes());
        let attribute = tlv::sequence([&*tlv::oid(oids::COMMON_NAME), &value]);
        Self(tlv::wrap(tlv::SEQUENCE, &tlv::wrap(tlv::SET, &attribute)).into())
    }

    /// The DER.
    pub fn as_der(&self) -> &[u8] {
        &self.0
    }

    /// Whether it has no parts.
    pub fn is_empty(&self) -> bool {
        *self.0 == [tlv::SEQUENCE, 0]
    }

    /// The relative names, outermost (least specific) first, each with its attributes.
    pub fn rdns(&self) -> Vec<Vec<NameAttribute>> {
        rdns(&self.0).unwrap_or_default()
    }

    /// The most specific commonName.
    pub fn common_name(&self) -> Option<String> {
        let attributes = self.rdns().into_iter().rev().flatten();
        attributes
            .filter(|attribute| attribute.oid == oids::COMMON_NAME)
            .find_map(|attribute| attribute.text())
    }

    /// Whether both name the same entity under RFC 5280 §7.1. Devices re-encode the names they were given, so equal
    /// names may differ in their bytes.
    pub fn matches(&self, other: &Self) -> bool {
        if self == other {
            return true;
        }
        let (mine, theirs) = (self.rdns(), other.rdns());
        mine.len() == theirs.len()
            && mine.iter().zip(&theirs).all(|(mine, theirs)| {
                mine.len() == theirs.len() && mine.iter().all(|a| theirs.iter().any(|b| a.matches(b)))
            })
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = self.rdns();
        let mut parts = parts.iter().rev().map(|rdn| {
            let attributes: Vec<_> = rdn.iter().map(attribute_text).collect();
            attributes.join("+")
        });
        if let Some(first) = parts.next() {
            f.write_str(&first)?;
        }
        parts.try_for_each(|part| write!(f, ",{part}"))
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({self})")
    }
}

impl FromStr for Name {
    type Err = DecodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const WHAT: &str = "a distinguished name such as CN=laptop-1,O=Example";
        let name = x509_cert::name::RdnSequence::from_str(text).and_then(|name| name.to_der());
        let der = name.map_err(|error| DecodeError::new(WHAT, format_args!("{text:?} ({error})")))?;
        if der == [tlv::SEQUENCE, 0] {
            return Err(DecodeError::new(WHAT, "nothing"));
        }
        Self::from_der(&der)
    }
}

fn rdns(der: &[u8]) -> Result<Vec<Vec<NameAttribute>>, DecodeError> {
    let mut cursor = tlv::Cursor::into(der, tlv::SEQUENCE, WHAT)?;
    let mut names = Vec::new();
    while !cursor.is_empty() {
        if names.len() >= MAX_RDNS {
            return Err(DecodeError::new(WHAT, format_args!("more than {MAX_RDNS} parts")));
        }
        names.push(attributes(cursor.enter(tlv::SET)?)?);
    }
    Ok(names)
}

fn attributes(mut set: tlv::Cursor<'_>) -> Result<Vec<NameAttribute>, DecodeError> {
    let mut attributes = Vec::new();
    while !set.is_empty() {
        let mut fields = set.enter(tlv::SEQUENCE)?;
        let oid = fields.oid()?;
        let value = fields.next()?;
        fields.finish()?;
        attributes.push(NameAttribute { oid, tag: value.tag, value: value.value.to_vec() });
    }
    let within = 1..=MAX_RDNS;
    if within.contains(&attributes.len()) {
        Ok(attributes)
    } else {
        Err(DecodeError::new(WHAT, "a relative name that is empty or too long"))
    }
}

fn attribute_text(attribute: &NameAttribute) -> String {
    const SHORT: [(&str, &str); 10] = [
        ("2.5.4.3", "CN"),
        ("2.5.4.5", "serialNumber"),
        ("2.5.4.6", "C"),
        ("2.5.4.7", "L"),
        ("2.5.4.8", "ST"),
        ("2.5.4.10", "O"),
        ("2.5.4.11", "OU"),
        ("0.9.2342.19200300.100.1.1", "UID"),
        ("0.9.2342.19200300.100.1.25", "DC"),
        ("1.2.840.113549.1.9.1", "emailAddress"),
    ];
    let dotted = attribute.oid.to_string();
    let name = SHORT.iter().find(|(oid, _)| *oid == dotted).map_or(&*dotted, |(_, short)| short);
    match attribute.text() {
        Some(text) => format!("{name}={}", escaped(&text)),
        None => format!("{name}=#{}", hex(&attribute.value)),
    }
}

/// RFC 4514 §2.4, with control characters escaped as well so that a name can be printed anywhere.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let last = text.chars().count().saturating_sub(1);
    for (at, c) in text.chars().enumerate() {
        let space_at_an_end = c == ' ' && (at == 0 || at == last);
        if c.is_control() || reorders(c) {
            let mut utf8 = [0; 4];
            for octet in c.encode_utf8(&mut utf8).bytes() {
                let _ = write!(out, "\\{octet:02X}");
            }
        } else if matches!(c, '"' | '+' | ',' | ';' | '<' | '>' | '\\')
            || space_at_an_end
            || (at == 0 && c == '#')
        {
            out.push('\\');
            out.push(c);
        } else {
            out.push(c);
        }
    }
    out
}

/// Line and paragraph separators, and what makes text run the other way: in a log these hide what stands beside them.
fn reorders(c: char) -> bool {
    matches!(c, '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

fn hex(octets: &[u8]) -> String {
    octets.iter().fold(String::new(), |mut out, octet| {
        let _ = write!(out, "{octet:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_string_type(tag: u8, text: &str) -> Name {
        let attribute = tlv::sequence([&*tlv::oid(oids::COMMON_NAME), &tlv::wrap(tag, text.as_bytes())]);
        Name::from_der(&tlv::wrap(tlv::SEQUENCE, &tlv::wrap(tlv::SET, &attribute))).unwrap()
    }

    #[test]
    fn a_name_in_another_string_type_is_the_same_name() {
        let name = with_string_type(0x0C, "Example CA");
        assert_ne!(name, with_string_type(0x13, "Example CA"));
        assert_eq!(with_string_type(0x13, "Example CA").rdns()[0][0].tag(), 0x13);
        assert!(name.matches(&with_string_type(0x13, "example  ca")));
        assert!(!name.matches(&with_string_type(0x13, "Example CA 2")));
        assert!(!name.matches(&"CN=Example CA,O=x".parse().unwrap()));
    }

    #[test]
    fn prints_without_control_characters() {
        let name = Name::of_common_name("a\r\n{\"level\"\u{1b}[2J,b");
        assert_eq!(name.to_string(), "CN=a\\0D\\0A{\\\"level\\\"\\1B[2J\\,b");
    }

    #[test]
    fn prints_without_what_reorders_a_line() {
        let name = Name::of_common_name("a\u{202E}b\u{2028}c");
        assert_eq!(name.to_string(), "CN=a\\E2\\80\\AEb\\E2\\80\\A8c");
        assert_eq!(name.to_string().parse::<Name>().unwrap(), name);
    }

    #[test]
    fn text_reads_back() {
        for text in ["CN=x", "CN=a\\,b,OU=c+CN=d,O=e", "DC=x,DC=y"] {
            let name: Name = text.parse().unwrap();
            assert_eq!(name.to_string().parse::<Name>().unwrap(), name, "{text}");
        }
        for text in ["", "x", "CN", "=x"] {
            assert!(text.parse::<Name>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn empty_and_endless_names_are_no_trouble() {
        assert!(Name::from_der(&[0x30, 0]).unwrap().is_empty());
        assert!(Name::from_der(&[0x30, 2, 0x31, 0]).is_err());
        let many =
            tlv::wrap(tlv::SET, &tlv::sequence([&*tlv::oid(oids::COMMON_NAME), &[0x0C, 0]])).repeat(33);
        assert!(Name::from_der(&tlv::wrap(tlv::SEQUENCE, &many)).is_err());
    }
}
