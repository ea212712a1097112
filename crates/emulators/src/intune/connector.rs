//! PkiConnectorFEService: which certificates Intune wants revoked, and whether they were.

use serde_json::{Value, json};

use super::{Refused, needed};
use crate::{http::Reply, world::World};

/// The most that may be asked for at once.
const MOST: u64 = 500;

/// What a certification authority may say of a request, by name and number.
const ERRORS: [(&str, &str); 12] = [
    ("None", "0"),
    ("NonRetryableServiceException", "4000"),
    ("DataSerializationError", "4001"),
    ("ParameterDataInvalidError", "4002"),
    ("CryptographyError", "4003"),
    ("CertificateNotFoundError", "4004"),
    ("ConflictError", "4005"),
    ("NotSupportedError", "4006"),
    ("PayloadTooLargeError", "4007"),
    ("RetryableServiceException", "4100"),
    ("ServiceUnavailableException", "4101"),
    ("ServiceTooBusyException", "4102"),
];
const AUTHENTICATION: (&str, &str) = ("AuthenticationException", "4103");

/// A certificate that is to be revoked.
#[derive(Debug, Clone)]
pub(crate) struct Revocation {
    pub(crate) context: String,
    pub(crate) serial_number: String,
    pub(crate) issuer_name: String,
    pub(crate) ca_configuration: String,
    /// What the certification authority said of it.
    pub(crate) result: Option<Value>,
}

impl Revocation {
    /// As it is handed to the certification authority.
    fn show(&self) -> Value {
        json!({
            "requestContext": self.context,
            "serialNumber": self.serial_number,
            "issuerName": self.issuer_name,
            "caConfiguration": self.ca_configuration,
        })
    }

    /// As the control interface shows it.
    pub(crate) fn show_with_result(&self) -> Value {
        let mut shown = self.show();
        if let Some(shown) = shown.as_object_mut() {
            shown.insert("result".into(), self.result.clone().unwrap_or_default());
        }
        shown
    }

    /// Whether it is to be handed out: also after an error that may pass.
    fn is_open(&self) -> bool {
        let code = self.result.as_ref().and_then(|result| result.get("errorCode"));
        let retried =
            |code: &str| ERRORS.iter().skip(9).any(|(name, number)| code == *name || code == *number);
        match code {
            None => true,
            Some(Value::String(code)) => retried(code),
            Some(_) => false,
        }
    }
}

/// POST `downloadRevocationRequests`. What was not answered is handed out again.
pub(super) fn download(world: &World, body: &Value) -> Result<Reply, Refused> {
    let parameters = body.get("downloadParameters").filter(|value| value.is_object());
    let parameters = parameters.ok_or_else(|| (400, String::from("downloadParameters is missing.")))?;
    let most = parameters.get("maxRequests").and_then(Value::as_u64);
    let most = most.filter(|most| (1..=MOST).contains(most));
    let most = most.ok_or_else(|| (400, format!("maxRequests must be 1 to {MOST}.")))?;
    let issuer = parameters.get("issuerName").and_then(Value::as_str);
    let state = world.state();
    let open = state.intune.revocations.iter().filter(|revocation| revocation.is_open());
    let open = open.filter(|revocation| issuer.is_none_or(|issuer| issuer == revocation.issuer_name));
    let open = open.take(usize::try_from(most).unwrap_or(usize::MAX));
    let shown: Vec<_> = open.map(Revocation::show).collect();
    let context =
        "https://manage.microsoft.com/StatelessPkiConnectorService/$metadata#Collection(CARevocationRequest)";
    Ok(Reply::json(200, &json!({"@odata.context": context, "value": shown})))
}

/// POST `uploadRevocationResults`.
pub(super) fn upload(world: &World, body: &Value) -> Result<Reply, Refused> {
    let results = body.get("results").and_then(Value::as_array);
    let results = results.ok_or_else(|| (400, String::from("results is missing.")))?;
    for result in results {
        needed(result, "requestContext")?;
        if result.get("succeeded").and_then(Value::as_bool).is_none() {
            return Err((400, String::from("succeeded must be true or false.")));
        }
        let code = needed(result, "errorCode")?;
        let mut known = ERRORS.iter().chain([&AUTHENTICATION]);
        if !known.any(|(name, number)| code == *name || code == *number) {
            return Err((400, format!("errorCode: {code:?} is none.")));
        }
    }
    let mut state = world.state();
    let mut are_known = true;
    for result in results {
        let context = result.get("requestContext").and_then(Value::as_str);
        let found = state.intune.revocations.iter_mut().find(|known| Some(&*known.context) == context);
        match found {
            Some(revocation) => revocation.result = Some(result.clone()),
            None => are_known = false,
        }
    }
    Ok(Reply::json(200, &json!({"value": are_known})))
}
