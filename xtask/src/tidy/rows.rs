//! The threat model names the tests that defend each row, and every such test defends a row that is there.
//!
//! Tests are called `row_<number>_<what they defend>`; the rows of docs/threat-model.md start with their number and
//! end with the names of their tests, in backquotes.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, tree::Tree};

pub(super) const PAGE: &str = "docs/threat-model.md";

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(page) = tree.text(PAGE) else { return vec![Finding::of(PAGE, "is missing")] };
    let tests = tests(tree);
    let mut findings = Vec::new();
    let mut named = BTreeSet::new();
    for (at, row, names) in
        page.lines().enumerate().filter_map(|(at, line)| row(line).map(|(row, names)| (at, row, names)))
    {
        if names.is_empty() {
            findings.push(Finding::at(PAGE, at, format!("row {row} names no test")));
        }
        for name in names {
            if !tests.contains_key(name) {
                findings.push(Finding::at(PAGE, at, format!("there is no test {name}")));
            } else if number(name) != Some(row) {
                findings.push(Finding::at(PAGE, at, format!("{name} defends another row than {row}")));
            }
            named.insert(name);
        }
    }
    let unnamed = tests.iter().filter(|(name, _)| !named.contains(*name));
    findings.extend(
        unnamed.map(|(name, (path, at))| Finding::at(path, *at, format!("{PAGE} does not name {name}"))),
    );
    findings
}

/// The page with the tests that are there; `None` when there is no page.
pub(super) fn rewritten(tree: &Tree) -> Option<String> {
    let tests = tests(tree);
    let lines = tree.text(PAGE)?.lines().map(|line| match row(line) {
        Some((row, _)) => {
            let names = tests.keys().filter(|name| number(name) == Some(row));
            let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
            super::with_last_cell(line, &names.join(", "))
        }
        None => line.into(),
    });
    Some(lines.map(|line| line + "\n").collect())
}

/// Tests named after a row: where each stands.
fn tests(tree: &Tree) -> BTreeMap<&str, (&str, usize)> {
    let lines = tree
        .ending(".rs")
        .flat_map(|file| file.text.lines().enumerate().map(move |(at, line)| (file, at, line)));
    let names = lines.filter_map(|(file, at, line)| {
        let line = line.trim_start();
        let declaration = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn row_")?;
        let end = declaration.find('(')?.checked_add("row_".len())?;
        let start = line.find("row_")?;
        let name = line.get(start..)?.get(..end)?;
        number(name).map(|_| (name, (file.path.as_str(), at)))
    });
    names.collect()
}

/// `row_19_multi_signer` -> 19
fn number(name: &str) -> Option<u32> {
    name.strip_prefix("row_")?.split('_').next()?.parse().ok()
}

/// The number that a row of the table starts with, and the tests that its last cell names.
fn row(line: &str) -> Option<(u32, Vec<&str>)> {
    let cells: Vec<&str> = line.trim().strip_prefix('|')?.trim_end_matches('|').split('|').collect();
    let number = cells.first()?.trim().parse().ok()?;
    Some((number, cells.last()?.split('`').skip(1).step_by(2).collect()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(page: &str) -> Vec<String> {
        let code = "#[test]\nfn row_9_unsigned_csr() {\n}\n    async fn row_13_double_spend_race() {\nfn row_of_trees() {\n";
        let tree = Tree::of(&[(PAGE, page), ("crates/a/tests/x.rs", code)]);
        check(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_page_that_names_what_is_there_passes() {
        let page = "| # | attack | tests |\n|---|---|---|\n| 9 | x | `row_9_unsigned_csr` |\n| 13 | `y` | `row_13_double_spend_race` |\n";
        assert_eq!(found(page), [""; 0]);
    }

    #[test]
    fn a_page_is_rewritten_with_the_tests_that_are_there() {
        let tree = Tree::of(&[
            (PAGE, "x\n| 9 | a | b | `row_9_gone` |\n"),
            ("a.rs", "fn row_9_b() {\nfn row_9_a() {\n"),
        ]);
        assert_eq!(rewritten(&tree).unwrap(), "x\n| 9 | a | b | `row_9_a`, `row_9_b` |\n");
    }

    #[test]
    fn tests_that_are_not_there_or_not_named_are_found() {
        let page = "| 9 | x | `row_9_gone` |\n| 13 | x | none |\n| 14 | x | `row_9_unsigned_csr` |\n";
        assert_eq!(
            found(page),
            [
                "docs/threat-model.md:1: there is no test row_9_gone",
                "docs/threat-model.md:2: row 13 names no test",
                "docs/threat-model.md:3: row_9_unsigned_csr defends another row than 14",
                "crates/a/tests/x.rs:4: docs/threat-model.md does not name row_13_double_spend_race",
            ]
        );
    }
}
