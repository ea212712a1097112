//! What an operator can set. Every field has a default; the file is TOML, every key can be overridden by an environment
//! variable (`OCSP_SERVER__…`, see the crate `configuration`).

use std::path::PathBuf;

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
    /// Log output.
    pub log: LogSettings,
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
            log: LogSettings::default(),
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

/// The table `delegate`: either a delegate's certificate and key, or the CA's key, with which the responder makes
/// delegates of its own in memory.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct DelegateSettings {
    /// PEM certificate of the delegate; read again when it is about to run out. Empty: none.
    pub certificate: PathBuf,
    /// PEM key of the delegate.
    pub key: PathBuf,
    /// PEM key of the CA, used when there is no delegate's certificate.
    pub ca_key: PathBuf,
    /// How long a delegate that is made here lives; it is renewed at half of that.
    pub hours: u64,
}

impl Default for DelegateSettings {
    fn default() -> Self {
        Self { certificate: PathBuf::new(), key: PathBuf::new(), ca_key: "ca.key.pem".into(), hours: 24 }
    }
}

/// The table `answers`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct AnswerSettings {
    /// How long "good" may be relied on.
    pub good_seconds: u64,
    /// How long "on hold" may be relied on.
    pub hold_seconds: u64,
    /// How long "revoked for ever" may be relied on.
    pub revoked_seconds: u64,
    /// What is said of serial numbers that this CA never gave.
    pub never_issued: NeverIssued,
    /// Signed answers kept in memory, at most.
    pub cached: usize,
}

impl Default for AnswerSettings {
    fn default() -> Self {
        Self {
            good_seconds: 600,
            hold_seconds: 300,
            revoked_seconds: 604_800,
            never_issued: NeverIssued::Unknown,
            cached: 4096,
        }
    }
}

/// What is said of serial numbers that this CA never gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::exhaustive_enums, reason = "a configuration file")]
pub enum NeverIssued {
    /// A signed `unknown`.
    Unknown,
    /// An unsigned `unauthorized`.
    Unauthorized,
    /// A signed `revoked` as RFC 6960 §2.2 has it for certificates never issued.
    Revoked,
}

/// The table `directory`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct DirectorySettings {
    /// TOML or JSON file of devices and users; a relative path is below the data folder.
    pub file: PathBuf,
    /// How long the last good reading is used while the file cannot be read.
    pub max_stale_seconds: u64,
}

impl Default for DirectorySettings {
    fn default() -> Self {
        Self { file: "directory.toml".into(), max_stale_seconds: 600 }
    }
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
