//! Tokens for programs that run in Azure: the endpoints that a machine and an app find beside them.

use serde_json::json;

use super::{audience, token::bearer};
use crate::{
    http::{Asked, Reply},
    world::World,
};

/// How long these tokens live, in seconds.
const LIFE: u64 = 86_400;

/// GET `/metadata/identity/oauth2/token`, at the address 169.254.169.254 of a virtual machine.
pub(super) fn of_machine(world: &World, asked: &Asked) -> Reply {
    if asked.header("metadata") != Some("true") {
        return invalid("Required metadata header not specified");
    }
    if asked.header("x-forwarded-for").is_some() {
        return invalid("Requests that were forwarded are not answered");
    }
    answer(world, asked, "2018-02-01")
}

/// GET `/msi/token`, at the address that an app finds in `IDENTITY_ENDPOINT`.
pub(super) fn of_app(world: &World, asked: &Asked) -> Reply {
    if asked.header("x-identity-header") != Some(&world.credentials.identity_header) {
        let body = json!({"statusCode": 401, "message": "Unable to load the proper Managed Identity."});
        return Reply::json(401, &body);
    }
    answer(world, asked, "2019-08-01")
}

fn answer(world: &World, asked: &Asked, version: &str) -> Reply {
    match asked.param("api-version") {
        Some(given) if given == version => {}
        Some(_) => return invalid("The specified version is not supported"),
        None => return invalid("Required query variable 'api-version' is missing"),
    }
    let Some(resource) = asked.param("resource") else {
        return invalid("Required query variable 'resource' is missing");
    };
    if asked.param("client_id").is_some_and(|id| id != world.credentials.client_id) {
        return invalid("Identity not found");
    }
    let Some(audience) = audience(world, resource) else {
        let text =
            format!("AADSTS500011: The resource principal named {resource} was not found in the tenant.");
        return Reply::json(400, &json!({"error": "invalid_resource", "error_description": text}));
    };
    let token = bearer(world, &audience, LIFE);
    let expires_on = world.now().0.saturating_add(LIFE);
    let body = json!({
        "access_token": token,
        "client_id": world.credentials.client_id,
        "expires_in": LIFE.to_string(),
        "expires_on": expires_on.to_string(),
        "ext_expires_in": LIFE.to_string(),
        "not_before": world.now().0.to_string(),
        "resource": resource,
        "token_type": "Bearer",
    });
    Reply::json(200, &body)
}

fn invalid(text: &str) -> Reply {
    Reply::json(400, &json!({"error": "invalid_request", "error_description": text}))
}
