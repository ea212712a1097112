//! What a peer on a bare socket sees of the listener.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests"
)]

use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use http_listener::{Listener, ListenerLimits, PeerAddr, read_body};
use hyper::{Request, Response, StatusCode, body::Incoming, service::service_fn};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    sync::{Notify, oneshot},
    task::JoinHandle,
    time::timeout,
};

/// Far above anything the tests wait for, so that a slow machine fails nothing.
const PATIENCE: Duration = Duration::from_secs(30);
const SHORT: Duration = Duration::from_millis(150);

struct Running {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<()>,
    /// Lets requests for `/wait` finish.
    go: Arc<Notify>,
    /// Told when a request for `/wait` has come in.
    came: Arc<Notify>,
}

/// Answers with the request line and what came in the body; `/wait` is answered when told so.
async fn start(limits: ListenerLimits) -> Running {
    let listener = Listener::bind("127.0.0.1:0", limits).await.unwrap();
    let address = listener.local_addr();
    let (stop, stopped) = oneshot::channel();
    let (go, came) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (gate, bell) = (Arc::clone(&go), Arc::clone(&came));
    let service = service_fn(move |request: Request<Incoming>| {
        let (gate, bell) = (Arc::clone(&gate), Arc::clone(&bell));
        async move {
            if request.uri().path() == "/wait" {
                bell.notify_one();
                gate.notified().await;
            }
            let peer = request.extensions().get::<PeerAddr>().expect("a peer address").0;
            let line =
                format!("{} {} {:?} {}", request.method(), request.uri(), request.version(), peer.ip());
            let read = read_body(request.into_body(), 1000, SHORT).await;
            let status = if read.is_ok() { StatusCode::OK } else { StatusCode::BAD_REQUEST };
            let text = format!("{line} {} octets", read.unwrap_or_default().len());
            let mut response = Response::new(Full::new(Bytes::from(text)));
            *response.status_mut() = status;
            Ok::<_, Infallible>(response)
        }
    });
    let served = tokio::spawn(listener.serve(service, async {
        let _ = stopped.await;
    }));
    Running { address, stop, served, go, came }
}

fn quick() -> ListenerLimits {
    ListenerLimits { header_timeout: SHORT, drain_timeout: SHORT, ..ListenerLimits::default() }
}

async fn connect(server: &Running) -> TcpStream {
    TcpStream::connect(server.address).await.unwrap()
}

/// All that arrives until the peer closes.
async fn until_closed(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    // A reset is a way of closing, too.
    let _ = timeout(PATIENCE, stream.read_to_end(&mut all)).await.expect("the connection is closed");
    String::from_utf8(all).unwrap()
}

/// Sends `request` on a connection of its own and returns everything that comes back.
async fn exchange(server: &Running, request: &[u8]) -> String {
    let mut stream = connect(server).await;
    stream.write_all(request).await.unwrap();
    until_closed(&mut stream).await
}

/// One answer on a connection that stays open.
async fn answer(stream: &mut TcpStream) -> String {
    let mut all = Vec::new();
    while !all.ends_with(b"octets") {
        let read = timeout(PATIENCE, stream.read_buf(&mut all)).await.expect("an answer").unwrap();
        assert_ne!(read, 0, "closed early after {:?}", String::from_utf8_lossy(&all));
    }
    String::from_utf8(all).unwrap()
}

async fn assert_alive(server: &Running) {
    let text = exchange(server, b"GET /alive HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").await;
    assert!(text.starts_with("HTTP/1.1 200 OK"), "{text}");
}

#[tokio::test]
async fn row_61_http_1_0_without_host_is_answered() {
    let server = start(ListenerLimits::default()).await;
    let text = exchange(&server, b"POST /ocsp HTTP/1.0\r\nContent-Length: 3\r\n\r\nabc").await;
    assert!(text.starts_with("HTTP/1.0 200 OK"), "{text}");
    assert!(text.ends_with("POST /ocsp HTTP/1.0 127.0.0.1 3 octets"), "{text}");
}

#[tokio::test]
async fn row_63_slowloris_half_a_header_is_cut_off() {
    let server = start(quick()).await;
    for half in ["", "GET / HTTP/1.1\r\nHo", "POST / HTTP/1.1\r\nHost: x\r\n"] {
        assert_eq!(exchange(&server, half.as_bytes()).await, "", "{half}");
    }
    assert_alive(&server).await;
}

#[tokio::test]
async fn row_63_slowloris_one_octet_at_a_time_is_cut_off() {
    let server = start(quick()).await;
    let mut stream = connect(&server).await;
    let drip = async {
        let (mut read, mut write) = stream.split();
        let mut sink = [0; 1];
        loop {
            tokio::select! {
                end = read.read(&mut sink) => return end,
                () = tokio::time::sleep(SHORT / 5) => if write.write_all(b"a").await.is_err() { return Ok(0) },
            }
        }
    };
    let end = timeout(PATIENCE, drip).await.expect("cut off though octets keep coming");
    assert!(matches!(end, Ok(0) | Err(_)));
}

#[tokio::test]
async fn row_63_idle_connections_are_closed_after_their_last_answer() {
    let server = start(quick()).await;
    let mut stream = connect(&server).await;
    stream.write_all(b"GET /1 HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert!(answer(&mut stream).await.ends_with("GET /1 HTTP/1.1 127.0.0.1 0 octets"));
    stream.write_all(b"GET /2 HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    assert!(answer(&mut stream).await.ends_with("GET /2 HTTP/1.1 127.0.0.1 0 octets"));
    assert_eq!(until_closed(&mut stream).await, "");
}

#[tokio::test]
async fn row_63_half_a_body_is_answered_and_closed() {
    let server = start(quick()).await;
    let text = exchange(&server, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc").await;
    assert!(text.starts_with("HTTP/1.1 400"), "{text}");
}

#[tokio::test]
async fn row_32_length_bomb_a_body_announced_too_long_is_not_waited_for() {
    let server = start(ListenerLimits::default()).await;
    let text = exchange(&server, b"POST / HTTP/1.1\r\nContent-Length: 2147483647\r\n\r\n").await;
    assert!(text.starts_with("HTTP/1.1 400"), "{text}");
    assert_alive(&server).await;
}

#[tokio::test]
async fn too_long_or_too_many_headers_are_answered_431() {
    let server = start(ListenerLimits::default()).await;
    let long = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}\r\n\r\n", "x".repeat(33 * 1024));
    let endless = format!("GET / HTTP/1.1\r\nHost: x\r\nX: {}", "x".repeat(33 * 1024));
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X: y\r\n".repeat(65));
    for request in [long, endless, many] {
        let text = exchange(&server, request.as_bytes()).await;
        assert!(text.starts_with("HTTP/1.1 431"), "{text}");
    }
    let enough = format!("GET / HTTP/1.1\r\n{}Connection: close\r\n\r\n", "X: y\r\n".repeat(63));
    assert!(exchange(&server, enough.as_bytes()).await.starts_with("HTTP/1.1 200"));
    let target = "a".repeat(16 * 1024);
    let request = format!("GET /{target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert!(exchange(&server, request.as_bytes()).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn row_64_smuggling_ambiguous_framing_is_refused() {
    let server = start(quick()).await;
    for head in [
        "POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        "POST / HTTP/1.1\r\nContent-Length: 3, 4\r\n\r\nabcd",
        "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: +3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nContent-Length: 0x3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\nabc",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nX: a\r\n Content-Length: 3\r\n\r\nabc",
        "POST / HTTP/1.1\r\nX: a\0b\r\n\r\n",
        "POST / HTTP/1.1\r\nX: a\rb\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n\r\n",
        "GET / HTTP/3.0\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        "\x16\x03\x01\x02\0\x01\0\x01\u{fc}\x03\x03",
        "nonsense\r\n\r\n",
    ] {
        let text = exchange(&server, head.as_bytes()).await;
        assert!(text.is_empty() || text.starts_with("HTTP/1.1 400"), "{head:?} gave {text}");
        assert_eq!(text.matches("\r\n\r\n").count(), usize::from(!text.is_empty()), "{head:?} gave {text}");
    }
    assert_alive(&server).await;
}

#[tokio::test]
async fn a_bare_connect_and_close_harms_nothing() {
    let server = start(ListenerLimits::default()).await;
    for _ in 0..20 {
        drop(connect(&server).await);
    }
    assert_alive(&server).await;
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_for_their_turn() {
    let limits = ListenerLimits { max_connections: 2, max_connections_per_ip: None, ..Default::default() };
    let server = start(limits).await;
    let mut first = connect(&server).await;
    let mut second = connect(&server).await;
    let mut third = connect(&server).await;
    for stream in [&mut first, &mut second, &mut third] {
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    }
    answer(&mut first).await;
    answer(&mut second).await;
    assert!(timeout(SHORT, answer(&mut third)).await.is_err(), "served beyond the limit");
    drop(first);
    answer(&mut third).await;
}

#[tokio::test]
async fn one_address_cannot_take_all_connections() {
    let limits = ListenerLimits { max_connections_per_ip: Some(2), ..Default::default() };
    let server = start(limits).await;
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut stream = connect(&server).await;
        stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        answer(&mut stream).await;
        held.push(stream);
    }
    assert_eq!(until_closed(&mut connect(&server).await).await, "");
    held.clear();
    // The server learns of the closing in its own time.
    let again = async {
        loop {
            let mut stream = connect(&server).await;
            stream.write_all(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n").await.unwrap();
            if !until_closed(&mut stream).await.is_empty() {
                return;
            }
        }
    };
    timeout(PATIENCE, again).await.expect("room again");
}

#[tokio::test]
async fn a_stop_lets_requests_in_flight_finish() {
    let server =
        start(ListenerLimits { header_timeout: 2 * PATIENCE, drain_timeout: PATIENCE, ..quick() }).await;
    let mut busy = connect(&server).await;
    busy.write_all(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    server.came.notified().await;
    let mut idle = connect(&server).await;
    server.stop.send(()).unwrap();
    assert_eq!(until_closed(&mut idle).await, "", "idle connections are closed at once");
    assert!(TcpStream::connect(server.address).await.is_err(), "nothing new is accepted");
    server.go.notify_one();
    let text = until_closed(&mut busy).await;
    assert!(text.contains("200 OK") && text.ends_with("0 octets"), "{text}");
    timeout(PATIENCE, server.served).await.expect("serve returns").unwrap();
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let server = start(quick()).await;
    let mut busy = connect(&server).await;
    busy.write_all(b"GET /wait HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    server.came.notified().await;
    server.stop.send(()).unwrap();
    timeout(PATIENCE, server.served).await.expect("serve returns").unwrap();
    assert_eq!(until_closed(&mut busy).await, "");
}
