//! The objects of a file directory at one moment.

use std::collections::{BTreeMap, HashMap, hash_map::Entry};

use pki_core::GeneralName;
use serial_binding::{BoundObject, ObjectId, ObjectKind, ObjectKinds};

use crate::{
    ObjectNames, ObjectState,
    document::{Document, Record, State},
};

/// Objects, and whom a name means.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Snapshot {
    objects: HashMap<BoundObject, Object>,
    by_name: HashMap<String, Named>,
}

#[derive(Debug, PartialEq)]
struct Object {
    state: ObjectState,
    names: ObjectNames,
    attributes: BTreeMap<String, String>,
}

/// Whom a name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    One(BoundObject),
    Several,
}

/// How much a new snapshot takes away from an older one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Removal {
    /// Objects that were there and are not, or are gone.
    pub(crate) removed: usize,
    /// Objects that were there.
    pub(crate) of: usize,
}

impl Removal {
    pub(crate) const NONE: Self = Self { removed: 0, of: 0 };
}

impl Snapshot {
    /// Fails, saying which entry is at fault, when two objects have one id, two of the same list one name, or a name
    /// could not stand in a certificate.
    pub(crate) fn of(document: Document, kinds: ObjectKinds) -> Result<Self, String> {
        let mut snapshot = Self::default();
        let lists =
            [("devices", ObjectKind::DEVICE, document.devices), ("users", ObjectKind::USER, document.users)];
        for (list, kind, records) in lists {
            let mut names = HashMap::new();
            for (at, record) in records.unwrap_or_default().into_iter().enumerate() {
                if record.state != State::Gone
                    && let Some(first) = names.insert(record.name.to_lowercase(), at)
                {
                    return Err(format!(
                        "{list}[{at}].name: {:?} is also the name of {list}[{first}]",
                        record.name
                    ));
                }
                snapshot
                    .add(&record, kind, kinds)
                    .map_err(|(key, why)| format!("{list}[{at}].{key}: {why}"))?;
            }
        }
        Ok(snapshot)
    }

    pub(crate) fn state(&self, object: BoundObject) -> Option<ObjectState> {
        self.objects.get(&object).map(|object| object.state)
    }

    pub(crate) fn names(&self, object: BoundObject) -> Option<&ObjectNames> {
        self.objects.get(&object).map(|object| &object.names)
    }

    pub(crate) fn attributes(&self, object: BoundObject) -> BTreeMap<String, String> {
        self.objects.get(&object).map(|object| object.attributes.clone()).unwrap_or_default()
    }

    pub(crate) fn named(&self, name: &str) -> Option<Named> {
        self.by_name.get(&name.to_lowercase()).copied()
    }

    pub(crate) fn len(&self) -> usize {
        self.objects.len()
    }

    /// What going over to `next` would take away.
    pub(crate) fn removal(&self, next: &Self) -> Removal {
        let mut removal = Removal::NONE;
        for (object, _) in self.objects.iter().filter(|(_, object)| !object.is_gone()) {
            removal.of = removal.of.saturating_add(1);
            if next.objects.get(object).is_none_or(Object::is_gone) {
                removal.removed = removal.removed.saturating_add(1);
            }
        }
        removal
    }

    fn add(
        &mut self,
        record: &Record,
        default_kind: ObjectKind,
        kinds: ObjectKinds,
    ) -> Result<(), (&'static str, String)> {
        let kind = kind(record, default_kind)?;
        if !kinds.contains(kind) {
            return Err(("kind", format!("this directory holds no objects of kind {kind}")));
        }
        let object = BoundObject::new(kind, record.id).map_err(|error| ("id", error.to_string()))?;
        let names = names(record)?;
        let values: Vec<_> = record.attributes.values().cloned().collect();
        check("attributes", &values, |_| true)?;
        let state = match record.state {
            State::Enabled => ObjectState::Enabled,
            State::Disabled => ObjectState::Disabled { since: record.since },
            State::Gone => ObjectState::Gone { since: record.since },
        };
        self.index(&record.id.to_string(), object);
        if record.state != State::Gone {
            names.common_names.iter().for_each(|name| self.index(name, object));
            [&record.dns, &record.emails, &record.upns].into_iter().flatten().for_each(|name| {
                self.index(name, object);
            });
        }
        match self.objects.entry(object) {
            Entry::Occupied(_) => Err(("id", format!("{object} is in the file twice"))),
            Entry::Vacant(place) => {
                place.insert(Object { state, names, attributes: record.attributes.clone() });
                Ok(())
            }
        }
    }

    fn index(&mut self, name: &str, object: BoundObject) {
        let named = self.by_name.entry(name.to_lowercase()).or_insert(Named::One(object));
        if *named != Named::One(object) {
            *named = Named::Several;
        }
    }
}

impl Object {
    fn is_gone(&self) -> bool {
        matches!(self.state, ObjectState::Gone { .. })
    }
}

fn kind(record: &Record, default: ObjectKind) -> Result<ObjectKind, (&'static str, String)> {
    match (record.kind, record.id) {
        (Some(kind), _) => Ok(kind),
        (None, ObjectId::Uuid(_)) => Ok(default),
        (None, ObjectId::Number(_)) => {
            let why =
                "an object named by a number says its kind, such as kind = \"jamf-computer\" or \"numbered\"";
            Err(("kind", String::from(why)))
        }
    }
}

/// The object's id, as text, is a common name too: the last in the list.
fn names(record: &Record) -> Result<ObjectNames, (&'static str, String)> {
    let id = record.id.to_string();
    let common_names = std::iter::once(&record.name).chain(&record.common_names).chain([&id]);
    let mut names = ObjectNames { common_names: common_names.cloned().collect(), ..ObjectNames::default() };
    check("name", &names.common_names, |_| true)?;
    check("upns", &record.upns, |_| true)?;
    let forms: [fn(String) -> GeneralName; 3] = [GeneralName::Dns, GeneralName::Email, GeneralName::Uri];
    let lists = [("dns", &record.dns), ("emails", &record.emails), ("uris", &record.uris)];
    for ((key, texts), form) in lists.into_iter().zip(forms) {
        // An IA5String in the certificate.
        check(key, texts, |text| text.is_ascii() && !text.contains(' '))?;
        names.alternative_names.extend(texts.iter().cloned().map(form));
    }
    names.alternative_names.extend(record.upns.iter().cloned().map(GeneralName::Upn));
    Ok(names)
}

fn check(
    key: &'static str,
    texts: &[String],
    is_fit: impl Fn(&str) -> bool,
) -> Result<(), (&'static str, String)> {
    let unfit =
        |text: &&String| text.trim().is_empty() || text.contains(char::is_control) || !is_fit(text.as_str());
    match texts.iter().find(unfit) {
        Some(text) => Err((key, format!("{text:?} cannot stand in a certificate"))),
        None => Ok(()),
    }
}
