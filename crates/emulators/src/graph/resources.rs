//! What can be asked for, and how.

use serde_json::{Value, json};

use super::{Refused, Version};
use crate::{
    entities::{Device, Entity, ManagedDevice, User},
    records::{Records, Row},
    sequence::is_uuid,
};

/// A collection of Graph.
#[derive(Debug)]
pub(super) struct Resource {
    /// Its path.
    pub(super) path: &'static str,
    /// The type of its members.
    pub(super) of: &'static str,
    /// By what a member can be named instead of its id.
    pub(super) other_key: Option<&'static str>,
    /// What is shown unless the client selects; empty for everything.
    pub(super) defaults: &'static [&'static str],
    /// By what it can be filtered.
    pub(super) filterable: &'static [&'static str],
    /// What version 1.0 does not have.
    pub(super) in_beta_only: &'static [&'static str],
    /// One with every property.
    pub(super) sample: fn() -> Value,
    /// Whether an id has to be a UUID.
    pub(super) ids: Ids,
    /// What asking for one costs.
    pub(super) units: u32,
    /// What is said when there is none.
    pub(super) not_found: fn(&str) -> Refused,
}

/// What ids look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ids {
    Uuid,
    /// A UUID or a name.
    Any,
}

pub(super) const DEVICES: Resource = Resource {
    path: "devices",
    of: "microsoft.graph.device",
    other_key: Some("deviceId"),
    defaults: &[],
    filterable: &[
        "id",
        "deviceId",
        "accountEnabled",
        "displayName",
        "isCompliant",
        "isManaged",
        "operatingSystem",
        "trustType",
    ],
    in_beta_only: &[],
    sample: || Device::default().show(""),
    ids: Ids::Uuid,
    units: 1,
    not_found: Refused::not_found,
};

pub(super) const USERS: Resource = Resource {
    path: "users",
    of: "microsoft.graph.user",
    other_key: Some("userPrincipalName"),
    defaults: &[
        "businessPhones",
        "displayName",
        "givenName",
        "id",
        "jobTitle",
        "mail",
        "mobilePhone",
        "officeLocation",
        "preferredLanguage",
        "surname",
        "userPrincipalName",
    ],
    filterable: &[
        "id",
        "accountEnabled",
        "displayName",
        "mail",
        "onPremisesSecurityIdentifier",
        "onPremisesSamAccountName",
        "userPrincipalName",
        "userType",
    ],
    in_beta_only: &[],
    sample: || User::default().show(""),
    ids: Ids::Any,
    units: 2,
    not_found: Refused::not_found,
};

pub(super) const MANAGED_DEVICES: Resource = Resource {
    path: "deviceManagement/managedDevices",
    of: "microsoft.graph.managedDevice",
    other_key: None,
    defaults: &[],
    filterable: &[
        "id",
        "azureADDeviceId",
        "complianceState",
        "deviceName",
        "operatingSystem",
        "serialNumber",
        "userId",
        "userPrincipalName",
        "managementState",
    ],
    in_beta_only: &["managementState"],
    sample: || ManagedDevice::default().show(""),
    ids: Ids::Uuid,
    units: 1,
    not_found: Refused::not_found_by_intune,
};

pub(super) const RISKY_USERS: Resource = Resource {
    path: "identityProtection/riskyUsers",
    of: "microsoft.graph.riskyUser",
    other_key: None,
    defaults: &[],
    filterable: &["riskLevel", "riskState", "userPrincipalName"],
    in_beta_only: &[],
    sample: || risky("", &User::default()),
    ids: Ids::Uuid,
    units: 1,
    not_found: Refused::not_found,
};

impl Resource {
    /// The names of the properties that `version` knows.
    pub(super) fn knows(&self, version: Version, property: &str) -> bool {
        let is_hidden = version == Version::V1 && self.in_beta_only.contains(&property);
        !is_hidden && (self.sample)().get(property).is_some()
    }

    /// Of `whole` what was selected, or what is shown without.
    pub(super) fn shown(&self, version: Version, mut whole: Value, select: Option<&[String]>) -> Value {
        let Some(properties) = whole.as_object_mut() else { return whole };
        let by_default = version == Version::Beta || self.defaults.is_empty();
        properties.retain(|name, _| match select {
            Some(select) => select.iter().any(|selected| selected == name),
            None if by_default => version == Version::Beta || !self.in_beta_only.contains(&&**name),
            None => self.defaults.contains(&&**name),
        });
        whole
    }
}

/// How one member is named in a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    Id(String),
    /// A property, and its value.
    Named(String, String),
}

impl Key {
    /// Takes `devices(deviceId='x')` and `users('x')` apart.
    pub(super) fn of_segment(segment: &str) -> (&str, Option<Self>) {
        let inner = segment.split_once('(').and_then(|(name, rest)| Some((name, rest.strip_suffix(')')?)));
        let Some((name, inner)) = inner else { return (segment, None) };
        let quoted = |text: &str| Some(text.strip_prefix('\'')?.strip_suffix('\'')?.replace("''", "'"));
        let named = inner.split_once('=').and_then(|(property, value)| {
            let is_name = property.bytes().all(|octet| octet.is_ascii_alphanumeric());
            Some(Self::Named(property.to_owned(), quoted(value)?)).filter(|_| is_name)
        });
        (name, named.or_else(|| quoted(inner).map(Self::Id)))
    }

    /// What to look up, when the resource may be asked so.
    pub(super) fn of<'a>(&'a self, resource: &Resource) -> Result<&'a str, Refused> {
        match self {
            Self::Id(id) if resource.ids == Ids::Any || is_uuid(id) => Ok(id),
            Self::Id(id) => {
                Err(Refused::new(400, "Request_BadRequest", format!("Invalid object identifier '{id}'.")))
            }
            Self::Named(name, value) if Some(&**name) == resource.other_key => {
                if resource.ids == Ids::Uuid && !is_uuid(value) {
                    return Err(Refused::bad_request(format!(
                        "Invalid value specified for property '{name}'."
                    )));
                }
                Ok(value)
            }
            Self::Named(name, _) => {
                Err(Refused::bad_request(format!("'{name}' is no key of '{}'.", resource.of)))
            }
        }
    }
}

/// What Graph looks things up in.
pub(super) trait Shelf {
    /// Those that live, from a place on, each with its place.
    fn from(&self, at: usize) -> Box<dyn Iterator<Item = (usize, Value)> + '_>;

    /// By its id alone.
    fn by_id(&self, id: &str) -> Option<Value>;

    /// By its id or its other key.
    fn by_key(&self, key: &str) -> Option<Value>;
}

fn show<T: Entity>(row: &Row<T>) -> Value {
    row.thing.show(&row.id)
}

impl<T: Entity> Shelf for Records<T> {
    fn from(&self, at: usize) -> Box<dyn Iterator<Item = (usize, Value)> + '_> {
        Box::new(self.living_from(at).map(|(at, row)| (at, show(row))))
    }

    fn by_id(&self, id: &str) -> Option<Value> {
        Records::by_id(self, id).map(show)
    }

    fn by_key(&self, key: &str) -> Option<Value> {
        self.live(key).map(show)
    }
}

/// Users whom somebody once suspected.
#[derive(Debug)]
pub(super) struct Suspects<'a>(pub(super) &'a Records<User>);

impl Shelf for Suspects<'_> {
    fn from(&self, at: usize) -> Box<dyn Iterator<Item = (usize, Value)> + '_> {
        let suspects = self.0.living_from(at).filter(|(_, row)| row.thing.risk.at.is_some());
        Box::new(suspects.map(|(at, row)| (at, risky(&row.id, &row.thing))))
    }

    fn by_id(&self, id: &str) -> Option<Value> {
        let row = Records::by_id(self.0, id).filter(|row| row.thing.risk.at.is_some())?;
        Some(risky(&row.id, &row.thing))
    }

    fn by_key(&self, key: &str) -> Option<Value> {
        self.by_id(key)
    }
}

fn risky(id: &str, user: &User) -> Value {
    let is_at_risk = user.risk.level != "none";
    json!({
        "id": id,
        "isDeleted": false,
        "isProcessing": false,
        "riskDetail": "none",
        "riskLastUpdatedDateTime": user.risk.at.map(|at| at.to_string()),
        "riskLevel": user.risk.level,
        "riskState": if is_at_risk { "atRisk" } else { "remediated" },
        "userDisplayName": user.name,
        "userPrincipalName": user.upn,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_parentheses() {
        let named = |name: &str, value: &str| Some(Key::Named(name.into(), value.into()));
        for (segment, expected) in [
            ("devices", ("devices", None)),
            ("devices(deviceId='x')", ("devices", named("deviceId", "x"))),
            ("users('$a=b@c')", ("users", Some(Key::Id("$a=b@c".into())))),
            ("users('o''hara@c')", ("users", Some(Key::Id("o'hara@c".into())))),
            ("users(x)", ("users", None)),
        ] {
            assert_eq!(Key::of_segment(segment), expected, "{segment}");
        }
    }
}
