//! Computers, mobile devices and users by the Jamf Pro API.

use serde_json::{Map, Value, json};

use super::{not_found, problem};
use crate::{
    entities::{Entity, JamfDevice, JamfUser},
    http::{Asked, Reply},
    records::{Records, Row},
    world::World,
};

/// The most that a page may have.
const MOST: usize = 2000;

/// What an inventory record is made of. Only the first two are kept here; the others are there and empty.
const SECTIONS: [(&str, &str); 24] = [
    ("GENERAL", "general"),
    ("USER_AND_LOCATION", "userAndLocation"),
    ("APPLICATIONS", "applications"),
    ("ATTACHMENTS", "attachments"),
    ("CERTIFICATES", "certificates"),
    ("CONFIGURATION_PROFILES", "configurationProfiles"),
    ("CONTENT_CACHING", "contentCaching"),
    ("DISK_ENCRYPTION", "diskEncryption"),
    ("EXTENSION_ATTRIBUTES", "extensionAttributes"),
    ("FONTS", "fonts"),
    ("GROUP_MEMBERSHIPS", "groupMemberships"),
    ("HARDWARE", "hardware"),
    ("IBEACONS", "ibeacons"),
    ("LICENSED_SOFTWARE", "licensedSoftware"),
    ("LOCAL_USER_ACCOUNTS", "localUserAccounts"),
    ("OPERATING_SYSTEM", "operatingSystem"),
    ("PACKAGE_RECEIPTS", "packageReceipts"),
    ("PLUGINS", "plugins"),
    ("PRINTERS", "printers"),
    ("PURCHASING", "purchasing"),
    ("SECURITY", "security"),
    ("SERVICES", "services"),
    ("SOFTWARE_UPDATES", "softwareUpdates"),
    ("STORAGE", "storage"),
];

/// GET below `/api`.
pub(super) fn answer(world: &World, asked: &Asked, segments: &[&str]) -> Result<Reply, Reply> {
    let state = world.state();
    let objects = state.objects(asked);
    let (computers, mobile_devices) = (&objects.computers, &objects.mobile_devices);
    match segments {
        ["v1" | "v2" | "v3" | "v4", "computers-inventory"] => {
            let wanted = sections(asked)?;
            list(asked, computers, |row| computer(row, Some(&wanted)))
        }
        ["v1" | "v2" | "v3" | "v4", "computers-inventory", id] => {
            let wanted = sections(asked)?;
            one(computers, "Computer", id, |row| computer(row, Some(&wanted)))
        }
        ["v1" | "v2" | "v3" | "v4", "computers-inventory-detail", id] => {
            one(computers, "Computer", id, |row| computer(row, None))
        }
        ["v2", "mobile-devices"] => list(asked, mobile_devices, mobile_device),
        ["v2", "mobile-devices", id] => one(mobile_devices, "Mobile Device", id, mobile_device),
        ["v2", "mobile-devices", id, "detail"] => {
            one(mobile_devices, "Mobile Device", id, mobile_device_in_detail)
        }
        ["v1", "users"] => list(asked, &objects.jamf_users, user),
        ["v1", "users", id] => one(&objects.jamf_users, "User", id, user),
        _ => Err(Reply::page(404)),
    }
}

fn one<T: Entity>(
    records: &Records<T>,
    what: &str,
    id: &str,
    show: impl Fn(&Row<T>) -> Value,
) -> Result<Reply, Reply> {
    if id.parse::<u32>().is_err() {
        return Err(problem(400, "INVALID_ID", "id", &format!("{id} is no id")));
    }
    let row = records.by_id(id).ok_or_else(|| not_found(what, id))?;
    Ok(Reply::json(200, &show(row)))
}

fn list<T: Entity>(
    asked: &Asked,
    records: &Records<T>,
    show: impl Fn(&Row<T>) -> Value,
) -> Result<Reply, Reply> {
    let number = |name: &str, default: usize| match asked.param(name) {
        None => Ok(default),
        Some(text) => {
            text.parse::<usize>().map_err(|_| problem(400, "INVALID_FIELD", name, "expected a number"))
        }
    };
    let (page, size) = (number("page", 0)?, number("page-size", 100)?.min(MOST));
    if let Some(unknown) = ["filter", "sort"].into_iter().find(|name| asked.param(name).is_some()) {
        return Err(problem(400, "INVALID_FIELD", unknown, "the emulator does not know this"));
    }
    let all = records.living_from(0);
    let results: Vec<_> = all.skip(page.saturating_mul(size)).take(size).map(|(_, row)| show(row)).collect();
    Ok(Reply::json(200, &json!({"totalCount": records.living_from(0).count(), "results": results})))
}

/// The sections asked for; GENERAL when none is.
fn sections(asked: &Asked) -> Result<Vec<&'static str>, Reply> {
    let mut wanted = Vec::new();
    for (_, names) in asked.query.iter().filter(|(name, _)| name == "section") {
        for name in names.split(',') {
            let known = SECTIONS.iter().find(|(known, _)| *known == name);
            let text = format!("{name} is no section");
            let (_, section) = known.ok_or_else(|| problem(400, "INVALID_FIELD", "section", &text))?;
            wanted.push(*section);
        }
    }
    if wanted.is_empty() {
        wanted.push("general");
    }
    Ok(wanted)
}

/// With the sections `wanted`, or with all; the others are null.
fn computer(row: &Row<JamfDevice>, wanted: Option<&[&str]>) -> Value {
    let device = &row.thing;
    let is_wanted = |section: &str| wanted.is_none_or(|wanted| wanted.contains(&section));
    let mut whole: Map<String, Value> =
        SECTIONS.iter().map(|(_, section)| ((*section).to_owned(), Value::Null)).collect();
    whole.insert("id".into(), Value::from(&*row.id));
    whole.insert("udid".into(), Value::from(&*device.udid));
    if is_wanted("general") {
        let general = json!({
            "name": device.name,
            "platform": "Mac",
            "remoteManagement": {"managed": device.managed, "managementUsername": null},
            "lastContactTime": device.since.to_string(),
            "supervised": true,
            "managementId": device.udid.to_lowercase(),
        });
        whole.insert("general".into(), general);
    }
    if is_wanted("userAndLocation") {
        let location =
            json!({"username": device.username, "realname": device.username, "email": device.email});
        whole.insert("userAndLocation".into(), location);
    }
    if is_wanted("hardware") {
        whole.insert("hardware".into(), json!({"serialNumber": device.serial, "make": "Apple"}));
    }
    Value::Object(whole)
}

fn mobile_device(row: &Row<JamfDevice>) -> Value {
    let device = &row.thing;
    json!({
        "id": row.id,
        "name": device.name,
        "serialNumber": device.serial,
        "wifiMacAddress": null,
        "udid": device.udid,
        "phoneNumber": null,
        "model": "iPad",
        "modelIdentifier": "iPad6,11",
        "username": device.username,
        "type": "ios",
        "managementId": device.udid.to_lowercase(),
        "softwareUpdateDeviceId": "J132AP",
    })
}

/// In detail the user stands under `location`.
fn mobile_device_in_detail(row: &Row<JamfDevice>) -> Value {
    let device = &row.thing;
    json!({
        "id": row.id,
        "name": device.name,
        "enforceName": false,
        "assetTag": null,
        "lastInventoryUpdateTimestamp": device.since.to_string(),
        "osVersion": "18.1",
        "serialNumber": device.serial,
        "udid": device.udid,
        "managed": device.managed,
        "location": {
            "username": device.username,
            "realName": device.username,
            "emailAddress": device.email,
            "departmentId": "-1",
            "buildingId": "-1",
            "room": null,
        },
        "type": "ios",
        "ios": {"model": "iPad", "modelIdentifier": "iPad6,11", "supervised": true},
    })
}

fn user(row: &Row<JamfUser>) -> Value {
    row.thing.show(&row.id)
}
