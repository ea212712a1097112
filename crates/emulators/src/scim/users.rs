//! Users.

use serde_json::{Map, Value};

use super::{Refused, filter::Filter, json_reply, listed};
use crate::{
    Action, Kind,
    entities::{Entity as _, ScimUser},
    http::{Asked, Reply},
    records::Row,
    world::World,
};

/// The most that a list has.
pub(super) const MOST: usize = 200;

pub(super) fn not_found(id: &str) -> Refused {
    (404, None, format!("Resource {id} not found."))
}

pub(super) fn shown(asked: &Asked, row: &Row<ScimUser>) -> Value {
    let mut user = row.thing.show(&row.id);
    if let Some(meta) = user.pointer_mut("/meta").and_then(Value::as_object_mut) {
        meta.insert("location".into(), location(asked, &row.id).into());
    }
    user
}

fn location(asked: &Asked, id: &str) -> String {
    format!("{}/scim/v2/Users/{id}", asked.base)
}

pub(super) fn show(world: &World, asked: &Asked, id: &str) -> Result<Reply, Refused> {
    let state = world.state();
    let row = state.objects(asked).scim.by_id(id).ok_or_else(|| not_found(id))?;
    Ok(json_reply(200, &shown(asked, row)))
}

pub(super) fn list(world: &World, asked: &Asked) -> Result<Reply, Refused> {
    let filter = asked.param("filter").map(|text| {
        let text = text.to_owned();
        Filter::parse(&text)
            .ok_or_else(|| (400, Some("invalidFilter"), format!("This filter is not understood: {text}")))
    });
    let filter = filter.transpose()?;
    // Numbers that make no sense are read as the nearest that do.
    let number = |name: &str| asked.param(name).and_then(|text| text.parse::<i64>().ok());
    let start = usize::try_from(number("startIndex").unwrap_or(1)).unwrap_or(1).max(1);
    let count = usize::try_from(number("count").unwrap_or(100).max(0)).unwrap_or(0).min(MOST);
    let state = world.state();
    let users = &state.objects(asked).scim;
    let skip = start.saturating_sub(1);
    let (total, page): (usize, Vec<_>) = match filter {
        None => {
            let page = users.living_from(0).skip(skip).take(count).map(|(_, row)| shown(asked, row));
            (users.living_from(0).count(), page.collect())
        }
        Some(filter) => {
            let found: Vec<_> = match filter.only_user_name() {
                Some(name) => users.live(name).into_iter().map(|row| shown(asked, row)).collect(),
                None => users.living_from(0).map(|(_, row)| shown(asked, row)).collect(),
            };
            let found: Vec<_> = found.into_iter().filter(|user| filter.holds(user)).collect();
            (found.len(), found.into_iter().skip(skip).take(count).collect())
        }
    };
    Ok(json_reply(200, &listed(total, start, &page)))
}

/// The body, which must be a resource or a message in JSON.
pub(super) fn body(asked: &Asked) -> Result<Map<String, Value>, Refused> {
    if !matches!(&*asked.media_type(), "application/scim+json" | "application/json") {
        return Err((415, None, String::from("The content type must be application/scim+json.")));
    }
    let syntax = || (400, Some("invalidSyntax"), String::from("The body is no JSON object with schemas."));
    match asked.json() {
        Some(Value::Object(body)) if body.get("schemas").is_some_and(Value::is_array) => Ok(body),
        _ => Err(syntax()),
    }
}

/// What was sent as a user, without what the service alone decides.
fn user(asked: &Asked) -> Result<Map<String, Value>, Refused> {
    let mut user = body(asked)?;
    user.remove("id");
    match user.get("userName").and_then(Value::as_str) {
        Some(name) if !name.is_empty() => Ok(user),
        _ => Err((400, Some("invalidValue"), String::from("userName is required."))),
    }
}

fn check_unique(world: &World, user: &Map<String, Value>, but: Option<&str>) -> Result<(), Refused> {
    let name = user.get("userName").and_then(Value::as_str).unwrap_or_default();
    let state = world.state();
    match state.objects.scim.live(name).filter(|row| Some(&*row.id) != but) {
        None => Ok(()),
        Some(_) => Err((409, Some("uniqueness"), format!("There is a user {name} already."))),
    }
}

pub(super) fn create(world: &World, asked: &Asked) -> Result<Reply, Refused> {
    let user = user(asked)?;
    check_unique(world, &user, None)?;
    let id = world.create(Kind::ScimUser, &Value::Object(user));
    let id = id.map_err(|why| (400, Some("invalidValue"), why.to_string()))?;
    let state = world.state();
    let row = state.objects.scim.by_id(&id).ok_or_else(|| not_found(&id))?;
    Ok(json_reply(201, &shown(asked, row)).with("location", location(asked, &id)))
}

pub(super) fn replace(world: &World, asked: &Asked, id: &str) -> Result<Reply, Refused> {
    let user = user(asked)?;
    check_unique(world, &user, Some(id))?;
    change(world, asked, id, &user)
}

/// Takes the properties over, and shows the user.
pub(super) fn change(
    world: &World,
    asked: &Asked,
    id: &str,
    properties: &Map<String, Value>,
) -> Result<Reply, Refused> {
    let properties = Value::Object(properties.clone());
    world.alter(Kind::ScimUser, id, &properties).map_err(|_| not_found(id))?;
    show(world, asked, id)
}

pub(super) fn delete(world: &World, id: &str) -> Result<Reply, Refused> {
    world.act(Kind::ScimUser, id, &Action::Delete).map_err(|_| not_found(id))?;
    Ok(Reply::empty(204))
}

/// Only to say what a patch may change.
pub(super) fn is_known(attribute: &str) -> bool {
    let sample = ScimUser { external_id: String::from("x"), ..ScimUser::default() }.show("");
    sample.get(attribute).is_some() && !matches!(attribute, "id" | "meta" | "schemas")
}
