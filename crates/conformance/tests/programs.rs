//! The programs, as somebody at a terminal runs them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::{
    path::Path,
    process::{Command, Output},
};

use support::{STATIC_CHALLENGE, Sound, authority::Authority};

fn scep(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_scep-conformance")).args(arguments).output().unwrap()
}

fn code(output: &Output) -> Option<i32> {
    output.status.code()
}

fn text(output: &[u8]) -> String {
    String::from_utf8(output.to_vec()).unwrap()
}

fn write(folder: &Path, name: &str, content: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn a_run_leaves_a_table_files_and_an_exit_code() {
    let (sound, folder) = (Sound::start(""), testkit::tempdir().unwrap());
    let url = format!("{}/static", sound.base);
    let command = format!("echo {STATIC_CHALLENGE}");
    let common = ["--url", &url, "--challenge-cmd", &command, "--subject", "CN=conformance-device"];
    let run = |more: &[&str]| scep(&[&common[..], more].concat());

    let table = run(&["--only", "caps-", "--only", "enroll", "--color", "always"]);
    assert_eq!(code(&table), Some(0), "{}", text(&table.stdout));
    assert!(text(&table.stdout).contains("8 checks, 8 pass"), "{}", text(&table.stdout));
    assert!(text(&table.stdout).contains("\x1b[32mpass"), "{}", text(&table.stdout));

    // A challenge that is good twice is what this profile has.
    let bytes = folder.path().join("bytes");
    let junit = folder.path().join("report.xml");
    let (bytes, junit) = (bytes.to_str().unwrap(), junit.to_str().unwrap());
    let failed = run(&["--only", "challenge-reuse", "--json", "-", "--junit", junit, "--bytes", bytes]);
    assert_eq!(code(&failed), Some(1), "{}", text(&failed.stdout));
    let report: serde_json::Value = serde_json::from_slice(&failed.stdout).unwrap();
    assert_eq!(report["checks"][0]["verdict"], "fail");
    assert!(std::fs::read_to_string(junit).unwrap().contains("<failure "));
    assert!(Path::new(bytes).join("challenge-reuse/02-request.der").exists());

    let exception = |verdict: &str| {
        let name = format!("{verdict}.toml");
        let content = format!(
            "[[exception]]\ncheck = \"challenge-reuse\"\nexpected = \"{verdict}\"\nreason = \"static\"\n"
        );
        write(folder.path(), &name, &content)
    };
    for (verdict, expected) in [("fail", 0), ("pass", 1)] {
        let excepted = run(&["--only", "challenge-reuse", "--exceptions", &exception(verdict)]);
        assert_eq!(code(&excepted), Some(expected), "{}", text(&excepted.stdout));
    }
    let shown = run(&["--only", "challenge-reuse", "--show-bytes"]);
    assert!(text(&shown.stdout).contains("challenge-reuse: request 1"), "{}", text(&shown.stdout));
}

#[test]
fn what_keeps_a_run_from_taking_place_has_exit_codes_of_its_own() {
    let folder = testkit::tempdir().unwrap();
    let nowhere = ["--url", "http://127.0.0.1:9/scep", "--challenge", "x"];
    assert_eq!(code(&scep(&nowhere)), Some(3));
    assert_eq!(code(&scep(&["--url", "ftp://ca/"])), Some(2));
    let unknown = "[[exception]]\ncheck = \"no-such-check\"\nexpected = \"fail\"\nreason = \"so\"\n";
    let unknown = write(folder.path(), "unknown.toml", unknown);
    let output = scep(&[&nowhere[..], &["--exceptions", &unknown]].concat());
    assert_eq!(code(&output), Some(2));
    assert!(text(&output.stderr).contains("no-such-check"), "{}", text(&output.stderr));
}

#[test]
fn a_responder_is_judged_by_the_files_of_its_certificates() {
    let (sound, folder) = (Sound::start(""), testkit::tempdir().unwrap());
    let (good, revoked) = sound.certificates();
    let ca = write(folder.path(), "ca.pem", &Authority::open(&sound.data()).ca.to_pem());
    let good = write(folder.path(), "good.pem", &good.to_pem());
    let serial = revoked.serial_number().unwrap().to_string();
    let run = |only: &str| {
        Command::new(env!("CARGO_BIN_EXE_ocsp-conformance"))
            .args(["--url", &format!("{}/ocsp", sound.base), "--issuer", &ca, "--good", &good])
            .args(["--revoked", &serial, "--only", only])
            .output()
            .unwrap()
    };
    let output = run("good");
    assert_eq!(code(&output), Some(0), "{}", text(&output.stdout));
    support::until(|| code(&run("revoked")) == Some(0));
}
