//! The tour of the README without a tenant, by the commands that the emulators print.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use std::path::Path;

use emulators::{Emulators, Fault, Options, Quickstart, Service};
use support::{Server, eventually, run, scep_client};

/// One line, without what only helps people to read it.
fn plain(text: &str) -> String {
    text.replace("\\\n", " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn the_readme_has_the_commands_that_are_printed_and_they_tell_the_story() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let emulators = runtime.block_on(Emulators::start(Options::default())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let tour = Quickstart::write(&emulators, folder.path()).unwrap();
    let printed = tour.to_string();
    let commands = tour.commands();
    let readme = plain(include_str!("../../../README.md"));
    for command in &commands {
        assert!(printed.contains(command), "{command}");
        let command = command.replace(emulators.control(), "http://127.0.0.1:9000");
        let command = command.replace(folder.path().to_str().unwrap(), "certbound-quickstart");
        assert!(readme.contains(&plain(&command)), "the README does not have:\n{command}");
    }

    let configuration = tour.configuration();
    let server = Server::start_configured(folder, &configuration);
    let own = format!("http://{}", server.address());
    let pasted = |command: &str| {
        let command =
            command.replace("cargo run --release -p scep-client --", scep_client().to_str().unwrap());
        run(server.folder(), "sh", &["-c", &command.replace("http://127.0.0.1:8080", &own)])
    };
    let [start, enroll, ask, told, wipe, ask_again, enroll_user, disable, ask_user] = &commands[..] else {
        panic!("{commands:?}")
    };
    assert!(start.ends_with(&format!("--config {}", configuration.display())));
    pasted(enroll);
    assert!(Path::new(&server.folder().join("laptop.pem")).exists());
    let answer = pasted(ask);
    assert!(answer.contains(": good"), "{answer}");
    let told = eventually(|| pasted(told), |told| told.contains("\"success\""));
    assert!(told.contains("certificateSerialNumber"), "{told}");
    emulators.set_fault(Service::Graph, Fault::Empty);
    for _ in 0..5 {
        let answer = pasted(&format!("sleep 0.5; {ask_again}"));
        assert!(!answer.contains(": revoked"), "Graph has forgotten everybody: {answer}");
    }
    emulators.clear_faults(Service::Graph);
    let wiped = pasted(wipe);
    assert!(wiped.contains("wipePending"), "{wiped}");
    let answer = eventually(|| pasted(ask_again), |answer| answer.contains(": revoked"));
    assert!(answer.contains(": revoked") && !answer.contains("certificateHold"), "{answer}");

    pasted(enroll_user);
    let answer = pasted(ask_user);
    assert!(answer.contains(": good"), "{answer}");
    pasted(disable);
    let answer = eventually(|| pasted(ask_user), |answer| answer.contains(": revoked"));
    assert!(answer.contains("Reason: certificateHold"), "{answer}");
}
