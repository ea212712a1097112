//! What hyper alone costs: a server that reads a body and sends an empty reply. Everything we serve is compared to it.

use std::{convert::Infallible, error::Error, hint::black_box, io, net::SocketAddr, sync::Arc, thread};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::{
    Request, Response,
    body::{Body, Incoming},
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::rt::TokioIo;
use pki_core::SigningKey;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpListener,
    runtime,
    task::LocalSet,
};

use crate::{
    Operation, Run,
    connection::{Connection, is_whole, post},
};

/// The operations of this group.
pub const OPERATIONS: &[Operation] = &[
    Operation {
        name: "hyper/empty reply, in memory",
        prepare: || in_memory(service_fn(empty), small_request()),
    },
    Operation { name: "hyper/empty reply over loopback", prepare: empty_reply },
];

fn small_request() -> Vec<u8> {
    post("localhost", "/", "application/octet-stream", &[0; 100])
}

fn empty_reply() -> Run {
    let address = in_background(empty_replies);
    let mut connection = Connection::open(address).expect("connects");
    let request = small_request();
    Run::same(move || {
        let reply = connection.exchange(&request).expect("a reply");
        assert_eq!(reply.status, 200);
    })
}

/// Hyper and what it serves without sockets, so that every instruction can be counted: client and server take turns on one
/// thread, and the client does as little as it can.
pub(crate) fn in_memory<S, B>(service: S, request: Vec<u8>) -> Run
where
    S: Service<Request<Incoming>, Response = Response<B>> + 'static,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    B: Body + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let (mut client, server) = tokio::io::duplex(64 * 1024);
    let tasks = LocalSet::new();
    tasks.spawn_local(async {
        drop(http1::Builder::new().serve_connection(TokioIo::new(server), service).await);
    });
    let (mut received, mut first) = (vec![0; 64 * 1024], None);
    Run::same(move || {
        tasks.block_on(&runtime, async {
            client.write_all(&request).await.expect("a server");
            // Hyper writes a small reply at once.
            let length = client.read(&mut received).await.expect("a reply");
            let reply = received.get(..length).unwrap_or_default();
            let first = *first.get_or_insert_with(|| {
                assert!(is_whole(reply), "a reply in pieces");
                length
            });
            // Signatures differ by an octet or two.
            assert!(reply.starts_with(b"HTTP/1.1 200") && length.abs_diff(first) < 8, "another reply");
        });
    })
}

/// Serves on a port of its own, on a thread of its own, for as long as the process lives.
pub fn in_background<F>(serve: fn(TcpListener) -> F) -> SocketAddr
where
    F: Future<Output = ()> + 'static,
{
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    listener.set_nonblocking(true).expect("a socket that does not block");
    thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async { serve(TcpListener::from_std(listener).expect("a listener")).await });
    });
    address
}

/// Answers everything with nothing.
pub async fn empty_replies(listener: TcpListener) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(empty));
        tokio::spawn(async { drop(connection.await) });
    }
}

/// Answers everything with nothing, but for one signature that it makes and forgets: what the two cost in one process,
/// where they drive each other out of the caches.
pub async fn signing_replies(listener: TcpListener, key: Arc<dyn SigningKey>) {
    while let Ok((stream, _)) = listener.accept().await {
        let _ = stream.set_nodelay(true);
        let key = Arc::clone(&key);
        let signed = service_fn(move |request| {
            let key = Arc::clone(&key);
            async move {
                drop(black_box(key.sign(&[7; 200]).await));
                empty(request).await
            }
        });
        let connection = http1::Builder::new().serve_connection(TokioIo::new(stream), signed);
        tokio::spawn(async { drop(connection.await) });
    }
}

async fn empty(request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, Infallible> {
    drop(request.into_body().collect().await);
    Ok(Response::new(Empty::new()))
}

/// Serves empty replies at `address` until the process ends, with as many threads as a server of ours; for each one
/// signature by `signing` is made and forgotten.
pub fn serve_empty_replies(address: &str, signing: Option<Arc<dyn SigningKey>>) -> io::Result<()> {
    let runtime = runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        println!("http://{}/ (process {})", listener.local_addr()?, std::process::id());
        match signing {
            Some(key) => signing_replies(listener, key).await,
            None => empty_replies(listener).await,
        }
        Ok(())
    })
}
