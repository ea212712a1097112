//! How much a peer may take, and for how long.

use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::TokioTimer;

/// The limits of one [`Listener`](crate::Listener). Start from `default()` and set fields.
///
/// ```
/// # use {http_listener::ListenerLimits, std::time::Duration};
/// let limits = ListenerLimits { max_connections_per_ip: None, ..ListenerLimits::default() };
/// assert_eq!(limits.header_timeout, Duration::from_secs(10));
/// ```
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update")]
pub struct ListenerLimits {
    /// Time for the whole header of a request, counted from the moment the connection stands or the answer before
    /// is sent. So it also bounds how long a kept-alive connection may idle. Default 10 s.
    pub header_timeout: Duration,
    /// Time without one octet of an answer being taken by the peer. Default 10 s.
    pub write_timeout: Duration,
    /// Octets of request line and header fields together; more is answered 431. The default of 32 KiB leaves room
    /// for a request target of 16 KiB. Also the most that is buffered per connection when larger than 64 KiB.
    pub max_header_bytes: usize,
    /// Header fields; more is answered 431. Default 64.
    pub max_headers: usize,
    /// Open connections. Further ones wait in the backlog of the socket until one closes. Default 1024.
    pub max_connections: usize,
    /// Open connections from one IPv4 address or IPv6 /64; further ones are closed at once. Default 64. `None` when a
    /// proxy or balancer stands in front, whose address all connections then share.
    pub max_connections_per_ip: Option<usize>,
    /// Time for requests in flight when asked to stop; what is left then is cut off. Default 10 s.
    pub drain_timeout: Duration,
}

impl Default for ListenerLimits {
    fn default() -> Self {
        Self {
            header_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(10),
            max_header_bytes: 32 * 1024,
            max_headers: 64,
            max_connections: 1024,
            max_connections_per_ip: Some(64),
            drain_timeout: Duration::from_secs(10),
        }
    }
}

impl ListenerLimits {
    /// hyper's settings that enforce these.
    pub(crate) fn http(&self) -> http1::Builder {
        const BUFFER: usize = 64 * 1024;
        let mut http = http1::Builder::new();
        // Without a timer hyper's header timeout is silently off.
        http.timer(TokioTimer::new())
            .header_read_timeout(self.header_timeout)
            .max_header_size(self.max_header_bytes)
            .max_headers(self.max_headers)
            .max_buf_size(self.max_header_bytes.max(BUFFER));
        http
    }
}
