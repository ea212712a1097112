//! OpenLDAP's server, with a few people and devices in it.

use std::{
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use crate::{
    run::{advice, run_in, run_with_input},
    try_run_in,
};

/// The base of all entries.
pub const BASE: &str = "dc=example,dc=com";

/// The tree, with ids of its own so that two servers can hold the same. `LOCK` accounts lock after two wrong passwords.
const ENTRIES: &str = "\
dn: dc=example,dc=com
objectClass: organization
objectClass: dcObject
o: Example
dc: example

dn: ou=policies,dc=example,dc=com
objectClass: organizationalUnit
ou: policies

dn: cn=default,ou=policies,dc=example,dc=com
objectClass: device
objectClass: pwdPolicy
cn: default
pwdAttribute: userPassword
pwdLockout: TRUE
pwdMaxFailure: 2
pwdLockoutDuration: 3600

dn: ou=people,dc=example,dc=com
objectClass: organizationalUnit
ou: people

dn: ou=devices,dc=example,dc=com
objectClass: organizationalUnit
ou: devices

dn: cn=reader,dc=example,dc=com
objectClass: device
objectClass: simpleSecurityObject
cn: reader
userPassword: a password of the reader

dn: cn=blind,dc=example,dc=com
objectClass: device
objectClass: simpleSecurityObject
cn: blind
userPassword: a password of the blind

dn: cn=canary,ou=devices,dc=example,dc=com
objectClass: device
cn: canary
entryUUID: 00000000-0000-4000-8000-000000000001

dn: cn=laptop-1,ou=devices,dc=example,dc=com
objectClass: device
cn: laptop-1
serialNumber: 4711
entryUUID: 00000000-0000-4000-8000-000000000002

dn: uid=ada,ou=people,dc=example,dc=com
objectClass: inetOrgPerson
uid: ada
cn: Ada Lovelace
sn: Lovelace
mail: ada@example.com
departmentNumber: 7
employeeType: staff
title: Countess
title: Analyst
userPassword: a password of Ada
entryUUID: 00000000-0000-4000-8000-000000000003
";

/// A server process on two free ports of 127.0.0.1, ended when dropped. Its accounts `cn=reader` and `cn=blind` have the
/// passwords `a password of the reader` and `a password of the blind`; the latter sees the base and nothing else.
#[derive(Debug)]
pub struct Slapd {
    child: Child,
    folder: TempDir,
    plain: u16,
    tls: u16,
}

impl Slapd {
    /// Starts it, with its entries.
    pub fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        tls_files(folder.path(), "127.0.0.1");
        std::fs::create_dir(folder.path().join("db")).unwrap();
        std::fs::write(folder.path().join("slapd.conf"), configuration(folder.path())).unwrap();
        run_with_input(folder.path(), &program("slapadd"), ["-f", "slapd.conf", "-q"], ENTRIES.as_bytes());
        let (plain, tls) = (free_port(), free_port());
        let child = start(folder.path(), plain, tls);
        Self { child, folder, plain, tls }
    }

    /// `ldap://127.0.0.1:…`
    pub fn url(&self) -> String {
        format!("ldap://127.0.0.1:{}", self.plain)
    }

    /// `ldaps://127.0.0.1:…`
    pub fn tls_url(&self) -> String {
        format!("ldaps://127.0.0.1:{}", self.tls)
    }

    /// The CA of its certificate, as PEM.
    pub fn trusted_cas(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Changes entries as the administrator, with LDIF for `ldapmodify`.
    pub fn modify(&self, ldif: &str) {
        let url = self.url();
        let arguments =
            ["-x", "-H", &url, "-D", "cn=admin,dc=example,dc=com", "-w", "a password of the administrator"];
        run_with_input(self.folder.path(), "ldapmodify", arguments, ldif.as_bytes());
    }

    /// What OpenLDAP's own client finds as the administrator below the base, as LDIF.
    pub fn search(&self, filter: &str, attributes: &[&str]) -> String {
        let url = self.url();
        let (name, password) = ("cn=admin,dc=example,dc=com", "a password of the administrator");
        let arguments =
            ["-x", "-LLL", "-o", "ldif-wrap=no", "-H", &url, "-D", name, "-w", password, "-b", BASE, filter];
        let found =
            run_in(self.folder.path(), "ldapsearch", arguments.into_iter().chain(attributes.iter().copied()));
        String::from_utf8(found).unwrap()
    }

    /// Somebody tries a password.
    pub fn try_password(&self, name: &str, password: &str) {
        let url = self.url();
        let arguments = ["-x", "-H", &url, "-D", name, "-w", password, "-b", "", "-s", "base"];
        let _ = try_run_in(self.folder.path(), "ldapsearch", arguments);
    }

    /// Kills it where it stands (SIGKILL).
    pub fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts it again on the same data and ports.
    pub fn restart(&mut self) {
        self.child = start(self.folder.path(), self.plain, self.tls);
    }

    /// It takes connections and answers nothing any more (SIGSTOP).
    pub fn hang(&self) {
        self.signal("-STOP");
        // Its threads stop one after the other.
        while !self.has_stopped() {
            std::thread::yield_now();
        }
    }

    fn has_stopped(&self) -> bool {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.child.id())).unwrap();
        let state = |path: PathBuf| std::fs::read_to_string(path.join("stat")).unwrap_or_default();
        threads.flatten().all(|thread| state(thread.path()).contains(") T "))
    }

    /// It answers again.
    pub fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        assert!(
            Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success()
        );
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `ca.pem`, `server.pem` and `server.key` in `folder`, for a server at the address `host`.
pub fn tls_files(folder: &Path, host: &str) {
    let openssl = |arguments: &str| drop(run_in(folder, "openssl", arguments.split(' ')));
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30";
    openssl(&format!("req -x509 {key} -subj /CN=TLS-CA -keyout ca.key -out ca.pem"));
    let server = "-CA ca.pem -CAkey ca.key -keyout server.key -out server.pem -subj /CN=server";
    let names = format!("-addext subjectAltName=IP:{host} -addext basicConstraints=critical,CA:FALSE");
    openssl(&format!("req -x509 {key} {server} {names}"));
}

fn configuration(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        r#"include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
moduleload syncprov
TLSCACertificateFile {folder}/ca.pem
TLSCertificateFile {folder}/server.pem
TLSCertificateKeyFile {folder}/server.key
database mdb
suffix "{BASE}"
rootdn "cn=admin,{BASE}"
rootpw "a password of the administrator"
directory {folder}/db
maxsize 16777216
index entryUUID eq
limits dn.exact="cn=reader,{BASE}" size=unlimited
access to attrs=userPassword by anonymous auth by * none
access to attrs=employeeNumber by * none
access to dn.base="{BASE}" by * read
access to * by dn.exact="cn=blind,{BASE}" none by dn.exact="cn=reader,{BASE}" read by anonymous none by * read
overlay ppolicy
ppolicy_default "cn=default,ou=policies,{BASE}"
overlay syncprov
"#
    )
}

fn start(folder: &Path, plain: u16, tls: u16) -> Child {
    let urls = format!("ldap://127.0.0.1:{plain} ldaps://127.0.0.1:{tls}");
    let log = std::fs::File::create(folder.join("slapd.log")).unwrap();
    let mut child = Command::new(program("slapd"))
        // With a level it stays in the foreground.
        .args(["-f", "slapd.conf", "-d", "0", "-h", &urls])
        .current_dir(folder)
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .unwrap_or_else(|error| panic!("cannot run slapd: {error}; {}", advice("slapd")));
    while TcpStream::connect(("127.0.0.1", tls)).is_err() {
        let ended = child.try_wait().unwrap();
        let said = || std::fs::read_to_string(folder.join("slapd.log"));
        assert!(ended.is_none(), "slapd ended: {ended:?} {:?}", said());
        std::thread::yield_now();
    }
    child
}

/// Servers are where not everybody's PATH leads.
pub(crate) fn program(name: &str) -> String {
    let there = Path::new("/usr/sbin").join(name);
    if there.exists() { there.display().to_string() } else { name.into() }
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}
