//! The marks above tests that say which clauses these show.

use super::super::{
    Finding,
    tree::{File, Tree},
};

/// What one line says about the test below it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Mark<'a> {
    pub(super) path: &'a str,
    /// Counted from 0.
    pub(super) line: usize,
    pub(super) standard: &'a str,
    pub(super) ids: Vec<&'a str>,
    pub(super) test: &'a str,
}

/// Every mark of the workspace, and what looks like one and is none.
pub(super) fn marks(tree: &Tree) -> (Vec<Mark<'_>>, Vec<Finding>) {
    let (mut marks, mut findings) = (Vec::new(), Vec::new());
    for file in tree.ending(".rs") {
        for (at, line) in file.text.lines().enumerate() {
            let Some(text) = line.trim_start().strip_prefix("// clause:") else { continue };
            match mark(file, at, text.trim()) {
                Ok(mark) => marks.push(mark),
                Err(why) => findings.push(Finding::at(&file.path, at, why)),
            }
        }
    }
    (marks, findings)
}

fn mark<'a>(file: &'a File, line: usize, words: &'a str) -> Result<Mark<'a>, &'static str> {
    let malformed = "a mark reads `clause: RFC 8894 M16, S10`";
    let number = words.strip_prefix("RFC ").and_then(|rest| rest.split(' ').next()).ok_or(malformed)?;
    let end = "RFC ".len().saturating_add(number.len());
    let (standard, ids) = words.split_at_checked(end).ok_or(malformed)?;
    let ids: Vec<&str> = ids.split(',').map(str::trim).collect();
    if number.is_empty() || ids.iter().any(|id| !is_id(id)) {
        return Err(malformed);
    }
    let test = test_below(file, line).ok_or("a mark stands directly above the #[test] that it is about")?;
    Ok(Mark { path: &file.path, line, standard, ids, test })
}

/// `M16`, `110`
fn is_id(id: &str) -> bool {
    let digits = id.trim_start_matches(|c: char| c.is_ascii_uppercase());
    !digits.is_empty() && digits.bytes().all(|octet| octet.is_ascii_digit())
}

/// The name of the test whose attributes follow a line, other marks between them.
fn test_below(file: &File, line: usize) -> Option<&str> {
    let mut is_test = false;
    for line in file.text.lines().skip(line.saturating_add(1)).map(str::trim) {
        if line.starts_with("#[") {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        } else if !line.starts_with("//") {
            let declaration = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ")?;
            return declaration.split('(').next().filter(|_| is_test);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_are_read_with_their_tests() {
        let text = "// clause: RFC 8894 M16, S10\n// clause: RFC 9654 109\n#[tokio::test(flavor = \"x\")]\nasync fn a() {\n";
        let tree = Tree::of(&[("a.rs", text)]);
        let (marks, findings) = marks(&tree);
        assert_eq!(findings, []);
        let read: Vec<_> =
            marks.iter().map(|mark| (mark.standard, mark.ids.clone(), mark.test, mark.line)).collect();
        assert_eq!(read, [("RFC 8894", vec!["M16", "S10"], "a", 0), ("RFC 9654", vec!["109"], "a", 1)]);
    }

    #[test]
    fn what_only_looks_like_a_mark_is_found() {
        for text in [
            "// clause: 8894 M16\n#[test]\nfn a() {}\n",
            "// clause: RFC 8894\n#[test]\nfn a() {}\n",
            "// clause: RFC 8894 M16 S10\n#[test]\nfn a() {}\n",
            "// clause: RFC 8894 M16\nfn a() {}\n",
            "// clause: RFC 8894 M16\n\n#[test]\nfn a() {}\n",
            "#[test]\nfn a() {}\n// clause: RFC 8894 M16\n",
        ] {
            let tree = Tree::of(&[("a.rs", text)]);
            let (marks, findings) = marks(&tree);
            assert_eq!((marks.len(), findings.len()), (0, 1), "{text}");
        }
    }
}
