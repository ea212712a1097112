//! Every source file opens with a `//!` line saying its job; only attributes of the whole file may come before it.

use super::{Finding, tree::Tree};

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let silent = tree.ending(".rs").filter(|file| !opens_with_its_job(&file.text));
    silent.map(|file| Finding::of(&file.path, "open the file with a `//!` line that says its job")).collect()
}

fn opens_with_its_job(text: &str) -> bool {
    let mut open = 0_i32;
    for line in text.lines().map(str::trim) {
        if open == 0 && !line.is_empty() && !line.starts_with("#![") {
            return line.strip_prefix("//!").is_some_and(|job| !job.trim().is_empty());
        }
        open = line.chars().fold(open, |open, c| match c {
            '[' => open.saturating_add(1),
            ']' => open.saturating_sub(1),
            _ => open,
        });
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_does_not_say_its_job_is_found() {
        let tree = Tree::of(&[
            ("crates/a/src/lib.rs", "//! Does things.\n"),
            (
                "crates/a/tests/x.rs",
                "#![allow(\n    clippy::panic,\n    reason = \"tests\"\n)]\n//! Tries things.\n",
            ),
            ("crates/a/src/empty.rs", ""),
            ("crates/a/src/blank.rs", "//!\n"),
            ("crates/a/src/code.rs", "use std::fmt;\n//! Too late.\n"),
        ]);
        let found: Vec<_> = check(&tree).into_iter().map(|finding| finding.path).collect();
        assert_eq!(found, ["crates/a/src/empty.rs", "crates/a/src/blank.rs", "crates/a/src/code.rs"]);
    }
}
