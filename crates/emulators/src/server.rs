//! From sockets to services.

use std::{sync::Arc, time::Duration};

use http_listener::read_body;
use hyper::{Response, body::Incoming};

use crate::{
    Fault, Service, control, entra, graph,
    http::{Asked, NoAnswer, Reply, ReplyBody},
    intune, jamf, scim,
    world::{Request, World},
};

/// A longer request is refused, in octets.
const MAX_BODY: usize = 8 << 20;
const BODY_TIME: Duration = Duration::from_secs(30);

/// Answers one request, or ends the connection.
pub(crate) async fn serve(
    world: Arc<World>,
    service: Service,
    request: hyper::Request<Incoming>,
) -> Result<Response<ReplyBody>, NoAnswer> {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str()).to_owned();
    let (parts, body) = request.into_parts();
    let Ok(body) = read_body(body, MAX_BODY, BODY_TIME).await else { return Err(NoAnswer) };
    let host = parts.headers.get("host").and_then(|host| host.to_str().ok());
    let base = host.map_or_else(|| world.url(service).to_owned(), |host| format!("http://{host}"));
    let asked = Asked::new(parts.method, &target, parts.headers, body, base);
    let reply = faulty(&world, service, &asked).await;
    let status = reply.as_ref().map_or(0, |reply| reply.status);
    let method = asked.method.to_string();
    world.remember(Request { service, method, target, status });
    reply.map(Reply::into_response)
}

/// The answer, with what is to go wrong.
async fn faulty(world: &Arc<World>, service: Service, asked: &Asked) -> Result<Reply, NoAnswer> {
    let fault = world.fault(service, &asked.path).filter(|_| service != Service::Control);
    Ok(match fault {
        None => answer(world, service, asked).await,
        Some(Fault::Slow(time)) => {
            tokio::time::sleep(time).await;
            answer(world, service, asked).await
        }
        Some(Fault::Truncated) => answer(world, service, asked).await.truncated(),
        Some(Fault::Empty) => {
            let asked = Asked { is_blind: true, ..asked.clone() };
            answer(world, service, &asked).await
        }
        Some(Fault::Reset) => return Err(NoAnswer),
        Some(Fault::Page(status)) => Reply::page(status),
        Some(Fault::Garbage) => Reply::of(200, "application/json", "{\"value\": [}\u{0}\u{7f}"),
        Some(Fault::Throttled { retry_after }) => {
            let reply = refusal(world, service, asked, 429);
            match retry_after {
                Some(seconds) => reply.with("retry-after", seconds.to_string()),
                None => reply,
            }
        }
        Some(Fault::Status(status)) => refusal(world, service, asked, status),
        Some(Fault::Code(code)) => intune::verdict(&code, "The emulator was told to say so."),
    })
}

async fn answer(world: &Arc<World>, service: Service, asked: &Asked) -> Reply {
    match service {
        Service::Entra => entra::answer(world, asked),
        Service::Graph => graph::answer(world, asked).await,
        Service::Intune => intune::answer(world, asked),
        Service::Jamf => jamf::answer(world, asked),
        Service::Scim => scim::answer(world, asked),
        Service::Control => control::answer(world, asked).await,
    }
}

/// The service's own words for a status.
fn refusal(world: &World, service: Service, asked: &Asked, status: u16) -> Reply {
    match service {
        Service::Entra => entra::refusal(world, status),
        Service::Graph => graph::refusal(world, asked, status),
        Service::Intune | Service::Control => intune::refusal(world, status),
        Service::Jamf => jamf::refusal(status),
        Service::Scim => scim::refusal(status),
    }
}
