//! HTTP around the operations.

use scep_proto::PKI_MESSAGE_MEDIA_TYPE;

use crate::{
    Check, Judgement,
    http::{HttpRequest, Version},
    scep::{
        Session,
        reply::Answer,
        sections::{ENROLLMENT, ENROLLMENT_RESPONSE, HTTP, guard, may, says, should},
    },
};

pub(super) const CHECKS: &[Check<Session>] = &[
    Check {
        id: "unknown-operation",
        clause: guard(HTTP, "an operation that there is not is refused by an HTTP status"),
        run: |session| {
            let response = session.get("operation=GetMeOut&message=x")?;
            client_error(response.status, &response.summary())
        },
    },
    Check {
        id: "no-operation",
        clause: guard(HTTP, "a GET without an operation is refused by an HTTP status"),
        run: |session| {
            let target = session.http.endpoint().path.clone();
            let response = session.http.send(&HttpRequest::get(target))?;
            match response.status {
                // A page for people who come here by a browser.
                200 if response.media_type().as_deref() == Some("text/html") => {
                    Ok(Judgement::tolerated("a page for people"))
                }
                status => client_error(status, &response.summary()),
            }
        },
    },
    Check {
        id: "path-ignored",
        clause: should(HTTP, "what follows in the path is ignored, such as /pkiclient.exe"),
        run: |session| {
            let path = session.http.endpoint().path.trim_end_matches('/').to_owned();
            let expected = session.capabilities_response()?;
            let target = format!("{path}/pkiclient.exe?operation=GetCACaps");
            let response = session.http.send(&HttpRequest::get(target))?;
            match response.status {
                200 if response.body == expected.body => Ok(Judgement::pass("it is")),
                404 => Ok(Judgement::not_offered("the path matters here")),
                _ => Err(Judgement::fail(response.summary())),
            }
        },
    },
    Check {
        id: "http-1-0-without-host",
        clause: guard(HTTP, "old devices speak HTTP/1.0 and send no Host"),
        run: |session| {
            let expected = session.capabilities_response()?;
            let target = format!("{}?operation=GetCACaps", session.http.endpoint().path);
            let request = HttpRequest { version: Version::Http10, ..HttpRequest::get(target) };
            let response = session.http.send(&request)?;
            match response.status {
                200 if response.body == expected.body => Ok(Judgement::pass("answered alike")),
                400 | 404 | 421 | 426 | 505 => Ok(Judgement::not_offered(response.summary())),
                _ => Err(Judgement::fail(response.summary())),
            }
        },
    },
    Check {
        id: "other-methods",
        clause: guard(HTTP, "other methods than GET and POST are refused"),
        run: |session| {
            for method in ["PUT", "DELETE"] {
                let target = format!("{}?operation=GetCACert", session.http.endpoint().path);
                let response = session.http.send(&HttpRequest { method, ..HttpRequest::get(target) })?;
                if !(400..500).contains(&response.status) && response.status != 501 {
                    return Err(Judgement::fail(format!("{method}: {}", response.summary())));
                }
            }
            Ok(Judgement::pass("PUT and DELETE are"))
        },
    },
    Check {
        id: "post-without-operation",
        clause: may(ENROLLMENT, "a POST that names no operation is a PKIOperation"),
        run: |session| {
            session.enrolled()?;
            let message = session.draft()?.encode();
            let target = session.http.endpoint().path.clone();
            let request = HttpRequest::post(target, PKI_MESSAGE_MEDIA_TYPE, &message);
            Answer::read(session.http.send(&request)).is_optional()
        },
    },
    Check {
        id: "post-without-media-type",
        clause: guard(ENROLLMENT, "sscep and strongSwan post without a Content-Type"),
        run: |session| {
            session.enrolled()?;
            let message = session.draft()?.encode();
            let target = format!("{}?operation=PKIOperation", session.http.endpoint().path);
            let request = HttpRequest { headers: Vec::new(), ..HttpRequest::post(target, "", &message) };
            Answer::read(session.http.send(&request)).is_optional()
        },
    },
    Check {
        id: "reply-media-type",
        clause: says(ENROLLMENT_RESPONSE, "a CertRep is of type application/x-pki-message"),
        run: |session| {
            let enrollment = session.baseline()?;
            let reply = enrollment.answer.reply().map_err(|trouble| Judgement::not_judged(trouble.reason))?;
            match reply.http.media_type().as_deref() {
                Some(PKI_MESSAGE_MEDIA_TYPE) => Ok(Judgement::pass(PKI_MESSAGE_MEDIA_TYPE)),
                other => Err(Judgement::fail(other.unwrap_or("none"))),
            }
        },
    },
];

pub(super) fn client_error(status: u16, summary: &str) -> Result<Judgement, Judgement> {
    if (400..500).contains(&status) || status == 501 {
        Ok(Judgement::pass(summary))
    } else {
        Err(Judgement::fail(summary))
    }
}
