//! The arrows between crates point the right way.

use super::{Finding, packages::Packages};

/// Crates that hold no clock, no randomness, no key and no socket.
pub(super) const PROTOCOL: &[&str] = &["pki-core", "scep-proto", "ocsp-proto", "serial-binding"];

/// What no protocol crate may be built with, however far down.
const NOT_IN_PROTOCOL: &[&str] = &[
    "async-std",
    "aws-lc-rs",
    "aws-lc-sys",
    "chrono",
    "getrandom",
    "hyper",
    "mio",
    "openssl",
    "rand",
    "reqwest",
    "ring",
    "rsa",
    "rusqlite",
    "socket2",
    "time",
    "tokio",
];

/// What tests may use as a second opinion, and nothing of ours may be built with.
const IN_TESTS_ONLY: &[&str] = &["ocsp", "openssl-sys", "pkcs7", "rasn", "rsa", "testkit", "x509-ocsp"];

/// A law: the crates it binds, those they must not know, and why.
struct Law {
    binds: fn(&str) -> bool,
    must_not_know: fn(&str) -> bool,
    because: &'static str,
}

const LAWS: &[Law] = &[
    Law {
        binds: |name| PROTOCOL.contains(&name),
        must_not_know: |name| name != "pki-core",
        because: "protocol crates know pki-core and nobody else",
    },
    Law {
        binds: |name| name.ends_with("-service"),
        must_not_know: |name| {
            is_state(name) || name != "revocation" && is_decision(name) || name == "configuration"
        },
        because: "a service knows its protocol and its seams; servers fill them",
    },
    Law {
        binds: |name| name == "scep-service",
        must_not_know: |name| matches!(name, "ocsp-proto" | "ocsp-service" | "revocation"),
        because: "SCEP and OCSP never see each other",
    },
    Law {
        binds: |name| name == "ocsp-service",
        must_not_know: |name| matches!(name, "scep-proto" | "scep-service"),
        because: "SCEP and OCSP never see each other",
    },
    Law {
        binds: is_decision,
        must_not_know: |name| is_state(name) || is_http(name),
        because: "decisions are made without knowing where state, keys or requests come from",
    },
    Law {
        binds: |name| name == "issuance",
        must_not_know: |name| name == "enrollment",
        because: "issuance asks for an authorization; it cannot make one",
    },
    Law { binds: is_state, must_not_know: is_http, because: "state and keys know nothing of HTTP" },
    Law {
        binds: |name| !is_program(name),
        must_not_know: |name| is_state(name) || name == "configuration",
        because: "only programs wire state, keys and configuration",
    },
    Law {
        binds: |name| name != "scep-server",
        must_not_know: |name| name.ends_with("-server"),
        because: "nobody builds on a server but scep-server, which holds ocsp-server's responder",
    },
    Law {
        binds: |_| true,
        must_not_know: |name| matches!(name, "emulators" | "testkit"),
        because: "testkit and the emulators are for tests only",
    },
];

fn is_decision(name: &str) -> bool {
    matches!(name, "revocation" | "directory" | "issuance" | "enrollment")
        || name.starts_with("directory-")
        || name.starts_with("challenge-")
}

fn is_state(name: &str) -> bool {
    matches!(name, "ledger" | "stateless-issuance") || name.starts_with("keys-")
}

fn is_http(name: &str) -> bool {
    matches!(name, "http-listener" | "scep-proto" | "ocsp-proto") || name.ends_with("-service")
}

fn is_program(name: &str) -> bool {
    name.ends_with("-server") || matches!(name, "scep-client" | "conformance" | "emulators" | "testkit")
}

pub(super) fn check(packages: &Packages) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, package) in &packages.0 {
        let manifest = format!("crates/{name}/Cargo.toml");
        for law in LAWS.iter().filter(|law| (law.binds)(name)) {
            for known in package.ours.iter().filter(|known| (law.must_not_know)(known)) {
                findings.push(Finding::of(&manifest, format!("must not depend on {known}: {}", law.because)));
            }
        }
        for (foreign, why) in foreign(name).filter(|(foreign, _)| package.everything.contains(*foreign)) {
            findings.push(Finding::of(&manifest, format!("is built with {foreign}: {why}")));
        }
    }
    findings
}

/// What a crate must not be built with, and why.
fn foreign(name: &str) -> impl Iterator<Item = (&'static str, &'static str)> {
    let protocol = if PROTOCOL.contains(&name) { NOT_IN_PROTOCOL } else { &[] };
    let protocol =
        protocol.iter().map(|name| (*name, "protocol crates have no clock, randomness, key or socket"));
    let tests = if name == "testkit" { &[] } else { IN_TESTS_ONLY };
    protocol.chain(tests.iter().map(|name| (*name, "it is for tests only")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrows_that_point_the_wrong_way_are_found() {
        for (name, known) in [
            ("scep-proto", "ocsp-proto"),
            ("ocsp-proto", "revocation"),
            ("scep-service", "ledger"),
            ("scep-service", "enrollment"),
            ("scep-service", "ocsp-proto"),
            ("ocsp-service", "scep-proto"),
            ("ocsp-service", "directory"),
            ("enrollment", "ledger"),
            ("enrollment", "scep-proto"),
            ("issuance", "enrollment"),
            ("issuance", "keys-software"),
            ("ledger", "scep-service"),
            ("http-listener", "configuration"),
            ("ocsp-server", "scep-server"),
            ("directory", "testkit"),
        ] {
            assert!(!check(&Packages::of(&[(name, &[known])])).is_empty(), "{name} -> {known}");
        }
    }

    #[test]
    fn arrows_of_the_design_pass() {
        let design: &[(&str, &[&str])] = &[
            ("scep-proto", &["pki-core"]),
            ("directory", &["pki-core", "serial-binding", "revocation"]),
            ("enrollment", &["pki-core", "serial-binding", "directory", "revocation", "issuance"]),
            ("ledger", &["pki-core", "serial-binding", "revocation", "issuance", "enrollment"]),
            ("ocsp-service", &["pki-core", "ocsp-proto", "revocation", "http-listener"]),
            ("scep-client", &["pki-core", "scep-proto", "keys-software"]),
            ("scep-server", &["ocsp-server", "ledger", "keys-software", "configuration", "scep-service"]),
        ];
        assert_eq!(check(&Packages::of(design)), []);
    }

    #[test]
    fn a_protocol_crate_built_with_a_runtime_is_found() {
        let mut packages = Packages::of(&[("scep-proto", &[])]);
        packages.0.get_mut("scep-proto").unwrap().everything.insert("tokio".into());
        packages.0.get_mut("scep-proto").unwrap().everything.insert("rsa".into());
        assert_eq!(check(&packages).len(), 3, "rsa offends twice");
    }
}
