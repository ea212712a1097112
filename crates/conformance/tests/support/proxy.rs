//! A proxy that lets everything through but for what is broken in it.

use std::{
    fmt::Write as _,
    io::{self, Read as _, Write as _},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
};

/// A request as it came.
pub struct Incoming {
    pub method: String,
    /// The request target, raw.
    pub target: String,
    /// The request line and the header fields, as they came.
    pub head: String,
    pub body: Vec<u8>,
    raw: Vec<u8>,
}

/// A response.
#[derive(Debug, Clone)]
pub struct Outgoing {
    pub status: u16,
    pub media_type: String,
    pub body: Vec<u8>,
    pub more: Vec<(String, String)>,
    /// Otherwise it ends with the connection.
    pub tells_length: bool,
}

impl Outgoing {
    pub fn new(status: u16, media_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            media_type: media_type.to_owned(),
            body: body.into(),
            more: Vec::new(),
            tells_length: true,
        }
    }
}

impl Incoming {
    /// The query of the target.
    pub fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// Asks the server behind.
    pub fn forward(&self, upstream: &str) -> io::Result<Outgoing> {
        let mut stream = TcpStream::connect(upstream)?;
        // Whoever refuses early reads no further; its answer counts all the same.
        let sent = stream.write_all(&self.raw);
        let mut answer = Vec::new();
        let received = stream.read_to_end(&mut answer);
        outgoing(&answer)
            .ok_or_else(|| sent.and(received.map(drop)).err().unwrap_or(io::ErrorKind::UnexpectedEof.into()))
    }
}

/// Serves until it is dropped.
pub struct Proxy {
    /// `http://` and where it listens.
    pub base: String,
    address: std::net::SocketAddr,
    stopped: Arc<AtomicBool>,
}

impl Proxy {
    /// Answers every request by `answer`; no answer cuts the connection.
    pub fn start(answer: impl Fn(&Incoming) -> Option<Outgoing> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stopped = Arc::new(AtomicBool::new(false));
        let (ended, answer) = (Arc::clone(&stopped), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(stream), answer) = (stream, Arc::clone(&answer)) else { continue };
                thread::spawn(move || drop(serve(stream, &*answer)));
            }
        });
        Self { base: format!("http://{address}"), address, stopped }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the listener.
        drop(TcpStream::connect(self.address));
    }
}

fn serve(mut stream: TcpStream, answer: &dyn Fn(&Incoming) -> Option<Outgoing>) -> io::Result<()> {
    let Some(request) = incoming(&mut stream)? else { return Ok(()) };
    if let Some(outgoing) = answer(&request) {
        let mut head = format!("HTTP/1.1 {} X\r\nContent-Type: {}\r\n", outgoing.status, outgoing.media_type);
        for (name, value) in &outgoing.more {
            write!(head, "{name}: {value}\r\n").unwrap();
        }
        if outgoing.tells_length {
            write!(head, "Content-Length: {}\r\n", outgoing.body.len()).unwrap();
        }
        head.push_str("Connection: close\r\n\r\n");
        stream.write_all(&[head.as_bytes(), &outgoing.body].concat())?;
    }
    stream.shutdown(Shutdown::Both)
}

fn incoming(stream: &mut TcpStream) -> io::Result<Option<Incoming>> {
    let mut raw = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    let (mut end, mut searched) = (None, 0_usize);
    while end.is_none() {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Ok(None);
        }
        raw.extend_from_slice(&buffer[..read]);
        let from = searched.saturating_sub(3);
        end = raw[from..].windows(4).position(|window| window == b"\r\n\r\n").map(|at| from + at + 4);
        searched = raw.len();
    }
    let end = end.unwrap();
    let head = String::from_utf8_lossy(&raw[..end]).into_owned();
    let length = field(&head, "content-length").and_then(|text| text.parse().ok()).unwrap_or(0);
    while raw.len() < end + length {
        let read = stream.read(&mut buffer)?;
        if read == 0 {
            return Ok(None);
        }
        raw.extend_from_slice(&buffer[..read]);
    }
    let mut line = head.split(' ');
    let [method, target] = [line.next(), line.next()].map(|word| word.unwrap_or_default().to_owned());
    Ok(Some(Incoming { method, target, head, body: raw[end..].to_vec(), raw }))
}

fn outgoing(answer: &[u8]) -> Option<Outgoing> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split(' ').nth(1)?.parse().ok()?;
    if (100..200).contains(&status) {
        return outgoing(&answer[end..]);
    }
    let media_type = field(&head, "content-type").unwrap_or_default();
    let framing = ["content-type", "content-length", "connection"];
    let more = head.lines().skip(1).filter_map(|line| line.split_once(": "));
    let more = more
        .filter(|(name, _)| !framing.contains(&name.to_ascii_lowercase().as_str()))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    Some(Outgoing { status, media_type, body: answer[end..].to_vec(), more, tells_length: true })
}

/// The value of a header field.
pub fn field(head: &str, name: &str) -> Option<String> {
    let mut fields = head.lines().skip(1).filter_map(|line| line.split_once(':'));
    fields.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim().to_owned())
}
