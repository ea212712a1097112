//! For people at a terminal.

use std::fmt::Write as _;

use super::{Finding, Report, Ruling};
use crate::{Section, Verdict};

/// Whether the table is colored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "it is or it is not")]
pub enum Ink {
    /// With the escapes of ANSI terminals.
    Colored,
    /// Text alone.
    Plain,
}

impl Ink {
    fn paint(self, code: &str, text: &str) -> String {
        match self {
            Self::Colored => format!("\x1b[{code}m{text}\x1b[0m"),
            Self::Plain => text.to_owned(),
        }
    }
}

/// The findings by section, each with its reason where that is worth a line, and a summary.
pub fn to_table(report: &Report, ink: Ink) -> String {
    let mut out = String::new();
    let width = report.findings.iter().map(|finding| finding.check.len()).max().unwrap_or_default();
    let mut last: Option<Section> = None;
    for finding in &report.findings {
        let section = finding.clause.section;
        if last != Some(section) {
            let heading = ink.paint("1", &format!("{section}  {}", section.title));
            let _ = writeln!(out, "\n{heading}");
            last = Some(section);
        }
        row(&mut out, finding, width, ink);
    }
    let _ = write!(out, "\n{}", summary(report, ink));
    out
}

fn row(out: &mut String, finding: &Finding, width: usize, ink: Ink) {
    let verdict = finding.judgement.verdict;
    let (word, color) = match (&finding.ruling, verdict) {
        (Ruling::OutOfDate(_), _) => ("OUT OF DATE", "31;1"),
        (Ruling::Excepted(_), _) => ("excepted", "33"),
        (_, Verdict::Pass) => ("pass", "32"),
        (_, Verdict::Fail) => ("FAIL", "31;1"),
        (_, Verdict::NotOffered) => ("not offered", "2"),
        (_, Verdict::Tolerated) => ("tolerated", "36"),
        (_, Verdict::NotJudged) => ("NOT JUDGED", "35;1"),
    };
    let word = ink.paint(color, &format!("{word:<11}"));
    let level = format!("{:<10}", finding.clause.level);
    let _ = writeln!(out, "  {word}  {level}  {:<width$}  {}", finding.check, finding.clause.text);
    for line in explanation(finding) {
        let _ = writeln!(out, "               {}", ink.paint("2", &line));
    }
}

/// A pass explains itself.
fn explanation(finding: &Finding) -> Vec<String> {
    let reason = &finding.judgement.reason;
    match &finding.ruling {
        Ruling::Ordinary if finding.judgement.verdict == Verdict::Pass => Vec::new(),
        Ruling::Ordinary => vec![reason.clone()],
        Ruling::Excepted(why) => vec![reason.clone(), format!("excepted: {why}")],
        Ruling::OutOfDate(expected) => vec![
            format!("came: {} ({reason})", finding.judgement.verdict),
            format!("the exceptions file expects {expected}: take that exception out"),
        ],
    }
}

fn summary(report: &Report, ink: Ink) -> String {
    let counts = Verdict::ALL.into_iter().filter_map(|verdict| match report.count(verdict) {
        0 => None,
        count => Some(format!("{count} {}", verdict.word().replace('-', " "))),
    });
    let counts = counts.collect::<Vec<_>>().join(", ");
    let failures = report.findings.iter().filter(|finding| finding.is_failure()).count();
    let excepted =
        report.findings.iter().filter(|finding| matches!(finding.ruling, Ruling::Excepted(_))).count();
    let excepted = if excepted == 0 { String::new() } else { format!(" ({excepted} excepted)") };
    let end = match failures {
        0 => ink.paint("32;1", "nothing to mend"),
        1 => ink.paint("31;1", "1 to mend"),
        _ => ink.paint("31;1", &format!("{failures} to mend")),
    };
    let checks = report.findings.len();
    format!("{} at {}: {checks} checks, {counts}{excepted}: {end}\n", report.protocol, report.target)
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};

    #[test]
    fn the_table_groups_by_section_and_explains_all_but_passes() {
        let expected = "
RFC 8894 §3.5.2  CA Capabilities
  pass         MUST        a-pass        keywords are spelt as registered
  FAIL         MUST NOT    a-fail        keywords are spelt as registered
               came <\"Aes\"> & more

RFC 8894 §4.1  HTTP
  excepted     SHOULD      an-exception  keywords are spelt as registered
               came <\"Aes\"> & more
               excepted: it is old
  OUT OF DATE  MAY         out-of-date   keywords are spelt as registered
               came: pass (all are)
               the exceptions file expects fail: take that exception out

SCEP at http://ca.example/scep: 4 checks, 2 pass, 2 fail (1 excepted): 2 to mend
";
        assert_eq!(to_table(&sample(), Ink::Plain), expected);
        let colored = to_table(&sample(), Ink::Colored);
        assert!(colored.contains("\x1b[31;1mFAIL       \x1b[0m"), "{colored}");
    }
}
