//! `cargo xtask tidy`: the rules of the project that no compiler checks, one file a rule.

mod arrows;
mod authorized;
mod clauses;
mod crate_table;
mod length;
mod limits;
mod links;
mod manifests;
mod no_std;
mod opening;
mod packages;
mod public_types;
mod refusals;
mod rows;
mod tree;
mod wording;

use std::{fmt, fs, path::Path};

use crate::failure::{Failure, While as _};
use packages::Packages;
use tree::Tree;

/// Something that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    path: String,
    line: Option<usize>,
    message: String,
}

impl Finding {
    /// About a whole file.
    fn of(path: &str, message: impl Into<String>) -> Self {
        Self { path: path.into(), line: None, message: message.into() }
    }

    /// About the line with this index, counted from 0.
    fn at(path: &str, index: usize, message: impl Into<String>) -> Self {
        Self { path: path.into(), line: Some(index.saturating_add(1)), message: message.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path, self.message),
            None => write!(f, "{}: {}", self.path, self.message),
        }
    }
}

/// A rule: its name, and what breaks it.
type Rule = (&'static str, fn(&Tree, &Packages) -> Vec<Finding>);

const RULES: &[Rule] = &[
    ("every source file says its job", |tree, _| opening::check(tree)),
    ("every manifest takes the workspace's lints", |tree, _| manifests::check(tree)),
    ("no source file is over-long", |tree, _| length::check(tree)),
    ("no unfinished business, no path of a machine", |tree, _| wording::check(tree)),
    ("links between documents lead somewhere", |tree, _| links::check(tree)),
    ("protocol crates are no_std", |tree, _| no_std::check(tree)),
    ("ARCHITECTURE.md lists the crates and who knows whom", crate_table::check),
    ("the arrows between crates point the right way", |_, packages| arrows::check(packages)),
    ("only enrollment authorizes", |tree, _| authorized::check(tree)),
    ("public signatures show no foreign wire types", |tree, _| public_types::check(tree)),
    ("the threat model and the tests name each other", |tree, _| rows::check(tree)),
    ("docs/refusals.md explains every code of a refusal", |tree, _| refusals::check(tree)),
    ("docs/limits.md agrees with the code", |tree, _| limits::check(tree)),
    ("every clause has its code and its tests", |tree, _| clauses::check(tree)),
];

/// Rewrites the parts of documents that follow from the code: the tests of the threat model and of the clause tables,
/// the arrows of ARCHITECTURE.md.
pub(crate) fn fix(root: &Path) -> Result<(), Failure> {
    let (tree, packages) = (Tree::read(root)?, Packages::read(root)?);
    let mut pages = clauses::rewritten(&tree);
    pages.extend(rows::rewritten(&tree).map(|text| (rows::PAGE, text)));
    pages.extend(crate_table::rewritten(&tree, &packages).map(|text| (crate_table::PAGE, text)));
    for (page, text) in pages {
        if tree.text(page) != Some(&text) {
            fs::write(root.join(page), text).during(page)?;
            println!("{page} is rewritten");
        }
    }
    Ok(())
}

/// A row of a table with another last cell.
fn with_last_cell(line: &str, cell: &str) -> String {
    let row = line.trim_end().trim_end_matches('|');
    let rest = row.rsplit_once('|').map_or(row, |(rest, _)| rest);
    if cell.is_empty() { format!("{rest}| |") } else { format!("{rest}| {cell} |") }
}

/// Runs every rule over the workspace and prints what breaks them.
pub(crate) fn run(root: &Path) -> Result<(), Failure> {
    let (tree, packages) = (Tree::read(root)?, Packages::read(root)?);
    let mut count = 0_usize;
    for (name, check) in RULES {
        let findings = check(&tree, &packages);
        println!("{:<6} {name}", if findings.is_empty() { "ok" } else { "BROKEN" });
        for finding in &findings {
            println!("       {finding}");
        }
        count = count.saturating_add(findings.len());
    }
    if count == 0 { Ok(()) } else { Err(Failure::new(format!("tidy: {count} to put right"))) }
}
