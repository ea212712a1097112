//! The text of a file directory, as serde reads it.

use std::{collections::BTreeMap, fmt};

use pki_core::UnixTime;
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};
use serial_binding::{ObjectId, ObjectKind};

/// The languages that a file directory may be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Toml,
    Json,
}

/// Either list may be left out, but not both: a file that was emptied by accident must not read as a directory without
/// objects.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    pub(crate) devices: Option<Vec<Record>>,
    pub(crate) users: Option<Vec<Record>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Record {
    #[serde(deserialize_with = "object_id")]
    pub(crate) id: ObjectId,
    #[serde(default, deserialize_with = "kind")]
    pub(crate) kind: Option<ObjectKind>,
    pub(crate) name: String,
    #[serde(default)]
    pub(crate) common_names: Vec<String>,
    #[serde(default)]
    pub(crate) dns: Vec<String>,
    #[serde(default)]
    pub(crate) emails: Vec<String>,
    #[serde(default)]
    pub(crate) upns: Vec<String>,
    #[serde(default)]
    pub(crate) uris: Vec<String>,
    #[serde(default)]
    pub(crate) attributes: BTreeMap<String, String>,
    pub(crate) state: State,
    #[serde(default, deserialize_with = "time")]
    pub(crate) since: Option<UnixTime>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum State {
    Enabled,
    Disabled,
    Gone,
}

impl Document {
    /// Reads `text`; the error names line and key where it can.
    pub(crate) fn parse(text: &str, language: Language) -> Result<Self, String> {
        let document: Self = match language {
            Language::Toml => toml::from_str(text).map_err(|error| {
                let at = error.span().map(|span| line_and_column(text, span.start));
                explain(text, at, error.message())
            })?,
            Language::Json => serde_json::from_str(text).map_err(|error| {
                // Its message ends in the place, which is told in front.
                let message = error.to_string();
                let message = message.rsplit_once(" at line ").map_or(&*message, |(message, _)| message);
                explain(text, Some((error.line(), error.column())), message)
            })?,
        };
        if document.devices.is_none() && document.users.is_none() {
            return Err(String::from(
                "expected `devices` or `users`: neither is there; to mean a directory without objects, write devices = []",
            ));
        }
        Ok(document)
    }
}

fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count().saturating_add(1);
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count().saturating_add(1);
    (line, column)
}

fn explain(text: &str, at: Option<(usize, usize)>, message: &str) -> String {
    let Some((line, column)) = at else { return message.to_owned() };
    let key = text.lines().nth(line.saturating_sub(1)).and_then(key_of).unwrap_or_default();
    format!("line {line}, column {column}{key}: {}", message.replace('\n', " "))
}

/// ` (key)` of a line such as `key = value` or `"key": value`.
fn key_of(line: &str) -> Option<String> {
    let (key, _) = line.split_once(['=', ':'])?;
    let key = key.trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '{' | ','));
    let is_key = !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
    is_key.then(|| format!(" ({key})"))
}

/// A UUID or a number, as text or as an integer.
fn object_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ObjectId, D::Error> {
    struct Id;
    impl Visitor<'_> for Id {
        type Value = ObjectId;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a UUID such as \"d6b58414-60ed-426b-b382-276a3e8d626d\", or a number")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<ObjectId, E> {
            text.parse().map_err(E::custom)
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<ObjectId, E> {
            Ok(ObjectId::Number(number))
        }

        fn visit_i64<E: de::Error>(self, number: i64) -> Result<ObjectId, E> {
            u64::try_from(number)
                .map(ObjectId::Number)
                .map_err(|_| E::invalid_value(de::Unexpected::Signed(number), &self))
        }
    }
    deserializer.deserialize_any(Id)
}

fn kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<ObjectKind>, D::Error> {
    String::deserialize(deserializer)?.parse().map(Some).map_err(de::Error::custom)
}

/// RFC 3339 in UTC, as text or, in TOML, as a date-time.
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<UnixTime>, D::Error> {
    struct Time;
    impl<'de> Visitor<'de> for Time {
        type Value = UnixTime;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a time such as 2026-11-21T12:00:00Z")
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<UnixTime, E> {
            text.parse().map_err(E::custom)
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<UnixTime, A::Error> {
            let time = toml::value::Datetime::deserialize(MapAccessDeserializer::new(map))?;
            self.visit_str(&time.to_string())
        }
    }
    deserializer.deserialize_any(Time).map(Some)
}
