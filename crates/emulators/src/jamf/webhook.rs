//! Jamf Pro asks somebody else for the challenge of a profile.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{ControlError, world::World};

/// How long it waits for the answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Sends the webhook SCEPChallenge as `settings` say: `url`, `user` and `password` for Basic, `scepServerUrl`,
/// `payloadIdentifier`. The answer is the challenge: status and text.
pub(crate) async fn ask_for_challenge(
    world: &World,
    settings: &Value,
) -> Result<(u16, String), ControlError> {
    let text = |name: &str| settings.get(name).and_then(Value::as_str);
    let url = text("url").ok_or_else(|| ControlError::Invalid("expected the webhook's url".into()))?;
    let identifier = text("payloadIdentifier").map_or_else(|| world.sequence.next_uuid(), String::from);
    let mut event = json!({
        "scepServerUrl": text("scepServerUrl").unwrap_or_default(),
        "payloadIdentifier": identifier,
        "payloadTypes": ["com.apple.security.scep"],
    });
    // What Jamf says of the device, where the profile has it.
    for name in ["targetDevice", "deviceId", "username"] {
        if let (Some(event), Some(value)) = (event.as_object_mut(), settings.get(name)) {
            event.insert(name.to_owned(), value.clone());
        }
    }
    let body = json!({
        "webhook": {"webhookEvent": "SCEPChallenge", "id": 1, "eventTimestamp": world.now().0, "name": "SCEP"},
        "event": event,
    });
    let mut request = world.http.post(url).timeout(PATIENCE).header("content-type", "application/json");
    if let (Some(user), Some(password)) = (text("user"), text("password")) {
        request = request.basic_auth(user, Some(password));
    }
    let answer = request.body(body.to_string()).send().await;
    let answer =
        answer.map_err(|why| ControlError::Invalid(format!("the webhook was not answered: {why}")))?;
    let status = answer.status().as_u16();
    Ok((status, answer.text().await.unwrap_or_default()))
}
