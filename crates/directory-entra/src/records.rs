//! What Graph tells of an object, as far as it matters.

use rest_client::time;
use serde::Deserialize;
use serde_json::{Map, Value};
use serial_binding::ObjectId;

use crate::policy::Account;

/// A device of Entra.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(clippy::struct_field_names, reason = "as Graph has them")]
pub(crate) struct Device {
    /// Names the device in certificates.
    pub(crate) device_id: Option<String>,
    pub(crate) account_enabled: Option<bool>,
    pub(crate) is_compliant: Option<bool>,
    pub(crate) registration_date_time: Option<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) on_premises_security_identifier: Option<String>,
}

/// A user of Entra.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
#[expect(clippy::struct_field_names, reason = "as Graph has them")]
pub(crate) struct User {
    pub(crate) id: Option<String>,
    pub(crate) account_enabled: Option<bool>,
    pub(crate) user_principal_name: Option<String>,
    pub(crate) display_name: Option<String>,
    pub(crate) mail: Option<String>,
    pub(crate) on_premises_sam_account_name: Option<String>,
    pub(crate) on_premises_security_identifier: Option<String>,
    pub(crate) department: Option<String>,
}

/// A managed device of Intune.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ManagedDevice {
    pub(crate) id: Option<String>,
    /// The device's id in Entra; zeros where it is not registered there.
    #[serde(rename = "azureADDeviceId")]
    pub(crate) entra_device_id: Option<String>,
    pub(crate) enrolled_date_time: Option<String>,
    pub(crate) compliance_state: Option<String>,
    pub(crate) management_state: Option<String>,
    pub(crate) device_name: Option<String>,
    pub(crate) serial_number: Option<String>,
}

/// A page of a list.
#[derive(Debug, Deserialize)]
pub(crate) struct Page<T> {
    pub(crate) value: Vec<T>,
    #[serde(rename = "@odata.nextLink")]
    pub(crate) next: Option<String>,
}

impl ManagedDevice {
    /// The device's id in Entra, where it has one.
    pub(crate) fn entra_id(&self) -> Option<ObjectId> {
        let id = self.entra_device_id.as_deref().and_then(uuid);
        id.filter(|id| *id != ObjectId::Uuid([0; 16]))
    }
}

impl Device {
    pub(crate) fn account(&self) -> Account {
        let registered = self.registration_date_time.as_deref().and_then(time);
        Account { enabled: self.account_enabled, is_compliant: self.is_compliant, registered }
    }
}

impl User {
    pub(crate) fn account(&self) -> Account {
        Account { enabled: self.account_enabled, ..Account::default() }
    }
}

/// A page of a list of changes.
#[derive(Debug, Deserialize)]
pub(crate) struct Changes {
    pub(crate) value: Vec<Map<String, Value>>,
    #[serde(rename = "@odata.nextLink")]
    pub(crate) next: Option<String>,
    /// On the last page: where later changes are told.
    #[serde(rename = "@odata.deltaLink")]
    pub(crate) later: Option<String>,
}

/// Whether a change says that the object is not there any more.
pub(crate) fn is_removed(change: &Map<String, Value>) -> bool {
    change.contains_key("@removed")
}

/// A UUID, and no number.
pub(crate) fn uuid(text: &str) -> Option<ObjectId> {
    text.parse().ok().filter(|id| matches!(id, ObjectId::Uuid(_)))
}
