//! What state means what.

use std::time::Duration;

use directory::ObjectState;
use pki_core::UnixTime;
use rest_client::time;
use serial_binding::{ObjectKind, ObjectKinds};

use crate::{RiskLevel, records::ManagedDevice};

/// What becomes of certificates when something happens to the object that they are bound to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update")]
pub struct EntraPolicy {
    /// Where devices are looked up.
    pub devices: DeviceDirectory,
    /// Whether devices must be compliant.
    pub compliance: Compliance,
    /// Whether a wipe counts before the device is deleted.
    pub wiped: Wiped,
    /// What a deleted user is who can still be restored.
    pub deleted_users: DeletedUsers,
    /// Users at one of these risks are on hold. Empty: risk makes no difference, and is not asked for.
    pub untolerated_risks: Vec<RiskLevel>,
}

/// Where devices are looked up. A device's id says whose it is: the `deviceId` of Entra, or the id of Intune.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_enums, reason = "closed")]
pub enum DeviceDirectory {
    /// In Entra, by Entra's ids.
    #[default]
    Entra,
    /// In Intune, by Intune's ids.
    Intune,
    /// Each id where it is from, and when it is not there, in the other one: a device has Intune's id in Entra until its
    /// registration is complete. Gone when neither has it.
    Both,
    /// The same, where Intune may be asked. Where it refuses, ids of Entra are looked up in Entra alone; those of Intune
    /// cannot be told about.
    BothOpportunistic,
    /// Both must know the device and have it good. What only the other one does not know is on hold.
    Agreeing,
}

/// Whether devices must be compliant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_enums, reason = "closed")]
pub enum Compliance {
    /// It makes no difference.
    #[default]
    Never,
    /// A device that is not is on hold.
    Always {
        /// For how long after its enrollment it need not be, for it is judged only some time later.
        grace: Duration,
    },
}

/// Whether a wipe counts before the device is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_enums, reason = "closed")]
pub enum Wiped {
    /// A device that is to be wiped, retired or deleted is gone as soon as that is ordered, though it is switched off.
    #[default]
    Gone,
    /// Only deletion counts.
    Ignored,
}

/// What a deleted user is who can still be restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_enums, reason = "closed")]
pub enum DeletedUsers {
    /// Gone.
    #[default]
    Gone,
    /// On hold until restored, or deleted for good.
    Hold,
}

impl DeviceDirectory {
    /// Whether what Entra knows of a device is all there is to say of it.
    pub(crate) fn trusts_entra_alone(self) -> bool {
        self != Self::Agreeing
    }

    /// The kinds of object that are held.
    pub(crate) fn kinds(self) -> ObjectKinds {
        use ObjectKind as Kind;
        match self {
            Self::Entra => [Kind::ENTRA_USER, Kind::ENTRA_DEVICE].into_iter().collect(),
            Self::Intune => [Kind::ENTRA_USER, Kind::INTUNE_DEVICE].into_iter().collect(),
            Self::Both | Self::BothOpportunistic | Self::Agreeing => {
                [Kind::ENTRA_USER, Kind::ENTRA_DEVICE, Kind::INTUNE_DEVICE].into_iter().collect()
            }
        }
    }
}

/// What Entra tells of a device or user that its state is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Account {
    pub(crate) enabled: Option<bool>,
    pub(crate) is_compliant: Option<bool>,
    pub(crate) registered: Option<UnixTime>,
}

impl Account {
    fn is_enabled(self) -> Result<bool, NotUnderstood> {
        self.enabled
            .ok_or_else(|| String::from("expected accountEnabled to be true or false: it is not there"))
    }
}

pub(crate) const ON_HOLD: ObjectState = ObjectState::Disabled { since: None };

/// The states of a managed device that has been told to go, or is going; in lower case, as all of them are compared.
const LEAVING: [&str; 8] = [
    "retirepending",
    "retirefailed",
    "wipepending",
    "wipefailed",
    "unhealthy",
    "deletepending",
    "retireissued",
    "wipeissued",
];
const STAYING: [&str; 4] = ["managed", "wipecanceled", "retirecanceled", "discovered"];
/// Between the service's clock and ours.
const CLOCKS_DIFFER: Duration = Duration::from_secs(300);

const COMPLIANT: [&str; 3] = ["compliant", "ingraceperiod", "configmanager"];
const NOT_COMPLIANT: [&str; 4] = ["unknown", "noncompliant", "conflict", "error"];

/// A value of which nobody has said what it means.
pub(crate) type NotUnderstood = String;

impl EntraPolicy {
    /// What Entra says of a device.
    pub(crate) fn device(&self, account: Account, now: UnixTime) -> Result<ObjectState, NotUnderstood> {
        if !account.is_enabled()? {
            return Ok(ON_HOLD);
        }
        // Nothing is said of one that was never judged.
        Ok(self.complying(account.is_compliant.unwrap_or(false), account.registered, now))
    }

    /// What Intune says of a device.
    pub(crate) fn managed_device(
        &self,
        device: &ManagedDevice,
        now: UnixTime,
    ) -> Result<ObjectState, NotUnderstood> {
        if self.wiped == Wiped::Gone
            && one_of(device.management_state.as_deref(), "managementState", &LEAVING, &STAYING)?
        {
            return Ok(ObjectState::Gone { since: None });
        }
        if self.compliance == Compliance::Never {
            return Ok(ObjectState::Enabled);
        }
        let state = device.compliance_state.as_deref();
        let is_compliant = one_of(state, "complianceState", &COMPLIANT, &NOT_COMPLIANT)?;
        Ok(self.complying(is_compliant, device.enrolled_date_time.as_deref().and_then(time), now))
    }

    /// What Entra says of a user, risk aside.
    pub(crate) fn user(account: Account) -> Result<ObjectState, NotUnderstood> {
        Ok(if account.is_enabled()? { ObjectState::Enabled } else { ON_HOLD })
    }

    fn complying(&self, is_compliant: bool, enrolled: Option<UnixTime>, now: UnixTime) -> ObjectState {
        let Compliance::Always { grace } = self.compliance else { return ObjectState::Enabled };
        // A clock before the enrollment is wrong, and no reason to be lenient.
        let in_grace = || {
            enrolled.is_some_and(|since| {
                since.saturating_sub(CLOCKS_DIFFER) <= now && now < since.saturating_add(grace)
            })
        };
        if is_compliant || in_grace() { ObjectState::Enabled } else { ON_HOLD }
    }
}

/// The worse of two that must agree.
pub(crate) fn worse(one: ObjectState, other: ObjectState) -> ObjectState {
    match (one, other) {
        (ObjectState::Enabled, state) | (state @ ObjectState::Gone { .. }, _) => state,
        (_, gone @ ObjectState::Gone { .. }) => gone,
        (state, _) => state,
    }
}

/// Whether the value is one of the first, not one of the second.
fn one_of(value: Option<&str>, what: &str, first: &[&str], second: &[&str]) -> Result<bool, NotUnderstood> {
    let lower = value.map(str::to_ascii_lowercase);
    let lower = lower.as_deref();
    let is_among = |list: &[&str]| lower.is_some_and(|value| list.contains(&value));
    match (is_among(first), is_among(second)) {
        (true, _) => Ok(true),
        (_, true) => Ok(false),
        _ => Err(format!("nobody has said what {what} = {value:?} means")),
    }
}
