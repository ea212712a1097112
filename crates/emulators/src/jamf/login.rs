//! Tokens, for API clients and for user accounts.

use base64ct::{Base64, Encoding as _};
use serde_json::{Value, json};

use super::{AUDIENCE, refusal};
use crate::{
    http::{Asked, Reply},
    world::World,
};

/// How long the token of an API client lives, in seconds.
const CLIENT_LIFE: u64 = 599;
/// How long the token of a user lives, in seconds.
const USER_LIFE: u64 = 1800;

/// POST `/api/oauth/token`.
pub(super) fn of_client(world: &World, asked: &Asked) -> Reply {
    let Some(form) = asked.form() else { return refusal(415) };
    let find = |name: &str| form.iter().find(|(known, _)| known == name).map(|(_, value)| &**value);
    let known = &world.credentials;
    if find("grant_type") != Some("client_credentials") {
        return oauth_error(400, "unsupported_grant_type");
    }
    if find("client_id") != Some(&known.jamf_client_id)
        || find("client_secret") != Some(&known.jamf_client_secret)
    {
        return oauth_error(401, "invalid_client");
    }
    let token = issue(world, CLIENT_LIFE);
    let body = json!({"access_token": token, "scope": "api-role:2", "token_type": "Bearer", "expires_in": CLIENT_LIFE});
    Reply::json(200, &body)
}

fn oauth_error(status: u16, code: &str) -> Reply {
    Reply::json(status, &json!({"error": code}))
}

/// POST `/api/v1/auth/token`, with name and password.
pub(super) fn of_user(world: &World, asked: &Asked) -> Reply {
    let known = &world.credentials;
    let expected = Base64::encode_string(format!("{}:{}", known.jamf_user, known.jamf_password).as_bytes());
    let given = asked.header("authorization").and_then(|header| header.strip_prefix("Basic "));
    if given == Some(&*expected) { Reply::json(200, &user_token(world)) } else { refusal(401) }
}

/// POST `/api/v1/auth/keep-alive`: a new token for one that is good.
pub(super) fn again(world: &World, asked: &Asked) -> Reply {
    take_back(world, asked);
    Reply::json(200, &user_token(world))
}

/// POST `/api/v1/auth/invalidate-token`.
pub(super) fn end(world: &World, asked: &Asked) -> Reply {
    take_back(world, asked);
    Reply::empty(204)
}

fn take_back(world: &World, asked: &Asked) {
    if let Some(token) = asked.bearer() {
        world.state().tokens.revoke(token);
    }
}

/// Servers write the time as text, whatever their own description says.
fn user_token(world: &World) -> Value {
    let expires = world.now().saturating_add(std::time::Duration::from_secs(USER_LIFE)).to_string();
    json!({"token": issue(world, USER_LIFE), "expires": expires.replace('Z', ".124Z")})
}

fn issue(world: &World, seconds: u64) -> String {
    let now = world.now();
    let claims = json!({"iat": now.0, "exp": now.0.saturating_add(seconds)});
    world.state().tokens.issue(&world.sequence, AUDIENCE, &claims, now, seconds)
}
