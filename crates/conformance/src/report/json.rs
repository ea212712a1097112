//! For scripts.

use serde::Serialize;

use super::{Report, Ruling};
use crate::Verdict;

#[derive(Serialize)]
struct Document<'a> {
    protocol: &'a str,
    target: &'a str,
    clean: bool,
    counts: std::collections::BTreeMap<&'static str, usize>,
    checks: Vec<Row<'a>>,
}

#[derive(Serialize)]
struct Row<'a> {
    check: &'a str,
    document: &'a str,
    section: &'a str,
    level: String,
    text: &'a str,
    verdict: Verdict,
    reason: &'a str,
    failure: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    exception: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expected: Option<Verdict>,
}

/// The report as a JSON document, ended by a line feed.
pub fn to_json(report: &Report) -> String {
    let rows = report.findings.iter().map(|finding| Row {
        check: finding.check,
        document: finding.clause.section.document,
        section: finding.clause.section.number,
        level: finding.clause.level.to_string(),
        text: finding.clause.text,
        verdict: finding.judgement.verdict,
        reason: &finding.judgement.reason,
        failure: finding.is_failure(),
        exception: match &finding.ruling {
            Ruling::Excepted(reason) => Some(reason),
            _ => None,
        },
        expected: match finding.ruling {
            Ruling::OutOfDate(expected) => Some(expected),
            _ => None,
        },
    });
    let document = Document {
        protocol: report.protocol,
        target: &report.target,
        clean: report.is_clean(),
        counts: Verdict::ALL.into_iter().map(|verdict| (verdict.word(), report.count(verdict))).collect(),
        checks: rows.collect(),
    };
    let mut text = serde_json::to_string_pretty(&document).unwrap_or_default();
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::{super::sample, *};

    #[test]
    fn scripts_find_every_field() {
        let value: serde_json::Value = serde_json::from_str(&to_json(&sample())).unwrap();
        assert_eq!(value["clean"], false);
        assert_eq!(value["counts"]["fail"], 2);
        assert_eq!(value["checks"][1]["verdict"], "fail");
        assert_eq!(value["checks"][1]["level"], "MUST NOT");
        assert_eq!(value["checks"][2]["exception"], "it is old");
        assert_eq!(value["checks"][2]["failure"], false);
        assert_eq!(value["checks"][3]["expected"], "fail");
    }
}
