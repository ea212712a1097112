//! Servers that nobody here wrote, run as the user who runs the tests, from a folder of theirs.

use std::{
    fs::File,
    net::UdpSocket,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::Duration,
};

/// A server process that ends with the test.
pub struct Daemon {
    child: Child,
    log: PathBuf,
}

impl Daemon {
    /// Starts `program` and waits until it has written `ready`; the error is what it wrote when it ended before.
    pub fn start(folder: &Path, program: &str, arguments: &[&str], ready: &str) -> Result<Self, String> {
        let log = folder.join(format!("{program}.log"));
        let output = File::create(&log).unwrap();
        // Debian keeps servers where only administrators have them on their PATH.
        let installed = Path::new("/usr/sbin").join(program);
        let child = Command::new(if installed.exists() { installed.as_os_str() } else { program.as_ref() })
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn();
        let child = child.unwrap_or_else(|error| {
            panic!("{program} does not run ({error}): `cargo xtask test` installs what the tests need")
        });
        let mut daemon = Self { child, log };
        for _ in 0..200 {
            if daemon.log().contains(ready) {
                return Ok(daemon);
            }
            if daemon.child.try_wait().unwrap().is_some() {
                break;
            }
            pause();
        }
        Err(daemon.log())
    }

    /// What it has written until now.
    pub fn log(&self) -> String {
        String::from_utf8_lossy(&std::fs::read(&self.log).unwrap()).into_owned()
    }

    /// Asks it to end; `None` when it does not.
    fn stop(&mut self) -> Option<ExitStatus> {
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        (0..100).find_map(|_| {
            pause();
            self.child.try_wait().ok().flatten()
        })
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // With manners first: a killed parent leaves its workers behind.
        if self.stop().is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// A UDP port of 127.0.0.1 that nobody had a moment ago, for programs that do not find one themselves.
pub fn free_udp_port() -> u16 {
    UdpSocket::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A certificate of nobody's but its own, for a TLS server called `name`: the files of certificate and key.
pub fn self_signed(folder: &Path, name: &str) -> [PathBuf; 2] {
    let [certificate, key] = ["pem", "key"].map(|ending| folder.join(format!("{name}.{ending}")));
    let (subject, alternative) = (format!("/CN={name}"), format!("subjectAltName=DNS:{name}"));
    let arguments = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", &subject];
    let more = ["-addext", &alternative, "-addext", "extendedKeyUsage=serverAuth", "-keyout"];
    let files = [key.to_str().unwrap(), "-out", certificate.to_str().unwrap()];
    super::run(folder, "openssl", &[&arguments[..], &more, &files].concat());
    [certificate, key]
}

#[expect(clippy::disallowed_methods, reason = "the other process sends no signal")]
fn pause() {
    std::thread::sleep(Duration::from_millis(50));
}
