//! The shape of responses.

use pki_core::{Oid, tlv};

use crate::{
    Check, Judgement,
    ocsp::{
        Session,
        message::OcspMessage,
        question::NONCE,
        sections::{
            BASIC, EXCEPTIONS, LIGHT_RESPONSE, LIGHT_SIGNED_RESPONSE, NONCE as NONCE_SECTION,
            RESPONSE_SYNTAX, guard, must, says, should, should_not,
        },
    },
};

pub(super) const CHECKS: &[Check<Session>] = &[
    Check {
        id: "response-type-basic",
        clause: must(RESPONSE_SYNTAX, "responseType is id-pkix-ocsp-basic"),
        run: |session| {
            let answer = session.baseline()?;
            let reply = answer.reply.as_ref().map_err(Judgement::not_judged)?;
            match &reply.bytes {
                Some((id, _)) if crate::ocsp::message::BasicMessage::is_type(*id) => Ok(Judgement::pass(id)),
                Some((id, _)) => Err(Judgement::fail(id)),
                None => Err(Judgement::not_judged(answer.summary())),
            }
        },
    },
    Check {
        id: "response-der",
        clause: must(RESPONSE_SYNTAX, "the response is DER, and nothing follows it"),
        run: |session| {
            let basic = session.sound()?;
            let answer = session.baseline()?;
            let message = OcspMessage::read(&answer.http.body).map_err(Judgement::fail)?;
            // What is written anew from what was read is the same, if it was DER.
            let again = OcspMessage { bytes: message.bytes.map(|(id, _)| (id, basic.encode())), ..message };
            if again.encode() == answer.http.body {
                Ok(Judgement::pass(format!("{} octets", answer.http.body.len())))
            } else {
                Err(Judgement::fail("its DER is another"))
            }
        },
    },
    Check {
        id: "response-version",
        clause: must(BASIC, "the version is v1, which DER leaves out"),
        run: |session| match session.sound()?.version {
            None => Ok(Judgement::pass("left out")),
            Some(der) => Err(Judgement::fail(format!("{der:02X?}"))),
        },
    },
    Check {
        id: "responder-id",
        clause: must(BASIC, "the ResponderID is that of the signer's certificate"),
        run: |session| {
            let basic = session.sound()?;
            let signer = session.signer(&basic).map_err(|trouble| Judgement::not_judged(trouble.reason))?;
            let by_key =
                tlv::wrap(0xA2, &tlv::wrap(tlv::OCTET_STRING, &signer.public_key().key_identifier()));
            let by_name = tlv::wrap(0xA1, signer.subject().as_der());
            match basic.responder_id {
                found if found == by_key => Ok(Judgement::pass("by key")),
                found if found == by_name => Ok(Judgement::pass("by name")),
                _ => Err(Judgement::fail(format!(
                    "it is neither the key nor the name of {}",
                    signer.subject()
                ))),
            }
        },
    },
    Check {
        id: "responder-id-by-key",
        clause: must(LIGHT_SIGNED_RESPONSE, "a responder is named by its key"),
        run: |session| match session.sound()?.responder_id.first() {
            Some(0xA2) => Ok(Judgement::pass("by key")),
            _ => Err(Judgement::fail("by name")),
        },
    },
    Check {
        id: "one-answer",
        clause: should(LIGHT_RESPONSE, "one question gets one answer"),
        run: |session| match session.sound()?.responses.len() {
            1 => Ok(Judgement::pass("one")),
            count => Err(Judgement::fail(count)),
        },
    },
    Check {
        id: "answer-is-about-the-question",
        clause: must(BASIC, "the answer has the CertID of the question, octet by octet"),
        run: |session| {
            let expected = session.good_id().encode();
            let found = session.sound_single()?.cert_id;
            if found == expected {
                Ok(Judgement::pass("it has"))
            } else {
                Err(Judgement::fail(format!("{found:02X?}")))
            }
        },
    },
    Check {
        id: "no-response-extensions",
        clause: should_not(
            LIGHT_RESPONSE,
            "a response to a question without a nonce has no responseExtensions",
        ),
        run: |session| match session.sound()?.extensions.len() {
            0 => Ok(Judgement::pass("none")),
            count => Err(Judgement::fail(count)),
        },
    },
    Check {
        id: "nonce-not-invented",
        clause: guard(NONCE_SECTION, "who sends no nonce gets none"),
        run: |session| match crate::ocsp::message::extension(&session.sound()?.extensions, NONCE) {
            None => Ok(Judgement::pass("none")),
            Some(_) => Err(Judgement::fail("a nonce that nobody asked for")),
        },
    },
    Check {
        id: "no-critical-extensions",
        clause: guard(
            RESPONSE_SYNTAX,
            "no extension of the response is critical: clients refuse those that they do not know",
        ),
        run: |session| {
            let basic = session.sound()?;
            let singles = basic.responses.iter().flat_map(|single| &single.extensions);
            for der in basic.extensions.iter().chain(singles) {
                let mut fields =
                    tlv::Cursor::into(der, tlv::SEQUENCE, "an Extension").map_err(Judgement::fail)?;
                let id: Oid = fields.oid().map_err(Judgement::fail)?;
                if fields.boolean().map_err(Judgement::fail)? == Some(true) {
                    return Err(Judgement::fail(id));
                }
            }
            Ok(Judgement::pass("none is"))
        },
    },
    Check {
        id: "errors-have-no-bytes",
        clause: says(RESPONSE_SYNTAX, "an error has no responseBytes"),
        run: |session| {
            session.sound()?;
            let answer = session.post(b"no request")?;
            match &answer.reply {
                Ok(reply) if reply.status == 0 => Err(Judgement::not_judged(answer.summary())),
                Ok(reply) if reply.bytes.is_none() => Ok(Judgement::pass(answer.summary())),
                Ok(_) => Err(Judgement::fail("it has")),
                Err(_) => Ok(Judgement::not_offered(answer.summary())),
            }
        },
    },
    Check {
        id: "malformed-request",
        clause: says(EXCEPTIONS, "what is no OCSPRequest is answered malformedRequest"),
        run: |session| {
            session.sound()?;
            session.post(b"no request")?.must_be_malformed()
        },
    },
];
