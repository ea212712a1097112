//! No source file is over-long: what needs more lines has more than one job.

use super::{Finding, tree::Tree};

/// The most lines that a source file may have.
const MAX_LINES: usize = 600;

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let lengths = tree.ending(".rs").map(|file| (file, file.text.lines().count()));
    let long = lengths.filter(|(_, lines)| *lines > MAX_LINES);
    long.map(|(file, lines)| {
        Finding::of(&file.path, format!("{lines} lines, of at most {MAX_LINES}; split it by job"))
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_file_is_found() {
        let (fits, long) = ("//\n".repeat(MAX_LINES), "//\n".repeat(MAX_LINES + 1));
        let found = check(&Tree::of(&[("a.rs", &fits), ("b.rs", &long), ("c.md", &long)]));
        assert_eq!(found.iter().map(|finding| finding.path.as_str()).collect::<Vec<_>>(), ["b.rs"]);
    }
}
