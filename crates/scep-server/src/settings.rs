//! What an operator can set. Every field has a default; the file is TOML, every key can be overridden by an environment
//! variable (`SCEP_SERVER__…`, see the crate `configuration`).

mod cas;
mod challenges;
mod crls;
mod intune;
mod ledger;
mod profile;
mod traffic;

use std::path::PathBuf;

pub use cas::{CaSettings, Cas, DEFAULT_CA};
pub use challenges::{JamfSettings, NdesSettings, PageEncoding, WebhookSettings};
pub use crls::CrlSettings;
pub use intune::IntuneSettings;
pub use ledger::LedgerKind;
use ocsp_server::settings::{
    AnswerSettings, DirectorySettings, LimitSettings, LogSettings, RevocationSettings,
};
pub use profile::{
    ApprovalKind, ChallengeKind, ExtensionSettings, IdentifierKind, IdentifyKind, KeyName, KeyUsageName,
    LegacyAlgorithm, ListedNamesSettings, NamesKind, ProfileSettings, RenewalKind, ReplyKind, WishKind,
};
use serde::{Deserialize, Serialize};
pub use traffic::{MetricsSettings, ThrottleSettings, ToleranceSettings};

/// The prefix of the environment variables.
pub const ENVIRONMENT_PREFIX: &str = "SCEP_SERVER";

/// The whole configuration file.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct Settings {
    /// Address and port to listen on.
    pub listen: String,
    /// The URL under which clients reach this server; goes into certificates. Empty: made from the address listened on.
    pub base_url: String,
    /// Folder of keys, certificates, ledger and directory.
    pub data: PathBuf,
    /// Where it is kept what was issued: `sqlite`, a file in the data folder; or `none`, nowhere.
    pub ledger: LedgerKind,
    /// The certification authorities: `[ca]` for one, `[[ca]]` for several.
    pub ca: Cas,
    /// How serial numbers are made.
    pub serial: SerialSettings,
    /// File of those who may log in where challenges are handed out; `scep-server user` changes it.
    pub users_file: PathBuf,
    /// How challenges are sealed.
    pub sealing: SealingSettings,
    /// Where devices and users are looked up.
    pub directory: DirectorySettings,
    /// The OCSP responder beside the CA.
    pub ocsp: OcspSettings,
    /// How long OCSP answers may be relied on.
    pub answers: AnswerSettings,
    /// The CRLs of the CAs.
    pub crl: CrlSettings,
    /// Where else revocations come from.
    pub revocation: RevocationSettings,
    /// Limits on connections.
    pub limits: LimitSettings,
    /// Limits on requests.
    pub throttle: ThrottleSettings,
    /// Departures from the RFC that are read all the same.
    pub tolerances: ToleranceSettings,
    /// Where metrics are shown.
    pub metrics: MetricsSettings,
    /// Log output.
    pub log: LogSettings,
    /// Tenants whose Intune decides for profiles that say `challenge = "intune"`.
    pub intune: Vec<IntuneSettings>,
    /// What can be enrolled, each under a path of its own.
    pub profile: Vec<ProfileSettings>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:8080".into(),
            base_url: String::new(),
            data: "certbound-data".into(),
            ledger: LedgerKind::default(),
            ca: Cas::default(),
            serial: SerialSettings::default(),
            users_file: "users".into(),
            sealing: SealingSettings::default(),
            directory: DirectorySettings::default(),
            ocsp: OcspSettings::default(),
            answers: AnswerSettings::default(),
            crl: CrlSettings::default(),
            revocation: RevocationSettings::default(),
            limits: LimitSettings::default(),
            throttle: ThrottleSettings::default(),
            tolerances: ToleranceSettings::default(),
            metrics: MetricsSettings::default(),
            log: LogSettings::default(),
            intune: Vec::new(),
            profile: vec![ProfileSettings::default()],
        }
    }
}

/// The table `serial`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct SerialSettings {
    /// The layout of new serial numbers; older ones are understood whatever this says.
    pub layout: SerialLayout,
    /// Which serial key, 0 to 15, new serial numbers are sealed with; older ones are kept for reading.
    pub key: u8,
}

/// The table `sealing`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct SealingSettings {
    /// Which key, 0 to 15, new challenges are sealed with; those that earlier ones sealed are taken as well.
    pub key: u8,
}

/// The layouts of docs/serial-binding.md.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::exhaustive_enums, reason = "a configuration file")]
pub enum SerialLayout {
    /// Version 1: the object's id can be read by anyone.
    Plain,
    /// Version 2: the object's id is sealed with the serial key.
    #[default]
    Sealed,
}

/// The table `ocsp`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct OcspSettings {
    /// Path of the responder.
    pub path: String,
    /// How long a delegate's certificate is valid; it is renewed at half of that.
    pub delegate_hours: u64,
    /// File of a secret, made at the first start: an `ocsp-server` that has it too gets delegates certified here, under
    /// `/ocsp-delegate`. Empty: none does.
    pub delegate_token: PathBuf,
    /// The same over mutual TLS, at an address of its own.
    pub delegate_tls: DelegateTlsSettings,
}

/// The table `ocsp.delegate_tls`: who shows the certificate of a responder gets delegates certified.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct DelegateTlsSettings {
    /// Address and port to listen on, for nothing else. Empty: none.
    pub listen: String,
    /// PEM certificate that is shown to responders, with those between it and its root. Read at the start.
    pub certificate: PathBuf,
    /// PEM key of that certificate.
    pub key: PathBuf,
    /// PEM certificates of the CAs that certify responders. Empty: the CAs of this server, whose directory, ledger and CRLs
    /// then say whether a responder's certificate is still good.
    pub client_ca: PathBuf,
    /// The responders: a common name or a DNS name of each one's certificate. Nobody else is let in, whoever certified him.
    pub responders: Vec<String>,
}

impl Default for OcspSettings {
    fn default() -> Self {
        Self {
            path: "/ocsp".into(),
            delegate_hours: 24,
            delegate_token: PathBuf::new(),
            delegate_tls: DelegateTlsSettings::default(),
        }
    }
}

/// Whatever prints and parses as text.
mod as_text {
    use std::{fmt::Display, str::FromStr};

    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};

    pub(super) fn serialize<T: Display, S: Serializer>(value: &T, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<T, D::Error>
    where
        T: FromStr<Err: Display>,
        D: Deserializer<'de>,
    {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use configuration::Configuration;

    use super::*;

    #[test]
    fn every_example_of_the_page_on_intune_is_a_configuration() {
        let page = include_str!("../../../docs/mdm/intune.md");
        let examples = page.split("```toml\n").skip(1).filter_map(|rest| rest.split("```").next());
        let read = |text: &str| Configuration::from_text(text).and_then(|text| text.read::<Settings>());
        let read: Vec<_> =
            examples.map(|text| read(text).unwrap_or_else(|error| panic!("{error}"))).collect();
        assert_eq!(
            (read.len(), &*read[0].intune[0].name, &*read[0].profile[0].intune),
            (2, "contoso", "contoso")
        );
        assert_eq!(read[1].directory.unchecked, ["intune-device"]);
    }

    #[test]
    fn what_config_print_shows_reads_back() {
        let text = configuration::to_text(&Settings::default()).unwrap();
        let read: Settings = Configuration::from_text(&text).unwrap().read().unwrap();
        assert_eq!(configuration::to_text(&read).unwrap(), text);
    }
}
