//! Samba as a domain controller of Active Directory.

use std::{
    net::TcpStream,
    path::PathBuf,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use crate::{
    run::{advice, run_in, run_with_input},
    slapd::program,
    tls_files, try_run_in,
};

const PASSWORD: &str = "A passw0rd of the administrator";

/// A domain controller of the domain `ad.example`, ended when dropped. Its ports cannot be chosen, so it has an address
/// of its own in 127.0.0.0/8, and needs root.
#[derive(Debug)]
pub struct Samba {
    child: Child,
    folder: TempDir,
    address: String,
}

impl Samba {
    /// Makes a domain and starts its controller. Takes seconds.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let [_, _, high, low] = std::process::id().to_be_bytes();
        let address = format!("127.77.{high}.{}", low.clamp(1, 254));
        tls_files(folder.path(), &address);
        let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(folder.path().join("server.key"), private).unwrap();
        let at = folder.path().display();
        let options = [
            format!("interfaces={address}/8"),
            "bind interfaces only=yes".into(),
            "server services=ldap".into(),
            format!("tls certfile={at}/server.pem"),
            format!("tls keyfile={at}/server.key"),
            format!("tls cafile={at}/ca.pem"),
            format!("log file={at}/samba.log"),
            format!("pid directory={at}"),
            format!("ncalrpc dir={at}/ncalrpc"),
        ];
        let provision = "domain provision --realm=AD.EXAMPLE --domain=AD --server-role=dc --dns-backend=NONE --host-name=dc1";
        let arguments = provision.split(' ').map(String::from).chain([
            format!("--adminpass={PASSWORD}"),
            format!("--host-ip={address}"),
            format!("--targetdir={at}/dc"),
        ]);
        let options = options.into_iter().map(|option| format!("--option={option}"));
        run_in(folder.path(), "samba-tool", arguments.chain(options));
        let child = Command::new(program("samba"))
            .args(["--foreground", "--no-process-group", "--configfile", "dc/etc/smb.conf"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run samba: {error}; {}", advice("samba")));
        let mut samba = Self { child, folder, address };
        samba.wait();
        samba
    }

    fn wait(&mut self) {
        while TcpStream::connect((&*self.address, 636)).is_err() {
            let ended = self.child.try_wait().unwrap();
            let said = || std::fs::read_to_string(self.folder.path().join("samba.log"));
            assert!(ended.is_none(), "samba ended: {ended:?} {:?}", said());
            std::thread::yield_now();
        }
    }

    /// `ldaps://127…`
    pub fn tls_url(&self) -> String {
        format!("ldaps://{}", self.address)
    }

    /// `ldap://127…`
    pub fn url(&self) -> String {
        format!("ldap://{}", self.address)
    }

    /// The CA of its certificate, as PEM.
    pub fn trusted_cas(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// The name and the password of the administrator.
    pub fn administrator() -> (&'static str, &'static str) {
        ("Administrator@ad.example", PASSWORD)
    }

    /// `samba-tool`, on the domain's own files.
    pub fn tool(&self, arguments: &[&str]) -> String {
        let at = ["--configfile", "dc/etc/smb.conf"];
        let said = run_in(self.folder.path(), "samba-tool", arguments.iter().copied().chain(at));
        String::from_utf8(said).unwrap()
    }

    /// Changes entries as the administrator, with LDIF for `ldapmodify`.
    pub fn modify(&self, ldif: &str) {
        let command = format!(
            "LDAPTLS_CACERT=ca.pem exec ldapmodify -x -H {} -D {} -w \"$0\"",
            self.tls_url(),
            Self::administrator().0
        );
        run_with_input(self.folder.path(), "sh", ["-c", &command, PASSWORD], ldif.as_bytes());
    }

    /// What OpenLDAP's client finds as the administrator, as LDIF.
    pub fn search(&self, filter: &str, attribute: &str) -> String {
        let command = format!(
            "LDAPTLS_CACERT=ca.pem exec ldapsearch -x -LLL -o ldif-wrap=no -H {} -D {} -w \"$0\" -b DC=ad,DC=example \"$1\" \"$2\"",
            self.tls_url(),
            Self::administrator().0
        );
        let found = run_in(self.folder.path(), "sh", ["-c", &command, PASSWORD, filter, attribute]);
        String::from_utf8(found).unwrap()
    }

    /// Somebody tries a password.
    pub fn try_password(&self, name: &str, password: &str) {
        let command = format!(
            "LDAPTLS_CACERT=ca.pem exec ldapsearch -x -H {} -D {name} -w \"$0\" -b '' -s base",
            self.tls_url()
        );
        let _ = try_run_in(self.folder.path(), "sh", ["-c", &command, password]);
    }
}

impl Drop for Samba {
    fn drop(&mut self) {
        // Its workers end with it when it is asked; killed, it would leave them behind.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        let _ = self.child.wait();
    }
}
