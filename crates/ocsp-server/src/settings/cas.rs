//! Further CAs that are answered for.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{DelegateSettings, DirectorySettings, PlainSerials};

/// An element of the array `ca`: another CA, with what belongs to it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct CaSettings {
    /// Folder that its relative paths are below. Empty: that of the first CA.
    pub data: PathBuf,
    /// PEM certificate of the CA.
    pub ca_certificate: PathBuf,
    /// Folder of its serial keys.
    pub serial_keys: PathBuf,
    /// Whether plain serial numbers are understood.
    pub plain_serials: PlainSerials,
    /// Who signs the answers.
    pub delegate: DelegateSettings,
    /// Where its devices and users are looked up. The same file as the first CA's is opened once.
    pub directory: DirectorySettings,
    /// Its ledger. Empty: none.
    pub ledger: PathBuf,
}

impl Default for CaSettings {
    fn default() -> Self {
        Self {
            data: PathBuf::new(),
            ca_certificate: "ca.pem".into(),
            serial_keys: ".".into(),
            plain_serials: PlainSerials::Ignored,
            delegate: DelegateSettings::default(),
            directory: DirectorySettings::default(),
            ledger: "ledger.sqlite".into(),
        }
    }
}
