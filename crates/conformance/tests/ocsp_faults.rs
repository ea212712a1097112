//! Each check can fail: for every planted fault exactly the checks named beside it fail.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use conformance::{Report, Verdict, ocsp};
use pki_core::Certificate;
use support::{
    Sound,
    authority::Authority,
    broken_ocsp,
    faults_ocsp::{Fault, TABLES},
};

/// A responder, and what it says of whom.
struct Responder {
    sound: Sound,
    good: Certificate,
    revoked: Certificate,
}

impl Responder {
    fn start() -> Self {
        let sound = Sound::start("[ca]\nkey = \"rsa2048\"");
        let (good, revoked) = sound.certificates();
        let responder = Self { sound, good, revoked };
        support::until(|| {
            let report = responder.judge(&responder.sound.base, |check| check == "revoked");
            report.count(Verdict::Pass) == 1
        });
        responder
    }

    fn judge(&self, base: &str, wanted: impl Fn(&str) -> bool) -> Report {
        let ca = Authority::open(&self.sound.data()).ca;
        let url = format!("{base}/ocsp").parse().unwrap();
        let target = ocsp::Target::new(url, ca, self.good.serial_octets().to_vec())
            .with_revoked(self.revoked.serial_octets().to_vec());
        ocsp::run(target, wanted, &mut |_| {}).unwrap()
    }
}

/// The verdict on each check.
type Verdicts = BTreeMap<&'static str, Verdict>;

fn verdicts(report: &Report) -> Verdicts {
    report.findings.iter().map(|finding| (finding.check, finding.judgement.verdict)).collect()
}

/// What is wrong with how the fault was judged.
fn complaints(fault: &Fault, usual: &Verdicts, report: &Report) -> Vec<String> {
    let complaint = |(check, verdict): (&&'static str, &Verdict)| {
        let named = fault.also.iter().find(|(known, _)| known == check).map(|(_, verdict)| *verdict);
        let fails = fault.fails.contains(check);
        let expected = if fails { Verdict::Fail } else { named.unwrap_or(usual[*check]) };
        let follows = fault.blocks && !fails && *verdict == Verdict::NotJudged;
        let another = fault.what.signs_anew() && *check == "if-none-match" && *verdict == Verdict::NotOffered;
        if *verdict == expected || follows || another {
            return None;
        }
        let reason = &report.find(check).unwrap().judgement.reason;
        Some(format!("{:?}: {check} is {verdict} and not {expected}: {reason}", fault.fails))
    };
    verdicts(report).iter().filter_map(complaint).collect()
}

/// Judges a responder with each of these faults, and one without.
fn each_is_caught(faults: &'static [Fault]) {
    let responder = Responder::start();
    let usual = verdicts(&responder.judge(&responder.sound.base, |_| true));
    let (next, all) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(fault) = faults.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let good = responder.good.serial_octets();
                    let proxy = broken_ocsp::start(&responder.sound, good, fault.what);
                    let report = responder.judge(&proxy.base, |_| true);
                    all.lock().unwrap().extend(complaints(fault, &usual, &report));
                }
            });
        }
    });
    let all = all.into_inner().unwrap();
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn every_check_is_failed_by_some_fault() {
    let all = TABLES.iter().flat_map(|table| table.iter());
    let named: BTreeSet<&str> = all.flat_map(Fault::checks).collect();
    let known = ocsp::check_names();
    let missing: Vec<&&str> = known.iter().filter(|check| !named.contains(*check)).collect();
    assert!(missing.is_empty(), "no fault is planted for {missing:?}");
    let unknown: Vec<&&str> = named.iter().filter(|check| !known.contains(*check)).collect();
    assert!(unknown.is_empty(), "there are no checks {unknown:?}");
}

#[test]
fn faults_of_statuses_are_caught() {
    each_is_caught(TABLES[0]);
}

#[test]
fn faults_of_responses_are_caught() {
    each_is_caught(TABLES[1]);
}

#[test]
fn faults_of_signers_are_caught() {
    each_is_caught(TABLES[2]);
}

#[test]
fn faults_about_questions_are_caught() {
    each_is_caught(TABLES[3]);
}

#[test]
fn faults_about_requests_are_caught() {
    each_is_caught(TABLES[4]);
}

#[test]
fn faults_of_headers_are_caught() {
    each_is_caught(TABLES[5]);
}
