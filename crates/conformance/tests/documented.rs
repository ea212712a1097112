//! docs/conformance.md lists the checks that there are.
#![allow(clippy::unwrap_used, reason = "tests")]

use std::{path::Path, process::Command};

/// The rows between the marks of `protocol`, without their heading.
fn documented(protocol: &str) -> Vec<String> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/conformance.md");
    let text = std::fs::read_to_string(page).unwrap();
    let (_, rest) = text.split_once(&format!("<!-- checks: {protocol} -->\n")).unwrap();
    let (rows, _) = rest.split_once("<!-- end of checks -->").unwrap();
    rows.lines().skip(2).map(str::to_owned).collect()
}

fn listed(program: &str) -> Vec<String> {
    let output = Command::new(program).arg("--list").output().unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn the_page_lists_the_checks_of_scep() {
    assert_eq!(documented("scep"), listed(env!("CARGO_BIN_EXE_scep-conformance")));
}

#[test]
fn the_page_lists_the_checks_of_ocsp() {
    assert_eq!(documented("ocsp"), listed(env!("CARGO_BIN_EXE_ocsp-conformance")));
}
