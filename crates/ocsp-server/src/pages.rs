//! What is answered besides OCSP: health and metrics.

use std::{convert::Infallible, fmt, future::ready, sync::Arc};

use bytes::Bytes;
use directory::GuardedDirectory;
use http_body_util::Full;
use hyper::{
    Method, Request, Response, StatusCode,
    body::Incoming,
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
    service::Service,
};
use ocsp_service::OcspService;
use pki_core::{BoxFuture, Clock};
use prometheus_client::{encoding::text::encode, registry::Registry};

use crate::{NotificationPages, register_directories};

type Reply = Response<Full<Bytes>>;

/// `/healthz`, `/readyz` and `/metrics` of a responder, or some of them. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Pages {
    ocsp: OcspService,
    metrics: Option<Arc<Registry>>,
}

impl Pages {
    /// All of them.
    pub(crate) fn new(ocsp: OcspService, directories: Vec<GuardedDirectory>, clock: Arc<dyn Clock>) -> Self {
        let mut registry = Registry::default();
        ocsp.metrics().register(&mut registry);
        register_directories(&mut registry, directories, clock);
        Self { ocsp, metrics: Some(Arc::new(registry)) }
    }

    /// The same without `/metrics`.
    pub(crate) fn without_metrics(&self) -> Self {
        Self { ocsp: self.ocsp.clone(), metrics: None }
    }

    /// The page of that raw target; `None` where there is none.
    fn page(&self, method: &Method, target: &str) -> Option<Reply> {
        let page = match target {
            "/healthz" => text(StatusCode::OK, "alive\n".into()),
            "/readyz" => match self.ocsp.readiness() {
                Ok(()) => text(StatusCode::OK, "ready\n".into()),
                Err(reason) => text(StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
            },
            "/metrics" => shown(self.metrics.as_deref()?),
            _ => return None,
        };
        Some(if matches!(*method, Method::GET | Method::HEAD) { page } else { only_get() })
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pages(metrics: {})", self.metrics.is_some())
    }
}

/// What one listener answers: pages, notifications, and the responder under each of its paths. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Routes {
    pages: Pages,
    /// The longest path first.
    responders: Arc<[OcspService]>,
    notifications: NotificationPages,
}

impl Routes {
    pub(crate) fn new(pages: Pages, responders: Vec<OcspService>) -> Self {
        Self { pages, responders: responders.into(), notifications: NotificationPages::default() }
    }

    /// The same, to which services tell of changes.
    pub(crate) fn with_notifications(self, notifications: NotificationPages) -> Self {
        Self { notifications, ..self }
    }
}

impl Service<Request<Incoming>> for Routes {
    type Response = Reply;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Reply, Infallible>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let target = request.uri().path_and_query().map_or("", |target| target.as_str());
        // First, for a responder at the root owns every target. No request's base64 is as short as these.
        if let Some(page) = self.pages.page(request.method(), target) {
            return Box::pin(ready(Ok(page)));
        }
        if self.notifications.owns(request.uri().path()) {
            let answering = self.notifications.answer(request);
            return Box::pin(async { Ok(answering.await) });
        }
        match self.responders.iter().find(|responder| responder.owns(target)) {
            Some(responder) => responder.call(request),
            None => Box::pin(ready(Ok(text(StatusCode::NOT_FOUND, "there is nothing here\n".into())))),
        }
    }
}

fn shown(registry: &Registry) -> Reply {
    const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let mut shown = String::new();
    if encode(&mut shown, registry).is_err() {
        return text(StatusCode::INTERNAL_SERVER_ERROR, "the metrics cannot be shown\n".into());
    }
    let mut reply = text(StatusCode::OK, shown);
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(OPEN_METRICS));
    reply
}

fn only_get() -> Reply {
    let mut reply = text(StatusCode::METHOD_NOT_ALLOWED, "this can be read with GET only\n".into());
    reply.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    reply
}

fn text(status: StatusCode, text: String) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from(text)));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}
