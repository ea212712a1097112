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

    /// The object; `None` when the directory has none.
    pub(crate) async fn find(
        &self,
        directory: &dyn Directory,
    ) -> Result<Option<BoundObject>, DirectoryError> {
        match self {
            Self::User(name) => {
                let found = directory.identify(name).await?;
                Ok(found.filter(|object| !is_device(object.kind())))
            }
            Self::IntuneDevice(id) => there(directory, ObjectKind::INTUNE_DEVICE, *id).await,
            Self::Device(ids) => {
                for id in ids {
                    for kind in [ObjectKind::INTUNE_DEVICE, ObjectKind::ENTRA_DEVICE] {
                        if let Some(object) = there(directory, kind, *id).await? {
                            return Ok(Some(object));
                        }
                    }
                }
                Ok(None)
            }
        }
    }
}

fn is_device(kind: ObjectKind) -> bool {
    [ObjectKind::DEVICE, ObjectKind::INTUNE_DEVICE, ObjectKind::ENTRA_DEVICE].contains(&kind)
}

/// The object, if the directory has it in whatever state.
async fn there(
    directory: &dyn Directory,
    kind: ObjectKind,
    id: ObjectId,
) -> Result<Option<BoundObject>, DirectoryError> {
    let object = BoundObject::new(kind, id).ok().filter(|_| directory.kinds().contains(kind));
    let Some(object) = object else { return Ok(None) };
    Ok(directory.state(object).await?.map(|_| object))
}

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
