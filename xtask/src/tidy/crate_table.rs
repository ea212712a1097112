//! The table of crates in ARCHITECTURE.md agrees with what cargo knows.
//!
//! The table lies between the lines `<!-- crates -->` and `<!-- end of crates -->`; its first column names the crate,
//! its last the crates of ours that it depends on.

use std::collections::{BTreeMap, BTreeSet};

use super::{Finding, packages::Packages, tree::Tree};

pub(super) const PAGE: &str = "ARCHITECTURE.md";

pub(super) fn check(tree: &Tree, packages: &Packages) -> Vec<Finding> {
    let Some(rows) = tree.text(PAGE).and_then(rows) else {
        return vec![Finding::of(PAGE, "no table between `<!-- crates -->` and `<!-- end of crates -->`")];
    };
    let mut findings = Vec::new();
    for (name, package) in &packages.0 {
        let says = rows.get(name.as_str());
        if says.is_none_or(|(_, known)| *known != package.ours.iter().map(String::as_str).collect()) {
            let should = format!("cargo says: | `{name}` | … | {} |", known(&package.ours));
            findings.push(Finding {
                path: PAGE.into(),
                line: says.map(|(at, _)| at.saturating_add(1)),
                message: should,
            });
        }
    }
    let gone = rows.iter().filter(|(name, _)| !packages.0.contains_key(**name));
    findings
        .extend(gone.map(|(name, (at, _))| Finding::at(PAGE, *at, format!("there is no crate `{name}`"))));
    findings
}

/// The page with the arrows that cargo knows; `None` when there is no page.
pub(super) fn rewritten(tree: &Tree, packages: &Packages) -> Option<String> {
    let page = tree.text(PAGE)?;
    let rows = rows(page).unwrap_or_default();
    let lines = page.lines().enumerate().map(|(at, line)| {
        let name = rows.iter().find(|(_, (row, _))| *row == at).map(|(name, _)| *name);
        match name.and_then(|name| packages.0.get(name)) {
            Some(package) => super::with_last_cell(line, &known(&package.ours)),
            None => line.into(),
        }
    });
    Some(lines.map(|line| line + "\n").collect())
}

fn known(ours: &BTreeSet<String>) -> String {
    ours.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The rows: a crate's name, the line it stands in, the crates it is said to know.
fn rows(page: &str) -> Option<BTreeMap<&str, (usize, BTreeSet<&str>)>> {
    let mut lines = page.lines().enumerate();
    lines.find(|(_, line)| line.trim() == "<!-- crates -->")?;
    let table = lines.take_while(|(_, line)| line.trim() != "<!-- end of crates -->");
    let rows: BTreeMap<_, _> = table
        .filter_map(|(at, line)| {
            let cells: Vec<&str> = line.trim().trim_matches('|').split('|').collect();
            let name = quoted(cells.first()?).next()?;
            Some((name, (at, quoted(cells.last()?).collect())))
        })
        .collect();
    (!rows.is_empty()).then_some(rows)
}

/// The words in backquotes.
fn quoted(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(page: &str) -> Vec<String> {
        let packages = Packages::of(&[("a", &[]), ("b", &["a"])]);
        check(&Tree::of(&[(PAGE, page)]), &packages).iter().map(ToString::to_string).collect()
    }

    const START: &str = "# x\n<!-- crates -->\n| crate | job | knows |\n|---|---|---|\n";

    #[test]
    fn a_true_table_passes() {
        let page =
            format!("{START}| `a` | uses `x` | |\n| `b` | y | `a` |\n<!-- end of crates -->\n| `z` | | |\n");
        assert_eq!(found(&page), [""; 0]);
    }

    #[test]
    fn a_wrong_arrow_a_missing_crate_and_a_crate_too_many_are_found() {
        let page = format!("{START}| `b` | y | |\n| `z` | y | `a` |\n<!-- end of crates -->\n");
        assert_eq!(
            found(&page),
            [
                "ARCHITECTURE.md: cargo says: | `a` | … |  |",
                "ARCHITECTURE.md:5: cargo says: | `b` | … | `a` |",
                "ARCHITECTURE.md:6: there is no crate `z`",
            ]
        );
    }

    #[test]
    fn a_page_is_rewritten_with_the_arrows_that_there_are() {
        let page = format!("{START}| `b` | y | `c` |\n<!-- end of crates -->\n| `b` | z |\n");
        let fixed =
            rewritten(&Tree::of(&[(PAGE, &page)]), &Packages::of(&[("a", &[]), ("b", &["a"])])).unwrap();
        assert_eq!(fixed, page.replace("`c`", "`a`"));
    }

    #[test]
    fn no_table_is_found() {
        assert_eq!(found("# x\n").len(), 1);
    }
}
