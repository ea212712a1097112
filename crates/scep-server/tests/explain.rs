//! `scep-server explain`, as somebody with a capture at hand meets it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Command};

fn explain(folder: &Path, arguments: &[&str]) -> std::process::Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_scep-server"));
    command.current_dir(folder).arg("explain").args(arguments).output().unwrap()
}

fn vectors() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../vectors/scep"))
}

#[test]
fn a_captured_message_is_taken_apart_with_and_without_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("ra.key.pem");
    fs::copy(vectors().join("pki/ra.key.pem"), &key).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let message = vectors().join("windows-pkcs-req/input.der");
    let message = message.to_str().unwrap();

    let told = explain(folder.path(), &[message, "--key", "ra.key.pem"]);
    assert!(told.status.success(), "{}", String::from_utf8_lossy(&told.stderr));
    let expected = fs::read_to_string(vectors().join("windows-pkcs-req/explained.txt")).unwrap();
    assert_eq!(String::from_utf8(told.stdout).unwrap(), expected);
    let told = String::from_utf8(explain(folder.path(), &[message]).stdout).unwrap();
    assert!(told.contains("== pkcsPKIEnvelope") && !told.contains("== messageData"), "{told}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was made on the way");
}

#[test]
fn a_query_is_explained_and_what_cannot_be_read_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let query = vectors().join("certmonger-pkcs-req/query.txt");
    let told = explain(folder.path(), &[query.to_str().unwrap()]);
    assert!(String::from_utf8(told.stdout).unwrap().starts_with("PKCSReq, a request"));
    let missing = explain(folder.path(), &["no-such-file"]);
    assert!(!missing.status.success());
    assert!(String::from_utf8(missing.stderr).unwrap().contains("cannot read no-such-file"));

    let challenge = folder.path().join("challenge");
    fs::write(&challenge, "s3cret\n").unwrap();
    fs::set_permissions(&challenge, fs::Permissions::from_mode(0o600)).unwrap();
    let told = explain(folder.path(), &[query.to_str().unwrap(), "--challenge", "challenge"]);
    assert!(told.status.success());
}
