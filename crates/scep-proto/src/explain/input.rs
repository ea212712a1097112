//! What kind of bytes these are.

use alloc::{
    string::{String, ToString as _},
    vec::Vec,
};

use base64ct::{Base64, Encoding as _};

use super::{Aids, Explanation, answers, fact, message};
use crate::{Method, Operation, Tolerance, Tolerances, TransportError, ca_identifier};

pub(super) fn explain(input: &[u8], aids: &Aids<'_>, told: &mut Explanation) {
    match input {
        [0x30 | 0x24, ..] => message::explain(input, aids, told),
        _ => match core::str::from_utf8(input) {
            Ok(text) => explain_text(text, aids, told),
            Err(_) => explain_http(input, aids, told),
        },
    }
}

fn explain_text(text: &str, aids: &Aids<'_>, told: &mut Explanation) {
    let first_line = text.lines().next().unwrap_or_default().trim();
    let begins = |word: &str| first_line.starts_with(word);
    if begins("GET ") || begins("POST ") || begins("HTTP/") {
        explain_http(text.as_bytes(), aids, told);
    } else if text.lines().count() == 1 && first_line.contains("operation=") {
        explain_target(Method::Get, first_line, b"", aids, told);
    } else if text.contains("PRIVATE KEY-----") {
        told.title = "a private key".to_string();
        told.breaks("not-scep", "RFC 8894 §4", "expected a message; what is in a private key is not shown");
    } else if let Some(der) = unarmored(text) {
        message::explain(&der, aids, told);
    } else {
        answers::capabilities(text.as_bytes(), told);
    }
}

/// The octets of PEM, or of base64 that holds an ASN.1 SEQUENCE.
fn unarmored(text: &str) -> Option<Vec<u8>> {
    let body = match text.split_once("-----BEGIN ") {
        Some((_, block)) => block.split_once("-----\n").or_else(|| block.split_once("-----\r\n"))?.1,
        None => text,
    };
    let body = body.split("-----END").next().unwrap_or_default();
    let packed: String = body.chars().filter(|character| !character.is_whitespace()).collect();
    let octets = Base64::decode_vec(&packed).ok()?;
    octets.starts_with(&[0x30]).then_some(octets)
}

/// A captured HTTP message: its first line, its header, and what follows.
fn explain_http(input: &[u8], aids: &Aids<'_>, told: &mut Explanation) {
    let (head, body) = split_head(input);
    let head = String::from_utf8_lossy(head);
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default();
    let mut words = first.split(' ');
    let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    match method {
        "GET" => explain_target(Method::Get, target, body, aids, told),
        "POST" => explain_target(Method::Post, target, body, aids, told),
        _ if method.starts_with("HTTP/") => explain_reply(first, lines, body, aids, told),
        _ => {
            told.title = "unknown bytes".to_string();
            let what = "expected a message in DER, BER, PEM or base64, an HTTP message, or a GET target";
            told.breaks("not-scep", "RFC 8894 §4", what);
        }
    }
}

fn split_head(input: &[u8]) -> (&[u8], &[u8]) {
    let find = |end: &[u8]| {
        let at = input.windows(end.len()).position(|window| window == end)?;
        Some((input.get(..at)?, input.get(at.checked_add(end.len())?..)?))
    };
    find(b"\r\n\r\n").or_else(|| find(b"\n\n")).unwrap_or((input, &[]))
}

fn explain_reply<'l>(
    status: &str,
    headers: impl Iterator<Item = &'l str>,
    body: &[u8],
    aids: &Aids<'_>,
    told: &mut Explanation,
) {
    let content_type = headers.filter_map(|line| line.split_once(':')).find_map(|(name, value)| {
        name.eq_ignore_ascii_case("content-type").then(|| value.trim().escape_debug().to_string())
    });
    let media_type = content_type.clone().unwrap_or_else(|| "none".to_string());
    let lines = [fact("status", status.escape_debug()), fact("Content-Type", media_type)].into();
    told.section("HTTP", lines);
    if body.is_empty() {
        told.title = "an HTTP reply without a body".to_string();
    } else {
        explain(body, aids, told);
    }
    if !status.contains(" 200") {
        let text = "an answer with another HTTP status is none that SCEP knows";
        told.note("http-status", "RFC 8894 §4", text);
    }
    check_content_type(content_type.as_deref().unwrap_or_default(), told);
}

/// Whether the media type is the one that goes with what the body turned out to be.
fn check_content_type(found: &str, told: &mut Explanation) {
    let (clause, expected) = match told.title.split(' ').next() {
        Some("CertRep") => ("RFC 8894 §4.3.1", "application/x-pki-message"),
        Some("GetCACert") if told.title.ends_with("one certificate") => {
            ("RFC 8894 §4.2.1", "application/x-x509-ca-cert")
        }
        Some("GetCACert") => ("RFC 8894 §4.2.1", "application/x-x509-ca-ra-cert"),
        Some("GetNextCACert") => ("RFC 8894 §4.7.1", "application/x-x509-next-ca-cert"),
        Some("GetCACaps") => ("RFC 8894 §3.5.2", "text/plain"),
        _ => return,
    };
    let bare = found.split(';').next().unwrap_or_default().trim();
    if !bare.eq_ignore_ascii_case(expected) {
        told.note("content-type", clause, format_args!("expected {expected}: {found:?}"));
    }
}

fn explain_target(method: Method, target: &str, body: &[u8], aids: &Aids<'_>, told: &mut Explanation) {
    let query = target.split_once('?').map_or_else(
        || if target.starts_with('/') || target.contains("://") { "" } else { target },
        |(_, query)| query,
    );
    let parsed = Operation::parse_with(method, Some(query.as_bytes()), body, Tolerances::all());
    match parsed {
        Ok((Operation::PkiOperation(message), needed)) => {
            message::explain(&message, aids, told);
            told.tolerated(needed);
        }
        Ok((operation, needed)) => {
            told.title = alloc::format!("{} by {}", name(&operation), verb(method));
            let meant = ca_identifier(query.as_bytes()).unwrap_or_default();
            told.section("query", [fact("message", meant.escape_ascii())].into());
            told.tolerated(needed);
            if method == Method::Post {
                told.breaks("post-of-get", "RFC 8894 §4.1", "this operation goes by GET");
            }
        }
        Err(error) => {
            told.title = alloc::format!("a {} that is no SCEP request", verb(method));
            told.breaks(code(&error), "RFC 8894 §4.1", error);
        }
    }
}

fn name(operation: &Operation<'_>) -> &'static str {
    match operation {
        Operation::GetCaCaps => "GetCACaps",
        Operation::GetCaCert => "GetCACert",
        Operation::GetNextCaCert => "GetNextCACert",
        Operation::PkiOperation(_) => "PKIOperation",
    }
}

fn verb(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
    }
}

fn code(error: &TransportError) -> &'static str {
    match error {
        TransportError::NoOperation => "no-operation",
        TransportError::UnknownOperation(_) => "unknown-operation",
        TransportError::NoMessage => "no-message",
        TransportError::TooLong(_) => "too-long",
        TransportError::NotTolerated(tolerance) => Tolerance::name(*tolerance),
        TransportError::NotBase64(_) => "not-base64",
    }
}
