//! Intune's services for certification authorities.

mod challenge;
mod connector;
mod csr;
mod scep_actions;

use hyper::Method;
use serde_json::{Value, json};

use crate::{
    entra, graph,
    http::{Asked, Reply},
    sequence::is_uuid,
    tokens::BadToken,
    world::World,
};
pub use challenge::ChallengeTerms;
pub(crate) use challenge::make_challenge;
pub(crate) use connector::Revocation;

/// What Intune remembers beside its devices.
#[derive(Debug, Default)]
pub(crate) struct IntuneState {
    challenges: challenge::Challenges,
    /// What it was told of certificates, as the control interface shows it.
    pub(crate) notifications: Vec<Value>,
    pub(crate) revocations: Vec<Revocation>,
}

/// What stands in the way of an answer: status and what is wrong.
type Refused = (u16, String);

pub(crate) fn answer(world: &World, asked: &Asked) -> Reply {
    let route = |base: &str| asked.path.strip_prefix(base).map(str::to_owned);
    let answered = match (route(graph::VALIDATION_PATH), route(graph::CONNECTOR_PATH)) {
        (Some(rest), _) => ready(world, asked, "2018-02-20").and_then(|body| match &*rest {
            "/ScepActions/validateRequest" => scep_actions::validate(world, asked, &body),
            "/ScepActions/successNotification" => scep_actions::succeeded(world, &body),
            "/ScepActions/failureNotification" => scep_actions::failed(world, &body),
            _ => Err(no_such_action(&rest)),
        }),
        (None, Some(rest)) => ready(world, asked, "5019-05-05").and_then(|body| match &*rest {
            "/CertificateAuthorityRequests/downloadRevocationRequests" => connector::download(world, &body),
            "/CertificateAuthorityRequests/uploadRevocationResults" => connector::upload(world, &body),
            _ => Err(no_such_action(&rest)),
        }),
        (None, None) => Err((404, String::from("There is no such service."))),
    };
    answered.unwrap_or_else(|(status, text)| problem(world, status, &text))
}

fn no_such_action(path: &str) -> Refused {
    (404, format!("There is no action {path}."))
}

/// The body of a request that is in order: token, method, version, media type, id.
fn ready(world: &World, asked: &Asked, version: &str) -> Result<Value, Refused> {
    let checked = world.state().tokens.check(asked.bearer(), entra::INTUNE, world.now());
    checked.map_err(|bad| {
        let text = match bad {
            BadToken::Missing => "There is no bearer token.",
            BadToken::Unknown => "The token is none of ours.",
            BadToken::Audience => "The token is for another resource than https://api.manage.microsoft.com/.",
            BadToken::Expired => "The token has expired.",
        };
        (401, text.to_owned())
    })?;
    if asked.method != Method::POST {
        return Err((405, String::from("Only POST is allowed.")));
    }
    if asked.header("api-version") != Some(version) {
        let given = asked.header("api-version");
        return Err((400, format!("The header api-version must be {version}: {given:?}.")));
    }
    if asked.media_type() != "application/json" {
        return Err((415, String::from("The content type must be application/json.")));
    }
    if !asked.header("client-request-id").is_some_and(is_uuid) {
        return Err((400, String::from("The header client-request-id must be a GUID.")));
    }
    asked.json().ok_or_else(|| (400, String::from("The body is no JSON object.")))
}

/// The text of a member, which must be there and not empty.
fn needed<'a>(within: &'a Value, name: &str) -> Result<&'a str, Refused> {
    let text = within.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.ok_or_else(|| (400, format!("{name} is missing.")))
}

/// What the validation service says of a request or a notification.
pub(crate) fn verdict(code: &str, text: &str) -> Reply {
    let text = if code == "Success" { "" } else { text };
    Reply::json(200, &json!({"code": code, "errorDescription": text}))
}

fn problem(world: &World, status: u16, text: &str) -> Reply {
    let code = match status {
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "ResourceNotFound",
        429 => "TooManyRequests",
        400..500 => "BadRequest",
        _ => "InternalServerError",
    };
    let message = format!("{text} - Activity ID: {}", world.sequence.next_uuid());
    Reply::json(status, &json!({"error": {"code": code, "message": message}}))
}

/// What Intune says with a status that it was told to answer with.
pub(crate) fn refusal(world: &World, status: u16) -> Reply {
    problem(world, status, "An error has occurred.")
}
