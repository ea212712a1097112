//! PATCH ([RFC 7644 §3.5.2](https://www.rfc-editor.org/rfc/rfc7644#section-3.5.2)), as identity providers send it: `add`
//! and `replace` of whole attributes.

use serde_json::{Map, Value};

use super::{
    Refused,
    users::{body, change, is_known},
};
use crate::{
    http::{Asked, Reply},
    world::World,
};

const PATCH_OP: &str = "urn:ietf:params:scim:api:messages:2.0:PatchOp";

pub(super) fn answer(world: &World, asked: &Asked, id: &str) -> Result<Reply, Refused> {
    let message = body(asked)?;
    let syntax = |text: &str| (400, Some("invalidSyntax"), text.to_owned());
    let schemas = message.get("schemas").and_then(Value::as_array);
    if !schemas.is_some_and(|schemas| schemas.iter().any(|schema| schema == PATCH_OP)) {
        return Err(syntax("The schema must be that of a PatchOp."));
    }
    let operations = message.get("Operations").and_then(Value::as_array);
    let operations = operations.ok_or_else(|| syntax("Operations are missing."))?;
    let mut changed = Map::new();
    for operation in operations {
        let kind = operation.get("op").and_then(Value::as_str).unwrap_or_default().to_lowercase();
        if !matches!(&*kind, "add" | "replace") {
            return Err((501, None, format!("The operation {kind:?} is not known here.")));
        }
        let value = operation.get("value").ok_or_else(|| syntax("A value is missing."))?;
        match (operation.get("path").and_then(Value::as_str), value) {
            (Some(path), value) => drop(changed.insert(path.to_owned(), value.clone())),
            (None, Value::Object(values)) => changed.extend(values.clone()),
            (None, _) => return Err((400, Some("noTarget"), String::from("Neither path nor attributes."))),
        }
    }
    if let Some(unknown) = changed.keys().find(|name| !is_known(name)) {
        return Err((400, Some("invalidPath"), format!("There is no attribute {unknown:?} to change.")));
    }
    change(world, asked, id, &changed)
}
