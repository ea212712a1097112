//! Accepts HTTP/1.1 and 1.0 connections for a [`hyper::service::Service`]: timers set, sizes capped, connections
//! counted, stopped without cutting anybody off.
//!
//! ```no_run
//! # use {http_body_util::Full, bytes::Bytes, hyper::{Request, Response, body::Incoming, service::service_fn}};
//! # use http_listener::{Listener, ListenerLimits, PeerAddr, read_body};
//! # async fn example() -> std::io::Result<()> {
//! let listener = Listener::bind("127.0.0.1:8080", ListenerLimits::default()).await?;
//! println!("http://{}/", listener.local_addr());
//! let echo = service_fn(|request: Request<Incoming>| async {
//!     let peer = request.extensions().get::<PeerAddr>().copied();
//!     let body = read_body(request.into_body(), 65_536, std::time::Duration::from_secs(10)).await?;
//!     println!("{} octets from {peer:?}", body.len());
//!     Ok::<_, http_listener::BodyError>(Response::new(Full::new(body)))
//! });
//! listener.serve(echo, async { tokio::time::sleep(std::time::Duration::from_secs(60)).await }).await;
//! # Ok(()) }
//! ```
//!
//! What it stands on: every wait on a peer has an end ([`ListenerLimits`]), and so does every size. HTTP/2 is not
//! spoken. TLS ends in front of this, or in a [`Handshake`].

mod body;
mod connection;
mod handshake;
mod limits;
mod listener;
mod slots;
mod stalling;
mod trusted_proxies;

pub use body::{BodyError, read_body};
pub use connection::PeerAddr;
pub use handshake::{Handshake, Plain};
pub use limits::ListenerLimits;
pub use listener::Listener;
pub use slots::source_of;
pub use trusted_proxies::{NotAPrefix, TrustedProxies};
