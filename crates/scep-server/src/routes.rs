//! Which service answers which path.

use std::{cmp::Reverse, convert::Infallible, future::ready, sync::Arc};

use hyper::{Request, body::Incoming, service::Service};
use ocsp_server::NotificationPages;
use ocsp_service::OcspService;
use pki_core::BoxFuture;
use scep_service::ScepService;

use crate::{
    challenge_pages::ChallengePages,
    crl_pages::CrlPages,
    delegates::DelegateEndpoint,
    pages::{Pages, Reply, nothing},
    wiring::Mounted,
};

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
/// | `/ocsp-delegate/FINGERPRINT` | a certificate for a responder elsewhere, where there is a token for that |
/// | `/crl`, `/crl/ID` and the same with `/delta`, with `.pem` | the CRL of the first CA, of the one of that id; the delta CRL |
/// | the paths of NDES's pages and of Jamf's webhooks | challenges, for those who log in |
/// | the path of the URL that Microsoft Graph notifies | what it expects, where it was told of one |
/// | `/healthz` | 200 while the process answers |
/// | `/readyz` | 200 while certificates can be issued and OCSP answered, else 503 |
/// | `/metrics` | counters and gauges, for Prometheus |
/// | `/` with an operation, `/cgi-bin/pkiclient.exe`, `/certsrv/mscep/mscep.dll` and the like | SCEP by the first profile |
///
/// Where the `message` of GetCACaps, GetCACert or GetNextCACert names a profile or a CA, that profile, or the first one
/// of that CA, answers whatever the path; anything else that clients put there means nothing.
#[derive(Debug, Clone)]
pub(crate) struct Routes(Arc<Inner>, NotificationPages);

#[derive(Debug)]
struct Inner {
    scep: Vec<Mounted>,
    ocsp: OcspService,
    delegates: Option<DelegateEndpoint>,
    pages: Pages,
    crls: CrlPages,
    challenges: ChallengePages,
}

impl Routes {
    /// SCEP by the path of each profile, OCSP under its own path, certificates for responders elsewhere, pages, CRLs, and
    /// challenges.
    pub(crate) fn new(
        scep: Vec<Mounted>,
        ocsp: OcspService,
        delegates: Option<DelegateEndpoint>,
        pages: Pages,
        crls: CrlPages,
        challenges: ChallengePages,
    ) -> Self {
        Self(Arc::new(Inner { scep, ocsp, delegates, pages, crls, challenges }), NotificationPages::default())
    }

    /// The same, to which services tell of changes in directories.
    pub(crate) fn with_notifications(self, notifications: NotificationPages) -> Self {
        Self(self.0, notifications)
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
        if let Some(ndes) = self.0.challenges.ndes_profile(&lower) {
            return self.0.scep.iter().find(|mounted| mounted.profile == ndes).map(|found| &found.service);
        }
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
}

impl Service<Request<Incoming>> for Routes {
    type Response = Reply;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Reply, Infallible>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        if self.1.owns(request.uri().path()) {
            let answering = self.1.answer(request);
            return Box::pin(async { Ok(answering.await) });
        }
        if self.0.ocsp.owns(request.uri().path_and_query().map_or("", |target| target.as_str())) {
            return self.0.ocsp.call(request);
        }
        let uri = request.uri().clone();
        let target = uri.path_and_query().map_or("", |target| target.as_str());
        let (path, query) = target.split_once('?').unwrap_or((target, ""));
        let path = path.trim_start_matches('/');
        if let Some((delegates, ca)) = self.0.delegates.as_ref().zip(DelegateEndpoint::ca_of(path)) {
            let answering = delegates.answer(ca, request);
            return Box::pin(async { Ok(answering.await) });
        }
        if let Some(page) = self.0.challenges.page(request.method(), path, query) {
            let answering = page.answer(request);
            return Box::pin(async { Ok(answering.await) });
        }
        // A profile at the root must not hide the pages.
        let page = self.0.pages.page(request.method(), path);
        let page = page.or_else(|| self.0.crls.page(request.method(), path, request.headers()));
        let scep = self.scep(path).filter(|_| page.is_none()).or_else(|| self.default_scep(path, query));
        match scep {
            Some(service) => self.named_scep(query).unwrap_or(service).call(request),
            None => Box::pin(ready(Ok(page.unwrap_or_else(nothing)))),
        }
    }
}

/// Pages alone, for a listener of their own.
#[derive(Debug)]
pub(crate) struct PagesOnly(pub(crate) Pages);

impl Service<Request<Incoming>> for PagesOnly {
    type Response = Reply;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Reply, Infallible>>;

    fn call(&self, request: Request<Incoming>) -> Self::Future {
        let page = self.0.page(request.method(), request.uri().path().trim_start_matches('/'));
        Box::pin(ready(Ok(page.unwrap_or_else(nothing))))
    }
}

fn is_below(path: &str, profile: &str) -> bool {
    let rest = path.strip_prefix(profile);
    rest.is_some_and(|rest| profile.is_empty() || rest.is_empty() || rest.starts_with('/'))
}
