//! Only one place in the workspace makes something authorized.
#![allow(clippy::unwrap_used, clippy::panic, missing_docs, reason = "tests")]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Every Rust file that ships: crates, programs and examples, without their tests.
fn shipped_sources() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let mut pending: Vec<_> =
        ["crates", "examples", "benches", "xtask", "fuzz"].map(|folder| root.join(folder)).into();
    let mut sources = Vec::new();
    while let Some(folder) = pending.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if path.is_dir() && !matches!(name, "tests" | "target") {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                sources.push(path);
            }
        }
    }
    sources
}

fn holding(text: &str) -> Vec<String> {
    let name =
        |path: &PathBuf| path.components().rev().take(3).map(|part| part.as_os_str().to_owned()).collect();
    let mut found: Vec<String> = shipped_sources()
        .iter()
        .filter(|path| fs::read_to_string(path).unwrap().contains(text))
        .map(|path| {
            let parts: Vec<_> = name(path);
            parts.iter().rev().map(|part| part.to_str().unwrap()).collect::<Vec<_>>().join("/")
        })
        .collect();
    found.sort();
    found
}

#[test]
fn row_02_only_enrollment_vouches_for_requests_and_in_one_place() {
    assert_eq!(holding("::vouch("), ["enrollment/src/vouching.rs"]);
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/vouching.rs")).unwrap();
    assert_eq!(text.matches("::vouch(").count(), 1);
}

#[test]
fn row_02_the_lint_that_keeps_it_so_is_on() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).unwrap();
    let configuration = fs::read_to_string(root.join("clippy.toml")).unwrap();
    assert!(configuration.contains("\"issuance::Authorized::vouch\""));
}
