//! Where devices and users are looked up.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{EntraSettings, LdapServiceSettings};

/// The table `directory`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct DirectorySettings {
    /// TOML or JSON file of devices and users; a relative path is below the data folder. Empty: none.
    pub file: PathBuf,
    /// How long the last good reading is used while the file cannot be read.
    pub max_stale_seconds: u64,
    /// Kinds of object that nobody is asked about, such as `intune-device`: all of them are taken for enabled.
    pub unchecked: Vec<String>,
    /// Services that are asked over the network. The file then holds the kinds of object that none of them does.
    pub service: Vec<DirectoryServiceSettings>,
}

impl Default for DirectorySettings {
    fn default() -> Self {
        Self {
            file: "directory.toml".into(),
            max_stale_seconds: 600,
            unchecked: Vec::new(),
            service: Vec::new(),
        }
    }
}

/// An element of the array `directory.service`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct DirectoryServiceSettings {
    /// What it speaks.
    pub kind: DirectoryKind,
    /// What it is called in logs, metrics and confirmations. Empty: by its kind.
    pub name: String,
    /// Its base, such as `https://example.com/scim/v2`, `https://example.jamfcloud.com` or `ldaps://dc1.example.com`. For
    /// Entra empty means where its cloud has Microsoft Graph.
    pub url: String,
    /// File of a bearer token that does not change; of the API token for Okta.
    pub token: PathBuf,
    /// An API client's id, or a user's name where the service changes that for a token (Jamf Pro).
    pub client_id: String,
    /// File of the client's secret, or of the user's password.
    pub secret: PathBuf,
    /// Where an API client gets its tokens; for Jamf Pro empty means its own endpoint, and `login` a user's account.
    pub token_url: String,
    /// What the tokens are for, where the service asks.
    pub scope: String,
    /// PEM file of the only certification authorities that are trusted. Empty: those of the system.
    pub trusted_cas: PathBuf,
    /// An object that is never deleted, as `kind:id`. Without it a service that has forgotten everybody is noticed later.
    pub canary: String,
    /// How long an answer is not asked for again.
    pub fresh_seconds: u64,
    /// How long an enabled object is taken for enabled when the service cannot be asked. 0: not at all.
    pub max_stale_seconds: u64,
    /// How many objects are remembered; more than there are is best.
    pub remembered: usize,
    /// From how many objects that it takes away within a minute it is not believed any more.
    pub mass_changes: usize,
    /// The share, in percent of the objects asked about in that minute, that is believed all the same.
    pub mass_percent: u8,
    /// Whether a device of Jamf Pro that is not managed any more has its certificates on hold.
    pub unmanaged: UnmanagedDevices,
    /// What more there is to say of Entra and Intune.
    pub entra: EntraSettings,
    /// What LDAP needs beside that.
    pub ldap: LdapServiceSettings,
}

impl Default for DirectoryServiceSettings {
    fn default() -> Self {
        Self {
            kind: DirectoryKind::Scim,
            url: String::new(),
            token: PathBuf::new(),
            client_id: String::new(),
            secret: PathBuf::new(),
            token_url: String::new(),
            scope: String::new(),
            trusted_cas: PathBuf::new(),
            canary: String::new(),
            fresh_seconds: 5,
            max_stale_seconds: 600,
            remembered: 200_000,
            name: String::new(),
            mass_changes: 20,
            mass_percent: 5,
            unmanaged: UnmanagedDevices::Good,
            entra: EntraSettings::default(),
            ldap: LdapServiceSettings::default(),
        }
    }
}

/// What a directory service speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum DirectoryKind {
    /// SCIM 2.0, ids as UUIDs.
    Scim,
    /// Okta's own interface.
    Okta,
    /// Keycloak's administration interface.
    Keycloak,
    /// Jamf Pro.
    Jamf,
    /// Microsoft Entra and Intune.
    Entra,
    /// An LDAP directory with the attributes of RFC 4519.
    Ldap,
    /// Active Directory, by LDAP.
    #[serde(rename = "active-directory")]
    ActiveDirectory,
}

impl DirectoryKind {
    /// What such a service is called.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Scim => "SCIM",
            Self::Okta => "Okta",
            Self::Keycloak => "Keycloak",
            Self::Jamf => "Jamf Pro",
            Self::Entra => "Microsoft Graph",
            Self::Ldap => "LDAP",
            Self::ActiveDirectory => "Active Directory",
        }
    }
}

/// What becomes of the certificates of devices that are not managed any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "closed")]
pub enum UnmanagedDevices {
    /// They stay good.
    Good,
    /// They are on hold.
    Hold,
}
