//! Requests whose signature is wrong.

use crate::{
    Check,
    scep::{
        Session, cms,
        draft::PartyKey,
        sections::{CLIENT_AUTHENTICATION, PKI_MESSAGE, POSSESSION, PROCESSING, guard, must, should},
    },
};

pub(super) const CHECKS: &[Check<Session>] = &[
    Check {
        id: "signature-wrong",
        clause: guard(PROCESSING, "a request whose signature does not hold is refused"),
        run: |session| {
            let sent = session.spoiled(|draft| {
                draft.after_signing = |message| {
                    message.change(|signer| {
                        if let Some(octet) = signer.signature.last_mut() {
                            *octet ^= 1;
                        }
                    });
                };
            })?;
            sent.answer.must_be_refused()
        },
    },
    Check {
        id: "signature-of-another-key",
        clause: guard(PROCESSING, "a request signed by a key other than its certificate's is refused"),
        run: |session| {
            let stranger = PartyKey::Rsa(session.keys.stranger.clone());
            session.spoiled(|draft| draft.signer.key = stranger)?.answer.must_be_refused()
        },
    },
    Check {
        id: "signature-over-content",
        clause: guard(
            PKI_MESSAGE,
            "a signature made over the content does not stand for one over the attributes",
        ),
        run: |session| {
            let mut draft = {
                session.enrolled()?;
                session.draft()?
            };
            // The content of this message is what a SET of attributes is to the other one.
            draft.after_signing = |message| {
                message.content = Some(message.to_be_signed());
                message.change(|signer| signer.signed_attributes.clear());
            };
            session.send(draft).answer.must_be_refused()
        },
    },
    Check {
        id: "e-content-type-wrong",
        clause: must(PKI_MESSAGE, "a request whose eContentType is not data is refused"),
        run: |session| {
            session.refuses(|message| {
                message.content_type = cms::ENVELOPED_DATA;
                let other = pki_core::tlv::oid(cms::ENVELOPED_DATA);
                message.change(|signer| signer.set(cms::CONTENT_TYPE, other));
            })
        },
    },
    Check {
        id: "signers-none",
        clause: must(PKI_MESSAGE, "a request that nobody signed is refused"),
        run: |session| session.refuses(|message| message.signers.clear()),
    },
    Check {
        id: "signers-two",
        clause: guard(PKI_MESSAGE, "a request with two signers, one of them false, is refused"),
        run: |session| {
            let sent = session.spoiled(|draft| {
                draft.after_signing = |message| {
                    let mut other = message.signers.clone();
                    for signer in &mut other {
                        signer.set(cms::MESSAGE_TYPE, cms::printable("22"));
                    }
                    message.signers.extend(other);
                };
            })?;
            sent.answer.must_be_refused()
        },
    },
    Check {
        id: "signer-certificate-missing",
        clause: must(CLIENT_AUTHENTICATION, "a request without its signer's certificate is refused"),
        run: |session| session.refuses(|message| message.certificates.clear()),
    },
    Check {
        id: "signer-certificate-other",
        clause: must(CLIENT_AUTHENTICATION, "a request with a certificate, but not its signer's, is refused"),
        run: |session| {
            let stranger = PartyKey::Rsa(session.keys.stranger.clone());
            let other = session.self_signed(stranger)?.certificate;
            let mut draft = {
                session.enrolled()?;
                session.draft()?
            };
            draft.certificates = Some(vec![other]);
            session.send(draft).answer.must_be_refused()
        },
    },
    Check {
        id: "signer-key-not-the-csrs",
        clause: should(
            CLIENT_AUTHENTICATION,
            "a self-signed signer with another key than the CSR's: refused, or tolerated",
        ),
        run: |session| {
            let stranger = PartyKey::Rsa(session.keys.stranger.clone());
            let party = session.self_signed(stranger)?;
            let sent = session.spoiled(|draft| draft.signer = party)?;
            sent.answer.may_be_granted("MDM servers enroll for their devices so")
        },
    },
    Check {
        id: "signer-other-subject",
        clause: should(
            CLIENT_AUTHENTICATION,
            "a self-signed signer with another subject than the CSR's: refused, or tolerated",
        ),
        run: |session| {
            session.enrolled()?;
            let mut draft = session.draft()?;
            let kept =
                std::mem::replace(&mut session.target.subject, pki_core::Name::of_common_name("another"));
            let party = session.self_signed(draft.signer.key.clone());
            session.target.subject = kept;
            draft.signer = party?;
            session.send(draft).answer.may_be_granted("Cisco's devices send it")
        },
    },
    Check {
        id: "csr-signature-wrong",
        clause: guard(POSSESSION, "a CSR that its key did not sign is refused"),
        run: |session| {
            let sent = session.spoiled(|draft| {
                draft.on_plain = |csr| {
                    if let Some(octet) = csr.last_mut() {
                        *octet ^= 1;
                    }
                };
            })?;
            sent.answer.must_be_refused()
        },
    },
];
