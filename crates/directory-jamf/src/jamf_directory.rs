//! Jamf Pro as a directory.

use std::fmt;

use directory::{Directory, DirectoryError, ObjectNames, ObjectState};
use pki_core::{BoxFuture, GeneralName};
use rest_client::{RestClient, RestError, escape};
use serde_json::Value;
use serial_binding::{BoundObject, ObjectId, ObjectKind, ObjectKinds};

/// What becomes of the certificates of a device that is there and not managed any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_enums, reason = "closed")]
pub enum Unmanaged {
    /// They stay good: only deletion counts.
    #[default]
    Good,
    /// They are on hold until the device is managed again.
    Hold,
}

/// Computers, mobile devices and users of one Jamf Pro. A certificate for a user on a device is bound to both: it lives
/// as long as the shorter-lived of the two.
///
/// | object | there | not there |
/// |---|---|---|
/// | computer, mobile device | good, or by [`Unmanaged`] | deleted |
/// | user | good | deleted |
/// | user on computer, user on mobile device | as the worse of the two | deleted when either is |
pub struct JamfDirectory {
    client: RestClient,
    unmanaged: Unmanaged,
}

impl JamfDirectory {
    /// Asks through `client`, whose base is the server, such as `https://example.jamfcloud.com`.
    pub fn new(client: RestClient, unmanaged: Unmanaged) -> Self {
        Self { client, unmanaged }
    }

    /// The record of one thing, which must be the one asked for.
    async fn record(&self, thing: Thing, id: u64) -> Result<Option<Value>, DirectoryError> {
        let path = match thing {
            Thing::Computer => {
                format!("/api/v1/computers-inventory/{id}?section=GENERAL&section=USER_AND_LOCATION")
            }
            Thing::MobileDevice => format!("/api/v2/mobile-devices/{id}/detail"),
            Thing::User => format!("/api/v1/users/{id}"),
        };
        let record = self.client.get::<Value>(&path).await;
        let Some(record) = record.map_err(DirectoryError::from)? else { return Ok(None) };
        // A number in some versions, text in others.
        let said = record.get("id").map(|id| id.as_str().map_or_else(|| id.to_string(), String::from));
        if said.as_deref() == Some(&id.to_string()) {
            return Ok(Some(record));
        }
        let (service, why) = (self.client.service().to_owned(), format!("asked for {id}, it gave {said:?}"));
        Err(RestError::Garbage { service, why }.into())
    }

    async fn state_of(&self, thing: Thing, id: u64) -> Result<Option<ObjectState>, DirectoryError> {
        let Some(record) = self.record(thing, id).await? else { return Ok(None) };
        let places: &[&str] = match thing {
            Thing::Computer => &["/general/remoteManagement/managed"],
            Thing::MobileDevice => &["/general/managed", "/managed"],
            Thing::User => &[],
        };
        let is_managed = places.iter().find_map(|place| record.pointer(place)?.as_bool()).unwrap_or(true);
        Ok(Some(match self.unmanaged {
            Unmanaged::Hold if !is_managed => ObjectState::Disabled { since: None },
            Unmanaged::Hold | Unmanaged::Good => ObjectState::Enabled,
        }))
    }

    async fn whole_state(&self, object: BoundObject) -> Result<Option<ObjectState>, DirectoryError> {
        let mut state = Some(ObjectState::Enabled);
        for (thing, id) in parts(object) {
            match self.state_of(thing, id).await? {
                Some(ObjectState::Enabled) => {}
                Some(worse) => state = Some(worse),
                None => return Ok(None),
            }
        }
        Ok(state)
    }

    async fn whole_names(&self, object: BoundObject) -> Result<Option<ObjectNames>, DirectoryError> {
        let mut names = ObjectNames::default();
        for (thing, id) in parts(object) {
            let Some(record) = self.record(thing, id).await? else { return Ok(None) };
            // What a profile writes with `CN=$JSSID`.
            names.common_names.push(id.to_string());
            let text =
                |place: &str| record.pointer(place).and_then(Value::as_str).filter(|text| !text.is_empty());
            let called = match thing {
                Thing::Computer => text("/general/name"),
                Thing::MobileDevice => text("/general/displayName").or_else(|| text("/name")),
                Thing::User => text("/username").or_else(|| text("/name")),
            };
            names.common_names.extend(called.map(String::from));
            let email = match thing {
                Thing::Computer => text("/userAndLocation/email"),
                Thing::MobileDevice => {
                    text("/location/emailAddress").or_else(|| text("/userAndLocation/emailAddress"))
                }
                Thing::User => text("/email"),
            };
            names.alternative_names.extend(email.map(|email| GeneralName::Email(email.to_owned())));
        }
        Ok(Some(names))
    }

    /// The id of the one user who has that email address, as the Classic API tells it.
    async fn user_of(&self, email: &str) -> Result<Option<u32>, DirectoryError> {
        let path = format!("/JSSResource/users/email/{}", escape(email));
        let found = self.client.get::<Value>(&path).await.map_err(DirectoryError::from)?;
        let Some(found) = found else { return Ok(None) };
        let service = self.client.service().to_owned();
        let users = found.get("users").and_then(Value::as_array).map(Vec::as_slice);
        let id = match users {
            Some([]) => return Ok(None),
            Some([user]) => user.get("id").and_then(Value::as_u64),
            Some(_) => return Err(DirectoryError::Ambiguous { directory: service, name: email.to_owned() }),
            None => None,
        };
        let garbage = || RestError::Garbage { service, why: format!("expected users with ids: {found}") };
        id.and_then(|id| u32::try_from(id).ok()).map(Some).ok_or_else(|| garbage().into())
    }

    /// `jamf-user-on-computer:17/alice@example.com`, with the user's id in the place of the email address.
    async fn pair(&self, name: &str) -> Result<Option<BoundObject>, DirectoryError> {
        let parts = name.split_once(':').and_then(|(kind, id)| Some((kind, id.split_once('/')?)));
        let Some((kind, (device, email))) = parts else { return Ok(None) };
        let kind = kind.parse::<ObjectKind>().ok();
        let (Some(kind), Ok(device)) = (kind.filter(|kind| kind.is_pair()), device.parse::<u32>()) else {
            return Ok(None);
        };
        let user = if email.contains('@') { self.user_of(email).await? } else { None };
        Ok(user.and_then(|user| BoundObject::new(kind, ObjectId::from_pair(device, user)).ok()))
    }

    /// A bare id is as good a name as any in a profile that is for one kind of thing; where it fits several it is none.
    async fn by_id(&self, name: &str) -> Result<Option<BoundObject>, DirectoryError> {
        let Ok(id @ ObjectId::Number(number)) = name.parse::<ObjectId>() else {
            return match name.parse::<BoundObject>() {
                Ok(object) => Ok(Some(object).filter(|object| self.kinds().contains(object.kind()))),
                Err(_) => self.pair(name).await,
            };
        };
        let mut found = None;
        for (kind, thing) in SINGLE {
            if self.record(thing, number).await?.is_some() {
                let object = BoundObject::new(kind, id).ok();
                if found.is_some() {
                    let directory = self.client.service().to_owned();
                    return Err(DirectoryError::Ambiguous { directory, name: name.to_owned() });
                }
                found = object;
            }
        }
        Ok(found)
    }
}

#[derive(Debug, Clone, Copy)]
enum Thing {
    Computer,
    MobileDevice,
    User,
}

const SINGLE: [(ObjectKind, Thing); 3] = [
    (ObjectKind::JAMF_COMPUTER, Thing::Computer),
    (ObjectKind::JAMF_MOBILE_DEVICE, Thing::MobileDevice),
    (ObjectKind::JAMF_USER, Thing::User),
];

/// What an object is made of: one thing, or a device and the user on it.
fn parts(object: BoundObject) -> Vec<(Thing, u64)> {
    if let Some((device, user)) = object.pair() {
        let on_computer = object.kind() == ObjectKind::JAMF_USER_ON_COMPUTER;
        let thing = if on_computer { Thing::Computer } else { Thing::MobileDevice };
        return vec![(thing, u64::from(device)), (Thing::User, u64::from(user))];
    }
    let thing = SINGLE.into_iter().find(|(kind, _)| *kind == object.kind());
    match (thing, object.id()) {
        (Some((_, thing)), ObjectId::Number(id)) => vec![(thing, id)],
        _ => Vec::new(),
    }
}

impl Directory for JamfDirectory {
    fn state(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectState>, DirectoryError>> {
        Box::pin(self.whole_state(object))
    }

    fn names(&self, object: BoundObject) -> BoxFuture<'_, Result<Option<ObjectNames>, DirectoryError>> {
        Box::pin(self.whole_names(object))
    }

    fn identify<'a>(&'a self, name: &'a str) -> BoxFuture<'a, Result<Option<BoundObject>, DirectoryError>> {
        Box::pin(self.by_id(name))
    }

    fn epoch(&self) -> Option<u64> {
        None
    }

    fn kinds(&self) -> ObjectKinds {
        let pairs = [ObjectKind::JAMF_USER_ON_COMPUTER, ObjectKind::JAMF_USER_ON_MOBILE_DEVICE];
        SINGLE.into_iter().map(|(kind, _)| kind).chain(pairs).collect()
    }
}

impl fmt::Debug for JamfDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("JamfDirectory").field(&self.client).finish()
    }
}
