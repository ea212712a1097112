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

use conformance::{Report, Verdict, scep};
use support::{
    Sound, broken_scep,
    faults::{Fault, TABLES},
    target,
};

/// The verdict on each check.
type Verdicts = BTreeMap<&'static str, Verdict>;

/// The whole run, on the profile that issues at once.
fn judge(sound: &Sound, base: &str) -> Report {
    let fingerprint = support::authority::Authority::open(&sound.data()).ca.fingerprint();
    let target = target(&format!("{base}/scep"), sound.challenges()).with_ca_fingerprint(fingerprint);
    scep::run(target, |_| true, &mut |_| {}).unwrap()
}

/// What a person has to do with, on the profile that has one.
fn judge_approvals(sound: &Sound, base: &str) -> Report {
    scep::run(sound.manual(base), |check| check.starts_with("approval-"), &mut |_| {}).unwrap()
}

fn verdicts(report: &Report) -> Verdicts {
    report.findings.iter().map(|finding| (finding.check, finding.judgement.verdict)).collect()
}

/// What is wrong with how the fault was judged.
fn complaints(fault: &Fault, sound: &Verdicts, report: &Report) -> Vec<String> {
    let found = verdicts(report);
    let complaint = |(check, verdict): (&&'static str, &Verdict)| {
        let usual = sound[*check];
        let named = fault.also.iter().find(|(known, _)| known == check).map(|(_, verdict)| *verdict);
        let expected = if fault.fails.contains(check) { Verdict::Fail } else { named.unwrap_or(usual) };
        let follows = fault.blocks && !fault.fails.contains(check) && *verdict == Verdict::NotJudged;
        if *verdict == expected || follows || fault.may.contains(check) {
            return None;
        }
        let reason = &report.find(check).unwrap().judgement.reason;
        Some(format!("{}: {check} is {verdict} and not {expected}: {reason}", fault.name))
    };
    found.iter().filter_map(complaint).collect()
}

/// Judges a server with each of these faults, and one without, by so many at once.
fn each_is_caught_by(judges: usize, faults: &'static [Fault], judge: fn(&Sound, &str) -> Report) {
    let sound = Sound::start("[ca]\nkey = \"rsa2048\"");
    let usual = verdicts(&judge(&sound, &sound.base));
    let (next, complaints_of_all) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..judges {
            scope.spawn(|| {
                while let Some(fault) = faults.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let proxy = broken_scep::start(&sound, fault.what);
                    let report = judge(&sound, &proxy.base);
                    complaints_of_all.lock().unwrap().extend(complaints(fault, &usual, &report));
                }
            });
        }
    });
    let all = complaints_of_all.into_inner().unwrap();
    assert!(all.is_empty(), "{}", all.join("\n"));
}

fn each_is_caught(faults: &'static [Fault]) {
    each_is_caught_by(2, faults, judge);
}

#[test]
fn every_check_is_failed_by_some_fault() {
    let all = TABLES.iter().flat_map(|table| table.iter());
    let named: BTreeSet<&str> = all.flat_map(Fault::checks).collect();
    let missing: Vec<&str> = scep::check_names().into_iter().filter(|check| !named.contains(check)).collect();
    assert!(missing.is_empty(), "no fault is planted for {missing:?}");
    let unknown: Vec<&&str> = named.iter().filter(|check| !scep::check_names().contains(*check)).collect();
    assert!(unknown.is_empty(), "there are no checks {unknown:?}");
}

#[test]
fn faults_of_capabilities_and_certificates_are_caught() {
    each_is_caught(TABLES[0]);
}

#[test]
fn faults_of_http_are_caught() {
    each_is_caught(TABLES[1]);
}

#[test]
fn faults_of_replies_are_caught() {
    each_is_caught(TABLES[2]);
}

#[test]
fn faults_of_deliveries_are_caught() {
    each_is_caught(TABLES[3]);
}

#[test]
fn faults_about_attributes_and_signatures_are_caught() {
    each_is_caught(TABLES[4]);
}

#[test]
fn faults_about_envelopes_and_algorithms_are_caught() {
    each_is_caught(TABLES[5]);
}

#[test]
fn faults_about_requests_are_caught() {
    each_is_caught(TABLES[6]);
}

#[test]
fn faults_about_transactions_are_caught() {
    each_is_caught(TABLES[7]);
}

#[test]
fn faults_about_approvals_are_caught() {
    // One after the other: who approves, approves whatever waits.
    each_is_caught_by(1, TABLES[8], judge_approvals);
}
