//! The servers that are compared, each a process of its own.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
};

use super::material::Material;
use crate::{
    failure::{Failure, While as _},
    shell::{find, output},
};

/// Which server answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    Certbound,
    OpenSsl,
    Cfssl,
    Nginx,
    EmptyReply,
    /// The same after one signature, in one process.
    SigningReply,
}

/// A way to ask a server.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) name: &'static str,
    pub(super) server: Which,
    /// The kind of load.
    pub(super) operation: &'static str,
    pub(super) path: &'static str,
    pub(super) keep_alive: &'static str,
    pub(super) options: &'static [&'static str],
    /// How many times as many requests as others: what is quick needs them to be measured at all.
    pub(super) times: usize,
}

const KEPT: Kind = Kind {
    name: "",
    server: Which::Certbound,
    operation: "ocsp",
    path: "/ocsp",
    keep_alive: "all",
    options: &[],
    times: 1,
};

pub(super) const SIGNED: &str = "Certbound, signed on demand";
pub(super) const SIGNED_ONE_EACH: &str = "Certbound, signed on demand, one connection each";
pub(super) const OPENSSL: &str = "openssl ocsp -multi 2, signed on demand, one connection each";
pub(super) const CACHED: &str = "Certbound, from cache, POST";
pub(super) const CACHED_GET: &str = "Certbound, from cache, GET";
pub(super) const CFSSL: &str = "cfssl ocspserve, signed before, POST";
pub(super) const NGINX: &str = "nginx, one static file, GET";
pub(super) const EMPTY: &str = "hyper, empty reply, POST";

pub(super) const SIGNING: &str = "hyper, one signature and an empty reply, POST";

/// Those that sign first.
pub(super) const KINDS: &[Kind] = &[
    Kind { name: SIGNED, options: &["--nonce"], ..KEPT },
    Kind { name: SIGNED_ONE_EACH, options: &["--nonce"], keep_alive: "one", ..KEPT },
    // It closes every connection, and so knows no other way.
    Kind {
        name: OPENSSL,
        server: Which::OpenSsl,
        path: "/",
        keep_alive: "one",
        options: &["--nonce"],
        ..KEPT
    },
    Kind { name: CACHED, times: 2, ..KEPT },
    Kind { name: CFSSL, server: Which::Cfssl, path: "/", ..KEPT },
    Kind { name: CACHED_GET, options: &["--method", "get"], times: 2, ..KEPT },
    Kind { name: NGINX, server: Which::Nginx, operation: "page", path: "/response.der", times: 4, ..KEPT },
    Kind { name: EMPTY, server: Which::EmptyReply, operation: "empty", path: "/", times: 4, ..KEPT },
    Kind { name: SIGNING, server: Which::SigningReply, operation: "empty", path: "/", times: 2, ..KEPT },
];

/// All of them, until dropped.
#[derive(Debug)]
pub(super) struct Servers {
    certbound: Running,
    openssl: Running,
    cfssl: Running,
    nginx: Running,
    empty_reply: Running,
    signing_reply: Running,
}

impl Servers {
    pub(super) fn start(programs: &Path, material: &Material, certbound: Running) -> Result<Self, Failure> {
        Ok(Self {
            certbound,
            openssl: Running::openssl(material)?,
            cfssl: Running::cfssl(material)?,
            nginx: Running::nginx(material)?,
            empty_reply: Running::empty_reply(programs, &[])?,
            signing_reply: Running::empty_reply(programs, &["127.0.0.1:0", "p256"])?,
        })
    }

    pub(super) fn of(&self, which: Which) -> &Running {
        match which {
            Which::Certbound => &self.certbound,
            Which::OpenSsl => &self.openssl,
            Which::Cfssl => &self.cfssl,
            Which::Nginx => &self.nginx,
            Which::EmptyReply => &self.empty_reply,
            Which::SigningReply => &self.signing_reply,
        }
    }
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    port: String,
}

impl Running {
    /// Ours, with these settings.
    pub(crate) fn certbound(programs: &Path, settings: &Path) -> Result<Self, Failure> {
        let mut command = Command::new(programs.join("scep-server"));
        command.arg("--config").arg(settings);
        let (child, said) = start(command, Channel::Output, "Ctrl-C")?;
        let port = between(&said, "OCSP URL            http://127.0.0.1:", "/");
        Self::at(child, port, "our server printed no URL")
    }

    /// Our responder by itself, with these settings.
    pub(crate) fn ocsp_server(programs: &Path, settings: &Path) -> Result<Self, Failure> {
        let mut command = Command::new(programs.join("ocsp-server"));
        command.arg("--config").arg(settings);
        let (child, said) = start(command, Channel::Output, "Ctrl-C")?;
        Self::at(child, between(&said, "http://127.0.0.1:", "/"), "our responder printed no URL")
    }

    /// A directory that knows everybody.
    pub(crate) fn directory_stub(programs: &Path) -> Result<Self, Failure> {
        let (child, said) = start(Command::new(programs.join("directory-stub")), Channel::Output, "process")?;
        Self::at(child, between(&said, "127.0.0.1:", "/"), "directory-stub printed no URL")
    }

    /// Signs by the CA's own key, which is of the same kind as our delegate's.
    fn openssl(material: &Material) -> Result<Self, Failure> {
        let mut command = Command::new("openssl");
        command.args(["ocsp", "-multi", "2", "-port", "0", "-nmin", "10", "-index"]).arg(material.index());
        command.arg("-CA").arg(material.ca()).arg("-rsigner").arg(material.ca());
        command.arg("-rkey").arg(material.ca_key()).stderr(Stdio::null());
        // Only its word says that it is ready: a connection without a request would keep it busy for ever.
        let (child, said) = start(command, Channel::Output, "ACCEPT")?;
        let port = between(&said, "]:", " ").or_else(|| between(&said, "0.0.0.0:", " "));
        Self::at(child, port, "openssl ocsp printed no port")
    }

    fn cfssl(material: &Material) -> Result<Self, Failure> {
        let port = free_port()?;
        let mut command = Command::new("cfssl");
        command
            .args(["ocspserve", "-address", "127.0.0.1", "-port", &port, "-responses"])
            .arg(material.responses());
        let (child, _) = start(command, Channel::Errors, "Now listening")?;
        Ok(Self { child, port })
    }

    fn nginx(material: &Material) -> Result<Self, Failure> {
        let (port, folder) = (free_port()?, material.folder().display().to_string());
        let nginx = find("nginx").ok_or_else(|| Failure::new("nginx is missing"))?;
        // Where root starts it, its workers would be somebody else, who may not read the folder.
        let [user, group] = ["-un", "-gn"].map(|option| output(Command::new("id").arg(option)));
        let configuration = format!(
            "user {} {};\ndaemon off;\nworker_processes 2;\npid {folder}/nginx.pid;\nerror_log stderr notice;\n\
             events {{}}\nhttp {{\n  access_log off;\n  keepalive_requests 100000000;\n  tcp_nodelay on;\n  sendfile on;\n\
             open_file_cache max=10;\n  default_type application/ocsp-response;\n\
             server {{ listen 127.0.0.1:{port}; root {folder}; }}\n}}\n",
            user?.trim(),
            group?.trim(),
        );
        let file = material.folder().join("nginx.conf");
        fs::write(&file, configuration).during(file.display())?;
        let mut command = Command::new(nginx);
        command.args(["-e", "stderr", "-p", &folder, "-c"]).arg(file);
        let (child, _) = start(command, Channel::Errors, "start worker process ")?;
        Ok(Self { child, port })
    }

    /// hyper alone; with the arguments of `empty-reply`.
    pub(crate) fn empty_reply(programs: &Path, arguments: &[&str]) -> Result<Self, Failure> {
        let mut command = Command::new(programs.join("empty-reply"));
        command.args(arguments);
        let (child, said) = start(command, Channel::Output, "process")?;
        Self::at(child, between(&said, "127.0.0.1:", "/"), "empty-reply printed no URL")
    }

    /// Memory in use, in MiB.
    pub(crate) fn resident(&self) -> Result<u64, Failure> {
        let path = format!("/proc/{}/status", self.pid());
        let status = fs::read_to_string(&path).during(&path)?;
        let size = status.lines().find_map(|line| line.strip_prefix("VmRSS:")?.split_whitespace().next());
        let size = size.and_then(|kib| kib.parse::<u64>().ok());
        size.map(|kib| kib.div_euclid(1024)).ok_or_else(|| Failure::new(format!("{path} tells no size")))
    }

    fn at(mut child: Child, port: Option<&str>, complaint: &str) -> Result<Self, Failure> {
        if let Some(port) = port {
            return Ok(Self { child, port: port.into() });
        }
        stop(&mut child);
        Err(Failure::new(complaint))
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        stop(&mut self.child);
    }
}

/// Ends it and the workers that it started, none of which has anything to lose. The parent goes first, or it would start
/// others; `openssl ocsp` heeds no gentler signal.
fn stop(child: &mut Child) {
    let workers = children(child.id());
    let _ = child.kill();
    if !workers.is_empty() {
        let _ = Command::new("kill").arg("-KILL").args(workers).status();
    }
    let _ = child.wait();
}

/// The processes that this one started.
fn children(pid: u32) -> Vec<String> {
    let is_child = |stat: &str| {
        // The name of the program, in parentheses, may hold anything.
        let parent = stat.rsplit_once(')').and_then(|(_, fields)| fields.split_whitespace().nth(1));
        parent.is_some_and(|parent| parent == pid.to_string())
    };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let processes = processes
        .filter(|process| fs::read_to_string(process.path().join("stat")).is_ok_and(|stat| is_child(&stat)));
    processes.map(|process| process.file_name().to_string_lossy().into_owned()).collect()
}

/// Where a server says that it is ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Channel {
    Output,
    Errors,
}

/// Starts it and waits until it says `ready`; what it said until then.
fn start(mut command: Command, channel: Channel, ready: &str) -> Result<(Child, String), Failure> {
    let name = command.get_program().to_string_lossy().into_owned();
    command.stdin(Stdio::null());
    match channel {
        Channel::Output => command.stdout(Stdio::piped()),
        Channel::Errors => command.stderr(Stdio::piped()),
    };
    let mut child = command.spawn().during(&name)?;
    let said: Option<Box<dyn Read + Send>> = match channel {
        Channel::Output => child.stdout.take().map(|pipe| Box::new(pipe) as _),
        Channel::Errors => child.stderr.take().map(|pipe| Box::new(pipe) as _),
    };
    let mut said = BufReader::new(said.ok_or_else(|| Failure::new(format!("{name} has no output")))?);
    let mut text = String::new();
    while !text.contains(ready) {
        if said.read_line(&mut text).during(&name)? == 0 {
            stop(&mut child);
            return Err(Failure::new(format!("{name} ended before it was ready: {text}")));
        }
    }
    // Whatever it says from now on must go somewhere, or it would stop to wait for a reader.
    thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
    Ok((child, text))
}

/// A port that nobody has at the moment.
fn free_port() -> Result<String, Failure> {
    let listener = TcpListener::bind("127.0.0.1:0").during("a free port")?;
    Ok(listener.local_addr().during("a free port")?.port().to_string())
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(before)?;
    rest.split_once(after).map(|(found, _)| found.trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_ready_when_it_says_so() {
        let mut command = Command::new("sh");
        command.args(["-c", "echo 'ready at 127.0.0.1:4711/'; exec sleep 60"]);
        let (mut child, said) = start(command, Channel::Output, "ready").unwrap();
        assert_eq!(between(&said, "127.0.0.1:", "/"), Some("4711"));
        assert!(children(std::process::id()).contains(&child.id().to_string()));
        stop(&mut child);
        assert!(child.try_wait().unwrap().is_some());
        let mut command = Command::new("sh");
        command.args(["-c", "echo no luck >&2"]);
        assert!(start(command, Channel::Errors, "ready").unwrap_err().to_string().contains("no luck"));
    }
}
