//! What a check found.

use std::fmt;

/// The outcome of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::exhaustive_enums, reason = "people compare against all of them")]
pub enum Verdict {
    /// The server does what the clause asks.
    Pass,
    /// It does not.
    Fail,
    /// It does not offer what the clause is about, and need not.
    NotOffered,
    /// It takes or does what the clause does not ask for, and what is known to be harmless, or needed by some.
    Tolerated,
    /// Nothing can be told, because something before it failed.
    NotJudged,
}

impl Verdict {
    /// Every verdict, in the order in which they are counted.
    pub const ALL: [Self; 5] = [Self::Pass, Self::Fail, Self::NotOffered, Self::Tolerated, Self::NotJudged];

    /// The word for it, in tables and in files.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::NotOffered => "not-offered",
            Self::Tolerated => "tolerated",
            Self::NotJudged => "not-judged",
        }
    }

    /// Whether the run as a whole fails by it.
    pub fn is_failure(self) -> bool {
        matches!(self, Self::Fail | Self::NotJudged)
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// A verdict and its reason: what came, in a sentence for people.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "these two are all there is")]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// What led to it.
    pub reason: String,
}

impl Judgement {
    /// [`Verdict::Pass`].
    pub fn pass(reason: impl fmt::Display) -> Self {
        Self::new(Verdict::Pass, reason)
    }

    /// [`Verdict::Fail`].
    pub fn fail(reason: impl fmt::Display) -> Self {
        Self::new(Verdict::Fail, reason)
    }

    /// [`Verdict::NotOffered`].
    pub fn not_offered(reason: impl fmt::Display) -> Self {
        Self::new(Verdict::NotOffered, reason)
    }

    /// [`Verdict::Tolerated`].
    pub fn tolerated(reason: impl fmt::Display) -> Self {
        Self::new(Verdict::Tolerated, reason)
    }

    /// [`Verdict::NotJudged`].
    pub fn not_judged(reason: impl fmt::Display) -> Self {
        Self::new(Verdict::NotJudged, reason)
    }

    fn new(verdict: Verdict, reason: impl fmt::Display) -> Self {
        Self { verdict, reason: printable(&reason.to_string()) }
    }
}

/// Whatever a server said, as one line without anything that a terminal obeys.
fn printable(text: &str) -> String {
    const LONGEST: usize = 300;
    let clean = text.chars().map(|c| match c {
        '\n' | '\r' | '\t' => ' ',
        c if c.is_control() || is_invisible(c) => '\u{FFFD}',
        c => c,
    });
    clean.take(LONGEST).collect::<String>().trim().to_owned()
}

/// Directions and joiners, which make a line read as another one.
fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_one_harmless_line() {
        let reason = Judgement::fail("a\r\nb\u{1b}[2J\u{202e}c").reason;
        assert_eq!(reason, "a  b\u{FFFD}[2J\u{FFFD}c");
        assert!(Judgement::fail("x".repeat(1000)).reason.len() <= 300);
    }

    #[test]
    fn words_are_those_of_the_files() {
        for verdict in Verdict::ALL {
            let json = serde_json::to_string(&verdict).unwrap();
            assert_eq!(json, format!("\"{}\"", verdict.word()));
        }
    }
}
