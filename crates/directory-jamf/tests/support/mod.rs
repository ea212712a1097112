//! A service with a few users.

use std::{
    collections::HashMap,
    convert::Infallible,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;

/// Answers by target; everything else is not found, in the words of SCIM.
pub type Pages = Arc<Mutex<HashMap<String, (u16, String)>>>;

pub const NOT_FOUND: &str =
    r#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"detail":"not found","status":"404"}"#;

pub async fn serve(pages: Pages) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let pages = Arc::clone(&pages);
            let service = service_fn(move |request: Request<Incoming>| {
                let page = pages.lock().unwrap().get(&request.uri().to_string()).cloned();
                let (status, body) = page.unwrap_or_else(|| (404, NOT_FOUND.into()));
                let response = Response::builder().status(status).body(Full::new(Bytes::from(body)));
                std::future::ready(Ok::<_, Infallible>(response.unwrap()))
            });
            let http = hyper::server::conn::http1::Builder::new();
            tokio::spawn(async move { http.serve_connection(TokioIo::new(stream), service).await });
        }
    });
    url
}
