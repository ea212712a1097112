//! `ledger = "none"`: two servers that share keys and configuration, and nothing else, are one CA.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    process::Command,
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use keys_software::AwsLc;
use pki_core::{Certificate, UnixTime};
use scep_proto::{FailInfo, RequestMessage};
use support::{
    DIRECTORY, Server, attempt,
    balancer::Balancer,
    device::{Answer, Device, Prepared, Reply},
    eventually, program, run,
};
use testkit::keys;

const STATIC: &str = "a static challenge of many letters";
const DAY: u64 = 86_400;

/// A profile that can do without a ledger.
fn profile(validity_days: u64, window_days: u64) -> String {
    format!(
        "[{{ challenge = 'static', challenge_file = 'challenge.txt', validity_days = {validity_days}, \
            renewal_window_days = {window_days} }}]"
    )
}

/// What both servers are told. The directory is one for both.
struct Configuration {
    base_url: String,
    key: &'static str,
    profile: String,
    directory: PathBuf,
    crls: String,
}

impl Configuration {
    fn variables(&self) -> Vec<(&str, &str)> {
        vec![
            ("SCEP_SERVER__LEDGER", "none"),
            ("SCEP_SERVER__THROTTLE__SOURCE_PER_MINUTE", "0"),
            ("SCEP_SERVER__THROTTLE__UNDECRYPTABLE_PER_MINUTE", "0"),
            ("SCEP_SERVER__LIMITS__CONNECTIONS_PER_ADDRESS", "1000"),
            ("SCEP_SERVER__BASE_URL", &self.base_url),
            ("SCEP_SERVER__CRL__ENABLED", "false"),
            ("SCEP_SERVER__CA__KEY", self.key),
            ("SCEP_SERVER__PROFILE", &self.profile),
            ("SCEP_SERVER__DIRECTORY__FILE", self.directory.to_str().unwrap()),
            ("SCEP_SERVER__REVOCATION__CRL", &self.crls),
        ]
    }
}

/// Two servers, and a balancer before them.
struct Site {
    configuration: Configuration,
    servers: [Server; 2],
    balancer: Balancer,
}

impl Site {
    fn of_key(key: &'static str) -> Self {
        Self::of(key, |_| {})
    }

    /// The first server makes the keys; the second gets a copy of them.
    fn of(key: &'static str, more: impl FnOnce(&mut Configuration)) -> Self {
        let (first, balancer) = (data_folder(), Balancer::start());
        let mut configuration = Configuration {
            base_url: format!("http://{}", balancer.address),
            key,
            profile: profile(365, 182),
            directory: first.path().join("data/directory.toml"),
            crls: "[]".to_owned(),
        };
        more(&mut configuration);
        let start = |folder| Server::start_in(folder, "127.0.0.1:0", &configuration.variables());
        let first = start(first);
        let second = tempfile::tempdir().unwrap();
        copy_keys(&first.data(), &second.path().join("data"));
        let servers = [first, start(second)];
        balancer.serve(&servers.each_ref().map(Server::address));
        Self { configuration, servers, balancer }
    }

    /// Both stop and start again, with another profile.
    fn with_profile(self, profile: String) -> Self {
        let configuration = Configuration { profile, ..self.configuration };
        let restart = |server: Server| server.kill_and_restart_with(&configuration.variables());
        Self { servers: self.servers.map(restart), configuration, balancer: self.balancer }
    }

    fn device(&self) -> Device {
        Device::new(&self.servers[0].data(), keys::rsa(keys::DEVICE_PEM))
    }

    fn ca(&self) -> Certificate {
        Certificate::from_pem(&fs::read_to_string(self.servers[0].ca_pem()).unwrap()).unwrap()
    }

    /// Sends a message through the balancer until there is an answer.
    fn settle(&self, message: &Prepared) -> Reply {
        let mut attempts = (0..1000).map(|_| message.send(&self.balancer.address));
        attempts.find_map(Result::ok).unwrap()
    }

    /// Has a message answered twice by each server.
    fn settled_everywhere(&self, message: &Prepared) -> Certificate {
        let before = self.balancer.served();
        let replies: Vec<_> = (0..4).map(|_| self.settle(message).unwrap()).collect();
        let after = self.balancer.served();
        assert!(
            before.iter().zip(&after).all(|(before, after)| before + 2 == *after),
            "{before:?} {after:?}"
        );
        assert!(replies.iter().all(|reply| reply.as_der() == replies[0].as_der()));
        replies[0].clone()
    }

    /// Runs `scep-server` with `arguments` on the first server's data: whether that went well, and what it printed.
    fn command(&self, arguments: &[&str]) -> (bool, String) {
        let output = Command::new(env!("CARGO_BIN_EXE_scep-server"))
            .envs(self.configuration.variables())
            .arg("--data")
            .arg(self.servers[0].data())
            .args(arguments)
            .output()
            .unwrap();
        let printed = if output.status.success() { output.stdout } else { output.stderr };
        (output.status.success(), String::from_utf8(printed).unwrap())
    }

    /// What both responders say of a certificate, once they say `expected`.
    fn assert_status(&self, certificate: &Certificate, expected: &str) {
        let file = self.servers[0].folder().join("asked.pem");
        fs::write(&file, certificate.to_pem()).unwrap();
        for server in &self.servers {
            let (ca, url) = (server.ca_pem(), format!("http://{}/ocsp", server.address()));
            let (ca, asked) = (ca.to_str().unwrap(), file.to_str().unwrap());
            let arguments = ["ocsp", "-issuer", ca, "-CAfile", ca, "-url", &url, "-cert", asked];
            let ask = || attempt(server.folder(), "openssl", &arguments).1;
            let answer = eventually(ask, |answer| answer.contains(expected));
            assert!(answer.contains("Response verify OK") && answer.contains(expected), "{answer}");
        }
    }

    /// Nothing was kept but what was there at the start.
    fn assert_nothing_is_on_record(&self) {
        for server in &self.servers {
            let entries = fs::read_dir(server.data()).unwrap().map(|entry| entry.unwrap().file_name());
            let names: Vec<_> = entries.map(|name| name.into_string().unwrap()).collect();
            assert!(
                !names.iter().any(|name| name.contains("sqlite") || name.contains("ledger")),
                "{names:?}"
            );
        }
    }
}

/// A data folder with a directory and the challenge that all share.
fn data_folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::write(data.join("directory.toml"), DIRECTORY).unwrap();
    fs::write(data.join("challenge.txt"), STATIC).unwrap();
    fs::set_permissions(data.join("challenge.txt"), fs::Permissions::from_mode(0o600)).unwrap();
    folder
}

/// As an operator does who sets up a second server.
fn copy_keys(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let name = entry.unwrap().file_name();
        let ends = |ending| Path::new(&name).extension().is_some_and(|found| found == ending);
        if ["key", "pem", "txt"].into_iter().any(ends) {
            fs::copy(from.join(&name), to.join(&name)).unwrap();
        }
    }
}

#[test]
fn row_14_a_repeat_gets_the_same_octets_from_either_server_whatever_the_key() {
    for key in ["p256", "p384", "rsa2048", "ed25519", "mldsa65"] {
        let site = Site::of_key(key);
        let device = site.device();
        let csr = device.csr("demo-laptop", STATIC);
        let one = site.settled_everywhere(&device.pkcs_req(&csr, "one"));
        one.verify_signed_by(site.ca().public_key(), &AwsLc).unwrap();
        let other = site.settled_everywhere(&device.pkcs_req(&csr, "other"));
        assert_ne!(one.serial_number(), other.serial_number(), "{key}");
        site.assert_nothing_is_on_record();
    }
}

/// It was made by one server, and no other has seen it; clients make their messages anew.
#[test]
fn a_sealed_challenge_enrolls_at_either_server_and_gets_one_certificate() {
    let sealed = "[{ challenge = 'sealed', renewal = 'off' }]".to_owned();
    let site = Site::of("p256", |configuration| configuration.profile = sealed);
    let (made, challenge) = site.command(&["challenge", "create", "--sealed", "--object", "demo-laptop"]);
    assert!(made, "{challenge}");
    let device = site.device();
    let csr = device.csr("demo-laptop", challenge.trim());
    let one = site.settled_everywhere(&device.pkcs_req(&csr, "1"));
    let self_signed = device.self_signed(csr.subject());
    let anew = device.message(&RequestMessage::PkcsReq(csr.clone()), self_signed, "1");
    assert_eq!(site.settled_everywhere(&anew).as_der(), one.as_der());
    let for_another = device.request("laptop-2", challenge.trim(), "2");
    assert_eq!(site.settle(&for_another), Err(FailInfo::BadRequest));
    site.assert_status(&one, ": good");
    site.assert_nothing_is_on_record();
}

/// The certificate was issued, and the server that issued it is gone before its answer arrives.
// clause: RFC 8894 S25
#[test]
fn an_answer_that_is_lost_with_its_server_is_given_again_by_the_other() {
    let site = Site::of_key("p256");
    let message = site.device().request("demo-laptop", STATIC, "lost");
    site.balancer.lose_answers();
    assert!(message.send(&site.balancer.address).is_err(), "no answer");
    let lost = site.balancer.find_answers();
    let issuing = site.balancer.served().iter().position(|count| *count == 1).unwrap();
    site.servers[issuing].stop_where_it_stands();
    let body = lost[0].windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let issued = message.read(&lost[0][body..]).unwrap();
    assert_eq!(site.settle(&message).unwrap().as_der(), issued.as_der());
    assert_eq!(site.balancer.served()[1 - issuing], 1, "by the other one");
}

const MESSAGES: usize = 48;

#[test]
fn servers_that_are_killed_under_load_leave_no_second_certificate() {
    let mut site = Site::of_key("p256");
    let device = site.device();
    let names = ["demo-laptop", "laptop-2", "zoe"];
    let message = |number: usize| device.request(names[number % 3], STATIC, &format!("message-{number}"));
    let messages: Vec<Prepared> = (0..MESSAGES).map(message).collect();
    for victim in 0..2 {
        let next = AtomicUsize::new(0);
        let address = site.balancer.address.clone();
        let settle = |message: &Prepared| {
            let mut attempts = (0..1000).map(|_| message.send(&address));
            attempts.find_map(Result::ok).unwrap().unwrap()
        };
        let client = || {
            let mut answers = Vec::new();
            while let Some(message) = messages.get(next.fetch_add(1, Ordering::SeqCst)) {
                answers.push((settle(message), settle(message)));
            }
            answers
        };
        let answers: Vec<_> = thread::scope(|scope| {
            let clients: Vec<_> = (0..4).map(|_| scope.spawn(client)).collect();
            while next.load(Ordering::SeqCst) < MESSAGES / 3 {
                thread::yield_now();
            }
            site.servers[victim].stop_where_it_stands();
            clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
        });
        assert!(answers.iter().all(|(one, again)| one.as_der() == again.as_der()));
        assert_eq!(answers.len(), MESSAGES);
        let restarted = site.servers[victim].address();
        assert!(site.balancer.served().iter().all(|count| *count > 0));
        let Site { configuration, servers, balancer } = site;
        let servers = servers.map(|server| {
            if server.address() == restarted {
                server.kill_and_restart_with(&configuration.variables())
            } else {
                server
            }
        });
        site = Site { configuration, servers, balancer };
    }
    for message in &messages {
        site.settled_everywhere(message);
    }
    site.assert_nothing_is_on_record();
}

// clause: RFC 8894 S3
#[test]
fn a_renewal_is_one_certificate_wherever_it_is_asked_for() {
    let site = Site::of("p256", |configuration| configuration.profile = profile(150, 75));
    let device = site.device();
    let old = site.settled_everywhere(&device.request("demo-laptop", STATIC, "first"));
    let csr = device.csr("demo-laptop", "");
    let renewal = RequestMessage::RenewalReq(csr.clone());
    let too_early = device.message(&renewal, old.clone(), "renewal");
    assert_eq!(site.settle(&too_early), Err(FailInfo::BadRequest));
    // Certificates live longer from now on, so that this one is due.
    let site = site.with_profile(profile(365, 182));
    let new = site.settled_everywhere(&device.message(&renewal, old.clone(), "renewal"));
    assert_ne!(new.serial_number(), old.serial_number());
    // This CA is younger than that.
    let opened = (old.validity().not_after().0 - 182 * DAY).max(site.ca().validity().not_before().0);
    assert_eq!(new.validity().not_after(), UnixTime(opened + 365 * DAY));
    // Made anew, and enciphered anew: the same transaction and request all the same.
    assert_eq!(site.settled_everywhere(&device.message(&renewal, old.clone(), "renewal")), new);
    site.assert_status(&new, ": good");
}

#[test]
fn whoever_leaves_the_directory_is_revoked_on_both() {
    let site = Site::of_key("p256");
    let certificate = site.settled_everywhere(&site.device().request("demo-laptop", STATIC, "1"));
    site.assert_status(&certificate, ": good");
    site.servers[0].set_state("demo-laptop", "disabled");
    site.assert_status(&certificate, "certificateHold");
    site.servers[0].delete_object("demo-laptop");
    site.assert_status(&certificate, "cessationOfOperation");
    let again = site.settle(&site.device().request("demo-laptop", STATIC, "1"));
    assert_eq!(again, Err(FailInfo::BadRequest), "not even what it had");
}

/// What is not on record is revoked by hand as anybody else's CA would: by a CRL, here of OpenSSL's making.
#[test]
fn a_crl_in_a_file_revokes_what_is_on_no_record() {
    let crls = "[{ full = 'revoked.pem', refresh_seconds = 1 }]".to_owned();
    let site = Site::of("p256", |configuration| configuration.crls = crls);
    let [one, other] = ["demo-laptop", "laptop-2"]
        .map(|name| site.settled_everywhere(&site.device().request(name, STATIC, name)));
    let home = site.servers[0].folder();
    let config = "[ca]\ndefault_ca=x\n[x]\ndatabase=index\ncrlnumber=number\ndefault_md=sha256\n\
                  certificate=data/ca.pem\nprivate_key=data/ca.key.pem\ndefault_crl_days=7\n";
    let serial = one.serial_number().unwrap();
    let index = format!("R\t491231235959Z\t261101000000Z,keyCompromise\t{serial}\tunknown\t/CN=x\n");
    for (name, text) in [("config", config), ("index", &index), ("number", "01")] {
        fs::write(home.join(name), text).unwrap();
    }
    run(home, "openssl", &["ca", "-config", "config", "-gencrl", "-out", "new.pem"]);
    for server in &site.servers {
        let aside = server.data().join("aside.pem");
        fs::copy(home.join("new.pem"), &aside).unwrap();
        fs::rename(aside, server.data().join("revoked.pem")).unwrap();
    }
    site.assert_status(&one, "keyCompromise");
    site.assert_status(&other, ": good");
}

#[test]
fn what_would_have_to_be_on_record_is_not_to_be_had() {
    let site = Site::of_key("p256");
    let (device, server) = (site.device(), &site.servers[0]);
    let certificate = site.settled_everywhere(&device.request("demo-laptop", STATIC, "1"));
    let get_cert = device.get_cert(certificate.serial_number().unwrap(), certificate.clone());
    assert_eq!(site.settle(&get_cert), Err(FailInfo::BadCertId));
    let Answer::Refused(info, _) = device.poll("demo-laptop", "1").ask(&server.address()) else { panic!() };
    assert_eq!(info, FailInfo::BadCertId);
    let (status, _, _) = support::device::get(&server.address(), "/crl");
    assert_eq!(status, 404);
    for arguments in [
        &["cert", "list"][..],
        &["pending", "list"],
        &["refusals"],
        &["crl"],
        &["challenge", "create", "--object", "demo-laptop"],
    ] {
        let (succeeded, told) = site.command(arguments);
        assert!(!succeeded && told.contains("challenge") | told.contains("record"), "{told}");
    }
    let (_, printed) = site.command(&["config", "print"]);
    assert!(printed.contains("ledger = \"none\""), "{printed}");
    let (_, help) = site.command(&["--help"]);
    assert!(help.contains("ledger = \"none\""), "{help}");
    site.assert_nothing_is_on_record();
}

/// Nobody needs a key to make a plain one.
#[test]
fn row_48_a_serial_number_that_anybody_can_make_up_is_not_good() {
    let site = Site::of_key("p256");
    for server in &site.servers {
        let (ca, url) = (server.ca_pem(), format!("http://{}/ocsp", server.address()));
        let ca = ca.to_str().unwrap();
        let made_up = format!("0x10{}000000", "d6b58414-60ed-426b-b382-276a3e8d626d".replace('-', ""));
        let arguments = ["ocsp", "-issuer", ca, "-CAfile", ca, "-url", &url, "-serial", &made_up];
        let (_, answer) = attempt(server.folder(), "openssl", &arguments);
        // What is said of numbers that were never given (RFC 6960 §2.2).
        assert!(answer.contains("certificateHold") && answer.contains("Jan  1 00:00:00 1970"), "{answer}");
    }
}

#[test]
fn a_folder_with_a_ledger_is_not_served_as_if_it_had_none() {
    let site = Site::of_key("p256");
    let [server, _] = site.servers;
    fs::write(server.data().join("ledger.sqlite"), "").unwrap();
    let folder = server.kill();
    let output = Command::new(env!("CARGO_BIN_EXE_scep-server"))
        .envs(site.configuration.variables())
        .args(["--listen", "127.0.0.1:0", "--data"])
        .arg(folder.path().join("data"))
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success() && told.contains("move the file away"), "{told}");
}

#[test]
fn what_needs_a_ledger_is_told_at_the_start_with_what_to_set() {
    let folder = data_folder();
    let fit = "challenge = 'static'\nchallenge_file = 'challenge.txt'\nrenewal = 'off'\n";
    for (text, parts) in [
        ("", ["crl.enabled = false", "CRLs"]),
        ("[serial]\nlayout = 'plain'\n[crl]\nenabled = false\n", ["serial.layout = \"sealed\"", "make up"]),
        ("[crl]\nenabled = false\n", ["set challenge = \"sealed\"", "one-time"]),
        (
            "[crl]\nenabled = false\n[[profile]]\nchallenge = 'none'\napproval = 'manual'\n",
            ["set a challenge", "approval"],
        ),
        (
            &format!("[crl]\nenabled = false\n[[profile]]\n{fit}approval = 'manual'\n"),
            ["approval = \"automatic\"", "wait"],
        ),
        (&format!("[crl]\nenabled = false\n[[profile]]\n{fit}crl = true\n"), ["crl", "CRL"]),
        (
            &format!("[crl]\nenabled = false\n[[profile]]\n{}", fit.replace("renewal = 'off'", "")),
            ["set renewal_window_days", "renewal = \"off\""],
        ),
        (
            &format!(
                "[crl]\nenabled = false\n[[profile]]\n{}",
                fit.replace("renewal = 'off'", "renewal_window_days = 183")
            ),
            ["at most half", "renewal_window_days"],
        ),
    ] {
        let file = folder.path().join("scep-server.toml");
        fs::write(&file, format!("ledger = 'none'\nbase_url = 'http://ca.example.com'\n{text}")).unwrap();
        let refused = Command::new(env!("CARGO_BIN_EXE_scep-server"))
            .args(["--listen", "127.0.0.1:0", "--config"])
            .arg(&file)
            .arg("--data")
            .arg(folder.path().join("data"))
            .output()
            .unwrap();
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success(), "{text}");
        assert!(parts.iter().all(|part| told.contains(part)), "{text}: {told}");
        assert!(!folder.path().join("data/ledger.sqlite").exists(), "{text}");
    }
}

/// The whole suite that one server with a ledger passes, through the balancer. What two without one do otherwise has its
/// reason in a file.
#[test]
fn two_servers_are_judged_as_one_by_the_conformance_runner() {
    let site = Site::of_key("p256");
    let exceptions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/exceptions");
    let read = |name| fs::read_to_string(exceptions.join(name)).unwrap();
    let both = site.servers[0].folder().join("exceptions.toml");
    fs::write(&both, read("scep-server.toml") + &read("scep-server-without-ledger.toml")).unwrap();
    let url = format!("{}/scep", site.configuration.base_url);
    let arguments = ["--url", &url, "--challenge", STATIC, "--subject", "CN=demo-laptop", "--exceptions"];
    let judge = program("scep-conformance", "conformance");
    let fingerprint = ["--ca-fingerprint", site.servers[0].fingerprint()];
    let arguments = [&arguments[..], &[both.to_str().unwrap()], &fingerprint].concat();
    let (is_clean, table) = attempt(site.servers[0].folder(), judge.to_str().unwrap(), &arguments);
    assert!(is_clean, "{table}");
    let served = site.balancer.served();
    assert!(served.iter().all(|count| *count > 40), "{served:?}");
    site.assert_nothing_is_on_record();
}
