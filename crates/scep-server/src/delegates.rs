//! Certifies delegates for responders that run elsewhere.

use std::{path::Path, sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::Full;
use http_listener::{BodyError, read_body};
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
};
use keys_software::{AwsLc, create_secret, load_secret};
use ocsp_server::{
    DelegateIssuer, DelegateRefused, ServerError, Shown,
    delegate_token::{DelegateToken, PATH},
};
use pki_core::{BoxFuture, Clock, SecureRandom as _};

use crate::pages::Reply;

/// How long a responder may take to send its request.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// `POST /ocsp-delegate/FINGERPRINT`, for whoever has the token. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct DelegateEndpoint(Arc<ByToken>);

#[derive(Debug)]
struct ByToken {
    issuer: DelegateIssuer,
    token: DelegateToken,
    clock: Arc<dyn Clock>,
}

impl DelegateEndpoint {
    pub(crate) fn new(issuer: DelegateIssuer, token: DelegateToken, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(ByToken { issuer, token, clock }))
    }

    /// The CA that a path, without its leading slash, asks for a delegate; `None` when it asks for something else.
    pub(crate) fn ca_of(path: &str) -> Option<&str> {
        path.strip_prefix(PATH)?.strip_prefix('/')
    }

    /// Answers a request to that CA.
    pub(crate) fn answer(&self, ca: &str, request: Request<Incoming>) -> BoxFuture<'static, Reply> {
        let (endpoint, ca) = (self.clone(), ca.to_owned());
        Box::pin(async move { endpoint.certify(&ca, request).await })
    }

    async fn certify(&self, ca: &str, request: Request<Incoming>) -> Reply {
        let authorization = request.headers().get(AUTHORIZATION).cloned();
        let authorization = authorization.as_ref().and_then(|value| value.to_str().ok()).unwrap_or_default();
        let body = match receive(request).await {
            Ok(body) => body,
            Err(reply) => return reply,
        };
        let ByToken { issuer, token, clock } = &*self.0;
        told(issuer.answer(ca, &body, Shown::Token(token, authorization, clock.now())).await)
    }
}

/// The body of a request for a delegate, or the answer to what is none.
pub(crate) async fn receive(request: Request<Incoming>) -> Result<Bytes, Reply> {
    if *request.method() != Method::POST {
        return Err(text(StatusCode::METHOD_NOT_ALLOWED, "a certification request is sent by POST"));
    }
    let body = read_body(request.into_body(), DelegateIssuer::MAX_REQUEST, BODY_TIMEOUT).await;
    body.map_err(|error| match error {
        BodyError::TooLarge { .. } => text(StatusCode::PAYLOAD_TOO_LARGE, "too long a request"),
        _ => text(StatusCode::BAD_REQUEST, "the body ends before it should"),
    })
}

/// The reply to a request for a delegate.
pub(crate) fn told(answer: Result<Vec<u8>, DelegateRefused>) -> Reply {
    match answer {
        Ok(der) => reply(StatusCode::OK, "application/pkix-cert", der.into()),
        Err(refused) => {
            tracing::warn!(%refused, "no responder certificate is issued");
            let status = StatusCode::from_u16(refused.status()).unwrap_or(StatusCode::FORBIDDEN);
            reply(status, "text/plain; charset=utf-8", refused.to_string().into())
        }
    }
}

/// Reads the token, or makes one where there is none yet.
pub(crate) fn read_token(path: &Path) -> Result<DelegateToken, ServerError> {
    match load_secret(path) {
        Err(error) if error.is_not_found() => {
            let mut secret = zeroize::Zeroizing::new([0; 32]);
            AwsLc.fill(&mut *secret)?;
            create_secret(path, &secret)?;
            Ok(DelegateToken::new(secret))
        }
        secret => Ok(DelegateToken::new(secret?)),
    }
}

fn text(status: StatusCode, text: &'static str) -> Reply {
    reply(status, "text/plain; charset=utf-8", Bytes::from_static(text.as_bytes()))
}

fn reply(status: StatusCode, media_type: &'static str, body: Bytes) -> Reply {
    let mut reply = Response::new(Full::new(body));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}
