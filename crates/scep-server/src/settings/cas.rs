//! `[ca]` for one certification authority, `[[ca]]` for several.

use std::fmt;

use keys_software::KeyAlgorithm;
use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

/// One CA, as it is made at the first start.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a configuration file; built by tests with struct update")]
pub struct CaSettings {
    /// Its short name: what profiles call it, what a client's `message=` may say, and where its files are. The CA
    /// called `default` lives in the data folder itself, any other in `ca-NAME` below it.
    pub id: String,
    /// Distinguished name of the CA.
    pub name: String,
    /// Distinguished name of the RA, whose key opens requests and signs replies.
    pub ra_name: String,
    /// Key of the CA: `p256`, `p384`, `rsa2048`, `rsa3072` or `rsa4096`.
    #[serde(with = "super::as_text")]
    pub key: KeyAlgorithm,
    /// Days that the CA certificate is valid for.
    pub validity_days: u32,
}

/// The id of the CA whose files lie in the data folder itself.
pub const DEFAULT_CA: &str = "default";

impl Default for CaSettings {
    fn default() -> Self {
        Self {
            id: DEFAULT_CA.into(),
            name: "CN=Certbound CA".into(),
            ra_name: "CN=Certbound RA".into(),
            key: KeyAlgorithm::Rsa3072,
            validity_days: 3650,
        }
    }
}

/// The CAs of a server, at least one; the first one is meant wherever none is named.
#[derive(Debug, Clone, Default)]
pub struct Cas {
    first: CaSettings,
    more: Vec<CaSettings>,
}

impl Cas {
    /// The CA that is meant wherever none is named.
    pub fn first(&self) -> &CaSettings {
        &self.first
    }

    /// All of them, in the order of the file.
    pub fn iter(&self) -> impl Iterator<Item = &CaSettings> {
        std::iter::once(&self.first).chain(&self.more)
    }

    /// The CA of that id; the first one where the id is empty.
    pub fn find(&self, id: &str) -> Option<&CaSettings> {
        if id.is_empty() { Some(&self.first) } else { self.iter().find(|ca| ca.id == id) }
    }
}

impl From<CaSettings> for Cas {
    fn from(first: CaSettings) -> Self {
        Self { first, more: Vec::new() }
    }
}

impl Serialize for Cas {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.more.is_empty() {
            self.first.serialize(serializer)
        } else {
            serializer.collect_seq(self.iter())
        }
    }
}

impl<'de> Deserialize<'de> for Cas {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrSeveral)
    }
}

/// Reads either form, so that a mistake in one is told as a mistake in that one.
struct OneOrSeveral;

impl<'de> Visitor<'de> for OneOrSeveral {
    type Value = Cas;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table [ca], or one or more [[ca]]")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Cas, A::Error> {
        CaSettings::deserialize(MapAccessDeserializer::new(map)).map(Cas::from)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Cas, A::Error> {
        let first = elements.next_element()?.ok_or_else(|| serde::de::Error::invalid_length(0, &self))?;
        let mut more = Vec::new();
        while let Some(next) = elements.next_element()? {
            more.push(next);
        }
        Ok(Cas { first, more })
    }
}

#[cfg(test)]
mod tests {
    use configuration::Configuration;

    use crate::settings::Settings;

    fn read(text: &str) -> Result<Settings, String> {
        Configuration::from_text(text).unwrap().read().map_err(|error| error.to_string())
    }

    #[test]
    fn one_or_several_are_read_and_printed() {
        let ids = |settings: &Settings| settings.ca.iter().map(|ca| ca.id.clone()).collect::<Vec<_>>();
        for (text, expected) in [
            ("", vec!["default"]),
            ("[ca]\nname = 'CN=x'", vec!["default"]),
            ("[[ca]]\nid = 'one'", vec!["one"]),
            ("[[ca]]\nid = 'one'\n[[ca]]\nid = 'two'\nkey = 'p256'", vec!["one", "two"]),
        ] {
            let settings = read(text).unwrap();
            assert_eq!(ids(&settings), expected, "{text}");
            assert_eq!(ids(&read(&configuration::to_text(&settings).unwrap()).unwrap()), expected, "{text}");
        }
    }

    #[test]
    fn a_mistake_is_told_as_what_it_is() {
        for (text, part) in [
            ("[ca]\nkey = 'rsa1024'", "rsa1024"),
            ("[[ca]]\nkey = 'rsa1024'", "rsa1024"),
            ("[[ca]]\nnmae = 'CN=x'", "nmae"),
            ("ca = []", "[[ca]]"),
            ("ca = 7", "[[ca]]"),
        ] {
            let told = read(text).unwrap_err();
            assert!(told.contains(part), "{text}: {told}");
        }
    }

    #[test]
    fn a_ca_is_found_by_its_id_and_the_first_one_by_none() {
        let settings = read("[[ca]]\nid = 'one'\n[[ca]]\nid = 'two'").unwrap();
        let found = |id| settings.ca.find(id).map(|ca| &*ca.id);
        assert_eq!([found(""), found("two"), found("three")], [Some("one"), Some("two"), None]);
    }
}
