//! Serial numbers mean the same to an implementation written from docs/serial-binding.md alone. Needs python3.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    dead_code,
    missing_docs,
    unreachable_pub,
    reason = "tests"
)]

mod support;

use std::{
    fmt::Write as _,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use pki_core::SerialNumber;
use serial_binding::{
    BoundObject, KeyId, ObjectId, ObjectKind, Resolution, SealedBinding, SerialBinding, SerialKey,
};
use support::{Fixed, ISSUERS, Seeded, hex, issuer, unhex};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn second_implementation(arguments: &[&str], questions: &str) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/second_implementation.py");
    let mut python = Command::new("python3")
        .arg("-B")
        .arg(script)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the tests need python3 3.11 or later (Debian package python3)");
    python.stdin.take().unwrap().write_all(questions.as_bytes()).unwrap();
    let output = python.wait_with_output().unwrap();
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stdout).unwrap()
}

#[test]
fn it_reads_and_makes_every_vector() {
    let vectors = root().join("vectors/serial-binding");
    let said = second_implementation(&["check", vectors.to_str().unwrap()], "");
    assert!(said.contains("checks hold"), "{said}");
}

#[test]
fn its_worked_example_is_the_one_on_the_page() {
    let page = std::fs::read_to_string(root().join("docs/serial-binding.md")).unwrap();
    let example = second_implementation(&["example"], "");
    assert!(page.contains(&example), "docs/serial-binding.md does not contain:\n{example}");
}

#[test]
fn it_agrees_about_random_objects_and_forgeries() {
    let random = Seeded::new(2026);
    let kinds: Vec<_> = ObjectKind::all().collect();
    let (mut questions, mut expected) = (String::new(), String::new());
    for round in 0..60 {
        let octets = random.octets::<32>();
        let key = SerialKey::from_slice(KeyId::new(octets[0] & 15).unwrap(), &octets).unwrap();
        let (spki, kind) = (round % 2, kinds[round % kinds.len()]);
        let binding = SealedBinding::new(&key, &issuer(spki));
        let id = if kind.is_numeric() {
            ObjectId::Number(u64::from_be_bytes(random.octets()))
        } else {
            ObjectId::Uuid(random.octets())
        };
        let object = BoundObject::new(kind, id).unwrap();
        let nonce = if kind.is_numeric() { "c0ffee" } else { "fee" };
        let serial = binding.bind(&object, &Fixed(unhex(&format!("{nonce:0>6}")))).unwrap();
        let text = object.to_string();
        let id = text.split_once(':').unwrap().1;
        let (key_hex, number) = (hex(&octets), key.id());
        writeln!(questions, "seal {key_hex} {number} {} {kind} {id} {nonce}", ISSUERS[spki]).unwrap();
        writeln!(expected, "{}", hex(serial.as_be_bytes())).unwrap();

        let mut forged = random.octets::<20>();
        forged[0] = 0x20 | number.number();
        for octets in [&forged[..], serial.as_be_bytes()] {
            let opened = match binding.resolve(&SerialNumber::from_be_bytes(octets).unwrap()) {
                Resolution::Object(object) => object.to_string(),
                _ => String::from("foreign"),
            };
            writeln!(questions, "open {key_hex} {} {}", ISSUERS[spki], hex(octets)).unwrap();
            writeln!(expected, "{opened}").unwrap();
        }
    }
    assert_eq!(second_implementation(&["answer"], &questions), expected);
}
