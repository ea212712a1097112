//! Requests and answers.

use std::{
    convert::Infallible,
    io,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use hyper::{
    HeaderMap, Method, Response, StatusCode,
    body::{Body, Frame, SizeHint},
    header::{AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue},
};
use serde_json::Value;

/// A request, read to its end.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    /// The path as sent.
    pub(crate) path: String,
    /// What follows the question mark, decoded.
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    /// Where the client thinks that the service is.
    pub(crate) base: String,
    /// The service is to know nobody.
    pub(crate) is_blind: bool,
}

impl Asked {
    /// `target` is path and query.
    pub(crate) fn new(method: Method, target: &str, headers: HeaderMap, body: Bytes, base: String) -> Self {
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let (path, query) = (path.to_owned(), pairs(query));
        Self { method, path, query, headers, body, base, is_blind: false }
    }

    /// The parts of the path, decoded.
    pub(crate) fn segments(&self) -> Vec<String> {
        self.path.split('/').skip(1).map(|segment| decoded(segment, Plus::Itself)).collect()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The first of that name in the query.
    pub(crate) fn param(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(known, _)| known == name).map(|(_, value)| &**value)
    }

    pub(crate) fn bearer(&self) -> Option<&str> {
        let header = self.headers.get(AUTHORIZATION)?.to_str().ok()?;
        let (scheme, token) = header.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(token)
    }

    /// The media type, in lower case and without parameters.
    pub(crate) fn media_type(&self) -> String {
        let header = self.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        header.split(';').next().unwrap_or_default().trim().to_lowercase()
    }

    /// The body as a form; `None` when it says that it is something else.
    pub(crate) fn form(&self) -> Option<Vec<(String, String)>> {
        let is_form = self.media_type() == "application/x-www-form-urlencoded";
        is_form.then(|| pairs(&String::from_utf8_lossy(&self.body)))
    }

    /// The body as a JSON object.
    pub(crate) fn json(&self) -> Option<Value> {
        serde_json::from_slice(&self.body).ok().filter(Value::is_object)
    }
}

/// What `+` stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plus {
    Itself,
    Space,
}

fn pairs(text: &str) -> Vec<(String, String)> {
    let parts = text.split('&').filter(|part| !part.is_empty());
    parts
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decoded(name, Plus::Space), decoded(value, Plus::Space))
        })
        .collect()
}

/// Takes the escapes out ([RFC 3986 §2.1](https://www.rfc-editor.org/rfc/rfc3986#section-2.1)); what is none stays.
fn decoded(text: &str, plus: Plus) -> String {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let escaped = after.get(..2).filter(|_| *first == b'%');
        let escaped = escaped.and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        rest = if escaped.is_some() { after.get(2..).unwrap_or_default() } else { after };
        let plain = if *first == b'+' && plus == Plus::Space { b' ' } else { *first };
        octets.push(escaped.unwrap_or(plain));
    }
    String::from_utf8_lossy(&octets).into_owned()
}

/// An answer.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
    /// How many octets are announced; more than there are when the answer is to be cut off.
    announced: Option<u64>,
}

impl Reply {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self::of(status, "application/json; charset=utf-8", body.to_string())
    }

    pub(crate) fn of(status: u16, media_type: &str, body: impl Into<Bytes>) -> Self {
        let headers = vec![("content-type", media_type.to_owned())];
        Self { status, headers, body: body.into(), announced: None }
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Bytes::new(), announced: None }
    }

    /// What proxies and web servers send in place of the service.
    pub(crate) fn page(status: u16) -> Self {
        let text =
            format!("<html><head><title>{status}</title></head><body>This is a proxy.</body></html>\n");
        Self::of(status, "text/html", text)
    }

    #[must_use]
    pub(crate) fn with(mut self, header: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((header, value.into()));
        self
    }

    /// The first half of it, as if there were more to come.
    #[must_use]
    pub(crate) fn truncated(mut self) -> Self {
        let length = self.body.len();
        self.body.truncate(length.checked_div(2).unwrap_or_default());
        self.announced = Some(u64::try_from(length.max(2)).unwrap_or(u64::MAX));
        self
    }

    pub(crate) fn into_response(self) -> Response<ReplyBody> {
        let length = u64::try_from(self.body.len()).unwrap_or(u64::MAX);
        let missing = self.announced.map_or(0, |announced| announced.saturating_sub(length));
        let data = Some(self.body).filter(|body| !body.is_empty());
        let mut response = Response::new(ReplyBody { data, missing, was_flushed: false });
        *response.status_mut() =
            StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in self.headers {
            // A value from a client may be none for a header.
            if let Ok(value) = HeaderValue::try_from(value) {
                response.headers_mut().append(HeaderName::from_static(name), value);
            }
        }
        response
    }
}

/// The octets of an answer, and how many of those announced will never come.
#[derive(Debug)]
pub(crate) struct ReplyBody {
    data: Option<Bytes>,
    missing: u64,
    was_flushed: bool,
}

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if self.data.is_none() && self.missing > 0 && !self.was_flushed {
            // What there is leaves only when somebody has to wait for more.
            self.was_flushed = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(match self.data.take() {
            Some(data) => Some(Ok(Frame::data(data))),
            None if self.missing > 0 => Some(Err(io::ErrorKind::ConnectionReset.into())),
            None => None,
        })
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && self.missing == 0
    }

    fn size_hint(&self) -> SizeHint {
        let length = self.data.as_ref().map_or(0, Bytes::len);
        SizeHint::with_exact(u64::try_from(length).unwrap_or(u64::MAX).saturating_add(self.missing))
    }
}

/// No answer at all.
#[derive(Debug, thiserror::Error)]
#[error("the connection is to end here")]
pub(crate) struct NoAnswer;

impl From<Infallible> for NoAnswer {
    fn from(never: Infallible) -> Self {
        match never {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_taken_apart() {
        let target = "/v1.0/devices(deviceId='a%27b')/x%2Fy+z?$filter=a+eq%20'b'&n=1%2B1&flag&bad=%zz";
        let asked = Asked::new(Method::GET, target, HeaderMap::new(), Bytes::new(), String::new());
        assert_eq!(asked.segments(), ["v1.0", "devices(deviceId='a'b')", "x/y+z"]);
        assert_eq!(asked.param("$filter"), Some("a eq 'b'"));
        assert_eq!((asked.param("n"), asked.param("flag")), (Some("1+1"), Some("")));
        assert_eq!((asked.param("bad"), asked.param("none")), (Some("%zz"), None));
    }
}
