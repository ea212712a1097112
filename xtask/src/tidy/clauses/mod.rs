//! The clause tables of the standards name the tests that show each clause, and the code that keeps it.
//!
//! A test carries its clauses in the line above its attribute, one line a standard: `clause: RFC 8894 M16, S10` after
//! the slashes of a comment. A page's rows are `| id | level | section | clause | where | tests |`.

mod marks;
mod page;

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, tree::Tree};
use marks::{Mark, marks};
use page::{Place, Row, rows};

/// The pages that hold clause tables.
pub(super) const PAGES: &[&str] =
    &["docs/rfc8894.md", "docs/rfc6960.md", "docs/rfc9919.md", "docs/rfc5280-crl.md"];

/// What `tidy --fix` writes into the last cell of a clause that no test shows, which the check then complains about.
const NONE_YET: &str = "**none yet**";

/// What stands in the last cell of a clause that is not ours to keep.
const NO_TEST: &str = "–";

/// The names of tests, by standard and id.
type Tests<'a> = BTreeMap<(&'a str, &'a str), BTreeSet<&'a str>>;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let (marks, mut findings) = marks(tree);
    let tests = tests(&marks);
    let mut kept = BTreeMap::new();
    for path in PAGES {
        let Some(text) = tree.text(path) else {
            findings.push(Finding::of(path, "is missing"));
            continue;
        };
        for (at, row) in rows(text) {
            if kept.insert((row.standard, row.id), row.place.is_kept()).is_some() {
                findings.push(Finding::at(path, at, format!("{} {} stands twice", row.standard, row.id)));
            }
            findings
                .extend(complaints(tree, &row, &tests).into_iter().map(|text| Finding::at(path, at, text)));
        }
    }
    findings.extend(marks.iter().filter_map(|mark| stray(mark, &kept)));
    findings
}

/// The pages with the tests that are there.
pub(super) fn rewritten<'a>(tree: &'a Tree) -> Vec<(&'static str, String)> {
    let (marks, _) = marks(tree);
    let tests = tests(&marks);
    let page = |path: &&'static str| {
        let text = tree.text(path)?;
        let rows: BTreeMap<usize, Row<'a>> = rows(text).collect();
        let lines = text.lines().enumerate().map(|(at, line)| match rows.get(&at) {
            Some(row) => super::with_last_cell(line, &cell(row, &tests)),
            None => line.into(),
        });
        Some((*path, lines.map(|line| line + "\n").collect()))
    };
    PAGES.iter().filter_map(page).collect()
}

fn tests<'a>(marks: &[Mark<'a>]) -> Tests<'a> {
    let mut tests = Tests::new();
    for mark in marks {
        for id in &mark.ids {
            tests.entry((mark.standard, *id)).or_default().insert(mark.test);
        }
    }
    tests
}

/// What the last cell of a row should say.
fn cell(row: &Row<'_>, tests: &Tests<'_>) -> String {
    match tests.get(&(row.standard, row.id)) {
        Some(names) => names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
        None if row.place.is_kept() => NONE_YET.into(),
        None => NO_TEST.into(),
    }
}

fn complaints(tree: &Tree, row: &Row<'_>, tests: &Tests<'_>) -> Vec<String> {
    let (standard, id) = (row.standard, row.id);
    let mut complaints = Vec::new();
    match &row.place {
        Place::Code(paths) => complaints.extend(
            paths
                .iter()
                .filter(|path| !page::is_there(tree, path))
                .map(|path| format!("the code has no {path}")),
        ),
        Place::LeftOut if row.is_required() => {
            complaints.push(format!("{standard} {id} leaves no choice, so it cannot be left out"));
        }
        Place::Unclear => complaints.push(format!(
            "{standard} {id} says neither where it is kept (`crate::module::Item`, `folder/file.rs`), \
             nor `not ours: why`, nor `left out: why`"
        )),
        Place::NotOurs | Place::LeftOut => {}
    }
    if row.place.is_kept() && !tests.contains_key(&(standard, id)) {
        complaints.push(format!(
            "no test shows {standard} {id}: mark one, with `// clause: {standard} {id}` above it"
        ));
    }
    let cell = cell(row, tests);
    if row.tests != cell {
        complaints
            .push(format!("the tests of {standard} {id} are {cell}; `cargo xtask tidy --fix` writes that"));
    }
    complaints
}

/// Why a mark stands there wrongly, if it does.
fn stray(mark: &Mark<'_>, kept: &BTreeMap<(&str, &str), bool>) -> Option<Finding> {
    let wrong = |id: &&&str| kept.get(&(mark.standard, **id)) != Some(&true);
    let id = mark.ids.iter().find(wrong)?;
    let why = if kept.contains_key(&(mark.standard, *id)) {
        "is said not to be kept here"
    } else {
        "stands in no table of docs/"
    };
    Some(Finding::at(mark.path, mark.line, format!("{} {id} {why}", mark.standard)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "//! x\npub struct Reply;\nimpl Reply {\n    pub fn sign() {}\n}\n";
    const SHOWN: &str = "//! x\n// clause: RFC 1 M1, S2\n#[test]\nfn it_is_so() {}\n";

    fn tree(page: &str, tests: &str) -> Tree {
        let mut files = vec![("crates/a-b/src/reply.rs", CODE), ("crates/a-b/tests/x.rs", tests)];
        files.push((PAGES[0], page));
        files.extend(PAGES[1..].iter().map(|path| (*path, "")));
        Tree::of(&files)
    }

    fn found(page: &str, tests: &str) -> Vec<String> {
        check(&tree(page, tests)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_page_that_says_what_is_there_passes() {
        let page = "# RFC 1: x\n| id | level | section | clause | where | tests |\n|---|---|---|---|---|---|\n\
                    | M1 | MUST | 1 | x | `a_b::reply::Reply`, `a_b::reply::sign` | `it_is_so` |\n\
                    | S2 | MUST | 1 | x | `crates/a-b/src/reply.rs` | `it_is_so` |\n\
                    | S4 | MUST | 1 | x | not ours: theirs | – |\n\
                    | S5 | MAY | 1 | x | left out: no need | – |\n";
        assert_eq!(found(page, SHOWN), [""; 0]);
    }

    #[test]
    fn what_is_not_so_is_found() {
        let page = "# RFC 1: x\n| M1 | MUST | 1 | x | `a_b::reply::Gone` | **none yet** |\n\
                    | S2 | MUST | 1 | x | not ours: theirs | `it_is_so` |\n| S3 | MUST | 1 | x | somewhere | – |\n\
                    | S4 | SHOULD NOT | 1 | x | left out: no need | – |\n| S4 | R MUST | 1 | x | left out: no need | – |\n";
        let found = found(page, &format!("{SHOWN}// clause: RFC 2 M9\n#[test]\nfn other() {{}}\n"));
        let expected = [
            "docs/rfc8894.md:2: the code has no a_b::reply::Gone",
            "docs/rfc8894.md:2: the tests of RFC 1 M1 are `it_is_so`",
            "docs/rfc8894.md:4: RFC 1 S3 says neither where",
            "docs/rfc8894.md:4: no test shows RFC 1 S3",
            "docs/rfc8894.md:4: the tests of RFC 1 S3 are **none yet**",
            "docs/rfc8894.md:6: RFC 1 S4 stands twice",
            "docs/rfc8894.md:6: RFC 1 S4 leaves no choice",
            "crates/a-b/tests/x.rs:2: RFC 1 S2 is said not to be kept here",
            "crates/a-b/tests/x.rs:5: RFC 2 M9 stands in no table of docs/",
        ];
        assert_eq!(found.len(), expected.len(), "{found:#?}");
        for (found, expected) in found.iter().zip(expected) {
            assert!(found.starts_with(expected), "{found}");
        }
    }

    #[test]
    fn the_last_column_is_written() {
        let page = "# RFC 1: x\n| M1 | MUST | 1 | x | `a_b::reply::Reply` | **none yet** |\n| S3 | MUST | 1 | x | `a_b::reply::Reply` | `gone` |\n\
                    | S4 | MUST | 1 | x | not ours: theirs | |\n";
        let written = rewritten(&tree(page, SHOWN)).swap_remove(0).1;
        let cells: Vec<&str> = written.lines().skip(1).filter_map(|line| line.rsplit('|').nth(1)).collect();
        assert_eq!(cells, [" `it_is_so` ", " **none yet** ", " – "]);
    }
}
