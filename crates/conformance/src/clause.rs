//! What a document asks of a server.

use std::fmt;

/// A place in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "written out in tables")]
pub struct Section {
    /// Such as `RFC 8894`.
    pub document: &'static str,
    /// Such as `3.2.1.5`.
    pub number: &'static str,
    /// Its heading.
    pub title: &'static str,
}

impl fmt::Display for Section {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} §{}", self.document, self.number)
    }
}

/// How strongly it is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the key words of BCP 14, and two more")]
pub enum Level {
    /// MUST, SHALL, REQUIRED.
    Must,
    /// MUST NOT, SHALL NOT.
    MustNot,
    /// SHOULD, RECOMMENDED.
    Should,
    /// SHOULD NOT.
    ShouldNot,
    /// MAY, OPTIONAL: judged only where it is offered.
    May,
    /// The text says how it is, without a key word.
    Says,
    /// The section leaves it open; attackers, or clients in the field, do not.
    Guard,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Must => "MUST",
            Self::MustNot => "MUST NOT",
            Self::Should => "SHOULD",
            Self::ShouldNot => "SHOULD NOT",
            Self::May => "MAY",
            Self::Says => "says",
            Self::Guard => "guard",
        })
    }
}

/// One thing that is asked, in a line of ours: the document's own words are in the document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "written out in tables")]
pub struct Clause {
    /// Where.
    pub section: Section,
    /// How strongly.
    pub level: Level,
    /// What.
    pub text: &'static str,
}

/// A check: what is asked, and how to find out about it.
///
/// `S` is what it plays with: a session with a server.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "written out in tables")]
pub struct Check<S> {
    /// Its name, for exceptions and for scripts; stable.
    pub id: &'static str,
    /// What is asked.
    pub clause: Clause,
    /// Finds out. `Err` and `Ok` weigh the same: an early end is as good a verdict.
    pub run: fn(&mut S) -> Result<crate::Judgement, crate::Judgement>,
}

/// Names for the sections of a document.
macro_rules! sections {
    ($document:literal $($name:ident $number:literal $title:literal)*) => {
        $(pub(super) const $name: Section =
            Section { document: $document, number: $number, title: $title };)*
    };
}
pub(crate) use sections;

pub(crate) const fn must(section: Section, text: &'static str) -> Clause {
    Clause { section, level: Level::Must, text }
}

pub(crate) const fn must_not(section: Section, text: &'static str) -> Clause {
    Clause { section, level: Level::MustNot, text }
}

pub(crate) const fn should(section: Section, text: &'static str) -> Clause {
    Clause { section, level: Level::Should, text }
}

pub(crate) const fn should_not(section: Section, text: &'static str) -> Clause {
    Clause { section, level: Level::ShouldNot, text }
}

pub(crate) const fn may(section: Section, text: &'static str) -> Clause {
    Clause { section, level: Level::May, text }
}

pub(crate) const fn says(section: Section, text: &'static str) -> Clause {
    Clause { section, level: Level::Says, text }
}

pub(crate) const fn guard(section: Section, text: &'static str) -> Clause {
    Clause { section, level: Level::Guard, text }
}

/// Where a section stands among the sections of these documents; appendices come last.
pub(crate) fn order(documents: &[&str], section: Section) -> (usize, Vec<u32>) {
    let document = documents.iter().position(|document| *document == section.document);
    let part = |part: &str| part.parse().unwrap_or(u32::MAX);
    (document.unwrap_or(usize::MAX), section.number.split('.').map(part).collect())
}
