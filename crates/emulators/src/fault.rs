//! Bad days.

use std::time::Duration;

use serde_json::{Value, json};

use crate::ControlError;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The answer is right, and late.
    Slow(Duration),
    /// Status 429; seconds to wait where it says so.
    Throttled {
        /// The header Retry-After.
        retry_after: Option<u64>,
    },
    /// That status, in the service's own words: 401, 403, 500, 503 and the like.
    Status(u16),
    /// The service does not know a single object.
    Empty,
    /// A page of HTML with that status, as a proxy in between sends.
    Page(u16),
    /// Status 200, and no JSON.
    Garbage,
    /// The right answer, cut off in the middle.
    Truncated,
    /// The connection ends without an answer.
    Reset,
    /// Intune says this code instead of Success.
    Code(String),
}

/// A fault, and when it happens.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update")]
pub struct Faulty {
    /// What goes wrong.
    pub fault: Fault,
    /// Only where the path begins so or ends so; `None` for everywhere. Within a batch of Graph such a fault happens to the parts, and
    /// a fault without a path to the whole.
    pub path: Option<String>,
    /// How many times; `None` until it is taken back.
    pub times: Option<u32>,
}

impl From<Fault> for Faulty {
    /// Everywhere, until it is taken back.
    fn from(fault: Fault) -> Self {
        Self { fault, path: None, times: None }
    }
}

impl Faulty {
    /// Whether it is for `path`.
    pub(crate) fn applies_to(&self, path: &str) -> bool {
        self.path.as_deref().is_none_or(|part| path.starts_with(part) || path.ends_with(part))
    }

    /// Reads what the control interface takes.
    pub(crate) fn from_json(json: &Value) -> Result<Self, ControlError> {
        let number = |name: &str| json.get(name).and_then(Value::as_u64);
        let status = |default| {
            u16::try_from(number("status").unwrap_or(default))
                .ok()
                .filter(|status| (200..600).contains(status))
                .ok_or_else(|| ControlError::Invalid("expected an HTTP status".into()))
        };
        let fault = match json.get("kind").and_then(Value::as_str) {
            Some("slow") => Fault::Slow(Duration::from_millis(number("milliseconds").unwrap_or(5000))),
            Some("throttled") => Fault::Throttled { retry_after: number("retry_after") },
            Some("status") => Fault::Status(status(500)?),
            Some("empty") => Fault::Empty,
            Some("page") => Fault::Page(status(404)?),
            Some("garbage") => Fault::Garbage,
            Some("truncated") => Fault::Truncated,
            Some("reset") => Fault::Reset,
            Some("code") => {
                Fault::Code(json.get("code").and_then(Value::as_str).unwrap_or("Unknown").to_owned())
            }
            other => {
                let known = "slow, throttled, status, empty, page, garbage, truncated, reset or code";
                return Err(ControlError::Invalid(format!("kind: expected {known}: {other:?}")));
            }
        };
        let path = json.get("path").and_then(Value::as_str).map(String::from);
        let times = number("times").map(|times| u32::try_from(times).unwrap_or(u32::MAX));
        Ok(Self { fault, path, times })
    }

    pub(crate) fn to_json(&self) -> Value {
        let mut json = match &self.fault {
            Fault::Slow(time) => {
                json!({"kind": "slow", "milliseconds": u64::try_from(time.as_millis()).unwrap_or(u64::MAX)})
            }
            Fault::Throttled { retry_after } => json!({"kind": "throttled", "retry_after": retry_after}),
            Fault::Status(status) => json!({"kind": "status", "status": status}),
            Fault::Empty => json!({"kind": "empty"}),
            Fault::Page(status) => json!({"kind": "page", "status": status}),
            Fault::Garbage => json!({"kind": "garbage"}),
            Fault::Truncated => json!({"kind": "truncated"}),
            Fault::Reset => json!({"kind": "reset"}),
            Fault::Code(code) => json!({"kind": "code", "code": code}),
        };
        if let Some(json) = json.as_object_mut() {
            json.extend(self.path.as_ref().map(|path| ("path".to_owned(), Value::from(&**path))));
            json.extend(self.times.map(|times| ("times".to_owned(), Value::from(times))));
        }
        json
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_reads_back() {
        let faults = [
            Fault::Slow(Duration::from_millis(7)),
            Fault::Throttled { retry_after: Some(3) },
            Fault::Throttled { retry_after: None },
            Fault::Status(403),
            Fault::Empty,
            Fault::Page(404),
            Fault::Garbage,
            Fault::Truncated,
            Fault::Reset,
            Fault::Code("ChallengeExpired".into()),
        ];
        for fault in faults {
            for (path, times) in [(None, None), (Some("/v1.0/users".to_owned()), Some(2))] {
                let written = Faulty { fault: fault.clone(), path, times };
                assert_eq!(Faulty::from_json(&written.to_json()), Ok(written));
            }
        }
        assert!(Faulty::from_json(&json!({"kind": "bad luck"})).is_err());
        assert!(Faulty::from_json(&json!({"kind": "status", "status": 1000})).is_err());
    }
}
