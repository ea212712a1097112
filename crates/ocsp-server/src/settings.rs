//! What an operator can set. Every field has a default; the file is TOML, every key can be overridden by an environment
//! variable (`OCSP_SERVER__…`, see the crate `configuration`).

mod answers;
mod cas;
mod delegate;
mod directories;
mod endpoints;
mod entra;
mod ldap;
mod revocation;

use std::path::PathBuf;

pub use answers::{AnswerSettings, Holds, NeverIssued, Nonces, PresetName};
pub use cas::CaSettings;
pub use delegate::DelegateSettings;
pub use directories::{DirectoryKind, DirectoryServiceSettings, DirectorySettings, UnmanagedDevices};
pub use endpoints::{EndpointSettings, MetricsSettings};
pub use entra::{
    AssertionName, CloudName, ComplianceCheck, DeletedUserState, DevicesIn, EntraSettings,
    ManagedIdentityName, RiskName,
};
pub use ldap::{LdapProtection, LdapServiceSettings, LockedAccounts};
pub use revocation::{ForeignCrlSettings, RevocationSettings, UnlistedCertificates};
use serde::{Deserialize, Serialize};

/// The prefix of the environment variables.
pub const ENVIRONMENT_PREFIX: &str = "OCSP_SERVER";

/// The whole configuration file. Relative paths are below `data`, whose names are those that `scep-server` gives its
/// files; so `ocsp-server --data FOLDER` answers for a CA that lives there.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct Settings {
    /// Address and port to listen on.
    pub listen: String,
    /// The path of the responder.
    pub path: String,
    /// Folder that relative paths are below.
    pub data: PathBuf,
    /// PEM certificate of the CA that is answered for.
    pub ca_certificate: PathBuf,
    /// Folder of the serial keys, one file a key id: `serial-0.key` has the id 0.
    pub serial_keys: PathBuf,
    /// Whether plain serial numbers (version 1), which anyone can make up, are understood.
    pub plain_serials: PlainSerials,
    /// Who signs the answers.
    pub delegate: DelegateSettings,
    /// Where devices and users are looked up.
    pub directory: DirectorySettings,
    /// The issuer's ledger, opened for reading only: manual revocations and deletions that were seen. Empty: none.
    pub ledger: PathBuf,
    /// How long answers may be relied on.
    pub answers: AnswerSettings,
    /// Limits on connections.
    pub limits: LimitSettings,
    /// Where metrics are shown.
    pub metrics: MetricsSettings,
    /// Log output.
    pub log: LogSettings,
    /// Where else revocations come from.
    pub revocation: RevocationSettings,
    /// Further paths and addresses of the responder.
    pub endpoint: Vec<EndpointSettings>,
    /// Further CAs that are answered for.
    pub ca: Vec<CaSettings>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8081".into(),
            path: "/ocsp".into(),
            data: "certbound-data".into(),
            ca_certificate: "ca.pem".into(),
            serial_keys: ".".into(),
            plain_serials: PlainSerials::Ignored,
            delegate: DelegateSettings::default(),
            directory: DirectorySettings::default(),
            ledger: "ledger.sqlite".into(),
            answers: AnswerSettings::default(),
            limits: LimitSettings::default(),
            metrics: MetricsSettings::default(),
            log: LogSettings::default(),
            revocation: RevocationSettings::default(),
            endpoint: Vec::new(),
            ca: Vec::new(),
        }
    }
}

impl Settings {
    /// What belongs to the first CA.
    pub(crate) fn first_ca(&self) -> CaSettings {
        CaSettings {
            data: self.data.clone(),
            ca_certificate: self.ca_certificate.clone(),
            serial_keys: self.serial_keys.clone(),
            plain_serials: self.plain_serials,
            delegate: self.delegate.clone(),
            directory: self.directory.clone(),
            ledger: self.ledger.clone(),
        }
    }
}

/// Whether plain serial numbers are understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::exhaustive_enums, reason = "a configuration file")]
pub enum PlainSerials {
    /// They are nobody's.
    Ignored,
    /// They are, where the ledger has them on record.
    Read,
}

/// The table `limits`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct LimitSettings {
    /// Connections open at once.
    pub connections: usize,
    /// Connections open at once from one address.
    pub connections_per_address: usize,
    /// Seconds within which a request's header must arrive.
    pub header_seconds: u64,
}

impl Default for LimitSettings {
    fn default() -> Self {
        Self { connections: 1024, connections_per_address: 256, header_seconds: 10 }
    }
}

/// The table `log`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct LogSettings {
    /// What to log: a level, or directives such as `info,scep_service=debug`.
    pub filter: String,
    /// How to log it.
    pub format: LogFormat,
}

impl Default for LogSettings {
    fn default() -> Self {
        Self { filter: "info".into(), format: LogFormat::Text }
    }
}

/// The forms of log output.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::exhaustive_enums, reason = "a configuration file")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}
