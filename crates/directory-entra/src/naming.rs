//! What objects are called, and what else is known of them.

use std::collections::BTreeMap;

use directory::{DirectoryError, ObjectNames, SID_ATTRIBUTE};
use pki_core::GeneralName;
use rest_client::RestError;
use serial_binding::{BoundObject, ObjectId, ObjectKind};

use crate::{
    DeviceDirectory,
    entra_directory::Inner,
    graph::Version,
    identify::INTUNE_SCHEME,
    records::{Device, ManagedDevice, User},
};

/// The name of the attribute that is the id of the tenant.
pub const TENANT_ID_ATTRIBUTE: &str = "tenant-id";
/// The name of the attribute that is the id of a device in Entra.
pub const DEVICE_ID_ATTRIBUTE: &str = "device-id";

const USER_NAMES: &str = "id,userPrincipalName,displayName,mail,onPremisesSamAccountName";

impl Inner {
    pub(crate) async fn names_of(&self, object: BoundObject) -> Result<Option<ObjectNames>, DirectoryError> {
        let id = object.id();
        Ok(match object.kind() {
            ObjectKind::ENTRA_USER => self.user(id, USER_NAMES).await?.map(|user| user_names(id, user)),
            ObjectKind::INTUNE_DEVICE => match self.described_in_intune(id).await? {
                Some(device) => Some(managed_names(id, device)),
                // By its id in Entra, where that is the same.
                None if self.looks_elsewhere() => self.device_names(id).await?,
                None => None,
            },
            _ => match self.device_names(id).await? {
                Some(names) => Some(names),
                None if self.looks_elsewhere() => {
                    self.described_in_intune(id).await?.map(|device| managed_names(id, device))
                }
                None => None,
            },
        })
    }

    pub(crate) async fn attributes_of(
        &self,
        object: BoundObject,
    ) -> Result<BTreeMap<String, String>, DirectoryError> {
        let mut attributes = BTreeMap::new();
        let mut add = |name: &str, value: Option<String>| {
            attributes.extend(value.map(|value| (name.to_owned(), value)));
        };
        add(TENANT_ID_ATTRIBUTE, self.tenant.map(|tenant| tenant.to_string()));
        let id = object.id();
        let mut entra_id = (object.kind() == ObjectKind::ENTRA_DEVICE).then_some(id);
        match object.kind() {
            ObjectKind::ENTRA_USER => {
                let user = self.user(id, "id,onPremisesSecurityIdentifier,department").await?;
                let user = user.unwrap_or_default();
                add(SID_ATTRIBUTE, user.on_premises_security_identifier);
                add("department", user.department);
            }
            ObjectKind::INTUNE_DEVICE => {
                let device = self.described_in_intune(id).await?.unwrap_or_default();
                entra_id = device.entra_id();
                add("serial-number", device.serial_number);
            }
            _ => {}
        }
        if let Some(entra_id) = entra_id {
            add(DEVICE_ID_ATTRIBUTE, Some(entra_id.to_string()));
            if self.policy.devices != DeviceDirectory::Intune {
                add(SID_ATTRIBUTE, self.device_sid(entra_id).await?);
            }
        }
        Ok(attributes)
    }

    /// Not every cloud's devices have one.
    async fn device_sid(&self, id: ObjectId) -> Result<Option<String>, DirectoryError> {
        match self.device(id, "deviceId,onPremisesSecurityIdentifier").await {
            Ok(device) => Ok(device.and_then(|device| device.on_premises_security_identifier)),
            Err(RestError::Refused { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn described_in_intune(&self, id: ObjectId) -> Result<Option<ManagedDevice>, RestError> {
        self.managed_device_with(id, Version::V1, "id,azureADDeviceId,deviceName,serialNumber").await
    }

    async fn device_names(&self, id: ObjectId) -> Result<Option<ObjectNames>, DirectoryError> {
        let Some(device) = self.device(id, "deviceId,displayName").await? else { return Ok(None) };
        let Device { display_name, .. } = device;
        let common_names = std::iter::once(id.to_string()).chain(present(display_name)).collect();
        let alternative_names = self.managed_uris(id).await?;
        Ok(Some(ObjectNames { common_names, alternative_names }))
    }

    /// A profile may write the id of Intune beside that of Entra.
    async fn managed_uris(&self, id: ObjectId) -> Result<Vec<GeneralName>, DirectoryError> {
        let managed = match (self.policy.devices, self.managed_devices_of(id)) {
            (DeviceDirectory::Entra | DeviceDirectory::Intune, _) => return Ok(Vec::new()),
            (DeviceDirectory::BothOpportunistic, asking) => asking.await.unwrap_or_default(),
            (_, asking) => asking.await?,
        };
        Ok(managed.into_iter().filter_map(|device| device.id).map(|id| uri(&id)).collect())
    }

    fn looks_elsewhere(&self) -> bool {
        matches!(self.policy.devices, DeviceDirectory::Both | DeviceDirectory::BothOpportunistic)
    }
}

fn managed_names(id: ObjectId, device: ManagedDevice) -> ObjectNames {
    let entra_id = device.entra_id().map(|id| id.to_string());
    let common_names = std::iter::once(id.to_string()).chain(entra_id).chain(present(device.device_name));
    ObjectNames { common_names: common_names.collect(), alternative_names: vec![uri(&id.to_string())] }
}

fn uri(intune_id: &str) -> GeneralName {
    GeneralName::Uri(format!("{INTUNE_SCHEME}{intune_id}"))
}

/// The part before the @ is what Intune writes for `{{UserName}}`.
fn user_names(id: ObjectId, user: User) -> ObjectNames {
    let upn = present(user.user_principal_name);
    let short = upn.as_deref().and_then(|upn| upn.split_once('@')).map(|(short, _)| short.to_owned());
    let mail = present(user.mail);
    let common_names = [upn.clone(), present(user.display_name), mail.clone()]
        .into_iter()
        .chain([present(user.on_premises_sam_account_name), short, Some(id.to_string())])
        .flatten();
    let alternative_names = upn.clone().map(GeneralName::Upn).into_iter().chain(mail.map(GeneralName::Email));
    ObjectNames { common_names: common_names.collect(), alternative_names: alternative_names.collect() }
}

fn present(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}
