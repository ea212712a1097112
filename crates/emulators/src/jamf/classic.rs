//! The Classic API, in JSON for those who accept it and in XML for all others.

use hyper::Method;
use serde_json::{Value, json};

use crate::{
    entities::{Entity, JamfDevice, JamfUser},
    http::{Asked, Reply},
    records::{Records, Row},
    world::World,
};

/// Below `/JSSResource`. What is not there is a page of HTML.
pub(super) fn answer(world: &World, asked: &Asked, segments: &[&str]) -> Reply {
    if asked.method != Method::GET {
        return Reply::page(405);
    }
    let state = world.state();
    let objects = state.objects(asked);
    let found = match segments {
        ["users", by @ ("id" | "name" | "email"), value] => {
            // By e-mail address there may be several.
            let user = find(&objects.jamf_users, by, value, |user| match *by {
                "name" => &user.username,
                _ => &user.email,
            });
            let name = if *by == "email" { "users" } else { "user" };
            user.map(|row| (name, user_record(row)))
        }
        ["computers", by @ ("id" | "name" | "serialnumber" | "udid"), value] => {
            device(&objects.computers, by, value).map(|record| ("computer", record))
        }
        ["mobiledevices", by @ ("id" | "name" | "serialnumber" | "udid"), value] => {
            device(&objects.mobile_devices, by, value).map(|record| ("mobile_device", record))
        }
        _ => None,
    };
    let Some((name, record)) = found else { return Reply::page(404) };
    if asked.header("accept").is_some_and(|accept| accept.contains("application/json")) {
        let record = if name == "users" { json!([record]) } else { record };
        Reply::json(200, &json!({name: record}))
    } else {
        Reply::of(
            200,
            "text/xml;charset=UTF-8",
            format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>{}", xml(name, &record)),
        )
    }
}

fn find<'a, T: Entity>(
    records: &'a Records<T>,
    by: &str,
    value: &str,
    property: impl Fn(&T) -> &String,
) -> Option<&'a Row<T>> {
    if by == "id" {
        return records.by_id(value);
    }
    let mut all = records.living_from(0).map(|(_, row)| row);
    all.find(|row| property(&row.thing).eq_ignore_ascii_case(value))
}

fn device(records: &Records<JamfDevice>, by: &str, value: &str) -> Option<Value> {
    let row = find(records, by, value, |device| match by {
        "name" => &device.name,
        "serialnumber" => &device.serial,
        _ => &device.udid,
    })?;
    let device = &row.thing;
    Some(json!({
        "general": {
            "id": row.id.parse::<u64>().ok(),
            "name": device.name,
            "serial_number": device.serial,
            "udid": device.udid,
            "remote_management": {"managed": device.managed},
        },
        "location": {"username": device.username, "email_address": device.email},
    }))
}

fn user_record(row: &Row<JamfUser>) -> Value {
    let user = &row.thing;
    json!({
        "id": row.id.parse::<u64>().ok(),
        "name": user.username,
        "full_name": user.realname,
        "email": user.email,
        "email_address": user.email,
    })
}

fn xml(name: &str, value: &Value) -> String {
    let content = match value {
        Value::Object(members) => members.iter().map(|(name, value)| xml(name, value)).collect(),
        Value::String(text) => text.replace('&', "&amp;").replace('<', "&lt;"),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    format!("<{name}>{content}</{name}>")
}
