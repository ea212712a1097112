//! The table `delegate`: who signs the answers.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The table `delegate`, in one of three ways:
///
/// * `certificate` and `key`: a delegate in files, where another program puts a new one in time;
/// * `issuer` and `token`, or `issuer`, `client_certificate` and `client_key`: a `scep-server` that certifies delegates,
///   which are made here in memory;
/// * `ca_key`: the CA's key, with which this responder certifies its own.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct DelegateSettings {
    /// PEM certificate of the delegate; read again when it is about to run out. Empty: none.
    pub certificate: PathBuf,
    /// PEM key of the delegate.
    pub key: PathBuf,
    /// URL of the `scep-server` that certifies delegates, such as `http://ca.example.com:8080`. Empty: none.
    pub issuer: String,
    /// File of the secret that both share, 64 hexadecimal digits: `ocsp.delegate_token` there.
    pub token: PathBuf,
    /// PEM certificate that is shown to the issuer over TLS, in the token's place: one of those that
    /// `ocsp.delegate_tls.responders` names there. Read anew for each delegate. Empty: none.
    pub client_certificate: PathBuf,
    /// PEM key of that certificate.
    pub client_key: PathBuf,
    /// PEM certificates of the CAs below which the issuer's own TLS certificate may be. Empty: the CA that is answered for.
    pub issuer_ca: PathBuf,
    /// PEM key of the CA, used when there is neither a delegate's certificate nor an issuer.
    pub ca_key: PathBuf,
    /// How long a delegate that is made here lives; it is renewed at half of that. Where there is an issuer, it decides.
    pub hours: u64,
    /// Kinds of keys: one delegate each, of which a client gets the one that it prefers, or the first.
    pub keys: Vec<String>,
}

impl Default for DelegateSettings {
    fn default() -> Self {
        Self {
            certificate: PathBuf::new(),
            key: PathBuf::new(),
            issuer: String::new(),
            token: "delegate.token".into(),
            client_certificate: PathBuf::new(),
            client_key: PathBuf::new(),
            issuer_ca: PathBuf::new(),
            ca_key: "ca.key.pem".into(),
            hours: 24,
            keys: vec!["p256".into()],
        }
    }
}
