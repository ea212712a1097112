//! What hyper alone costs: a server that reads a body and sends an empty reply. Everything we serve is compared to it.

use std::{convert::Infallible, io, net::SocketAddr, thread};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty};
use hyper::{Request, Response, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, runtime};

use crate::{
    Operation, Run,
    connection::{Connection, post},
};

/// The operations of this group.
pub const OPERATIONS: &[Operation] =
    &[Operation { name: "hyper/empty reply over loopback", prepare: empty_reply }];

fn empty_reply() -> Run {
    let address = in_background(empty_replies);
    let mut connection = Connection::open(address).expect("connects");
    let request = post("localhost", "/", "application/octet-stream", &[0; 100]);
    Run::same(move || {
        let reply = connection.exchange(&request).expect("a reply");
        assert_eq!(reply.status, 200);
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

async fn empty(request: Request<Incoming>) -> Result<Response<Empty<Bytes>>, Infallible> {
    drop(request.into_body().collect().await);
    Ok(Response::new(Empty::new()))
}

/// Serves empty replies at `address` until the process ends, with as many threads as a server of ours.
pub fn serve_empty_replies(address: &str) -> io::Result<()> {
    let runtime = runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let listener = TcpListener::bind(address).await?;
        println!("http://{}/ (process {})", listener.local_addr()?, std::process::id());
        empty_replies(listener).await;
        Ok(())
    })
}
