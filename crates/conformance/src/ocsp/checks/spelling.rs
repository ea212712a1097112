//! GET, in every spelling that clients are known to send.

use base64ct::{Base64, Encoding as _};
use pki_core::Extension;

use crate::{
    Check, Judgement,
    ocsp::{
        Session,
        question::UNHEARD_OF,
        sections::{HTTP_REQUEST, TRANSPORT, guard, must, says},
        session::{Answer, status},
    },
};

pub(super) const CHECKS: &[Check<Session>] = &[
    Check {
        id: "get",
        clause: says(HTTP_REQUEST, "a request by GET: base64, its + / = percent-encoded, after the URL"),
        run: |session| {
            session.sound()?;
            session.by_get()?.must_be_good()
        },
    },
    Check {
        id: "get-as-post",
        clause: must(TRANSPORT, "GET and POST get the same answer"),
        run: |session| {
            let expected = session.sound_single()?;
            let Ok(found) = session.by_get()?.single() else {
                return Ok(Judgement::not_judged("GET gets none"));
            };
            if found.cert_id == expected.cert_id && status(&found) == status(&expected) {
                Ok(Judgement::pass("they do"))
            } else {
                Err(Judgement::fail(format!("{:?}", status(&found)).to_lowercase()))
            }
        },
    },
    Check {
        id: "get-slashes-escaped",
        clause: guard(HTTP_REQUEST, "a request whose base64 has // in it, percent-encoded"),
        run: |session| slashes(session, escaped)?.must_be_good(),
    },
    Check {
        id: "get-slashes-raw",
        clause: guard(
            HTTP_REQUEST,
            "the same, with // as it is: no proxy and no router may make one / of it",
        ),
        run: |session| slashes(session, |der| plain(der).replace('+', "%2B"))?.must_be_good(),
    },
    Check {
        id: "get-raw",
        clause: guard(HTTP_REQUEST, "base64 that was not percent-encoded: + / = as they are"),
        run: |session| spelt(session, plain)?.may_be_good("many clients send it"),
    },
    Check {
        id: "get-url-alphabet",
        clause: guard(HTTP_REQUEST, "base64url"),
        run: |session| {
            let url = |der: &[u8]| plain(der).replace('+', "-").replace('/', "_");
            spelt(session, url)?.may_be_good("some clients send it")
        },
    },
    Check {
        id: "get-no-padding",
        clause: guard(HTTP_REQUEST, "base64 without its padding"),
        run: |session| {
            spelt(session, |der| escaped(der).replace("%3D", ""))?.may_be_good("some clients send it")
        },
    },
    Check {
        id: "get-leading-slash",
        clause: guard(HTTP_REQUEST, "a URL with a trailing slash, to which clients add another one"),
        run: |session| {
            spelt(session, |der| format!("/{}", escaped(der)))?
                .may_be_good("joined by a client that did not look")
        },
    },
    Check {
        id: "get-garbage",
        clause: guard(HTTP_REQUEST, "what is no base64 is answered malformedRequest, or by an HTTP status"),
        run: |session| {
            session.sound()?;
            for text in ["%00%FF%FE", "*not*base64*", "AAAA", "%"] {
                session.get(text)?.must_be_malformed().map_err(|trouble| Judgement {
                    reason: format!("{text}: {}", trouble.reason),
                    ..trouble
                })?;
            }
            Ok(Judgement::pass("all are"))
        },
    },
    Check {
        id: "get-long",
        clause: guard(HTTP_REQUEST, "a request target of 256 KiB is refused, or the connection is cut"),
        run: |session| {
            session.sound()?;
            let answer = session.get(&"QUFB".repeat(64 * 1024));
            session.is_alive()?;
            match answer {
                Ok(answer) => answer.must_not_be_good(),
                Err(_) => Ok(Judgement::pass("cut")),
            }
        },
    },
];

fn plain(der: &[u8]) -> String {
    Base64::encode_string(der)
}

/// As RFC 6960 and RFC 9919 have it.
pub(in crate::ocsp) fn escaped(der: &[u8]) -> String {
    plain(der).replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

/// Asks by GET in that spelling. The base64 has a + or a /, and padding.
fn spelt(session: &mut Session, spell: impl Fn(&[u8]) -> String) -> Result<Answer, Judgement> {
    session.sound()?;
    let request = with_text(session, |text| text.ends_with('=') && text.contains('+') && text.contains('/'));
    Ok(session.get(&spell(&request))?)
}

fn slashes(session: &mut Session, spell: impl Fn(&[u8]) -> String) -> Result<Answer, Judgement> {
    session.sound()?;
    let request = with_text(session, |text| text.contains("//"));
    Ok(session.get(&spell(&request))?)
}

/// The plain question with an extension that is ignored and makes the base64 look so.
fn with_text(session: &Session, looks: impl Fn(&str) -> bool) -> Vec<u8> {
    let filler = [0xFF, 0xFF, 0xFF, 0xFB, 0xEF, 0xBE, 0xFF, 0xFF, 0xFF];
    let with = |length: usize| {
        let mut question = session.question();
        let value = [&filler[..], &vec![0; length]].concat();
        let value = pki_core::tlv::wrap(pki_core::tlv::OCTET_STRING, &value);
        question.extensions.push(Extension::new(UNHEARD_OF, value));
        question.encode()
    };
    let mut lengths = (0..40).map(with);
    lengths.find(|der| looks(&plain(der))).unwrap_or_else(|| with(0))
}
