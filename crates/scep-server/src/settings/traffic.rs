//! `[throttle]`, `[tolerances]` and `[metrics]`.

use std::fmt;

use scep_proto::{Tolerance, Tolerances};
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error as _, MapAccess, Visitor},
};

/// The table `throttle`: who asks for more is answered 429. A source is an IPv4 address or an IPv6 /64.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct ThrottleSettings {
    /// SCEP requests of one source in a minute. 0: as many as it likes.
    pub source_per_minute: u32,
    /// SCEP requests of one source at once.
    pub source_burst: u32,
    /// SCEP requests of one profile in a minute. 0: as many as come.
    pub profile_per_minute: u32,
    /// SCEP requests of one profile at once.
    pub profile_burst: u32,
    /// Messages of one source in a minute that cannot be decrypted. 0: as many as it likes.
    pub undecryptable_per_minute: u32,
    /// Messages of one source at once that cannot be decrypted.
    pub undecryptable_burst: u32,
    /// Proxies, by address or prefix (`10.0.0.0/8`), whose X-Forwarded-For tells whom a request came from.
    pub trusted_proxies: Vec<String>,
}

impl Default for ThrottleSettings {
    fn default() -> Self {
        Self {
            source_per_minute: 6000,
            source_burst: 1000,
            profile_per_minute: 0,
            profile_burst: 1000,
            undecryptable_per_minute: 30,
            undecryptable_burst: 100,
            trusted_proxies: Vec::new(),
        }
    }
}

/// The table `metrics`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct MetricsSettings {
    /// Address and port of their own for /metrics, /healthz and /readyz. Empty: beside everything else.
    pub listen: String,
}

/// The table `tolerances`: departures from the RFC by name, each read (`true`) or refused (`false`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ToleranceSettings(Tolerances);

impl ToleranceSettings {
    /// Those that are read.
    pub fn granted(self) -> Tolerances {
        self.0
    }
}

impl Serialize for ToleranceSettings {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer
            .collect_map(Tolerance::all().map(|tolerance| (tolerance.name(), self.0.contains(tolerance))))
    }
}

impl<'de> Deserialize<'de> for ToleranceSettings {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Switches)
    }
}

struct Switches;

impl<'de> Visitor<'de> for Switches {
    type Value = ToleranceSettings;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("names of tolerances, each with true or false")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ToleranceSettings, A::Error> {
        let mut granted = Tolerances::default();
        while let Some((name, on)) = map.next_entry::<String, bool>()? {
            // Names of environment variables have no hyphens.
            let tolerance: Tolerance = name.replace('_', "-").parse().map_err(A::Error::custom)?;
            granted = if on { granted.with(tolerance) } else { granted.without(tolerance) };
        }
        Ok(ToleranceSettings(granted))
    }
}

#[cfg(test)]
mod tests {
    use configuration::Configuration;

    use super::*;
    use crate::settings::Settings;

    #[test]
    fn tolerances_are_switched_by_name_in_files_and_in_variables() {
        let file = "[tolerances]\nget-raw-plus = false\nmissing-content-type = true";
        let variable = ("X__TOLERANCES__NONCE_LENGTH".to_owned(), "false".to_owned());
        let settings: Settings =
            Configuration::from_text(file).unwrap().overridden("X", [variable]).unwrap().read().unwrap();
        let expected = Tolerances::default()
            .without(Tolerance::GetRawPlus)
            .without(Tolerance::NonceLength)
            .with(Tolerance::MissingContentType);
        assert_eq!(settings.tolerances.granted(), expected);
        let printed = configuration::to_text(&settings).unwrap();
        let again: Settings = Configuration::from_text(&printed).unwrap().read().unwrap();
        assert_eq!(again.tolerances.granted(), expected, "{printed}");
        let unknown =
            Configuration::from_text("[tolerances]\nget-raw-minus = true").unwrap().read::<Settings>();
        assert!(unknown.unwrap_err().to_string().contains("get-raw-minus"));
    }
}
