//! What fails on a server that others wrote is known, and stays a failure.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::{
    path::Path,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use conformance::{
    Exceptions, Finding, Ink, Report, Verdict,
    scep::{self, Challenges},
    to_table,
};
use support::target;
use testkit::Micromdm;

const CHALLENGE: &str = "correct-horse-battery";

/// Judged by one check, on a server of its own: some checks end it.
fn judge(ca: &Micromdm, check: &str) -> Report {
    let server = ca.again();
    let target = target(&server.url(), Challenges::Static(CHALLENGE.into()))
        .with_ca_fingerprint(server.ca().fingerprint())
        .with_timeout(Duration::from_secs(10));
    scep::run(target, |id| id == check, &mut |_| {}).unwrap()
}

#[test]
fn what_fails_on_micromdm_is_known_and_stays_a_failure() {
    let ca = Micromdm::start(CHALLENGE);
    let checks: Vec<&str> = scep::checks().iter().map(|check| check.id).collect();
    let (next, findings) = (AtomicUsize::new(0), Mutex::new(Vec::<Finding>::new()));
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some(check) = checks.get(next.fetch_add(1, Ordering::SeqCst)) {
                    findings.lock().unwrap().extend(judge(&ca, check).findings);
                }
            });
        }
    });
    let mut report = judge(&ca, "none of them");
    report.findings = findings.into_inner().unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("exceptions/micromdm.toml");
    let exceptions = Exceptions::from_file(&file).unwrap();
    exceptions.know_only(&checks).unwrap();
    let report = report.under(&exceptions);
    assert!(report.is_clean(), "{}", to_table(&report, Ink::Plain));
    assert!(report.count(Verdict::Fail) > 30, "the judge has become blind");
    assert_eq!(report.findings.len(), checks.len());
}
