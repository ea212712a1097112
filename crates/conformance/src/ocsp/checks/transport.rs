//! HTTP around the request.

use crate::{
    Check, Judgement,
    http::{HttpRequest, Version},
    ocsp::{
        Session,
        sections::{HTTP_REQUEST, TRANSPORT, guard, says},
        session::REQUEST_MEDIA_TYPE,
    },
};

pub(super) const CHECKS: &[Check<Session>] = &[
    Check {
        id: "post",
        clause: says(HTTP_REQUEST, "a request by POST is answered by an OCSPResponse with HTTP 200"),
        run: |session| {
            let answer = session.baseline()?;
            match (answer.http.status, &answer.reply) {
                (200, Ok(_)) => Ok(Judgement::pass(answer.summary())),
                (status, _) => Err(Judgement::fail(format!("HTTP {status}: {}", answer.summary()))),
            }
        },
    },
    Check {
        id: "post-without-media-type",
        clause: guard(
            HTTP_REQUEST,
            "a POST without a Content-Type is answered, or refused by an HTTP status",
        ),
        run: |session| {
            session.sound()?;
            let (target, body) = (session.http.endpoint().path.clone(), session.question().encode());
            let headers = Vec::new();
            let request = HttpRequest { headers, ..HttpRequest::post(target, REQUEST_MEDIA_TYPE, &body) };
            session.send(&request)?.is_optional()
        },
    },
    Check {
        id: "post-expect-continue",
        clause: guard(TRANSPORT, "Expect: 100-continue changes nothing about the answer"),
        run: |session| {
            let expected = session.sound_single()?.cert_id;
            let (target, body) = (session.http.endpoint().path.clone(), session.question().encode());
            let mut request = HttpRequest::post(target, REQUEST_MEDIA_TYPE, &body);
            request.headers.push(("Expect", "100-continue".into()));
            let answer = session.send(&request)?;
            match answer.single() {
                Ok(single) if single.cert_id == expected => Ok(Judgement::pass("it does not")),
                Ok(_) => Err(Judgement::fail("the answer to another question")),
                Err(_) => answer.is_optional(),
            }
        },
    },
    Check {
        id: "base-path-with-slash",
        clause: guard(HTTP_REQUEST, "a POST to the URL with or without its trailing slash is answered alike"),
        run: |session| {
            session.sound()?;
            let path = session.http.endpoint().path.clone();
            let other = match path.strip_suffix('/') {
                Some("") => return Ok(Judgement::not_offered("the URL has no path")),
                Some(without) => without.to_owned(),
                None => format!("{path}/"),
            };
            let body = session.question().encode();
            session.send(&HttpRequest::post(other, REQUEST_MEDIA_TYPE, &body))?.is_optional()
        },
    },
    Check {
        id: "http-1-0-without-host",
        clause: guard(TRANSPORT, "old network gear speaks HTTP/1.0 and sends no Host"),
        run: |session| {
            session.sound()?;
            let (target, body) = (session.http.endpoint().path.clone(), session.question().encode());
            let request = HttpRequest::post(target, REQUEST_MEDIA_TYPE, &body);
            session.send(&HttpRequest { version: Version::Http10, ..request })?.is_optional()
        },
    },
    Check {
        id: "head",
        clause: guard(TRANSPORT, "HEAD gets the header of GET and no body, or is refused"),
        run: |session| {
            session.sound()?;
            let target =
                format!("{}{}", session.base(), super::spelling::escaped(&session.question().encode()));
            let response = session.http.send_head(&target)?;
            match response.status {
                200 if response.body.is_empty() => Ok(Judgement::pass("it does")),
                200 => Err(Judgement::fail(format!("a body of {} octets", response.body.len()))),
                400..=499 | 501 => Ok(Judgement::not_offered(response.summary())),
                _ => Err(Judgement::fail(response.summary())),
            }
        },
    },
    Check {
        id: "other-methods",
        clause: guard(TRANSPORT, "other methods than GET, HEAD and POST are refused"),
        run: |session| {
            session.sound()?;
            for method in ["PUT", "DELETE"] {
                let (target, body) = (session.http.endpoint().path.clone(), session.question().encode());
                let request = HttpRequest::post(target, REQUEST_MEDIA_TYPE, &body);
                let answer = session.send(&HttpRequest { method, ..request })?;
                if answer.http.status < 400 || answer.is_good() {
                    return Err(Judgement::fail(format!("{method}: {}", answer.summary())));
                }
            }
            Ok(Judgement::pass("PUT and DELETE are"))
        },
    },
    Check {
        id: "again",
        clause: guard(TRANSPORT, "the same question again gets the same status"),
        run: |session| {
            let expected = session.sound_single()?.status;
            for _ in 0..3 {
                let question = session.question();
                let found = session.ask(&question)?.single()?.status;
                if found != expected {
                    return Err(Judgement::fail(format!("{found:02X?}")));
                }
            }
            Ok(Judgement::pass("it does"))
        },
    },
];
