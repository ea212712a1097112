//! CRLs over HTTP.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use http_body_util::Full;
use hyper::{
    HeaderMap, Method, Response, StatusCode,
    header::{
        CACHE_CONTROL, CONTENT_TYPE, ETAG, EXPIRES, HeaderValue, IF_NONE_MATCH, LAST_MODIFIED, RETRY_AFTER,
    },
};
use pki_core::{Certificate, Crl, DigestAlgorithm, UnixTime, oids};

use crate::{
    crl_publisher::{CurrentPages, Publisher},
    pages::{Reply, only_get},
};

/// What a client waits for a list that could not be made.
const TRY_AGAIN_AFTER: u64 = 30;

/// The lists of every generation of every CA, by path.
#[derive(Debug, Clone, Default)]
pub(crate) struct CrlPages {
    /// Without the leading slash; the same publisher may have several.
    pub(crate) publishers: Vec<(String, Arc<Publisher>)>,
}

/// A list as it is handed out.
#[derive(Debug)]
pub(crate) struct CrlPage {
    crl: Crl,
    pem: OnceLock<Bytes>,
    etag: String,
}

/// In which form a list is asked for.
#[derive(Debug, Clone, Copy)]
enum Form {
    Der,
    Pem,
}

impl CrlPages {
    /// The publisher of that CA's lists.
    pub(crate) fn of(&self, ca: &Certificate) -> Option<&Arc<Publisher>> {
        self.publishers.iter().map(|(_, publisher)| publisher).find(|publisher| publisher.ca() == ca)
    }

    /// The answer to a request for `path`; `None` where no list is.
    pub(crate) fn page(&self, method: &Method, path: &str, headers: &HeaderMap) -> Option<Reply> {
        let (path, form) = path.strip_suffix(".pem").map_or((path, Form::Der), |path| (path, Form::Pem));
        let find =
            |path: &str| self.publishers.iter().find(|(known, _)| known == path).map(|(_, found)| found);
        let (publisher, page) = if let Some(publisher) = find(path) {
            (publisher, publisher.current().full)
        } else {
            let publisher = find(path.strip_suffix("/delta")?)?;
            let CurrentPages { full, delta } = publisher.current();
            let announced = full.is_some_and(|full| full.crl().extension(oids::FRESHEST_CRL).is_some());
            (publisher, if announced { delta } else { return None })
        };
        if !matches!(*method, Method::GET | Method::HEAD) {
            return Some(only_get());
        }
        let now = publisher.clock().now();
        // One that has run out would be of no use, and hides that something is wrong.
        let page = page.filter(|page| page.is_good_at(now));
        Some(page.map_or_else(not_now, |page| page.reply(form, headers, now, publisher.cache_seconds())))
    }
}

impl CrlPage {
    pub(crate) fn new(crl: Crl) -> Self {
        let digest = DigestAlgorithm::Sha256.digest(crl.as_der()).unwrap_or_default();
        let etag = digest.iter().fold(String::new(), |text, octet| format!("{text}{octet:02x}"));
        Self { crl, pem: OnceLock::new(), etag }
    }

    pub(crate) fn crl(&self) -> &Crl {
        &self.crl
    }

    pub(crate) fn is_good_at(&self, now: UnixTime) -> bool {
        self.next_update() > now
    }

    fn next_update(&self) -> UnixTime {
        self.crl.next_update().unwrap_or(UnixTime(0))
    }

    fn reply(&self, form: Form, asked: &HeaderMap, now: UnixTime, cache_seconds: u64) -> Reply {
        let (media_type, etag) = match form {
            Form::Der => ("application/pkix-crl", format!("\"{}\"", self.etag)),
            Form::Pem => ("application/x-pem-file", format!("\"{}-pem\"", self.etag)),
        };
        let mut reply = Reply::default();
        let headers = reply.headers_mut();
        let max_age = self.next_update().saturating_since(now).as_secs().min(cache_seconds);
        let caching = format!("public, max-age={max_age}, no-transform, must-revalidate");
        let fields = [
            (CACHE_CONTROL, caching),
            (ETAG, etag.clone()),
            (LAST_MODIFIED, http_date(self.crl.this_update())),
            (EXPIRES, http_date(self.next_update())),
        ];
        // All of these are visible ASCII.
        headers.extend(
            fields.into_iter().filter_map(|(name, value)| Some((name, HeaderValue::try_from(value).ok()?))),
        );
        if has_already(asked, &etag) {
            *reply.status_mut() = StatusCode::NOT_MODIFIED;
            return reply;
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        *reply.body_mut() = Full::new(match form {
            Form::Der => Bytes::from_owner(self.crl.clone().into_octets()),
            Form::Pem => self.pem.get_or_init(|| self.crl.to_pem().into()).clone(),
        });
        reply
    }
}

/// By the tag alone: two lists may be issued within one second, which If-Modified-Since could not tell apart.
fn has_already(asked: &HeaderMap, etag: &str) -> bool {
    let lists = asked.get_all(IF_NONE_MATCH).iter().filter_map(|list| list.to_str().ok());
    let mut tags = lists.flat_map(|list| list.split(',')).map(str::trim);
    tags.any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

fn http_date(time: UnixTime) -> String {
    let time = SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(time.min(UnixTime::MAX).0));
    httpdate::fmt_http_date(time.unwrap_or(SystemTime::UNIX_EPOCH))
}

fn not_now() -> Reply {
    let text = "There is no CRL that is good now. Ask the OCSP responder, or try again later.";
    let mut reply = Response::new(Full::new(Bytes::from_static(text.as_bytes())));
    *reply.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(RETRY_AFTER, HeaderValue::from(TRY_AGAIN_AFTER));
    reply
}
