//! The listening socket.

use std::{convert::Infallible, error::Error, io, net::SocketAddr, sync::Arc, time::Duration};

use hyper::{
    Request, Response,
    body::{Body, Incoming},
    service::Service,
};
use tokio::{
    net::{TcpListener, ToSocketAddrs},
    sync::watch,
};

use crate::{
    ListenerLimits,
    connection::{self, Phase, Shared},
    handshake::{Handshake, Plain},
    slots::Slots,
};

/// A bound socket, ready to serve.
#[derive(Debug)]
pub struct Listener {
    socket: TcpListener,
    address: SocketAddr,
    limits: ListenerLimits,
}

impl Listener {
    /// Binds to the first of `address` that can be had; port 0 lets the system choose one. Peers may connect from
    /// then on and wait for [`Listener::serve`].
    pub async fn bind(address: impl ToSocketAddrs, limits: ListenerLimits) -> io::Result<Self> {
        Self::of(TcpListener::bind(address).await?, limits)
    }

    /// Takes over a socket that listens already, as service managers hand them out.
    pub fn from_std(socket: std::net::TcpListener, limits: ListenerLimits) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        Self::of(TcpListener::from_std(socket)?, limits)
    }

    fn of(socket: TcpListener, limits: ListenerLimits) -> io::Result<Self> {
        let address = socket.local_addr()?;
        Ok(Self { socket, address, limits })
    }

    /// Where it listens, with the port that the system chose.
    pub fn local_addr(&self) -> SocketAddr {
        self.address
    }

    /// Hands every request to `service` until `shutdown` completes. Then stops accepting, lets requests in flight
    /// finish for as long as [`ListenerLimits::drain_timeout`] says, cuts off the rest, and returns.
    ///
    /// Dropping the future cuts everything off at once. Must run within a tokio runtime with time and I/O enabled.
    pub async fn serve<S, B>(self, service: S, shutdown: impl Future<Output = ()>)
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Send + Sync + 'static,
        S::Future: Send,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        self.serve_over(Plain, service, shutdown).await;
    }

    /// The same, over what `handshake` makes of each connection.
    pub async fn serve_over<S, H, B>(self, handshake: H, service: S, shutdown: impl Future<Output = ()>)
    where
        S: Service<Request<Incoming>, Response = Response<B>> + Send + Sync + 'static,
        S::Future: Send,
        S::Error: Into<Box<dyn Error + Send + Sync>>,
        H: Handshake,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let Self { socket, limits, .. } = self;
        let shared = Arc::new(Shared {
            service,
            handshake,
            handshake_timeout: limits.header_timeout,
            http: limits.http(),
            write_timeout: limits.write_timeout,
        });
        let slots = Slots::new(limits.max_connections, limits.max_connections_per_ip);
        let phase = watch::Sender::new(Phase::Serving);
        tokio::select! {
            () = shutdown => {}
            never = accept(&socket, &shared, &slots, &phase) => match never {},
        }
        drop(socket);
        drain(&phase, limits.drain_timeout).await;
    }
}

/// Accepts for ever; every connection becomes a task of its own.
async fn accept<S, H, B>(
    socket: &TcpListener,
    shared: &Arc<Shared<S, H>>,
    slots: &Slots,
    phase: &watch::Sender<Phase>,
) -> Infallible
where
    S: Service<Request<Incoming>, Response = Response<B>> + Send + Sync + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn Error + Send + Sync>>,
    H: Handshake,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    loop {
        let permit = slots.room().await;
        match socket.accept().await {
            Ok((stream, peer)) => {
                if let Some(slot) = slots.take(permit, peer.ip()) {
                    tokio::spawn(connection::run(Arc::clone(shared), stream, peer, phase.subscribe(), slot));
                } else {
                    tracing::debug!(%peer, "closed: this address has as many connections as it may");
                }
            }
            Err(error) => back_off(&error).await,
        }
    }
}

/// Waits after a failed accept, unless only the peer of that one connection is to blame. Out of descriptors, say,
/// trying again at once would fail at once, and spin.
async fn back_off(error: &io::Error) {
    const PAUSE: Duration = Duration::from_millis(100);
    let peers_fault = matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted | io::ErrorKind::ConnectionReset | io::ErrorKind::Interrupted
    );
    if !peers_fault {
        tracing::warn!(%error, "connections cannot be accepted now; trying again");
        tokio::time::sleep(PAUSE).await;
    }
}

async fn drain(phase: &watch::Sender<Phase>, time: Duration) {
    phase.send_replace(Phase::Draining);
    // Every connection holds a receiver for as long as it lives.
    if tokio::time::timeout(time, phase.closed()).await.is_err() {
        tracing::warn!(connections = phase.receiver_count(), "cut off: not finished when asked to stop");
        phase.send_replace(Phase::Ended);
        phase.closed().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_process_out_of_descriptors_backs_off_and_an_aborted_peer_costs_nothing() {
        let start = tokio::time::Instant::now();
        back_off(&io::ErrorKind::ConnectionAborted.into()).await;
        assert_eq!(start.elapsed(), Duration::ZERO);
        let out_of_descriptors = io::Error::from_raw_os_error(24);
        back_off(&out_of_descriptors).await;
        assert!(start.elapsed() >= Duration::from_millis(100));
    }
}
