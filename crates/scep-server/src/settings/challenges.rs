//! `[profile.ndes]`, `[profile.jamf]` and `[profile.webhook]`: where challenges come from, and who decides on them.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The table `profile.ndes`, for profiles with `challenge = "ndes"`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct NdesSettings {
    /// Path of the page that hands challenges out.
    pub path: String,
    /// How the page is encoded.
    pub encoding: PageEncoding,
    /// So many challenges may be outstanding; there is no further one until one was used or has expired.
    pub outstanding: usize,
    /// Who may have challenges, of those who can log in. Empty: all of them.
    pub users: Vec<String>,
}

impl Default for NdesSettings {
    fn default() -> Self {
        Self {
            path: "/certsrv/mscep_admin".into(),
            encoding: PageEncoding::Utf8,
            outstanding: 5,
            users: Vec::new(),
        }
    }
}

/// How a page is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "a configuration file")]
pub enum PageEncoding {
    /// UTF-8.
    #[serde(rename = "utf-8")]
    Utf8,
    /// UTF-16, the lower octet first, without a mark: what Microsoft's own page is in.
    #[serde(rename = "utf-16le")]
    Utf16,
}

/// The table `profile.jamf`, for profiles with `challenge = "sealed"`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct JamfSettings {
    /// Path at which Jamf Pro asks for challenges, by its webhook SCEPChallenge. Empty: none.
    pub hook: String,
    /// Who may ask, of those who can log in. Empty: all of them.
    pub users: Vec<String>,
}

/// The table `profile.webhook`, for profiles with `challenge = "webhook"`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct WebhookSettings {
    /// Where the service is: https, or http on this machine.
    pub url: String,
    /// What the service knows this webhook by.
    pub id: String,
    /// File of the secret, in base64, that signs what is sent.
    pub secret_file: PathBuf,
    /// File of the only certification authorities that the service may have its certificate from, in PEM. Empty: those of
    /// the system.
    pub trusted_cas: PathBuf,
}
