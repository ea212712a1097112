//! One connection, from its first octet to its end.

use std::{error::Error, net::SocketAddr, pin::pin, sync::Arc, time::Duration};

use hyper::{
    Request, Response,
    body::{Body, Incoming},
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, sync::watch};

use crate::{handshake::Handshake, slots::Slot, stalling::Stalling};

/// Whom a request came from; in the extensions of every request that a [`Listener`](crate::Listener) hands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the address says it all")]
pub struct PeerAddr(pub SocketAddr);

/// What the listener asks of its connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Serving,
    /// Finish what is in flight, take nothing new.
    Draining,
    /// End now.
    Ended,
}

/// What all connections of a listener share.
#[derive(Debug)]
pub(crate) struct Shared<S, H> {
    pub(crate) service: S,
    pub(crate) handshake: H,
    pub(crate) handshake_timeout: Duration,
    pub(crate) http: http1::Builder,
    pub(crate) write_timeout: Duration,
}

/// Serves `stream` until either side is done with it. Holds `_slot` as long.
pub(crate) async fn run<S, H, B>(
    shared: Arc<Shared<S, H>>,
    stream: TcpStream,
    peer: SocketAddr,
    mut phase: watch::Receiver<Phase>,
    _slot: Slot,
) where
    S: Service<Request<Incoming>, Response = Response<B>>,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    H: Handshake,
    B: Body + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    // Answers are small and whole; waiting to fill a segment only delays them.
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%peer, %error, "TCP_NODELAY could not be set");
    }
    let shaking = tokio::time::timeout(shared.handshake_timeout, shared.handshake.shake(stream));
    let (stream, known) = tokio::select! {
        shaken = shaking => match shaken {
            Ok(Ok(shaken)) => shaken,
            Ok(Err(error)) => return tracing::debug!(%peer, %error, "the handshake failed"),
            Err(_) => return tracing::debug!(%peer, "the handshake took too long"),
        },
        // Nothing was begun that is worth finishing.
        _ = phase.changed() => return,
    };
    let io = TokioIo::new(Stalling::new(stream, shared.write_timeout));
    let service = service_fn(|mut request: Request<Incoming>| {
        if !known.is_empty() {
            request.extensions_mut().extend(known.clone());
        }
        request.extensions_mut().insert(PeerAddr(peer));
        shared.service.call(request)
    });
    let mut connection = pin!(shared.http.serve_connection(io, service));
    loop {
        tokio::select! {
            ended = connection.as_mut() => return log(peer, ended),
            changed = phase.changed() => match changed.map(|()| *phase.borrow_and_update()) {
                Ok(Phase::Serving) => {}
                Ok(Phase::Draining) => connection.as_mut().graceful_shutdown(),
                Ok(Phase::Ended) | Err(_) => return,
            },
        }
    }
}

fn log(peer: SocketAddr, ended: hyper::Result<()>) {
    if let Err(error) = ended {
        // A peer that is slow, gone or talks no HTTP is no news to the operator.
        tracing::debug!(%peer, %error, "connection ended early");
    }
}
