//! The rows of a clause table.

use super::super::tree::Tree;

/// A clause: whose it is, how binding, where it is kept and by which tests it is shown.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row<'a> {
    /// What the heading above says before its colon: `RFC 8894`.
    pub(super) standard: &'a str,
    pub(super) id: &'a str,
    level: &'a str,
    pub(super) place: Place<'a>,
    pub(super) tests: &'a str,
}

/// Where a clause is kept.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Place<'a> {
    /// By these items or files.
    Code(Vec<&'a str>),
    /// It binds somebody else.
    NotOurs,
    /// The standard leaves the choice.
    LeftOut,
    /// The cell says nothing that is understood.
    Unclear,
}

impl Place<'_> {
    /// Whether the clause is kept here, and so wants a test.
    pub(super) fn is_kept(&self) -> bool {
        matches!(self, Self::Code(_) | Self::Unclear)
    }
}

impl Row<'_> {
    /// Whether the level leaves no choice.
    pub(super) fn is_required(&self) -> bool {
        ["MUST", "SHALL", "REQUIRED"].iter().any(|word| self.level.contains(word))
    }
}

/// The rows of all tables of a page, each with the index of its line.
pub(super) fn rows(page: &str) -> impl Iterator<Item = (usize, Row<'_>)> {
    let mut standard = None;
    page.lines().enumerate().filter_map(move |(at, line)| {
        if line.starts_with('#') {
            let heading = line.trim_start_matches('#').split_once(':').map(|(heading, _)| heading.trim());
            standard = heading.or(standard);
        }
        Some((at, row(line, standard?)?))
    })
}

/// A row of six cells that starts with an id.
fn row<'a>(line: &'a str, standard: &'a str) -> Option<Row<'a>> {
    let line = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let cells: Vec<&str> = line.split('|').map(str::trim).collect();
    let &[id, level, _section, _clause, place, tests] = cells.as_slice() else { return None };
    if !id.ends_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    Some(Row { standard, id, level, place: read_place(place), tests })
}

fn read_place(cell: &str) -> Place<'_> {
    let says_why = |prefix| cell.strip_prefix(prefix).is_some_and(|why: &str| !why.trim().is_empty());
    if says_why("not ours:") {
        Place::NotOurs
    } else if says_why("left out:") {
        Place::LeftOut
    } else {
        let paths: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
        if paths.is_empty() { Place::Unclear } else { Place::Code(paths) }
    }
}

/// Whether the workspace has a file, or an item `crate::module::Item`.
pub(super) fn is_there(tree: &Tree, path: &str) -> bool {
    if path.contains('/') {
        return tree.paths.iter().any(|file| file == path);
    }
    let mut segments: Vec<&str> = path.split("::").collect();
    let Some(item) = segments.pop() else { return false };
    let Some((name, modules)) = segments.split_first() else { return false };
    let module = modules.join("/");
    let files = tree.sources().filter(|(folder, file)| {
        let inside = file.path.strip_suffix(".rs").unwrap_or(&file.path);
        folder.replace('-', "_") == *name
            && (module.is_empty() || inside.trim_end_matches("/mod").ends_with(&format!("/src/{module}")))
    });
    files.flat_map(|(_, file)| file.lines_before_tests()).any(|(_, line)| declares(line, item))
}

/// What stands before the name of an item that is declared.
const KEYWORDS: &[&str] = &["fn", "struct", "enum", "trait", "const", "static", "type"];

/// Whether a line declares an item of this name.
fn declares(line: &str, item: &str) -> bool {
    let words = line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    let words: Vec<&str> = words.collect();
    !line.trim_start().starts_with("//")
        && words.iter().zip(words.iter().skip(1)).any(|(word, name)| KEYWORDS.contains(word) && *name == item)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_say_whose_the_rows_are() {
        let page = "# RFC 1: x\n| M1 | MUST | 2 | x | `a::B` | `t` |\n## Server\n| S1 | MAY | 2 | x | not ours: y | – |\n\
                    ## RFC 2: y\n| 7 | – | 2 | x | somewhere | – |\n| no row |\n| x | y | z | a | b | c |\n";
        let read: Vec<_> = rows(page).map(|(at, row)| (at, row.standard, row.id, row.place)).collect();
        assert_eq!(
            read,
            [
                (1, "RFC 1", "M1", Place::Code(vec!["a::B"])),
                (3, "RFC 1", "S1", Place::NotOurs),
                (5, "RFC 2", "7", Place::Unclear),
            ]
        );
    }

    #[test]
    fn items_are_looked_for_where_they_are_said_to_be() {
        let code = "/// fn gone\npub const fn made(x: u8) {}\npub(crate) struct Reply<'a> {}\n#[cfg(test)]\nfn proof() {}\n";
        let tree =
            Tree::of(&[("crates/a-b/src/x/y.rs", code), ("crates/a-b/src/lib.rs", "const Z: u8 = 1;\n")]);
        for path in ["a_b::x::y::made", "a_b::made", "a_b::x::y::Reply", "a_b::Z", "crates/a-b/src/lib.rs"] {
            assert!(is_there(&tree, path), "{path}");
        }
        for path in
            ["a_b::x::y::gone", "a_b::x::made", "a_b::x::y::proof", "b::made", "made", "a/b.rs", "a_b::x::y"]
        {
            assert!(!is_there(&tree, path), "{path}");
        }
    }
}
