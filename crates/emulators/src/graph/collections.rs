//! Lists, and members of lists.

use reqwest::Url;
use serde_json::{Value, json};

use super::{
    Call, Refused, delta,
    query::Query,
    resources::{DEVICES, Key, MANAGED_DEVICES, RISKY_USERS, Resource, Shelf, Suspects, USERS},
};
use crate::{entities::Entity as _, http::Reply, records::Life};

pub(super) fn answer(call: &Call<'_>, segments: &[&str]) -> Result<Reply, Refused> {
    let (last, key) = Key::of_segment(segments.last().copied().unwrap_or_default());
    let before = segments.split_last().map_or(&[][..], |(_, before)| before);
    // `managedDevices('x')` is `managedDevices/x`.
    let mut path = before.to_vec();
    path.push(last);
    match (&*path, key) {
        (["devices", "delta"], None) => of_devices_delta(call),
        (["users", "delta"], None) => of_users_delta(call),
        (["directory", "deletedItems", id], None) => deleted(call, id),
        (["devices"], key) => in_objects(call, &DEVICES, key),
        (["users"], key) => in_objects(call, &USERS, key),
        (["deviceManagement", "managedDevices"], key) => in_objects(call, &MANAGED_DEVICES, key),
        (["identityProtection", "riskyUsers"], key) => in_objects(call, &RISKY_USERS, key),
        (["devices", id], None) => in_objects(call, &DEVICES, Some(Key::Id((*id).into()))),
        (["users", id], None) => in_objects(call, &USERS, Some(Key::Id((*id).into()))),
        (["deviceManagement", "managedDevices", id], None) => {
            in_objects(call, &MANAGED_DEVICES, Some(Key::Id((*id).into())))
        }
        (["identityProtection", "riskyUsers", id], None) => {
            in_objects(call, &RISKY_USERS, Some(Key::Id((*id).into())))
        }
        _ => {
            let segment = segments.first().copied().unwrap_or_default();
            Err(Refused::bad_request(format!("Resource not found for the segment '{segment}'.")))
        }
    }
}

/// The list, or the member that `key` names.
fn in_objects(call: &Call<'_>, resource: &Resource, key: Option<Key>) -> Result<Reply, Refused> {
    let now = call.world.now();
    let mut state = call.world.state();
    let limits = call.world.options.limits;
    let units = if key.is_some() { resource.units } else { 2 };
    let is_selective = call.asked.param("$select").is_some();
    let units = if is_selective { units.saturating_sub(1).max(1) } else { units };
    let share = match resource.path {
        "identityProtection/riskyUsers" => state.throttle.spend_risk(now, limits),
        _ => state.throttle.spend(now, units, limits),
    }?;
    let objects = state.objects(call.asked);
    let suspects = Suspects(&objects.users);
    let shelf: &dyn Shelf = match resource.path {
        "devices" => &objects.devices,
        "users" => &objects.users,
        "deviceManagement/managedDevices" => &objects.managed,
        _ => &suspects,
    };
    let body = match key {
        Some(key) => member(call, resource, shelf, &key)?,
        None => list(call, resource, shelf)?,
    };
    Ok(share.show(super::reply(&body, units)))
}

fn member(call: &Call<'_>, resource: &Resource, shelf: &dyn Shelf, key: &Key) -> Result<Value, Refused> {
    let query = Query::parse(call, resource, &["$select"])?;
    let name = key.of(resource)?;
    let is_named = matches!(key, Key::Named(..)) || resource.other_key == Some("userPrincipalName");
    let found = if is_named { shelf.by_key(name) } else { shelf.by_id(name) };
    let whole = found.ok_or_else(|| (resource.not_found)(name))?;
    let mut shown = resource.shown(call.version, whole, query.select.as_deref());
    if let Some(properties) = shown.as_object_mut() {
        let context = call.context(&format!("{}/$entity", resource.path));
        properties.insert("@odata.context".into(), context.into());
    }
    Ok(shown)
}

fn list(call: &Call<'_>, resource: &Resource, shelf: &dyn Shelf) -> Result<Value, Refused> {
    let query = Query::parse(call, resource, &["$select", "$filter", "$top", "$skiptoken"])?;
    let start = match &query.token {
        None => 0,
        Some(token) => token.parse().map_err(|_| {
            Refused::new(400, "Directory_ExpiredPageToken", "The specified page token value is not valid.")
        })?,
    };
    let size = query.top.unwrap_or(call.world.options.page_size);
    let mut found = candidates(&query, resource, shelf, start);
    let mut page = Vec::new();
    let mut next = None;
    for (at, whole) in found.by_ref() {
        if page.len() == size {
            next = Some(at);
            break;
        }
        page.push(resource.shown(call.version, whole, query.select.as_deref()));
    }
    let mut body = json!({"@odata.context": call.context(resource.path), "value": page});
    if let (Some(at), Some(body)) = (next, body.as_object_mut()) {
        body.insert("@odata.nextLink".into(), link(call, &[("$skiptoken", &at.to_string())]).into());
    }
    Ok(body)
}

/// What the filter lets through. Keys are looked up, however many objects there are.
fn candidates<'a>(
    query: &'a Query,
    resource: &Resource,
    shelf: &'a dyn Shelf,
    start: usize,
) -> Box<dyn Iterator<Item = (usize, Value)> + 'a> {
    let Some(filter) = &query.filter else { return shelf.from(start) };
    let keys = filter.only("id").or_else(|| filter.only(resource.other_key?));
    let Some(keys) = keys else {
        return Box::new(shelf.from(start).filter(|(_, whole)| filter.holds(whole)));
    };
    let found = keys.iter().filter_map(|key| shelf.by_key(key.as_str()?)).filter(|whole| filter.holds(whole));
    Box::new(found.enumerate().skip(start))
}

/// The URL of this very question with `token` in it.
pub(super) fn link(call: &Call<'_>, token: &[(&str, &str)]) -> String {
    let is_kept = |name: &str| !matches!(name, "$skiptoken" | "$deltatoken");
    let kept = call.asked.query.iter().filter(|(name, _)| is_kept(name));
    let kept = kept.map(|(name, value)| (name.as_str(), value.as_str()));
    let whole = format!("{}{}", call.asked.base, call.asked.path);
    let url = Url::parse_with_params(&whole, kept.chain(token.iter().copied()));
    url.map_or(whole, |url| url.to_string().replace("%24", "$"))
}

fn of_devices_delta(call: &Call<'_>) -> Result<Reply, Refused> {
    spend_delta(call)?;
    let state = call.world.state();
    delta::answer(call, &DEVICES, &state.objects(call.asked).devices, &state.graph)
}

fn of_users_delta(call: &Call<'_>) -> Result<Reply, Refused> {
    spend_delta(call)?;
    let state = call.world.state();
    delta::answer(call, &USERS, &state.objects(call.asked).users, &state.graph)
}

fn spend_delta(call: &Call<'_>) -> Result<(), Refused> {
    let now = call.world.now();
    call.world.state().throttle.spend(now, delta::UNITS, call.world.options.limits).map(|_| ())
}

/// A user who was deleted not for good.
fn deleted(call: &Call<'_>, id: &str) -> Result<Reply, Refused> {
    let state = call.world.state();
    let user = state.objects(call.asked).users.find(id).filter(|user| user.life == Life::InTrash);
    let user = user.ok_or_else(|| Refused::not_found(id))?;
    let query = Query::parse(call, &USERS, &["$select"])?;
    let mut shown = USERS.shown(call.version, user.thing.show(&user.id), query.select.as_deref());
    if let Some(properties) = shown.as_object_mut() {
        properties.insert("@odata.type".into(), "#microsoft.graph.user".into());
        properties.insert("@odata.context".into(), call.context("directoryObjects/$entity").into());
    }
    Ok(super::reply(&shown, 1))
}
