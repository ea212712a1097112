//! The CertRep that answers a request with a wrong challenge.

use std::rc::Rc;

use pki_core::tlv;

use super::cert_rep::recipient_nonce;
use crate::{
    Check, Judgement,
    scep::{
        Session, cms,
        reply::{Answer, CertRep, Status, fail_info_name},
        sections::{
            ATTRIBUTES, ENROLLMENT_RESPONSE, FAIL_INFO, FAILURE, GENERAL_SECURITY, guard, must, says,
        },
        session::Enrollment,
    },
};

pub(super) const CHECKS: &[Check<Session>] = &[
    Check {
        id: "failure-cert-rep",
        clause: says(ENROLLMENT_RESPONSE, "a refusal is a CertRep FAILURE, and no HTTP error"),
        run: |session| {
            let refused = session.refused()?;
            match &refused.answer {
                Answer::Reply(reply) if reply.status() == Status::Failure => {
                    Ok(Judgement::pass(reply.summary()))
                }
                Answer::Reply(reply) => Ok(Judgement::not_judged(reply.summary())),
                other => Err(Judgement::fail(other.summary())),
            }
        },
    },
    Check {
        id: "failure-fail-info",
        clause: must(FAILURE, "a FAILURE has a failInfo"),
        run: |session| match failure(session)?.1.text(cms::FAIL_INFO) {
            Some(text) => Ok(Judgement::pass(fail_info_name(&text))),
            None => Err(Judgement::fail("it has none")),
        },
    },
    Check {
        id: "failure-fail-info-known",
        clause: must(FAIL_INFO, "the failInfo is one of 0 to 4"),
        run: |session| match failure(session)?.1.text(cms::FAIL_INFO) {
            Some(text) if matches!(&*text, "0" | "1" | "2" | "3" | "4") => Ok(Judgement::pass(text)),
            Some(text) => Err(Judgement::fail(format!("{text:?}"))),
            None => Ok(Judgement::not_judged("there is no failInfo")),
        },
    },
    Check {
        id: "failure-fail-info-text",
        clause: says(FAIL_INFO, "failInfoText, where there is one, is a UTF8String"),
        run: |session| {
            let (_, reply) = failure(session)?;
            let der = reply.message.signer().and_then(|signer| signer.attribute(cms::FAIL_INFO_TEXT));
            let Some(der) = der else { return Ok(Judgement::not_offered("none")) };
            let element = tlv::Cursor::over(der, "failInfoText").and_then(|mut cursor| cursor.next());
            let element = element.map_err(Judgement::fail)?;
            match (element.tag, std::str::from_utf8(element.value)) {
                (cms::UTF8_STRING, Ok(text)) => Ok(Judgement::pass(text)),
                (cms::UTF8_STRING, Err(error)) => Err(Judgement::fail(error)),
                (tag, _) => Err(Judgement::fail(format!("tag {tag:02X}"))),
            }
        },
    },
    Check {
        id: "failure-no-envelope",
        clause: must(FAILURE, "a FAILURE has no envelope"),
        run: |session| no_envelope(&failure(session)?.1),
    },
    Check {
        id: "failure-transaction-id",
        clause: must(ATTRIBUTES, "a FAILURE has the transactionID of the request"),
        run: |session| {
            let (enrollment, reply) = failure(session)?;
            match reply.text(cms::TRANSACTION_ID) {
                Some(found) if found == enrollment.draft.transaction => Ok(Judgement::pass(found)),
                found => Err(Judgement::fail(format!("{found:?}"))),
            }
        },
    },
    Check {
        id: "failure-recipient-nonce",
        clause: must(ATTRIBUTES, "the recipientNonce of a FAILURE repeats the senderNonce of the request"),
        run: |session| {
            let (enrollment, reply) = failure(session)?;
            recipient_nonce(&enrollment, &reply)
        },
    },
    Check {
        id: "failure-tells-no-secret",
        clause: guard(GENERAL_SECURITY, "a FAILURE does not repeat the challenge"),
        run: |session| {
            let (enrollment, reply) = failure(session)?;
            let challenge = enrollment.draft.csr.attributes.iter().find_map(|(_, values)| values.first());
            let secret = challenge.and_then(|der| der.get(2..)).unwrap_or_default();
            let body = &reply.http.body;
            if !secret.is_empty() && body.windows(secret.len()).any(|window| window == secret) {
                return Err(Judgement::fail("it does"));
            }
            Ok(Judgement::pass("it does not"))
        },
    },
];

/// A FAILURE upon a wrong challenge.
fn failure(session: &mut Session) -> Result<(Rc<Enrollment>, CertRep), Judgement> {
    let refused = session.refused()?;
    match &refused.answer {
        Answer::Reply(reply) if reply.status() == Status::Failure => {
            let reply = (**reply).clone();
            Ok((refused, reply))
        }
        other => Err(Judgement::not_judged(format!("no FAILURE came: {}", other.summary()))),
    }
}

/// As PENDING and FAILURE have to be.
pub(super) fn no_envelope(reply: &CertRep) -> Result<Judgement, Judgement> {
    match reply.message.content.as_deref() {
        None => Ok(Judgement::pass("it has none")),
        Some([]) => Ok(Judgement::tolerated(
            "an empty OCTET STRING: clients that read it exist (certmonger), and those that need it",
        )),
        Some(content) => Err(Judgement::fail(format!("content of {} octets", content.len()))),
    }
}
