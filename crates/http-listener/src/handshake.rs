//! What stands between the socket and HTTP.

use std::{
    future::{Future, ready},
    io,
};

use hyper::http::Extensions;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};

/// What is done to a connection before HTTP is spoken on it, such as TLS. It has as long as the header of a request has.
pub trait Handshake: Send + Sync + 'static {
    /// What HTTP is spoken on.
    type Stream: AsyncRead + AsyncWrite + Unpin + Send;

    /// The stream, and what every request on it has in its extensions, such as who the peer is. An error closes the
    /// connection.
    fn shake(&self, stream: TcpStream)
    -> impl Future<Output = io::Result<(Self::Stream, Extensions)>> + Send;
}

/// None: HTTP on the socket itself.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "there is nothing in it")]
pub struct Plain;

impl Handshake for Plain {
    type Stream = TcpStream;

    fn shake(&self, stream: TcpStream) -> impl Future<Output = io::Result<(TcpStream, Extensions)>> + Send {
        ready(Ok((stream, Extensions::new())))
    }
}
