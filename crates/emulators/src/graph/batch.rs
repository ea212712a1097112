//! Many questions in one request.

use std::collections::{HashMap, HashSet};

use hyper::{
    HeaderMap, Method,
    header::{HeaderName, HeaderValue},
};
use serde_json::{Map, Value, json};

use super::{Refused, part, told};
use crate::{
    Fault, Service,
    http::{Asked, Reply},
    world::World,
};

/// How many there may be.
const MOST: usize = 20;

/// POST `/$batch`. The parts are answered in another order than they were asked in, as they may be.
pub(super) fn answer(world: &World, asked: &Asked) -> Result<Reply, Refused> {
    if asked.media_type() != "application/json" {
        let text = "The content type of a batch must be application/json.";
        return Err(Refused::new(415, "UnsupportedMediaType", text));
    }
    let malformed = || Refused::bad_request("Invalid batch payload format.");
    let body = asked.json().ok_or_else(malformed)?;
    let requests = body.get("requests").and_then(Value::as_array).ok_or_else(malformed)?;
    if requests.is_empty() {
        return Err(malformed());
    }
    if requests.len() > MOST {
        let text = format!("Number of batch request steps exceeds the maximum value of {MOST}.");
        return Err(Refused::bad_request(text));
    }
    let parts = requests.iter().map(|request| Part::read(asked, request));
    let parts = parts.collect::<Option<Vec<_>>>().ok_or_else(malformed)?;
    let ids: HashSet<_> = parts.iter().map(|part| &part.id).collect();
    if ids.len() < parts.len() || parts.iter().flat_map(|part| &part.after).any(|id| !ids.contains(id)) {
        return Err(Refused::bad_request(
            "Ids of requests must be unique, and those depended on must be there.",
        ));
    }
    let mut statuses = HashMap::new();
    let mut responses = Vec::new();
    for part in &parts {
        let has_failed = |id: &String| statuses.get(id).is_none_or(|status| *status >= 400);
        let (status, response) =
            if part.after.iter().any(has_failed) { part.skipped() } else { part.answer(world) };
        statuses.insert(part.id.clone(), status);
        responses.push(response);
    }
    responses.reverse();
    Ok(Reply::json(200, &json!({"responses": responses})))
}

#[derive(Debug)]
struct Part {
    id: String,
    after: Vec<String>,
    asked: Asked,
}

impl Part {
    fn read(whole: &Asked, request: &Value) -> Option<Self> {
        let text = |name: &str| request.get(name).and_then(Value::as_str);
        let id = text("id").filter(|id| !id.is_empty())?.to_owned();
        let method = Method::from_bytes(text("method")?.as_bytes()).ok()?;
        let url = text("url").filter(|url| !url.contains("://"))?;
        let body = request.get("body").filter(|body| !body.is_null());
        let headers = headers(request.get("headers"))?;
        if body.is_some() && !headers.contains_key("content-type") {
            return None;
        }
        let version = whole.path.split('/').nth(1).unwrap_or_default();
        let target = format!("/{version}/{}", url.trim_start_matches('/'));
        let body = body.map(Value::to_string).unwrap_or_default();
        let mut asked = Asked::new(method, &target, headers, body.into(), whole.base.clone());
        asked.is_blind = whole.is_blind;
        let after = request.get("dependsOn").and_then(Value::as_array);
        let after = after.into_iter().flatten().filter_map(|id| Some(id.as_str()?.to_owned())).collect();
        Some(Self { id, after, asked })
    }

    fn answer(&self, world: &World) -> (u16, Value) {
        let mut asked = self.asked.clone();
        let refused = match world.fault_of_part(Service::Graph, &asked.path) {
            None => None,
            Some(Fault::Empty) => {
                asked.is_blind = true;
                None
            }
            Some(Fault::Throttled { retry_after }) => {
                let refused = told(429);
                Some(match retry_after {
                    Some(seconds) => refused.with("retry-after", seconds.to_string()),
                    None => refused,
                })
            }
            Some(Fault::Status(status)) => Some(told(status)),
            Some(_) => Some(told(503)),
        };
        let answered = match refused {
            Some(refused) => Err(refused),
            None => part(world, &asked),
        };
        match answered {
            Ok(reply) => {
                let body = serde_json::from_slice(&reply.body).unwrap_or_default();
                (reply.status, self.response(reply.status, &reply.headers, &body))
            }
            Err(refused) => {
                let body = refused.body(world, &asked);
                (refused.status, self.response(refused.status, refused.headers(), &body))
            }
        }
    }

    fn skipped(&self) -> (u16, Value) {
        let error = json!({"error": {"code": "FailedDependency", "message": "A request that this one depends on failed."}});
        (424, self.response(424, &[], &error))
    }

    fn response(&self, status: u16, headers: &[(&'static str, String)], body: &Value) -> Value {
        let mut shown = Map::new();
        shown.insert("Content-Type".into(), "application/json".into());
        // As people write them: Retry-After.
        let others = headers.iter().filter(|(name, _)| *name != "content-type");
        shown.extend(others.map(|(name, value)| (capitalized(name), Value::from(&**value))));
        json!({"id": self.id, "status": status, "headers": shown, "body": body})
    }
}

fn capitalized(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect::<String>()
    });
    words.collect::<Vec<_>>().join("-")
}

fn headers(value: Option<&Value>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in value.and_then(Value::as_object).into_iter().flatten() {
        let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
        headers.insert(name, HeaderValue::from_str(value.as_str()?).ok()?);
    }
    Some(headers)
}
