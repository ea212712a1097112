//! The key `ledger`.

use serde::{Deserialize, Serialize};

/// Where it is kept what was issued, challenged, revoked and refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::exhaustive_enums, reason = "a configuration file")]
pub enum LedgerKind {
    /// In a file of the data folder, for one server.
    #[default]
    Sqlite,
    /// Nowhere. Any number of servers with the same keys and the same configuration are one CA; what they cannot do,
    /// `docs/without-a-ledger.md` says.
    None,
}
