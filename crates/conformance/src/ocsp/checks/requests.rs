//! Requests that are none, or that are meant to cost more than they cost the client.

use pki_core::tlv;

use crate::{
    Check, Judgement,
    http::{HttpError, HttpRequest},
    ocsp::{
        Session,
        sections::{SECURITY, guard},
        session::REQUEST_MEDIA_TYPE,
    },
};

pub(super) const CHECKS: &[Check<Session>] = &[
    Check {
        id: "body-empty",
        clause: guard(SECURITY, "an empty body is answered malformedRequest"),
        run: |session| malformed(session, &[Vec::new()]),
    },
    Check {
        id: "body-cut-short",
        clause: guard(SECURITY, "a request that ends too early is answered malformedRequest"),
        run: |session| {
            let mut request = session.question().encode();
            request.truncate(request.len().saturating_sub(5));
            malformed(session, &[request])
        },
    },
    Check {
        id: "body-goes-on",
        clause: guard(
            SECURITY,
            "a request with octets after its end is answered malformedRequest, or its rest ignored",
        ),
        run: |session| {
            session.sound()?;
            let mut request = session.question().encode();
            request.extend([0; 5]);
            let answer = session.post(&request)?;
            if answer.is_good() {
                return Ok(Judgement::tolerated("its rest was ignored"));
            }
            answer.must_be_malformed()
        },
    },
    Check {
        id: "body-nested",
        clause: guard(SECURITY, "elements within elements within elements are refused, at any depth"),
        run: |session| {
            let bodies = [
                [0x30, 0x80].repeat(60),
                [0x30, 0x80].repeat(2_000),
                (0..1_500).fold(Vec::new(), |inner, _| tlv::wrap(tlv::SEQUENCE, &inner)),
            ];
            malformed(session, &bodies)
        },
    },
    Check {
        id: "body-false-length",
        clause: guard(SECURITY, "a length that the body does not have is refused, and believed by nobody"),
        run: |session| {
            let bodies = [
                vec![0x30, 0x84, 0x7F, 0xFF, 0xFF, 0xFF],
                vec![0x30, 0x88, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
            ];
            malformed(session, &bodies)
        },
    },
    Check {
        id: "body-oversize",
        clause: guard(SECURITY, "a body of 8 MiB is refused, or the connection is cut"),
        run: |session| {
            session.sound()?;
            let target = session.http.endpoint().path.clone();
            let body = vec![0x30; 8 * 1024 * 1024];
            let answer = session.send(&HttpRequest::post(target, REQUEST_MEDIA_TYPE, &body));
            session.is_alive()?;
            match answer {
                Ok(answer) => answer.must_not_be_good(),
                Err(HttpError::Connection(_) | HttpError::NoAnswer) => Ok(Judgement::pass("cut")),
                Err(error) => Err(Judgement::fail(error)),
            }
        },
    },
    Check {
        id: "serial-empty",
        clause: guard(SECURITY, "a serial number of no octets is refused"),
        run: |session| serial(session, &[]),
    },
    Check {
        id: "serial-long",
        clause: guard(SECURITY, "a serial number of 2000 octets is not called good, and breaks nothing"),
        run: |session| {
            let judgement = serial(session, &[0x11; 2000])?;
            session.is_alive()?;
            Ok(judgement)
        },
    },
];

fn serial(session: &mut Session, serial: &[u8]) -> Result<Judgement, Judgement> {
    let question = crate::ocsp::question::Question::about(vec![session.id(serial)]);
    session.ask_soundly(&question)?.must_not_be_good()
}

fn malformed(session: &mut Session, bodies: &[Vec<u8>]) -> Result<Judgement, Judgement> {
    session.sound()?;
    let mut worst = Judgement::pass("all are");
    for body in bodies {
        let judgement = session.post(body)?.must_be_malformed().map_err(|trouble| Judgement {
            reason: format!("{} octets: {}", body.len(), trouble.reason),
            ..trouble
        })?;
        if judgement.verdict != crate::Verdict::Pass {
            worst = judgement;
        }
    }
    session.is_alive()?;
    Ok(worst)
}
