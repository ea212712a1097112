//! What came of a command, for people and, as JSON, for scripts. docs/scep-client.md describes the shape: fields may be
//! added to it, and none is removed or changes its meaning while `version` is 1.

use std::{fmt, path::Path};

use pki_core::{Certificate, Crl, DigestAlgorithm, UnixTime};
use serde::Serialize;

use crate::failure::Failure;

/// One object a command, and one a line from the daemon.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Report {
    version: u32,
    command: &'static str,
    pub(crate) result: Outcome,
    exit_code: u8,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    transaction: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<KeyView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    certificate: Option<CertificateView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ca: Option<CertificateView>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    ca_certificates: Vec<CertificateView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    crl: Option<CrlView>,
    #[serde(skip_serializing_if = "Option::is_none")]
    capabilities: Option<Vec<&'static str>>,
    /// When the certificate is due, or the daemon's next go at it.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<ErrorView>,
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Outcome {
    /// A new certificate is in its place.
    Issued,
    /// The CA has not decided.
    Pending,
    /// It is too early to renew.
    NotDue,
    /// What was asked for is here.
    Fetched,
    /// Nothing came of it.
    Failed,
}

#[derive(Debug, Clone, Serialize)]
struct KeyView {
    file: String,
}

#[derive(Debug, Clone, Serialize)]
struct CertificateView {
    #[serde(skip_serializing_if = "Option::is_none")]
    file: Option<String>,
    subject: String,
    issuer: String,
    serial: String,
    not_before: String,
    not_after: String,
    sha256: String,
    sha1: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    roles: Vec<&'static str>,
}

#[derive(Debug, Clone, Serialize)]
struct CrlView {
    file: String,
    source: String,
    issuer: String,
    this_update: String,
    next_update: Option<String>,
    revoked: usize,
    lists_certificate: bool,
}

#[derive(Debug, Clone, Serialize)]
struct ErrorView {
    kind: &'static str,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    fail_info: Option<String>,
}

impl Report {
    /// Of `command`, which ended so.
    pub(crate) fn new(command: &'static str, result: Outcome) -> Self {
        let exit_code = match result {
            Outcome::Issued | Outcome::Fetched => 0,
            Outcome::Failed => 1,
            Outcome::Pending => 6,
            Outcome::NotDue => 7,
        };
        Self {
            version: 1,
            command,
            result,
            exit_code,
            message: None,
            transaction: None,
            key: None,
            certificate: None,
            ca: None,
            ca_certificates: Vec::new(),
            crl: None,
            capabilities: None,
            next: None,
            error: None,
        }
    }

    /// Of `command`, which failed.
    pub(crate) fn failed(command: &'static str, failure: &Failure) -> Self {
        let error = ErrorView {
            kind: failure.kind().word(),
            message: failure.to_string(),
            fail_info: failure.fail_info().map(String::from),
        };
        Self { exit_code: failure.kind().code(), error: Some(error), ..Self::new(command, Outcome::Failed) }
    }

    /// The same, of another command.
    pub(crate) fn of(self, command: &'static str) -> Self {
        Self { command, ..self }
    }

    pub(crate) fn with_message(self, message: impl fmt::Display) -> Self {
        Self { message: Some(message.to_string()), ..self }
    }

    pub(crate) fn with_transaction(self, transaction: impl fmt::Display) -> Self {
        Self { transaction: Some(transaction.to_string()), ..self }
    }

    pub(crate) fn with_key(self, file: &Path) -> Self {
        Self { key: Some(KeyView { file: file.display().to_string() }), ..self }
    }

    pub(crate) fn with_certificate(self, certificate: &Certificate, file: Option<&Path>) -> Self {
        Self { certificate: Some(CertificateView::new(certificate, file)), ..self }
    }

    pub(crate) fn with_ca(self, certificate: &Certificate, file: Option<&Path>) -> Self {
        Self { ca: Some(CertificateView::new(certificate, file)), ..self }
    }

    /// With one more certificate of GetCACert, and what it is for.
    pub(crate) fn with_ca_certificate(mut self, certificate: &Certificate, roles: Vec<&'static str>) -> Self {
        self.ca_certificates.push(CertificateView { roles, ..CertificateView::new(certificate, None) });
        self
    }

    pub(crate) fn with_crl(self, crl: &Crl, source: String, about: &Certificate, file: &Path) -> Self {
        let view = CrlView {
            file: file.display().to_string(),
            source,
            issuer: crl.issuer().to_string(),
            this_update: crl.this_update().to_string(),
            next_update: crl.next_update().map(|time| time.to_string()),
            revoked: crl.len(),
            lists_certificate: crl.entries().any(|entry| entry.serial_octets() == about.serial_octets()),
        };
        Self { crl: Some(view), ..self }
    }

    pub(crate) fn with_capabilities(self, keywords: Vec<&'static str>) -> Self {
        Self { capabilities: Some(keywords), ..self }
    }

    pub(crate) fn with_next(self, time: UnixTime) -> Self {
        Self { next: Some(time.to_string()), ..self }
    }

    /// What the process ends with.
    pub(crate) fn exit_code(&self) -> u8 {
        self.exit_code
    }

    /// One line of JSON.
    pub(crate) fn to_json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl CertificateView {
    fn new(certificate: &Certificate, file: Option<&Path>) -> Self {
        let validity = certificate.validity();
        let sha1 = DigestAlgorithm::Sha1.digest(certificate.as_der()).unwrap_or_default();
        Self {
            file: file.map(|file| file.display().to_string()),
            subject: certificate.subject().to_string(),
            issuer: certificate.issuer().to_string(),
            serial: hex(certificate.serial_octets()).concat(),
            not_before: validity.not_before().to_string(),
            not_after: validity.not_after().to_string(),
            sha256: colons(&certificate.fingerprint()),
            sha1: colons(&sha1),
            roles: Vec::new(),
        }
    }
}

/// For people.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(error) = &self.error {
            writeln!(f, "error: {}", error.message)?;
        }
        if let Some(message) = &self.message {
            writeln!(f, "{message}")?;
        }
        if let Some(key) = &self.key {
            writeln!(f, "key          {}", key.file)?;
        }
        if let Some(certificate) = &self.certificate {
            let CertificateView { file, subject, serial, not_after, .. } = certificate;
            let file = file.as_ref().map(|file| format!("{file}  ")).unwrap_or_default();
            writeln!(f, "certificate  {file}{subject}, serial {serial}, until {not_after}")?;
        }
        if let Some(ca) = &self.ca {
            let file = ca.file.as_ref().map(|file| format!("{file}  ")).unwrap_or_default();
            writeln!(f, "CA           {file}{}", ca.subject)?;
            if self.certificate.is_none() {
                writeln!(f, "{}", Fingerprints(ca))?;
            }
        }
        for certificate in &self.ca_certificates {
            let CertificateView { subject, roles, not_before, not_after, .. } = certificate;
            writeln!(f, "{subject}")?;
            writeln!(f, "  role     {}", roles.join(", "))?;
            writeln!(f, "  valid    {not_before} to {not_after}")?;
            writeln!(f, "{}", Fingerprints(certificate))?;
        }
        if let Some(crl) = &self.crl {
            let CrlView { file, source, issuer, this_update, revoked, .. } = crl;
            writeln!(f, "CRL          {file}  {issuer}, {revoked} revoked, of {this_update}, from {source}")?;
            if crl.lists_certificate {
                writeln!(f, "the certificate is on it: REVOKED")?;
            }
        }
        self.capabilities.iter().flatten().try_for_each(|keyword| writeln!(f, "{keyword}"))?;
        self.next.as_ref().map_or(Ok(()), |next| writeln!(f, "next         {next}"))
    }
}

/// Of one certificate, to compare with what the CA's operator says.
struct Fingerprints<'a>(&'a CertificateView);

impl fmt::Display for Fingerprints<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  SHA-256  {}", self.0.sha256)?;
        write!(f, "  SHA-1    {}  (too weak to trust a CA by)", self.0.sha1)
    }
}

/// Upper-case hexadecimal, colons between octets, as people compare fingerprints.
fn colons(octets: &[u8]) -> String {
    hex(octets).join(":")
}

fn hex(octets: &[u8]) -> Vec<String> {
    octets.iter().map(|octet| format!("{octet:02X}")).collect()
}
