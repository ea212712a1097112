//! RenewalReq, and who may send it.

use std::time::Duration;

use pki_core::{Name, Validity};
use scep_proto::Capability;

use crate::{
    Check, Judgement,
    scep::{
        Session,
        draft::{Draft, Party, PartyKey, forged_certificate},
        sections::{AUTHORIZATION, CLIENT_AUTHENTICATION, POSSESSION, RENEWAL, guard, may, must_not},
    },
};

pub(super) const CHECKS: &[Check<Session>] = &[
    Check {
        id: "renewal",
        clause: may(
            RENEWAL,
            "a RenewalReq signed with a certificate of the CA's is granted where GetCACaps says so",
        ),
        run: |session| {
            let sent = {
                let draft = renewal(session)?;
                session.send(draft)
            };
            let advertised = session.capabilities()?.has(Capability::Renewal);
            match (advertised, sent.answer.is_granted()) {
                (true, true) => sent.certificate().map(|_| Judgement::pass("granted")),
                (true, false) => Err(Judgement::fail(format!("advertised, but {}", sent.answer.summary()))),
                (false, true) => Ok(Judgement::tolerated("granted, though GetCACaps does not say so")),
                (false, false) => sent.answer.is_optional(),
            }
        },
    },
    Check {
        id: "renewal-by-pkcs-req",
        clause: guard(RENEWAL, "certmonger, sscep and jscep renew by a PKCSReq signed with the certificate"),
        run: |session| {
            let mut draft = renewal(session)?;
            draft.message_type = "19".into();
            session.send(draft).answer.is_optional()
        },
    },
    Check {
        id: "renewal-self-signed",
        clause: must_not(AUTHORIZATION, "a self-signed certificate authenticates nobody"),
        run: |session| {
            let mut draft = renewal(session)?;
            draft.signer = session.self_signed(draft.csr.key.clone())?;
            session.send(draft).answer.must_be_refused()
        },
    },
    Check {
        id: "renewal-of-another-ca",
        clause: guard(
            CLIENT_AUTHENTICATION,
            "a certificate in the CA's name that the CA did not sign renews nothing",
        ),
        run: |session| {
            let ca = session.authority()?.ca.subject().clone();
            let stranger = PartyKey::Rsa(session.keys.stranger.clone());
            let mut draft = renewal(session)?;
            let subject = session.target.subject.clone();
            draft.signer = forged(&ca, &stranger, &subject, &stranger, now_for_a_day()?)?;
            session.send(draft).answer.must_be_refused()
        },
    },
    Check {
        id: "renewal-serial-of-another",
        clause: guard(
            CLIENT_AUTHENTICATION,
            "nor does one that bears the serial number of a certificate that it did sign",
        ),
        run: |session| {
            let member = session.member()?;
            let stranger = PartyKey::Rsa(session.keys.stranger.clone());
            let mut draft = renewal(session)?;
            let copy = crate::scep::draft::copied_certificate(&member.certificate, &stranger);
            let certificate = copy.ok_or_else(|| Judgement::not_judged("no copy of the certificate"))?;
            draft.signer = Party { key: stranger, certificate };
            session.send(draft).answer.must_be_refused()
        },
    },
    Check {
        id: "renewal-other-subject",
        clause: guard(POSSESSION, "a renewal does not certify another name"),
        run: |session| {
            let mut draft = renewal(session)?;
            draft.csr.subject = Name::of_common_name("administrator").as_der().to_vec();
            let sent = session.send(draft);
            if !sent.answer.is_granted() {
                return sent.answer.must_be_refused();
            }
            let certified = sent.certificate()?.subject().common_name();
            if certified.as_deref() == Some("administrator") {
                return Err(Judgement::fail("granted"));
            }
            Ok(Judgement::pass("granted for the old name"))
        },
    },
    Check {
        id: "renewal-csr-unsigned",
        clause: guard(POSSESSION, "a RenewalReq proves that the new key is its sender's as well"),
        run: |session| {
            let mut draft = renewal(session)?;
            draft.on_plain = |csr| {
                if let Some(octet) = csr.last_mut() {
                    *octet ^= 1;
                }
            };
            session.send(draft).answer.must_be_refused()
        },
    },
];

/// A correct RenewalReq for a new key, without a challenge.
fn renewal(session: &mut Session) -> Result<Draft, Judgement> {
    let member = session.member()?;
    let mut draft = session.draft_without_challenge()?;
    draft.message_type = "17".into();
    draft.csr.key = PartyKey::Rsa(session.keys.stranger.clone());
    draft.csr.subject = member.certificate.subject().as_der().to_vec();
    draft.signer = member;
    Ok(draft)
}

fn now_for_a_day() -> Result<Validity, Judgement> {
    let (now, day) = (Session::now(), Duration::from_secs(86_400));
    Validity::new(now.saturating_sub(day), now.saturating_add(day)).map_err(Judgement::not_judged)
}

fn forged(
    issuer: &Name,
    issuer_key: &PartyKey,
    subject: &Name,
    key: &PartyKey,
    validity: Validity,
) -> Result<Party, Judgement> {
    let certificate = forged_certificate(issuer, issuer_key, subject, key.public_key(), validity);
    let certificate = certificate.ok_or_else(|| Judgement::not_judged("no certificate could be forged"))?;
    Ok(Party { key: key.clone(), certificate })
}
