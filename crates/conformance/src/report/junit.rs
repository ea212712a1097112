//! For the pages that build servers make of JUnit's XML.

use std::fmt::Write as _;

use super::{Finding, Report, Ruling};
use crate::Verdict;

/// The report as JUnit XML: a test case for each check, in classes by section.
pub fn to_junit(report: &Report) -> String {
    let failures = report.findings.iter().filter(|finding| finding.is_failure()).count();
    let skipped = report.count(Verdict::NotOffered);
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let _ = writeln!(
        out,
        "<testsuite name=\"{} at {}\" tests=\"{}\" failures=\"{failures}\" errors=\"0\" skipped=\"{skipped}\">",
        escape(report.protocol),
        escape(&report.target),
        report.findings.len(),
    );
    report.findings.iter().for_each(|finding| case(&mut out, finding));
    out.push_str("</testsuite>\n");
    out
}

fn case(out: &mut String, finding: &Finding) {
    let section = finding.clause.section;
    let class = escape(&format!("{}.{}", section.document, section.number.replace('.', "_")));
    let name = escape(&format!("{}: {}", finding.check, finding.clause.text));
    let _ = write!(out, "  <testcase classname=\"{class}\" name=\"{name}\"");
    let reason = escape(&finding.judgement.reason);
    let _ = match (&finding.ruling, finding.judgement.verdict) {
        (Ruling::OutOfDate(expected), verdict) => writeln!(
            out,
            "><failure message=\"came {verdict}, the exceptions file expects {expected}\">{reason}</failure></testcase>"
        ),
        (Ruling::Excepted(why), _) => {
            writeln!(out, "><system-out>{reason} (excepted: {})</system-out></testcase>", escape(why))
        }
        (_, verdict @ (Verdict::Fail | Verdict::NotJudged)) => writeln!(
            out,
            "><failure type=\"{verdict}\" message=\"{reason}\">{} {}</failure></testcase>",
            escape(&section.to_string()),
            finding.clause.level
        ),
        (_, Verdict::NotOffered) => writeln!(out, "><skipped message=\"{reason}\"/></testcase>"),
        (_, verdict) => writeln!(out, "><system-out>{verdict}: {reason}</system-out></testcase>"),
    };
}

fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            // XML has no way to write these.
            c if c.is_control() => out.push('\u{FFFD}'),
            c => out.push(c),
        }
        out
    })
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};

    #[test]
    fn every_check_is_a_case_and_failures_are_failures() {
        let xml = to_junit(&sample());
        assert_eq!(xml.matches("<testcase ").count(), 4);
        assert_eq!(xml.matches("<failure ").count(), 2);
        assert!(xml.contains("message=\"came &lt;&quot;Aes&quot;&gt; &amp; more\""), "{xml}");
        assert!(xml.contains("failures=\"2\""), "{xml}");
    }

    #[test]
    fn a_parser_that_nobody_here_wrote_reads_it() {
        let script = "import sys, xml.etree.ElementTree as e; \
                      suite = e.fromstring(sys.stdin.buffer.read()); \
                      print(len(suite.findall('testcase')), len(suite.findall('testcase/failure')))";
        let xml = to_junit(&sample());
        let folder = std::path::Path::new(".");
        let said = testkit::run_with_input(folder, "python3", ["-c", script], xml.as_bytes());
        assert_eq!(String::from_utf8_lossy(&said).trim(), "4 2");
    }
}
