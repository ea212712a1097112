//! What a directory spoken to by LDAP needs beside an address.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The table `ldap` of an element of `directory.service`, for the kinds `ldap` and `active-directory`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct LdapServiceSettings {
    /// URLs of further servers that hold the same entries as `url`. An entry is gone when all of them say so.
    pub more_urls: Vec<String>,
    /// What protects connections to `ldap://`.
    pub protection: LdapProtection,
    /// Who asks: a distinguished name, or a user principal name of Active Directory. Empty: nobody in particular.
    pub bind_dn: String,
    /// File of the password.
    pub password: PathBuf,
    /// The distinguished name below which the entries are.
    pub base: String,
    /// The attribute that is the id. Empty: `objectGUID` of Active Directory, `entryUUID` of others.
    pub id: String,
    /// Among which entries names are searched for, such as `(objectClass=computer)`. Empty: persons, devices, accounts.
    pub among: String,
    /// Entries that are on hold for a reason of the site's own, such as `(nsAccountLock=TRUE)`. Empty: none.
    pub disabled: String,
    /// Whether an account that is locked for a time, because of wrong passwords, is on hold.
    pub locked: LockedAccounts,
    /// Attributes that templates of names may use.
    pub attributes: Vec<String>,
    /// For how long an entry must have been missing before it counts as gone, where servers hear of new ones late.
    pub settle_seconds: u64,
    /// How often it is asked what has changed. 0: never; each object is asked about by itself.
    pub poll_seconds: u64,
    /// With `poll_seconds`, how long an answer is not asked for again while changes are heard.
    pub followed_seconds: u64,
}

impl Default for LdapServiceSettings {
    fn default() -> Self {
        Self {
            more_urls: Vec::new(),
            protection: LdapProtection::default(),
            bind_dn: String::new(),
            password: PathBuf::new(),
            base: String::new(),
            id: String::new(),
            among: String::new(),
            disabled: String::new(),
            locked: LockedAccounts::default(),
            attributes: Vec::new(),
            settle_seconds: 0,
            poll_seconds: 0,
            followed_seconds: 900,
        }
    }
}

/// What protects connections to `ldap://`. Those to `ldaps://` always have TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::exhaustive_enums, reason = "closed")]
pub enum LdapProtection {
    /// StartTLS, or nothing is said.
    Required,
    /// The same, except to a server on this machine.
    #[default]
    NotOnLoopback,
    /// None: whoever is on the way reads the password and may answer in the server's place.
    None,
}

/// What becomes of the certificates of accounts that are locked for a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "closed")]
pub enum LockedAccounts {
    /// They stay good: anybody who can guess wrongly can lock an account.
    #[default]
    Good,
    /// They are on hold.
    Hold,
}
