//! The header of an answer by GET, for the caches between.

use std::rc::Rc;

use pki_core::{DigestAlgorithm, UnixTime};

use crate::{
    Check, Judgement,
    http::{HttpRequest, HttpResponse},
    ocsp::{
        Session,
        sections::{HTTP_RESPONSE, PROXIES, TRANSPORT, guard, must, must_not, should},
        session::{Answer, time},
    },
};

pub(super) const CHECKS: &[Check<Session>] = &[
    Check {
        id: "header-content-type",
        clause: must(HTTP_RESPONSE, "a response is of type application/ocsp-response"),
        run: |session| {
            let answer = session.baseline()?;
            match answer.http.media_type().as_deref() {
                Some(crate::ocsp::session::RESPONSE_MEDIA_TYPE) => Ok(Judgement::pass("it is")),
                other => Err(Judgement::fail(other.unwrap_or("none"))),
            }
        },
    },
    Check {
        id: "header-content-length",
        clause: should(HTTP_RESPONSE, "a response tells its length"),
        run: |session| {
            let answer = session.baseline()?;
            header(&answer.http, "content-length").map(Judgement::pass)
        },
    },
    Check {
        id: "header-date",
        clause: must(TRANSPORT, "an answer by GET tells when it was sent"),
        run: |session| {
            let answer = by_get(session)?;
            let date = http_date(&header(&answer.http, "date")?)?;
            let off = date.0.abs_diff(answer.at.0);
            if off <= 300 { Ok(Judgement::pass(date)) } else { Err(Judgement::fail(format!("{off} s off"))) }
        },
    },
    Check {
        id: "header-last-modified",
        clause: must(TRANSPORT, "Last-Modified is producedAt, or thisUpdate"),
        run: |session| {
            let answer = by_get(session)?;
            let found = http_date(&header(&answer.http, "last-modified")?)?;
            let produced = time(&answer.basic()?.produced_at)?;
            let this = time(&answer.single()?.this_update)?;
            if found == produced || found == this {
                Ok(Judgement::pass(found))
            } else {
                Err(Judgement::fail(format!("{found}, but producedAt {produced}")))
            }
        },
    },
    Check {
        id: "header-expires",
        clause: must(TRANSPORT, "Expires is nextUpdate"),
        run: |session| {
            let answer = by_get(session)?;
            let found = http_date(&header(&answer.http, "expires")?)?;
            let next = answer.single()?.next_update;
            let next = next.ok_or_else(|| Judgement::not_judged("there is no nextUpdate"))?;
            let next = time(&next)?;
            if found == next {
                Ok(Judgement::pass(found))
            } else {
                Err(Judgement::fail(format!("{found}, not {next}")))
            }
        },
    },
    Check {
        id: "header-etag",
        clause: must(TRANSPORT, "there is a strong ETag"),
        run: |session| {
            let tag = header(&by_get(session)?.http, "etag")?;
            let strong = tag.len() > 2 && tag.starts_with('"') && tag.ends_with('"');
            if strong { Ok(Judgement::pass(tag)) } else { Err(Judgement::fail(tag)) }
        },
    },
    Check {
        id: "header-etag-sha-256",
        clause: should(PROXIES, "the ETag is SHA-256 of the response, in hexadecimal"),
        run: |session| {
            let answer = by_get(session)?;
            let tag =
                header(&answer.http, "etag").map_err(|trouble| Judgement::not_judged(trouble.reason))?;
            let digest = DigestAlgorithm::Sha256.digest(&answer.http.body).unwrap_or_default();
            let hex: String =
                digest.iter().flat_map(|octet| [octet >> 4, octet & 15]).filter_map(digit).collect();
            if tag.trim_matches('"').eq_ignore_ascii_case(&hex) {
                Ok(Judgement::pass("it is"))
            } else {
                Err(Judgement::fail(tag))
            }
        },
    },
    Check {
        id: "header-cache-control",
        clause: must(TRANSPORT, "Cache-Control has max-age, public, no-transform and must-revalidate"),
        run: |session| {
            let found = header(&by_get(session)?.http, "cache-control")?.to_ascii_lowercase();
            let missing = ["max-age", "public", "no-transform", "must-revalidate"];
            match missing.iter().find(|directive| !found.contains(**directive)) {
                None => Ok(Judgement::pass(found)),
                Some(directive) => Err(Judgement::fail(format!("{found}: no {directive}"))),
            }
        },
    },
    Check {
        id: "header-max-age",
        clause: should(PROXIES, "max-age ends before nextUpdate, and not before it begins"),
        run: |session| {
            let answer = by_get(session)?;
            let control = header(&answer.http, "cache-control").unwrap_or_default();
            let seconds = max_age(&control).ok_or_else(|| Judgement::not_judged("there is no max-age"))?;
            let next = answer.single()?.next_update;
            let next = time(&next.ok_or_else(|| Judgement::not_judged("there is no nextUpdate"))?)?;
            let left = next.saturating_since(answer.at).as_secs();
            let text = format!("{seconds} s, of {left} s until nextUpdate");
            if seconds < left { Ok(Judgement::pass(text)) } else { Err(Judgement::fail(text)) }
        },
    },
    Check {
        id: "no-no-cache",
        clause: must_not(PROXIES, "an authoritative answer has neither no-cache nor no-store nor Pragma"),
        run: |session| {
            let answer = by_get(session)?;
            let control = answer.http.header("cache-control").unwrap_or_default().to_ascii_lowercase();
            let forbids = control.contains("no-cache") || control.contains("no-store");
            if forbids || answer.http.header("pragma").is_some() {
                return Err(Judgement::fail(control));
            }
            Ok(Judgement::pass("it has not"))
        },
    },
    Check {
        id: "error-not-cached",
        clause: should(PROXIES, "an error is not kept by caches"),
        run: |session| {
            session.sound()?;
            let answer = session.get("AAAA")?;
            not_cached(&answer.http)
        },
    },
    Check {
        id: "nonce-not-cached",
        clause: guard(PROXIES, "an answer with a nonce by GET is nobody else's, and not kept by caches"),
        run: |session| {
            session.sound()?;
            let question = session.question().with_nonce(&Session::random(16));
            let text = super::spelling::escaped(&question.encode());
            let answer = session.get(&text)?;
            match answer.basic() {
                Ok(basic) if basic.extensions.is_empty() => Ok(Judgement::not_offered("answered without it")),
                Ok(_) => not_cached(&answer.http),
                Err(_) => Ok(Judgement::not_offered(answer.summary())),
            }
        },
    },
    Check {
        id: "if-none-match",
        clause: guard(PROXIES, "If-None-Match with the ETag gets 304, or the answer again"),
        run: |session| {
            let tag = by_get(session)?.http.header("etag").unwrap_or_default().to_owned();
            if tag.is_empty() {
                return Ok(Judgement::not_offered("there is no ETag"));
            }
            let target =
                format!("{}{}", session.base(), super::spelling::escaped(&session.question().encode()));
            let headers = vec![("If-None-Match", tag)];
            let answer = session.send(&HttpRequest { headers, ..HttpRequest::get(target) })?;
            match answer.http.status {
                304 if answer.http.body.is_empty() => Ok(Judgement::pass("304")),
                304 => Err(Judgement::fail("304 with a body")),
                _ => answer.must_be_good().map(|_| Judgement::not_offered("the answer again")),
            }
        },
    },
];

/// The answer by GET, which was good.
fn by_get(session: &mut Session) -> Result<Rc<Answer>, Judgement> {
    session.sound()?;
    let answer = session.by_get()?;
    match answer.must_be_good() {
        Ok(_) => Ok(answer),
        Err(trouble) => Err(Judgement::not_judged(format!("GET: {}", trouble.reason))),
    }
}

fn header(response: &HttpResponse, name: &str) -> Result<String, Judgement> {
    response.header(name).map(str::to_owned).ok_or_else(|| Judgement::fail(format!("no {name}")))
}

fn max_age(control: &str) -> Option<u64> {
    let mut directives = control.split(',').map(str::trim);
    directives.find_map(|directive| directive.strip_prefix("max-age="))?.parse().ok()
}

fn not_cached(response: &HttpResponse) -> Result<Judgement, Judgement> {
    let control = response.header("cache-control").unwrap_or_default().to_ascii_lowercase();
    let lives = max_age(&control).is_some_and(|seconds| seconds > 0) || response.header("expires").is_some();
    let forbidden = control.contains("no-store") || control.contains("no-cache");
    match (forbidden, lives) {
        (true, _) => Ok(Judgement::pass(control)),
        (false, true) => Err(Judgement::fail(format!("it may be: {control}"))),
        (false, false) => Err(Judgement::fail("nothing says that it must not be")),
    }
}

fn digit(nibble: u8) -> Option<char> {
    char::from_digit(u32::from(nibble), 16)
}

/// An IMF-fixdate ([RFC 9110 §5.6.7](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7)).
fn http_date(text: &str) -> Result<UnixTime, Judgement> {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let parse = || {
        let words: Vec<&str> = text.split(' ').collect();
        let [_, day, month, year, clock, "GMT"] = words.as_slice() else { return None };
        let month = (1..).zip(MONTHS).find(|(_, name)| name == month)?.0;
        format!("{year}-{month:02}-{day}T{clock}Z").parse().ok()
    };
    parse().ok_or_else(|| Judgement::fail(format!("no date: {text}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read() {
        assert_eq!(http_date("Sat, 21 Nov 2026 12:00:00 GMT"), Ok(UnixTime(1_795_262_400)));
        for text in ["", "Sat, 21 Nov 2026 12:00:00 UTC", "1795262400", "Saturday, 21-Nov-26 12:00:00 GMT"] {
            assert!(http_date(text).is_err(), "{text}");
        }
    }

    #[test]
    fn ages_are_read() {
        assert_eq!(max_age("public, max-age=60, no-transform"), Some(60));
        assert_eq!(max_age("no-store"), None);
    }
}
