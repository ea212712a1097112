//! What an administrator does to objects.

use pki_core::UnixTime;
use serde_json::{Map, Value, json};

use crate::{Kind, entities::Risk, objects::Objects, records::Life};

/// What becomes of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Lets it in again: an account, or a device of Jamf Pro that is managed again.
    Enable,
    /// Keeps it out: an account, or a device of Jamf Pro that is not managed any more.
    Disable,
    /// Deletes it. A user of Entra goes to the deleted items; all others are gone for good.
    Delete,
    /// Deletes a user of Entra for good.
    Purge,
    /// Brings it back under the same id, which the real service does for users of Entra alone.
    Restore,
    /// Wipes a managed device: it is `wipePending`.
    Wipe,
    /// Retires a managed device: it is `retirePending`.
    Retire,
    /// Sets the compliance of a managed device, such as `noncompliant` or `inGracePeriod`, and of its Entra device.
    Compliance {
        /// A `complianceState` of Graph.
        state: String,
        /// Until when a device that does not comply is given grace.
        grace_until: Option<UnixTime>,
    },
    /// Sets the `managementState` of a managed device, such as `wipeIssued` or `unhealthy`.
    Management(String),
    /// Sets the risk of a user of Entra: `low`, `medium`, `high`, `hidden` or `none`.
    Risk(String),
}

/// What the control interface refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// There is no such object.
    #[error("there is no {kind} {id:?}")]
    Unknown {
        /// The kind asked for.
        kind: Kind,
        /// The id asked for.
        id: String,
    },
    /// Objects of that kind do not know that.
    #[error("a {kind} cannot {what}")]
    Unsupported {
        /// The kind asked for.
        kind: Kind,
        /// What was asked.
        what: String,
    },
    /// What was asked for is not understood.
    #[error("{0}")]
    Invalid(String),
}

const COMPLIANCE: [&str; 7] =
    ["unknown", "compliant", "noncompliant", "conflict", "error", "inGracePeriod", "configManager"];
const MANAGEMENT: [&str; 12] = [
    "managed",
    "retirePending",
    "retireFailed",
    "wipePending",
    "wipeFailed",
    "unhealthy",
    "deletePending",
    "retireIssued",
    "wipeIssued",
    "wipeCanceled",
    "retireCanceled",
    "discovered",
];
const RISK: [&str; 5] = ["low", "medium", "high", "hidden", "none"];

fn one_of(value: &str, allowed: &[&str]) -> Result<(), ControlError> {
    let problem = || ControlError::Invalid(format!("expected one of {}: {value:?}", allowed.join(", ")));
    allowed.contains(&value).then_some(()).ok_or_else(problem)
}

fn properties(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(properties) => properties,
        _ => Map::new(),
    }
}

impl Objects {
    /// Does it at `now`; returns the id of the object.
    pub(crate) fn act(
        &mut self,
        kind: Kind,
        key: &str,
        action: &Action,
        now: UnixTime,
    ) -> Result<String, ControlError> {
        let found = self.of(kind).look(key);
        let (id, life, _) = found.ok_or_else(|| ControlError::Unknown { kind, id: key.to_owned() })?;
        if life != Life::Live && !matches!(action, Action::Restore | Action::Purge) {
            return Err(ControlError::Unknown { kind, id });
        }
        match action {
            Action::Enable | Action::Disable => self.switch(kind, &id, action)?,
            Action::Delete if kind == Kind::EntraUser => self.of_mut(kind).decide(&id, Life::InTrash),
            Action::Delete | Action::Purge => self.of_mut(kind).decide(&id, Life::Gone),
            Action::Restore => self.of_mut(kind).decide(&id, Life::Live),
            Action::Wipe => self.manage(kind, &id, "wipePending", Some(("factoryReset", now)))?,
            Action::Retire => self.manage(kind, &id, "retirePending", Some(("retire", now)))?,
            Action::Management(state) => self.manage(kind, &id, state, None)?,
            Action::Compliance { state, grace_until } => self.comply(kind, &id, state, *grace_until)?,
            Action::Risk(level) => self.suspect(kind, &id, level, now)?,
        }
        Ok(id)
    }

    fn switch(&mut self, kind: Kind, id: &str, action: &Action) -> Result<(), ControlError> {
        let property = match kind {
            Kind::EntraDevice | Kind::EntraUser => "accountEnabled",
            Kind::ScimUser => "active",
            Kind::JamfComputer | Kind::JamfMobileDevice => "managed",
            Kind::IntuneDevice | Kind::JamfUser => {
                return Err(ControlError::Unsupported { kind, what: "be enabled or disabled".into() });
            }
        };
        self.of_mut(kind).alter(id, &properties(json!({property: *action == Action::Enable})));
        Ok(())
    }

    fn manage(
        &mut self,
        kind: Kind,
        id: &str,
        state: &str,
        done: Option<(&'static str, UnixTime)>,
    ) -> Result<(), ControlError> {
        one_of(state, &MANAGEMENT)?;
        only(Kind::IntuneDevice, kind, "be wiped, retired or managed otherwise")?;
        self.managed.change(id, |row| {
            state.clone_into(&mut row.thing.management);
            row.thing.done = done.or(row.thing.done);
        });
        Ok(())
    }

    fn comply(
        &mut self,
        kind: Kind,
        id: &str,
        state: &str,
        grace_until: Option<UnixTime>,
    ) -> Result<(), ControlError> {
        one_of(state, &COMPLIANCE)?;
        let complies = matches!(state, "compliant" | "inGracePeriod" | "configManager");
        let mut device = id.to_owned();
        if kind == Kind::IntuneDevice {
            self.managed.change(id, |row| {
                state.clone_into(&mut row.thing.compliance);
                row.thing.grace_until = grace_until;
                row.thing.entra_device_id.clone_into(&mut device);
            });
        } else {
            only(Kind::EntraDevice, kind, "comply")?;
        }
        self.devices.change(&device, |row| row.thing.compliant = complies);
        Ok(())
    }

    fn suspect(&mut self, kind: Kind, id: &str, level: &str, now: UnixTime) -> Result<(), ControlError> {
        one_of(level, &RISK)?;
        only(Kind::EntraUser, kind, "be at risk")?;
        self.users.change(id, |row| row.thing.risk = Risk { level: level.to_owned(), at: Some(now) });
        Ok(())
    }
}

fn only(allowed: Kind, kind: Kind, what: &str) -> Result<(), ControlError> {
    if kind == allowed { Ok(()) } else { Err(ControlError::Unsupported { kind, what: what.to_owned() }) }
}
