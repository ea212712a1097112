//! Messages that come again, and polls.

use crate::{
    Check, Judgement,
    scep::{
        Session,
        draft::PartyKey,
        reply::{Answer, Status},
        sections::{ERRORS, PENDING, POLLING, TRANSACTION_ID, guard, must, says},
        session::{Enrollment, random},
    },
};

pub(super) const CHECKS: &[Check<Session>] = &[
    Check {
        id: "repeated-message",
        clause: guard(
            ERRORS,
            "a message that comes again gets the same certificate, or none, never a second one",
        ),
        run: |session| {
            let first = session.enrolled()?;
            let answer = session.post(&first.message);
            let again = Enrollment::new(first.draft.clone(), first.message.clone(), answer);
            same_or_none(&first, &again)
        },
    },
    Check {
        id: "repeated-request",
        clause: guard(
            ERRORS,
            "a request whose reply was lost may be sent again in a message with a new nonce",
        ),
        run: |session| {
            let first = session.enrolled()?;
            let mut draft = first.draft.clone();
            draft.nonce = random(16);
            (draft.content_key, draft.iv) = (random(16), random(16));
            let again = session.send(draft);
            same_or_none(&first, &again)
        },
    },
    Check {
        id: "transaction-id-of-another",
        clause: guard(
            TRANSACTION_ID,
            "another request under a transactionID that was used gets nothing of the first",
        ),
        run: |session| {
            let first = session.enrolled()?;
            let stranger = PartyKey::Rsa(session.keys.stranger.clone());
            let mut draft = session.draft()?;
            draft.transaction.clone_from(&first.draft.transaction);
            draft.signer = session.self_signed(stranger.clone())?;
            draft.csr.key = stranger;
            let sent = session.send(draft);
            if !sent.answer.is_granted() {
                return sent.answer.must_be_refused();
            }
            match sent.certificate() {
                Ok(_) => Ok(Judgement::tolerated("granted: the transactionID is not looked at")),
                Err(_) => Err(Judgement::fail("it got the certificate of the first")),
            }
        },
    },
    Check {
        id: "poll-unknown",
        clause: must(POLLING, "a CertPoll without a matching request is refused"),
        run: |session| {
            session.enrolled()?;
            let never_sent = session.draft_without_challenge()?;
            let poll = session.poll_draft(&never_sent, never_sent.signer.clone())?;
            session.send(poll).answer.must_be_refused()
        },
    },
    Check {
        id: "poll-own",
        clause: guard(ERRORS, "a CertPoll after the certificate was issued brings it again, or nothing"),
        run: |session| {
            let first = session.enrolled()?;
            let poll = session.poll_draft(&first.draft, first.draft.signer.clone())?;
            let polled = session.send(poll);
            if !polled.answer.is_granted() {
                return polled.answer.is_optional();
            }
            same_or_none(&first, &polled)
        },
    },
    Check {
        id: "poll-foreign",
        clause: guard(POLLING, "a CertPoll for somebody else's request gets nothing"),
        run: |session| {
            // One that nobody else has used.
            let first = session.spoiled(|_| {})?;
            first.certificate().map_err(|trouble| Judgement::not_judged(trouble.reason))?;
            let stranger = PartyKey::Rsa(session.keys.stranger.clone());
            let party = session.self_signed(stranger)?;
            let poll = session.poll_draft(&first.draft, party)?;
            session.send(poll).answer.must_be_refused()
        },
    },
    Check {
        id: "approval-waiting",
        clause: says(POLLING, "a CertPoll for a request that waits for a person is answered by PENDING"),
        run: |session| {
            let waiting = session.approved()?;
            let answer = &waiting.waiting.answer;
            if answer.is_pending() {
                return Ok(Judgement::pass(answer.summary()));
            }
            Err(Judgement::fail(answer.summary()))
        },
    },
    Check {
        id: "approval-foreign",
        clause: guard(POLLING, "and one by somebody else brings no certificate"),
        run: |session| {
            let foreign = &session.approved()?.foreign.answer;
            if foreign.is_pending() {
                return Ok(Judgement::tolerated(
                    "PENDING: whoever guesses a transactionID learns that it waits",
                ));
            }
            foreign.must_be_refused()
        },
    },
    Check {
        id: "approval-issued",
        clause: must(POLLING, "a CertPoll after the approval brings the certificate"),
        run: |session| {
            let certificate = session.approved()?.afterwards.certificate()?;
            Ok(Judgement::pass(certificate.subject()))
        },
    },
    Check {
        id: "pending-no-envelope",
        clause: must(PENDING, "a PENDING has no envelope"),
        run: |session| {
            let refused = session.refused()?;
            let baseline = session.baseline()?;
            let approved = session.approved().ok();
            let asked = approved.as_ref().map(|approved| &approved.asked.answer);
            let answers = [Some(&baseline.answer), Some(&refused.answer), asked];
            let pending = answers.into_iter().flatten().find_map(|answer| match answer {
                Answer::Reply(reply) if reply.status() == Status::Pending => Some(reply),
                _ => None,
            });
            let Some(reply) = pending else {
                return Ok(Judgement::not_offered("nothing was answered by PENDING"));
            };
            super::failures::no_envelope(reply)
        },
    },
];

fn same_or_none(first: &Enrollment, again: &Enrollment) -> Result<Judgement, Judgement> {
    if !again.answer.is_granted() {
        return again.answer.must_be_refused();
    }
    let delivered = again.delivery.as_ref().map_err(Judgement::fail)?.certificates();
    let expected = first.certificate()?;
    if delivered.contains(&expected) {
        return Ok(Judgement::pass("the same certificate"));
    }
    Err(Judgement::fail("another certificate"))
}
