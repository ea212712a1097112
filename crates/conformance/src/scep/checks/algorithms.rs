//! Algorithms: those that must be refused, and those that GetCACaps promises.

use pki_core::{DigestAlgorithm, KeyTransport};
use scep_proto::Capability;

use crate::{
    Check, Judgement,
    scep::{
        Session,
        draft::PartyKey,
        password,
        reply::{Answer, CertRep, Status},
        sections::{CAPABILITIES_RESPONSE, FAIL_INFO, MANDATORY, PROCESSING, guard, may, must_not, says},
        session::{directory_string, random},
        weak::Cipher,
    },
};

pub(super) const CHECKS: &[Check<Session>] = &[
    Check {
        id: "digest-md5",
        clause: must_not(MANDATORY, "MD5 is not supported"),
        run: |session| session.spoiled(|draft| draft.digest = DigestAlgorithm::Md5)?.answer.must_be_refused(),
    },
    Check {
        id: "cipher-des",
        clause: must_not(MANDATORY, "single DES is not supported"),
        run: |session| in_cipher(session, Cipher::Des)?.must_be_refused(),
    },
    Check {
        id: "digest-sha-1",
        clause: may(MANDATORY, "SHA-1 is supported where GetCACaps says so, and nowhere else"),
        run: |session| {
            let sent = session.spoiled(|draft| draft.digest = DigestAlgorithm::Sha1)?;
            as_advertised(session, Capability::Sha1, &sent.answer)
        },
    },
    Check {
        id: "digest-sha-512",
        clause: may(CAPABILITIES_RESPONSE, "SHA-512 is supported where GetCACaps says so"),
        run: |session| {
            let sent = session.spoiled(|draft| draft.digest = DigestAlgorithm::Sha512)?;
            if session.capabilities()?.has(Capability::Sha512) && !sent.answer.is_granted() {
                return Err(Judgement::fail(format!("advertised, but {}", sent.answer.summary())));
            }
            sent.answer.is_optional()
        },
    },
    Check {
        id: "cipher-3des",
        clause: may(MANDATORY, "triple DES is supported where GetCACaps says so, and nowhere else"),
        run: |session| {
            let answer = in_cipher(session, Cipher::TripleDes)?;
            as_advertised(session, Capability::Des3, &answer)
        },
    },
    Check {
        id: "cipher-aes-256",
        clause: may(CAPABILITIES_RESPONSE, "any form of AES may be supported: AES-256"),
        run: |session| in_cipher(session, Cipher::Aes256)?.is_optional(),
    },
    Check {
        id: "key-transport-oaep",
        clause: guard(PROCESSING, "Windows wraps content keys by RSAES-OAEP"),
        run: |session| {
            let oaep = KeyTransport::RsaOaep(DigestAlgorithm::Sha1);
            session.spoiled(|draft| draft.transport = oaep)?.answer.is_optional()
        },
    },
    Check {
        id: "algorithm-refusal-says-so",
        clause: says(FAIL_INFO, "an algorithm that is not supported is refused as badAlg"),
        run: |session| match in_cipher(session, Cipher::Des)? {
            Answer::Reply(reply) if reply.status() == Status::Failure => bad_alg(&reply),
            other => Err(Judgement::not_judged(other.summary())),
        },
    },
    Check {
        id: "key-that-cannot-encrypt",
        clause: says(
            PROCESSING,
            "a client whose key cannot encrypt is answered by its challenge, or refused",
        ),
        run: |session| {
            let (_, answer) = without_encryption(session)?;
            match &answer {
                Answer::Reply(reply) if reply.status() == Status::Success => by_password(reply),
                other => other.must_be_refused().map(|refused| Judgement::not_offered(refused.reason)),
            }
        },
    },
    Check {
        id: "password-opens",
        clause: says(
            PROCESSING,
            "the challenge opens what was encrypted to it, and the certificate of the client's key is inside",
        ),
        run: |session| {
            let (challenge, answer) = without_encryption(session)?;
            match &answer {
                Answer::Reply(reply) if reply.status() == Status::Success => {
                    let delivery = reply.open_by_password(&challenge).map_err(Judgement::fail)?;
                    let key = pki_core::SigningKey::public_key(&*session.keys.sign_only);
                    let mut found = delivery.certificates().into_iter();
                    let own = found.find(|certificate| certificate.public_key() == key);
                    own.map(|certificate| Judgement::pass(certificate.subject()))
                        .ok_or_else(|| Judgement::fail("no certificate in it is of the key in the request"))
                }
                other => Ok(Judgement::not_offered(other.summary())),
            }
        },
    },
];

/// A request by a key that signs and cannot encrypt: its challenge, and the answer.
fn without_encryption(session: &mut Session) -> Result<(String, Answer), Judgement> {
    session.enrolled()?;
    let key = PartyKey::Ec(session.keys.sign_only.clone());
    let challenge = session.challenge()?;
    let mut draft = session.draft_without_challenge()?;
    draft.csr.challenge(directory_string(&challenge));
    draft.signer = session.self_signed(key.clone())?;
    draft.csr.key = key;
    Ok((challenge, session.send(draft).answer))
}

fn in_cipher(session: &mut Session, cipher: Cipher) -> Result<Answer, Judgement> {
    let (key, iv) = (random(cipher.key_len()), random(cipher.block_len()));
    let sent = session.spoiled(|draft| {
        draft.cipher = cipher;
        (draft.content_key, draft.iv) = (key, iv);
    })?;
    Ok(sent.answer)
}

fn as_advertised(
    session: &mut Session,
    capability: Capability,
    answer: &Answer,
) -> Result<Judgement, Judgement> {
    match (session.capabilities()?.has(capability), answer.is_granted()) {
        (true, true) => Ok(Judgement::pass("advertised, and supported")),
        (true, false) => Err(Judgement::fail(format!("advertised, but {}", answer.summary()))),
        (false, true) => Err(Judgement::fail("supported, but not advertised")),
        (false, false) => answer.is_optional(),
    }
}

fn bad_alg(reply: &CertRep) -> Result<Judgement, Judgement> {
    match reply.text(crate::scep::cms::FAIL_INFO).as_deref() {
        Some("0") => Ok(Judgement::pass(reply.summary())),
        _ => Err(Judgement::fail(reply.summary())),
    }
}

/// The envelope for a key that cannot encrypt has a PasswordRecipientInfo, and no other.
fn by_password(reply: &CertRep) -> Result<Judgement, Judgement> {
    let content = reply.message.content.clone().unwrap_or_default();
    let envelope = crate::scep::cms::EnvelopedMessage::read(&content)
        .map_err(|error| Judgement::fail(format!("granted, but {error}")))?;
    match envelope.recipients.as_slice() {
        [one] if one.first() == Some(&password::TAG) => Ok(Judgement::pass("a PasswordRecipientInfo")),
        [_] => Err(Judgement::fail("encrypted to something else than its challenge")),
        several => Err(Judgement::fail(format!("{} recipients", several.len()))),
    }
}
