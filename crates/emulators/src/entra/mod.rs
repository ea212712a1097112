//! Entra's tokens for applications.

mod assertion;
mod managed_identity;
mod token;

use hyper::Method;
use serde_json::json;

use crate::{
    http::{Asked, Reply},
    world::World,
};

/// What Graph's tokens are for.
pub(crate) const GRAPH: &str = "https://graph.microsoft.com";
/// What the tokens of Intune's services are for; the slash belongs to it.
pub(crate) const INTUNE: &str = "https://api.manage.microsoft.com/";

/// The same in the national clouds.
const CLOUDS: [(&str, &str); 6] = [
    (GRAPH, GRAPH),
    ("https://graph.microsoft.us", GRAPH),
    ("https://dod-graph.microsoft.us", GRAPH),
    ("https://microsoftgraph.chinacloudapi.cn", GRAPH),
    (INTUNE, INTUNE),
    ("https://api.manage.microsoft.us/", INTUNE),
];

pub(crate) fn answer(world: &World, asked: &Asked) -> Reply {
    let segments = asked.segments();
    let segments: Vec<_> = segments.iter().map(String::as_str).collect();
    match (&asked.method, &*segments) {
        (&Method::POST, [tenant, "oauth2", "v2.0", "token"]) => token::answer(world, asked, tenant),
        (&Method::GET, ["metadata", "identity", "oauth2", "token"]) => {
            managed_identity::of_machine(world, asked)
        }
        (&Method::GET, ["msi", "token"]) => managed_identity::of_app(world, asked),
        (&Method::GET, [tenant, "v2.0", ".well-known", "openid-configuration"]) => {
            if !knows(world, tenant) {
                return unknown_tenant(world, tenant);
            }
            let at = format!("{}/{}", asked.base, world.credentials.tenant);
            Reply::json(
                200,
                &json!({
                    "token_endpoint": format!("{at}/oauth2/v2.0/token"),
                    "issuer": format!("{at}/v2.0"),
                    "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt"],
                    "tenant_region_scope": "EU",
                }),
            )
        }
        (_, [_, "oauth2", "v2.0", "token"]) => {
            error(world, 405, "invalid_request", 900_561, "The endpoint only accepts POST requests.")
        }
        _ => Reply::page(404),
    }
}

/// By id or domain.
fn knows(world: &World, tenant: &str) -> bool {
    let known = &world.credentials;
    tenant.eq_ignore_ascii_case(&known.tenant) || tenant.eq_ignore_ascii_case(&known.domain)
}

fn unknown_tenant(world: &World, tenant: &str) -> Reply {
    error(world, 400, "invalid_request", 90_002, &format!("Tenant '{tenant}' not found."))
}

/// What a token for `resource` is for; `None` when there is no such resource.
fn audience(world: &World, resource: &str) -> Option<String> {
    let known =
        CLOUDS.into_iter().find(|(name, _)| *name == resource).map(|(_, audience)| audience.to_owned());
    if known.is_some() {
        return known;
    }
    // Without its slash Intune's resource has a name that Intune itself does not go by.
    if CLOUDS.iter().any(|(name, _)| name.trim_end_matches('/') == resource) {
        return Some(resource.to_owned());
    }
    (resource == world.url(crate::Service::Graph)).then(|| GRAPH.to_owned())
}

/// An error in Entra's words.
fn error(world: &World, status: u16, error: &str, code: u32, text: &str) -> Reply {
    let (trace, correlation) = (world.sequence.next_uuid(), world.sequence.next_uuid());
    let time = world.now().to_string().replace('T', " ");
    let body = json!({
        "error": error,
        "error_description":
            format!("AADSTS{code}: {text} Trace ID: {trace} Correlation ID: {correlation} Timestamp: {time}"),
        "error_codes": [code],
        "timestamp": time,
        "trace_id": trace,
        "correlation_id": correlation,
    });
    Reply::json(status, &body).with("cache-control", "no-store, no-cache")
}

/// What Entra says with a status that it was told to answer with.
pub(crate) fn refusal(world: &World, status: u16) -> Reply {
    match status {
        401 | 403 => {
            error(world, status, "invalid_client", 7_000_222, "The provided client secret keys are expired.")
        }
        429 => error(world, status, "temporarily_unavailable", 90_055, "The server is busy. Retry later."),
        _ => {
            error(world, status, "server_error", 90_033, "A transient error has occurred. Please try again.")
        }
    }
}
