//! Tokens for those who prove who they are.

use serde_json::json;

use super::{GRAPH, INTUNE, assertion, audience, error, knows, unknown_tenant};
use crate::{
    http::{Asked, Reply},
    world::World,
};

const JWT_BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// What Entra says, with status, error and number.
pub(super) type Refused = (u16, &'static str, u32, String);

/// POST `/{tenant}/oauth2/v2.0/token`.
pub(super) fn answer(world: &World, asked: &Asked, tenant: &str) -> Reply {
    if !knows(world, tenant) {
        return unknown_tenant(world, tenant);
    }
    match token(world, asked, tenant) {
        Ok(reply) => reply,
        Err((status, name, code, text)) => error(world, status, name, code, &text),
    }
}

fn token(world: &World, asked: &Asked, tenant: &str) -> Result<Reply, Refused> {
    // A body that is no form has none of the parameters.
    let form = asked.form().unwrap_or_default();
    let find = |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| &**value);
    let needed = |name: &str| find(name).filter(|value| !value.is_empty()).ok_or_else(|| missing(name));
    match needed("grant_type")? {
        "client_credentials" => {}
        other => {
            let text = format!("The app requested an unsupported grant type '{other}'.");
            return Err((400, "unsupported_grant_type", 70_003, text));
        }
    }
    let client_id = needed("client_id")?;
    if client_id != world.credentials.client_id {
        let text =
            format!("Application with identifier '{client_id}' was not found in the directory '{tenant}'.");
        return Err((400, "unauthorized_client", 700_016, text));
    }
    match (find("client_secret"), find("client_assertion")) {
        (Some(secret), None) if secret == world.credentials.client_secret => {}
        (Some(_), None) => {
            let text = "Invalid client secret provided. Ensure the secret being sent in the request is the client secret \
                        value, not the client secret ID.";
            return Err((401, "invalid_client", 7_000_215, text.into()));
        }
        (None, Some(assertion)) if find("client_assertion_type") == Some(JWT_BEARER) => {
            assertion::check(world, &asked.base, tenant, assertion)?;
        }
        (None, Some(_)) => return Err(missing("client_assertion_type")),
        _ => {
            let text = "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
            return Err((401, "invalid_client", 7_000_218, text.into()));
        }
    }
    let audience = resource(world, needed("scope")?)?;
    Ok(issue(world, &audience))
}

fn missing(name: &str) -> Refused {
    let text = format!("The request body must contain the following parameter: '{name}'.");
    (400, "invalid_request", 900_144, text)
}

/// What the token is for, by the scope `<resource>/.default`.
fn resource(world: &World, scope: &str) -> Result<String, Refused> {
    let Some(resource) = scope.strip_suffix("/.default") else {
        let text = format!(
            "The provided value for scope {scope} is not valid. Client credential flows must have a scope value with \
             /.default suffixed to the resource identifier (application ID URI)."
        );
        return Err((400, "invalid_scope", 1_002_012, text));
    };
    audience(world, resource).ok_or_else(|| {
        let text = format!("The resource principal named {resource} was not found in the tenant.");
        (400, "invalid_resource", 500_011, text)
    })
}

fn issue(world: &World, audience: &str) -> Reply {
    let seconds = world.options.token_seconds;
    let token = bearer(world, audience, seconds);
    let body = json!({
        "token_type": "Bearer",
        "expires_in": seconds,
        "ext_expires_in": seconds,
        "access_token": token,
    });
    Reply::json(200, &body).with("cache-control", "no-store, no-cache")
}

/// Hands out a token.
pub(super) fn bearer(world: &World, audience: &str, seconds: u64) -> String {
    let (now, known) = (world.now(), &world.credentials);
    let roles: &[&str] = match audience {
        GRAPH => &[
            "Application.Read.All",
            "Directory.Read.All",
            "DeviceManagementManagedDevices.Read.All",
            "IdentityRiskyUser.Read.All",
        ],
        INTUNE => &["scep_challenge_provider"],
        _ => &[],
    };
    let claims = json!({
        "aud": audience,
        "appid": known.client_id,
        "tid": known.tenant,
        "iat": now.0,
        "nbf": now.0,
        "exp": now.0.saturating_add(seconds),
        "roles": roles,
    });
    world.state().tokens.issue(&world.sequence, audience, &claims, now, seconds)
}
