//! Requests that are none, and spellings of GET.

use conformance::ocsp::message::OcspMessage;

use super::Fault;
use crate::support::{
    broken_ocsp::{
        Asked,
        Break::{Basic, Good, Http},
    },
    proxy::{Outgoing, field},
};

pub(super) const FAULTS: &[Fault] = &[
    Fault::new(
        Http(|asked, answer| fail_if(answer, is_post(asked) && asked.body.is_empty())),
        &["body-empty"],
    ),
    Fault::new(
        Http(|asked, answer| {
            fail_if(answer, is_post(asked) && declared(asked).is_some_and(|it| it > asked.body.len()));
        }),
        &["body-cut-short"],
    ),
    Fault::new(
        Http(|asked, answer| {
            fail_if(answer, is_post(asked) && declared(asked).is_some_and(|it| it < asked.body.len()));
        }),
        &["body-goes-on"],
    ),
    Fault::new(
        Http(|asked, answer| fail_if(answer, asked.body.starts_with(&[0x30, 0x80].repeat(60)))),
        &["body-nested"],
    ),
    Fault::new(
        Http(|asked, answer| fail_if(answer, asked.body.starts_with(&[0x30, 0x84, 0x7F]))),
        &["body-false-length"],
    ),
    Fault::new(Http(|asked, answer| fail_if(answer, asked.body.len() > 4 * 1024 * 1024)), &["body-oversize"]),
    Fault::new(Good(|asked| asked.serials == [Vec::<u8>::new()]), &["serial-empty"]),
    Fault::new(
        Good(|asked| matches!(asked.serials.as_slice(), [serial] if serial.len() == 2000)),
        &["serial-long"],
    ),
    Fault::new(Http(|asked, answer| fail_if(answer, asked.is_get() && is_plain(asked))), &["get"]).blocking(),
    Fault::new(
        Basic(|basic, asked| {
            if asked.is_get() && is_plain(asked) {
                let last = basic.responses[0].cert_id.len() - 1;
                basic.responses[0].cert_id[last] ^= 1;
            }
        }),
        &["get-as-post"],
    ),
    Fault::new(
        Http(|asked, answer| {
            fail_if(
                answer,
                has_filler(asked) && text(asked).contains("%2F%2F") && is_padded(asked) && !is_doubled(asked),
            );
        }),
        &["get-slashes-escaped"],
    ),
    Fault::new(
        Http(|asked, answer| {
            fail_if(
                answer,
                has_filler(asked) && text(asked)[4..].contains("//") && !text(asked).contains('+'),
            );
        }),
        &["get-slashes-raw"],
    ),
    Fault::new(
        Http(|asked, answer| fail_if(answer, has_filler(asked) && text(asked).contains('+'))),
        &["get-raw"],
    ),
    Fault::new(
        Http(|asked, answer| fail_if(answer, has_filler(asked) && text(asked).contains('_'))),
        &["get-url-alphabet"],
    ),
    Fault::new(
        Http(|asked, answer| {
            fail_if(answer, has_filler(asked) && text(asked).contains('%') && !is_padded(asked));
        }),
        &["get-no-padding"],
    ),
    Fault::new(
        Http(|asked, answer| fail_if(answer, asked.is_get() && is_doubled(asked))),
        &["get-leading-slash"],
    ),
    Fault::new(
        Http(|asked, answer| {
            if asked.target.contains("*not*") {
                *answer = Outgoing::new(200, "text/plain", "?");
            }
        }),
        &["get-garbage"],
    ),
    Fault::new(Http(|asked, answer| fail_if(answer, asked.target.len() > 100_000)), &["get-long"]),
    Fault::new(
        Http(|asked, answer| {
            if is_post(asked) {
                answer.status = 500;
            }
        }),
        &["post"],
    ),
    Fault::new(
        Http(|asked, answer| fail_if(answer, is_post(asked) && field(&asked.head, "content-type").is_none())),
        &["post-without-media-type"],
    ),
    Fault::new(
        Http(|asked, answer| fail_if(answer, field(&asked.head, "expect").is_some())),
        &["post-expect-continue"],
    ),
    Fault::new(
        Http(|asked, answer| fail_if(answer, is_post(asked) && asked.target == "/ocsp/")),
        &["base-path-with-slash"],
    ),
    Fault::new(
        Http(|asked, answer| fail_if(answer, asked.head.contains(" HTTP/1.0"))),
        &["http-1-0-without-host"],
    ),
    Fault::new(
        Http(|asked, answer| {
            if asked.method == "HEAD" {
                answer.body = b"a body".to_vec();
            }
        }),
        &["head"],
    ),
    Fault::new(
        Http(|asked, answer| {
            if asked.method == "DELETE" {
                answer.status = 200;
            }
        }),
        &["other-methods"],
    ),
    // Has no time, when asked the same for the third time in a row.
    Fault::new(
        Http(|asked, answer| {
            static LAST: std::sync::Mutex<(String, Vec<u8>, u32)> =
                std::sync::Mutex::new((String::new(), Vec::new(), 0));
            let mut last = LAST.lock().unwrap();
            let again = last.0 == asked.head && last.1 == asked.body;
            *last = (asked.head.clone(), asked.body.clone(), if again { last.2 + 1 } else { 1 });
            if last.2 >= 3 && asked.is_about_good() {
                answer.body = OcspMessage { status: 3, bytes: None }.encode();
            }
        }),
        &["again"],
    ),
];

fn fail_if(answer: &mut Outgoing, such: bool) {
    if such {
        *answer = Outgoing::new(500, "text/plain", "oops");
    }
}

fn is_post(asked: &Asked) -> bool {
    asked.method == "POST"
}

/// The length that a short request claims.
fn declared(asked: &Asked) -> Option<usize> {
    match asked.body.as_slice() {
        [0x30, length @ 1..0x80, ..] if asked.body.len() < 1000 => Some(usize::from(*length) + 2),
        _ => None,
    }
}

fn is_plain(asked: &Asked) -> bool {
    asked.is_about_good() && asked.extensions.is_empty()
}

/// What follows the path.
fn text(asked: &Asked) -> &str {
    asked.target.trim_start_matches("/ocsp").trim_start_matches('/')
}

/// Whether it is one of those that are made to look like something in base64.
fn has_filler(asked: &Asked) -> bool {
    asked.is_get() && asked.is_about_good() && asked.extensions.len() == 1 && text(asked).len() > 150
}

fn is_padded(asked: &Asked) -> bool {
    let text = text(asked).replace("%2B", "+").replace("%2F", "/").replace("%3D", "=");
    text.len().is_multiple_of(4)
}

fn is_doubled(asked: &Asked) -> bool {
    asked.target.starts_with("/ocsp//")
}
