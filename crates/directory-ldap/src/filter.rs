//! Filters of a search, as text and on the wire.

use std::{fmt, str::FromStr};

use crate::ber::{constructed, element, octet_string};

/// Parentheses within parentheses, at most.
const MAX_DEPTH: usize = 16;

/// What entries a search is for ([RFC 4511 §4.5.1.7](https://www.rfc-editor.org/rfc/rfc4511#section-4.5.1.7)). Prints
/// as [RFC 4515](https://www.rfc-editor.org/rfc/rfc4515) has it, and reads back from that.
///
/// A value is octets and stays a value: nothing in it is read as part of the filter, here or on the wire.
///
/// ```
/// use directory_ldap::Filter;
///
/// let hostile = Filter::equal("cn", "*)(objectClass=*");
/// assert_eq!(hostile.to_string(), r"(cn=\2a\29\28objectClass=\2a)");
/// assert_eq!(r"(cn=\2a\29\28objectClass=\2a)".parse::<Filter>().unwrap(), hostile);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Filter {
    /// All of them are true.
    And(Vec<Filter>),
    /// One of them is true.
    Or(Vec<Filter>),
    /// It is false. What cannot be told stays so.
    Not(Box<Filter>),
    /// The attribute has the value.
    Equal(String, Vec<u8>),
    /// The attribute has a value that is no less.
    AtLeast(String, Vec<u8>),
    /// The attribute has a value that is no more.
    AtMost(String, Vec<u8>),
    /// The attribute has a value much like it.
    Approximately(String, Vec<u8>),
    /// The attribute has a value.
    Present(String),
    /// The attribute has a value with these parts.
    Substrings {
        /// Which one.
        attribute: String,
        /// What it begins with; may be empty.
        initial: Vec<u8>,
        /// What it has between beginning and end, in that order.
        any: Vec<Vec<u8>>,
        /// What it ends with; may be empty.
        last: Vec<u8>,
    },
    /// The attribute has a value that matches by that rule, such as Active Directory's bits,
    /// `(userAccountControl:1.2.840.113556.1.4.803:=2)`.
    Matches {
        /// Which one; empty for any that the rule fits.
        attribute: String,
        /// The rule's name or number; empty for the attribute's own.
        rule: String,
        /// Whether the parts of the entry's name count as attributes too.
        names: NameParts,
        /// What to match.
        value: Vec<u8>,
    },
}

/// Whether the parts of an entry's name count as its attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "closed")]
pub enum NameParts {
    /// They do: `:dn`.
    Count,
    /// They do not.
    DoNot,
}

impl Filter {
    /// The attribute has that value.
    pub fn equal(attribute: impl Into<String>, value: impl Into<Vec<u8>>) -> Self {
        Self::Equal(attribute.into(), value.into())
    }

    /// The attribute has a value.
    pub fn present(attribute: impl Into<String>) -> Self {
        Self::Present(attribute.into())
    }

    /// Both.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self::And(vec![self, other])
    }

    /// Not this.
    #[must_use]
    pub fn negated(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// As it is sent. A filter that was read is at most [`MAX_DEPTH`] deep.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let assertion = |tag, attribute: &str, value: &[u8]| {
            constructed(tag, [octet_string(attribute), octet_string(value)])
        };
        match self {
            Self::And(filters) => constructed(0xA0, filters.iter().map(Self::encode)),
            Self::Or(filters) => constructed(0xA1, filters.iter().map(Self::encode)),
            Self::Not(filter) => constructed(0xA2, [filter.encode()]),
            Self::Equal(attribute, value) => assertion(0xA3, attribute, value),
            Self::Substrings { attribute, initial, any, last } => {
                let initial = (!initial.is_empty()).then(|| element(0x80, initial));
                let last = (!last.is_empty()).then(|| element(0x82, last));
                let any = any.iter().map(|part| element(0x81, part));
                let parts = constructed(0x30, initial.into_iter().chain(any).chain(last));
                constructed(0xA4, [octet_string(attribute), parts])
            }
            Self::AtLeast(attribute, value) => assertion(0xA5, attribute, value),
            Self::AtMost(attribute, value) => assertion(0xA6, attribute, value),
            Self::Present(attribute) => element(0x87, attribute.as_bytes()),
            Self::Approximately(attribute, value) => assertion(0xA8, attribute, value),
            Self::Matches { attribute, rule, names, value } => {
                let part = |tag, text: &str| (!text.is_empty()).then(|| element(tag, text.as_bytes()));
                let names = (*names == NameParts::Count).then(|| element(0x84, &[0xFF]));
                let parts = [part(0x81, rule), part(0x82, attribute), Some(element(0x83, value)), names];
                constructed(0xA9, parts.into_iter().flatten())
            }
        }
    }
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, sign, filters: &[Self]| {
            write!(f, "({sign}")?;
            filters.iter().try_for_each(|filter| write!(f, "{filter}"))?;
            f.write_str(")")
        };
        match self {
            Self::And(filters) => list(f, '&', filters),
            Self::Or(filters) => list(f, '|', filters),
            Self::Not(filter) => write!(f, "(!{filter})"),
            Self::Equal(attribute, value) => write!(f, "({attribute}={})", Escaped(value)),
            Self::AtLeast(attribute, value) => write!(f, "({attribute}>={})", Escaped(value)),
            Self::AtMost(attribute, value) => write!(f, "({attribute}<={})", Escaped(value)),
            Self::Approximately(attribute, value) => write!(f, "({attribute}~={})", Escaped(value)),
            Self::Present(attribute) => write!(f, "({attribute}=*)"),
            Self::Substrings { attribute, initial, any, last } => {
                write!(f, "({attribute}={}*", Escaped(initial))?;
                any.iter().try_for_each(|part| write!(f, "{}*", Escaped(part)))?;
                write!(f, "{})", Escaped(last))
            }
            Self::Matches { attribute, rule, names, value } => {
                let names = if *names == NameParts::Count { ":dn" } else { "" };
                let colon = if rule.is_empty() { "" } else { ":" };
                write!(f, "({attribute}{names}{colon}{rule}:={})", Escaped(value))
            }
        }
    }
}

/// A value in which nothing is left that a reader could take for part of the filter.
struct Escaped<'a>(&'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| match octet {
            b'*' | b'(' | b')' | b'\\' => write!(f, "\\{octet:02x}"),
            0x20..=0x7E => write!(f, "{}", char::from(*octet)),
            _ => write!(f, "\\{octet:02x}"),
        })
    }
}

/// Text that is no filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a filter such as (objectClass=computer): {why} at octet {at}")]
#[non_exhaustive]
pub struct InvalidFilter {
    /// Where it stops to be one.
    pub at: usize,
    why: &'static str,
}

impl FromStr for Filter {
    type Err = InvalidFilter;

    fn from_str(text: &str) -> Result<Self, InvalidFilter> {
        let mut parser = Parser { text: text.trim(), at: 0 };
        let filter = parser.filter(MAX_DEPTH)?;
        if parser.rest().is_empty() { Ok(filter) } else { Err(parser.wrong("something follows")) }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn wrong(&self, why: &'static str) -> InvalidFilter {
        InvalidFilter { at: self.at, why }
    }

    fn takes(&mut self, sign: char) -> bool {
        let is_there = self.rest().starts_with(sign);
        self.at = self.at.saturating_add(if is_there { sign.len_utf8() } else { 0 });
        is_there
    }

    fn needs(&mut self, sign: char, why: &'static str) -> Result<(), InvalidFilter> {
        if self.takes(sign) { Ok(()) } else { Err(self.wrong(why)) }
    }

    fn filter(&mut self, depth: usize) -> Result<Filter, InvalidFilter> {
        let depth = depth.checked_sub(1).ok_or_else(|| self.wrong("too many parentheses"))?;
        self.needs('(', "no opening parenthesis")?;
        let filter = if self.takes('&') {
            Filter::And(self.list(depth)?)
        } else if self.takes('|') {
            Filter::Or(self.list(depth)?)
        } else if self.takes('!') {
            self.filter(depth)?.negated()
        } else {
            self.item()?
        };
        self.needs(')', "no closing parenthesis")?;
        Ok(filter)
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Filter>, InvalidFilter> {
        let mut filters = Vec::new();
        while self.rest().starts_with('(') {
            filters.push(self.filter(depth)?);
        }
        Ok(filters)
    }

    fn item(&mut self) -> Result<Filter, InvalidFilter> {
        let end = self.rest().find('=').ok_or_else(|| self.wrong("no equals sign"))?;
        let left = self.rest().get(..end).unwrap_or_default();
        let (attribute, sign) = match left.char_indices().next_back() {
            Some((at, sign @ ('>' | '<' | '~' | ':'))) => (left.get(..at).unwrap_or_default(), Some(sign)),
            _ => (left, None),
        };
        let matching = (sign == Some(':')).then(|| self.matching(attribute)).transpose()?;
        let attribute = matching.as_ref().map_or(attribute, |matching| matching.attribute);
        if !(is_attribute(attribute) || matching.is_some() && attribute.is_empty()) {
            return Err(self.wrong("no name of an attribute"));
        }
        self.at = self.at.saturating_add(end).saturating_add(1);
        let attribute = String::from(attribute);
        match (sign, matching) {
            (_, Some(Matching { rule, names, .. })) => {
                Ok(Filter::Matches { attribute, rule: rule.into(), names, value: self.value()? })
            }
            (Some('>'), None) => Ok(Filter::AtLeast(attribute, self.value()?)),
            (Some('<'), None) => Ok(Filter::AtMost(attribute, self.value()?)),
            (Some(_), None) => Ok(Filter::Approximately(attribute, self.value()?)),
            (None, None) => self.parts(attribute),
        }
    }

    /// `attribute[:dn][:rule]`
    fn matching(&self, left: &'a str) -> Result<Matching<'a>, InvalidFilter> {
        let mut words = left.split(':');
        let attribute = words.next().unwrap_or_default();
        let (mut rule, mut names) = ("", NameParts::DoNot);
        for word in words {
            match word {
                "dn" if names == NameParts::DoNot && rule.is_empty() => names = NameParts::Count,
                _ if rule.is_empty() && is_attribute(word) => rule = word,
                _ => return Err(self.wrong("no matching rule")),
            }
        }
        if attribute.is_empty() && rule.is_empty() {
            return Err(self.wrong("neither an attribute nor a rule"));
        }
        Ok(Matching { attribute, rule, names })
    }

    /// After `attribute=`: a value, a star, or several parts with stars between them.
    fn parts(&mut self, attribute: String) -> Result<Filter, InvalidFilter> {
        let initial = self.value()?;
        if !self.takes('*') {
            return Ok(Filter::Equal(attribute, initial));
        }
        let mut parts = vec![self.value()?];
        while self.takes('*') {
            parts.push(self.value()?);
        }
        let last = parts.pop().unwrap_or_default();
        if parts.iter().any(Vec::is_empty) {
            return Err(self.wrong("two stars with nothing between them"));
        }
        if initial.is_empty() && parts.is_empty() && last.is_empty() {
            return Ok(Filter::Present(attribute));
        }
        Ok(Filter::Substrings { attribute, initial, any: parts, last })
    }

    /// Octets up to a parenthesis or a star, freed of their escapes.
    fn value(&mut self) -> Result<Vec<u8>, InvalidFilter> {
        let mut value = Vec::new();
        while let Some(&octet) = self.rest().as_bytes().first() {
            match octet {
                b'*' | b')' => break,
                b'(' | 0 => return Err(self.wrong("a sign that must be escaped")),
                b'\\' => {
                    let digits =
                        self.rest().get(1..3).filter(|digits| digits.bytes().all(|d| d.is_ascii_hexdigit()));
                    let escaped = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
                    value.push(escaped.ok_or_else(|| self.wrong("no two digits after a backslash"))?);
                    self.at = self.at.saturating_add(3);
                }
                _ => {
                    let len = self.rest().chars().next().map_or(1, char::len_utf8);
                    value.extend_from_slice(self.rest().as_bytes().get(..len).unwrap_or_default());
                    self.at = self.at.saturating_add(len);
                }
            }
        }
        Ok(value)
    }
}

/// What stands before `:=`.
struct Matching<'a> {
    attribute: &'a str,
    rule: &'a str,
    names: NameParts,
}

/// A name or a number of an attribute, with its options, or of a rule.
pub(crate) fn is_attribute(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|octet| octet.is_ascii_alphanumeric() || b"-.;_".contains(&octet))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_examples_of_rfc_4515_are_read() {
        for (text, encoded) in [
            ("(cn=Babs Jensen)", Filter::equal("cn", "Babs Jensen")),
            ("(!(cn=Tim Howes))", Filter::equal("cn", "Tim Howes").negated()),
            (
                "(&(objectClass=Person)(|(sn=Jensen)(cn=Babs J*)))",
                Filter::equal("objectClass", "Person").and(Filter::Or(vec![
                    Filter::equal("sn", "Jensen"),
                    Filter::Substrings {
                        attribute: "cn".into(),
                        initial: b"Babs J".to_vec(),
                        any: vec![],
                        last: vec![],
                    },
                ])),
            ),
            (
                "(o=univ*of*mich*)",
                Filter::Substrings {
                    attribute: "o".into(),
                    initial: b"univ".to_vec(),
                    any: vec![b"of".to_vec(), b"mich".to_vec()],
                    last: vec![],
                },
            ),
            ("(seeAlso=)", Filter::equal("seeAlso", "")),
            (
                "(cn:caseExactMatch:=Fred Flintstone)",
                Filter::Matches {
                    attribute: "cn".into(),
                    rule: "caseExactMatch".into(),
                    names: NameParts::DoNot,
                    value: b"Fred Flintstone".to_vec(),
                },
            ),
            (
                "(o:dn:=Ace Industry)",
                Filter::Matches {
                    attribute: "o".into(),
                    rule: String::new(),
                    names: NameParts::Count,
                    value: b"Ace Industry".to_vec(),
                },
            ),
            (
                "(:dn:2.4.6.8.10:=Dino)",
                Filter::Matches {
                    attribute: String::new(),
                    rule: "2.4.6.8.10".into(),
                    names: NameParts::Count,
                    value: b"Dino".to_vec(),
                },
            ),
            (r"(o=Parens R Us \28for all your parenthetical needs\29)", {
                Filter::equal("o", "Parens R Us (for all your parenthetical needs)")
            }),
            (
                r"(cn=*\2A*)",
                Filter::Substrings {
                    attribute: "cn".into(),
                    initial: vec![],
                    any: vec![b"*".to_vec()],
                    last: vec![],
                },
            ),
            (r"(bin=\00\00\00\04)", Filter::equal("bin", [0, 0, 0, 4])),
            (r"(sn=Lu\c4\8di\c4\87)", Filter::equal("sn", "Lučić")),
            ("(sn=Lučić)", Filter::equal("sn", "Lučić")),
            ("(objectClass=*)", Filter::present("objectClass")),
            ("(uSNChanged>=17)", Filter::AtLeast("uSNChanged".into(), b"17".to_vec())),
        ] {
            assert_eq!(text.parse(), Ok(encoded), "{text}");
        }
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for text in [
            "",
            "cn=a",
            "(cn=a",
            "(cn=a))",
            "((cn=a))",
            "(cn)",
            "(=a)",
            "(c n=a)",
            "(cn=a(b)",
            r"(cn=\2)",
            r"(cn=\zz)",
            "(cn=a**b)",
            "(!(a=b)(c=d))",
            "(:=a)",
            "(cn:dn:dn:a:=b)",
            r"(cn=\+f)",
            "(cn=\\ü)",
        ] {
            assert!(text.parse::<Filter>().is_err(), "{text}");
        }
        let deep = |n| format!("{}(a=b){}", "(!".repeat(n), ")".repeat(n));
        assert!(deep(MAX_DEPTH - 1).parse::<Filter>().is_ok());
        assert!(deep(MAX_DEPTH).parse::<Filter>().is_err());
        assert!(deep(100_000).parse::<Filter>().is_err(), "and the stack is not exhausted");
    }

    fn filters() -> impl Strategy<Value = Filter> {
        let name = "[a-zA-Z][a-zA-Z0-9;-]{0,8}";
        let octets = || proptest::collection::vec(any::<u8>(), 0..12);
        let some = || proptest::collection::vec(any::<u8>(), 1..6);
        let item = prop_oneof![
            (name, octets()).prop_map(|(name, value)| Filter::Equal(name, value)),
            (name, octets()).prop_map(|(name, value)| Filter::AtLeast(name, value)),
            (name, octets()).prop_map(|(name, value)| Filter::AtMost(name, value)),
            (name, octets()).prop_map(|(name, value)| Filter::Approximately(name, value)),
            name.prop_map(Filter::Present),
            (name, some(), proptest::collection::vec(some(), 0..3), octets()).prop_map(
                |(attribute, initial, any, last)| Filter::Substrings { attribute, initial, any, last }
            ),
            (name, "([0-9.]{3,9})?", octets()).prop_map(|(attribute, rule, value)| {
                Filter::Matches { attribute, rule, names: NameParts::Count, value }
            }),
        ];
        item.prop_recursive(4, 16, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Filter::And),
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Filter::Or),
                inner.prop_map(Filter::negated),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_filter_reads_back_from_its_text(filter in filters()) {
            prop_assert_eq!(filter.to_string().parse::<Filter>(), Ok(filter));
        }

        #[test]
        fn a_name_from_outside_never_changes_the_shape_of_a_filter(name in any::<String>()) {
            let filter = Filter::present("objectClass").and(Filter::equal("cn", name.clone()));
            let read: Filter = filter.to_string().parse().unwrap();
            prop_assert_eq!(read, Filter::And(vec![Filter::present("objectClass"), Filter::Equal("cn".into(), name.into())]));
        }

        #[test]
        fn no_text_makes_the_reader_fall_over(text in "[()&|!=*\\\\:<>~a-c0-9é]{0,40}") {
            if let Ok(filter) = text.parse::<Filter>() {
                prop_assert_eq!(filter.to_string().parse::<Filter>(), Ok(filter));
            }
        }
    }
}
