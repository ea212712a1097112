//! What the services keep of their objects, and how they show it.

use pki_core::UnixTime;
use serde_json::{Map, Value, json};

/// An object of some kind.
pub(crate) trait Entity: Default {
    /// What it is found by beside its id; unique among those that live.
    fn keys(&self) -> Vec<String>;

    /// All of it, as its service writes it.
    fn show(&self, id: &str) -> Value;

    /// Takes over what `properties` say, by the names that [`show`](Self::show) has them under.
    fn fill(&mut self, properties: &Map<String, Value>);
}

fn take(properties: &Map<String, Value>, name: &str, into: &mut String) {
    if let Some(text) = properties.get(name).and_then(Value::as_str) {
        text.clone_into(into);
    }
}

fn take_flag(properties: &Map<String, Value>, name: &str, into: &mut bool) {
    *into = properties.get(name).and_then(Value::as_bool).unwrap_or(*into);
}

/// A device of Entra.
#[derive(Debug, Clone)]
#[expect(clippy::struct_field_names, reason = "Graph's name for it")]
pub(crate) struct Device {
    pub(crate) device_id: String,
    pub(crate) name: String,
    pub(crate) system: String,
    pub(crate) enabled: bool,
    pub(crate) compliant: bool,
    pub(crate) managed: bool,
    pub(crate) sid: String,
    pub(crate) since: UnixTime,
}

impl Default for Device {
    fn default() -> Self {
        Self {
            device_id: String::new(),
            name: String::new(),
            system: String::from("Windows"),
            enabled: true,
            compliant: true,
            managed: true,
            sid: String::new(),
            since: UnixTime(0),
        }
    }
}

impl Entity for Device {
    fn keys(&self) -> Vec<String> {
        vec![self.device_id.clone()]
    }

    fn show(&self, id: &str) -> Value {
        let since = self.since.to_string();
        json!({
            "id": id,
            "deletedDateTime": null,
            "accountEnabled": self.enabled,
            "approximateLastSignInDateTime": since,
            "complianceExpirationDateTime": null,
            "createdDateTime": since,
            "deviceCategory": null,
            "deviceId": self.device_id,
            "deviceMetadata": null,
            "deviceOwnership": "Company",
            "deviceVersion": 2,
            "displayName": self.name,
            "enrollmentProfileName": null,
            "enrollmentType": "AzureDomainJoined",
            "isCompliant": self.compliant,
            "isManaged": self.managed,
            "isRooted": null,
            "managementType": "MDM",
            "manufacturer": "Contoso",
            "mdmAppId": "0000000a-0000-0000-c000-000000000000",
            "model": "Laptop",
            "onPremisesLastSyncDateTime": null,
            "onPremisesSecurityIdentifier": (!self.sid.is_empty()).then_some(&self.sid),
            "onPremisesSyncEnabled": null,
            "operatingSystem": self.system,
            "operatingSystemVersion": "10.0.22631",
            "physicalIds": [],
            "profileType": "RegisteredDevice",
            "registrationDateTime": since,
            "systemLabels": [],
            "trustType": "AzureAd",
        })
    }

    fn fill(&mut self, properties: &Map<String, Value>) {
        take(properties, "deviceId", &mut self.device_id);
        take(properties, "displayName", &mut self.name);
        take(properties, "operatingSystem", &mut self.system);
        take(properties, "onPremisesSecurityIdentifier", &mut self.sid);
        take_flag(properties, "accountEnabled", &mut self.enabled);
        take_flag(properties, "isCompliant", &mut self.compliant);
        take_flag(properties, "isManaged", &mut self.managed);
    }
}

/// A user of Entra.
#[derive(Debug, Clone)]
pub(crate) struct User {
    pub(crate) upn: String,
    pub(crate) name: String,
    pub(crate) mail: String,
    pub(crate) enabled: bool,
    pub(crate) sid: String,
    pub(crate) since: UnixTime,
    pub(crate) risk: Risk,
}

impl Default for User {
    fn default() -> Self {
        let none = String::new;
        Self {
            upn: none(),
            name: none(),
            mail: none(),
            enabled: true,
            sid: none(),
            since: UnixTime(0),
            risk: Risk::default(),
        }
    }
}

/// How likely it is that somebody else has the user's password.
#[derive(Debug, Clone)]
pub(crate) struct Risk {
    /// low, medium, high, hidden or none.
    pub(crate) level: String,
    /// When it was set; `None` for a user whom nobody ever suspected, and who is not listed.
    pub(crate) at: Option<UnixTime>,
}

impl Default for Risk {
    fn default() -> Self {
        Self { level: String::from("none"), at: None }
    }
}

impl Entity for User {
    fn keys(&self) -> Vec<String> {
        vec![self.upn.clone()]
    }

    fn show(&self, id: &str) -> Value {
        let mut names = self.name.split(' ');
        json!({
            "id": id,
            "accountEnabled": self.enabled,
            "businessPhones": [],
            "createdDateTime": self.since.to_string(),
            "deletedDateTime": null,
            "displayName": self.name,
            "employeeId": null,
            "givenName": names.next(),
            "jobTitle": null,
            "mail": self.mail,
            "mailNickname": self.upn.split('@').next(),
            "mobilePhone": null,
            "officeLocation": null,
            "onPremisesDistinguishedName": null,
            "onPremisesSamAccountName": self.upn.split('@').next(),
            "onPremisesSecurityIdentifier": (!self.sid.is_empty()).then_some(&self.sid),
            "onPremisesSyncEnabled": null,
            "preferredLanguage": null,
            "securityIdentifier": "S-1-12-1-1-2-3-4",
            "surname": names.next(),
            "userPrincipalName": self.upn,
            "userType": "Member",
        })
    }

    fn fill(&mut self, properties: &Map<String, Value>) {
        take(properties, "userPrincipalName", &mut self.upn);
        take(properties, "displayName", &mut self.name);
        take(properties, "mail", &mut self.mail);
        take(properties, "onPremisesSecurityIdentifier", &mut self.sid);
        take_flag(properties, "accountEnabled", &mut self.enabled);
    }
}

/// A managed device of Intune.
#[derive(Debug, Clone)]
pub(crate) struct ManagedDevice {
    pub(crate) entra_device_id: String,
    pub(crate) user_id: String,
    pub(crate) upn: String,
    pub(crate) name: String,
    pub(crate) system: String,
    pub(crate) serial: String,
    pub(crate) compliance: String,
    pub(crate) grace_until: Option<UnixTime>,
    pub(crate) management: String,
    /// What was last done to it, such as `factoryReset`.
    pub(crate) done: Option<(&'static str, UnixTime)>,
    pub(crate) since: UnixTime,
}

impl Default for ManagedDevice {
    fn default() -> Self {
        let none = String::new;
        Self {
            entra_device_id: none(),
            user_id: none(),
            upn: none(),
            name: none(),
            system: String::from("Windows"),
            serial: none(),
            compliance: String::from("compliant"),
            grace_until: None,
            management: String::from("managed"),
            done: None,
            since: UnixTime(0),
        }
    }
}

/// Stands where there is no time.
const NEVER: &str = "9999-12-31T23:59:59Z";

impl Entity for ManagedDevice {
    fn keys(&self) -> Vec<String> {
        Vec::new()
    }

    fn show(&self, id: &str) -> Value {
        let actions: Vec<_> = self
            .done
            .iter()
            .map(|(name, at)| {
                json!({
                    "actionName": name,
                    "actionState": "pending",
                    "startDateTime": at.to_string(),
                    "lastUpdatedDateTime": at.to_string(),
                })
            })
            .collect();
        json!({
            "id": id,
            "azureADDeviceId": self.entra_device_id,
            "azureADRegistered": true,
            "complianceGracePeriodExpirationDateTime":
                self.grace_until.map_or_else(|| NEVER.to_owned(), |at| at.to_string()),
            "complianceState": self.compliance,
            "deviceActionResults": actions,
            "deviceEnrollmentType": "windowsAzureADJoin",
            "deviceName": self.name,
            "deviceRegistrationState": "registered",
            "emailAddress": self.upn,
            "enrolledDateTime": self.since.to_string(),
            "isEncrypted": true,
            "isSupervised": false,
            "jailBroken": "Unknown",
            "lastSyncDateTime": self.since.to_string(),
            "managedDeviceOwnerType": "company",
            "managementAgent": "mdm",
            "managementState": self.management,
            "manufacturer": "Contoso",
            "model": "Laptop",
            "operatingSystem": self.system,
            "osVersion": "10.0.22631",
            "serialNumber": self.serial,
            "userDisplayName": self.upn.split('@').next(),
            "userId": self.user_id,
            "userPrincipalName": self.upn,
        })
    }

    fn fill(&mut self, properties: &Map<String, Value>) {
        take(properties, "azureADDeviceId", &mut self.entra_device_id);
        take(properties, "userId", &mut self.user_id);
        take(properties, "userPrincipalName", &mut self.upn);
        take(properties, "deviceName", &mut self.name);
        take(properties, "operatingSystem", &mut self.system);
        take(properties, "serialNumber", &mut self.serial);
        take(properties, "complianceState", &mut self.compliance);
        take(properties, "managementState", &mut self.management);
    }
}

/// A user of the SCIM service.
#[derive(Debug, Clone)]
pub(crate) struct ScimUser {
    pub(crate) user_name: String,
    pub(crate) name: String,
    pub(crate) mail: String,
    pub(crate) external_id: String,
    pub(crate) active: bool,
    pub(crate) since: UnixTime,
}

impl Default for ScimUser {
    fn default() -> Self {
        let none = String::new;
        Self {
            user_name: none(),
            name: none(),
            mail: none(),
            external_id: none(),
            active: true,
            since: UnixTime(0),
        }
    }
}

impl Entity for ScimUser {
    fn keys(&self) -> Vec<String> {
        vec![self.user_name.clone()]
    }

    fn show(&self, id: &str) -> Value {
        let mut names = self.name.split(' ');
        let mut user = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "id": id,
            "userName": self.user_name,
            "name": {"formatted": self.name, "givenName": names.next(), "familyName": names.next()},
            "displayName": self.name,
            "active": self.active,
            "emails": [{"value": self.mail, "type": "work", "primary": true}],
            "meta": {
                "resourceType": "User",
                "created": self.since.to_string(),
                "lastModified": self.since.to_string(),
            },
        });
        if let (Some(user), false) = (user.as_object_mut(), self.external_id.is_empty()) {
            user.insert("externalId".into(), Value::from(&*self.external_id));
        }
        user
    }

    fn fill(&mut self, properties: &Map<String, Value>) {
        take(properties, "userName", &mut self.user_name);
        take(properties, "displayName", &mut self.name);
        take(properties, "externalId", &mut self.external_id);
        take_flag(properties, "active", &mut self.active);
        let mail = properties.get("emails").and_then(|emails| emails.pointer("/0/value")?.as_str());
        if let Some(mail) = mail {
            mail.clone_into(&mut self.mail);
        }
    }
}

/// A computer or mobile device of Jamf Pro.
#[derive(Debug, Clone)]
pub(crate) struct JamfDevice {
    pub(crate) name: String,
    pub(crate) udid: String,
    pub(crate) serial: String,
    pub(crate) managed: bool,
    pub(crate) username: String,
    pub(crate) email: String,
    pub(crate) since: UnixTime,
}

impl Default for JamfDevice {
    fn default() -> Self {
        let none = String::new;
        Self {
            name: none(),
            udid: none(),
            serial: none(),
            managed: true,
            username: none(),
            email: none(),
            since: UnixTime(0),
        }
    }
}

impl Entity for JamfDevice {
    fn keys(&self) -> Vec<String> {
        Vec::new()
    }

    /// Jamf shows a device in many ways; this one is for the control interface.
    fn show(&self, id: &str) -> Value {
        json!({
            "id": id,
            "name": self.name,
            "udid": self.udid,
            "serialNumber": self.serial,
            "managed": self.managed,
            "lastContactTime": self.since.to_string(),
            "username": self.username,
            "email": self.email,
        })
    }

    fn fill(&mut self, properties: &Map<String, Value>) {
        take(properties, "name", &mut self.name);
        take(properties, "udid", &mut self.udid);
        take(properties, "serialNumber", &mut self.serial);
        take(properties, "username", &mut self.username);
        take(properties, "email", &mut self.email);
        take_flag(properties, "managed", &mut self.managed);
    }
}

/// A user of Jamf Pro.
#[derive(Debug, Clone, Default)]
pub(crate) struct JamfUser {
    pub(crate) username: String,
    pub(crate) realname: String,
    pub(crate) email: String,
}

impl Entity for JamfUser {
    fn keys(&self) -> Vec<String> {
        vec![self.username.clone()]
    }

    fn show(&self, id: &str) -> Value {
        json!({"id": id, "username": self.username, "realname": self.realname, "email": self.email})
    }

    fn fill(&mut self, properties: &Map<String, Value>) {
        take(properties, "username", &mut self.username);
        take(properties, "realname", &mut self.realname);
        take(properties, "email", &mut self.email);
    }
}
