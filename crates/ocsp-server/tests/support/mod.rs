//! A CA that issues in this process, and `ocsp-server` as a process that answers for it.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use std::{
    io::{BufRead as _, BufReader, Read as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use clap::Parser as _;
use keys_software::{AwsLc, KeyAlgorithm};
use pki_core::{Certificate, ChallengePassword, Name, RequestedExtensions, SystemClock};
use scep_client::{ClientKey, ClientParts, Enrollment, HttpTransport, Outcome, Patience, ScepClient, Trust};
use scep_server::{
    arguments::Arguments,
    commands::{self, FirstRun},
    server::Server,
    settings::{CaSettings, ChallengeKind, ProfileSettings, Settings},
};
use testkit::keys;

pub const DIRECTORY: &str = r#"
[[devices]]
id = "d6b58414-60ed-426b-b382-276a3e8d626d"
name = "laptop-1"
state = "enabled"

[[devices]]
id = "307ff02c-76d6-4808-a523-3cbae90dcdbc"
name = "laptop-2"
state = "enabled"

[[devices]]
id = "5b0f5d8c-2a55-4a52-93e1-6b7a6f0e1d11"
name = "laptop-3"
state = "enabled"
"#;

/// The challenge that every device has.
const CHALLENGE: &str = "correct horse battery staple";

/// `scep-server` in this process, with a folder of its own.
pub struct Ca {
    folder: tempfile::TempDir,
    address: String,
    delegate_tls: Option<String>,
    runtime: tokio::runtime::Runtime,
    settings: Settings,
    serving: tokio::task::JoinHandle<()>,
}

impl Ca {
    pub fn start() -> Self {
        Self::start_with(|_| {})
    }

    /// With whatever else `edit` sets.
    pub fn start_with(edit: impl FnOnce(&mut Settings)) -> Self {
        Self::start_prepared(|_| {}, edit)
    }

    /// The same, with what `prepare` puts into the data folder.
    pub fn start_prepared(prepare: impl FnOnce(&Path), edit: impl FnOnce(&mut Settings)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        prepare(&data);
        std::fs::write(data.join("directory.toml"), DIRECTORY).unwrap();
        write_private(&data.join("challenge.txt"), CHALLENGE);
        let profile = ProfileSettings {
            challenge: ChallengeKind::Static,
            challenge_file: Some("challenge.txt".into()),
            ..ProfileSettings::default()
        };
        let mut settings = Settings {
            listen: "127.0.0.1:0".into(),
            data,
            ca: CaSettings { key: KeyAlgorithm::P256, ..CaSettings::default() }.into(),
            profile: vec![profile],
            ..Settings::default()
        };
        edit(&mut settings);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.unwrap();
        let server = runtime.block_on(Server::start(&settings, FirstRun::Configured)).unwrap();
        let address = server.address().to_string();
        let delegate_tls = server.delegate_tls_address().map(|address| address.to_string());
        let serving = runtime.spawn(server.run(std::future::pending()));
        Self { folder, address, delegate_tls, runtime, settings, serving }
    }

    /// Stops answering, as a machine does that is taken away.
    pub fn stop(&mut self) {
        self.serving.abort();
        let _ = self.runtime.block_on(&mut self.serving);
    }

    /// Answers again where it did before.
    pub fn start_again(&mut self) {
        let mut settings = Settings { listen: self.address.clone(), ..self.settings.clone() };
        settings.ocsp.delegate_tls.listen = self.delegate_tls.clone().unwrap_or_default();
        let server = self.runtime.block_on(Server::start(&settings, FirstRun::Configured)).unwrap();
        self.serving = self.runtime.spawn(server.run(std::future::pending()));
    }

    /// The URL of the server, without a path.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// The URL where delegates are had over mutual TLS, without a path.
    pub fn delegate_tls_url(&self) -> String {
        format!("https://{}", self.delegate_tls.as_ref().unwrap())
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A folder for whatever else there is.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The URL of the responder that is part of the CA.
    pub fn embedded(&self) -> String {
        format!("http://{}/ocsp", self.address)
    }

    /// The CA's certificate.
    pub fn certificate(&self) -> Certificate {
        Certificate::from_pem(&std::fs::read_to_string(self.data().join("ca.pem")).unwrap()).unwrap()
    }

    /// Enrolls the device of that name, with the key of [`keys::DEVICE_PEM`]; its certificate and the file of it.
    pub fn enroll(&self, name: &str) -> (Certificate, PathBuf) {
        let certificate = self.runtime.block_on(self.enrolled(name));
        let path = self.folder().join(format!("{name}.pem"));
        std::fs::write(&path, certificate.to_pem()).unwrap();
        (certificate, path)
    }

    async fn enrolled(&self, name: &str) -> Certificate {
        let parts = ClientParts {
            transport: Arc::new(HttpTransport::new(Duration::from_secs(30)).unwrap()),
            verifier: Arc::new(AwsLc),
            encryptor: Arc::new(AwsLc),
            random: Arc::new(AwsLc),
            clock: Arc::new(SystemClock),
        };
        let client = ScepClient::new(format!("http://{}/scep", self.address), parts);
        let ca = client.ca(Trust::Fingerprint(self.certificate().fingerprint())).await.unwrap();
        let wanted = Enrollment {
            subject: Name::of_common_name(name),
            challenge: Some(ChallengePassword::new(CHALLENGE.into())),
            extensions: RequestedExtensions::default(),
        };
        let key = ClientKey::new(keys::rsa(keys::DEVICE_PEM));
        let mut transaction = client.enroll(&ca, &wanted, &key).await.unwrap();
        match transaction.complete(Patience::default()).await.unwrap() {
            Outcome::Issued(certificate) => certificate,
            Outcome::Pending => panic!("pending"),
        }
    }

    /// What `scep-server` does with `arguments` on the same data.
    pub fn command(&self, arguments: &[&str]) {
        let data = self.data();
        let first = ["scep-server", "--data", data.to_str().unwrap()];
        commands::run(Arguments::parse_from(first.iter().chain(arguments))).unwrap();
    }

    /// Writes what `edit` makes of the directory file, at once.
    pub fn edit_directory(&self, edit: impl FnOnce(&str) -> String) {
        let path = self.data().join("directory.toml");
        let edited = edit(&std::fs::read_to_string(&path).unwrap());
        std::fs::write(path.with_extension("new"), edited).unwrap();
        std::fs::rename(path.with_extension("new"), path).unwrap();
    }

    /// Puts the state of the device called `name`.
    pub fn set_state(&self, name: &str, state: &str) {
        self.edit_directory(|text| {
            let (before, device) = text.split_once(&format!("name = \"{name}\"")).unwrap();
            let (_, after) = device.split_once("state = ").unwrap();
            let (_, after) = after.split_once('\n').unwrap();
            format!("{before}name = \"{name}\"\nstate = \"{state}\"\n{after}")
        });
    }

    /// What the stand-alone responder at `url` says of `certificate` through `openssl ocsp`.
    pub fn openssl(&self, url: &str, certificate: &Path, more: &[&str]) -> String {
        self.ask(url, &[more, &["-cert", certificate.to_str().unwrap()]].concat())
    }

    /// The same of a serial number.
    pub fn openssl_serial(&self, url: &str, serial: &str) -> String {
        self.ask(url, &["-serial", serial])
    }

    fn ask(&self, url: &str, more: &[&str]) -> String {
        let ca = self.data().join("ca.pem");
        let ca = ca.to_str().unwrap();
        let arguments = [&["ocsp", "-issuer", ca, "-CAfile", ca, "-url", url], more].concat();
        let output = testkit::try_run_in(self.folder(), "openssl", arguments);
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    }
}

/// The program under test.
pub struct Responder {
    child: Child,
    /// Kept open: what it says must not fail.
    _stdout: BufReader<ChildStdout>,
    pub url: String,
    /// What else it said when it started.
    pub said: String,
}

impl Responder {
    /// On that data folder, with environment variables.
    pub fn start(data: &Path, variables: &[(&str, &str)]) -> Self {
        Self::try_start(data, variables).unwrap_or_else(|told| panic!("it did not start: {told}"))
    }

    /// The same; what it said when it did not start.
    pub fn try_start(data: &Path, variables: &[(&str, &str)]) -> Result<Self, String> {
        Self::try_start_with(data, "", variables)
    }

    /// The same with a configuration file of that text.
    pub fn try_start_with(data: &Path, text: &str, variables: &[(&str, &str)]) -> Result<Self, String> {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("ocsp-server.toml");
        std::fs::write(&config, text).unwrap();
        let mut child = Command::new(env!("CARGO_BIN_EXE_ocsp-server"))
            .args(["--listen", "127.0.0.1:0", "--config"])
            .arg(config)
            .arg("--data")
            .arg(data)
            .envs(variables.iter().copied())
            .env("OCSP_SERVER__LOG__FILTER", "warn")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (mut stdout, mut line) = (BufReader::new(child.stdout.take().unwrap()), String::new());
        stdout.read_line(&mut line).unwrap();
        if let Some(url) = line.trim().strip_prefix("OCSP URL") {
            let (url, mut said) = (url.trim().to_owned(), String::new());
            while !said.contains("stops the server") {
                stdout.read_line(&mut said).unwrap();
            }
            return Ok(Self { child, _stdout: stdout, url, said });
        }
        let mut told = String::new();
        child.stderr.take().unwrap().read_to_string(&mut told).unwrap();
        assert!(!child.wait().unwrap().success(), "{told}");
        Err(told)
    }

    /// The URL of one of its pages.
    pub fn page(&self, name: &str) -> String {
        format!("{}/{name}", self.url.rsplit_once('/').unwrap().0)
    }

    /// Stops it by a signal, and returns how it ended.
    pub fn stop(mut self, signal: &str) -> std::process::ExitStatus {
        testkit::run("kill", [signal, &self.child.id().to_string()]);
        self.child.wait().unwrap()
    }
}

impl Drop for Responder {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Writes a file for its owner alone.
pub fn write_private(path: &Path, contents: &str) {
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.create(true).truncate(true).write(true).mode(0o600).open(path).unwrap();
    std::io::Write::write_all(&mut file, contents.as_bytes()).unwrap();
}

/// Asks until the answer has `expected` in it, for at most ten seconds.
pub fn eventually(ask: impl Fn() -> String, expected: &str) -> String {
    for _ in 0..100 {
        let answer = ask();
        if answer.contains(expected) {
            return answer;
        }
        #[expect(clippy::disallowed_methods, reason = "the other process sends no signal")]
        std::thread::sleep(Duration::from_millis(100));
    }
    panic!("{expected:?} is not in {}", ask());
}

/// What `curl` brings from that URL.
pub fn curl(arguments: &[&str]) -> String {
    let output = testkit::try_run_in(Path::new("."), "curl", [&["-s"], arguments].concat());
    String::from_utf8_lossy(&output.stdout).into_owned()
}
