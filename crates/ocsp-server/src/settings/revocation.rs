//! The table `revocation`: sources of status beside directory and ledger.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The table `revocation`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct RevocationSettings {
    /// CRLs that somebody else publishes: whatever is on one is revoked here too.
    pub crl: Vec<ForeignCrlSettings>,
}

/// An element of the array `revocation.crl`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct ForeignCrlSettings {
    /// PEM certificate of the CA whose certificates the CRL is about, and whose key signs it; one of those that are
    /// answered for.
    pub issuer: PathBuf,
    /// Where the full CRL is: a file, or a URL that begins with http:// or https://.
    pub full: String,
    /// Where the delta CRL is, in the same way. Empty: there is none. Where there is one, it is needed.
    pub delta: String,
    /// How often both are looked at.
    pub refresh_seconds: u64,
    /// What is said of certificates that are not on it.
    pub unlisted: UnlistedCertificates,
    /// The URI in the issuingDistributionPoint of the CRL, where the issuer has several.
    pub distribution_point: String,
}

impl Default for ForeignCrlSettings {
    fn default() -> Self {
        Self {
            issuer: "ca.pem".into(),
            full: String::new(),
            delta: String::new(),
            refresh_seconds: 300,
            unlisted: UnlistedCertificates::Nothing,
            distribution_point: String::new(),
        }
    }
}

/// What is said of certificates that are not on a CRL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::exhaustive_enums, reason = "a configuration file")]
pub enum UnlistedCertificates {
    /// Nothing: another source must know them.
    Nothing,
    /// That they are good, though nobody knows whether they were ever issued.
    Good,
}
