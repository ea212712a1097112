//! Whom a name in a request means.

use directory::DirectoryError;
use rest_client::{RestError, escape};
use serial_binding::{BoundObject, ObjectId, ObjectKind};

use crate::{
    DeviceDirectory,
    entra_directory::Inner,
    graph::Version,
    records::{User, uuid},
};

/// What an alternative name begins with that is a device's id in Intune.
pub(crate) const INTUNE_SCHEME: &str = "IntuneDeviceId://";

impl Inner {
    /// An id, with or without a kind before it; `IntuneDeviceId://` and an id; a user's principal name or address. What
    /// a device displays as its name is none: its user may choose that.
    pub(crate) async fn object_called(&self, name: &str) -> Result<Option<BoundObject>, DirectoryError> {
        if let Some(id) = after_scheme(name) {
            let Some(id) = uuid(id) else { return Ok(None) };
            return self.there(ObjectKind::INTUNE_DEVICE, id).await;
        }
        if let Ok(object) = name.parse::<BoundObject>() {
            return self.there(object.kind(), object.id()).await;
        }
        match uuid(name) {
            Some(id) => self.by_id(id).await,
            None if name.contains('@') => self.by_address(name).await,
            None => Ok(None),
        }
    }

    /// The object, if it is of a kind that is held and there.
    async fn there(&self, kind: ObjectKind, id: ObjectId) -> Result<Option<BoundObject>, DirectoryError> {
        if !self.policy.devices.kinds().contains(kind) {
            return Ok(None);
        }
        let is_there = match kind {
            ObjectKind::ENTRA_DEVICE => self.device(id, "deviceId").await?.is_some(),
            ObjectKind::INTUNE_DEVICE => self.is_managed(id).await?,
            _ => self.user(id, "id").await?.is_some(),
        };
        Ok(BoundObject::new(kind, id).ok().filter(|_| is_there))
    }

    async fn is_managed(&self, id: ObjectId) -> Result<bool, DirectoryError> {
        match self.managed_device_with(id, Version::V1, "id").await {
            Ok(device) => Ok(device.is_some()),
            Err(RestError::Forbidden { .. } | RestError::Unauthorized { .. })
                if self.policy.devices == DeviceDirectory::BothOpportunistic =>
            {
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Intune's first: an id that both know is one that Entra has only until the registration is complete.
    async fn by_id(&self, id: ObjectId) -> Result<Option<BoundObject>, DirectoryError> {
        for kind in [ObjectKind::INTUNE_DEVICE, ObjectKind::ENTRA_DEVICE, ObjectKind::ENTRA_USER] {
            if let Some(object) = self.there(kind, id).await? {
                return Ok(Some(object));
            }
        }
        Ok(None)
    }

    async fn by_address(&self, name: &str) -> Result<Option<BoundObject>, DirectoryError> {
        // What begins so would be read as an option.
        if !name.starts_with('$') {
            let path = format!("/users/{}?$select=id,userPrincipalName", escape(name));
            if let Some(user) = self.graph.get::<User>(Version::V1, path).await? {
                return self.user_called(name, &user, user.user_principal_name.as_deref());
            }
        }
        // A string of a filter has its quotes doubled.
        let filter = escape(&format!("mail eq '{}'", name.replace('\'', "''")));
        let found: Vec<User> =
            self.list(Version::V1, format!("/users?$filter={filter}&$select=id,mail")).await?;
        match &*found {
            [] => Ok(None),
            [user] => self.user_called(name, user, user.mail.as_deref()),
            _ => {
                let directory = self.graph.service().to_owned();
                Err(DirectoryError::Ambiguous { directory, name: name.to_owned() })
            }
        }
    }

    /// The user, who must go by the name asked for.
    fn user_called(
        &self,
        name: &str,
        user: &User,
        called: Option<&str>,
    ) -> Result<Option<BoundObject>, DirectoryError> {
        let id = user.id.as_deref().and_then(uuid);
        let Some(id) = id.filter(|_| called.is_some_and(|called| called.eq_ignore_ascii_case(name))) else {
            let why = format_args!("asked for a user called {name:?}, it gave {:?} {called:?}", user.id);
            return Err(self.graph.garbage(why).into());
        };
        Ok(BoundObject::new(ObjectKind::ENTRA_USER, id).ok())
    }
}

/// The scheme is read in either case.
fn after_scheme(name: &str) -> Option<&str> {
    let (scheme, id) = name.split_at_checked(INTUNE_SCHEME.len())?;
    scheme.eq_ignore_ascii_case(INTUNE_SCHEME).then_some(id)
}
