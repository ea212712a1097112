//! Text with places for what the directory knows of an object.

use std::{collections::BTreeMap, str::FromStr};

use directory::ObjectNames;
use pki_core::{DecodeError, GeneralName};
use serial_binding::BoundObject;

/// Text with places in braces, such as `{name}.example.com`.
///
/// | place | what is put there |
/// |---|---|
/// | `{name}` | the commonName that the request asks for, if the object has it; otherwise the object's first one |
/// | `{id}`, `{kind}` | the object's id and kind |
/// | `{dns}`, `{email}`, `{upn}`, `{uri}` | the object's names of that form, one after the other |
/// | `{attributes.KEY}` | the directory's attribute of that name |
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template(Vec<Part>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Text(String),
    Place(Place),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    Name,
    Id,
    Kind,
    List(ListPlace),
    Attribute(String),
}

/// Of these an object has any number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ListPlace {
    Dns,
    Email,
    Upn,
    Uri,
}

/// What is known of an object.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Known<'a> {
    pub(crate) object: BoundObject,
    pub(crate) common_name: &'a str,
    pub(crate) names: &'a ObjectNames,
    pub(crate) attributes: &'a BTreeMap<String, String>,
}

/// The place for which nothing is known, as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NothingKnown(pub(crate) String);

impl Template {
    /// Every text that this stands for: one, or one for each of the object's names of a form.
    pub(crate) fn fill(&self, known: &Known<'_>) -> Result<Vec<String>, NothingKnown> {
        let Some(list) = self.list() else { return self.filled(known, "").map(|text| vec![text]) };
        let values = list.values(known.names);
        if values.is_empty() {
            return Err(NothingKnown(format!("{{{}}}", list.name())));
        }
        values.into_iter().map(|value| self.filled(known, value)).collect()
    }

    pub(crate) fn needs_attributes(&self) -> bool {
        self.0.iter().any(|part| matches!(part, Part::Place(Place::Attribute(_))))
    }

    fn list(&self) -> Option<ListPlace> {
        self.0.iter().find_map(|part| match part {
            Part::Place(Place::List(list)) => Some(*list),
            _ => None,
        })
    }

    fn filled(&self, known: &Known<'_>, of_list: &str) -> Result<String, NothingKnown> {
        let mut text = String::new();
        for part in &self.0 {
            match part {
                Part::Text(fixed) => text.push_str(fixed),
                Part::Place(Place::Name) => text.push_str(known.common_name),
                Part::Place(Place::Id) => text.push_str(&known.object.id().to_string()),
                Part::Place(Place::Kind) => text.push_str(known.object.kind().name()),
                Part::Place(Place::List(_)) => text.push_str(of_list),
                Part::Place(Place::Attribute(key)) => {
                    let value = known.attributes.get(key);
                    text.push_str(value.ok_or_else(|| NothingKnown(format!("{{attributes.{key}}}")))?);
                }
            }
        }
        Ok(text)
    }
}

impl ListPlace {
    const ALL: [Self; 4] = [Self::Dns, Self::Email, Self::Upn, Self::Uri];

    fn name(self) -> &'static str {
        match self {
            Self::Dns => "dns",
            Self::Email => "email",
            Self::Upn => "upn",
            Self::Uri => "uri",
        }
    }

    fn values(self, names: &ObjectNames) -> Vec<&str> {
        let of_form = |name: &'_ GeneralName| -> bool {
            matches!(
                (self, name),
                (Self::Dns, GeneralName::Dns(_))
                    | (Self::Email, GeneralName::Email(_))
                    | (Self::Upn, GeneralName::Upn(_))
                    | (Self::Uri, GeneralName::Uri(_))
            )
        };
        let fitting = names.alternative_names.iter().filter(|name| of_form(name));
        fitting.filter_map(text_of).collect()
    }
}

/// The text of a name that is text.
pub(crate) fn text_of(name: &GeneralName) -> Option<&str> {
    match name {
        GeneralName::Dns(text)
        | GeneralName::Email(text)
        | GeneralName::Upn(text)
        | GeneralName::Uri(text) => Some(text),
        _ => None,
    }
}

impl FromStr for Template {
    type Err = InvalidTemplate;

    fn from_str(text: &str) -> Result<Self, InvalidTemplate> {
        let (mut parts, mut rest) = (Vec::new(), text);
        while let Some((before, after)) = rest.split_once('{') {
            push_text(&mut parts, before)?;
            let (place, after) = after.split_once('}').ok_or_else(|| InvalidTemplate::brace(text))?;
            parts.push(Part::Place(place.parse()?));
            rest = after;
        }
        push_text(&mut parts, rest)?;
        let mut lists = parts.iter().filter_map(|part| match part {
            Part::Place(Place::List(list)) => Some(*list),
            _ => None,
        });
        let first = lists.next();
        if lists.any(|other| Some(other) != first) {
            return Err(InvalidTemplate::SeveralLists(shown(text)));
        }
        if parts.is_empty() { Err(InvalidTemplate::Empty) } else { Ok(Self(parts)) }
    }
}

fn push_text(parts: &mut Vec<Part>, text: &str) -> Result<(), InvalidTemplate> {
    if text.contains('}') {
        return Err(InvalidTemplate::brace(text));
    }
    if !text.is_empty() {
        parts.push(Part::Text(text.to_owned()));
    }
    Ok(())
}

impl FromStr for Place {
    type Err = InvalidTemplate;

    fn from_str(name: &str) -> Result<Self, InvalidTemplate> {
        if let Some(list) = ListPlace::ALL.into_iter().find(|list| list.name() == name) {
            return Ok(Self::List(list));
        }
        match (name, name.strip_prefix("attributes.")) {
            ("name", _) => Ok(Self::Name),
            ("id", _) => Ok(Self::Id),
            ("kind", _) => Ok(Self::Kind),
            (_, Some(key)) if !key.is_empty() => Ok(Self::Attribute(key.to_owned())),
            _ => Err(InvalidTemplate::UnknownPlace(shown(name))),
        }
    }
}

fn shown(text: &str) -> String {
    text.chars().take(80).collect()
}

/// Text that is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidTemplate {
    /// No text.
    #[error("expected a name, such as {{name}}: nothing")]
    Empty,
    /// A brace without the other one.
    #[error("a brace is open or closed without the other one in {0:?}")]
    Brace(String),
    /// A place that nobody knows.
    #[error(
        "expected {{name}}, {{id}}, {{kind}}, {{dns}}, {{email}}, {{upn}}, {{uri}} or {{attributes.KEY}}: {{{0}}}"
    )]
    UnknownPlace(String),
    /// Nobody could tell which goes with which.
    #[error("expected one of {{dns}}, {{email}}, {{upn}} and {{uri}} at most in one name: {0:?} has several")]
    SeveralLists(String),
    /// A subject that is none.
    #[error(transparent)]
    Subject(#[from] DecodeError),
    /// An alternative name without its form.
    #[error("expected an alternative name such as DNS:{{name}}.example.com, email:…, URI:… or UPN:…: {0:?}")]
    Form(String),
}

impl InvalidTemplate {
    fn brace(text: &str) -> Self {
        Self::Brace(shown(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(template: &str) -> Result<Vec<String>, NothingKnown> {
        let names = ObjectNames {
            common_names: vec!["laptop-1".into()],
            alternative_names: ["a.example.com", "b.example.com"]
                .map(|name| GeneralName::Dns(name.into()))
                .to_vec(),
        };
        let attributes = BTreeMap::from([("department".to_owned(), "R{n}D".to_owned())]);
        let object = "device:d6b58414-60ed-426b-b382-276a3e8d626d".parse().unwrap();
        let known = Known { object, common_name: "laptop-1", names: &names, attributes: &attributes };
        template.parse::<Template>().unwrap().fill(&known)
    }

    #[test]
    fn places_are_filled() {
        for (template, expected) in [
            ("plain", &["plain"][..]),
            ("{name}", &["laptop-1"]),
            ("{kind}.{name}.example.com", &["device.laptop-1.example.com"]),
            ("urn:uuid:{id}", &["urn:uuid:d6b58414-60ed-426b-b382-276a3e8d626d"]),
            ("{dns}", &["a.example.com", "b.example.com"]),
            (
                "{name}/{dns}/{dns}",
                &["laptop-1/a.example.com/a.example.com", "laptop-1/b.example.com/b.example.com"],
            ),
            // What the directory says is no template.
            ("{attributes.department}", &["R{n}D"]),
        ] {
            assert_eq!(filled(template).unwrap(), expected, "{template}");
        }
    }

    #[test]
    fn what_is_not_known_is_named() {
        for (template, place) in [("{upn}", "{upn}"), ("x{attributes.floor}", "{attributes.floor}")] {
            assert_eq!(filled(template), Err(NothingKnown(place.into())));
        }
    }

    #[test]
    fn mistakes_are_explained() {
        for (template, part) in [
            ("", "nothing"),
            ("{name", "brace"),
            ("name}", "brace"),
            ("{{name}}", "{{name}"),
            ("{nmae}", "{name}, {id}"),
            ("{}", "{name}, {id}"),
            ("{attributes.}", "{attributes.KEY}"),
            ("{dns}-{upn}", "has several"),
        ] {
            let error = template.parse::<Template>().unwrap_err().to_string();
            assert!(error.contains(part), "{template}: {error}");
        }
    }
}
