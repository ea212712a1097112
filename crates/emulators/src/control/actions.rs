//! Actions as the control interface names them.

use serde_json::Value;

use crate::{Action, ControlError};

impl Action {
    /// The action called `name`, with what the body says of it.
    pub(super) fn from_json(name: &str, body: &Value) -> Result<Self, ControlError> {
        let text = |member: &str| {
            let text = body.get(member).and_then(Value::as_str).map(String::from);
            text.ok_or_else(|| ControlError::Invalid(format!("{name}: expected {member:?} in the body")))
        };
        Ok(match name {
            "enable" => Self::Enable,
            "disable" => Self::Disable,
            "delete" => Self::Delete,
            "purge" => Self::Purge,
            "restore" => Self::Restore,
            "wipe" => Self::Wipe,
            "retire" => Self::Retire,
            "management" => Self::Management(text("state")?),
            "compliance" => {
                let until = body.get("grace_until").and_then(Value::as_str).map(str::parse).transpose();
                let grace_until =
                    until.map_err(|why| ControlError::Invalid(format!("grace_until: {why}")))?;
                Self::Compliance { state: text("state")?, grace_until }
            }
            "risk" => Self::Risk(text("level")?),
            other => {
                let known =
                    "enable, disable, delete, purge, restore, wipe, retire, management, compliance or risk";
                return Err(ControlError::Invalid(format!("expected {known}: {other:?}")));
            }
        })
    }
}
