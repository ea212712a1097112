//! The CertRep that answers the plain enrollment.

use std::rc::Rc;

use keys_software::AwsLc;
use pki_core::{DigestAlgorithm, Oid, SignatureAlgorithm, SignatureVerifier as _, tlv};

use crate::{
    Check, Judgement,
    scep::{
        Session,
        cms::{self, Signer},
        reply::{CertRep, Status},
        sections::{
            ATTRIBUTES, CAPABILITIES_RESPONSE, MANDATORY, MESSAGE_TYPE, NONCES, PKI_MESSAGE, PKI_STATUS,
            TRANSACTION_ID, must, must_not, says, should,
        },
        session::Enrollment,
    },
};

pub(super) const CHECKS: &[Check<Session>] = &[
    Check {
        id: "reply-signature",
        clause: must(PKI_MESSAGE, "a CertRep has one signer, certified by GetCACert, whose signature holds"),
        run: |session| {
            let enrollment = baseline(session)?;
            let certificates =
                session.certificates().map_err(|trouble| Judgement::not_judged(trouble.reason))?;
            let reply = enrollment.answer.reply()?;
            let [signer] = reply.message.signers.as_slice() else {
                return Err(Judgement::fail(format!("{} signers", reply.message.signers.len())));
            };
            let known = certificates.iter().find(|one| cms::issuer_and_serial(one) == signer.id);
            let known = known.ok_or_else(|| Judgement::fail("the signer is none of GetCACert's"))?;
            let algorithm =
                algorithm(signer).ok_or_else(|| Judgement::fail("an unknown signature algorithm"))?;
            let signed = reply.message.to_be_signed();
            AwsLc
                .verify(known.public_key(), algorithm, &signed, &signer.signature)
                .map_err(|_| Judgement::fail("the signature does not hold"))?;
            Ok(Judgement::pass(known.subject()))
        },
    },
    Check {
        id: "reply-signed-attributes",
        clause: must(PKI_MESSAGE, "a CertRep has signed attributes"),
        run: |session| {
            let count = of_signer(session, |signer| signer.signed_attributes.len())?;
            if count == 0 { Err(Judgement::fail("none")) } else { Ok(Judgement::pass(count)) }
        },
    },
    Check {
        id: "reply-e-content-type",
        clause: must(PKI_MESSAGE, "the eContentType of a CertRep is data"),
        run: |session| {
            let found = baseline(session)?.answer.reply()?.message.content_type;
            if found == cms::DATA { Ok(Judgement::pass(found)) } else { Err(Judgement::fail(found)) }
        },
    },
    Check {
        id: "reply-cms-attributes",
        clause: must(
            ATTRIBUTES,
            "a CertRep has the attributes of CMS: contentType, and messageDigest of its content",
        ),
        run: |session| {
            let enrollment = baseline(session)?;
            let message = &enrollment.answer.reply()?.message;
            let signer = message.signer().ok_or_else(|| Judgement::not_judged("no signer"))?;
            if signer.attribute(cms::CONTENT_TYPE) != Some(&tlv::oid(message.content_type)) {
                return Err(Judgement::fail("contentType is missing, or another than that of the content"));
            }
            let content = message.content.clone().unwrap_or_default();
            let digest = crate::scep::weak::digest(signer.digest, &content);
            match signer.attribute_value(cms::MESSAGE_DIGEST) {
                Some(found) if found == digest => Ok(Judgement::pass("both hold")),
                Some(_) => Err(Judgement::fail("messageDigest is not that of the content")),
                None => Err(Judgement::fail("no messageDigest")),
            }
        },
    },
    Check {
        id: "reply-attribute-types",
        clause: says(ATTRIBUTES, "texts are PrintableStrings and nonces OCTET STRINGs"),
        run: |session| {
            let enrollment = baseline(session)?;
            let reply = enrollment.answer.reply()?;
            let signer = reply.message.signer().ok_or_else(|| Judgement::not_judged("no signer"))?;
            for (id, name, tag) in [
                (cms::TRANSACTION_ID, "transactionID", cms::PRINTABLE_STRING),
                (cms::MESSAGE_TYPE, "messageType", cms::PRINTABLE_STRING),
                (cms::PKI_STATUS, "pkiStatus", cms::PRINTABLE_STRING),
                (cms::SENDER_NONCE, "senderNonce", tlv::OCTET_STRING),
                (cms::RECIPIENT_NONCE, "recipientNonce", tlv::OCTET_STRING),
            ] {
                let found = signer.attribute(id).and_then(<[u8]>::first);
                if found.is_some_and(|&found| found != tag) {
                    return Err(Judgement::fail(format!("{name} has tag {found:02X?}, not {tag:02X}")));
                }
            }
            Ok(Judgement::pass("all are"))
        },
    },
    Check {
        id: "reply-transaction-id",
        clause: must(TRANSACTION_ID, "a CertRep has the transactionID of the request"),
        run: |session| {
            let enrollment = baseline(session)?;
            match enrollment.answer.reply()?.text(cms::TRANSACTION_ID) {
                Some(found) if found == enrollment.draft.transaction => Ok(Judgement::pass(found)),
                Some(found) => Err(Judgement::fail(format!("another one: {found}"))),
                None => Err(Judgement::fail("it has none")),
            }
        },
    },
    Check {
        id: "reply-message-type",
        clause: must(MESSAGE_TYPE, "a CertRep has the messageType 3"),
        run: |session| match baseline(session)?.answer.reply()?.text(cms::MESSAGE_TYPE) {
            Some(text) if text == "3" => Ok(Judgement::pass(text)),
            Some(text) => Err(Judgement::fail(text)),
            None => Err(Judgement::fail("it has none")),
        },
    },
    Check {
        id: "reply-status",
        clause: must(PKI_STATUS, "a CertRep has a pkiStatus, which is 0, 2 or 3"),
        run: |session| {
            let enrollment = baseline(session)?;
            let reply = enrollment.answer.reply()?;
            match reply.status() {
                Status::Missing | Status::Other(_) => Err(Judgement::fail(reply.summary())),
                _ => Ok(Judgement::pass(reply.summary())),
            }
        },
    },
    Check {
        id: "reply-recipient-nonce",
        clause: must(NONCES, "recipientNonce repeats the senderNonce of the request"),
        run: |session| {
            let enrollment = baseline(session)?;
            recipient_nonce(&enrollment, enrollment.answer.reply()?)
        },
    },
    Check {
        id: "reply-sender-nonce",
        clause: must(NONCES, "a CertRep has a senderNonce of 16 octets"),
        run: |session| match sender_nonce(baseline(session)?.answer.reply()?) {
            Some(nonce) if nonce.len() == 16 => Ok(Judgement::pass("it has")),
            Some(nonce) => Err(Judgement::fail(format!("{} octets", nonce.len()))),
            None => Err(Judgement::fail("it has none")),
        },
    },
    Check {
        id: "reply-sender-nonce-fresh",
        clause: must(NONCES, "the senderNonce of each CertRep is fresh"),
        run: |session| {
            let enrollment = baseline(session)?;
            let Some(first) = sender_nonce(enrollment.answer.reply()?) else {
                return Ok(Judgement::not_judged("there is no senderNonce"));
            };
            if first == enrollment.draft.nonce {
                return Err(Judgement::fail("it is the client's"));
            }
            let again = session.post(&enrollment.message);
            match again.reply().map(sender_nonce) {
                Ok(Some(second)) if second == first => Err(Judgement::fail("the same one twice")),
                Ok(Some(_)) => Ok(Judgement::pass("two replies have two")),
                _ => Err(Judgement::not_judged(format!("no second reply: {}", again.summary()))),
            }
        },
    },
    Check {
        id: "reply-no-md5",
        clause: must_not(MANDATORY, "a CertRep is not signed with MD5"),
        run: |session| {
            let digest = of_signer(session, |signer| signer.digest)?;
            if digest == DigestAlgorithm::Md5.oid() {
                return Err(Judgement::fail("it is"));
            }
            Ok(Judgement::pass(digest))
        },
    },
    Check {
        id: "reply-digest",
        clause: should(CAPABILITIES_RESPONSE, "a request with SHA-256 is answered with SHA-2"),
        run: |session| {
            let digest = of_signer(session, |signer| signer.digest)?;
            match DigestAlgorithm::from_oid(digest) {
                Ok(DigestAlgorithm::Sha256 | DigestAlgorithm::Sha384 | DigestAlgorithm::Sha512) => {
                    Ok(Judgement::pass(digest))
                }
                Ok(other) => Err(Judgement::fail(format!("{other:?}"))),
                Err(error) => Err(Judgement::fail(error)),
            }
        },
    },
];

/// The plain enrollment, to which some CertRep came.
pub(super) fn baseline(session: &mut Session) -> Result<Rc<Enrollment>, Judgement> {
    let enrollment = session.baseline()?;
    match enrollment.answer.reply() {
        Ok(_) => Ok(enrollment),
        Err(trouble) => Err(Judgement::not_judged(trouble.reason)),
    }
}

pub(super) fn recipient_nonce(request: &Enrollment, reply: &CertRep) -> Result<Judgement, Judgement> {
    let found = reply.message.signer().and_then(|signer| signer.attribute_value(cms::RECIPIENT_NONCE));
    match found {
        Some(nonce) if nonce == request.draft.nonce => Ok(Judgement::pass("it does")),
        Some(_) => Err(Judgement::fail("it is another one")),
        None => Err(Judgement::fail("there is none")),
    }
}

fn of_signer<T>(session: &mut Session, look: impl Fn(&Signer) -> T) -> Result<T, Judgement> {
    let enrollment = baseline(session)?;
    let found = enrollment.answer.reply()?.message.signer().map(look);
    found.ok_or_else(|| Judgement::not_judged("the reply has no signer"))
}

fn sender_nonce(reply: &CertRep) -> Option<Vec<u8>> {
    reply.message.signer()?.attribute_value(cms::SENDER_NONCE)
}

pub(super) fn algorithm(signer: &Signer) -> Option<SignatureAlgorithm> {
    let oid: Oid = tlv::Cursor::into(&signer.algorithm, tlv::SEQUENCE, "an algorithm").ok()?.oid().ok()?;
    SignatureAlgorithm::of_signer(oid, DigestAlgorithm::from_oid(signer.digest).ok()?).ok()
}
