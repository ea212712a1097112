//! A sound server in this process: the CA of this workspace, with its SCEP service.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "each test file uses its own part"
)]

pub mod authority;
pub mod broken_ocsp;
pub mod broken_scep;
pub mod enrolled;
pub mod faults;
pub mod faults_ocsp;
pub mod proxy;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use configuration::Configuration;
use conformance::{
    Finding, Report, Ruling, Verdict,
    scep::{Approvals, ChallengeSource, Challenges, Keys, Target},
};
use enrollment::{ChallengeKey, OneTimeChallenges};
use keys_software::{AwsLc, load_secret};
use ledger::{Ledger, LedgerSettings, PendingQuery};
use pki_core::{Certificate, Clock as _, Name, SystemClock};
use scep_server::{commands::FirstRun, server::Server as ScepServer, settings::Settings};
use serial_binding::{BoundObject, ObjectKind};
use testkit::keys;

use authority::Authority;

/// The device that certificates are for.
pub const DEVICE: &str = "conformance-device";
const DEVICE_ID: &str = "d6b58414-60ed-426b-b382-276a3e8d626d";

const DIRECTORY: &str = r#"
[[devices]]
id = "d6b58414-60ed-426b-b382-276a3e8d626d"
name = "conformance-device"
state = "enabled"

[[devices]]
id = "307ff02c-76d6-4808-a523-3cbae90dcdbc"
name = "disabled-device"
state = "enabled"
"#;

/// The device that is put on hold.
pub const DISABLED: &str = "disabled-device";
const DISABLED_ID: &str = "307ff02c-76d6-4808-a523-3cbae90dcdbc";

/// The challenge of the profile `static`.
pub const STATIC_CHALLENGE: &str = "a-challenge-that-is-long-enough-for-all";

/// A server with a folder of its own, until it is dropped.
pub struct Sound {
    folder: tempfile::TempDir,
    /// `http://` and where it listens.
    pub base: String,
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Sound {
    /// One-time challenges at `/scep`, one for all at `/static`, and a person at `/manual`; `more` settings as TOML.
    pub fn start(more: &str) -> Self {
        // In memory, where there is such a place: a hundred certificates a run, each of which waits for the disk.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        std::fs::write(data.join("directory.toml"), DIRECTORY).unwrap();
        keys_software::create_private_file(&data.join("static-challenge"), STATIC_CHALLENGE.as_bytes())
            .unwrap();
        let text = format!(
            "listen = \"127.0.0.1:0\"\n{more}\n[limits]\nconnections_per_address = 1000\n\
             [throttle]\nsource_per_minute = 0\nundecryptable_per_minute = 0\n\
             [[profile]]\nname = \"default\"\n\
             [[profile]]\nname = \"static\"\npath = \"/static\"\nchallenge = \"static\"\n\
             challenge_file = \"static-challenge\"\n\
             [[profile]]\nname = \"manual\"\npath = \"/manual\"\napproval = \"manual-with-renewals\"\n"
        );
        let mut settings: Settings = Configuration::from_text(&text).unwrap().read().unwrap();
        settings.data = data;
        let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
        let (tell, told) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
            runtime.block_on(async move {
                let server = ScepServer::start(&settings, FirstRun::Configured).await.unwrap();
                tell.send(server.address()).unwrap();
                server.run(async { drop(stopped.await) }).await;
            });
        });
        let address = told.recv().unwrap();
        Self { folder, base: format!("http://{address}"), stop: Some(stop), thread: Some(thread) }
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Fresh challenges for [`DEVICE`].
    pub fn challenges(&self) -> Challenges {
        Challenges::Source(challenge_source(&self.data(), DEVICE_ID, "default"))
    }

    /// A server at `base` whose requests somebody approves, each.
    pub fn manual(&self, base: &str) -> Target {
        let challenges = Challenges::Source(challenge_source(&self.data(), DEVICE_ID, "manual"));
        let ledger = ledger(&self.data());
        let approvals = Approvals::Source(Box::new(move |_| {
            let query = PendingQuery { waiting_at: Some(SystemClock.now()), ..PendingQuery::default() };
            for waiting in ledger.reader().pending(&query).map_err(|error| error.to_string())? {
                let transaction = waiting.queued.request.transaction;
                ledger.approve(transaction, "test").map_err(|error| error.to_string())?;
            }
            Ok(())
        }));
        target(&format!("{base}/manual"), challenges).with_approvals(approvals)
    }

    /// Certificates of [`DEVICE`], which is good, and of [`DISABLED`], which is on hold.
    pub fn certificates(&self) -> (Certificate, Certificate) {
        let enroll = |name: &str, id: &str| {
            let challenge = challenge_source(&self.data(), id, "default")().unwrap();
            enrolled::enroll(&self.base, &Authority::open(&self.data()).ra, name, &challenge)
        };
        let certificates = (enroll(DEVICE, DEVICE_ID), enroll(DISABLED, DISABLED_ID));
        let on_hold =
            DIRECTORY.rsplit_once("enabled").map(|(before, after)| format!("{before}disabled{after}"));
        let path = self.data().join("directory.toml");
        std::fs::write(path.with_extension("new"), on_hold.unwrap()).unwrap();
        std::fs::rename(path.with_extension("new"), path).unwrap();
        certificates
    }
}

/// A server at `url` that has [`DEVICE`] in its directory.
pub fn target(url: &str, challenges: Challenges) -> Target {
    let keys = Keys {
        device: keys::rsa(keys::DEVICE_PEM),
        stranger: keys::rsa(keys::STRANGER_PEM),
        sign_only: keys::ecdsa(keys::DEVICE_P256_PEM),
    };
    Target::new(url.parse().unwrap(), challenges)
        .with_subject(Name::of_common_name(DEVICE))
        .with_keys(keys)
        .with_timeout(Duration::from_secs(30))
}

impl Drop for Sound {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn ledger(data: &Path) -> Ledger {
    Ledger::open(data.join("ledger.sqlite"), LedgerSettings::new(Arc::new(SystemClock))).unwrap()
}

fn challenge_source(data: &Path, id: &str, profile: &'static str) -> ChallengeSource {
    let challenges = OneTimeChallenges {
        store: Arc::new(ledger(data)),
        key: ChallengeKey::new(*load_secret(&data.join("challenge.key")).unwrap()),
        clock: Arc::new(SystemClock),
        random: Arc::new(AwsLc),
    };
    let device = BoundObject::new(ObjectKind::DEVICE, id.parse().unwrap()).unwrap();
    Box::new(move || {
        let made = testkit::block_on(challenges.create(device, profile, Duration::from_secs(600)));
        made.map(|challenge| challenge.expose().to_owned()).map_err(|error| error.to_string())
    })
}

/// Whether whatever is no pass has its reason in the exceptions file.
pub fn is_explained(report: &Report) -> bool {
    let explained = |finding: &Finding| {
        finding.judgement.verdict == Verdict::Pass || matches!(finding.ruling, Ruling::Excepted(_))
    };
    report.findings.iter().all(explained)
}

/// Asks until it is so, for at most twenty seconds.
pub fn until(mut is_so: impl FnMut() -> bool) {
    for _ in 0..200 {
        if is_so() {
            return;
        }
        #[expect(clippy::disallowed_methods, reason = "the server sends no signal")]
        thread::sleep(Duration::from_millis(100));
    }
    panic!("it is not so after twenty seconds");
}
