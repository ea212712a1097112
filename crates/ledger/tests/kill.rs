//! A writer that is killed loses nothing that it acknowledged.
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

use std::{
    collections::HashSet,
    env,
    io::{BufRead as _, BufReader, Write as _},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    thread,
};

use enrollment::EnrollmentStore as _;
use issuance::{IntentOutcome, IssuanceLog as _, Spend};
use keys_software::AwsLc;
use ledger::{Ledger, LedgerReader};
use pki_core::SecureRandom as _;
use support::{certificate, challenge, intent, reference, serial, settings};
use testkit::{FixedClock, block_on};

const CHILD: &str = "LEDGER_OF_THE_WRITER_TO_BE_KILLED";
const CHALLENGES: u64 = 300;
const ROUNDS: u64 = 6;

fn random() -> u64 {
    let mut octets = [0; 8];
    AwsLc.fill(&mut octets).unwrap();
    u64::from_be_bytes(octets)
}

fn open(path: &Path) -> Ledger {
    Ledger::open(path, settings(&Arc::new(FixedClock::default()))).unwrap()
}

/// Issues on and on, every second time for a challenge that others want too; says what it has issued.
fn write_on_and_on(ledger: &Ledger) {
    loop {
        let number = random() >> 16;
        let wanted = random() % CHALLENGES;
        let mut intent = intent(number);
        intent.provenance.spends = number.is_multiple_of(2).then(|| Spend::Stored(challenge(wanted).id));
        match block_on(ledger.record_intent(&intent)).unwrap() {
            IntentOutcome::Recorded => {}
            IntentOutcome::ChallengeSpent => continue,
            other => panic!("{other:?}"),
        }
        block_on(ledger.record_issued(intent.certificate, &certificate(serial(number)))).unwrap();
        let spent = intent.provenance.spends.map_or(String::from("-"), |_| wanted.to_string());
        let mut out = std::io::stdout().lock();
        writeln!(out, "issued {number} {spent}").unwrap();
    }
}

fn be_the_writer(path: &Path) -> ! {
    let ledger = open(path);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| write_on_and_on(&ledger));
        }
    });
    panic!("a writer that is not killed goes on and on")
}

/// What a writer acknowledged before it was killed, which happens after a random number of acknowledgements.
fn acknowledged_before_the_kill(path: &Path) -> Vec<(u64, Option<u64>)> {
    let mut writer = Command::new(env::current_exe().unwrap())
        .args(["--exact", "a_killed_writer_loses_nothing", "--nocapture"])
        .env(CHILD, path)
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(writer.stdout.take().unwrap());
    let (mut acknowledged, until) = (Vec::new(), 1 + random() % 120);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line).unwrap() > 0 {
        // The last line may have been cut short.
        if line.ends_with(b"\n") && line.starts_with(b"issued ") {
            let text = std::str::from_utf8(&line).unwrap();
            let mut words = text.split_whitespace().skip(1);
            acknowledged.push((words.next().unwrap().parse().unwrap(), words.next().unwrap().parse().ok()));
        }
        line.clear();
        if acknowledged.len() as u64 == until {
            writer.kill().unwrap();
        }
    }
    let ended = writer.wait().unwrap();
    assert!(
        !ended.success() && acknowledged.len() as u64 >= until,
        "{ended}, {} of {until}",
        acknowledged.len()
    );
    acknowledged
}

fn count(path: &Path, sql: &str) -> i64 {
    rusqlite::Connection::open(path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
}

fn nothing_is_in_two_minds(path: &Path) {
    let connection = rusqlite::Connection::open(path).unwrap();
    let verdict: String = connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
    let spent_twice = "SELECT count(*) FROM (SELECT spends FROM certificate WHERE spends IS NOT NULL \
                       GROUP BY spends HAVING count(*) > 1)";
    assert_eq!(count(path, spent_twice), 0);
    let spent_for_nothing = "SELECT count(*) FROM challenge WHERE spent_by IS NOT NULL \
                             AND id NOT IN (SELECT spends FROM certificate WHERE spends IS NOT NULL)";
    assert_eq!(count(path, spent_for_nothing), 0);
    let not_spent = "SELECT count(*) FROM certificate JOIN challenge ON challenge.id = spends \
                     WHERE challenge.spent_by IS NULL";
    assert_eq!(count(path, not_spent), 0);
    let lost = "SELECT count(*) FROM certificate WHERE id NOT IN (SELECT certificate FROM enrollment)";
    assert_eq!(count(path, lost), 0, "every intent can be taken up again");
}

#[test]
fn a_killed_writer_loses_nothing() {
    if let Some(path) = env::var_os(CHILD) {
        be_the_writer(Path::new(&path));
    }
    let folder = testkit::tempdir().unwrap();
    let path = folder.path().join("ledger.sqlite");
    let ledger = open(&path);
    for number in 0..CHALLENGES {
        block_on(ledger.add_challenge(&challenge(number))).unwrap();
    }
    drop(ledger);
    let (mut serials, mut challenges) = (HashSet::new(), HashSet::new());
    for _ in 0..ROUNDS {
        let acknowledged = acknowledged_before_the_kill(&path);
        let reader = LedgerReader::open(&path, settings(&Arc::new(FixedClock::default()))).unwrap();
        for (number, spent) in acknowledged {
            assert!(serials.insert(number), "{number} twice");
            assert!(spent.is_none_or(|challenge| challenges.insert(challenge)), "{spent:?} twice");
            let record = reader.certificate(reference(number)).unwrap().unwrap();
            assert_eq!(record.issued, Some(certificate(serial(number))));
        }
        nothing_is_in_two_minds(&path);
    }
    assert!(!challenges.is_empty());
}
