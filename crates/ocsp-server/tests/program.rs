//! The program as an operator meets it.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::{path::Path, process::Command};

use support::{Ca, Responder};

fn print_config(config: Option<&Path>, variables: &[(&str, &str)]) -> String {
    let config = config.map(|path| ["--config".as_ref(), path.as_os_str()]);
    let output = Command::new(env!("CARGO_BIN_EXE_ocsp-server"))
        .args(config.into_iter().flatten())
        .arg("--print-config")
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn the_printed_configuration_is_one() {
    let variables = [
        ("OCSP_SERVER__LEDGER", ""),
        ("OCSP_SERVER__ANSWERS__GOOD_SECONDS", "60"),
        ("OCSP_SERVER__ANSWERS__NEVER_ISSUED", "unauthorized"),
        ("OCSP_SERVER__LOG__FORMAT", "json"),
    ];
    let folder = testkit::tempdir().unwrap();
    let file = folder.path().join("ocsp-server.toml");
    for variables in [&[][..], &variables] {
        let printed = print_config(None, variables);
        std::fs::write(&file, &printed).unwrap();
        assert_eq!(print_config(Some(&file), &[]), printed);
    }
    let printed = print_config(Some(&file), &[]);
    for line in ["good_seconds = 60", "never_issued = \"unauthorized\"", "format = \"json\"", "ledger = \"\""]
    {
        assert!(printed.contains(line), "{line} is missing:\n{printed}");
    }
}

#[test]
fn a_mistake_in_the_configuration_is_named() {
    let folder = testkit::tempdir().unwrap();
    let file = folder.path().join("ocsp-server.toml");
    for (text, part) in [
        ("lisen = '127.0.0.1:0'", "lisen"),
        ("[answers]\nnever_issued = 'good'", "good"),
        ("[delegate]\nhours = -1", "hours"),
        ("listen", "ocsp-server.toml"),
    ] {
        std::fs::write(&file, text).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_ocsp-server"));
        let output = command.arg("--config").arg(&file).arg("--print-config").output().unwrap();
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && told.contains(part), "{text}: {told}");
    }
    let told = Responder::try_start(folder.path(), &[("OCSP_SERVER__LISEN", "127.0.0.1:0")]).err().unwrap();
    assert!(told.contains("lisen"), "{told}");
}

#[test]
fn it_says_what_to_do_where_there_is_no_ca() {
    let folder = testkit::tempdir().unwrap();
    for data in [folder.path(), &folder.path().join("nowhere")] {
        let told = Responder::try_start(data, &[]).err().unwrap();
        let path = data.join("ca.pem");
        for part in [path.to_str().unwrap(), "--data", "scep-server"] {
            assert!(told.contains(part), "{part} is not in {told}");
        }
        assert_eq!(told.lines().count(), 1, "{told}");
    }
}

#[test]
fn it_says_what_is_missing_from_a_folder() {
    let ca = Ca::start();
    for name in ["serial-0.key", "directory.toml", "ca.key.pem", "ca.pem"] {
        let (path, aside) = (ca.data().join(name), ca.data().join("aside"));
        std::fs::rename(&path, &aside).unwrap();
        let told = Responder::try_start(&ca.data(), &[]).err().unwrap();
        assert!(told.contains(name), "{name}: {told}");
        std::fs::rename(&aside, &path).unwrap();
    }
    // A taken port is a mistake, too.
    let mut command = Command::new(env!("CARGO_BIN_EXE_ocsp-server"));
    let taken = ca.embedded();
    let taken = taken.split('/').nth(2).unwrap();
    let output = command.arg("--data").arg(ca.data()).args(["--listen", taken]).output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains(taken) && told.contains("--listen"), "{told}");
}

#[test]
fn signals_stop_it_cleanly() {
    let ca = Ca::start();
    for signal in ["-INT", "-TERM"] {
        let responder = Responder::start(&ca.data(), &[]);
        let answer = ca.openssl_serial(&responder.url, "1");
        assert!(answer.contains("Revocation Time: Jan  1 00:00:00 1970 GMT"), "{answer}");
        let status = responder.stop(signal);
        assert!(status.success(), "{signal}: {status:?}");
    }
}

#[test]
fn an_operator_leaves_word_of_what_directories_take_away() {
    let folder = testkit::tempdir().unwrap();
    let confirm = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ocsp-server"));
        command.arg("--data").arg(folder.path()).args(arguments).output().unwrap()
    };
    let said = confirm(&["--confirm-changes", "1h", "--directory", "Okta"]);
    assert!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    let left = std::fs::read_to_string(folder.path().join(ocsp_server::CONFIRMED_CHANGES)).unwrap();
    assert!(left.ends_with("Z Okta\n"), "{left}");
    assert!(String::from_utf8_lossy(&said.stdout).contains(left.split(' ').next().unwrap()));
    for wrong in
        [&["--confirm-changes", "for ever"][..], &["--confirm-changes", "2d"], &["--directory", "Okta"]]
    {
        assert!(!confirm(wrong).status.success(), "{wrong:?}");
    }
}
