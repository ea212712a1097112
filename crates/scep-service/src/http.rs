//! HTTP around the service ([RFC 8894 §4](https://www.rfc-editor.org/rfc/rfc8894#section-4)).

use std::{borrow::Cow, convert::Infallible, error::Error, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use http_listener::{BodyError, PeerAddr, read_body};
use hyper::{
    Method as HttpMethod, Request, Response, StatusCode,
    body::Body,
    header::{ALLOW, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER},
    http::request::Parts as Head,
    service::Service,
};
use pki_core::BoxFuture;
use scep_proto::{
    Method, Operation, TransportError, limits::MAX_MESSAGE_LEN, next_ca_certificates::NEXT_CA_CERT_MEDIA_TYPE,
};

use crate::{Origin, ScepError, ScepService, audit};

/// The longest request target, in octets; longer is answered 414. A message of an RSA-4096 requester with a long
/// challenge has about 12 KiB in base64.
pub(crate) const MAX_TARGET_LEN: usize = 16 * 1024;

/// For the whole body of a POST.
const BODY_TIME: Duration = Duration::from_secs(30);

/// What a client is told to wait when the key's home is away.
const KEY_AWAY: Duration = Duration::from_secs(30);

impl<B> Service<Request<B>> for ScepService
where
    B: Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    type Response = Response<Full<Bytes>>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn call(&self, request: Request<B>) -> Self::Future {
        let service = self.clone();
        Box::pin(async move {
            let (head, body) = request.into_parts();
            Ok(service.respond(&head, body).await.unwrap_or_else(Refusal::into_response))
        })
    }
}

impl ScepService {
    async fn respond<B>(&self, head: &Head, body: B) -> Result<Response<Full<Bytes>>, Refusal>
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let method = match head.method {
            HttpMethod::GET => Method::Get,
            HttpMethod::POST => Method::Post,
            _ => return Err(Refusal::Method("GET, POST")),
        };
        let target = head.uri.path_and_query().map_or(0, |target| target.as_str().len());
        if target > MAX_TARGET_LEN {
            return Err(Refusal::TargetTooLong);
        }
        let body = match method {
            Method::Get => Bytes::new(),
            Method::Post => read_body(body, MAX_MESSAGE_LEN, BODY_TIME).await?,
        };
        // The query as it came over the wire: clients disagree about what in it is encoded, and how.
        let query = head.uri.query().map(str::as_bytes);
        let (operation, tolerated) = Operation::parse_with(method, query, &body, self.tolerances())?;
        self.count_tolerated(tolerated);
        if method == Method::Post && !matches!(operation, Operation::PkiOperation(_)) {
            return Err(Refusal::Method("GET"));
        }
        match operation {
            // Without a charset, which old clients stumble over.
            Operation::GetCaCaps => {
                self.metrics().inspect(|metrics| metrics.got_ca_caps());
                Ok(ok("text/plain", self.capabilities()))
            }
            Operation::GetCaCert => {
                self.metrics().inspect(|metrics| metrics.got_ca_cert());
                let (media_type, body) = self.certificates();
                Ok(ok(media_type, body))
            }
            Operation::GetNextCaCert => {
                let body = self.next_certificates().ok_or(Refusal::NoNextCa)?;
                self.metrics().inspect(|metrics| metrics.got_next_ca_cert());
                Ok(ok(NEXT_CA_CERT_MEDIA_TYPE, body))
            }
            Operation::PkiOperation(message) => {
                let origin = self.origin(head);
                match self.pki_operation(&message, origin.clone()).await {
                    Ok(reply) => Ok(ok("application/x-pki-message", reply.into())),
                    Err(error) => Err(self.refusal(&origin, error)),
                }
            }
        }
    }

    fn origin(&self, head: &Head) -> Origin {
        let peer = head.extensions.get::<PeerAddr>().map(|peer| peer.0);
        let source = peer.map(|peer| self.trusted_proxies().client(peer.ip(), &head.headers));
        Origin { path: head.uri.path().to_owned(), peer, source }
    }

    fn refusal(&self, origin: &Origin, error: ScepError) -> Refusal {
        let correlation = self.correlation();
        audit::failed(origin, &error, &correlation);
        Refusal::Scep { error, correlation }
    }
}

fn ok(media_type: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

/// A request that no CertRep answers.
#[derive(Debug)]
enum Refusal {
    /// Another method than those, comma-separated.
    Method(&'static str),
    TargetTooLong,
    Body(BodyError),
    NotAnOperation(TransportError),
    NoNextCa,
    Scep {
        error: ScepError,
        correlation: String,
    },
}

impl From<BodyError> for Refusal {
    fn from(error: BodyError) -> Self {
        Self::Body(error)
    }
}

impl From<TransportError> for Refusal {
    fn from(error: TransportError) -> Self {
        Self::NotAnOperation(error)
    }
}

impl Refusal {
    /// The only place that turns what went wrong into HTTP.
    fn into_response(self) -> Response<Full<Bytes>> {
        let (status, header, text) = self.wording();
        let mut response = Response::new(Full::new(Bytes::from(format!("{text}\n"))));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
        headers.extend(header);
        response
    }

    fn wording(&self) -> (StatusCode, Option<(HeaderName, HeaderValue)>, Cow<'static, str>) {
        let wait = |after: Duration| {
            let seconds = after.as_secs().saturating_add(u64::from(after.subsec_nanos() > 0));
            Some((RETRY_AFTER, HeaderValue::from(seconds.max(1))))
        };
        match self {
            Self::Method(allowed) => (
                StatusCode::METHOD_NOT_ALLOWED,
                Some((ALLOW, HeaderValue::from_static(allowed))),
                format!("expected the method {allowed}").into(),
            ),
            Self::TargetTooLong => (
                StatusCode::URI_TOO_LONG,
                None,
                format!("expected a request target of at most {MAX_TARGET_LEN} octets; send by POST").into(),
            ),
            Self::Body(error) => (body_status(error), None, error.to_string().into()),
            Self::NotAnOperation(error) => (StatusCode::BAD_REQUEST, None, error.to_string().into()),
            Self::NoNextCa => (StatusCode::NOT_FOUND, None, "this CA has no next certificate yet".into()),
            Self::Scep { error: error @ ScepError::NotScep(_), .. } => {
                (StatusCode::BAD_REQUEST, None, error.to_string().into())
            }
            Self::Scep { error: ScepError::TooMany(after), .. } => (
                StatusCode::TOO_MANY_REQUESTS,
                wait(*after),
                "too many requests: wait before the next one".into(),
            ),
            Self::Scep { error: ScepError::TryLater(after), .. } => {
                (StatusCode::SERVICE_UNAVAILABLE, wait(*after), "no decision can be made now".into())
            }
            Self::Scep { error: ScepError::KeyUnavailable(_), correlation } => (
                StatusCode::SERVICE_UNAVAILABLE,
                wait(KEY_AWAY),
                format!("the CA cannot answer now ({correlation})").into(),
            ),
            Self::Scep { error: ScepError::Internal(_), correlation } => (
                StatusCode::INTERNAL_SERVER_ERROR,
                None,
                format!("something went wrong at the CA; its log tells more under {correlation}").into(),
            ),
        }
    }
}

fn body_status(error: &BodyError) -> StatusCode {
    match error {
        BodyError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        BodyError::TimedOut { .. } => StatusCode::REQUEST_TIMEOUT,
        _ => StatusCode::BAD_REQUEST,
    }
}
