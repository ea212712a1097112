//! Starts the server as a process, the way an operator does, and reads what it prints.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use std::{
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, ChildStdout, Command, Output, Stdio},
};

/// The device of the demonstration and two more.
pub const DIRECTORY: &str = r#"
[[devices]]
id = "d6b58414-60ed-426b-b382-276a3e8d626d"
name = "demo-laptop"
state = "enabled"

[[devices]]
id = "307ff02c-76d6-4808-a523-3cbae90dcdbc"
name = "laptop-2"
dns = ["laptop-2.example.com"]
state = "enabled"

[[users]]
id = "3ff8ce3c-6910-4114-8d92-22e466a629c1"
name = "zoe"
emails = ["zoe@example.com"]
state = "enabled"
"#;

/// A server process with a data folder of its own on a free port.
pub struct Server {
    child: Child,
    stdout: Option<BufReader<ChildStdout>>,
    folder: tempfile::TempDir,
    /// What it printed at its start.
    pub banner: String,
}

impl Server {
    /// With no configuration but the port, and [`DIRECTORY`].
    pub fn start() -> Self {
        Self::start_with(&[])
    }

    /// With environment variables.
    pub fn start_with(variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        std::fs::create_dir(&data).unwrap();
        std::fs::write(data.join("directory.toml"), DIRECTORY).unwrap();
        Self::start_in(folder, "127.0.0.1:0", variables)
    }

    /// With an empty data folder, as on the first day.
    pub fn start_empty(variables: &[(&str, &str)]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), "127.0.0.1:0", variables)
    }

    /// By a configuration file, which says that the data is in the folder `data`.
    pub fn start_configured(folder: tempfile::TempDir, configuration: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scep-server"));
        command.arg("--config").arg(configuration).args(["--listen", "127.0.0.1:0"]);
        Self::spawn(folder, command)
    }

    pub fn start_in(folder: tempfile::TempDir, listen: &str, variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scep-server"));
        command
            .args(["--data", folder.path().join("data").to_str().unwrap(), "--listen", listen])
            .envs(variables.iter().copied());
        Self::spawn(folder, command)
    }

    fn spawn(folder: tempfile::TempDir, mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut banner = String::new();
        // The last line of the banner says how to stop.
        while !banner.contains("Ctrl-C") {
            let mut line = String::new();
            let read = stdout.read_line(&mut line).unwrap();
            assert!(read > 0, "the server ended before it was ready: {:?}\n{banner}", child.wait());
            banner.push_str(&line);
        }
        Self { child, stdout: Some(stdout), folder, banner }
    }

    /// Kills the server where it stands, and starts it again on the same data and port.
    pub fn kill_and_restart(self) -> Self {
        self.kill_and_restart_with(&[])
    }

    /// The same, with environment variables.
    pub fn kill_and_restart_with(self, variables: &[(&str, &str)]) -> Self {
        let listen = self.address();
        let folder = self.kill();
        Self::start_in(folder, &listen, variables)
    }

    /// Kills the server where it stands (SIGKILL).
    pub fn kill(mut self) -> tempfile::TempDir {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::mem::replace(&mut self.folder, tempfile::tempdir().unwrap())
    }

    /// Kills the server where it stands (SIGKILL), and leaves its folder to the test.
    pub fn stop_where_it_stands(&self) {
        assert!(Command::new("kill").args(["-KILL", &self.id().to_string()]).status().unwrap().success());
    }

    /// Stops it as Ctrl-C does, and returns how it ended and what else it printed.
    pub fn interrupt(mut self) -> (std::process::ExitStatus, String) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        let status = self.child.wait().unwrap();
        let mut rest = String::new();
        self.stdout.take().unwrap().read_to_string(&mut rest).unwrap();
        (status, rest)
    }

    /// The process's id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// A folder for the clients.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What follows `label` on its line of the banner.
    pub fn url(&self, label: &str) -> &str {
        let line = self.banner.lines().find_map(|line| line.trim().strip_prefix(label));
        line.unwrap_or_else(|| panic!("no line {label:?} in:\n{}", self.banner)).trim()
    }

    /// SHA-256 of the CA certificate, as printed.
    pub fn fingerprint(&self) -> &str {
        self.url("CA fingerprint").strip_prefix("SHA-256 ").unwrap()
    }

    /// Runs `scep-server` with `arguments` on the same data.
    pub fn command(&self, arguments: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_scep-server"))
            .arg("--data")
            .arg(self.data())
            .args(arguments)
            .output()
            .unwrap()
    }

    /// The same, which must succeed; returns what it printed.
    pub fn succeed(&self, arguments: &[&str]) -> String {
        let output = self.command(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    /// A fresh one-time challenge for `object`.
    pub fn challenge(&self, object: &str) -> String {
        self.succeed(&["challenge", "create", "--object", object]).trim().to_owned()
    }

    /// Writes the CA certificate, as the server hands it out, to a PEM file.
    pub fn ca_pem(&self) -> PathBuf {
        self.data().join("ca.pem")
    }

    /// Puts `state` in the place of the state of the object called `name`.
    pub fn set_state(&self, name: &str, state: &str) {
        self.edit_directory(|text| {
            let object = text.find(&format!("name = \"{name}\"")).unwrap();
            let line = object + text[object..].find("state = ").unwrap();
            let end = line + text[line..].find('\n').unwrap();
            text.replace_range(line..end, &format!("state = \"{state}\""));
        });
    }

    /// Takes the object called `name` out of the directory.
    pub fn delete_object(&self, name: &str) {
        self.edit_directory(|text| {
            let kept: Vec<&str> =
                text.split("\n\n").filter(|object| !object.contains(&format!("\"{name}\""))).collect();
            *text = kept.join("\n\n");
        });
    }

    fn edit_directory(&self, edit: impl FnOnce(&mut String)) {
        let path = self.data().join("directory.toml");
        let mut text = std::fs::read_to_string(&path).unwrap();
        edit(&mut text);
        // As an editor saves: aside, then in place at once.
        let aside = path.with_extension("new");
        std::fs::write(&aside, text).unwrap();
        std::fs::rename(aside, path).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs `program`, which must succeed; returns what it printed on both channels.
pub fn run(folder: &Path, program: &str, arguments: &[&str]) -> String {
    let (success, text) = attempt(folder, program, arguments);
    assert!(success, "{program} {arguments:?}:\n{text}");
    text
}

/// Runs `program`; whether it succeeded, and what it printed on both channels.
pub fn attempt(folder: &Path, program: &str, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(program).current_dir(folder).args(arguments).output();
    let output = output.unwrap_or_else(|error| {
        panic!("{program} does not run ({error}): `cargo xtask test` installs what the tests need")
    });
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8_lossy(&text).into_owned())
}

/// Asks until `done` says so, for at most ten seconds; returns the last answer.
pub fn eventually(mut ask: impl FnMut() -> String, done: impl Fn(&str) -> bool) -> String {
    for _ in 0..100 {
        let answer = ask();
        if done(&answer) {
            return answer;
        }
        #[expect(clippy::disallowed_methods, reason = "the other process sends no signal")]
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    ask()
}

/// The client of this workspace, built if it is not.
pub fn scep_client() -> PathBuf {
    program("scep-client", "scep-client")
}

/// A program of another package of this workspace, built if it is not.
pub fn program(name: &str, package: &str) -> PathBuf {
    let server = Path::new(env!("CARGO_BIN_EXE_scep-server"));
    let program = server.with_file_name(name);
    if !program.exists() {
        let target = server.ancestors().nth(2).unwrap();
        let profile = if server.parent().unwrap().ends_with("release") { "release" } else { "dev" };
        let built = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", package, "--bin", name, "--profile", profile])
            .env("CARGO_TARGET_DIR", target)
            .status();
        assert!(built.unwrap().success());
    }
    program
}

/// The certificate of `laptop-2`, whoever enrolled it: issued by the CA, with the directory's names, and good.
pub fn assert_good_laptop_2(server: &Server, certificate: &Path) {
    let (ca, file) = (server.ca_pem(), certificate.to_str().unwrap());
    run(server.folder(), "openssl", &["verify", "-CAfile", ca.to_str().unwrap(), file]);
    let show = ["x509", "-in", file, "-noout", "-subject", "-nameopt", "RFC2253", "-ext", "subjectAltName"];
    let text = run(server.folder(), "openssl", &show);
    assert!(text.contains("CN=laptop-2") && text.contains("DNS:laptop-2.example.com"), "{text}");
    let answer = openssl_ocsp(server, certificate, &[]);
    assert!(answer.contains("Response verify OK") && answer.contains(": good"), "{answer}");
}

/// Enrolls the object called `name` with the client of this workspace; returns the certificate's file.
pub fn enroll(server: &Server, name: &str) -> PathBuf {
    enroll_by(server, name, &server.challenge(name))
}

/// The same, by a challenge that was had elsewhere.
pub fn enroll_by(server: &Server, name: &str, challenge: &str) -> PathBuf {
    let [key, certificate] = ["key", "pem"].map(|ending| server.folder().join(format!("{name}.{ending}")));
    run(
        server.folder(),
        scep_client().to_str().unwrap(),
        &[
            "enroll",
            server.url("SCEP URL"),
            "--ca-fingerprint",
            server.fingerprint(),
            "--challenge",
            challenge,
            "--subject",
            &format!("CN={name}"),
            "--key-out",
            key.to_str().unwrap(),
            "--cert-out",
            certificate.to_str().unwrap(),
        ],
    );
    certificate
}

/// What `openssl ocsp` says of `certificate`, with `more` arguments: its line about the certificate and what follows.
pub fn openssl_ocsp(server: &Server, certificate: &Path, more: &[&str]) -> String {
    let (ca, url) = (server.ca_pem(), server.url("OCSP URL"));
    let mut arguments =
        vec!["ocsp", "-issuer", ca.to_str().unwrap(), "-CAfile", ca.to_str().unwrap(), "-url", url];
    // The hash option counts for the certificates after it.
    arguments.extend_from_slice(more);
    arguments.extend(["-cert", certificate.to_str().unwrap()]);
    attempt(server.folder(), "openssl", &arguments).1
}

pub mod balancer;
pub mod daemon;
pub mod device;
mod logged;
pub mod python;
