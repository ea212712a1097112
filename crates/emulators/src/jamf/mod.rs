//! Jamf Pro.

mod classic;
mod inventory;
mod login;
mod webhook;

use hyper::Method;
use serde_json::{Value, json};

use crate::{
    http::{Asked, Reply},
    tokens::BadToken,
    world::World,
};
pub(crate) use webhook::ask_for_challenge;

/// What tokens are for.
const AUDIENCE: &str = "jamf";

pub(crate) fn answer(world: &World, asked: &Asked) -> Reply {
    let segments = asked.segments();
    let segments: Vec<_> = segments.iter().map(String::as_str).collect();
    match (&asked.method, &*segments) {
        (&Method::POST, ["api", "oauth", "token"] | ["api", "v1", "oauth", "token"]) => {
            login::of_client(world, asked)
        }
        (&Method::POST, ["api", "v1", "auth", "token"]) => login::of_user(world, asked),
        (_, ["JSSResource", rest @ ..]) => match authenticate(world, asked) {
            Ok(()) => classic::answer(world, asked, rest),
            Err(_) => Reply::page(401),
        },
        (_, ["api", rest @ ..]) => match authenticate(world, asked) {
            Ok(()) => of_api(world, asked, rest),
            Err(_) => refusal(401),
        },
        _ => Reply::page(404),
    }
}

fn authenticate(world: &World, asked: &Asked) -> Result<(), BadToken> {
    world.state().tokens.check(asked.bearer(), AUDIENCE, world.now())
}

fn of_api(world: &World, asked: &Asked, segments: &[&str]) -> Reply {
    match (&asked.method, segments) {
        (&Method::POST, ["v1", "auth", "keep-alive"]) => login::again(world, asked),
        (&Method::POST, ["v1", "auth", "invalidate-token"]) => login::end(world, asked),
        (&Method::GET, _) => inventory::answer(world, asked, segments).unwrap_or_else(|error| error),
        _ => Reply::page(405),
    }
}

/// An error in the words of the interface.
fn error(status: u16, errors: &Value) -> Reply {
    Reply::json(status, &json!({"httpStatus": status, "errors": errors}))
}

fn problem(status: u16, code: &str, field: &str, text: &str) -> Reply {
    error(status, &json!([{"code": code, "field": field, "description": text, "id": "0"}]))
}

/// There is nothing with that id.
fn not_found(what: &str, id: &str) -> Reply {
    problem(404, "INVALID_ID", "id", &format!("{what} with id {id} does not exist"))
}

/// What Jamf Pro says with a status that it was told to answer with.
pub(crate) fn refusal(status: u16) -> Reply {
    match status {
        401 => error(401, &json!([])),
        403 => problem(403, "INVALID_PRIVILEGE", "", "Forbidden"),
        429 => problem(429, "TOO_MANY_REQUESTS", "", "Too many requests"),
        _ => problem(status, "SERVER_ERROR", "", "The server could not answer"),
    }
}
