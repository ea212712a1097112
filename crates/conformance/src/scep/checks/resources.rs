//! Requests that are meant to cost the server more than they cost the client.

use pki_core::tlv;
use scep_proto::PKI_MESSAGE_MEDIA_TYPE;

use super::transport::client_error;
use crate::{
    Check, Judgement,
    http::{HttpError, HttpRequest},
    scep::{
        Session,
        sections::{GENERAL_SECURITY, guard},
    },
};

pub(super) const CHECKS: &[Check<Session>] = &[
    Check {
        id: "body-empty",
        clause: guard(GENERAL_SECURITY, "an empty body is refused by an HTTP status"),
        run: |session| all_refused(session, &[Vec::new()]),
    },
    Check {
        id: "body-garbage",
        clause: guard(GENERAL_SECURITY, "a body that is no CMS is refused by an HTTP status"),
        run: |session| {
            let bodies = [b"<html>".to_vec(), vec![0x30, 0x03, 0x02, 0x01, 0x05], vec![0xFF; 600]];
            all_refused(session, &bodies)
        },
    },
    Check {
        id: "body-cut-short",
        clause: guard(GENERAL_SECURITY, "a message that ends too early is refused by an HTTP status"),
        run: |session| {
            session.enrolled()?;
            let message = session.draft()?.encode();
            let bodies: Vec<Vec<u8>> = [1, 2, 20]
                .into_iter()
                .filter_map(|part| message.get(..message.len().checked_div(part)?.checked_sub(1)?))
                .map(<[u8]>::to_vec)
                .collect();
            all_refused(session, &bodies)
        },
    },
    Check {
        id: "body-nested",
        clause: guard(GENERAL_SECURITY, "elements within elements within elements are refused, at any depth"),
        run: |session| {
            let depths = [65, 1_000, 16_000];
            let mut bodies: Vec<Vec<u8>> = depths.map(|depth| [0x30, 0x80].repeat(depth)).into();
            bodies.extend(depths.map(|depth| [0x24, 0x80].repeat(depth)));
            bodies.push((0..3_000).fold(Vec::new(), |inner, _| tlv::wrap(tlv::SEQUENCE, &inner)));
            all_refused(session, &bodies)
        },
    },
    Check {
        id: "body-false-length",
        clause: guard(
            GENERAL_SECURITY,
            "a length that the body does not have is refused, and believed by nobody",
        ),
        run: |session| {
            let bodies = [
                vec![0x30, 0x84, 0x7F, 0xFF, 0xFF, 0xFF],
                vec![0x30, 0x88, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
                vec![0x30, 0xFF],
            ];
            all_refused(session, &bodies)
        },
    },
    Check {
        id: "body-oversize",
        clause: guard(GENERAL_SECURITY, "a body of 8 MiB is refused, or the connection is cut"),
        run: |session| {
            let target = format!("{}?operation=PKIOperation", session.http.endpoint().path);
            let body = vec![0x30; 8 * 1024 * 1024];
            let answer = session.http.send(&HttpRequest::post(target, PKI_MESSAGE_MEDIA_TYPE, &body));
            session.is_alive()?;
            match answer {
                Ok(response) => client_error(response.status, &response.summary()),
                Err(HttpError::Connection(_) | HttpError::NoAnswer) => Ok(Judgement::pass("cut")),
                Err(error) => Err(Judgement::fail(error)),
            }
        },
    },
    Check {
        id: "target-oversize",
        clause: guard(GENERAL_SECURITY, "a request target of 1 MiB is refused, or the connection is cut"),
        run: |session| {
            let text = "QUFB".repeat(256 * 1024);
            let answer = session.get(&format!("operation=PKIOperation&message={text}"));
            session.is_alive()?;
            match answer {
                Ok(response) => client_error(response.status, &response.summary()),
                Err(HttpError::Connection(_) | HttpError::NoAnswer) => Ok(Judgement::pass("cut")),
                Err(error) => Err(Judgement::fail(error)),
            }
        },
    },
    Check {
        id: "many-certificates",
        clause: guard(GENERAL_SECURITY, "a message with 50 certificates is refused, or read like any other"),
        run: |session| {
            let sent = session.spoiled(|draft| {
                draft.after_signing = |message| {
                    let one = message.certificates.clone();
                    message.certificates = one.iter().cycle().take(50).cloned().collect();
                };
            })?;
            session.is_alive()?;
            sent.answer.may_be_granted("they were left alone")
        },
    },
    Check {
        id: "long-identifier",
        clause: guard(GENERAL_SECURITY, "an object identifier of 20000 octets is refused"),
        run: |session| {
            let mut oid = vec![0x8F; 20_000];
            oid.push(1);
            let oid = tlv::wrap(tlv::OBJECT_IDENTIFIER, &oid);
            let body = tlv::sequence([&*oid, &tlv::wrap(0xA0, &[0x30, 0])]);
            all_refused(session, &[body])
        },
    },
];

/// Each of these is refused by HTTP 4xx, or by the FAILURE that some servers make of everything, and the server lives.
fn all_refused(session: &mut Session, bodies: &[Vec<u8>]) -> Result<Judgement, Judgement> {
    let mut last = String::new();
    for body in bodies {
        let answer = session.post(body);
        let length = body.len();
        last = answer.must_be_refused().map(|refused| refused.reason).map_err(|trouble| Judgement {
            reason: format!("{length} octets: {}", trouble.reason),
            ..trouble
        })?;
    }
    session.is_alive()?;
    Ok(Judgement::pass(last))
}
