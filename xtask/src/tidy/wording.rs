//! No unfinished business, and no path of the machine that somebody worked on.

use std::{env, path::Path};

use super::{Finding, tree::Tree};

/// Marks of things left to do. Written in halves, so that this file may be checked too.
const UNFINISHED: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];

/// Where people's homes lie.
const HOMES: &[&str] =
    &[concat!("/ho", "me/"), concat!("/ro", "ot/"), concat!("/Us", "ers/"), concat!("\\Us", "ers\\")];

/// The home of somebody who does not exist, for documents to use.
const NOBODYS: &str = concat!("/ho", "me/zoe/");

pub(super) fn check(tree: &Tree) -> Vec<Finding> {
    let mut places: Vec<String> = HOMES.iter().map(|home| (*home).into()).collect();
    places.extend(own_places(&tree.root, env::var("HOME").ok().as_deref().map(Path::new)));
    let lines = tree
        .files
        .iter()
        .flat_map(|file| file.text.lines().enumerate().map(move |(at, line)| (file, at, line)));
    lines
        .filter_map(|(file, at, line)| Some(Finding::at(&file.path, at, complaint(line, &places)?)))
        .collect()
}

/// The folders that only this machine has: the checkout, the one it lies in, and the home of whoever runs this.
fn own_places(root: &Path, home: Option<&Path>) -> Vec<String> {
    let folders = [Some(root), root.parent(), home].into_iter().flatten();
    folders
        .filter(|folder| folder.parent().is_some())
        .map(|folder| format!("{}/", folder.display()))
        .collect()
}

fn complaint(line: &str, places: &[String]) -> Option<String> {
    let words = || line.split(|c: char| !c.is_alphanumeric() && c != '_');
    if let Some(mark) = UNFINISHED.iter().find(|mark| words().any(|word| word == **mark)) {
        return Some(format!("{mark}: finish it, or write down what is left in an issue"));
    }
    let place = places.iter().find(|place| starts_a_path(line, place))?;
    Some(format!("{place} is a path of one machine"))
}

/// Whether `place` stands in `line` as the beginning of a path; with a placeholder behind it, it is one of a URL.
fn starts_a_path(line: &str, place: &str) -> bool {
    line.match_indices(place).any(|(at, _)| {
        let path = line.get(at..).unwrap_or_default();
        if path.starts_with(NOBODYS) || path.strip_prefix(place).is_some_and(|rest| rest.starts_with('{')) {
            return false;
        }
        let before = line.get(..at).and_then(|before| before.chars().next_back());
        !before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | '/' | '_' | '-' | '}' | ')'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_business_is_found() {
        let text = format!("//! a\n// {}: later\n", UNFINISHED[0]);
        let found = check(&Tree::of(&[("a.rs", &text), ("b.md", "TODOS are fine\n")]));
        assert_eq!(found.iter().map(ToString::to_string).collect::<Vec<_>>().len(), 1, "{found:?}");
        assert_eq!(found[0].line, Some(2));
    }

    #[test]
    fn paths_of_a_machine_are_found() {
        for path in
            [format!("see {}jane/x", HOMES[0]), "in /nowhere/at-all/target".into(), "(/nowhere/y)".into()]
        {
            let found = check(&Tree::of(&[("docs/a.md", &path)]));
            assert_eq!(found.len(), 1, "{path}");
        }
        for path in [
            "https://example.org/nowhere/y",
            "./nowhere/y",
            "/etc/certbound",
            NOBODYS,
            "/nowhere/{id}",
            "a\n",
        ] {
            assert_eq!(check(&Tree::of(&[("docs/a.md", path)])), [], "{path}");
        }
    }
}
