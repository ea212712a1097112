//! docs/refusals.md explains every code of a refusal, and no other.

use std::collections::BTreeMap;

use super::{Finding, tree::Tree};

const PAGE: &str = "docs/refusals.md";

/// Where codes are given.
const SOURCES: &[&str] = &[
    "crates/enrollment/src/refusal.rs",
    "crates/scep-proto/src/rejection.rs",
    "crates/scep-service/src/audit.rs",
    "crates/scep-service/src/handler.rs",
    "crates/scep-service/src/service.rs",
    "crates/scep-server/src/handler.rs",
];

/// What stands before a code.
const BEFORE: &[&str] = &["=> \"", "code: \"", "CODE: &str = \""];

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let Some(page) = tree.text(PAGE) else { return vec![Finding::of(PAGE, "is missing")] };
    let given = given(tree);
    let explained: BTreeMap<&str, usize> =
        page.lines().enumerate().filter_map(|(at, line)| row(line).map(|code| (code, at))).collect();
    let missing = given.iter().filter(|(code, _)| !explained.contains_key(*code));
    let missing =
        missing.map(|(code, (path, at))| Finding::at(path, *at, format!("{PAGE} does not explain {code}")));
    let gone = explained.iter().filter(|(code, _)| !given.contains_key(*code));
    missing
        .chain(gone.map(|(code, at)| Finding::at(PAGE, *at, format!("nobody refuses with {code}"))))
        .collect()
}

/// Every code, and where it is given.
fn given(tree: &Tree) -> BTreeMap<&str, (&'static str, usize)> {
    let mut codes = BTreeMap::new();
    for path in SOURCES {
        for (at, line) in tree.text(path).unwrap_or_default().lines().enumerate() {
            for before in BEFORE {
                let code = line.split_once(before).and_then(|(_, rest)| rest.split_once('"'));
                if let Some((code, _)) = code.filter(|(code, _)| is_code(code)) {
                    codes.entry(code).or_insert((*path, at));
                }
            }
        }
    }
    codes
}

fn is_code(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_lowercase() || c == '-')
}

/// The code that a row of a table begins with.
fn row(line: &str) -> Option<&str> {
    let first = line.trim().strip_prefix('|')?.split('|').next()?.trim();
    first.strip_prefix('`')?.strip_suffix('`').filter(|code| is_code(code))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(page: &str) -> Vec<String> {
        let code = "        Self::A => \"one-thing\",\n        Decision::Refuse { code: \"another\", info }\n        B => \"Some text\",\n";
        let tree = Tree::of(&[(PAGE, page), (SOURCES[0], code)]);
        check(&tree).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_page_that_explains_them_all_passes() {
        assert_eq!(found("| `one-thing` | x |\n| `another` | `y` |\n| code | z |\n"), [""; 0]);
    }

    #[test]
    fn a_code_that_is_not_explained_and_one_that_nobody_gives_are_found() {
        assert_eq!(
            found("| `one-thing` | x |\n| `a-third` | y |\n"),
            [
                format!("{}:2: {PAGE} does not explain another", SOURCES[0]),
                format!("{PAGE}:2: nobody refuses with a-third"),
            ]
        );
    }
}
