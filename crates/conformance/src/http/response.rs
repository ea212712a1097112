//! Responses as they came.

/// A response, its body taken out of whatever framing it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// The names and values of the header, in the order and spelling received.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// Whether more may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The other end has said all it will.
    Closed,
    /// It may go on.
    Open,
}

const MAX_HEADERS: usize = 64;

impl HttpResponse {
    /// The value of the header field of that name, if there is one.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The media type without its parameters, in lower case.
    pub fn media_type(&self) -> Option<String> {
        let value = self.header("content-type")?;
        Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
    }

    /// The first line of the body, for a person.
    pub(crate) fn excerpt(&self) -> String {
        let start = self.body.get(..self.body.len().min(200)).unwrap_or_default();
        String::from_utf8_lossy(start).lines().next().unwrap_or_default().trim().to_owned()
    }

    /// The status and what the body says.
    pub(crate) fn summary(&self) -> String {
        match self.excerpt() {
            text if text.is_empty() || self.body.first() == Some(&0x30) => format!("HTTP {}", self.status),
            text => format!("HTTP {}: {text}", self.status),
        }
    }

    pub(crate) fn retry_after(&self) -> Option<u64> {
        self.header("retry-after")?.trim().parse().ok()
    }

    /// `None` while it is not whole.
    pub(super) fn parse(octets: &[u8], ended: Ended) -> Result<Option<Self>, String> {
        let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut head = httparse::Response::new(&mut fields);
        let length = match head.parse(octets).map_err(|error| error.to_string())? {
            httparse::Status::Partial => return Ok(None),
            httparse::Status::Complete(length) => length,
        };
        let rest = octets.get(length..).unwrap_or_default();
        let status = head.code.unwrap_or_default();
        if (100..200).contains(&status) {
            return Self::parse(rest, ended);
        }
        let headers = head
            .headers
            .iter()
            .map(|field| (field.name.to_owned(), String::from_utf8_lossy(field.value).trim().to_owned()));
        let mut response = Self { status, headers: headers.collect(), body: Vec::new() };
        let body = response.framed(rest, ended)?;
        Ok(body.map(|body| {
            response.body = body;
            response
        }))
    }

    /// The response to a HEAD: whatever follows the header is its body, though none should.
    pub(super) fn head(octets: &[u8]) -> Result<Option<Self>, String> {
        let mut fields = [httparse::EMPTY_HEADER; MAX_HEADERS];
        let mut head = httparse::Response::new(&mut fields);
        match head.parse(octets).map_err(|error| error.to_string())? {
            httparse::Status::Partial => Ok(None),
            httparse::Status::Complete(length) => Ok(Some(Self {
                status: head.code.unwrap_or_default(),
                headers: Vec::new(),
                body: octets.get(length..).unwrap_or_default().to_vec(),
            })),
        }
    }

    fn framed(&self, rest: &[u8], ended: Ended) -> Result<Option<Vec<u8>>, String> {
        if matches!(self.status, 204 | 304) {
            return Ok(Some(Vec::new()));
        }
        if self.header("transfer-encoding").is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
            return unchunked(rest);
        }
        match self.header("content-length") {
            Some(length) => {
                let length: usize = length.parse().map_err(|_| format!("Content-Length: {length}"))?;
                Ok(rest.get(..length).map(<[u8]>::to_vec))
            }
            None => Ok((ended == Ended::Closed).then(|| rest.to_vec())),
        }
    }
}

fn unchunked(mut rest: &[u8]) -> Result<Option<Vec<u8>>, String> {
    let mut body = Vec::new();
    loop {
        let (start, size) = match httparse::parse_chunk_size(rest) {
            Ok(httparse::Status::Complete(found)) => found,
            Ok(httparse::Status::Partial) => return Ok(None),
            Err(_) => return Err("a chunk without a size".into()),
        };
        if size == 0 {
            return Ok(Some(body));
        }
        let Some(end) = usize::try_from(size).ok().and_then(|size| start.checked_add(size)) else {
            return Err("a chunk without an end".into());
        };
        let Some(chunk) = rest.get(start..end) else { return Ok(None) };
        body.extend_from_slice(chunk);
        let Some(after) = rest.get(end.saturating_add(2)..) else { return Ok(None) };
        rest = after;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, ended: Ended) -> Option<HttpResponse> {
        HttpResponse::parse(text.as_bytes(), ended).unwrap()
    }

    #[test]
    fn each_framing_gives_the_body() {
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2;x=y\r\nlo\r\n0\r\n\r\n",
            "HTTP/1.0 200 OK\r\n\r\nhello",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        ] {
            assert_eq!(parse(text, Ended::Closed).unwrap().body, b"hello", "{text}");
        }
    }

    #[test]
    fn what_is_cut_short_is_not_whole() {
        for text in [
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
            "HTTP/1.1 200 OK\r\n",
        ] {
            assert_eq!(parse(text, Ended::Closed), None, "{text}");
        }
        assert_eq!(parse("HTTP/1.0 200 OK\r\n\r\nhello", Ended::Open), None);
        assert!(HttpResponse::parse(b"\x30\x82\x00\x01", Ended::Closed).is_err());
    }

    #[test]
    fn media_types_are_read_without_parameters() {
        let text = "HTTP/1.1 200 OK\r\nContent-Type: Text/Plain; charset=utf-8\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(parse(text, Ended::Closed).unwrap().media_type().unwrap(), "text/plain");
    }
}
