//! Which service answers which path.

use std::{cmp::Reverse, convert::Infallible, future::ready, sync::Arc};

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

use crate::{
    ca_folder::CaFolder,
    wiring::{Mounted, certificate_path},
};

type Reply = Response<Full<Bytes>>;

/// Where clients look for a SCEP server that they were told nothing of but its host: RFC 8894 §4.1, NDES.
const PROGRAMS: [&str; 4] =
    ["cgi-bin/pkiclient.exe", "pkiclient.exe", "certsrv/mscep/mscep.dll", "mscep/mscep.dll"];

/// Everything this server answers, by the path of the raw request target. Cheap to clone.
///
/// | path | answer |
/// |---|---|
/// | the responder's path, and what is below it | OCSP |
/// | a profile's path, and what is below it | SCEP |
/// | `/ca`, `/ca/ID` and the same with `.pem` | the certificate of the first CA, of the one of that id |
/// | `/healthz` | 200 while the process answers |
/// | `/readyz` | 200 while OCSP can be answered, else 503 |
/// | `/` with an operation, `/cgi-bin/pkiclient.exe`, `/certsrv/mscep/mscep.dll` and the like | SCEP by the first profile |
///
/// Where the `message` of GetCACaps, GetCACert or GetNextCACert names a profile or a CA, that profile, or the first one
/// of that CA, answers whatever the path; anything else that clients put there means nothing.
#[derive(Debug, Clone)]
pub(crate) struct Routes(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    scep: Vec<Mounted>,
    ocsp: OcspService,
    /// Certificates by path, without the leading slash and an ending `.pem`.
    certificates: Vec<(String, Certificate)>,
}

impl Routes {
    /// SCEP by the path of each profile, OCSP under its own path, and the certificates of `cas`.
    pub(crate) fn new(scep: Vec<Mounted>, ocsp: OcspService, cas: &[CaFolder]) -> Self {
        let first = cas.first().map(|ca| ("ca".to_owned(), ca.current.issuer.certificate().clone()));
        let named = cas.iter().map(|ca| (format!("ca/{}", ca.id), ca.current.issuer.certificate().clone()));
        let generations = cas.iter().flat_map(CaFolder::generations).map(|generation| {
            let certificate = generation.issuer.certificate();
            (certificate_path(certificate), certificate.clone())
        });
        let certificates = first.into_iter().chain(named).chain(generations).collect();
        Self(Arc::new(Inner { scep, ocsp, certificates }))
    }

    /// The service below whose path the target is; the longest such path counts, and none is the shortest.
    fn scep(&self, path: &str) -> Option<&ScepService> {
        let below = self.0.scep.iter().filter(|mounted| is_below(path, &mounted.path));
        below.max_by_key(|mounted| (mounted.path.len(), Reverse(&mounted.path))).map(|found| &found.service)
    }

    /// The first profile's, for clients that know no path.
    fn default_scep(&self, path: &str, query: &str) -> Option<&ScepService> {
        let lower = path.to_ascii_lowercase();
        let asks = query.split('&').any(|pair| pair.to_ascii_lowercase().starts_with("operation="));
        let known = PROGRAMS.iter().any(|program| is_below(&lower, program)) || path.is_empty() && asks;
        self.0.scep.first().filter(|_| known).map(|found| &found.service)
    }

    /// The service that a `message=` names.
    fn named_scep(&self, query: &str) -> Option<&ScepService> {
        let name = scep_proto::ca_identifier(query.as_bytes())?;
        let is = |known: &str| known.as_bytes().eq_ignore_ascii_case(name);
        let mut all = self.0.scep.iter();
        let named = all.clone().find(|mounted| is(&mounted.profile)).or_else(|| all.find(|one| is(&one.ca)));
        named.map(|found| &found.service)
    }

    fn certificate(&self, path: &str) -> Option<Reply> {
        let (name, pem) = path.strip_suffix(".pem").map_or((path, None), |name| (name, Some(())));
        let (_, certificate) = self.0.certificates.iter().find(|(known, _)| known == name)?;
        Some(match pem {
            Some(()) => document("application/x-pem-file", certificate.to_pem().into_bytes()),
            None => document("application/pkix-cert", certificate.as_der().to_vec()),
        })
    }

    fn page(&self, path: &str) -> Option<Reply> {
        match path {
            "healthz" => Some(text(StatusCode::OK, "alive")),
            "readyz" if self.0.ocsp.is_ready() => Some(text(StatusCode::OK, "ready")),
            "readyz" => Some(text(StatusCode::SERVICE_UNAVAILABLE, "there is no valid OCSP delegate")),
            path => self.certificate(path),
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
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = path.trim_start_matches('/');
        // A profile at the root must not hide the pages.
        let page = self.page(path);
        let scep = self.scep(path).filter(|_| page.is_none()).or_else(|| self.default_scep(path, query));
        if let Some(service) = scep {
            return self.named_scep(query).unwrap_or(service).call(request);
        }
        let page = match (page, request.method()) {
            (Some(page), &(Method::GET | Method::HEAD)) => page,
            (Some(_), _) => only_get(),
            (None, _) => text(StatusCode::NOT_FOUND, "There is nothing here."),
        };
        Box::pin(ready(Ok(page)))
    }
}

fn is_below(path: &str, profile: &str) -> bool {
    let rest = path.strip_prefix(profile);
    rest.is_some_and(|rest| profile.is_empty() || rest.is_empty() || rest.starts_with('/'))
}

fn only_get() -> Reply {
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

fn text(status: StatusCode, text: &'static str) -> Reply {
    let mut reply = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *reply.status_mut() = status;
    reply.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    reply.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}
