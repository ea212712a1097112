//! HTTP.

use conformance::Verdict;

use super::Fault;
use crate::support::{
    broken_scep::{
        Break::{Http, Status},
        Loose,
    },
    proxy::Outgoing,
};

pub(super) const FAULTS: &[Fault] = &[
    Fault::new(
        Http(|request, answer, _| {
            if request.query().contains("GetMeOut") {
                answer.status = 200;
            }
        }),
        &["unknown-operation"],
    ),
    Fault::new(
        Http(|request, answer, _| {
            if request.method == "GET" && request.query().is_empty() {
                answer.status = 200;
            }
        }),
        &["no-operation"],
    ),
    Fault::new(
        Http(|request, answer, _| {
            if request.target.contains("pkiclient.exe") {
                answer.status = 500;
            }
        }),
        &["path-ignored"],
    ),
    Fault::new(
        Http(|request, answer, _| {
            if request.head.contains(" HTTP/1.0") {
                answer.status = 500;
            }
        }),
        &["http-1-0-without-host"],
    ),
    Fault::new(
        Http(|request, answer, _| {
            if request.method == "DELETE" {
                answer.status = 200;
            }
        }),
        &["other-methods"],
    ),
    Fault::new(
        Status(500, |loose| is_post(loose) && !loose.target.contains('?')),
        &["post-without-operation"],
    ),
    Fault::new(
        Status(500, |loose| is_post(loose) && !loose.http.to_ascii_lowercase().contains("content-type")),
        &["post-without-media-type"],
    ),
    Fault::new(
        Http(|request, answer, _| {
            if request.method == "POST" && answer.status == 200 {
                answer.media_type = "application/octet-stream".into();
            }
        }),
        &["reply-media-type"],
    ),
    Fault::new(
        Status(500, |loose| {
            let text = message(loose);
            text.contains("%2B") && text.contains("%3D") && !text.contains("%0A") && !text.contains('_')
        }),
        &["get-pki-operation"],
    ),
    Fault::new(
        Status(500, |loose| message(loose).contains('+') && message(loose).contains('=')),
        &["get-plus-raw"],
    ),
    Fault::new(
        Status(500, |loose| message(loose).contains('+') && message(loose).contains("%3D")),
        &["get-only-padding-escaped"],
    ),
    Fault::new(Status(500, |loose| message(loose).contains("%0A")), &["get-line-breaks"]),
    Fault::new(Status(500, |loose| message(loose).contains('_')), &["get-url-alphabet"]),
    Fault::new(
        Status(500, |loose| message(loose).contains("%2B") && !message(loose).contains("%3D")),
        &["get-no-padding"],
    ),
    Fault::new(Status(200, |loose| !is_post(loose) && message(loose).len() < 100), &["get-garbage"]),
    // A server that has no GET, and need not.
    Fault::new(Status(405, |loose| !is_post(loose)), &[]).also(&[
        ("get-pki-operation", Verdict::NotOffered),
        ("get-plus-raw", Verdict::Pass),
        ("get-only-padding-escaped", Verdict::Pass),
        ("get-line-breaks", Verdict::Pass),
        ("get-url-alphabet", Verdict::Pass),
        ("get-no-padding", Verdict::Pass),
    ]),
    Fault::new(Status(500, |loose| is_post(loose) && loose.body.is_empty()), &["body-empty"]),
    Fault::new(Status(500, |loose| loose.body.starts_with(b"<html>")), &["body-garbage"]),
    Fault::new(
        Status(500, |loose| {
            let declared = match loose.body.as_slice() {
                [0x30, 0x82, high, low, ..] => usize::from(u16::from_be_bytes([*high, *low])) + 4,
                _ => 0,
            };
            loose.body.len() < declared
        }),
        &["body-cut-short"],
    ),
    Fault::new(Status(500, |loose| loose.body.starts_with(&[0x30, 0x80].repeat(500))), &["body-nested"]),
    Fault::new(Status(500, |loose| loose.body.starts_with(&[0x30, 0x84, 0x7F])), &["body-false-length"]),
    Fault::new(Status(500, |loose| loose.body.len() > 4 * 1024 * 1024), &["body-oversize"]),
    Fault::new(Status(500, |loose| loose.target.len() > 512 * 1024), &["target-oversize"]),
    Fault::new(
        Status(500, |loose| loose.signed.as_ref().is_some_and(|signed| signed.certificates.len() == 50)),
        &["many-certificates"],
    ),
    Fault::new(
        Status(500, |loose| loose.body.windows(1000).any(|window| window == [0x8F; 1000])),
        &["long-identifier"],
    ),
    // Says 400 where a CertRep belongs.
    Fault::new(
        Http(|request, answer, _| {
            use conformance::scep::cms::{PKI_STATUS, SignedMessage};
            let reply = SignedMessage::read(&answer.body);
            let status = reply.ok().and_then(|reply| reply.signer()?.attribute_value(PKI_STATUS));
            if request.query().starts_with("operation=PKIOperation") && status.as_deref() == Some(b"2") {
                *answer = Outgoing::new(400, "text/plain", "no");
            }
        }),
        &["failure-cert-rep"],
    )
    .blocking(),
];

fn is_post(loose: &Loose) -> bool {
    loose.http.starts_with("POST ")
}

fn message(loose: &Loose) -> &str {
    loose.target.split("message=").nth(1).unwrap_or_default()
}
