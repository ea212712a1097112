//! For whom a request is.

use directory::{Directory, DirectoryError};
use pki_core::{CertificationRequest, DecodeError, GeneralName, oids};
use serial_binding::{BoundObject, ObjectId, ObjectKind};

/// How Microsoft has network access control find the Intune device in a certificate.
const DEVICE_URI: &str = "IntuneDeviceId://";

/// What a request says that it is for. Only to be looked at once Intune has said that the names are right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Identity {
    /// A user, by principal name.
    User(String),
    /// A device, by its Intune device id.
    IntuneDevice(ObjectId),
    /// A device, by its id in Intune or in Entra: a bare UUID says not which.
    Device(Vec<ObjectId>),
}

impl Identity {
    /// A principal name among the alternative names makes it a user's; otherwise an `IntuneDeviceId://` among them says
    /// which device, otherwise a commonName that is a UUID. `None` when there is none of these.
    pub(crate) fn of(csr: &CertificationRequest) -> Result<Option<Self>, DecodeError> {
        let names = csr.subject_alt_names()?;
        let user = names.iter().find_map(|name| match name {
            GeneralName::Upn(name) => Some(Self::User(name.clone())),
            _ => None,
        });
        let device = names.iter().find_map(device_of_uri).map(Self::IntuneDevice);
        let ids = common_names(csr).filter_map(|name| uuid(&name)).collect::<Vec<_>>();
        let bare = (!ids.is_empty()).then_some(Self::Device(ids));
        Ok(user.or(device).or(bare))
    }

    /// The object; `None` when the directory has none of the kind.
    pub(crate) async fn find(
        &self,
        directory: &dyn Directory,
    ) -> Result<Option<BoundObject>, DirectoryError> {
        match self {
            Self::User(name) => {
                let found = directory.identify(name).await?;
                Ok(found.filter(|object| !DEVICES.contains(&object.kind())))
            }
            Self::IntuneDevice(id) => {
                let found = directory.identify(&id.to_string()).await?;
                Ok(found.filter(|object| INTUNE_DEVICES.contains(&object.kind())))
            }
            Self::Device(ids) => {
                for id in ids {
                    let found = directory.identify(&id.to_string()).await?;
                    if let Some(object) = found.filter(|object| DEVICES.contains(&object.kind())) {
                        return Ok(Some(object));
                    }
                }
                Ok(None)
            }
        }
    }
}

/// What may be meant by a device's id.
const DEVICES: [ObjectKind; 3] = [ObjectKind::INTUNE_DEVICE, ObjectKind::ENTRA_DEVICE, ObjectKind::DEVICE];
/// By one that says that it is Intune's. A directory of the site's own may have devices by that.
const INTUNE_DEVICES: [ObjectKind; 2] = [ObjectKind::INTUNE_DEVICE, ObjectKind::DEVICE];

fn device_of_uri(name: &GeneralName) -> Option<ObjectId> {
    let GeneralName::Uri(uri) = name else { return None };
    let (scheme, id) = uri.split_at_checked(DEVICE_URI.len())?;
    scheme.eq_ignore_ascii_case(DEVICE_URI).then(|| uuid(id))?
}

fn common_names(csr: &CertificationRequest) -> impl Iterator<Item = String> {
    let attributes = csr.subject().rdns().into_iter().flatten();
    attributes
        .filter(|attribute| attribute.oid() == oids::COMMON_NAME)
        .filter_map(|attribute| attribute.text())
}

fn uuid(text: &str) -> Option<ObjectId> {
    text.parse().ok().filter(|id| matches!(id, ObjectId::Uuid(_)))
}
