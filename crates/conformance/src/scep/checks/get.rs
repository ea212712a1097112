//! PKIOperation by GET, in every spelling that clients are known to send.

use base64ct::{Base64, Encoding as _};

use crate::{
    Check, Judgement,
    scep::{
        Session,
        reply::Answer,
        sections::{HTTP, guard, may},
    },
};

pub(super) const CHECKS: &[Check<Session>] = &[
    Check {
        id: "get-pki-operation",
        clause: may(HTTP, "a message by GET: base64, its + / = percent-encoded"),
        run: |session| get(session, escaped)?.is_optional(),
    },
    Check {
        id: "get-plus-raw",
        clause: guard(HTTP, "base64 that was not percent-encoded: + / = as they are"),
        run: |session| get(session, str::to_owned)?.may_be_granted("Apple's and other clients send it"),
    },
    Check {
        id: "get-only-padding-escaped",
        clause: guard(HTTP, "base64 whose = alone is percent-encoded"),
        run: |session| get(session, |text| text.replace('=', "%3D"))?.may_be_granted("macOS sends it"),
    },
    Check {
        id: "get-line-breaks",
        clause: guard(HTTP, "base64 with a line break, as %0A, after every 64 characters"),
        run: |session| {
            let broken = |text: &str| {
                let lines: Vec<String> =
                    text.as_bytes().chunks(64).map(|line| escaped(&String::from_utf8_lossy(line))).collect();
                lines.join("%0A")
            };
            get(session, broken)?.may_be_granted("Cisco's devices send it")
        },
    },
    Check {
        id: "get-url-alphabet",
        clause: guard(HTTP, "base64url, which the RFC tells apart from base64"),
        run: |session| {
            let url = |text: &str| escaped(&text.replace('+', "-").replace('/', "_"));
            get(session, url)?.may_be_granted("some clients send it")
        },
    },
    Check {
        id: "get-no-padding",
        clause: guard(HTTP, "base64 without its padding"),
        run: |session| {
            get(session, |text| escaped(text.trim_end_matches('=')))?.may_be_granted("some clients send it")
        },
    },
    Check {
        id: "get-garbage",
        clause: guard(HTTP, "what is no base64 is refused by an HTTP status"),
        run: |session| {
            for text in ["%00%FF%FE", "====", "*not*base64*", ""] {
                let response = session.get(&format!("operation=PKIOperation&message={text}"))?;
                super::transport::client_error(response.status, &format!("{text}: {}", response.summary()))?;
            }
            Ok(Judgement::pass("all are"))
        },
    },
];

fn escaped(text: &str) -> String {
    text.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

/// Sends a sound request by GET in that spelling. Its base64 has padding.
fn get(session: &mut Session, spell: fn(&str) -> String) -> Result<Answer, Judgement> {
    session.enrolled()?;
    let mut draft = session.draft()?;
    while draft.encode().len().checked_rem(3) == Some(0) {
        draft.transaction.push('0');
    }
    let text = spell(&Base64::encode_string(&draft.encode()));
    Ok(Answer::read(session.get(&format!("operation=PKIOperation&message={text}"))))
}
