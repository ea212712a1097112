//! Where is answered: more paths, more listeners, and the one for metrics.

use serde::{Deserialize, Serialize};

use super::Nonces;

/// An element of the array `endpoint`: the same responder under another path or address, with other nonces.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct EndpointSettings {
    /// Address and port to listen on. Empty: where the responder listens anyway.
    pub listen: String,
    /// The path.
    pub path: String,
    /// What becomes of nonces; as `answers` has it unless said.
    pub nonces: Option<Nonces>,
}

impl Default for EndpointSettings {
    fn default() -> Self {
        Self { listen: String::new(), path: "/ocsp".into(), nonces: None }
    }
}

/// The table `metrics`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct MetricsSettings {
    /// Address and port to show /metrics on, and there alone. Empty: beside the responder.
    pub listen: String,
}
