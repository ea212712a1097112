//! Which service answers which path.

use std::{convert::Infallible, future::ready, sync::Arc};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode,
    body::Incoming,
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
    service::Service,
};
use ocsp_service::OcspService;
use pki_core::{BoxFuture, Certificate};
use scep_service::ScepService;

type Reply = Response<Full<Bytes>>;

/// Everything this server answers, by the path of the raw request target. Cheap to clone.
///
/// | path | answer |
/// |---|---|
/// | a profile's path, and what is below it | SCEP |
/// | the responder's path, and what is below it | OCSP |
/// | `/ca`, `/ca.pem` | the CA's certificate, as DER and as PEM |
/// | `/healthz` | 200 while the process answers |
/// | `/readyz` | 200 while OCSP can be answered, else 503 |
#[derive(Debug, Clone)]
pub(crate) struct Routes(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// The longest path first.
    scep: Vec<(String, ScepService)>,
    ocsp: OcspService,
    ca: Certificate,
}

impl Routes {
    /// SCEP by the path of each profile, OCSP under its own path, and the CA's certificate.
    pub(crate) fn new(mut scep: Vec<(String, ScepService)>, ocsp: OcspService, ca: Certificate) -> Self {
        scep.sort_by_key(|(path, _)| std::cmp::Reverse(path.len()));
        Self(Arc::new(Inner { scep, ocsp, ca }))
    }

    fn scep(&self, target: &str) -> Option<&ScepService> {
        let path = target.split('?').next().unwrap_or_default().trim_start_matches('/');
        self.0.scep.iter().find(|(profile, _)| is_below(path, profile)).map(|(_, service)| service)
    }

    fn page(&self, request: &Request<Incoming>) -> Reply {
        if !matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut reply = text(StatusCode::METHOD_NOT_ALLOWED, "This can be read with GET only.");
            reply.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return reply;
        }
        match request.uri().path() {
            "/ca" => document("application/pkix-cert", self.0.ca.as_der().to_vec()),
            "/ca.pem" => document("application/x-pem-file", self.0.ca.to_pem().into_bytes()),
            "/healthz" => text(StatusCode::OK, "alive"),
            "/readyz" if self.0.ocsp.is_ready() => text(StatusCode::OK, "ready"),
            "/readyz" => text(StatusCode::SERVICE_UNAVAILABLE, "there is no valid OCSP delegate"),
            _ => text(StatusCode::NOT_FOUND, "There is nothing here."),
        }
    }
}

impl Service<Request<Incoming>> for Routes {
    type Response = Reply;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Reply, Infallible>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let target = request.uri().path_and_query().map_or("", |target| target.as_str());
        if self.0.ocsp.owns(target) {
            return self.0.ocsp.call(request);
        }
        if let Some(service) = self.scep(target) {
            return service.call(request);
        }
        Box::pin(ready(Ok(self.page(&request))))
    }
}

fn is_below(path: &str, profile: &str) -> bool {
    let rest = path.strip_prefix(profile.trim_matches('/'));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn document(media_type: &'static str, body: Vec<u8>) -> Reply {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    let mut reply = Response::new(Full::new(Bytes::from(body)));
    *reply.headers_mut() = headers;
    reply
}

fn text(status: StatusCode, text: &'static str) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}
