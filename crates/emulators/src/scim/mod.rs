//! A SCIM 2.0 service ([RFC 7644](https://www.rfc-editor.org/rfc/rfc7644)) with users.

mod filter;
mod patch;
mod users;

use serde_json::{Value, json};

use crate::{
    http::{Asked, Reply},
    world::World,
};

/// What stands in the way of an answer: status, `scimType`, and what is wrong.
type Refused = (u16, Option<&'static str>, String);

pub(crate) fn answer(world: &World, asked: &Asked) -> Reply {
    let answered = authenticated(world, asked).and_then(|()| route(world, asked));
    answered.unwrap_or_else(|(status, kind, detail)| error(status, kind, &detail))
}

fn authenticated(world: &World, asked: &Asked) -> Result<(), Refused> {
    if asked.bearer() == Some(&world.credentials.scim_token) {
        Ok(())
    } else {
        Err((401, None, String::from("Authorization failure.")))
    }
}

fn route(world: &World, asked: &Asked) -> Result<Reply, Refused> {
    let segments = asked.segments();
    let segments: Vec<_> = segments.iter().map(String::as_str).collect();
    let ["scim", "v2", rest @ ..] = &*segments else {
        // Beside the service there is a web server.
        return Ok(Reply::page(404));
    };
    match (asked.method.as_str(), rest) {
        ("GET", ["Users"]) => users::list(world, asked),
        ("POST", ["Users"]) => users::create(world, asked),
        ("GET", ["Users", id]) => users::show(world, asked, id),
        ("PUT", ["Users", id]) => users::replace(world, asked, id),
        ("PATCH", ["Users", id]) => patch::answer(world, asked, id),
        ("DELETE", ["Users", id]) => users::delete(world, id),
        ("GET", ["ServiceProviderConfig"]) => Ok(json_reply(200, &service_provider_config())),
        ("GET", ["ResourceTypes"]) => Ok(json_reply(200, &listed(1, 1, &[resource_type(asked)]))),
        ("GET", ["ResourceTypes", "User"]) => Ok(json_reply(200, &resource_type(asked))),
        (_, ["Users" | "ServiceProviderConfig" | "ResourceTypes", ..]) => {
            Err((405, None, format!("{} is not supported here.", asked.method)))
        }
        _ => Err((404, None, format!("Resource {} not found.", rest.join("/")))),
    }
}

fn json_reply(status: u16, body: &Value) -> Reply {
    Reply::of(status, "application/scim+json", body.to_string())
}

fn error(status: u16, kind: Option<&str>, detail: &str) -> Reply {
    let mut body = json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": status.to_string(),
        "detail": detail,
    });
    if let (Some(body), Some(kind)) = (body.as_object_mut(), kind) {
        body.insert("scimType".into(), kind.into());
    }
    let reply = json_reply(status, &body);
    if status == 401 { reply.with("www-authenticate", "Bearer realm=\"scim\"") } else { reply }
}

/// What the service says with a status that it was told to answer with.
pub(crate) fn refusal(status: u16) -> Reply {
    let detail = match status {
        401 => "Authorization failure.",
        403 => "Operation is not permitted.",
        404 => "Resource not found.",
        429 => "Too many requests.",
        _ => "An internal error occurred.",
    };
    error(status, None, detail)
}

/// A ListResponse ([RFC 7644 §3.4.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.4.2)).
fn listed(total: usize, start: usize, resources: &[Value]) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
        "totalResults": total,
        "startIndex": start,
        "itemsPerPage": resources.len(),
        "Resources": resources,
    })
}

fn resource_type(asked: &Asked) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"],
        "id": "User",
        "name": "User",
        "endpoint": "/Users",
        "schema": "urn:ietf:params:scim:schemas:core:2.0:User",
        "meta": {
            "resourceType": "ResourceType",
            "location": format!("{}/scim/v2/ResourceTypes/User", asked.base),
        },
    })
}

fn service_provider_config() -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"],
        "patch": {"supported": true},
        "bulk": {"supported": false, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": true, "maxResults": users::MOST},
        "changePassword": {"supported": false},
        "sort": {"supported": false},
        "etag": {"supported": false},
        "authenticationSchemes": [{
            "type": "oauthbearertoken",
            "name": "Bearer token",
            "description": "A token that does not expire",
        }],
    })
}
