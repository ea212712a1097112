//! A SCIM service that knows every user, for measuring a responder that asks one: `GET /Users/{id}`; `POST
//! /Users/{id}/disable` and `/enable` change what it says. Not strict, and not a test's counterpart: it is to cost little.

use std::{
    collections::HashSet,
    convert::Infallible,
    io,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode, body::Incoming, server::conn::http1, service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

type Disabled = Arc<Mutex<HashSet<String>>>;

fn main() -> io::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        println!("http://{}/ (process {})", listener.local_addr()?, std::process::id());
        let disabled = Disabled::default();
        loop {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            let disabled = Arc::clone(&disabled);
            let service = service_fn(move |request| {
                let answer = answer(&request, &disabled);
                async move { Ok::<_, Infallible>(answer) }
            });
            let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
            tokio::spawn(async { drop(connection.await) });
        }
    })
}

fn answer(request: &Request<Incoming>, disabled: &Disabled) -> Response<Full<Bytes>> {
    let path = request.uri().path().strip_prefix("/Users").and_then(|rest| rest.strip_prefix('/'));
    let path = path.unwrap_or_default();
    let mut disabled = disabled.lock().unwrap_or_else(PoisonError::into_inner);
    match (request.method(), path.split_once('/')) {
        (&Method::GET, None) => {
            let active = !disabled.contains(path);
            let text = format!(r#"{{"id":"{path}","userName":"{path}@example.com","active":{active}}}"#);
            Response::new(Full::new(text.into()))
        }
        (&Method::POST, Some((id, "disable"))) => {
            disabled.insert(id.into());
            Response::default()
        }
        (&Method::POST, Some((id, "enable"))) => {
            disabled.remove(id);
            Response::default()
        }
        _ => {
            let mut response = Response::default();
            *response.status_mut() = StatusCode::NOT_FOUND;
            response
        }
    }
}
