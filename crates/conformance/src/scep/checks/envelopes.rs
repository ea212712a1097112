//! Requests whose envelope is wrong, and what can be learned from how they are refused.

use pki_core::{KeyKind, KeyTransport};

use crate::{
    Check, Judgement,
    scep::{
        Session, cms,
        draft::{Draft, PartyKey, recipient, recipient_of},
        reply::Answer,
        sections::{ENVELOPE, PKI_MESSAGE, PROCESSING, guard, must},
        session::random,
    },
};

pub(super) const CHECKS: &[Check<Session>] = &[
    Check {
        id: "envelope-missing",
        clause: must(PKI_MESSAGE, "a request whose content is no envelope is refused"),
        run: |session| {
            session.enrolled()?;
            let draft = session.draft()?;
            let encoded = draft.signed(b"no envelope".to_vec());
            session.post(&encoded).must_be_refused()
        },
    },
    Check {
        id: "content-missing",
        clause: must(PKI_MESSAGE, "a request without content is refused"),
        run: |session| {
            let sent = session.spoiled(|draft| draft.after_signing = |message| message.content = None)?;
            sent.answer.must_be_refused()
        },
    },
    Check {
        id: "envelope-in-clear",
        clause: guard(PROCESSING, "a request that is not encrypted is refused"),
        run: |session| {
            session.enrolled()?;
            let draft = session.draft()?;
            let encoded = draft.signed(draft.plain_octets());
            session.post(&encoded).must_be_refused()
        },
    },
    Check {
        id: "envelope-content-type-wrong",
        clause: must(ENVELOPE, "an envelope whose contentType is not data is refused"),
        run: |session| {
            let sent = session.spoiled(|draft| {
                draft.on_envelope = |envelope| envelope.content_type = cms::SIGNED_DATA;
            })?;
            sent.answer.must_be_refused()
        },
    },
    Check {
        id: "envelope-for-another",
        clause: guard(ENVELOPE, "an envelope for somebody else is refused"),
        run: |session| {
            let stranger = PartyKey::Rsa(session.keys.stranger.clone());
            let other = session.self_signed(stranger)?.certificate;
            session.spoiled(|draft| draft.recipient = other)?.answer.must_be_refused()
        },
    },
    Check {
        id: "envelope-for-nobody",
        clause: guard(ENVELOPE, "an envelope without a recipient is refused"),
        run: |session| {
            let sent = session.spoiled(|draft| draft.on_envelope = |envelope| envelope.recipients.clear())?;
            sent.answer.must_be_refused()
        },
    },
    Check {
        id: "envelope-for-two",
        clause: guard(ENVELOPE, "an envelope with two keys for the server, one of them false, is refused"),
        run: |session| {
            let sent = session.spoiled(|draft| {
                let right = recipient(&draft.recipient, draft.transport, &draft.content_key);
                let wrong = recipient(&draft.recipient, draft.transport, &[7; 16]);
                draft.recipient_info = Some([right, wrong].concat());
            })?;
            sent.answer.must_be_refused()
        },
    },
    Check {
        id: "plain-no-csr",
        clause: must(ENVELOPE, "an envelope whose content is not what messageType says is refused"),
        run: |session| {
            let sent = session.spoiled(|draft| draft.plain = Some(b"\x30\x03\x02\x01\x05".to_vec()))?;
            sent.answer.must_be_refused()
        },
    },
    Check {
        id: "oracle-decryption",
        clause: guard(
            ENVELOPE,
            "why an envelope does not open does not show: key, padding and content alike",
        ),
        run: |session| {
            let defects: [(&str, Spoil); 4] = [
                ("a key that does not unwrap", unwrappable_key),
                ("a key of the wrong length", short_key),
                ("padding that does not hold", bad_padding),
                ("content that is nothing", garbage),
            ];
            alike(session, &defects)
        },
    },
    Check {
        id: "oracle-request",
        clause: guard(ENVELOPE, "nor does whether a CSR that does not verify came out of it"),
        run: |session| {
            let defects: [(&str, Spoil); 3] = [
                ("padding that does not hold", bad_padding),
                ("content that is nothing", garbage),
                ("a CSR that its key did not sign", |_, draft| {
                    draft.on_plain = |csr| {
                        if let Some(octet) = csr.last_mut() {
                            *octet ^= 1;
                        }
                    };
                }),
            ];
            alike(session, &defects)
        },
    },
];

type Spoil = fn(&Session, &mut Draft);

fn unwrappable_key(_: &Session, draft: &mut Draft) {
    // Below the modulus, and of no padding that PKCS #1 has.
    let bits = match draft.recipient.public_key().kind() {
        KeyKind::Rsa { bits } => bits,
        _ => 2048,
    };
    let length = usize::try_from(bits.div_ceil(8)).unwrap_or(256);
    let octets = [vec![0; 2], random(length.saturating_sub(2))].concat();
    draft.recipient_info = Some(recipient_of(&draft.recipient, KeyTransport::RsaPkcs1, &octets));
}

fn short_key(_: &Session, draft: &mut Draft) {
    draft.recipient_info = Some(recipient(&draft.recipient, KeyTransport::RsaPkcs1, &[7; 5]));
}

fn bad_padding(_: &Session, draft: &mut Draft) {
    draft.raw_plain = Some(vec![0; 64]);
}

fn garbage(_: &Session, draft: &mut Draft) {
    draft.plain = Some(vec![0x42; 600]);
}

/// Each is refused, and all in the same words.
fn alike(session: &mut Session, defects: &[(&str, Spoil)]) -> Result<Judgement, Judgement> {
    let mut first: Option<(&str, Vec<String>)> = None;
    for (name, spoil) in defects {
        session.enrolled()?;
        let mut draft = session.draft()?;
        spoil(session, &mut draft);
        let answer = session.send(draft).answer;
        answer
            .must_be_refused()
            .map_err(|trouble| Judgement { reason: format!("{name}: {}", trouble.reason), ..trouble })?;
        let looks = appearance(&answer);
        match &first {
            None => first = Some((name, looks)),
            Some((_, expected)) if *expected == looks => {}
            Some((other, expected)) => {
                let (theirs, this) = (expected.join(", "), looks.join(", "));
                return Err(Judgement::fail(format!("{other}: {theirs}; but {name}: {this}")));
            }
        }
    }
    let (_, looks) = first.unwrap_or_default();
    Ok(Judgement::pass(format!("{} ways, one answer: {}", defects.len(), looks.join(", "))))
}

/// All that tells one answer from another, but for what is meant to differ.
fn appearance(answer: &Answer) -> Vec<String> {
    match answer {
        Answer::Reply(reply) => {
            let header = reply.http.header("content-type").unwrap_or_default().to_owned();
            let content = reply
                .message
                .content
                .as_ref()
                .map_or("no content".into(), |it| format!("{} octets", it.len()));
            let attributes = reply.message.signer().map_or(0, |signer| signer.signed_attributes.len());
            vec![reply.summary(), header, content, format!("{attributes} attributes")]
        }
        Answer::Refused(response) => vec![response.summary(), format!("{} octets", response.body.len())],
        other => vec![other.summary()],
    }
}
