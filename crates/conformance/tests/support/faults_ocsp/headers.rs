//! Headers.

use conformance::{Verdict, ocsp::message::OcspMessage};

use super::Fault;
use crate::support::{
    broken_ocsp::{Asked, Break::Http, NONCE, set},
    proxy::{Outgoing, field},
};

const KEPT: &str = "max-age=60, public, no-transform, must-revalidate";

pub(super) const FAULTS: &[Fault] = &[
    Fault::new(
        Http(|asked, answer| {
            if asked.method == "POST" {
                answer.media_type = "application/octet-stream".into();
            }
        }),
        &["header-content-type"],
    ),
    Fault::new(Http(|_, answer| answer.tells_length = false), &["header-content-length"]),
    Fault::new(Http(|asked, answer| put(asked, answer, "date", None)), &["header-date"]),
    Fault::new(
        Http(|asked, answer| put(asked, answer, "last-modified", Some("Thu, 01 Jan 2026 00:00:00 GMT"))),
        &["header-last-modified"],
    ),
    Fault::new(
        Http(|asked, answer| put(asked, answer, "expires", Some("Thu, 01 Jan 2026 00:00:00 GMT"))),
        &["header-expires"],
    ),
    Fault::new(Http(|asked, answer| put(asked, answer, "etag", None)), &["header-etag"])
        .also(&[("if-none-match", Verdict::NotOffered)])
        .blocking(),
    Fault::new(Http(|asked, answer| put(asked, answer, "etag", Some("\"1\""))), &["header-etag-sha-256"])
        .also(&[("if-none-match", Verdict::NotOffered)]),
    Fault::new(
        Http(|asked, answer| put(asked, answer, "cache-control", Some("max-age=60, public"))),
        &["header-cache-control"],
    ),
    Fault::new(
        Http(|asked, answer| {
            let control = KEPT.replace("60", "999999");
            put(asked, answer, "cache-control", Some(&control));
        }),
        &["header-max-age"],
    ),
    Fault::new(
        Http(|asked, answer| {
            let control = format!("no-cache, {KEPT}");
            put(asked, answer, "cache-control", Some(&control));
        }),
        &["no-no-cache"],
    ),
    Fault::new(
        Http(|_, answer| {
            if OcspMessage::read(&answer.body).is_ok_and(|message| message.status != 0) {
                keep(answer);
            }
        }),
        &["error-not-cached"],
    ),
    Fault::new(
        Http(|asked, answer| {
            if asked.is_get() && asked.extension(NONCE).is_some() {
                keep(answer);
            }
        }),
        &["nonce-not-cached"],
    ),
    Fault::new(
        Http(|asked, answer| {
            if field(&asked.head, "if-none-match").is_some() {
                *answer = Outgoing::new(500, "text/plain", "oops");
            }
        }),
        &["if-none-match"],
    ),
];

/// Changes the header of the plain answer by GET.
fn put(asked: &Asked, answer: &mut Outgoing, name: &str, value: Option<&str>) {
    if asked.is_get() && asked.is_about_good() && asked.extensions.is_empty() {
        set(answer, name, value);
    }
}

/// Lets caches keep it.
fn keep(answer: &mut Outgoing) {
    answer.more.retain(|(name, _)| !name.eq_ignore_ascii_case("cache-control"));
    answer.more.push(("Cache-Control".into(), KEPT.into()));
}
