//! What people and machines read about the server: certificates, health, metrics.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Response, StatusCode,
    header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue},
};
use ocsp_service::OcspService;
use pki_core::{Certificate, Clock};
use prometheus_client::{encoding::text::encode, registry::Registry};

use crate::{ca_folder::CaFolder, wiring::certificate_path};

pub(crate) type Reply = Response<Full<Bytes>>;

/// Whether /metrics is among the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Metrics {
    Shown,
    /// They have a listener of their own.
    Elsewhere,
}

/// Pages by path. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Pages {
    content: Arc<Content>,
    metrics: Metrics,
}

struct Content {
    /// Certificates by path, without the leading slash and an ending `.pem`.
    certificates: Vec<(String, Certificate)>,
    /// Those without which nothing can be enrolled.
    needed: Vec<Certificate>,
    ocsp: OcspService,
    clock: Arc<dyn Clock>,
    registry: Registry,
}

impl Pages {
    pub(crate) fn new(
        cas: &[CaFolder],
        ocsp: OcspService,
        clock: Arc<dyn Clock>,
        registry: Registry,
    ) -> Self {
        let at_work = |ca: &CaFolder| ca.current.issuer.certificate().clone();
        let first = cas.first().map(|ca| ("ca".to_owned(), at_work(ca)));
        let named = cas.iter().map(|ca| (format!("ca/{}", ca.id), at_work(ca)));
        let generations = cas.iter().flat_map(CaFolder::generations).map(|generation| {
            let certificate = generation.issuer.certificate();
            (certificate_path(certificate), certificate.clone())
        });
        let content = Content {
            certificates: first.into_iter().chain(named).chain(generations).collect(),
            needed: cas.iter().flat_map(|ca| [at_work(ca), ca.current.ra_certificate.clone()]).collect(),
            ocsp,
            clock,
            registry,
        };
        Self { content: Arc::new(content), metrics: Metrics::Shown }
    }

    /// The same without /metrics.
    pub(crate) fn without_metrics(&self) -> Self {
        Self { metrics: Metrics::Elsewhere, ..self.clone() }
    }

    /// The page at `path`, which has no leading slash; `None` where there is none.
    pub(crate) fn page(&self, method: &Method, path: &str) -> Option<Reply> {
        let page = match path {
            "healthz" => text(StatusCode::OK, "alive"),
            "readyz" => self.readiness(),
            "metrics" if self.metrics == Metrics::Shown => self.shown_metrics(),
            path => self.certificate(path)?,
        };
        Some(if matches!(*method, Method::GET | Method::HEAD) { page } else { only_get() })
    }

    fn readiness(&self) -> Reply {
        let Content { needed, ocsp, clock, .. } = &*self.content;
        let now = clock.now();
        if needed.iter().any(|certificate| !certificate.validity().contains(now)) {
            text(StatusCode::SERVICE_UNAVAILABLE, "a certificate of a CA or an RA is not valid now")
        } else {
            match ocsp.readiness() {
                Ok(()) => text(StatusCode::OK, "ready"),
                Err(not_ready) => text(StatusCode::SERVICE_UNAVAILABLE, not_ready.to_string()),
            }
        }
    }

    fn shown_metrics(&self) -> Reply {
        let mut shown = String::new();
        if encode(&mut shown, &self.content.registry).is_err() {
            return text(StatusCode::INTERNAL_SERVER_ERROR, "the metrics cannot be shown");
        }
        let mut reply = Response::new(Full::new(Bytes::from(shown)));
        let media_type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        reply
    }

    fn certificate(&self, path: &str) -> Option<Reply> {
        let (name, is_pem) = path.strip_suffix(".pem").map_or((path, false), |name| (name, true));
        let (_, certificate) = self.content.certificates.iter().find(|(known, _)| known == name)?;
        Some(if is_pem {
            document("application/x-pem-file", certificate.to_pem().into_bytes())
        } else {
            document("application/pkix-cert", certificate.as_der().to_vec())
        })
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pages({} certificates, metrics {:?})", self.content.certificates.len(), self.metrics)
    }
}

/// 404.
pub(crate) fn nothing() -> Reply {
    text(StatusCode::NOT_FOUND, "There is nothing here.")
}

/// 405.
pub(crate) fn only_get() -> Reply {
    let mut reply = text(StatusCode::METHOD_NOT_ALLOWED, "This can be read with GET only.");
    reply.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    reply
}

fn document(media_type: &'static str, body: Vec<u8>) -> Reply {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    let mut reply = Response::new(Full::new(Bytes::from(body)));
    *reply.headers_mut() = headers;
    reply
}

/// A page of plain text that nobody keeps.
pub(crate) fn text(status: StatusCode, text: impl Into<Bytes>) -> Reply {
    let mut reply = Response::new(Full::new(text.into()));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

#[cfg(test)]
mod tests {
    use keys_software::KeyAlgorithm;
    use ocsp_service::OcspParts;
    use pki_core::UnixTime;
    use testkit::{FixedClock, block_on};

    use super::*;
    use crate::settings::CaSettings;

    #[test]
    fn a_server_whose_ca_has_expired_is_not_ready() {
        let folder = tempfile::tempdir().unwrap();
        let settings = CaSettings { key: KeyAlgorithm::P256, ..CaSettings::default() };
        let ca = block_on(CaFolder::open_or_make(folder.path(), &settings)).unwrap();
        let end = ca.current.ra_certificate.validity().not_after();
        for (now, expected) in [(end, StatusCode::OK), (UnixTime(end.0 + 1), StatusCode::SERVICE_UNAVAILABLE)]
        {
            let clock: Arc<dyn Clock> = Arc::new(FixedClock::new(now));
            let source = Arc::new(revocation::AllSources::new(Vec::new()));
            let ocsp = OcspService::new(OcspParts { issuers: Vec::new(), source, clock: Arc::clone(&clock) });
            let pages = Pages::new(std::slice::from_ref(&ca), ocsp, clock, Registry::default());
            assert_eq!(pages.page(&Method::GET, "readyz").unwrap().status(), expected, "{now}");
            assert_eq!(pages.page(&Method::GET, "healthz").unwrap().status(), StatusCode::OK);
        }
    }
}
