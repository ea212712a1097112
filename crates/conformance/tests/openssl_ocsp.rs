//! What fails on a responder that others wrote is known, and stays a failure.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod support;

use std::{
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use conformance::{Exceptions, Finding, Ink, Report, Verdict, ocsp, to_table};
use testkit::keys;

const INDEX: &str = "V\t491231235959Z\t\t1003\tunknown\t/CN=laptop-1\n\
                     R\t491231235959Z\t260101000000Z,keyCompromise\t1004\tunknown\t/CN=laptop-2\n";

/// `openssl ocsp`, which takes a port but no address. Nobody may connect to it only to see whether it is there: it
/// would never serve anybody again.
struct OpenSsl {
    child: Child,
    port: u16,
}

impl OpenSsl {
    fn start(folder: &Path) -> Self {
        for _ in 0..20 {
            // Free a moment ago; somebody else may have taken it since.
            let port = TcpListener::bind("[::]:0").unwrap().local_addr().unwrap().port();
            let log = folder.join(format!("{port}.log"));
            let output = std::fs::File::create(&log).unwrap();
            let child = Command::new("openssl")
                .current_dir(folder)
                .args(["ocsp", "-port", &port.to_string(), "-index", "index.txt", "-CA", "ca.pem"])
                .args(["-rsigner", "ca.pem", "-rkey", "ca.key.pem", "-nmin", "60"])
                .stdin(Stdio::null())
                .stdout(output.try_clone().unwrap())
                .stderr(output)
                .spawn();
            let mut responder = Self { child: child.unwrap(), port };
            let said = || std::fs::read_to_string(&log).unwrap();
            let mut ended = || responder.child.try_wait().unwrap().is_some();
            support::until(|| said().contains("waiting for OCSP client") || ended());
            if responder.child.try_wait().unwrap().is_none() {
                return responder;
            }
        }
        panic!("openssl ocsp does not start: cargo xtask test installs what the tests need");
    }
}

impl Drop for OpenSsl {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Judged by one check, on a responder of its own: some checks end it.
fn judge(folder: &Path, check: &str) -> Report {
    let responder = OpenSsl::start(folder);
    let url = format!("http://127.0.0.1:{}/", responder.port).parse().unwrap();
    let target = ocsp::Target::new(url, testkit::ca().certificate, vec![0x10, 0x03])
        .with_revoked(vec![0x10, 0x04])
        .with_timeout(Duration::from_secs(3));
    ocsp::run(target, |id| id == check, &mut |_| {}).unwrap()
}

#[test]
fn what_fails_on_openssl_is_known_and_stays_a_failure() {
    let folder = testkit::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("index.txt", INDEX);
    write("ca.pem", &testkit::ca().certificate.to_pem());
    write("ca.key.pem", keys::CA_PEM);
    let checks: Vec<&str> = ocsp::checks().iter().map(|check| check.id).collect();
    let (next, findings) = (AtomicUsize::new(0), Mutex::new(Vec::<Finding>::new()));
    thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                while let Some(check) = checks.get(next.fetch_add(1, Ordering::SeqCst)) {
                    findings.lock().unwrap().extend(judge(folder.path(), check).findings);
                }
            });
        }
    });
    let mut report = judge(folder.path(), "none of them");
    report.findings = findings.into_inner().unwrap();
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("exceptions/openssl-ocsp.toml");
    let exceptions = Exceptions::from_file(&file).unwrap();
    exceptions.know_only(&checks).unwrap();
    let report = report.under(&exceptions);
    assert!(report.is_clean(), "{}", to_table(&report, Ink::Plain));
    assert!(report.count(Verdict::Fail) > 15, "the judge has become blind");
    assert_eq!(report.findings.len(), checks.len());
}
