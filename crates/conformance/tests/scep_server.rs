//! Our own server is judged clean, and every exception has its reason in the committed file.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::path::Path;

use conformance::{Exceptions, Ink, Verdict, scep, to_table};
use support::{Sound, authority::Authority, target};

#[test]
fn our_server_is_judged_clean() {
    let sound = Sound::start("");
    let url = format!("{}/scep", sound.base);
    let fingerprint = Authority::open(&sound.data()).ca.fingerprint();
    let target = target(&url, sound.challenges()).with_ca_fingerprint(fingerprint);
    let report = scep::run(target, |_| true, &mut |_| {}).unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("exceptions/scep-server.toml");
    let exceptions = Exceptions::from_file(&file).unwrap();
    let checks = scep::check_names();
    exceptions.know_only(&checks.into_iter().collect::<Vec<_>>()).unwrap();
    let report = report.under(&exceptions);
    let table = to_table(&report, Ink::Plain);
    assert!(report.is_clean() && support::is_explained(&report), "{table}");
}

#[test]
fn where_a_person_approves_it_is_judged_by_what_comes_in_the_end() {
    let sound = Sound::start("");
    let about = ["approval-", "pending-", "enroll", "renewal", "poll-", "repeated-", "reply-", "password-"];
    let wanted = |check: &str| about.iter().any(|part| check.starts_with(part));
    let report = scep::run(sound.manual(&sound.base), wanted, &mut |_| {}).unwrap();
    let table = to_table(&report, Ink::Plain);
    assert!(report.is_clean() && report.count(Verdict::NotOffered) == 0, "{table}");
    assert!(report.count(Verdict::Pass) > 25, "{table}");
}
