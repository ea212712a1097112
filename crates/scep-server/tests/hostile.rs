//! What attackers try, against the real process.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::TcpStream,
    sync::Barrier,
    thread,
    time::Duration,
};

use pki_core::Certificate;
use scep_proto::FailInfo;
use support::{
    Server,
    device::{self, Device, Reply},
    eventually,
};
use testkit::keys;

fn device(server: &Server) -> Device {
    Device::new(&server.data(), keys::rsa(keys::DEVICE_PEM))
}

fn stranger(server: &Server) -> Device {
    Device::new(&server.data(), keys::rsa(keys::STRANGER_PEM))
}

/// Asks for `name` with a new transaction.
fn ask(server: &Server, device: &Device, name: &str, challenge: &str, transaction: &str) -> Reply {
    device.request(name, challenge, transaction).send(&server.address()).unwrap()
}

/// How many certificates the ledger has whose subject has `name` in it.
fn issued(server: &Server, name: &str) -> usize {
    server.succeed(&["cert", "list", "--subject", name]).lines().skip(1).count()
}

fn is_alive(server: &Server) {
    let mut stream = device::connect(&server.address()).unwrap();
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: ca\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
}

#[test]
fn row_01_a_challenge_of_one_device_gets_no_certificate_for_another() {
    let server = Server::start_logged(&[]);
    let (owner, thief) = (device(&server), stranger(&server));
    let challenge = server.challenge("laptop-2");
    let reply = ask(&server, &thief, "demo-laptop", &challenge, "theft");
    assert_eq!(reply, Err(FailInfo::BadRequest));
    // Whoever it was made for needs another one, and learns that way that there was a theft.
    assert_eq!(ask(&server, &owner, "laptop-2", &challenge, "late"), Err(FailInfo::BadRequest));
    assert_eq!(issued(&server, ""), 0);
    assert!(server.log().contains("challenge-burnt"), "{}", server.log());
    let another = server.challenge("laptop-2");
    ask(&server, &owner, "laptop-2", &another, "anew").unwrap();
}

#[test]
fn row_13_one_challenge_and_two_hundred_requests_at_once() {
    const REQUESTS: usize = 200;
    let server = Server::start();
    let challenge = server.challenge("laptop-2");
    let devices = [device(&server), stranger(&server)];
    let prepare = |number: usize| devices[number % 2].request("laptop-2", &challenge, &number.to_string());
    let requests: Vec<_> = (0..REQUESTS).map(prepare).collect();
    let (address, ready) = (server.address(), Barrier::new(REQUESTS));
    let replies: Vec<Reply> = thread::scope(|scope| {
        let send = |request: &device::Prepared| {
            let stream = device::connect(&address).unwrap();
            ready.wait();
            let (status, body) = device::post(stream, request.message()).unwrap();
            assert_eq!(status, 200, "{}", String::from_utf8_lossy(&body));
            request.read(&body)
        };
        let threads: Vec<_> = requests.iter().map(|request| scope.spawn(move || send(request))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(replies.iter().filter(|reply| reply.is_ok()).count(), 1);
    let refused = replies.iter().filter(|reply| **reply == Err(FailInfo::BadRequest));
    assert_eq!(refused.count(), REQUESTS - 1);
    assert_eq!(issued(&server, ""), 1);
}

#[test]
fn row_14_a_replay_gets_the_same_certificate_and_another_request_in_its_place_none() {
    let server = Server::start();
    let (device, challenge) = (device(&server), server.challenge("laptop-2"));
    let csr = device.csr("laptop-2", &challenge);
    let request = device.pkcs_req(&csr, "one");
    let first = request.send(&server.address()).unwrap().unwrap();
    // The same octets, and the same request in a message with other nonces.
    for again in [&request, &device.pkcs_req(&csr, "one")] {
        let certificate = again.send(&server.address()).unwrap().unwrap();
        assert_eq!(certificate.as_der(), first.as_der());
    }
    // The challenge of the other request is not spent by a transaction that is not its own.
    let other = server.challenge("demo-laptop");
    assert_eq!(ask(&server, &device, "demo-laptop", &other, "one"), Err(FailInfo::BadRequest));
    assert_eq!(issued(&server, ""), 1);
    ask(&server, &device, "demo-laptop", &other, "two").unwrap();
    // Nor is a transaction of another key's this one.
    let stolen = stranger(&server).request("laptop-2", &challenge, "one");
    assert_eq!(stolen.send(&server.address()).unwrap(), Err(FailInfo::BadRequest));
}

#[test]
fn row_44_an_object_that_is_disabled_or_gone_gets_no_certificate() {
    let server = Server::start_logged(&[]);
    let (device, challenge) = (device(&server), server.challenge("laptop-2"));
    let changes = |number| {
        let log = || server.log().matches("the directory file has changed").count().to_string();
        assert_eq!(eventually(log, |count| count == format!("{number}")), format!("{number}"));
    };
    server.set_state("laptop-2", "disabled");
    changes(1);
    assert_eq!(ask(&server, &device, "laptop-2", &challenge, "one"), Err(FailInfo::BadRequest));
    assert!(server.log().contains("object-disabled"), "{}", server.log());
    server.set_state("laptop-2", "gone");
    changes(2);
    assert_eq!(ask(&server, &device, "laptop-2", &challenge, "two"), Err(FailInfo::BadRequest));
    assert!(server.log().contains("object-unknown"), "{}", server.log());
    assert_eq!(issued(&server, ""), 0);
}

/// Resident memory, in KiB.
fn resident(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// `depth` definite lengths, each of the whole rest.
fn definite_nest(depth: usize) -> Vec<u8> {
    let mut length = 0;
    let mut lengths: Vec<usize> = (0..depth)
        .map(|_| {
            let inner = length;
            length += if inner < 128 { 2 } else { 4 };
            inner
        })
        .collect();
    lengths.reverse();
    let header = |inner: usize| match u16::try_from(inner).unwrap().to_be_bytes() {
        [0, short @ ..128] => vec![0x30, short],
        [high, low] => vec![0x30, 0x82, high, low],
    };
    lengths.into_iter().flat_map(header).collect()
}

#[test]
fn rows_31_and_32_nests_and_lengths_are_refused_and_cost_nothing() {
    let server = Server::start();
    let address = server.address();
    let bodies: Vec<(u16, Vec<u8>)> = [
        (400, vec![0x30, 0x84, 0x7F, 0xFF, 0xFF, 0xFF]),
        (400, vec![0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF]),
        (400, vec![0x30, 0x88, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
        (400, vec![0x30, 0xFF]),
        (400, vec![]),
    ]
    .into_iter()
    .chain([33, 65, 4_100, 32_000].map(|depth| (400, [0x30, 0x80].repeat(depth))))
    .chain([65, 4_100].map(|depth| (400, [0x24, 0x80].repeat(depth))))
    .chain([33, 65, 4_100, 16_000].map(|depth| (400, definite_nest(depth))))
    .collect();
    let round = || {
        for (expected, body) in &bodies {
            let (status, said) = device::post(device::connect(&address).unwrap(), body).unwrap();
            assert_eq!(status, *expected, "{} octets: {}", body.len(), String::from_utf8_lossy(&said));
        }
    };
    // More than is read at all: the answer may get lost when the connection is closed upon what was not read.
    let endless = [0x30, 0x80].repeat(50_000);
    let refused = device::post(device::connect(&address).unwrap(), &endless);
    assert!(refused.is_err() || refused.is_ok_and(|(status, _)| status == 413));

    (0..5).for_each(|_| round());
    let before = resident(&server);
    (0..40).for_each(|_| round());
    let grown = resident(&server).saturating_sub(before);
    assert!(grown < 4 * 1024, "{grown} KiB more");
    is_alive(&server);
}

#[test]
fn row_63_half_a_header_keeps_no_connection() {
    let server = Server::start_with(&[("SCEP_SERVER__LIMITS__HEADER_SECONDS", "1")]);
    let half = b"POST /scep?operation=PKIOperation HTTP/1.1\r\nHost: ca\r\nContent-";
    let mut idle: Vec<TcpStream> = (0..20).map(|_| device::connect(&server.address()).unwrap()).collect();
    for stream in &mut idle {
        stream.write_all(half).unwrap();
    }
    // One that sends an octet now and then, to look busy.
    let mut busy = device::connect(&server.address()).unwrap();
    busy.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    let closed = (0..50).any(|_| {
        let sent = busy.write_all(b"G");
        sent.is_err() || !would_block(busy.read(&mut [0; 512]))
    });
    assert!(closed, "an octet now and then keeps a connection open for 5 s");
    for mut stream in idle {
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        // The server may say 408 first.
        let mut rest = Vec::new();
        let end = stream.read_to_end(&mut rest);
        assert!(!would_block(end), "still open after 5 s");
        assert!(!rest.starts_with(b"HTTP/1.1 2"), "{}", String::from_utf8_lossy(&rest));
    }
    is_alive(&server);
}

fn would_block(result: std::io::Result<usize>) -> bool {
    result.is_err_and(|error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut))
}

/// Would end the line, add one of its own, clear the screen and write from right to left.
const FORGERY: &str = "x\r\n{\"level\":\"ERROR\",\"message\":\"forged\"}\n2026-11-21T00:00:00Z ERROR forged\u{1b}[2J\u{9b}2J\u{7f}\u{0}";

/// Has `FORGERY` logged in every place that a stranger can put it, and returns the log.
fn log_of_forgeries(format: &str) -> String {
    let variables = [("SCEP_SERVER__LOG__FORMAT", format), ("SCEP_SERVER__LOG__FILTER", "debug")];
    let server = Server::start_logged(&variables);
    let (device, challenge) = (device(&server), server.challenge("laptop-2"));
    for (name, challenge) in
        [(FORGERY, &*challenge), (FORGERY, FORGERY), ("laptop-2", FORGERY), (FORGERY, "")]
    {
        let reply = ask(&server, &device, name, challenge, "forgery");
        assert_eq!(reply, Err(FailInfo::BadRequest));
    }
    // In the path, as far as HTTP has room for it.
    let mut stream = device::connect(&server.address()).unwrap();
    let path = "/scep/%0D%0A%1B[2J\u{9b}?operation=PKIOperation&message=x%0D%0A";
    write!(stream, "GET {path} HTTP/1.1\r\nHost: ca\r\nConnection: close\r\n\r\n").unwrap();
    drop(stream.read_to_end(&mut Vec::new()));
    // The log has the last of it once a later request is answered.
    is_alive(&server);
    server.log()
}

#[test]
fn row_66_no_log_line_is_a_strangers() {
    for format in ["json", "text"] {
        let log = log_of_forgeries(format);
        let raw: Vec<char> = log.chars().filter(|c| c.is_control() && *c != '\n').collect();
        assert!(raw.is_empty(), "{format}: {raw:?} in\n{log}");
        assert!(log.contains("forged"), "{format}: nothing of it was logged:\n{log}");
        for line in log.lines() {
            let looks_right = match format {
                "json" => {
                    let value: serde_json::Value = serde_json::from_str(line).unwrap();
                    value["message"] != "forged" && value["timestamp"].is_string()
                }
                _ => line.starts_with("20") && !line.starts_with("2026-11-21T00:00:00Z"),
            };
            assert!(looks_right, "{format}: {line}");
        }
    }
}

fn hex(text: &str) -> String {
    let digit = |digit: u8| char::from_digit(digit.into(), 16).unwrap();
    text.bytes().flat_map(|octet| [digit(octet >> 4), digit(octet & 15)]).collect()
}

/// Every way that a challenge is written, and every secret file, line by line.
fn secrets(server: &Server, challenges: &[&str]) -> Vec<String> {
    let files = ["ca.key.pem", "ra.key.pem", "serial-0.key", "challenge.key"];
    let lines = files.iter().flat_map(|name| {
        let text = std::fs::read_to_string(server.data().join(name)).unwrap();
        text.lines().map(str::to_owned).collect::<Vec<_>>()
    });
    let challenges = challenges.iter().flat_map(|text| {
        [(*text).to_owned(), text.replace('-', ""), format!("{:?}", text.as_bytes()), hex(text)]
    });
    let secrets = lines.chain(challenges).chain(["PRIVATE KEY".into()]);
    // The last line of a PEM file may be so short that it is anywhere.
    secrets.filter(|secret| secret.len() >= 11).collect()
}

#[test]
fn row_67_the_log_tells_no_secret_even_at_trace() {
    let server = Server::start_logged(&[("SCEP_SERVER__LOG__FILTER", "trace")]);
    let trial = server.url("One-time challenge").to_owned();
    let [other, wrong] = ["laptop-2", "laptop-2"].map(|name| server.challenge(name));
    let device = device(&server);
    let certificate: Certificate = ask(&server, &device, "demo-laptop", &trial, "one").unwrap();
    ask(&server, &device, "laptop-2", &other, "two").unwrap();
    ask(&server, &device, "demo-laptop", &wrong, "three").unwrap_err();
    ask(&server, &device, "demo-laptop", &wrong, "four").unwrap_err();
    ask(&server, &device, "demo-laptop", "NOT-A-CHALLENGE", "five").unwrap_err();
    let serial = certificate.serial_number().unwrap().to_string();
    server.succeed(&["cert", "revoke", &serial, "--reason", "keyCompromise"]);
    // What only the noisiest log has: a peer that talks no HTTP.
    let mut stream = device::connect(&server.address()).unwrap();
    stream.write_all(b"\0\r\n\r\n").unwrap();
    drop(stream.read_to_end(&mut Vec::new()));
    eventually(|| server.log(), |log| log.contains("DEBUG"));

    let secrets = secrets(&server, &[&trial, &other, &wrong, "NOT-A-CHALLENGE"]);
    let (banner, log) = (server.banner.clone(), server.log());
    assert!(log.contains("DEBUG") && log.contains(&serial), "the log tells too little to judge by:\n{log}");
    let (_, printed) = server.interrupt();
    for secret in &secrets {
        assert!(!log.to_lowercase().contains(&secret.to_lowercase()), "{secret} in the log");
        assert!(!printed.contains(secret), "{secret} was printed");
        // The banner has the challenge that it offers, on its line and in the command.
        let expected = if *secret == trial { 2 } else { 0 };
        assert_eq!(banner.matches(&**secret).count(), expected, "{secret} in the banner");
    }
}
