//! The table `answers`: what is told, for how long, and how much at once.

use std::time::Duration;

use ocsp_service::{AnswerPolicy, HoldAnswer, NoncePolicy, NotIssuedAnswer, Preset};
use serde::{Deserialize, Serialize};

/// The table `answers`. What is not said is as the preset has it; `docs/ocsp-presets.md` shows them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct AnswerSettings {
    /// Ways to answer that go together.
    pub preset: PresetName,
    /// How long "good" may be relied on.
    pub good_seconds: Option<u64>,
    /// How long "on hold" may be relied on.
    pub hold_seconds: Option<u64>,
    /// How long "revoked for ever" may be relied on.
    pub revoked_seconds: Option<u64>,
    /// How long what is said of serial numbers that this CA never gave may be relied on.
    pub never_issued_seconds: Option<u64>,
    /// What is said of them.
    pub never_issued: Option<NeverIssued>,
    /// What is said of certificates that are on hold.
    pub holds: Option<Holds>,
    /// How long before the status was known thisUpdate is dated, for clients whose clocks are slow.
    pub backdating_seconds: Option<u64>,
    /// What becomes of nonces.
    pub nonces: Option<Nonces>,
    /// Days past a certificate's end for which its status is kept, told as the archive cutoff. 0: not told.
    pub archive_days: u64,
    /// Certificates asked about in one request, at most.
    pub certificates: usize,
    /// Signed answers kept in memory, at most.
    pub cached: usize,
    /// Requests that ask the sources and sign at once, at most.
    pub at_once: usize,
    /// Requests that wait for those, at most; whoever comes on top of that is told to try later.
    pub waiting: usize,
    /// How long the sources and the key may take in all.
    pub milliseconds: u64,
}

impl Default for AnswerSettings {
    fn default() -> Self {
        Self {
            preset: PresetName::Enterprise,
            good_seconds: None,
            hold_seconds: None,
            revoked_seconds: None,
            never_issued_seconds: None,
            never_issued: None,
            holds: None,
            backdating_seconds: None,
            nonces: None,
            archive_days: 0,
            certificates: 8,
            cached: 4096,
            at_once: 256,
            waiting: 1024,
            milliseconds: 4500,
        }
    }
}

impl AnswerSettings {
    /// The same with everything said that the preset leaves to itself; what an operator is shown.
    #[must_use]
    pub fn in_full(self) -> Self {
        let policy = self.policy();
        Self {
            good_seconds: Some(policy.good.as_secs()),
            hold_seconds: Some(policy.hold.as_secs()),
            revoked_seconds: Some(policy.revoked.as_secs()),
            never_issued_seconds: Some(policy.not_issued.as_secs()),
            never_issued: self.never_issued.or_else(|| NeverIssued::of(policy.not_issued_answer)),
            holds: self.holds.or_else(|| Holds::of(policy.hold_answer)),
            backdating_seconds: Some(policy.backdating.as_secs()),
            nonces: Some(self.nonces()),
            ..self
        }
    }

    pub(crate) fn policy(&self) -> AnswerPolicy {
        let mut policy = AnswerPolicy::preset(self.preset.into());
        let seconds = |setting: Option<u64>, preset| setting.map_or(preset, Duration::from_secs);
        policy.good = seconds(self.good_seconds, policy.good);
        policy.hold = seconds(self.hold_seconds, policy.hold);
        policy.revoked = seconds(self.revoked_seconds, policy.revoked);
        policy.not_issued = seconds(self.never_issued_seconds, policy.not_issued);
        policy.backdating = seconds(self.backdating_seconds, policy.backdating);
        policy.not_issued_answer = self.never_issued.map_or(policy.not_issued_answer, Into::into);
        policy.hold_answer = self.holds.map_or(policy.hold_answer, Into::into);
        let days = Some(self.archive_days).filter(|&days| days > 0);
        policy.archive_retention = days.map(|days| Duration::from_secs(days.saturating_mul(86_400)));
        policy
    }

    pub(crate) fn nonces(&self) -> Nonces {
        let preset = match self.preset {
            // Who answers many asks for no nonces (RFC 9919 §3.1.1), and has the same answer for all.
            PresetName::Cabf => Nonces::Ignore,
            PresetName::Enterprise | PresetName::Lenient => Nonces::Echo,
        };
        self.nonces.unwrap_or(preset)
    }

    pub(crate) fn max_duration(&self) -> Duration {
        Duration::from_millis(self.milliseconds)
    }
}

/// A name, and what it stands for in the library.
macro_rules! names {
    ($(#[$doc:meta])* $name:ident is $meaning:ident { $($(#[$variant_doc:meta])* $variant:ident = $of:ident,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        #[expect(clippy::exhaustive_enums, reason = "a configuration file")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)*
        }

        impl From<$name> for $meaning {
            fn from(name: $name) -> Self {
                match name {
                    $($name::$variant => Self::$of,)*
                }
            }
        }
    };
}

names! {
    /// Ways to answer that go together.
    PresetName is Preset {
        /// For networks of one's own.
        Enterprise = Enterprise,
        /// As the CA/Browser Forum has it.
        Cabf = Cabf,
        /// For old and odd clients.
        Lenient = Lenient,
    }
}

names! {
    /// What is said of serial numbers that this CA never gave.
    NeverIssued is NotIssuedAnswer {
        /// A signed `unknown`.
        Unknown = Unknown,
        /// An unsigned `unauthorized`.
        Unauthorized = Unauthorized,
        /// A signed `revoked` as RFC 6960 §2.2 has it for certificates never issued.
        Revoked = ExtendedRevoke,
    }
}

names! {
    /// What is said of certificates that are on hold.
    Holds is HoldAnswer {
        /// `revoked` with the reason certificateHold.
        Hold = Hold,
        /// `revoked` without a reason.
        Revoked = Revoked,
    }
}

names! {
    /// What becomes of nonces.
    Nonces is NoncePolicy {
        /// They come back.
        Echo = Echo,
        /// They are passed over.
        Ignore = Ignore,
        /// They come back; requests without are `unauthorized`.
        Require = Require,
    }
}

impl NeverIssued {
    fn of(answer: NotIssuedAnswer) -> Option<Self> {
        [Self::Unknown, Self::Unauthorized, Self::Revoked]
            .into_iter()
            .find(|&name| NotIssuedAnswer::from(name) == answer)
    }
}

impl Holds {
    fn of(answer: HoldAnswer) -> Option<Self> {
        [Self::Hold, Self::Revoked].into_iter().find(|&name| HoldAnswer::from(name) == answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_in_full_means_the_same() {
        for preset in [PresetName::Enterprise, PresetName::Cabf, PresetName::Lenient] {
            let settings = AnswerSettings { preset, good_seconds: Some(7), ..AnswerSettings::default() };
            let full = settings.clone().in_full();
            assert_eq!((full.policy(), full.nonces()), (settings.policy(), settings.nonces()));
            assert_eq!(full.policy().good, Duration::from_secs(7));
            let elsewhere = AnswerSettings { preset: PresetName::Enterprise, ..full.clone() };
            assert_eq!(
                (elsewhere.policy(), elsewhere.nonces()),
                (full.policy(), full.nonces()),
                "{preset:?}"
            );
        }
    }

    #[test]
    fn the_page_of_presets_shows_what_they_are() {
        let page = include_str!("../../../../docs/ocsp-presets.md");
        let row = |line: &str| {
            line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>()
        };
        let rows: Vec<_> = page.lines().filter(|line| line.starts_with("| `")).map(row).collect();
        let presets = [PresetName::Enterprise, PresetName::Cabf, PresetName::Lenient];
        for (at, preset) in presets.into_iter().enumerate() {
            let settings = AnswerSettings { preset, ..AnswerSettings::default() }.in_full();
            let shown: toml::Table = configuration::to_text(&settings).unwrap().parse().unwrap();
            for row in &rows {
                let value = shown[row[0].trim_matches('`')].to_string();
                assert_eq!(value.trim_matches('"'), row[at + 1], "{preset:?} {}", row[0]);
            }
            assert_eq!(rows.len(), 8);
        }
    }
}
