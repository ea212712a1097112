//! Requests whose attributes are wrong.

use pki_core::tlv;

use crate::{
    Check, Judgement,
    scep::{
        Session, cms,
        sections::{ATTRIBUTES, MESSAGE_TYPE, NONCES, PKI_MESSAGE, TRANSACTION_ID, guard, must, says},
    },
};

pub(super) const CHECKS: &[Check<Session>] = &[
    Check {
        id: "signed-attributes-missing",
        clause: must(PKI_MESSAGE, "a request without signed attributes is refused"),
        run: |session| session.refuses(|message| message.change(|signer| signer.signed_attributes.clear())),
    },
    Check {
        id: "attributes-unsigned",
        clause: guard(PKI_MESSAGE, "attributes that nobody signed do not count"),
        run: |session| {
            session.refuses(|message| {
                message.change(|signer| {
                    let all = std::mem::take(&mut signer.signed_attributes);
                    let (cms, scep): (Vec<_>, Vec<_>) = all
                        .into_iter()
                        .partition(|(id, _)| matches!(*id, cms::CONTENT_TYPE | cms::MESSAGE_DIGEST));
                    (signer.signed_attributes, signer.unsigned_attributes) = (cms, scep);
                });
            })
        },
    },
    Check {
        id: "message-digest-missing",
        clause: must(ATTRIBUTES, "a request without messageDigest is refused"),
        run: |session| session.refuses(|message| message.change(|signer| signer.remove(cms::MESSAGE_DIGEST))),
    },
    Check {
        id: "message-digest-wrong",
        clause: must(ATTRIBUTES, "a request whose messageDigest is not that of its content is refused"),
        run: |session| {
            session.refuses(|message| {
                let wrong = tlv::wrap(tlv::OCTET_STRING, &[0x5A; 32]);
                message.change(|signer| signer.set(cms::MESSAGE_DIGEST, wrong));
            })
        },
    },
    Check {
        id: "message-digest-twice",
        clause: guard(ATTRIBUTES, "a request with two messageDigests is refused"),
        run: |session| {
            session.refuses(|message| {
                let wrong = tlv::wrap(tlv::OCTET_STRING, &[0x5A; 32]);
                message.change(|signer| signer.add(cms::MESSAGE_DIGEST, wrong));
            })
        },
    },
    Check {
        id: "content-type-wrong",
        clause: must(
            ATTRIBUTES,
            "a request whose contentType attribute is not that of its content is refused",
        ),
        run: |session| {
            session.refuses(|message| {
                message.change(|signer| signer.set(cms::CONTENT_TYPE, tlv::oid(cms::SIGNED_DATA)));
            })
        },
    },
    Check {
        id: "content-type-missing",
        clause: must(
            ATTRIBUTES,
            "a request without a contentType attribute: refused, or tolerated for old clients",
        ),
        run: |session| {
            let sent = session.spoiled(|draft| {
                draft.on_signed = |message| message.change(|signer| signer.remove(cms::CONTENT_TYPE));
            })?;
            sent.answer.may_be_granted("some clients leave it out")
        },
    },
    Check {
        id: "signed-attributes-unsorted",
        clause: guard(
            ATTRIBUTES,
            "signed attributes out of DER's order: refused, or tolerated for old clients",
        ),
        run: |session| {
            let sent = session.spoiled(|draft| {
                draft.on_signed = |message| message.change(|signer| signer.signed_attributes.reverse());
            })?;
            sent.answer.may_be_granted("some clients do not sort them")
        },
    },
    Check {
        id: "transaction-id-missing",
        clause: must(TRANSACTION_ID, "a request without a transactionID is refused"),
        run: |session| session.refuses(|message| message.change(|signer| signer.remove(cms::TRANSACTION_ID))),
    },
    Check {
        id: "transaction-id-empty",
        clause: must(TRANSACTION_ID, "a request with an empty transactionID is refused"),
        run: |session| {
            session.refuses(|message| {
                message.change(|signer| signer.set(cms::TRANSACTION_ID, cms::printable("")));
            })
        },
    },
    Check {
        id: "transaction-id-as-utf8-string",
        clause: must(TRANSACTION_ID, "a transactionID that is no PrintableString: refused, or tolerated"),
        run: |session| {
            let sent = session.spoiled(|draft| {
                draft.on_signed = |message| {
                    message.change(|signer| {
                        let text = signer.attribute_value(cms::TRANSACTION_ID).unwrap_or_default();
                        signer.set(cms::TRANSACTION_ID, tlv::wrap(cms::UTF8_STRING, &text));
                    });
                };
            })?;
            sent.answer.may_be_granted("some clients send other strings")
        },
    },
    Check {
        id: "message-type-missing",
        clause: must(MESSAGE_TYPE, "a request without a messageType is refused"),
        run: |session| session.refuses(|message| message.change(|signer| signer.remove(cms::MESSAGE_TYPE))),
    },
    Check {
        id: "message-type-twice",
        clause: guard(MESSAGE_TYPE, "a request with two messageTypes is refused"),
        run: |session| {
            session.refuses(|message| {
                message.change(|signer| signer.add(cms::MESSAGE_TYPE, cms::printable("22")));
            })
        },
    },
    Check {
        id: "message-type-18",
        clause: must(MESSAGE_TYPE, "UpdateReq (18), which only drafts had, is an error"),
        run: |session| of_type(session, "18"),
    },
    Check {
        id: "message-type-unknown",
        clause: must(MESSAGE_TYPE, "messageTypes that the RFC does not have are errors"),
        run: |session| {
            for text in ["0", "4", "16", "99", "019", "-19", "", "PKCSReq"] {
                of_type(session, text).map_err(|trouble| Judgement {
                    reason: format!("{text:?}: {}", trouble.reason),
                    ..trouble
                })?;
            }
            Ok(Judgement::pass("all are refused"))
        },
    },
    Check {
        id: "message-type-cert-rep",
        clause: guard(MESSAGE_TYPE, "a CertRep is no request"),
        run: |session| of_type(session, "3"),
    },
    Check {
        id: "message-type-as-integer",
        clause: says(MESSAGE_TYPE, "a messageType that is an INTEGER is refused"),
        run: |session| {
            session.refuses(|message| {
                message.change(|signer| signer.set(cms::MESSAGE_TYPE, tlv::wrap(tlv::INTEGER, &[19])));
            })
        },
    },
    Check {
        id: "sender-nonce-missing",
        clause: must(NONCES, "a request without a senderNonce is refused"),
        run: |session| session.refuses(|message| message.change(|signer| signer.remove(cms::SENDER_NONCE))),
    },
    Check {
        id: "sender-nonce-of-8-octets",
        clause: says(NONCES, "a senderNonce of 8 octets: refused, or tolerated for old clients"),
        run: |session| {
            let sent = session.spoiled(|draft| draft.nonce.truncate(8))?;
            sent.answer.may_be_granted("clients older than the RFC send 8")
        },
    },
    Check {
        id: "sender-nonce-empty",
        clause: says(NONCES, "an empty senderNonce is refused"),
        run: |session| session.spoiled(|draft| draft.nonce.clear())?.answer.must_be_refused(),
    },
];

/// A request that is sound but for that messageType.
fn of_type(session: &mut Session, text: &str) -> Result<Judgement, Judgement> {
    session.spoiled(|draft| text.clone_into(&mut draft.message_type))?.answer.must_be_refused()
}
