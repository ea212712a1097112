//! docs/divergences.md says what the code does.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, missing_docs, reason = "tests")]

use std::{collections::BTreeSet, fs, path::Path};

use scep_proto::Tolerance;

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

fn page() -> String {
    fs::read_to_string(root().join("docs/divergences.md")).unwrap()
}

/// The rows of every table, cell by cell.
fn rows(page: &str) -> Vec<Vec<String>> {
    let lines = page.lines().filter(|line| line.starts_with('|') && !line.starts_with("|---"));
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect();
    lines.map(cells).collect()
}

fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

#[test]
fn every_tolerance_has_its_row() {
    let rows = rows(&page());
    for tolerance in Tolerance::all() {
        let name = format!("`{tolerance}`");
        let row = rows.iter().find(|row| row.len() == 5 && row[0] == name);
        let row = row.unwrap_or_else(|| panic!("docs/divergences.md has no row for {name}"));
        assert_eq!(row[1], if tolerance.is_default() { "on" } else { "off" }, "{name}");
        assert_eq!(row[2], tolerance.clause(), "{name}");
        for vector in quoted(&row[4]) {
            let folder = root().join("vectors/scep").join(vector);
            let expected = fs::read_to_string(folder.join("expect.toml")).unwrap();
            let explained = fs::read_to_string(folder.join("explained.txt")).unwrap_or_default();
            assert!((expected + &explained).contains(tolerance.name()), "{vector} does not need {name}");
        }
    }
}

/// Names like a code, in the sources that give them.
fn codes_of(sources: &[&str], before: &[&str]) -> BTreeSet<String> {
    let mut codes = BTreeSet::new();
    for source in sources {
        let text = fs::read_to_string(root().join("crates/scep-proto/src").join(source)).unwrap();
        let packed: String = text.split_whitespace().collect::<Vec<_>>().join("");
        for start in before {
            for after in packed.split(start).skip(1) {
                let code = after.split('"').next().unwrap();
                let word = matches!(code, "envelope" | "oaep" | "signers" | "undecryptable");
                let is_code = word || code.contains('-');
                if is_code && code.bytes().all(|octet| matches!(octet, b'a'..=b'z' | b'0'..=b'9' | b'-')) {
                    codes.insert(code.to_owned());
                }
            }
        }
    }
    codes
}

#[test]
fn every_code_is_listed_and_every_listed_code_is_given() {
    let explain = ["answers", "content", "input", "message"].map(|name| format!("explain/{name}.rs"));
    let mut sources: Vec<&str> = explain.iter().map(String::as_str).collect();
    sources.push("rejection.rs");
    let starts = ["told.breaks(\"", "told.note(\"", "told.find(\"", "=>\"", "(\""];
    let given = codes_of(&sources, &starts);
    let page = page();
    let listed: BTreeSet<String> = page
        .split("## Codes")
        .nth(1)
        .unwrap()
        .lines()
        .filter(|line| line.starts_with("| `"))
        .flat_map(|line| quoted(line.split('|').nth(1).unwrap()).map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let tolerances: BTreeSet<String> =
        Tolerance::all().map(|tolerance| tolerance.name().to_owned()).collect();
    let unlisted: Vec<_> = given.difference(&listed).filter(|code| !tolerances.contains(*code)).collect();
    assert!(unlisted.is_empty(), "docs/divergences.md does not list {unlisted:?}");
    let never_given: Vec<_> = listed.difference(&given).collect();
    assert!(never_given.is_empty(), "no code like {never_given:?} is given");
}

/// The tests that the tables name are there.
#[test]
fn the_files_that_the_tables_name_exist() {
    let page = page();
    for line in page.lines().filter(|line| line.starts_with('|')) {
        for name in quoted(line).map(Path::new).filter(|name| name.extension().is_some_and(|end| end == "rs"))
        {
            let name = name.file_name().unwrap();
            let crates = fs::read_dir(root().join("crates")).unwrap();
            let found = crates.flatten().any(|krate| krate.path().join("tests").join(name).exists());
            assert!(found, "{}", name.display());
        }
    }
}
