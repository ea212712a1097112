//! The file itself.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    unreachable_pub,
    missing_docs,
    reason = "tests"
)]

mod support;

use std::{fs, sync::Arc};

use ledger::{Ledger, LedgerReader};
use support::{Fixture, intent, reference, settings};
use testkit::FixedClock;

fn open(path: &std::path::Path) -> Result<Ledger, ledger::LedgerError> {
    Ledger::open(path, settings(&Arc::new(FixedClock::default())))
}

fn refusal(path: &std::path::Path) -> String {
    let error = open(path).unwrap_err().to_string();
    assert!(error.contains(&path.display().to_string()), "{error}");
    error
}

#[cfg(unix)]
#[test]
fn nobody_but_its_owner_reads_it() {
    use std::os::unix::fs::PermissionsExt as _;
    let fixture = Fixture::new();
    fixture.issue(&intent(1));
    let files: Vec<_> =
        fs::read_dir(fixture.folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files.len(), 3, "the file, its log and the index of that: {files:?}");
    for file in files {
        let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.display());
    }
}

#[test]
fn closing_it_leaves_one_file() {
    let fixture = Fixture::new();
    fixture.issue(&intent(1));
    let Fixture { ledger, folder, .. } = fixture;
    drop(ledger);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_file_of_a_newer_version_is_refused_untouched() {
    let fixture = Fixture::new();
    fixture.sql("PRAGMA user_version = 99");
    let error = refusal(&fixture.path());
    assert!(error.contains("version 99") && error.contains("use a newer one"), "{error}");
    let reading = LedgerReader::open(fixture.path(), settings(&fixture.clock)).unwrap_err().to_string();
    assert!(reading.contains("version 99"), "{reading}");
}

#[test]
fn a_reader_does_not_bring_a_file_up_to_date() {
    let fixture = Fixture::new();
    fixture.sql("PRAGMA user_version = 0");
    let error = LedgerReader::open(fixture.path(), settings(&fixture.clock)).unwrap_err().to_string();
    assert!(error.contains("older version"), "{error}");
}

#[test]
fn opening_twice_changes_nothing() {
    let fixture = Fixture::new();
    fixture.issue(&intent(1));
    drop(fixture.second());
    let second = fixture.second();
    assert!(second.reader().certificate(reference(1)).unwrap().is_some());
}

#[test]
fn what_is_no_ledger_is_refused_with_advice() {
    let folder = testkit::tempdir().unwrap();
    let garbage = folder.path().join("garbage");
    fs::write(&garbage, [b'x'; 8192]).unwrap();
    let error = refusal(&garbage);
    assert!(error.contains("damaged") && error.contains("backup"), "{error}");
    refusal(&folder.path().join("no-folder").join("ledger.sqlite"));
    let missing = folder.path().join("missing");
    let error = LedgerReader::open(&missing, settings(&Arc::new(FixedClock::default()))).unwrap_err();
    assert!(error.to_string().contains("folder exists"), "{error}");
    assert!(!missing.exists(), "reading makes no file");
}
