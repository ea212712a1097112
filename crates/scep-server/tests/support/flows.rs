//! Enrolls with a challenge that was had elsewhere, as a device does that an MDM has configured.
#![allow(dead_code, reason = "each test file uses its own part")]

use std::path::PathBuf;

use crate::support::{Server, attempt, run, scep_client};

/// What a device was told: where, with what, and as whom.
pub(crate) struct Told<'a> {
    pub(crate) url: &'a str,
    pub(crate) challenge: &'a str,
    pub(crate) subject: &'a str,
    /// More arguments of the client.
    pub(crate) more: &'a [&'a str],
}

impl Told<'_> {
    fn arguments(&self, server: &Server, key: &str, certificate: &str) -> Vec<String> {
        let told = [
            "enroll",
            self.url,
            "--ca-fingerprint",
            server.fingerprint(),
            "--challenge",
            self.challenge,
            "--subject",
            self.subject,
            "--key-out",
            key,
            "--cert-out",
            certificate,
        ];
        told.iter().chain(self.more).map(|argument| (*argument).to_owned()).collect()
    }
}

fn files(server: &Server, label: &str) -> [PathBuf; 2] {
    ["key", "pem"].map(|ending| server.folder().join(format!("{label}.{ending}")))
}

/// The file of the certificate that the device got.
pub(crate) fn enrolled(server: &Server, told: &Told<'_>, label: &str) -> PathBuf {
    let [key, certificate] = files(server, label);
    let arguments = told.arguments(server, key.to_str().unwrap(), certificate.to_str().unwrap());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    run(server.folder(), scep_client().to_str().unwrap(), &arguments);
    certificate
}

/// What the device was told instead of a certificate.
pub(crate) fn refused(server: &Server, told: &Told<'_>, label: &str) -> String {
    let [key, certificate] = files(server, label);
    let arguments = told.arguments(server, key.to_str().unwrap(), certificate.to_str().unwrap());
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (success, text) = attempt(server.folder(), scep_client().to_str().unwrap(), &arguments);
    assert!(!success, "it was enrolled: {text}");
    text
}
