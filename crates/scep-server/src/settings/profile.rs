//! What an operator can set of a profile; `docs/profiles.md` explains it by examples.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::{JamfSettings, NdesSettings, WebhookSettings};

/// An element of the array `profile`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct ProfileSettings {
    /// Its name, in logs and in the ledger.
    pub name: String,
    /// The path under which it enrolls; whatever follows the path is ignored (RFC 8894 §4.1).
    pub path: String,
    /// The id of the CA that issues. Empty: the first one.
    pub ca: String,
    /// How requesters prove themselves.
    pub challenge: ChallengeKind,
    /// File that holds the challenge, where that is static.
    pub challenge_file: Option<PathBuf>,
    /// Minutes that a one-time or a sealed challenge lives, unless it is made with another lifetime.
    pub challenge_minutes: u64,
    /// The name of the tenant whose Intune is asked. Empty: the first one.
    pub intune: String,
    /// How the object is found that a challenge does not name.
    pub identify: IdentifyKind,
    /// The page of Microsoft's NDES.
    pub ndes: NdesSettings,
    /// The webhook of Jamf Pro.
    pub jamf: JamfSettings,
    /// The web service that decides.
    pub webhook: WebhookSettings,
    /// Whether a person approves requests.
    pub approval: ApprovalKind,
    /// Days that a request waits for approval, and that an approved one can be fetched.
    pub approval_days: u32,
    /// How certificates are renewed.
    pub renewal: RenewalKind,
    /// Days before its end from which a certificate can be renewed. Left out: at any time.
    pub renewal_window_days: Option<u32>,
    /// Days that a certificate is valid for.
    pub validity_days: u32,
    /// Whether a request may ask for a shorter validity.
    pub requested_validity: WishKind,
    /// Minutes before now from which a certificate is valid, for clocks that are behind.
    pub backdating_minutes: u32,
    /// Fixed parts of every subject, below the common name, such as `O=Example`. Empty: none.
    pub subject_suffix: String,
    /// The whole subject, with places for what the directory knows, such as `CN={name},O=Example`. Empty: the common name
    /// and the suffix.
    pub subject: String,
    /// Alternative names, with places for what the directory knows, such as `DNS:{name}.example.com`. Left out: those of
    /// the directory.
    pub alternative_names: Option<Vec<String>>,
    /// Who chooses among the names that there are.
    pub names: NamesKind,
    /// Whether and how certificates name the Windows account of their object.
    pub security_identifier: IdentifierKind,
    /// Whether certificates name the tenant and the device in Microsoft Entra, as the directory knows them, by the
    /// extensions 1.2.840.113556.5.14 and 1.2.840.113556.1.5.284.2.
    pub microsoft_extensions: bool,
    /// Kinds of key that are certified.
    pub keys: Vec<KeyName>,
    /// Lengths of RSA keys that are certified, the least and the most.
    pub rsa_bits: [u32; 2],
    /// What certificates are good for.
    pub key_usage: Vec<KeyUsageName>,
    /// The same, in more words: `client-auth`, `server-auth`, `email-protection`, `code-signing`, `ipsec-ike`,
    /// `smartcard-logon`, `kdc`, or object identifiers.
    pub extended_key_usage: Vec<String>,
    /// Whether a request may ask for fewer usages.
    pub requested_usages: WishKind,
    /// What goes into replies beside the certificate.
    pub reply_with: ReplyKind,
    /// What GetCACert lists beside the RA's certificate.
    pub get_ca_cert: ReplyKind,
    /// File of certificates above the CA's, in PEM, each followed by its issuer's.
    pub chain_file: Option<PathBuf>,
    /// Whether certificates say where the CRL is, and the delta CRL if there is one. Windows asks OCSP no more after 50
    /// answers when they do.
    pub crl: bool,
    /// Old algorithms that clients of this profile may use.
    pub allow: Vec<LegacyAlgorithm>,
    /// Requests must ask for exactly the names of one of these. Empty: no such list.
    pub whitelist: Vec<ListedNamesSettings>,
    /// Further extensions of every certificate.
    pub extension: Vec<ExtensionSettings>,
}

impl Default for ProfileSettings {
    fn default() -> Self {
        Self {
            name: "default".into(),
            path: "/scep".into(),
            ca: String::new(),
            challenge: ChallengeKind::OneTime,
            challenge_file: None,
            challenge_minutes: 60,
            intune: String::new(),
            identify: IdentifyKind::Names,
            ndes: NdesSettings::default(),
            jamf: JamfSettings::default(),
            webhook: WebhookSettings::default(),
            approval: ApprovalKind::Automatic,
            approval_days: 7,
            renewal: RenewalKind::Certificate,
            renewal_window_days: None,
            validity_days: 365,
            requested_validity: WishKind::PassedOver,
            backdating_minutes: 60,
            subject_suffix: String::new(),
            subject: String::new(),
            alternative_names: None,
            names: NamesKind::Requester,
            security_identifier: IdentifierKind::None,
            microsoft_extensions: false,
            keys: vec![KeyName::Rsa, KeyName::P256, KeyName::P384],
            rsa_bits: [2048, 4096],
            key_usage: vec![KeyUsageName::DigitalSignature, KeyUsageName::KeyEncipherment],
            extended_key_usage: vec!["client-auth".into()],
            requested_usages: WishKind::PassedOver,
            reply_with: ReplyKind::Nothing,
            get_ca_cert: ReplyKind::Ca,
            chain_file: None,
            crl: false,
            allow: Vec::new(),
            whitelist: Vec::new(),
            extension: Vec::new(),
        }
    }
}

/// An element of the array `profile.whitelist`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct ListedNamesSettings {
    /// The subject; may have places, as the profile's own.
    pub subject: String,
    /// All alternative names; may have places.
    pub alternative_names: Vec<String>,
}

/// An element of the array `profile.extension`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct ExtensionSettings {
    /// Its object identifier.
    pub oid: String,
    /// The DER of its value, in hexadecimal.
    pub value: String,
    /// Whether those who do not know it must reject the certificate.
    pub critical: bool,
}

/// How a new requester proves itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::exhaustive_enums, reason = "a configuration file")]
pub enum ChallengeKind {
    /// By a challenge made for one object, good once.
    OneTime,
    /// By a challenge that says itself what it is good for; docs/sealed-challenges.md.
    Sealed,
    /// By a challenge from the page of Microsoft's NDES, good once; the object is found by the names asked for.
    Ndes,
    /// By what a web service of the site says; docs/mdm/webhook.md.
    Webhook,
    /// By a challenge that all share; the object is found by the names asked for.
    Static,
    /// By a challenge that only Microsoft Intune can read, which is asked; docs/mdm/intune.md.
    Intune,
    /// Not at all: a person approves each request; the object is found by the names asked for.
    None,
}

/// How an object is found that no challenge names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::exhaustive_enums, reason = "a configuration file")]
pub enum IdentifyKind {
    /// By the common name, then by the alternative names, one after the other.
    Names,
    /// By a subject such as `CN=17,OU=computers`, as Jamf Pro's profiles write it, and for a user by the email address.
    JamfSubject,
}

/// Which requests a person approves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::exhaustive_enums, reason = "a configuration file")]
pub enum ApprovalKind {
    /// None.
    Automatic,
    /// First enrollments.
    Manual,
    /// First enrollments and renewals.
    ManualWithRenewals,
}

/// How a certificate is renewed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::exhaustive_enums, reason = "a configuration file")]
pub enum RenewalKind {
    /// Not at all: a new challenge is needed each time.
    Off,
    /// By a request signed with the certificate to be renewed.
    Certificate,
}

/// What becomes of what a request asks for beside names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::exhaustive_enums, reason = "a configuration file")]
pub enum WishKind {
    /// It is passed over: the profile decides.
    PassedOver,
    /// It is granted where it is less than the profile gives.
    Less,
}

/// Who chooses among the names that the directory has and templates make.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::exhaustive_enums, reason = "a configuration file")]
pub enum NamesKind {
    /// The requester; it is refused if it asks for another.
    Requester,
    /// Nobody: certificates have all of them, whatever is asked for.
    Directory,
    /// Nobody: certificates have all of them, and the request must ask for exactly these.
    Exact,
    /// The service that the profile asks, which has compared the names in the request with its own.
    Validated,
}

/// How the Windows account of an object is named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::exhaustive_enums, reason = "a configuration file")]
pub enum IdentifierKind {
    /// Not at all.
    None,
    /// By the extension 1.3.6.1.4.1.311.25.2.
    Extension,
    /// By an alternative name.
    Uri,
    /// By both.
    Both,
}

/// A kind of key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::exhaustive_enums, reason = "a configuration file")]
pub enum KeyName {
    /// RSA.
    Rsa,
    /// On the curve P-256.
    P256,
    /// On the curve P-384.
    P384,
}

/// keyUsage, less what is a CA's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::exhaustive_enums, reason = "a configuration file")]
pub enum KeyUsageName {
    /// digitalSignature.
    DigitalSignature,
    /// nonRepudiation, also called contentCommitment.
    NonRepudiation,
    /// keyEncipherment; RSA keys only.
    KeyEncipherment,
    /// dataEncipherment; RSA keys only.
    DataEncipherment,
    /// keyAgreement; keys on curves only.
    KeyAgreement,
}

/// Which certificates go along.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::exhaustive_enums, reason = "a configuration file")]
pub enum ReplyKind {
    /// None.
    Nothing,
    /// The CA's.
    Ca,
    /// The CA's and those of `chain_file`.
    Chain,
}

/// What a profile may allow beyond the modern algorithms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_enums, reason = "a configuration file")]
pub enum LegacyAlgorithm {
    /// SHA-1 in signatures of requests.
    #[serde(rename = "sha-1")]
    Sha1,
    /// Triple DES in envelopes.
    #[serde(rename = "3des")]
    TripleDes,
}
