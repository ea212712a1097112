//! ScepActions: whether a request is in order, and what became of it.

use serde_json::{Value, json};

use super::{Refused, csr, needed, verdict};
use crate::{
    http::{Asked, Reply},
    world::World,
};

/// POST `validateRequest`.
pub(super) fn validate(world: &World, asked: &Asked, body: &Value) -> Result<Reply, Refused> {
    let request = member(body, "request")?;
    for name in ["transactionId", "callerInfo"] {
        needed(request, name)?;
    }
    let encoded = needed(request, "certificateRequest")?;
    let state = world.state();
    let checked = csr::check(&state.intune.challenges, state.objects(asked), encoded, world.now());
    Ok(match checked {
        Ok(()) => verdict("Success", ""),
        Err(code) => verdict(code, &format!("The request was refused: {code}.")),
    })
}

/// POST `successNotification`.
pub(super) fn succeeded(world: &World, body: &Value) -> Result<Reply, Refused> {
    let notification = member(body, "notification")?;
    for name in ["transactionId", "certificateRequest", "issuingCertificateAuthority", "callerInfo"] {
        needed(notification, name)?;
    }
    is_hex(notification, "certificateThumbprint", Some(40))?;
    is_hex(notification, "certificateSerialNumber", None)?;
    let time = needed(notification, "certificateExpirationDateUtc")?;
    if !is_time(time) {
        let expected = "expected a time such as 2027-01-31T12:00:00.000Z";
        return Err((400, format!("certificateExpirationDateUtc: {expected}: {time:?}.")));
    }
    for name in ["caConfiguration", "certificateAuthority"] {
        if !notification.get(name).is_some_and(|value| value.is_string() || value.is_null()) {
            return Err((400, format!("{name} is missing.")));
        }
    }
    Ok(record(world, "success", notification))
}

/// POST `failureNotification`.
pub(super) fn failed(world: &World, body: &Value) -> Result<Reply, Refused> {
    let notification = member(body, "notification")?;
    for name in ["transactionId", "certificateRequest", "callerInfo"] {
        needed(notification, name)?;
    }
    if notification.get("hResult").and_then(Value::as_i64).is_none() {
        return Err((400, String::from("hResult must be a number.")));
    }
    if needed(notification, "errorDescription")?.chars().count() > 255 {
        return Err((400, String::from("errorDescription must not be longer than 255 characters.")));
    }
    Ok(record(world, "failure", notification))
}

fn member<'a>(body: &'a Value, name: &str) -> Result<&'a Value, Refused> {
    body.get(name).filter(|value| value.is_object()).ok_or_else(|| (400, format!("{name} is missing.")))
}

fn is_hex(within: &Value, name: &str, length: Option<usize>) -> Result<(), Refused> {
    let text = needed(within, name)?;
    let is_hex = text.bytes().all(|octet| octet.is_ascii_hexdigit());
    if is_hex && length.is_none_or(|length| length == text.len()) {
        Ok(())
    } else {
        Err((400, format!("{name}: expected hexadecimal digits: {text:?}.")))
    }
}

fn is_time(text: &str) -> bool {
    let form = "0000-00-00T00:00:00.000Z";
    text.len() == form.len()
        && text.chars().zip(form.chars()).all(|(given, expected)| match expected {
            '0' => given.is_ascii_digit(),
            other => given == other,
        })
}

fn record(world: &World, kind: &str, notification: &Value) -> Reply {
    let entry = json!({"kind": kind, "at": world.now().to_string(), "notification": notification});
    world.state().intune.notifications.push(entry);
    verdict("Success", "")
}
