//! micromdm's SCEP server and client, which `cargo xtask test later` fetches.

use std::{
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use pki_core::Certificate;
use tempfile::TempDir;

/// A program that `cargo xtask test later` puts below the target folder: one of a later Debian release.
pub fn later_program(program: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows where it is");
    let mut candidates = test.ancestors().map(|folder| folder.join("later/usr/bin").join(program));
    let found = candidates.find(|candidate| candidate.exists());
    found.unwrap_or_else(|| {
        panic!("{program} is missing: `cargo xtask test later` fetches what this test needs")
    })
}

/// A CA of micromdm's, and the server in front of it while this lives.
#[derive(Debug)]
pub struct Micromdm {
    server: Child,
    port: u16,
    depot: TempDir,
    challenge: String,
}

impl Micromdm {
    /// With a CA of its own, which certifies whoever knows `challenge`, and renews at any time.
    pub fn start(challenge: &str) -> Self {
        let depot = TempDir::new().expect("a folder");
        let made = Command::new(later_program("scepserver"))
            .args(["ca", "-init", "-keySize", "2048", "-depot"])
            .arg(depot.path())
            .output()
            .expect("scepserver runs");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Self::serve(depot, challenge.to_owned())
    }

    /// Another server with the same CA, which knows nothing of what this one did since.
    #[must_use]
    pub fn again(&self) -> Self {
        let depot = TempDir::new().expect("a folder");
        for name in ["ca.key", "ca.pem"] {
            fs::copy(self.depot.path().join(name), depot.path().join(name)).expect("a copy");
        }
        fs::write(depot.path().join("index.txt"), "").expect("an empty file");
        Self::serve(depot, self.challenge.clone())
    }

    fn serve(depot: TempDir, challenge: String) -> Self {
        for _ in 0..20 {
            // Free a moment ago; somebody else may have taken it since.
            let free = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
            let port = free.expect("a free port").port();
            let mut server = spawn(depot.path(), port, &challenge);
            if answers(&mut server, port) {
                return Self { server, port, depot, challenge };
            }
        }
        panic!("scepserver does not start");
    }

    /// Where it serves SCEP.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/scep", self.port)
    }

    /// The CA's certificate.
    pub fn ca(&self) -> Certificate {
        let pem = fs::read_to_string(self.depot.path().join("ca.pem")).expect("ca.pem");
        Certificate::from_pem(&pem).expect("a certificate")
    }
}

impl Drop for Micromdm {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn spawn(depot: &Path, port: u16, challenge: &str) -> Child {
    Command::new(later_program("scepserver"))
        .args([
            "-http-addr",
            &format!("127.0.0.1:{port}"),
            "-challenge",
            challenge,
            "-allowrenew",
            "0",
            "-depot",
        ])
        .arg(depot)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("scepserver runs")
}

fn answers(server: &mut Child, port: u16) -> bool {
    for _ in 0..200 {
        if server.try_wait().is_ok_and(|ended| ended.is_some()) {
            return false;
        }
        if TcpStream::connect(("127.0.0.1", port)).is_ok() {
            return true;
        }
        #[expect(clippy::disallowed_methods, reason = "the other process sends no signal")]
        thread::sleep(Duration::from_millis(25));
    }
    let _ = server.kill();
    let _ = server.wait();
    false
}
