//! certmonger enrolls through its SCEP helper, told nothing but the URL; it renews, waits for approval, and takes up the
//! next CA.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use support::{Server, assert_good_laptop_2, daemon::Daemon, eventually, run};

/// Runs inside certmonger, which tells it alone where it listens, and ends when it does.
fn session(folder: &Path) -> String {
    let told = r#"echo "listens at $CERTMONGER_PVT_ADDRESS""#;
    format!("{told}\nwhile [ ! -e {}/stop ] && kill -0 $PPID; do sleep 0.1; done\n", folder.display())
}

/// A day, less the two seconds after which certmonger finds that it is time: `validity_days = 1` below.
const RENEWS_AT_ONCE: &str = "[defaults]\nenroll_ttls = 86398\nnotify_ttls = 86398\n";

/// certmonger's daemon with folders of its own, below `certmonger` in the server's.
struct Certmonger {
    daemon: Daemon,
    folder: PathBuf,
}

impl Certmonger {
    /// Knowing the SCEP server as the CA `certbound`; with what stands in its configuration file.
    fn start(server: &Server, configuration: &str) -> Self {
        let folder = server.folder().join("certmonger");
        let mut variables = Vec::new();
        for (name, variable) in
            [("requests", "REQUESTS"), ("cas", "CAS"), ("config", "CONFIG"), ("local", "LOCAL_CA")]
        {
            std::fs::create_dir_all(folder.join(name)).unwrap();
            variables.push(format!("CERTMONGER_{variable}_DIR={}", folder.join(name).display()));
        }
        variables.push(format!("CERTMONGER_TMPDIR={}", folder.display()));
        variables.push(format!("CERTMONGER_SYSTEM_LOCK_FILE={}", folder.join("lock").display()));
        std::fs::write(folder.join("config/certmonger.conf"), configuration).unwrap();
        std::fs::write(folder.join("session.sh"), session(&folder)).unwrap();
        // It goes to the root folder.
        let [socket, command] = [folder.join("socket"), folder.join("session.sh")];
        let command = format!("sh {}", command.display());
        let mut arguments: Vec<&str> = variables.iter().map(String::as_str).collect();
        arguments.extend([
            "certmonger",
            "-n",
            "-L",
            "-P",
            socket.to_str().unwrap(),
            "-d",
            "1",
            "-c",
            &command,
        ]);
        let daemon = Daemon::start(&folder, "env", &arguments, "listens at ");
        let daemon = daemon.unwrap_or_else(|told| panic!("`cargo xtask test` installs certmonger: {told}"));
        let certmonger = Self { daemon, folder };
        certmonger.getcert(&["add-scep-ca", "-c", "certbound", "-u", server.url("SCEP URL")]);
        certmonger.knows_its_ca();
        certmonger
    }

    /// The daemon asks for the CA's capabilities and certificates before it can submit anything.
    fn knows_its_ca(&self) -> String {
        let told = eventually(
            || self.getcert(&["list-cas", "-c", "certbound", "-v"]),
            |told| told.contains("thumbprint (SHA1)"),
        );
        told.lines()
            .find(|line| line.contains("thumbprint (SHA1)"))
            .unwrap_or_else(|| panic!("{told}"))
            .to_owned()
    }

    /// `getcert`, which must succeed.
    fn getcert(&self, arguments: &[&str]) -> String {
        let log = self.daemon.log();
        let address = log.lines().find_map(|line| line.strip_prefix("listens at ")).unwrap();
        let output = Command::new("timeout")
            .args(["60", "getcert"])
            .args(arguments)
            .env("CERTMONGER_PVT_ADDRESS", address)
            .current_dir(&self.folder)
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        assert!(output.status.success(), "{arguments:?}: {told}\n{}", self.daemon.log());
        told
    }

    /// Asks for the certificate of `laptop-2`, and waits for it where `more` says so.
    fn request(&self, challenge: &str, more: &[&str]) {
        let [key, certificate] = [self.key(), self.certificate()];
        let files = ["-k", key.to_str().unwrap(), "-f", certificate.to_str().unwrap(), "-g", "2048"];
        let names = ["-N", "CN=laptop-2", "-D", "laptop-2.example.com", "-L", challenge];
        self.getcert(&[&["request", "-c", "certbound", "-I", "one"], &files[..], &names, more].concat());
    }

    /// Until the daemon says that the request has come that far.
    fn waits_for(&self, status: &str) {
        let told = eventually(|| self.getcert(&["list", "-i", "one"]), |told| told.contains(status));
        assert!(told.contains(status), "{told}\n{}", self.daemon.log());
    }

    fn key(&self) -> PathBuf {
        self.folder.join("key.pem")
    }

    fn certificate(&self) -> PathBuf {
        self.folder.join("certificate.pem")
    }

    /// The certificate's serial number and its public key.
    fn shown(&self) -> [String; 2] {
        let file = self.certificate();
        ["-serial", "-pubkey"].map(|what| {
            run(&self.folder, "openssl", &["x509", "-in", file.to_str().unwrap(), "-noout", what])
        })
    }
}

impl Drop for Certmonger {
    fn drop(&mut self) {
        // A signal alone does not end it.
        let _ = std::fs::write(self.folder.join("stop"), "");
    }
}

fn numbers(server: &Server) -> usize {
    server.succeed(&["cert", "list"]).lines().count() - 1
}

/// Approves the one request that waits.
fn approve(server: &Server) {
    let listed = eventually(|| server.succeed(&["pending", "list"]), |list| list.lines().count() == 2);
    let id = listed.lines().nth(1).and_then(|line| line.split(' ').next());
    server.succeed(&["pending", "approve", id.unwrap_or_else(|| panic!("{listed}"))]);
}

// clause: RFC 8894 M1, M2, M16
#[test]
fn certmonger_enrolls_without_extra_flags_and_renews_with_its_key_and_with_another() {
    let server = Server::start();
    let certmonger = Certmonger::start(&server, "");
    certmonger.request(&server.challenge("laptop-2"), &["-w"]);
    assert_good_laptop_2(&server, &certmonger.certificate());
    let [first, key] = certmonger.shown();

    certmonger.getcert(&["resubmit", "-i", "one", "-w"]);
    let [second, same] = certmonger.shown();
    assert!(first != second && key == same, "{second}");
    assert_good_laptop_2(&server, &certmonger.certificate());

    certmonger.getcert(&["rekey", "-i", "one", "-w"]);
    let [third, other] = certmonger.shown();
    assert!(second != third && key != other, "{third}");
    assert_good_laptop_2(&server, &certmonger.certificate());
    assert_eq!(numbers(&server), 3);
}

#[test]
fn certmonger_renews_by_itself_when_it_is_time() {
    let server = Server::start_with(&[("SCEP_SERVER__PROFILE", "[{ validity_days = 1 }]")]);
    let certmonger = Certmonger::start(&server, RENEWS_AT_ONCE);
    certmonger.request(&server.challenge("laptop-2"), &["-w"]);
    let [first, _] = certmonger.shown();
    let now = eventually(|| certmonger.shown()[0].clone(), |serial| serial != first);
    assert_ne!(now, first, "{}", certmonger.daemon.log());
    assert_good_laptop_2(&server, &certmonger.certificate());
}

// clause: RFC 8894 M23, S19
#[test]
fn certmonger_waits_until_its_enrollment_and_its_renewal_are_approved() {
    let profile = "[{ approval = 'manual-with-renewals' }]";
    let server = Server::start_with(&[("SCEP_SERVER__PROFILE", profile)]);
    let certmonger = Certmonger::start(&server, "");
    certmonger.request(&server.challenge("laptop-2"), &[]);
    certmonger.waits_for("CA_WORKING");
    approve(&server);
    // By itself it would ask again after some days.
    certmonger.getcert(&["refresh", "-i", "one"]);
    certmonger.waits_for("MONITORING");
    let [first, _] = certmonger.shown();

    certmonger.getcert(&["resubmit", "-i", "one"]);
    certmonger.waits_for("CA_WORKING");
    approve(&server);
    certmonger.getcert(&["refresh", "-i", "one"]);
    certmonger.waits_for("MONITORING");
    assert_ne!(certmonger.shown()[0], first);
    assert_good_laptop_2(&server, &certmonger.certificate());
    assert_eq!(numbers(&server), 2);
}

/// It knows no GetNextCACert; it learns of the next CA when that is at work.
#[test]
fn certmonger_takes_up_the_next_ca_when_that_is_at_work() {
    let server = Server::start();
    let certmonger = Certmonger::start(&server, "");
    certmonger.request(&server.challenge("laptop-2"), &["-w"]);
    let before = certmonger.knows_its_ca();
    let first = issuer(&certmonger);
    server.succeed(&["ca", "next", "create"]);
    server.succeed(&["ca", "next", "promote"]);
    let server = server.kill_and_restart();

    certmonger.getcert(&["refresh-ca", "-c", "certbound"]);
    eventually(|| certmonger.knows_its_ca(), |thumbprint| thumbprint != before);
    assert_ne!(certmonger.knows_its_ca(), before);
    certmonger.getcert(&["resubmit", "-i", "one", "-w"]);
    assert_ne!(issuer(&certmonger), first, "{}", certmonger.daemon.log());
    assert_good_laptop_2(&server, &certmonger.certificate());
}

/// The key of the CA that issued its certificate, as that names it.
fn issuer(certmonger: &Certmonger) -> String {
    let file = certmonger.certificate();
    let show = ["x509", "-in", file.to_str().unwrap(), "-noout", "-ext", "authorityKeyIdentifier"];
    run(&certmonger.folder, "openssl", &show)
}
