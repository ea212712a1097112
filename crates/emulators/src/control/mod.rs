//! The control interface: what an administrator, or bad luck, does. JSON over HTTP, for everybody who can reach it.

mod actions;

use hyper::Method;
use serde_json::{Value, json};

use crate::{
    Action, ControlError, Faulty, Kind, Service,
    http::{Asked, Reply},
    intune::{ChallengeTerms, Revocation, make_challenge},
    jamf::ask_for_challenge,
    records::Life,
    world::World,
};

/// How many objects a list has unless the client asks for another number.
const PAGE: usize = 100;

pub(crate) async fn answer(world: &World, asked: &Asked) -> Reply {
    let answered = if asked.method == Method::POST && asked.path == "/jamf/scep-challenge" {
        webhook(world, asked).await
    } else {
        answered(world, asked)
    };
    match answered {
        Ok(reply) => reply,
        Err(error) => {
            let status = match error {
                ControlError::Unknown { .. } => 404,
                ControlError::Unsupported { .. } => 409,
                ControlError::Invalid(_) => 400,
            };
            Reply::json(status, &json!({"error": error.to_string()}))
        }
    }
}

/// Nothing stands for an empty object.
fn body(asked: &Asked) -> Result<Value, ControlError> {
    match &*asked.body {
        [] => Ok(json!({})),
        body => serde_json::from_slice(body)
            .map_err(|why| ControlError::Invalid(format!("the body is no JSON: {why}"))),
    }
}

async fn webhook(world: &World, asked: &Asked) -> Result<Reply, ControlError> {
    let (status, text) = ask_for_challenge(world, &body(asked)?).await?;
    Ok(Reply::json(200, &json!({"status": status, "challenge": text})))
}

fn answered(world: &World, asked: &Asked) -> Result<Reply, ControlError> {
    let segments = asked.segments();
    let segments: Vec<_> = segments.iter().map(String::as_str).collect();
    let body = body(asked)?;
    match (asked.method.as_str(), &*segments) {
        ("GET", [""]) => Ok(overview(world)),
        (_, ["objects", kind, rest @ ..]) => {
            let kind = kind.parse().map_err(|()| {
                let names = Kind::ALL.map(Kind::name).join(", ");
                ControlError::Invalid(format!("expected one of {names}: {kind:?}"))
            })?;
            of_objects(world, asked, kind, rest, &body)
        }
        (_, ["faults", service]) => {
            let service = service
                .parse()
                .map_err(|()| ControlError::Invalid(format!("there is no service {service:?}")))?;
            of_faults(world, &asked.method, service, &body)
        }
        ("POST", ["challenges"]) => {
            let terms = ChallengeTerms::from_json(&body)?;
            let device = terms.device.clone();
            let challenge = make_challenge(world, terms)?;
            Ok(Reply::json(201, &json!({"challenge": challenge, "device": device})))
        }
        ("GET", ["notifications"]) => {
            Ok(Reply::json(200, &json!({"notifications": world.state().intune.notifications})))
        }
        (_, ["revocation-requests"]) => of_revocations(world, &asked.method, &body),
        ("POST", ["tokens", "revoke"]) => {
            world.state().tokens.clear();
            Ok(Reply::empty(204))
        }
        ("POST", ["delta-tokens", "expire"]) => {
            world.state().graph.expire_delta_tokens();
            Ok(Reply::empty(204))
        }
        ("GET", ["requests"]) => Ok(requests(world)),
        (method, _) => Err(ControlError::Invalid(format!("there is nothing to {method} at {}", asked.path))),
    }
}

/// Where everything is, and who is let in.
fn overview(world: &World) -> Reply {
    let known = &world.credentials;
    let url = |service| world.url(service);
    let body = json!({
        "services": {
            "entra": url(Service::Entra),
            "graph": url(Service::Graph),
            "intune": url(Service::Intune),
            "jamf": url(Service::Jamf),
            "scim": format!("{}/scim/v2", url(Service::Scim)),
            "control": url(Service::Control),
        },
        "credentials": {
            "tenant": known.tenant,
            "domain": known.domain,
            "client_id": known.client_id,
            "client_secret": known.client_secret,
            "identity_header": known.identity_header,
            "jamf_client_id": known.jamf_client_id,
            "jamf_client_secret": known.jamf_client_secret,
            "jamf_user": known.jamf_user,
            "jamf_password": known.jamf_password,
            "scim_token": known.scim_token,
        },
    });
    Reply::json(200, &body)
}

fn of_objects(
    world: &World,
    asked: &Asked,
    kind: Kind,
    rest: &[&str],
    body: &Value,
) -> Result<Reply, ControlError> {
    match (asked.method.as_str(), rest) {
        ("GET", []) => Ok(list(world, asked, kind)),
        ("POST", []) => {
            let id = world.create(kind, body)?;
            Ok(Reply::json(201, &json!({"id": id, "object": world.object(kind, &id)})))
        }
        ("GET", [key]) => show(world, kind, key),
        ("PATCH", [key]) => {
            world.alter(kind, key, body)?;
            show(world, kind, key)
        }
        ("POST", [key, action]) => {
            let action = Action::from_json(action, body)?;
            let id = world.act(kind, key, &action)?;
            show(world, kind, &id)
        }
        (method, _) => Err(ControlError::Invalid(format!("there is nothing to {method} at {}", asked.path))),
    }
}

fn list(world: &World, asked: &Asked, kind: Kind) -> Reply {
    let number = |name: &str| asked.param(name).and_then(|text| text.parse().ok());
    let (skip, count) = (number("skip").unwrap_or(0), number("count").unwrap_or(PAGE));
    let state = world.state();
    let records = state.objects.of(kind);
    let ids = records.ids(skip, count);
    let objects: Vec<_> = ids.iter().filter_map(|id| records.look(id)).map(|(_, _, shown)| shown).collect();
    Reply::json(200, &json!({"total": records.living(), "objects": objects}))
}

fn show(world: &World, kind: Kind, key: &str) -> Result<Reply, ControlError> {
    let found = world.state().objects.of(kind).look(key);
    let (_, life, object) = found.ok_or_else(|| ControlError::Unknown { kind, id: key.to_owned() })?;
    let life = match life {
        Life::Live => "live",
        Life::InTrash => "deleted, can be restored",
        Life::Gone => "deleted",
    };
    Ok(Reply::json(200, &json!({"life": life, "object": object})))
}

fn of_faults(world: &World, method: &Method, service: Service, body: &Value) -> Result<Reply, ControlError> {
    match method.as_str() {
        "GET" => {}
        "PUT" => world.set_faults(service, vec![Faulty::from_json(body)?]),
        "POST" => {
            let mut faults = world.faults(service);
            faults.push(Faulty::from_json(body)?);
            world.set_faults(service, faults);
        }
        "DELETE" => world.set_faults(service, Vec::new()),
        other => return Err(ControlError::Invalid(format!("expected GET, PUT, POST or DELETE: {other}"))),
    }
    let faults: Vec<_> = world.faults(service).iter().map(Faulty::to_json).collect();
    Ok(Reply::json(200, &json!({"faults": faults})))
}

fn of_revocations(world: &World, method: &Method, body: &Value) -> Result<Reply, ControlError> {
    let mut state = world.state();
    if method == Method::POST {
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        if text("serialNumber").is_empty() {
            return Err(ControlError::Invalid("expected a serialNumber".into()));
        }
        state.intune.revocations.push(Revocation {
            context: world.sequence.next_uuid(),
            serial_number: text("serialNumber"),
            issuer_name: text("issuerName"),
            ca_configuration: text("caConfiguration"),
            result: None,
        });
    }
    let shown: Vec<_> = state.intune.revocations.iter().map(Revocation::show_with_result).collect();
    let status = if method == Method::POST { 201 } else { 200 };
    Ok(Reply::json(status, &json!({"requests": shown})))
}

fn requests(world: &World) -> Reply {
    let requests = world.requests();
    let shown = requests.iter().filter(|request| request.service != Service::Control).map(|request| {
        json!({
            "service": request.service.name(),
            "method": request.method,
            "target": request.target,
            "status": request.status,
        })
    });
    Reply::json(200, &json!({"requests": shown.collect::<Vec<_>>()}))
}
