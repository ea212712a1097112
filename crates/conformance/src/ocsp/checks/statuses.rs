//! Good, revoked, and what was never issued.

use pki_core::{DigestAlgorithm, Name, UnixTime, tlv};

use crate::{
    Check, Judgement,
    ocsp::{
        Session,
        message::{SingleMessage, extension},
        question::{CertIdDraft, EXTENDED_REVOKE, Question},
        sections::{
            EXTENDED_REVOKE as EXTENDED_REVOKE_SECTION, LIGHT_STATUS, RESPONSE, guard, must, must_not, says,
        },
        session::{Answer, Status, status},
    },
};

pub(super) const CHECKS: &[Check<Session>] = &[
    Check {
        id: "good",
        clause: says(RESPONSE, "a certificate that is good is called good"),
        run: |session| session.baseline()?.must_be_good(),
    },
    Check {
        id: "revoked",
        clause: says(RESPONSE, "a certificate that is revoked or on hold is called revoked"),
        run: |session| {
            let single = revoked(session)?;
            match status(&single) {
                Status::Revoked => Ok(Judgement::pass(reason(&single))),
                other => Err(Judgement::fail(format!("{other:?}").to_lowercase())),
            }
        },
    },
    Check {
        id: "revoked-time",
        clause: says(RESPONSE, "it was revoked in the past, and not after thisUpdate"),
        run: |session| {
            let single = revoked(session)?;
            let at =
                revocation_time(&single).ok_or_else(|| Judgement::not_judged("it is not called revoked"))?;
            let known = crate::ocsp::session::time(&single.this_update)?;
            if at <= known {
                Ok(Judgement::pass(at))
            } else {
                Err(Judgement::fail(format!("{at}, known {known}")))
            }
        },
    },
    Check {
        id: "unknown-not-good",
        clause: guard(RESPONSE, "a serial number that was never given is not called good"),
        run: |session| never_given(session)?.must_not_be_good(),
    },
    Check {
        id: "unknown-extended-revoke",
        clause: must(RESPONSE, "who calls it revoked says so by the extension extended-revoke"),
        run: |session| {
            let answer = called_revoked(session)?;
            match extension(&answer.basic()?.extensions, EXTENDED_REVOKE) {
                Some(_) => Ok(Judgement::pass("it is there")),
                None => Err(Judgement::fail("it is not there")),
            }
        },
    },
    Check {
        id: "unknown-reason",
        clause: must(RESPONSE, "and gives the reason certificateHold"),
        run: |session| {
            let single = called_revoked(session)?.single()?;
            match reason(&single) {
                "certificateHold" => Ok(Judgement::pass("certificateHold")),
                other => Err(Judgement::fail(other)),
            }
        },
    },
    Check {
        id: "unknown-time",
        clause: must(RESPONSE, "and the time 1970-01-01T00:00:00Z"),
        run: |session| match revocation_time(&called_revoked(session)?.single()?) {
            Some(UnixTime(0)) => Ok(Judgement::pass("1970")),
            other => Err(Judgement::fail(format!("{other:?}"))),
        },
    },
    Check {
        id: "unknown-no-crl-extensions",
        clause: must_not(RESPONSE, "and adds neither CrlID nor a CRL entry's extension"),
        run: |session| match called_revoked(session)?.single()?.extensions.len() {
            0 => Ok(Judgement::pass("none")),
            count => Err(Judgement::fail(format!("{count} singleExtensions"))),
        },
    },
    Check {
        id: "extended-revoke-not-critical",
        clause: must_not(EXTENDED_REVOKE_SECTION, "extended-revoke is not critical, its value NULL"),
        run: |session| {
            let answer = never_given(session)?;
            let Ok(basic) = answer.basic() else { return Ok(Judgement::not_offered(answer.summary())) };
            match extension(&basic.extensions, EXTENDED_REVOKE) {
                None => Ok(Judgement::not_offered("there is none")),
                Some((false, value)) if value == [5, 0] => Ok(Judgement::pass("it is not, and is NULL")),
                Some((critical, value)) => Err(Judgement::fail(format!("critical {critical}, {value:02X?}"))),
            }
        },
    },
    Check {
        id: "serial-with-a-suffix",
        clause: guard(RESPONSE, "a good serial number with an octet more is another one"),
        run: |session| {
            let serial = [session.target.good.as_slice(), &[0x17]].concat();
            another(session, &serial)
        },
    },
    Check {
        id: "serial-cut-short",
        clause: guard(RESPONSE, "so is one with an octet less"),
        run: |session| {
            let good = session.target.good.clone();
            match good.split_last() {
                Some((_, rest)) if !rest.is_empty() => another(session, rest),
                _ => Ok(Judgement::not_offered("the good serial number has one octet")),
            }
        },
    },
    Check {
        id: "other-issuer",
        clause: must(
            LIGHT_STATUS,
            "the same serial number of an issuer that is not served is answered unauthorized",
        ),
        run: |session| {
            session.sound()?;
            let mut id = session.good_id();
            let other = Name::of_common_name("another CA");
            id.name_hash = DigestAlgorithm::Sha1.digest(other.as_der()).unwrap_or_default();
            id.key_hash = DigestAlgorithm::Sha1.digest(b"another key").unwrap_or_default();
            let answer = session.ask(&Question::about(vec![id]))?;
            match (&answer.reply, answer.must_not_be_good()?) {
                (Ok(reply), pass) if reply.status == 6 => Ok(pass),
                (_, other) => Ok(Judgement::tolerated(format!("{}, as RFC 6960 allows", other.reason))),
            }
        },
    },
    Check {
        id: "issuer-name-hash",
        clause: guard(RESPONSE, "an issuer of another name but the same key is another issuer"),
        run: |session| one_hash_off(session, |id| &mut id.name_hash),
    },
    Check {
        id: "issuer-key-hash",
        clause: guard(RESPONSE, "an issuer of the same name but another key is another issuer"),
        run: |session| one_hash_off(session, |id| &mut id.key_hash),
    },
];

fn one_hash_off(
    session: &mut Session,
    hash: fn(&mut CertIdDraft) -> &mut Vec<u8>,
) -> Result<Judgement, Judgement> {
    session.sound()?;
    let mut id = session.good_id();
    if let Some(octet) = hash(&mut id).first_mut() {
        *octet ^= 1;
    }
    session.ask(&Question::about(vec![id]))?.must_not_be_good()
}

fn another(session: &mut Session, serial: &[u8]) -> Result<Judgement, Judgement> {
    session.sound()?;
    let question = Question::about(vec![session.id(serial)]);
    session.ask(&question)?.must_not_be_good()
}

fn never_given(session: &mut Session) -> Result<Answer, Judgement> {
    session.sound()?;
    let question = Question::about(vec![session.id(&session.target.unknown)]);
    Ok(session.ask(&question)?)
}

/// What was never issued, where that is called revoked.
fn called_revoked(session: &mut Session) -> Result<Answer, Judgement> {
    let answer = never_given(session)?;
    match answer.single() {
        Ok(single) if status(&single) == Status::Revoked => Ok(answer),
        _ => Err(Judgement::not_offered(format!("it is not called revoked: {}", answer.summary()))),
    }
}

/// The answer about the revoked certificate.
pub(super) fn revoked(session: &mut Session) -> Result<SingleMessage, Judgement> {
    let Some(serial) = session.target.revoked.clone() else {
        return Err(Judgement::not_offered("no revoked certificate was given to this run"));
    };
    session.sound()?;
    let question = Question::about(vec![session.id(&serial)]);
    session.ask(&question)?.single()
}

/// ```text
/// RevokedInfo ::= SEQUENCE { revocationTime GeneralizedTime, revocationReason [0] EXPLICIT CRLReason OPTIONAL }
/// ```
pub(super) fn revocation_time(single: &SingleMessage) -> Option<UnixTime> {
    let mut fields = tlv::Cursor::into(&single.status, 0xA1, "RevokedInfo").ok()?;
    fields.time().ok()
}

fn reason(single: &SingleMessage) -> &'static str {
    let code = || {
        let mut fields = tlv::Cursor::into(&single.status, 0xA1, "RevokedInfo").ok()?;
        fields.next().ok()?;
        let explicit = fields.optional(0xA0).ok()??;
        explicit.value.last().copied()
    };
    match code() {
        None => "no reason",
        Some(6) => "certificateHold",
        Some(_) => "another reason",
    }
}
