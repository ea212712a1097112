//! Servers that say what no LDAP server should: nobody becomes good or revoked by it, and nothing falls over.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests"
)]

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::Arc,
    time::Duration,
};

use directory::{Directory as _, DirectoryError, ObjectState};
use directory_ldap::{LdapDirectory, LdapSettings, Protection, Schema};
use serial_binding::BoundObject;
use testkit::FixedClock;

const ADA: &str = "00000000-0000-4000-8000-000000000003";
const CANARY: &str = "ldap-entry:00000000-0000-4000-8000-000000000001";

const SEARCH: u8 = 0x63;
const EXTENDED: u8 = 0x77;

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).unwrap().to_be_bytes();
    [&[tag, 0x84], &length[..], content].concat()
}

fn message(number: u8, operation: &[u8]) -> Vec<u8> {
    element(0x30, &[&element(2, &[number]), operation].concat())
}

fn done(number: u8, tag: u8, code: u8) -> Vec<u8> {
    let result = [element(0x0A, &[code]), element(4, b""), element(4, b"because")].concat();
    message(number, &element(tag, &result))
}

fn entry(number: u8, id: &str) -> Vec<u8> {
    let attribute = [element(4, b"entryUUID"), element(0x31, &element(4, id.as_bytes()))].concat();
    let attributes = element(0x30, &element(0x30, &attribute));
    message(number, &element(0x64, &[element(4, b"uid=ada"), attributes].concat()))
}

/// What is answered to a request, from its number and its tag; nothing closes the connection.
type Script = fn(u8, u8) -> Vec<u8>;

/// Answers on a free port for as long as the test runs.
fn serve(script: Script) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let url = format!("ldap://127.0.0.1:{}", listener.local_addr().unwrap().port());
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            std::thread::spawn(move || {
                let mut request = [0; 4096];
                loop {
                    // Our requests here are short, and one comes at a time.
                    let len = stream.read(&mut request).unwrap_or(0);
                    let start = if request[1] < 0x80 { 2 } else { 2 + usize::from(request[1] & 0x7F) };
                    if len < start + 4 {
                        return;
                    }
                    let (number, tag) = (request[start + 2], request[start + 3]);
                    let root = [done(number, 0x65, 0)].concat();
                    // The first question is about the server itself.
                    let answer = if number == 1 && tag == SEARCH { root } else { script(number, tag) };
                    if answer.is_empty() || stream.write_all(&answer).is_err() {
                        return;
                    }
                }
            });
        }
    });
    url
}

fn directory(script: Script, protection: Protection) -> LdapDirectory {
    let settings = LdapSettings {
        protection,
        canary: CANARY.parse().ok(),
        timeout: Duration::from_secs(1),
        ..LdapSettings::new("hostile", serve(script), "dc=example,dc=com", Schema::rfc4519())
    };
    LdapDirectory::new(settings, Arc::new(FixedClock::default())).unwrap()
}

fn ada() -> BoundObject {
    format!("ldap-entry:{ADA}").parse().unwrap()
}

async fn state(script: Script) -> Result<Option<ObjectState>, DirectoryError> {
    directory(script, Protection::default()).state(ada()).await
}

#[tokio::test]
async fn a_plain_answer_is_understood() {
    let said = state(|number, _| [entry(number, ADA), done(number, 0x65, 0)].concat()).await;
    assert_eq!(said.unwrap(), Some(ObjectState::Enabled));
}

#[tokio::test]
async fn what_is_no_answer_says_nothing_of_anybody() {
    let cases: [(&str, Script); 16] = [
        ("closed", |_, _| Vec::new()),
        ("text", |_, _| b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()),
        ("zeros", |_, _| vec![0; 64]),
        ("an indefinite length", |_, _| vec![0x30, 0x80, 2, 1, 2, 0, 0]),
        ("a length of 2 GB", |_, _| vec![0x30, 0x84, 0x7F, 0xFF, 0xFF, 0xFF]),
        ("cut off", |number, _| done(number, 0x65, 0)[..9].to_vec()),
        ("deep", |_, _| {
            (0..20_000u32).rev().flat_map(|n| [&[0x30, 0x84], &(n * 6).to_be_bytes()[..]].concat()).collect()
        }),
        ("no entry and no base", |number, _| done(number, 0x65, 0)),
        ("another entry", |number, _| {
            [entry(number, "00000000-0000-4000-8000-000000000009"), done(number, 0x65, 0)].concat()
        }),
        ("two entries", |number, _| [entry(number, ADA), entry(number, ADA), done(number, 0x65, 0)].concat()),
        ("no id", |number, _| [entry(number, ""), done(number, 0x65, 0)].concat()),
        ("an entry, and then a failure", |number, _| [entry(number, ADA), done(number, 0x65, 1)].concat()),
        ("somebody else's number", |number, _| [entry(number + 1, ADA), done(number + 1, 0x65, 0)].concat()),
        ("a reference", |number, _| {
            let reference = message(number, &element(0x73, &element(4, b"ldap://elsewhere/")));
            [reference, done(number, 0x65, 0)].concat()
        }),
        ("leave", |_, _| done(0, 0x78, 52)),
        ("ten thousand entries", |number, _| {
            [entry(number, ADA).repeat(10_000), done(number, 0x65, 0)].concat()
        }),
    ];
    for (what, script) in cases {
        let said = state(script).await;
        assert!(matches!(said, Err(DirectoryError::Unavailable { .. })), "{what}: {said:?}");
    }
}

#[tokio::test]
async fn every_result_but_success_is_an_error() {
    let busy = state(|number, _| done(number, 0x65, 51)).await;
    assert!(matches!(busy, Err(DirectoryError::Throttled { .. })), "{busy:?}");
    let cases: [Script; 7] = [
        |number, _| done(number, 0x65, 1),
        |number, _| done(number, 0x65, 3),
        |number, _| done(number, 0x65, 4),
        |number, _| done(number, 0x65, 10),
        |number, _| done(number, 0x65, 32),
        |number, _| done(number, 0x65, 50),
        |number, _| done(number, 0x65, 52),
    ];
    for script in cases {
        let said = state(script).await.unwrap_err().to_string();
        assert!(said.contains("refuses with result") && said.contains("because"), "{said}");
    }
}

#[tokio::test]
async fn nothing_is_said_before_tls_and_nothing_slipped_in_is_heard() {
    let cases: [(&str, Script); 4] = [
        ("refuses with result 2", |number, _| done(number, 0x78, 2)),
        ("and nothing else", |number, tag| {
            assert_eq!(tag, EXTENDED, "no question goes out in the clear");
            [done(number, 0x78, 0), entry(2, ADA), done(2, 0x65, 0)].concat()
        }),
        ("TLS", |number, tag| if tag == EXTENDED { done(number, 0x78, 0) } else { Vec::new() }),
        ("closed the connection", |_, _| Vec::new()),
    ];
    for (why, script) in cases {
        let said = directory(script, Protection::Required).state(ada()).await.unwrap_err().to_string();
        assert!(said.contains(why), "{why}: {said}");
    }
}
