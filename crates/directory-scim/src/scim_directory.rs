//! The service as a directory.

use std::fmt;

use directory::{Directory, DirectoryError, ObjectNames, ObjectState};
use pki_core::{BoxFuture, GeneralName};
use rest_client::{RestClient, escape, time};
use serde_json::Value;
use serial_binding::{BoundObject, ObjectId, ObjectKind, ObjectKinds};

use crate::{Dialect, Standing};

/// Users of a service, as [`ObjectKind::SCIM_RESOURCE`]. Each question goes to the service.
pub struct ScimDirectory {
    client: RestClient,
    dialect: Dialect,
}

impl ScimDirectory {
    /// Asks through `client`, which has the service's base and its tokens.
    pub fn new(client: RestClient, dialect: Dialect) -> Self {
        Self { client, dialect }
    }

    /// The resource, which must be the one asked for.
    async fn resource(&self, object: BoundObject) -> Result<Option<Value>, DirectoryError> {
        // An id that the service cannot have given stands for nothing there.
        let Some(id) = self.dialect.id_form.write(object.id()) else { return Ok(None) };
        let path = self.dialect.resource.replace("{id}", &escape(&id));
        let Some(resource) = self.client.get::<Value>(&path).await? else { return Ok(None) };
        if self.id(&resource)? == object.id() {
            Ok(Some(resource))
        } else {
            Err(self.misunderstood("it gave another resource than was asked for"))
        }
    }

    fn id(&self, resource: &Value) -> Result<ObjectId, DirectoryError> {
        let text = resource.pointer(&self.dialect.id).and_then(Value::as_str);
        let id = text.and_then(|text| self.dialect.id_form.read(text));
        id.ok_or_else(|| {
            self.misunderstood(format_args!(
                "expected an id of the form {:?}: {text:?}",
                self.dialect.id_form
            ))
        })
    }

    fn standing(&self, resource: &Value) -> Result<ObjectState, DirectoryError> {
        let place = &self.dialect.state;
        let value = resource.pointer(place);
        let meant = self.dialect.states.iter().find(|(known, _)| Some(known) == value);
        let since = || {
            let text = self.dialect.since.as_ref().and_then(|place| resource.pointer(place)?.as_str())?;
            time(text)
        };
        match meant {
            Some((_, Standing::Enabled)) => Ok(ObjectState::Enabled),
            Some((_, Standing::Disabled)) => Ok(ObjectState::Disabled { since: since() }),
            Some((_, Standing::Gone)) => Ok(ObjectState::Gone { since: since() }),
            None => Err(self.misunderstood(format_args!("nobody has said what {place} = {value:?} means"))),
        }
    }

    fn names_of(&self, resource: &Value) -> ObjectNames {
        let values =
            |places: &[String]| places.iter().flat_map(|place| texts(resource, place)).collect::<Vec<_>>();
        let emails = values(&self.dialect.emails).into_iter().map(GeneralName::Email);
        let upns = values(&self.dialect.upns).into_iter().map(GeneralName::Upn);
        ObjectNames {
            common_names: values(&self.dialect.common_names),
            alternative_names: emails.chain(upns).collect(),
        }
    }

    async fn search(&self, name: &str) -> Result<Option<BoundObject>, DirectoryError> {
        let mut found = None;
        // A string of a filter is one of JSON (RFC 7644 section 3.4.2.2).
        let quoted = escape(&Value::from(name).to_string());
        for search in &self.dialect.searches {
            let path = search.replace("{name}", &quoted).replace("{bare}", &escape(name));
            let answer = self.client.get::<Value>(&path).await?;
            let list = answer.as_ref().and_then(|answer| answer.pointer(&self.dialect.found)?.as_array());
            let list = list.ok_or_else(|| self.misunderstood("expected a list of what was found"))?;
            for resource in list {
                let object = BoundObject::new(ObjectKind::SCIM_RESOURCE, self.id(resource)?);
                let object = object.map_err(|why| self.misunderstood(why))?;
                if found.replace(object).is_some_and(|before| before != object) {
                    let directory = self.client.service().to_owned();
                    return Err(DirectoryError::Ambiguous { directory, name: name.to_owned() });
                }
            }
        }
        Ok(found)
    }

    fn misunderstood(&self, why: impl fmt::Display) -> DirectoryError {
        DirectoryError::unavailable(
            self.client.service(),
            format_args!("its answer cannot be understood: {why}"),
        )
    }
}

/// The texts at `place`, in which `*` stands for every member of an array.
fn texts(value: &Value, place: &str) -> Vec<String> {
    match place.split_once("/*") {
        None => value.pointer(place).and_then(Value::as_str).map(String::from).into_iter().collect(),
        Some((list, rest)) => {
            let members = value.pointer(list).and_then(Value::as_array);
            members.into_iter().flatten().flat_map(|member| texts(member, rest)).collect()
        }
    }
}

impl Directory for ScimDirectory {
    fn state(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectState>, DirectoryError>> {
        Box::pin(
            async move { self.resource(object).await?.map(|resource| self.standing(&resource)).transpose() },
        )
    }

    fn names(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectNames>, DirectoryError>> {
        Box::pin(async move { Ok(self.resource(object).await?.map(|resource| self.names_of(&resource))) })
    }

    fn identify<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<BoundObject>, DirectoryError>> {
        Box::pin(self.search(name))
    }

    fn epoch(&self) -> Option<u64> {
        None
    }

    fn kinds(&self) -> ObjectKinds {
        [ObjectKind::SCIM_RESOURCE].into_iter().collect()
    }
}

impl fmt::Debug for ScimDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ScimDirectory").field(&self.client).finish()
    }
}
