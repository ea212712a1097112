//! Challenges that Intune puts into a device's profile. To everybody else they are text without meaning.

use std::{collections::HashMap, time::Duration};

use base64ct::{Base64, Encoding as _};
use pki_core::{GeneralName, KeyUsage, Name, Oid, UnixTime};
use serde_json::Value;

use crate::{ControlError, Kind, world::World};

/// How long a challenge is good unless it says otherwise.
const LIFE: Duration = Duration::from_secs(3600);
/// How many are remembered.
const MOST: usize = 100_000;

/// What Intune expects of the request that a challenge comes with.
#[derive(Debug, Clone, Default)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update")]
pub struct ChallengeTerms {
    /// The managed device.
    pub device: String,
    /// The user, for a certificate of a user.
    pub user: Option<String>,
    /// The subject; a common name with the device's id when there is none.
    pub subject: Option<Name>,
    /// The alternative names, all of them.
    pub alternative_names: Vec<GeneralName>,
    /// The extended key usages; empty when anything will do.
    pub extended_key_usages: Vec<Oid>,
    /// The key usage, when it has to be that.
    pub key_usage: Option<KeyUsage>,
    /// The least length of an RSA key, in bits.
    pub key_bits: Option<u16>,
    /// How long the challenge is good; an hour when it does not say.
    pub lifetime: Option<Duration>,
}

#[derive(Debug, Default)]
pub(super) struct Challenges(HashMap<String, Issued>);

/// A challenge that was handed out.
#[derive(Debug, Clone)]
pub(super) struct Issued {
    pub(super) terms: ChallengeTerms,
    pub(super) expires: UnixTime,
}

impl Challenges {
    pub(super) fn find(&self, text: &str) -> Option<&Issued> {
        self.0.get(text)
    }
}

/// Hands one out.
pub(crate) fn make_challenge(world: &World, terms: ChallengeTerms) -> Result<String, ControlError> {
    let known = |kind, id: &str| {
        world.object(kind, id).ok_or_else(|| ControlError::Unknown { kind, id: id.to_owned() })
    };
    known(Kind::IntuneDevice, &terms.device)?;
    terms.user.as_deref().map(|user| known(Kind::EntraUser, user)).transpose()?;
    let text = Base64::encode_string(&world.sequence.next_octets());
    let now = world.now();
    let expires = now.saturating_add(terms.lifetime.unwrap_or(LIFE));
    let mut state = world.state();
    let challenges = &mut state.intune.challenges.0;
    if challenges.len() >= MOST {
        challenges.retain(|_, issued| now < issued.expires);
    }
    challenges.insert(text.clone(), Issued { terms, expires });
    Ok(text)
}

impl ChallengeTerms {
    /// Reads what the control interface takes.
    pub(crate) fn from_json(json: &Value) -> Result<Self, ControlError> {
        let invalid = |what: &str| ControlError::Invalid(what.to_owned());
        let text = |name: &str| json.get(name).and_then(Value::as_str).map(String::from);
        let list = |name: &str| json.get(name).and_then(Value::as_array).into_iter().flatten();
        let names = list("alternative_names").map(|name| name.as_str().and_then(general_name));
        let usages = list("extended_key_usages").map(|usage| usage.as_str()?.parse().ok());
        let number = |name: &str| json.get(name).and_then(Value::as_u64);
        Ok(Self {
            device: text("device").ok_or_else(|| invalid("expected a device"))?,
            user: text("user"),
            subject: text("subject")
                .map(|text| text.parse().map_err(|why| ControlError::Invalid(format!("subject: {why}"))))
                .transpose()?,
            alternative_names: names.collect::<Option<_>>().ok_or_else(|| {
                invalid("alternative_names: expected texts that begin with email:, dns:, uri: or upn:")
            })?,
            extended_key_usages: usages
                .collect::<Option<_>>()
                .ok_or_else(|| invalid("extended_key_usages: expected object identifiers"))?,
            key_usage: None,
            key_bits: number("key_bits").map(|bits| u16::try_from(bits).unwrap_or(u16::MAX)),
            lifetime: number("seconds").map(Duration::from_secs),
        })
    }
}

fn general_name(text: &str) -> Option<GeneralName> {
    let (form, value) = text.split_once(':')?;
    let value = value.to_owned();
    Some(match form {
        "email" => GeneralName::Email(value),
        "dns" => GeneralName::Dns(value),
        "uri" => GeneralName::Uri(value),
        "upn" => GeneralName::Upn(value),
        _ => return None,
    })
}
