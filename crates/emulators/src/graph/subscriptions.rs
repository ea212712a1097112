//! Notifications of changes to users. Graph has none of changes to devices.

use std::{sync::Arc, time::Duration};

use hyper::Method;
use pki_core::UnixTime;
use reqwest::Url;
use serde_json::{Value, json};

use super::Refused;
use crate::{
    http::{Asked, Reply},
    records::{Life, Row},
    world::World,
};

/// How long a subscription to users may live.
const LONGEST: Duration = Duration::from_secs(41_760 * 60);
/// How long the client has to prove that it wants them.
const VALIDATION_TIME: Duration = Duration::from_secs(10);
/// How long the client has to take a notification.
const DELIVERY_TIME: Duration = Duration::from_secs(3);
/// How long to wait before a notification that was not taken is sent again.
const AGAIN_AFTER: Duration = Duration::from_millis(500);

#[derive(Debug, Clone)]
pub(super) struct Subscription {
    id: String,
    /// `users`, or `users/{id}`.
    resource: String,
    change_type: String,
    url: String,
    client_state: Option<String>,
    expires: UnixTime,
    /// Which changes the client knows of.
    mark: usize,
}

impl Subscription {
    fn show(&self, world: &World) -> Value {
        json!({
            "id": self.id,
            "resource": self.resource,
            "changeType": self.change_type,
            "notificationUrl": self.url,
            "clientState": self.client_state,
            "expirationDateTime": self.expires.to_string(),
            "applicationId": world.credentials.client_id,
            "latestSupportedTlsVersion": "v1_2",
        })
    }

    fn wants<T>(&self, row: &Row<T>) -> bool {
        let is_meant = self.resource.split_once('/').is_none_or(|(_, id)| id.eq_ignore_ascii_case(&row.id));
        is_meant && self.change_type.split(',').any(|kind| kind == change_type(row))
    }

    fn notification<T>(&self, world: &World, row: &Row<T>) -> Value {
        let at = format!("Users/{}", row.id);
        json!({
            "subscriptionId": self.id,
            "subscriptionExpirationDateTime": self.expires.to_string(),
            "clientState": self.client_state,
            "changeType": change_type(row),
            "resource": at,
            "tenantId": world.credentials.tenant,
            "resourceData": {
                "@odata.type": "#Microsoft.Graph.User",
                "@odata.id": at,
                "id": row.id,
                "organizationId": world.credentials.tenant,
            },
        })
    }
}

/// A user that can be restored has been updated, says Graph.
fn change_type<T>(row: &Row<T>) -> &'static str {
    if row.life == Life::Gone { "deleted" } else { "updated" }
}

/// Everything at `/subscriptions`.
pub(super) async fn answer(world: &Arc<World>, asked: &Asked, rest: &[&str]) -> Result<Reply, Refused> {
    match (&asked.method, rest) {
        (&Method::POST, []) => create(world, asked).await,
        (&Method::GET, []) => {
            let state = world.state();
            let shown: Vec<_> = state.graph.subscriptions.iter().map(|known| known.show(world)).collect();
            Ok(Reply::json(200, &json!({"value": shown})))
        }
        (&Method::GET, [id]) => {
            let state = world.state();
            let found = state.graph.subscriptions.iter().find(|known| known.id == *id);
            found.map(|known| Reply::json(200, &known.show(world))).ok_or_else(|| not_found(id))
        }
        (&Method::PATCH, [id]) => renew(world, asked, id),
        (&Method::DELETE, [id]) => {
            let mut state = world.state();
            let before = state.graph.subscriptions.len();
            state.graph.subscriptions.retain(|known| known.id != *id);
            let is_found = state.graph.subscriptions.len() < before;
            is_found.then(|| Reply::empty(204)).ok_or_else(|| not_found(id))
        }
        _ => Err(Refused::new(405, "BadRequest", "Method not allowed.")),
    }
}

fn not_found(id: &str) -> Refused {
    Refused::new(404, "ResourceNotFound", format!("The object '{id}' was not found."))
}

fn body(asked: &Asked) -> Result<Value, Refused> {
    let json = asked.json().filter(|_| asked.media_type() == "application/json");
    json.ok_or_else(|| Refused::bad_request("Unable to read JSON request payload."))
}

fn invalid(text: impl Into<String>) -> Refused {
    Refused::new(400, "ValidationError", text)
}

async fn create(world: &Arc<World>, asked: &Asked) -> Result<Reply, Refused> {
    let body = body(asked)?;
    let needed = |name: &str| {
        let text = body.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
        text.ok_or_else(|| Refused::new(400, "InvalidRequest", format!("{name} is required.")))
    };
    let (change_type, url, resource) =
        (needed("changeType")?, needed("notificationUrl")?, needed("resource")?.trim_matches('/'));
    let expires = expiration(world, needed("expirationDateTime")?)?;
    if change_type.split(',').any(|kind| !matches!(kind, "created" | "updated" | "deleted")) {
        return Err(invalid(format!("Invalid changeType: '{change_type}'.")));
    }
    if resource.split('/').next().is_none_or(|first| !first.eq_ignore_ascii_case("users")) {
        return Err(invalid(format!("Subscriptions to '{resource}' are not supported.")));
    }
    let client_state = body.get("clientState").and_then(Value::as_str).map(String::from);
    if client_state.as_ref().is_some_and(|state| state.len() > 128) {
        return Err(invalid("clientState must not be longer than 128 characters."));
    }
    validate(world, url).await?;
    let mut state = world.state();
    let subscription = Subscription {
        id: world.sequence.next_uuid(),
        resource: resource.to_owned(),
        change_type: change_type.to_owned(),
        url: url.to_owned(),
        client_state,
        expires,
        mark: state.objects.users.mark(),
    };
    let shown = subscription.show(world);
    state.graph.subscriptions.push(subscription);
    Ok(Reply::json(201, &shown))
}

fn renew(world: &World, asked: &Asked, id: &str) -> Result<Reply, Refused> {
    let body = body(asked)?;
    let expires = body.get("expirationDateTime").and_then(Value::as_str);
    let expires = expiration(world, expires.ok_or_else(|| invalid("expirationDateTime is required."))?)?;
    let mut state = world.state();
    let found = state.graph.subscriptions.iter_mut().find(|known| known.id == id);
    let found = found.ok_or_else(|| not_found(id))?;
    found.expires = expires;
    Ok(Reply::json(200, &found.show(world)))
}

/// A time with or without a fraction of a second.
fn expiration(world: &World, text: &str) -> Result<UnixTime, Refused> {
    let seconds = text.split_once('.').map_or_else(|| text.to_owned(), |(seconds, _)| format!("{seconds}Z"));
    let time: UnixTime =
        seconds.parse().map_err(|_| invalid(format!("expirationDateTime: '{text}' is no time.")))?;
    let now = world.now();
    if time <= now || now.saturating_add(LONGEST) < time {
        let most = LONGEST.as_secs().checked_div(60).unwrap_or_default();
        return Err(invalid(format!(
            "Subscription expiration must be in the future, and can only be {most} minutes in the future."
        )));
    }
    Ok(time)
}

/// The client echoes a token, or does not want any notifications.
async fn validate(world: &World, url: &str) -> Result<(), Refused> {
    let failed = |why: &str| invalid(format!("Subscription validation request failed. {why}"));
    let parsed = Url::parse(url).map_err(|_| failed("The notification URL is none."))?;
    let is_near = parsed.host_str().is_some_and(|host| matches!(host, "127.0.0.1" | "localhost" | "[::1]"));
    // Graph insists on https; on this machine there is nobody to listen.
    if parsed.scheme() != "https" && !is_near {
        return Err(failed("The notification URL must begin with https."));
    }
    let token =
        format!("Validation: Testing client application reachability for {}", world.sequence.next_uuid());
    let target = Url::parse_with_params(url, [("validationToken", &*token)]);
    let target = target.map_err(|_| failed("The notification URL is none."))?;
    let request = world.http.post(target).header("content-type", "text/plain; charset=utf-8");
    let answer = request.timeout(VALIDATION_TIME).send().await;
    let answer = answer.map_err(|error| failed(&format!("There was no answer: {error}.")))?;
    let status = answer.status();
    let media_type = answer.headers().get("content-type").and_then(|value| value.to_str().ok());
    let is_text = media_type.is_some_and(|value| value.starts_with("text/plain"));
    let body = answer.text().await.unwrap_or_default();
    if status != 200 || !is_text || body != token {
        let why = format!("Expected status 200 and the token as text/plain; got status {status}: '{body}'.");
        return Err(failed(&why));
    }
    Ok(())
}

/// Tells subscribers what has changed, for as long as the services run.
pub(crate) async fn deliver(world: Arc<World>) {
    loop {
        let is_all_told = tell(&world).await;
        if is_all_told {
            world.news.notified().await;
        } else {
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }
}

/// Whether everybody who is subscribed has taken what there was.
async fn tell(world: &World) -> bool {
    let mut is_all_told = true;
    for (id, url, mark, news) in due(world) {
        let is_taken = match news {
            None => true,
            Some(body) => {
                let request = world.http.post(&url).header("content-type", "application/json");
                let answer = request.timeout(DELIVERY_TIME).body(body.to_string()).send().await;
                answer.is_ok_and(|answer| answer.status().is_success())
            }
        };
        let mut state = world.state();
        let known = state.graph.subscriptions.iter_mut().find(|known| known.id == id);
        match known.filter(|_| is_taken) {
            Some(known) => known.mark = mark,
            None => is_all_told &= is_taken,
        }
    }
    is_all_told
}

/// Subscription, where it is told, the mark after that, and what is to be told.
fn due(world: &World) -> Vec<(String, String, usize, Option<Value>)> {
    let now = world.now();
    let mut state = world.state();
    let state = &mut *state;
    state.graph.subscriptions.retain(|known| now < known.expires);
    let users = &state.objects.users;
    let behind = state.graph.subscriptions.iter().filter(|known| known.mark < users.mark());
    behind
        .map(|known| {
            let wanted = users.changed_since(known.mark).filter(|(_, row)| known.wants(row));
            let news: Vec<_> = wanted.map(|(_, row)| known.notification(world, row)).collect();
            let news = (!news.is_empty()).then(|| json!({"value": news}));
            (known.id.clone(), known.url.clone(), users.mark(), news)
        })
        .collect()
}
