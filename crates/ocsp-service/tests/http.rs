//! OCSP over real connections, by programs that were not made here.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests"
)]

mod support;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use keys_software::AwsLc;
use ocsp_proto::{ErrorStatus, Response, get_url, http_date};
use ocsp_service::{OcspParts, OcspService};
use pki_core::{Clock, CrlReason, SystemClock, UnixTime};
use revocation::Standing;
use support::{SERIAL, Table, Told, file, keeper, question, request, wall_table};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// A responder at a port of its own, until the test ends.
struct Server {
    address: SocketAddr,
    table: Arc<Table>,
    clock: Arc<dyn Clock>,
}

impl Server {
    async fn start(settings: impl FnOnce(OcspService) -> OcspService) -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let table = wall_table(clock.clone());
        let keeper = keeper("ca", "delegate", "delegate", clock.clone()).await.unwrap();
        let parts = OcspParts { issuers: vec![keeper], source: table.clone(), clock: clock.clone() };
        let service = settings(OcspService::new(parts));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let connection =
                    http1::Builder::new().serve_connection(TokioIo::new(stream), service.clone());
                tokio::spawn(connection);
            }
        });
        Self { address, table, clock }
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Sends these octets, and reads to the end of the connection.
    async fn raw(&self, octets: &[u8]) -> Reply {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(octets).await.unwrap();
        let mut all = Vec::new();
        tokio::time::timeout(Duration::from_secs(10), stream.read_to_end(&mut all)).await.unwrap().unwrap();
        Reply::new(&all)
    }

    async fn get(&self, target: &str) -> Reply {
        self.send("GET", target, "", b"").await
    }

    async fn post(&self, target: &str, body: &[u8]) -> Reply {
        let headers = format!("Content-Type: application/ocsp-request\r\nContent-Length: {}\r\n", body.len());
        self.send("POST", target, &headers, body).await
    }

    async fn send(&self, method: &str, target: &str, headers: &str, body: &[u8]) -> Reply {
        let head = format!("{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
        self.raw(&[head.as_bytes(), body].concat()).await
    }
}

#[derive(Debug)]
struct Reply {
    head: String,
    body: Vec<u8>,
}

impl Reply {
    fn new(all: &[u8]) -> Self {
        let end = all.windows(4).position(|window| window == b"\r\n\r\n").expect("a head") + 4;
        Self { head: String::from_utf8(all[..end].to_vec()).unwrap(), body: all[end..].to_vec() }
    }

    fn status(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn is_error(&self, status: ErrorStatus) -> bool {
        self.body == Response::error(status).as_der() && self.header("cache-control") == Some("no-store")
    }
}

/// What a client makes of the reply.
fn believed(reply: &Reply, serial: &[u8]) -> bool {
    question(serial).verify(&reply.body, SystemClock.now(), Duration::from_secs(1), &AwsLc).is_ok()
}

async fn openssl(arguments: Vec<String>) -> String {
    let run = move || {
        let output = testkit::try_run_in(std::path::Path::new("."), "openssl", arguments);
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
    };
    tokio::task::spawn_blocking(run).await.unwrap()
}

// clause: RFC 6960 1, 2, 5, 14, 48
// clause: RFC 9919 96
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn openssl_is_told_the_truth() {
    let server = Server::start(|service| service).await;
    let ca = file("pki/ca.pem").display().to_string();
    let at = UnixTime(1_767_323_045);
    for (standing, told) in [
        (Standing::Good, "good"),
        (Standing::Hold { since: at }, "certificateHold"),
        (Standing::Good, "good"),
        (Standing::Revoked { since: at, reason: CrlReason::KeyCompromise }, "keyCompromise"),
        (Standing::NotMine, "unknown"),
    ] {
        server.table.write(Told::Standing(standing));
        for options in
            [["-nonce", "-sha1"], ["-no_nonce", "-sha1"], ["-nonce", "-sha256"], ["-no_nonce", "-sha256"]]
        {
            let arguments =
                ["ocsp", "-CAfile", &ca, "-issuer", &ca, options[0], options[1], "-serial", "0x30010203"];
            let mut arguments: Vec<_> = arguments.map(String::from).into();
            arguments.extend(["-url".into(), server.url("/")]);
            let text = openssl(arguments).await;
            assert!(text.contains("Response verify OK") && text.contains(told), "{options:?}: {text}");
            assert!(!text.contains("WARNING: no nonce"), "{text}");
        }
    }
}

// clause: RFC 6960 5, 66
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gnutls_is_told_the_truth() {
    let server = Server::start(|service| service).await;
    let file = |name: &str| file(&format!("pki/{name}.pem")).display().to_string();
    for (standing, told) in [
        (Standing::Good, "Certificate Status: good"),
        (
            Standing::Revoked { since: UnixTime(1_767_323_045), reason: CrlReason::KeyCompromise },
            "Certificate Status: revoked",
        ),
    ] {
        server.table.write(Told::Standing(standing));
        let url = server.url("/ocsp/");
        let arguments =
            ["--load-cert", &file("device"), "--load-issuer", &file("ca"), "--load-trust", &file("ca")]
                .map(String::from);
        let run = move || {
            let arguments = [vec![format!("--ask={url}")], arguments.to_vec()].concat();
            let output = testkit::try_run_in(std::path::Path::new("."), "ocsptool", arguments);
            String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
        };
        let text = tokio::task::spawn_blocking(run).await.unwrap();
        assert!(text.contains("Verifying OCSP Response: Success") && text.contains(told), "{text}");
    }
}

// clause: RFC 6960 65, 66
// clause: RFC 9919 96, 98
#[tokio::test]
async fn row_37_get_in_any_spelling_is_the_same_as_post() {
    let server = Server::start(|service| service.with_base_path("/ocsp".parse().unwrap())).await;
    let mut with_two_slashes = 0;
    for seed in 0..100_u32 {
        // Digits that make base64 rich in '/' and '+'.
        let serial =
            [&[0x7F, 0xFF, 0xFB, 0xFF][..], &seed.wrapping_mul(0x9E37_79B9).to_be_bytes(), &[0xFF; 6]]
                .concat();
        let asked = question(&serial);
        let posted = server.post("/ocsp", asked.as_der()).await;
        assert!(believed(&posted, &serial));
        let encoded = get_url("/ocsp", asked.as_der());
        let raw = encoded.replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
        with_two_slashes += usize::from(raw.contains("//"));
        let own_alphabet = format!("/ocsp/{}", raw[6..].replace('+', "-").replace('/', "_"));
        let unpadded = raw.trim_end_matches('=').to_string();
        for target in [
            &encoded,
            &raw,
            &format!("/{raw}"),
            &raw.replacen("/ocsp/", "/ocsp//", 1),
            &unpadded,
            &own_alphabet,
        ] {
            let got = server.get(target).await;
            assert_eq!((got.status(), got.body == posted.body), (200, true), "{target}");
        }
    }
    assert!(with_two_slashes > 10, "{with_two_slashes}");
}

// clause: RFC 9919 96
#[tokio::test]
async fn row_61_http_1_0_without_host_is_served() {
    let server = Server::start(|service| service).await;
    let asked = question(SERIAL);
    let head = format!("POST / HTTP/1.0\r\nContent-Length: {}\r\n\r\n", asked.as_der().len());
    let posted = server.raw(&[head.as_bytes(), asked.as_der()].concat()).await;
    assert!(posted.status() == 200 && believed(&posted, SERIAL), "{}", posted.head);
    let got = server.raw(format!("GET {} HTTP/1.0\r\n\r\n", get_url("", asked.as_der())).as_bytes()).await;
    assert!(got.status() == 200 && believed(&got, SERIAL), "{}", got.head);
}

// clause: RFC 6960 67
#[tokio::test]
async fn a_body_may_come_in_pieces_and_after_it_was_waited_for() {
    let server = Server::start(|service| service).await;
    let asked = question(SERIAL);
    let (first, second) = asked.as_der().split_at(40);
    let mut body = format!("{:x}\r\n", first.len()).into_bytes();
    body.extend([first, b"\r\n"].concat());
    body.extend([format!("{:x}\r\n", second.len()).as_bytes(), second, b"\r\n0\r\n\r\n"].concat());
    let chunked = server.send("POST", "/", "Transfer-Encoding: chunked\r\n", &body).await;
    assert!(believed(&chunked, SERIAL), "{}", chunked.head);

    let mut stream = TcpStream::connect(server.address).await.unwrap();
    let length = asked.as_der().len();
    let head = format!(
        "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut interim = [0; 25];
    stream.read_exact(&mut interim).await.unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    stream.write_all(asked.as_der()).await.unwrap();
    let mut all = Vec::new();
    stream.read_to_end(&mut all).await.unwrap();
    assert!(believed(&Reply::new(&all), SERIAL));
}

// clause: RFC 6960 68
// clause: RFC 9919 99, 100, 101, 102
#[tokio::test]
async fn authoritative_answers_tell_caches_how_long_they_last() {
    let server = Server::start(|service| service).await;
    let before = server.clock.now();
    let got = server.get(&get_url("", question(SERIAL).as_der())).await;
    assert_eq!(got.header("content-type"), Some("application/ocsp-response"));
    assert_eq!(got.header("content-length"), Some(&*got.body.len().to_string()));
    let etag = got.header("etag").unwrap();
    assert!(etag.starts_with('"') && etag.len() == 66);
    let cache_control = got.header("cache-control").unwrap();
    let max_age = cache_control.strip_prefix("max-age=").unwrap();
    let (max_age, rest) = max_age.split_once(',').unwrap();
    assert!(
        (267..=300).contains(&max_age.parse::<u32>().unwrap())
            && rest == "public,no-transform,must-revalidate"
    );
    let told =
        question(SERIAL).verify(&got.body, server.clock.now(), Duration::from_secs(1), &AwsLc).unwrap();
    assert!(told.produced_at() >= before);
    assert_eq!(got.header("last-modified").unwrap(), http_date(told.produced_at()));
    assert_eq!(got.header("expires").unwrap(), http_date(told.statuses()[0].next_update.unwrap()));
    assert!(got.header("date").unwrap().ends_with(" GMT"));
    assert_eq!(got.header("pragma"), None);
}

// clause: RFC 9919 99
#[tokio::test]
async fn a_client_that_has_the_answer_already_is_told_so() {
    let server = Server::start(|service| service).await;
    let target = get_url("", question(SERIAL).as_der());
    let etag = server.get(&target).await.header("etag").unwrap().to_string();
    for (known, status) in [
        (etag.clone(), 304),
        (format!("\"x\", {etag}"), 304),
        (format!("W/{etag}"), 304),
        ("*".into(), 304),
        ("\"x\"".into(), 200),
        (etag.trim_matches('"').into(), 200),
    ] {
        let reply = server.send("GET", &target, &format!("If-None-Match: {known}\r\n"), b"").await;
        assert_eq!(reply.status(), status, "{known}");
        assert_eq!(reply.header("etag"), Some(&*etag));
        assert_eq!(reply.body.is_empty(), status == 304);
    }
    let asked = question(SERIAL);
    let headers = format!("If-None-Match: {etag}\r\nContent-Length: {}\r\n", asked.as_der().len());
    assert_eq!(server.send("POST", "/", &headers, asked.as_der()).await.status(), 200);
    let fields = format!("If-None-Match: \"x\"\r\nIf-None-Match: \"y\", {etag}\r\n");
    assert_eq!(
        server.send("GET", &target, &fields, b"").await.status(),
        304,
        "a list may come in two fields"
    );
    let date = server.get(&target).await.header("last-modified").unwrap().to_string();
    let since = format!("If-Modified-Since: {date}\r\n");
    assert_eq!(
        server.send("GET", &target, &since, b"").await.status(),
        200,
        "a second is too long for a status"
    );
}

// clause: RFC 9919 99
#[tokio::test]
async fn head_is_get_without_the_body() {
    let server = Server::start(|service| service).await;
    let target = get_url("", question(SERIAL).as_der());
    let got = server.get(&target).await;
    let head = server.send("HEAD", &target, "", b"").await;
    assert_eq!((head.status(), head.body.len()), (200, 0));
    for name in ["content-type", "content-length", "etag", "expires", "last-modified"] {
        assert_eq!(head.header(name), got.header(name), "{name}");
    }
}

// clause: RFC 9919 102
#[tokio::test]
async fn row_62_what_is_for_one_client_is_not_to_be_stored() {
    let server = Server::start(|service| service).await;
    let asked = question(SERIAL).with_nonce(&[7; 32]).unwrap();
    server.table.write(Told::Standing(Standing::Good));
    let nonce = server.post("/", asked.as_der()).await;
    assert!(asked.verify(&nonce.body, server.clock.now(), Duration::from_secs(1), &AwsLc).is_ok());
    server.table.write(Told::Standing(Standing::NotMine));
    let unknown = server.post("/", question(&[0x31]).as_der()).await;
    server.table.write(Told::Nothing);
    let error = server.post("/", question(SERIAL).as_der()).await;
    assert!(error.is_error(ErrorStatus::TryLater), "{}", error.head);
    for reply in [nonce, unknown, error] {
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        assert_eq!((reply.status(), reply.header("etag"), reply.header("expires")), (200, None, None));
    }
}

// clause: RFC 6960 4, 12, 13
#[tokio::test]
async fn bad_input_gets_a_clear_answer_and_asks_nobody() {
    let server = Server::start(|service| service.with_base_path("/ocsp".parse().unwrap())).await;
    for target in
        ["/ocsp", "/ocsp/", "/ocsp/%", "/ocsp/%zz", "/ocsp/AAAA", "/ocsp/M$", "/ocsp/MEow?x", "/ocsp/%00"]
    {
        let got = server.get(target).await;
        assert!(got.status() == 200 && got.is_error(ErrorStatus::MalformedRequest), "{target}: {}", got.head);
    }
    for body in [&b""[..], b"x", &[0x30, 0x84, 0x7F, 0xFF, 0xFF, 0xFF], &[0x30, 0x80].repeat(4_100)] {
        let posted = server.post("/ocsp", body).await;
        assert!(posted.status() == 200 && posted.is_error(ErrorStatus::MalformedRequest), "{}", posted.head);
    }
    assert_eq!(server.post("/ocspx", b"").await.status(), 404);
    assert_eq!(server.get("/").await.status(), 404);
    let put = server.send("PUT", "/ocsp", "", b"").await;
    assert_eq!((put.status(), put.header("allow")), (405, Some("GET, HEAD, POST")));
    let foreign = server.post("/ocsp", &request("rsa")).await;
    assert!(foreign.status() == 200 && foreign.is_error(ErrorStatus::Unauthorized), "{}", foreign.head);
    assert_eq!(server.table.lookups(), 0);
}

// clause: RFC 6960 64
// clause: RFC 9919 105
#[tokio::test]
async fn row_32_what_is_too_long_is_refused_before_it_is_read() {
    let server = Server::start(|service| service).await;
    let declared =
        server.raw(b"POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 10001\r\n\r\n").await;
    assert!(
        declared.status() == 413 && declared.is_error(ErrorStatus::MalformedRequest),
        "{}",
        declared.head
    );
    let piece = [b"1000\r\n".to_vec(), vec![0x30; 0x1000], b"\r\n".to_vec()].concat();
    let chunked = server.send("POST", "/", "Transfer-Encoding: chunked\r\n", &piece.repeat(3)).await;
    assert_eq!(chunked.status(), 413);
    let largest = server.post("/", &[0x30; 10_000]).await;
    assert_eq!(largest.status(), 200);
    assert_eq!(server.get(&format!("/{}", "A".repeat(16_000))).await.status(), 413);
    assert_eq!(server.get(&format!("/{}", "A".repeat(17_000))).await.status(), 414);
}
