//! The page and its plots are what the program writes.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests"
)]

use std::{fs, path::Path};

use simulation::page;

fn committed(path: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path)).unwrap()
}

#[test]
fn the_tables_are_those_that_the_program_writes() {
    let page = committed(page::PAGE);
    assert!(page::rewritten(&page).unwrap() == page, "run `cargo xtask scale`");
}

#[test]
fn the_plots_are_those_that_the_program_writes_and_the_page_shows_each() {
    let page = committed(page::PAGE);
    for (path, svg) in page::plots() {
        assert!(committed(&path) == svg, "{path}: run `cargo xtask scale`");
        assert!(page.contains(path.strip_prefix("docs/").unwrap()), "{path}");
    }
}
