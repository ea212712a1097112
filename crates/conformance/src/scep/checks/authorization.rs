//! Challenges.

use pki_core::oids;

use crate::{
    Check, Judgement,
    scep::{
        Session, cms,
        draft::PartyKey,
        reply::{Answer, Status},
        sections::{AUTHORIZATION, PKCS_REQ, guard, should},
    },
};

pub(super) const CHECKS: &[Check<Session>] = &[
    Check {
        id: "challenge-wrong",
        clause: guard(AUTHORIZATION, "a wrong challenge gets no certificate"),
        run: |session| unauthorized(&session.refused()?.answer),
    },
    Check {
        id: "challenge-empty",
        clause: guard(AUTHORIZATION, "an empty challenge gets no certificate"),
        run: |session| {
            let sent = session.spoiled(|draft| draft.csr.challenge(cms::printable("")))?;
            unauthorized(&sent.answer)
        },
    },
    Check {
        id: "challenge-missing",
        clause: guard(AUTHORIZATION, "a request without a challenge gets no certificate unseen"),
        run: |session| {
            let sent = session.spoiled(|draft| draft.csr.without_challenge())?;
            unauthorized(&sent.answer)
        },
    },
    Check {
        id: "challenge-twice",
        clause: guard(AUTHORIZATION, "a request with two challenges, one of them wrong, gets no certificate"),
        run: |session| {
            let sent = session.spoiled(|draft| {
                let wrong = (oids::CHALLENGE_PASSWORD, vec![cms::printable("another")]);
                draft.csr.attributes.push(wrong);
            })?;
            sent.answer.must_be_refused()
        },
    },
    Check {
        id: "challenge-reuse",
        clause: should(AUTHORIZATION, "a challenge is good once"),
        run: |session| {
            if !session.target.challenges.are_fresh() {
                return Ok(Judgement::not_offered("this run has one challenge for all requests"));
            }
            let used = session.enrolled()?.draft.csr.attributes.clone();
            let stranger = PartyKey::Rsa(session.keys.stranger.clone());
            let mut draft = session.draft_without_challenge()?;
            draft.signer = session.self_signed(stranger.clone())?;
            (draft.csr.key, draft.csr.attributes) = (stranger, used);
            session.send(draft).answer.must_be_refused()
        },
    },
    Check {
        id: "challenge-as-utf8-string",
        clause: guard(PKCS_REQ, "a challengePassword may be any DirectoryString: UTF8String"),
        run: |session| {
            let challenge = session.challenge()?;
            let value = pki_core::tlv::wrap(cms::UTF8_STRING, challenge.as_bytes());
            must_be_granted(session, value)
        },
    },
    Check {
        id: "challenge-as-bmp-string",
        clause: guard(PKCS_REQ, "a challengePassword may be any DirectoryString: BMPString"),
        run: |session| {
            let challenge = session.challenge()?;
            let octets: Vec<u8> = challenge.encode_utf16().flat_map(u16::to_be_bytes).collect();
            session.enrolled()?;
            let mut draft = session.draft_without_challenge()?;
            draft.csr.challenge(pki_core::tlv::wrap(0x1E, &octets));
            session.send(draft).answer.is_optional()
        },
    },
];

fn must_be_granted(session: &mut Session, challenge: Vec<u8>) -> Result<Judgement, Judgement> {
    session.enrolled()?;
    let mut draft = session.draft_without_challenge()?;
    draft.csr.challenge(challenge);
    let answer = session.send(draft).answer;
    if answer.is_granted() { Ok(Judgement::pass("granted")) } else { Err(Judgement::fail(answer.summary())) }
}

/// To be refused, or left to a person.
fn unauthorized(answer: &Answer) -> Result<Judgement, Judgement> {
    match answer {
        Answer::Reply(reply) if reply.status() == Status::Pending => {
            Ok(Judgement::tolerated("PENDING: a person decides"))
        }
        other => other.must_be_refused(),
    }
}
