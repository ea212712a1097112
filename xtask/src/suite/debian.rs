//! The Debian (and Ubuntu) packages that building and testing use.

use std::process::Command;

use super::Missing;
use crate::{
    failure::Failure,
    shell::{find, output, run},
};

/// A package, how to tell that it is there, and what wants it.
#[derive(Debug)]
struct Package {
    name: &'static str,
    evidence: Evidence,
    because: &'static str,
}

/// What shows that a package, or its like on another system, is installed.
#[derive(Debug)]
enum Evidence {
    /// This program can be found.
    Program(&'static str),
    /// dpkg says so.
    Package,
}

const PACKAGES: &[Package] = &[
    Package { name: "gcc", evidence: Evidence::Program("cc"), because: "builds AWS-LC and SQLite" },
    Package { name: "libc6-dev", evidence: Evidence::Package, because: "builds AWS-LC and SQLite" },
    Package { name: "g++", evidence: Evidence::Program("c++"), because: "builds libFuzzer" },
    Package {
        name: "openssl",
        evidence: Evidence::Program("openssl"),
        because: "checks certificates and OCSP responses",
    },
    Package { name: "gnutls-bin", evidence: Evidence::Program("ocsptool"), because: "checks OCSP responses" },
    Package {
        name: "certmonger",
        evidence: Evidence::Program("certmonger"),
        because: "enrolls as a SCEP client",
    },
    Package {
        name: "strongswan-pki",
        evidence: Evidence::Program("pki"),
        because: "enrolls as a SCEP client",
    },
    Package {
        name: "libstrongswan-extra-plugins",
        evidence: Evidence::Package,
        because: "HTTP for strongSwan's SCEP client",
    },
    Package {
        name: "freeradius",
        evidence: Evidence::Program("freeradius"),
        because: "lets devices onto a network by OCSP",
    },
    Package {
        name: "eapoltest",
        evidence: Evidence::Program("eapol_test"),
        because: "asks FreeRADIUS for access",
    },
    Package {
        name: "nginx",
        evidence: Evidence::Program("nginx"),
        because: "lets devices onto a web site by OCSP",
    },
    Package {
        name: "libnss3-tools",
        evidence: Evidence::Program("ocspclnt"),
        because: "checks certificates by OCSP",
    },
    Package { name: "curl", evidence: Evidence::Program("curl"), because: "asks as a browser does" },
    Package { name: "slapd", evidence: Evidence::Program("slapd"), because: "is a directory by LDAP" },
    Package { name: "ldap-utils", evidence: Evidence::Program("ldapmodify"), because: "changes directories" },
    Package {
        name: "samba-ad-dc",
        evidence: Evidence::Program("samba"),
        because: "is a domain controller of Active Directory",
    },
    Package {
        name: "samba-ad-provision",
        evidence: Evidence::Package,
        because: "makes a domain of Active Directory",
    },
    Package {
        name: "samba-dsdb-modules",
        evidence: Evidence::Package,
        because: "keeps a domain of Active Directory",
    },
    Package {
        name: "python3-venv",
        evidence: Evidence::Package,
        because: "keeps the Python packages of the tests apart",
    },
    Package {
        name: "python3",
        evidence: Evidence::Program("python3"),
        because: "reads serial numbers a second time",
    },
    Package {
        name: "procps",
        evidence: Evidence::Program("kill"),
        because: "kills servers that must lose nothing",
    },
];

/// Sees to it that every package is there.
pub(super) fn ensure(missing: Missing) -> Result<(), Failure> {
    let absent: Vec<&Package> = PACKAGES.iter().filter(|package| !is_installed(package)).collect();
    if absent.is_empty() {
        println!("all {} there", PACKAGES.len());
        return Ok(());
    }
    for package in &absent {
        println!("{} is missing: {}", package.name, package.because);
    }
    let names: Vec<&str> = absent.iter().map(|package| package.name).collect();
    if missing == Missing::Report || find("apt-get").is_none() {
        return Err(Failure::new(format!("install the packages first: apt-get install {}", names.join(" "))));
    }
    run(&mut apt_get(&["update"])?)?;
    run(apt_get(&["install", "--yes", "--no-install-recommends"])?.args(&names))
}

fn is_installed(package: &Package) -> bool {
    match package.evidence {
        Evidence::Program(program) => find(program).is_some(),
        // Where there is no dpkg there are no package names to ask for.
        Evidence::Package if find("dpkg-query").is_none() => true,
        Evidence::Package => output(Command::new("dpkg-query").args(["-W", "-f=${Status}", package.name]))
            .is_ok_and(|status| status.ends_with("ok installed")),
    }
}

/// apt-get that asks no questions, as root or by sudo.
fn apt_get(arguments: &[&str]) -> Result<Command, Failure> {
    let mut command = if output(Command::new("id").arg("-u"))?.trim() == "0" {
        Command::new("env")
    } else if find("sudo").is_some() {
        let mut sudo = Command::new("sudo");
        sudo.arg("env");
        sudo
    } else {
        return Err(Failure::new("installing packages needs root: run this as root, or install sudo"));
    };
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]).args(arguments);
    Ok(command)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_every_machine_has_counts_as_installed() {
        assert!(is_installed(&Package { name: "dash", evidence: Evidence::Program("sh"), because: "" }));
        let nonsense =
            Package { name: "x", evidence: Evidence::Program("no-such-program-anywhere"), because: "" };
        assert!(!is_installed(&nonsense));
    }

    #[test]
    fn packages_are_named_once_and_say_why() {
        for (at, package) in PACKAGES.iter().enumerate() {
            assert!(!package.because.is_empty(), "{}", package.name);
            assert!(PACKAGES.iter().skip(at + 1).all(|other| other.name != package.name), "{}", package.name);
        }
    }
}
