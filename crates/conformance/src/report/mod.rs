//! What a run found, and how it is told.

mod bytes;
mod json;
mod junit;
mod progress;
mod table;

use crate::{Check, Clause, Exceptions, Exchange, Judgement, Verdict};

pub use bytes::{hex_dump, write_bytes};
pub use json::to_json;
pub use junit::to_junit;
pub use progress::Progress;
pub use table::{Ink, to_table};

/// What one check found.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Finding {
    /// The check's id.
    pub check: &'static str,
    /// What was asked.
    pub clause: Clause,
    /// What came.
    pub judgement: Judgement,
    /// Why that is all right, where somebody said so.
    pub ruling: Ruling,
    /// The octets that went over the wire.
    pub exchanges: Vec<Exchange>,
}

/// What the exceptions file has to say about a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no fourth")]
pub enum Ruling {
    /// Nothing.
    Ordinary,
    /// This was expected, for that reason.
    Excepted(String),
    /// Something else was expected: the exception is out of date.
    OutOfDate(Verdict),
}

impl Finding {
    /// Whether the run fails by it.
    pub fn is_failure(&self) -> bool {
        match self.ruling {
            Ruling::Ordinary => self.judgement.verdict.is_failure(),
            Ruling::Excepted(_) => false,
            Ruling::OutOfDate(_) => true,
        }
    }
}

/// What a run found.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// Such as `SCEP`.
    pub protocol: &'static str,
    /// The URL of the server.
    pub target: String,
    /// In the order of the checks, which is that of the documents.
    pub findings: Vec<Finding>,
}

impl Report {
    pub(crate) fn new(protocol: &'static str, target: String) -> Self {
        Self { protocol, target, findings: Vec::new() }
    }

    /// Runs those of `checks` whose names `wanted` wants, tells `progress` each name before its check, and adds what they
    /// found, with what went over the wire meanwhile.
    pub(crate) fn judge<S>(
        &mut self,
        checks: Vec<&'static Check<S>>,
        session: &mut S,
        take_exchanges: fn(&mut S) -> Vec<Exchange>,
        wanted: impl Fn(&str) -> bool,
        progress: &mut dyn FnMut(&str),
    ) {
        for check in checks.into_iter().filter(|check| wanted(check.id)) {
            progress(check.id);
            let judgement = (check.run)(session).unwrap_or_else(|judgement| judgement);
            self.findings.push(Finding {
                check: check.id,
                clause: check.clause,
                judgement,
                ruling: Ruling::Ordinary,
                exchanges: take_exchanges(session),
            });
        }
    }

    /// The same, with what `exceptions` say about it.
    #[must_use]
    pub fn under(mut self, exceptions: &Exceptions) -> Self {
        for finding in &mut self.findings {
            finding.ruling = match exceptions.find(finding.check) {
                None => Ruling::Ordinary,
                Some(known) if known.expected == finding.judgement.verdict => {
                    Ruling::Excepted(known.reason.clone())
                }
                Some(known) => Ruling::OutOfDate(known.expected),
            };
        }
        self
    }

    /// Whether nothing failed that is not excepted, and no exception is out of date.
    pub fn is_clean(&self) -> bool {
        !self.findings.iter().any(Finding::is_failure)
    }

    /// How many findings have that verdict.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.findings.iter().filter(|finding| finding.judgement.verdict == verdict).count()
    }

    /// The finding of that check.
    pub fn find(&self, check: &str) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.check == check)
    }
}

/// Four findings, one of each kind, to show.
#[cfg(test)]
pub(crate) fn sample() -> Report {
    use crate::{Level, Section};
    let section = Section { document: "RFC 8894", number: "3.5.2", title: "CA Capabilities" };
    let other = Section { document: "RFC 8894", number: "4.1", title: "HTTP" };
    let clause = |section, level| Clause { section, level, text: "keywords are spelt as registered" };
    let finding = |check, clause, judgement, ruling| Finding {
        check,
        clause,
        judgement,
        ruling,
        exchanges: vec![Exchange { request: b"GET /".to_vec(), response: b"HTTP/1.1 200 OK".to_vec() }],
    };
    let (pass, fail) = (Judgement::pass("all are"), Judgement::fail("came <\"Aes\"> & more"));
    let mut report = Report::new("SCEP", "http://ca.example/scep".into());
    report.findings = vec![
        finding("a-pass", clause(section, Level::Must), pass.clone(), Ruling::Ordinary),
        finding("a-fail", clause(section, Level::MustNot), fail.clone(), Ruling::Ordinary),
        finding("an-exception", clause(other, Level::Should), fail, Ruling::Excepted("it is old".into())),
        finding("out-of-date", clause(other, Level::May), pass, Ruling::OutOfDate(Verdict::Fail)),
    ];
    report
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exception_excuses_what_it_expects_and_nothing_else() {
        let of = |check: &str, expected: &str| {
            format!("[[exception]]\ncheck = \"{check}\"\nexpected = \"{expected}\"\nreason = \"so\"\n")
        };
        let under = |text: &str| sample().under(&Exceptions::from_text(text).unwrap());
        let excused = under(&[of("a-fail", "fail"), of("an-exception", "fail")].concat());
        assert!(excused.is_clean(), "{:?}", excused.findings);
        assert!(!under(&of("a-fail", "fail")).is_clean());
        let stale = under(&[of("a-fail", "fail"), of("an-exception", "not-offered")].concat());
        assert!(!stale.is_clean());
        // Even one that expects a failure which is gone.
        let gone = under(&[of("a-fail", "fail"), of("an-exception", "fail"), of("a-pass", "fail")].concat());
        assert_eq!(gone.find("a-pass").unwrap().ruling, Ruling::OutOfDate(Verdict::Fail));
        assert!(!gone.is_clean());
    }
}
