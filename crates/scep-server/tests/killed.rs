//! A server that is killed loses nothing: not a certificate, not that a challenge was spent.
//!
//! Clients drive a real server from several threads while it is killed again and again, and send the very same message
//! until it is settled. What would show here, and how:
//!
//! * an intent that is not on disk before the signature (no `record_intent`): the repeated message gets another
//!   certificate than the first time, or its challenge is gone and it gets none;
//! * a certificate handed out before it is on disk (no `record_issued`, or too late): it is not in the ledger that the
//!   dead server left behind;
//! * challenge, serial number and transaction not in one transaction: two certificates for one challenge, or none;
//! * a repeat that is signed and handed out anew: other octets, for no two ECDSA signatures are the same;
//! * an interrupted issuance that is begun anew and not finished: a serial number is left over in the ledger.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use std::{
    collections::{HashMap, HashSet},
    fmt::Write as _,
    path::Path,
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::Duration,
};

use enrollment::{ChallengeKey, OneTimeChallenges};
use keys_software::{AwsLc, load_secret};
use ledger::{CertificateQuery, CertificateRecord, ChallengeFate, Ledger, LedgerReader, LedgerSettings};
use pki_core::{Certificate, SecureRandom, SystemClock};
use scep_proto::FailInfo;
use serial_binding::BoundObject;
use support::{
    Server,
    device::{Device, Prepared, Reply},
};
use testkit::{SeededRandom, block_on, keys};

const DEVICES: usize = 8;
const CHALLENGES: usize = 150;
const CLIENTS: usize = 4;
const KILLS: u64 = 10;

/// A message of which one client sees to it that it is settled.
struct Wish {
    challenge: usize,
    request: Prepared,
}

/// Closed while there is no server, so that nobody connects to a port where none listens.
struct Gate {
    open: Mutex<bool>,
    opened: Condvar,
}

/// Opens the gate again when it goes, come what may.
struct Closed<'a>(&'a Gate);

impl Gate {
    fn close(&self) -> Closed<'_> {
        *self.open.lock().unwrap() = false;
        Closed(self)
    }

    fn pass(&self) {
        drop(self.opened.wait_while(self.open.lock().unwrap(), |open| !*open).unwrap());
    }
}

impl Drop for Closed<'_> {
    fn drop(&mut self) {
        *self.0.open.lock().unwrap() = true;
        self.0.opened.notify_all();
    }
}

fn device_name(number: usize) -> String {
    format!("device-{number}")
}

fn directory() -> String {
    (0..DEVICES).fold(String::new(), |mut text, number| {
        let (id, name) = (format!("307ff02c-76d6-4808-a523-3cbae90d{number:04x}"), device_name(number));
        write!(text, "[[devices]]\nid = \"{id}\"\nname = \"{name}\"\nstate = \"enabled\"\n\n").unwrap();
        text
    })
}

fn object(number: usize) -> BoundObject {
    format!("device:307ff02c-76d6-4808-a523-3cbae90d{number:04x}").parse().unwrap()
}

fn settings() -> LedgerSettings {
    LedgerSettings::new(Arc::new(SystemClock))
}

/// One-time challenges; number `n` is for device `n % DEVICES`.
fn challenges(data: &Path) -> Vec<String> {
    let challenges = OneTimeChallenges {
        store: Arc::new(Ledger::open(data.join("ledger.sqlite"), settings()).unwrap()),
        key: ChallengeKey::new(*load_secret(&data.join("challenge.key")).unwrap()),
        clock: Arc::new(SystemClock),
        random: Arc::new(AwsLc),
    };
    let create = |number| {
        let lifetime = Duration::from_secs(3600);
        let made = block_on(challenges.create(object(number % DEVICES), "default", lifetime)).unwrap();
        made.expose().to_owned()
    };
    (0..CHALLENGES).map(create).collect()
}

/// A message for each challenge, and for every third one another device that wants it too.
fn wishes(data: &Path) -> Vec<Wish> {
    let [owner, rival] = [keys::DEVICE_PEM, keys::STRANGER_PEM].map(|pem| Device::new(data, keys::rsa(pem)));
    let mut wishes = Vec::new();
    for (challenge, secret) in challenges(data).iter().enumerate() {
        let name = device_name(challenge % DEVICES);
        let mut wish = |device: &Device, who: &str| {
            let request = device.request(&name, secret, &format!("{who}-{challenge}"));
            wishes.push(Wish { challenge, request });
        };
        wish(&owner, "owner");
        if challenge.is_multiple_of(3) {
            wish(&rival, "rival");
        }
    }
    wishes
}

/// Everything that the clients share.
struct World {
    address: String,
    wishes: Vec<Wish>,
    /// Some of them twice in a row: the clients that take them send the same message at the same time.
    order: Vec<usize>,
    next: AtomicUsize,
    gate: Gate,
    cut_off: AtomicUsize,
}

impl World {
    /// Sends the message until there is an answer.
    fn settle(&self, wish: &Wish) -> Reply {
        for _ in 0..100 {
            self.gate.pass();
            match wish.request.send(&self.address) {
                Ok(reply) => return reply,
                Err(_) => self.cut_off.fetch_add(1, Ordering::Relaxed),
            };
        }
        panic!("no answer in 100 attempts");
    }

    /// Settles one wish after the other, and says again every now and then what it got an answer to before.
    fn be_a_client(&self, answers: &Sender<(usize, Reply)>) {
        let mut last = None;
        loop {
            let next = self.next.fetch_add(1, Ordering::Relaxed);
            let Some(&number) = self.order.get(next) else { return };
            answers.send((number, self.settle(&self.wishes[number]))).unwrap();
            if let Some(earlier) = last.replace(number).filter(|_| next.is_multiple_of(4)) {
                answers.send((earlier, self.settle(&self.wishes[earlier]))).unwrap();
            }
        }
    }
}

fn number(random: &SeededRandom, below: u64) -> u64 {
    let mut octets = [0; 8];
    random.fill(&mut octets).unwrap();
    u64::from_be_bytes(octets) % below
}

/// What every wish came to. A wish that came to two things is a failure.
#[derive(Default)]
struct Outcome(HashMap<usize, Reply>);

impl Outcome {
    fn add(&mut self, (wish, reply): (usize, Reply)) {
        assert!(matches!(reply, Ok(_) | Err(FailInfo::BadRequest)), "{reply:?}");
        let first = self.0.entry(wish).or_insert_with(|| reply.clone());
        assert_eq!(*first, reply, "the same message, another answer");
    }

    fn certificates(&self) -> impl Iterator<Item = &Certificate> {
        self.0.values().filter_map(|reply| reply.as_ref().ok())
    }
}

fn records(reader: &LedgerReader) -> Vec<CertificateRecord> {
    reader.certificates(&CertificateQuery { limit: u32::MAX, ..CertificateQuery::default() }).unwrap()
}

/// Every certificate that anyone was given is in the ledger, octet for octet. Returns how many there are in it that
/// were begun and not finished.
fn check_ledger(data: &Path, outcome: &Outcome) -> usize {
    let reader = LedgerReader::open(data.join("ledger.sqlite"), settings()).unwrap();
    let records = records(&reader);
    let on_record: HashMap<_, _> =
        records.iter().map(|record| (record.certificate.serial, record.issued.as_ref())).collect();
    assert_eq!(on_record.len(), records.len(), "a serial number was given twice");
    for given in outcome.certificates() {
        let found = on_record[&given.serial_number().unwrap()].map(Certificate::as_der);
        assert_eq!(found, Some(given.as_der()), "{given:?}");
    }
    records.iter().filter(|record| record.issued.is_none()).count()
}

/// Kills the server at a random moment while its clients go on; checks what it left, and starts it again.
fn kill(
    server: Server,
    world: &World,
    random: &SeededRandom,
    answers: &Receiver<(usize, Reply)>,
    outcome: &mut Outcome,
) -> (Server, usize) {
    for _ in 0..3 + number(random, 12) {
        outcome.add(answers.recv().unwrap());
    }
    // And then anywhere in the next requests.
    let more = answers.recv_timeout(Duration::from_micros(number(random, 30_000)));
    let closed = world.gate.close();
    let folder = server.kill();
    for answer in more.into_iter().chain(answers.try_iter()) {
        outcome.add(answer);
    }
    let unfinished = check_ledger(&folder.path().join("data"), outcome);
    let server = Server::start_again(folder, &world.address);
    drop(closed);
    (server, unfinished)
}

#[test]
fn a_killed_server_loses_nothing() {
    let seed = number(&SeededRandom::new(u64::from(std::process::id())), u64::MAX);
    let seed = std::env::var("KILLED_SEED").map_or(seed, |seed| seed.parse().unwrap());
    println!("KILLED_SEED={seed}");
    let random = SeededRandom::new(seed);
    // ECDSA signatures differ each time: what is signed twice shows.
    let server = Server::start_with_directory(&directory(), &[("SCEP_SERVER__CA__KEY", "p256")]);
    let wishes = wishes(&server.data());
    let twice = |number: usize| std::iter::repeat_n(number, if number.is_multiple_of(4) { 2 } else { 1 });
    let world = World {
        address: server.address(),
        order: (0..wishes.len()).flat_map(twice).collect(),
        wishes,
        next: AtomicUsize::new(0),
        gate: Gate { open: Mutex::new(true), opened: Condvar::new() },
        cut_off: AtomicUsize::new(0),
    };
    let (mut outcome, mut unfinished) = (Outcome::default(), 0);
    let server = thread::scope(|scope| {
        let (mut server, (sender, answers)) = (server, channel());
        for _ in 0..CLIENTS {
            let (sender, world) = (sender.clone(), &world);
            scope.spawn(move || world.be_a_client(&sender));
        }
        drop(sender);
        for _ in 0..KILLS {
            let left;
            (server, left) = kill(server, &world, &random, &answers, &mut outcome);
            unfinished += left;
        }
        for answer in &answers {
            outcome.add(answer);
        }
        server
    });
    let cut_off = world.cut_off.load(Ordering::Relaxed);
    println!("{cut_off} requests cut off, {unfinished} issuances interrupted");
    assert!(cut_off > 0, "no request was in flight at any of the kills");
    check_outcome(&server, &world, &mut outcome);
}

/// When all is quiet: one certificate for each challenge, and none besides.
fn check_outcome(server: &Server, world: &World, outcome: &mut Outcome) {
    assert_eq!(outcome.0.len(), world.wishes.len());
    assert_eq!(check_ledger(&server.data(), outcome), 0, "an issuance was begun anew instead of finished");
    let winners = outcome.0.iter().filter(|(_, reply)| reply.is_ok()).map(|(&wish, _)| wish);
    let challenges: HashSet<usize> = winners.map(|wish| world.wishes[wish].challenge).collect();
    assert_eq!(challenges.len(), CHALLENGES, "a challenge led to no certificate");
    let serials: HashSet<_> = outcome.certificates().map(|one| one.serial_number().unwrap()).collect();
    assert_eq!(serials.len(), CHALLENGES, "a challenge led to more than one certificate");
    let reader = LedgerReader::open(server.data().join("ledger.sqlite"), settings()).unwrap();
    assert_eq!(records(&reader).len(), CHALLENGES, "a certificate was issued that nobody got");
    let fates = reader.challenges(u32::MAX).unwrap();
    let spent = fates.iter().filter(|record| matches!(record.fate, ChallengeFate::Spent { .. }));
    assert_eq!(spent.count(), CHALLENGES);
    // Everything once more, to a server that remembers nothing but what is on disk.
    for (number, wish) in world.wishes.iter().enumerate().step_by(5) {
        outcome.add((number, world.settle(wish)));
    }
    assert_eq!(records(&reader).len(), CHALLENGES);
}
