//! Our own responder is judged clean, and every exception has its reason in the committed file.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::path::Path;

use conformance::{Exceptions, Ink, Verdict, ocsp, to_table};
use support::{Sound, authority::Authority};

#[test]
fn our_responder_is_judged_clean() {
    let sound = Sound::start("");
    let (good, revoked) = sound.certificates();
    let target = || {
        let url = format!("{}/ocsp", sound.base).parse().unwrap();
        let ca = Authority::open(&sound.data()).ca;
        ocsp::Target::new(url, ca, good.serial_octets().to_vec())
            .with_revoked(revoked.serial_octets().to_vec())
    };
    support::until(|| {
        let report = ocsp::run(target(), |check| check == "revoked", &mut |_| {}).unwrap();
        report.count(Verdict::Pass) == 1
    });
    let report = ocsp::run(target(), |_| true, &mut |_| {}).unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("exceptions/ocsp-server.toml");
    let exceptions = Exceptions::from_file(&file).unwrap();
    let checks = ocsp::check_names();
    exceptions.know_only(&checks.into_iter().collect::<Vec<_>>()).unwrap();
    let report = report.under(&exceptions);
    let table = to_table(&report, Ink::Plain);
    assert!(report.is_clean() && support::is_explained(&report), "{table}");
}
