//! Microsoft Graph, as far as certificates need it.

mod batch;
mod collections;
mod delta;
mod filter;
mod query;
mod refused;
mod resources;
mod service_principals;
mod subscriptions;
mod throttle;

use std::sync::Arc;

use hyper::Method;
use serde_json::{Value, json};

use crate::{
    Service, entra,
    http::{Asked, Reply},
    tokens::BadToken,
    world::World,
};
use refused::Refused;
use resources::Key;
pub(crate) use service_principals::{CONNECTOR_PATH, VALIDATION_PATH};
pub(crate) use subscriptions::deliver;
pub(crate) use throttle::Throttle;

/// Which version of the interface was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    V1,
    Beta,
}

/// What Graph remembers beside the objects.
#[derive(Debug, Default)]
pub(crate) struct GraphState {
    /// Delta tokens of another generation are too old.
    generation: u64,
    subscriptions: Vec<subscriptions::Subscription>,
}

impl GraphState {
    pub(crate) fn expire_delta_tokens(&mut self) {
        self.generation = self.generation.saturating_add(1);
    }
}

pub(crate) async fn answer(world: &Arc<World>, asked: &Asked) -> Reply {
    let reply = match whole(world, asked).await {
        Ok(reply) => reply,
        Err(refused) => refused.reply(world, asked),
    };
    let reply = reply.with("request-id", world.sequence.next_uuid());
    match asked.header("client-request-id") {
        Some(id) => reply.with("client-request-id", id),
        None => reply,
    }
}

/// A request of its own: what may be part of a batch, and what may not.
async fn whole(world: &Arc<World>, asked: &Asked) -> Result<Reply, Refused> {
    authenticate(world, asked)?;
    let segments = asked.segments();
    let segments: Vec<_> = segments.iter().map(String::as_str).collect();
    match (&asked.method, &*segments) {
        (&Method::POST, [_, "$batch"]) => batch::answer(world, asked),
        (_, [_, "subscriptions", rest @ ..]) => subscriptions::answer(world, asked, rest).await,
        (&Method::GET, [tenant, "servicePrincipalsByAppId", app, "serviceEndpoints"]) => {
            service_principals::old_endpoints(world, asked, tenant, app)
        }
        _ => part(world, asked),
    }
}

fn authenticate(world: &World, asked: &Asked) -> Result<(), Refused> {
    let checked = world.state().tokens.check(asked.bearer(), entra::GRAPH, world.now());
    checked.map_err(|bad| {
        let text = match bad {
            BadToken::Missing => "Access token is empty.",
            BadToken::Unknown => "IDX14100: JWT is not well formed, or its signature does not verify.",
            BadToken::Audience => "Access token validation failure. Invalid audience.",
            BadToken::Expired => "Lifetime validation failed, the token is expired.",
        };
        let refused = Refused::new(401, "InvalidAuthenticationToken", text);
        refused.with("www-authenticate", "Bearer realm=\"\", error=\"invalid_token\"")
    })
}

/// Whatever may be part of a batch.
fn part(world: &World, asked: &Asked) -> Result<Reply, Refused> {
    let segments = asked.segments();
    let segments: Vec<_> = segments.iter().map(String::as_str).collect();
    let (version, rest) = match &*segments {
        ["v1.0", rest @ ..] => (Version::V1, rest),
        ["beta", rest @ ..] => (Version::Beta, rest),
        other => {
            let version = other.first().copied().unwrap_or_default();
            return Err(Refused::bad_request(format!("Invalid version: {version}.")));
        }
    };
    let call = Call { world, asked, version };
    if asked.method != Method::GET {
        let text = "Specified HTTP method is not allowed for the request target.";
        return Err(Refused::new(405, "Request_BadRequest", text));
    }
    if let ["servicePrincipals", name, "endpoints"] = rest {
        return service_principals::endpoints(&call, name.strip_prefix("appId=").unwrap_or(name));
    }
    let (first, key) = Key::of_segment(rest.first().copied().unwrap_or_default());
    match (first, key, rest.get(1..).unwrap_or_default()) {
        ("servicePrincipals", Some(Key::Named(name, id)), ["endpoints"]) if name == "appId" => {
            service_principals::endpoints(&call, &id)
        }
        ("organization", None, []) => Ok(organization(&call)),
        _ => collections::answer(&call, rest),
    }
}

fn organization(call: &Call<'_>) -> Reply {
    let known = &call.world.credentials;
    let organization = json!({
        "id": known.tenant,
        "displayName": "Contoso",
        "verifiedDomains": [{"name": known.domain, "isDefault": true, "isInitial": true, "type": "Managed"}],
    });
    reply(&json!({"@odata.context": call.context("organization"), "value": [organization]}), 1)
}

/// A question on its way.
#[derive(Debug, Clone, Copy)]
struct Call<'a> {
    world: &'a World,
    asked: &'a Asked,
    version: Version,
}

impl Call<'_> {
    /// Where this version of the interface is.
    fn root(&self) -> String {
        let version = if self.version == Version::V1 { "v1.0" } else { "beta" };
        format!("{}/{version}", self.asked.base)
    }

    fn context(&self, of: &str) -> String {
        format!("{}/$metadata#{of}", self.root())
    }
}

/// An answer that costs so much.
fn reply(body: &Value, units: u32) -> Reply {
    Reply::json(200, body).with("x-ms-resource-unit", units.to_string()).with("odata-version", "4.0")
}

/// What Graph says with a status that it was told to answer with.
pub(crate) fn refusal(world: &World, asked: &Asked, status: u16) -> Reply {
    told(status).reply(world, asked).with("request-id", world.sequence.next_uuid())
}

fn told(status: u16) -> Refused {
    let (code, text) = match status {
        401 => ("InvalidAuthenticationToken", "Access token has been revoked."),
        403 => ("Authorization_RequestDenied", "Insufficient privileges to complete the operation."),
        404 => ("Request_ResourceNotFound", "Resource does not exist."),
        429 => ("TooManyRequests", "Too many requests."),
        503 => ("ServiceNotAvailable", "The service is temporarily unavailable."),
        504 => ("GatewayTimeout", "The operation timed out."),
        _ => ("InternalServerError", "An internal server error occurred. The operation failed."),
    };
    Refused::new(status, code, text)
}

/// Where the service is, as links say it.
fn intune(world: &World) -> &str {
    world.url(Service::Intune)
}
