//! The table `crl`.

use serde::{Deserialize, Serialize};

/// The table `crl`: lists of revoked certificates, one for each generation of each CA.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct CrlSettings {
    /// Whether there are CRLs.
    pub enabled: bool,
    /// Hours from one list to the nextUpdate in it; a new one is made after half of that, and at once when a certificate is
    /// revoked by order.
    pub validity_hours: u64,
    /// The same of delta lists, in minutes; they tell what has changed in the directory between two full lists. 0: none.
    pub delta_minutes: u64,
    /// Whether certificates are on the list whose objects are disabled or deleted. Without them the list is not the whole
    /// truth: only the OCSP responder tells it.
    pub include_directory: bool,
    /// Seconds that caches may keep a list for.
    pub cache_seconds: u64,
}

impl Default for CrlSettings {
    fn default() -> Self {
        Self {
            enabled: true,
            validity_hours: 24,
            delta_minutes: 0,
            include_directory: true,
            cache_seconds: 300,
        }
    }
}
