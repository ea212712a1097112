//! The program, run as people run it, against a CA on a socket.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{Arc, atomic::AtomicUsize},
};

use http_listener::{Listener, ListenerLimits};
use hyper::{
    Request,
    body::Incoming,
    service::{Service as _, service_fn},
};
use pki_core::Certificate;
use scep_service::Renewal;
use testkit::{TempDir, tempdir};

use super::{SmallCa, service, taken};

/// A CA on a socket, and a folder to work in.
#[derive(Debug)]
pub struct World {
    pub ca: Arc<SmallCa>,
    pub address: SocketAddr,
    pub folder: TempDir,
    /// PKIOperations whose answers get lost: the connection is closed instead.
    pub lose: Arc<AtomicUsize>,
}

pub async fn world() -> World {
    world_of(SmallCa::new(testkit::ca(), None)).await
}

pub async fn world_of(ca: SmallCa) -> World {
    let (ca, lose) = (Arc::new(ca), Arc::<AtomicUsize>::default());
    let listener = Listener::bind("127.0.0.1:0", ListenerLimits::default()).await.unwrap();
    let address = listener.local_addr();
    let (service, losing) = (service(Arc::clone(&ca), Renewal::Offered), Arc::clone(&lose));
    let service = service_fn(move |request: Request<Incoming>| {
        let operation = request.uri().query().is_some_and(|query| query.contains("PKIOperation"));
        let (answer, losing) = (service.call(request), Arc::clone(&losing));
        async move {
            let answer = answer.await.unwrap();
            if operation && taken(&losing) { Err("lost on the way") } else { Ok(answer) }
        }
    });
    tokio::spawn(listener.serve(service, std::future::pending()));
    World { ca, address, folder: tempdir().unwrap(), lose }
}

pub fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02X}")).collect::<Vec<_>>().join(":")
}

impl World {
    pub fn url(&self) -> String {
        format!("http://{}/scep", self.address)
    }

    pub fn fingerprint(&self) -> String {
        hex(&self.ca.authority.certificate.fingerprint())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn certificate(&self, name: &str) -> Certificate {
        Certificate::from_pem(&fs::read_to_string(self.path(name)).unwrap()).unwrap()
    }

    /// The certificates issued so far.
    pub fn issued(&self) -> usize {
        self.ca.issued.lock().unwrap().len()
    }

    /// The names of the files in the folder.
    pub fn files(&self) -> Vec<String> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// The program with these arguments, in the folder.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_scep-client"));
        command.args(arguments).current_dir(self.folder.path()).env_remove("SCEP_CHALLENGE");
        command
    }

    /// Runs the program in the folder.
    pub async fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap()
    }

    /// Runs the program with `--json` and reads what it prints; it must end with that code.
    #[track_caller]
    pub fn json(&self, arguments: &[&str], code: i32) -> serde_json::Value {
        let output = tokio::task::block_in_place(|| {
            self.command(&[&["--json"][..], arguments].concat()).output().unwrap()
        });
        assert_code(&output, code);
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Runs `enroll` for that name, with more arguments.
    pub async fn enroll(&self, name: &str, more: &[&str]) -> Output {
        let (url, fingerprint, subject) = (self.url(), self.fingerprint(), format!("CN={name}"));
        let fixed = ["enroll", &url, "--ca-fingerprint", &fingerprint, "--subject", &subject];
        self.run(&[&fixed[..], more].concat()).await
    }
}

#[track_caller]
pub fn assert_code(output: &Output, code: i32) -> String {
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{text}\n{}", String::from_utf8_lossy(&output.stdout));
    text
}

#[cfg(unix)]
pub fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}
