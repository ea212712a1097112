//! One HTTP/1.1 connection that is kept open; as little of a client as will do, so that it costs little itself.

use std::{
    io::{self, Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

/// A connection to a server.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    received: Vec<u8>,
}

/// A reply.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a status and a body")]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: Vec<u8>,
}

impl Connection {
    /// Connects. Whatever takes longer than half a minute from then on fails.
    pub fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(30)))?;
        Ok(Self { stream, received: Vec::with_capacity(16 * 1024) })
    }

    /// Sends the octets of one request, and reads one reply, which must tell its length.
    pub fn exchange(&mut self, request: &[u8]) -> io::Result<Reply> {
        self.stream.write_all(request)?;
        self.received.clear();
        let head = loop {
            if let Some(at) = self.received.windows(4).position(|window| window == b"\r\n\r\n") {
                break at.saturating_add(4);
            }
            self.receive()?;
        };
        let (status, length) = read_head(self.received.get(..head).unwrap_or_default())?;
        let end = head.saturating_add(length);
        while self.received.len() < end {
            self.receive()?;
        }
        Ok(Reply { status, body: self.received.get(head..end).unwrap_or_default().to_vec() })
    }

    fn receive(&mut self) -> io::Result<()> {
        let mut chunk = [0; 16 * 1024];
        match self.stream.read(&mut chunk)? {
            0 => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection")),
            count => {
                self.received.extend_from_slice(chunk.get(..count).unwrap_or_default());
                Ok(())
            }
        }
    }
}

/// A POST of `body` to `path`.
pub fn post(host: &str, path: &str, media_type: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: {media_type}\r\nContent-Length: {length}\r\n\r\n"
    );
    [head.as_bytes(), body].concat()
}

/// A GET of `target`.
pub fn get(host: &str, target: &str) -> Vec<u8> {
    format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes()
}

/// Whether these octets are a whole reply.
pub(crate) fn is_whole(received: &[u8]) -> bool {
    let Some(at) = received.windows(4).position(|window| window == b"\r\n\r\n") else { return false };
    let (head, body) = received.split_at(at.saturating_add(4));
    let (_, length) = read_head(head).expect("a reply");
    body.len() >= length
}

fn read_head(head: &[u8]) -> io::Result<(u16, usize)> {
    let invalid = |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("a reply without {what}"));
    let head = std::str::from_utf8(head).map_err(|_| invalid("an ASCII head"))?;
    let status = head.split(' ').nth(1).and_then(|status| status.parse().ok());
    let length = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    Ok((status.ok_or_else(|| invalid("a status"))?, length.ok_or_else(|| invalid("a Content-Length"))?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_gives_status_and_length() {
        assert_eq!(read_head(b"HTTP/1.1 503 No\r\ncontent-Length: 12\r\n\r\n").unwrap(), (503, 12));
        assert!(read_head(b"HTTP/1.1 200 OK\r\n\r\n").is_err());
    }
}
