//! GetCert and GetCRL.

use keys_software::AwsLc;
use pki_core::{Certificate, Crl, tlv};

use crate::{
    Check, Judgement,
    scep::{
        Session, cms,
        draft::{Party, PartyKey},
        reply::{Answer, Status},
        sections::{CERTIFICATE_ACCESS, CRL_ACCESS, ENVELOPE, QUERIES, guard, may, must, says},
        session::{Enrollment, random},
    },
};

const GET_CERT: &str = "21";
const GET_CRL: &str = "22";

pub(super) const CHECKS: &[Check<Session>] = &[
    Check {
        id: "get-cert",
        clause: may(CERTIFICATE_ACCESS, "GetCert brings the certificate of that number, or a FAILURE"),
        run: |session| {
            let member = session.member()?;
            let wanted = member.certificate.clone();
            let sent = query(session, GET_CERT, member, cms::issuer_and_serial(&wanted))?;
            no_pending(&sent.answer)?;
            if !sent.answer.is_granted() {
                return sent.answer.is_optional();
            }
            let delivery = sent.delivery.as_ref().map_err(Judgement::fail)?;
            if delivery.certificates().contains(&wanted) {
                Ok(Judgement::pass("the certificate"))
            } else {
                Err(Judgement::fail("SUCCESS without the certificate"))
            }
        },
    },
    Check {
        id: "get-cert-unknown",
        clause: says(QUERIES, "GetCert for a number that was never given brings no SUCCESS"),
        run: |session| {
            let member = session.member()?;
            let ca = session.authority()?.ca;
            let content = unknown_serial(&ca);
            query(session, GET_CERT, member, content)?.answer.must_be_refused()
        },
    },
    Check {
        id: "get-cert-stranger",
        clause: guard(QUERIES, "GetCert is for holders of a certificate, not for everybody"),
        run: |session| {
            let wanted = session.member()?.certificate;
            let stranger = session.self_signed(PartyKey::Rsa(session.keys.stranger.clone()))?;
            let sent = query(session, GET_CERT, stranger, cms::issuer_and_serial(&wanted))?;
            sent.answer.may_be_granted("whoever guesses numbers reads all certificates")
        },
    },
    Check {
        id: "get-crl",
        clause: may(CRL_ACCESS, "GetCRL brings a CRL in the field crls, or a FAILURE"),
        run: |session| {
            let sent = crl(session)?;
            if !sent.answer.is_granted() {
                return sent.answer.is_optional();
            }
            let delivery = sent.delivery.as_ref().map_err(Judgement::fail)?;
            match (delivery.degenerate.crls.len(), delivery.degenerate.certificates.len()) {
                (1, 0) => Ok(Judgement::pass("a CRL")),
                (1, _) => Ok(Judgement::tolerated("certificates beside the CRL")),
                (count, _) => Err(Judgement::fail(format!("{count} CRLs"))),
            }
        },
    },
    Check {
        id: "get-crl-issuer",
        clause: says(CRL_ACCESS, "the CRL is the CA's: it bears the CA's name"),
        run: |session| {
            let Some(crl) = delivered_crl(session)? else { return Ok(not_offered()) };
            let ca = session.authority()?.ca;
            let found = crl.issuer().to_string();
            if crl.issuer().matches(ca.subject()) {
                Ok(Judgement::pass(found))
            } else {
                Err(Judgement::fail(found))
            }
        },
    },
    Check {
        id: "get-crl-signature",
        clause: says(CRL_ACCESS, "and the CA's key signed it"),
        run: |session| {
            let Some(crl) = delivered_crl(session)? else { return Ok(not_offered()) };
            let ca = session.authority()?.ca;
            crl.verify_signed_by(ca.public_key(), &AwsLc)
                .map_err(|_| Judgement::fail("the signature is not one by the CA's key"))?;
            Ok(Judgement::pass("it holds"))
        },
    },
    Check {
        id: "get-crl-current",
        clause: says(CRL_ACCESS, "the CRL is the most recent one: issued, and not yet due for the next"),
        run: |session| {
            let Some(crl) = delivered_crl(session)? else { return Ok(not_offered()) };
            let (this, next, now) = (crl.this_update(), crl.next_update(), Session::now());
            let text = format!("from {this} to {}", next.map_or("no end".into(), |next| next.to_string()));
            if this <= now && next.is_none_or(|next| now <= next) {
                Ok(Judgement::pass(text))
            } else {
                Err(Judgement::fail(text))
            }
        },
    },
    Check {
        id: "get-crl-next-update",
        clause: guard(CRL_ACCESS, "the CRL says when the next one is due (RFC 5280 §5.1.2.5)"),
        run: |session| {
            let Some(crl) = delivered_crl(session)? else { return Ok(not_offered()) };
            match crl.next_update() {
                Some(next) => Ok(Judgement::pass(next)),
                None => Err(Judgement::fail("it has no nextUpdate: a client may believe it for ever")),
            }
        },
    },
    Check {
        id: "get-crl-other-issuer",
        clause: guard(QUERIES, "GetCRL for a certificate of another CA brings no SUCCESS"),
        run: |session| {
            let member = session.member()?;
            let stranger = session.self_signed(PartyKey::Rsa(session.keys.stranger.clone()))?;
            let content = cms::issuer_and_serial(&stranger.certificate);
            query(session, GET_CRL, member, content)?.answer.must_be_refused()
        },
    },
    Check {
        id: "query-malformed",
        clause: must(ENVELOPE, "a GetCert and a GetCRL whose content is a CSR are refused"),
        run: |session| {
            for message_type in [GET_CERT, GET_CRL] {
                let member = session.member()?;
                let content = session.draft_without_challenge()?.plain_octets();
                query(session, message_type, member, content)?.answer.must_be_refused()?;
            }
            Ok(Judgement::pass("both are"))
        },
    },
];

fn query(
    session: &mut Session,
    message_type: &str,
    party: Party,
    content: Vec<u8>,
) -> Result<Enrollment, Judgement> {
    let mut draft = session.draft_without_challenge()?;
    draft.message_type = message_type.into();
    draft.signer = party;
    draft.plain = Some(content);
    Ok(session.send(draft))
}

fn crl(session: &mut Session) -> Result<Enrollment, Judgement> {
    let member = session.member()?;
    let content = cms::issuer_and_serial(&member.certificate);
    let sent = query(session, GET_CRL, member, content)?;
    no_pending(&sent.answer)?;
    Ok(sent)
}

/// The one CRL that GetCRL brings; `None` where it is refused.
fn delivered_crl(session: &mut Session) -> Result<Option<Crl>, Judgement> {
    let sent = crl(session)?;
    if !sent.answer.is_granted() {
        return Ok(None);
    }
    let delivery = sent.delivery.as_ref().map_err(Judgement::not_judged)?;
    let der = delivery.degenerate.crls.first().ok_or_else(|| Judgement::not_judged("there is no CRL"))?;
    Crl::from_der(der).map(Some).map_err(Judgement::fail)
}

fn not_offered() -> Judgement {
    Judgement::not_offered("GetCRL is refused")
}

fn no_pending(answer: &Answer) -> Result<(), Judgement> {
    match answer {
        Answer::Reply(reply) if reply.status() == Status::Pending => Err(Judgement::fail("PENDING")),
        _ => Ok(()),
    }
}

fn unknown_serial(ca: &Certificate) -> Vec<u8> {
    let mut serial = random(16);
    serial.insert(0, 0x3A);
    tlv::sequence([ca.subject().as_der(), &tlv::wrap(tlv::INTEGER, &serial)])
}
