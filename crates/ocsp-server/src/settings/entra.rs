//! How Microsoft Entra and Intune are asked.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// The table `directory.service.entra`, for a service of the kind `entra`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct EntraSettings {
    /// The tenant's id, or one of its domains. The id goes into certificates where a profile says so.
    pub tenant: String,
    /// The cloud that the tenant lives in.
    pub cloud: CloudName,
    /// Where tokens come from. Empty: where the cloud has it.
    pub login_url: String,
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
    /// Where devices are looked up.
    pub devices: DevicesIn,
    /// Whether devices must be compliant.
    pub compliance: ComplianceCheck,
    /// For how long after its enrollment a device need not be compliant.
    pub compliance_grace_minutes: u64,
    /// Whether a device that is to be wiped, retired or deleted is gone as soon as that is ordered.
    pub revoke_on_wipe: bool,
    /// What a deleted user is who can still be restored.
    pub deleted_users: DeletedUserState,
    /// Users at one of these risks are on hold.
    pub untolerated_user_risks: Vec<RiskName>,
    /// How often it is asked who is at risk.
    pub risk_seconds: u64,
    /// How long that is believed. Older, nobody knows who is at risk.
    pub risk_max_stale_seconds: u64,
    /// How often it is asked what has changed among devices and users, so that they are known before anybody asks. 0:
    /// each is asked about by itself.
    pub follow_seconds: u64,
    /// Under which URL Graph reaches this server, to tell of changes of users; its path is answered. Needs
    /// `follow_seconds`. Empty: nowhere.
    pub notification_url: String,
    /// File of a secret of 128 characters at most that notifications show; the same for all that the URL may lead to.
    pub notification_secret: PathBuf,
    /// Objects of other kinds than the canary's that are never deleted, as `kind:id`.
    pub further_canaries: Vec<String>,
}

impl Default for EntraSettings {
    fn default() -> Self {
        Self {
            tenant: String::new(),
            cloud: CloudName::Global,
            login_url: String::new(),
            certificate: PathBuf::new(),
            key: PathBuf::new(),
            assertion: AssertionName::Ps256,
            managed_identity: ManagedIdentityName::None,
            identity_url: "http://169.254.169.254".into(),
            devices: DevicesIn::Entra,
            compliance: ComplianceCheck::Never,
            compliance_grace_minutes: 0,
            revoke_on_wipe: true,
            deleted_users: DeletedUserState::Gone,
            untolerated_user_risks: Vec::new(),
            risk_seconds: 60,
            risk_max_stale_seconds: 3600,
            follow_seconds: 0,
            notification_url: String::new(),
            notification_secret: PathBuf::new(),
            further_canaries: Vec::new(),
        }
    }
}

/// One of Microsoft's clouds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CloudName {
    /// The one that everybody uses.
    Global,
    /// US Government L4, also called GCC High.
    UsGov,
    /// US Government L5, of the Department of Defense.
    UsDod,
    /// China, operated by 21Vianet.
    China,
}

/// How a certificate's key signs in place of a secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum AssertionName {
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
}

/// Whose identity is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ManagedIdentityName {
    /// That of an app with a secret or a certificate.
    None,
    /// The virtual machine's.
    Machine,
    /// The app's in App Service, which the environment tells (`IDENTITY_ENDPOINT`, `IDENTITY_HEADER`).
    App,
}

/// Where devices are looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DevicesIn {
    /// In Entra, by Entra's ids.
    Entra,
    /// In Intune, by Intune's ids.
    Intune,
    /// In either: gone when neither has the id.
    Both,
    /// In either where Intune may be asked, else in Entra.
    BothOpportunistic,
    /// In both: each must have the device good.
    Agreeing,
}

/// Whether devices must be compliant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "closed")]
pub enum ComplianceCheck {
    /// It makes no difference.
    Never,
    /// A device that is not is on hold.
    Always,
}

/// What a deleted user is who can still be restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "closed")]
pub enum DeletedUserState {
    /// Gone: the certificates are revoked for ever.
    Gone,
    /// On hold until restored, or deleted for good.
    Hold,
}

/// How much a user is at risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(clippy::exhaustive_enums, reason = "as the service has them")]
pub enum RiskName {
    /// Low.
    Low,
    /// Medium.
    Medium,
    /// High.
    High,
}
