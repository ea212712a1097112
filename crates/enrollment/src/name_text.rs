//! Which text may name somebody in a certificate.

use std::fmt;

use pki_core::{GeneralName, NameAttribute, Oid, oids};

/// What is wrong with a name's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TextFlaw {
    /// No text at all.
    Empty,
    /// Longer than RFC 5280 or the name's own standard allows.
    TooLong,
    /// A string type other than UTF8String and PrintableString, or octets that are not text of their type.
    StringType,
    /// A control character: NUL, CR, LF, the rest of C0 and C1.
    Control,
    /// A character that shows nothing, or changes the order in which others are shown.
    Invisible,
    /// `*`, which some relying parties match with anything.
    Wildcard,
}

impl fmt::Display for TextFlaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Empty => "it is empty",
            Self::TooLong => "it is too long",
            Self::StringType => "it is no UTF8String and no PrintableString",
            Self::Control => "it has a control character",
            Self::Invisible => "it has a character that cannot be seen or that turns the writing direction",
            Self::Wildcard => "it has a wildcard",
        })
    }
}

const UTF8_STRING: u8 = 0x0C;
const PRINTABLE_STRING: u8 = 0x13;

/// ub-common-name of RFC 5280.
const LONGEST_COMMON_NAME: usize = 64;

/// The text of a commonName.
pub(crate) fn common_name(attribute: &NameAttribute) -> Result<String, TextFlaw> {
    if !matches!(attribute.tag(), UTF8_STRING | PRINTABLE_STRING) {
        return Err(TextFlaw::StringType);
    }
    let text = attribute.text().ok_or(TextFlaw::StringType)?;
    check_common_name(&text)?;
    Ok(text)
}

/// Whether a commonName may be that text.
pub(crate) fn check_common_name(text: &str) -> Result<(), TextFlaw> {
    check(text, LONGEST_COMMON_NAME)?;
    check_wildcard(text)
}

/// Whether that may stand for an attribute of a subject. What RFC 5280 allows for organizations and their parts is allowed
/// for all but localities and addresses, which get twice as much.
pub(crate) fn check_subject_text(attribute: Oid, text: &str) -> Result<(), TextFlaw> {
    const ORGANIZATION: Oid = Oid::new_unwrap("2.5.4.10");
    const UNIT: Oid = Oid::new_unwrap("2.5.4.11");
    match attribute {
        oids::COMMON_NAME => check_common_name(text),
        ORGANIZATION | UNIT => check(text, LONGEST_COMMON_NAME),
        _ => check(text, LONGEST_COMMON_NAME.saturating_mul(2)),
    }
}

/// Whether an attribute of a subject may stand as it is, whatever it is of.
pub(crate) fn subject_text(attribute: &NameAttribute) -> Result<(), TextFlaw> {
    /// Of an emailAddress (RFC 5280 appendix A.1) and a domainComponent.
    const IA5_STRING: u8 = 0x16;
    if !matches!(attribute.tag(), UTF8_STRING | PRINTABLE_STRING | IA5_STRING) {
        return Err(TextFlaw::StringType);
    }
    check_subject_text(attribute.oid(), &attribute.text().ok_or(TextFlaw::StringType)?)
}

/// Whether an alternative name may be that. Forms that hold no text are taken as they are.
pub(crate) fn check_alternative_name(name: &GeneralName) -> Result<(), TextFlaw> {
    match name {
        // RFC 1035 §2.3.4, RFC 5321 §4.5.3.1.3 less the brackets; the other two have no limit of their own.
        GeneralName::Dns(text) => check(text, 253).and_then(|()| check_wildcard(text)),
        GeneralName::Email(text) => check(text, 254).and_then(|()| check_wildcard(text)),
        GeneralName::Upn(text) => check(text, 1024).and_then(|()| check_wildcard(text)),
        GeneralName::Uri(text) => check(text, 2048),
        GeneralName::Directory(name) => name
            .rdns()
            .iter()
            .flatten()
            .try_for_each(|attribute| check(&attribute.text().ok_or(TextFlaw::StringType)?, 1024)),
        _ => Ok(()),
    }
}

fn check(text: &str, longest: usize) -> Result<(), TextFlaw> {
    if text.trim().is_empty() {
        return Err(TextFlaw::Empty);
    }
    if text.chars().count() > longest {
        return Err(TextFlaw::TooLong);
    }
    text.chars().try_for_each(|c| match c {
        c if c.is_control() => Err(TextFlaw::Control),
        c if is_invisible(c) => Err(TextFlaw::Invisible),
        _ => Ok(()),
    })
}

fn check_wildcard(text: &str) -> Result<(), TextFlaw> {
    if text.contains('*') { Err(TextFlaw::Wildcard) } else { Ok(()) }
}

/// Characters by which one name is made to look like another: joiners and marks of width zero, everything that turns
/// the writing direction, line and paragraph separators, fillers, tags and variation selectors.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{00AD}' | '\u{034F}' | '\u{061C}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}'
        | '\u{180B}'..='\u{180F}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}'
        | '\u{2060}'..='\u{206F}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}' | '\u{FEFF}' | '\u{FFA0}'
        | '\u{FFF0}'..='\u{FFFF}' | '\u{1D173}'..='\u{1D17A}' | '\u{E0000}'..='\u{E0FFF}'
        | '\u{E000}'..='\u{F8FF}')
}
