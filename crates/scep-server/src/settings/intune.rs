//! Microsoft Intune as the authority of profiles; `docs/mdm/intune.md` explains it.

use std::path::PathBuf;

use ocsp_server::settings::{
    AssertionName, CloudName, DirectoryKind, DirectoryServiceSettings, EntraSettings, ManagedIdentityName,
};
use serde::{Deserialize, Serialize};

/// An element of the array `intune`: one tenant.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct IntuneSettings {
    /// What profiles call it.
    pub name: String,
    /// The tenant's id, or one of its domains.
    pub tenant: String,
    /// The cloud that the tenant lives in.
    pub cloud: CloudName,
    /// The id of the app that speaks for this server.
    pub client_id: String,
    /// File of the app's secret.
    pub secret: PathBuf,
    /// PEM file of the certificate that the app has on file, in place of a secret.
    pub certificate: PathBuf,
    /// File of its RSA key.
    pub key: PathBuf,
    /// How the key signs.
    pub assertion: AssertionName,
    /// Whether tokens come from the machine or app that this runs on, in place of a secret.
    pub managed_identity: ManagedIdentityName,
    /// Where a machine's tokens come from.
    pub identity_url: String,
    /// Where tokens come from otherwise. Empty: where the cloud has it.
    pub login_url: String,
    /// Where Microsoft Graph is, without a version. Empty: where the cloud has it.
    pub graph_url: String,
    /// What tokens for Intune are for.
    pub resource: String,
    /// PEM file of the only certification authorities that are trusted. Empty: those of the system.
    pub trusted_cas: PathBuf,
    /// How long a certificate is held back until Intune has heard of it, in seconds; after that the device is told to try
    /// again. 0: it is not held back.
    pub wait_seconds: u64,
    /// How often Intune is asked which certificates are to be revoked, in minutes. 0: never.
    pub revocation_minutes: u64,
}

impl Default for IntuneSettings {
    fn default() -> Self {
        let entra = EntraSettings::default();
        Self {
            name: "intune".into(),
            tenant: String::new(),
            cloud: entra.cloud,
            client_id: String::new(),
            secret: PathBuf::new(),
            certificate: entra.certificate,
            key: entra.key,
            assertion: entra.assertion,
            managed_identity: entra.managed_identity,
            identity_url: entra.identity_url,
            login_url: String::new(),
            graph_url: String::new(),
            resource: "https://api.manage.microsoft.com/".into(),
            trusted_cas: PathBuf::new(),
            wait_seconds: 10,
            revocation_minutes: 60,
        }
    }
}

impl IntuneSettings {
    /// The app and its credentials, as a directory's settings have them.
    pub(crate) fn app(&self) -> DirectoryServiceSettings {
        DirectoryServiceSettings {
            kind: DirectoryKind::Entra,
            url: self.graph_url.clone(),
            client_id: self.client_id.clone(),
            secret: self.secret.clone(),
            trusted_cas: self.trusted_cas.clone(),
            entra: EntraSettings {
                tenant: self.tenant.clone(),
                cloud: self.cloud,
                login_url: self.login_url.clone(),
                certificate: self.certificate.clone(),
                key: self.key.clone(),
                assertion: self.assertion,
                managed_identity: self.managed_identity,
                identity_url: self.identity_url.clone(),
                ..EntraSettings::default()
            },
            ..DirectoryServiceSettings::default()
        }
    }
}
