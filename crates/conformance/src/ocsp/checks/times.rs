//! The times of a response.

use crate::{
    Check, Judgement,
    ocsp::{
        Session,
        sections::{LIGHT_TIMES, RESPONSE_TIMES, TIMES, guard, must, must_not, says},
        session::time,
    },
};

/// How much a clock may be off.
const SKEW: u64 = 300;

pub(super) const CHECKS: &[Check<Session>] = &[
    Check {
        id: "times-without-fraction",
        clause: must_not(LIGHT_TIMES, "times have seconds, end with Z, and have no fraction"),
        run: |session| {
            let basic = session.sound()?;
            let single = session.sound_single()?;
            let mut times = vec![basic.produced_at, single.this_update];
            times.extend(single.next_update);
            if let Ok(revoked) = super::statuses::revoked(session) {
                times.extend(revocation_time(&revoked.status));
                times.push(revoked.this_update);
            }
            match times.iter().find(|der| !is_plain(der)) {
                Some(odd) => Err(Judgement::fail(String::from_utf8_lossy(odd.get(2..).unwrap_or_default()))),
                None => Ok(Judgement::pass(format!("{} times", times.len()))),
            }
        },
    },
    Check {
        id: "this-update-not-in-future",
        clause: says(TIMES, "thisUpdate, when the status was known, is not in the future"),
        run: |session| {
            let at = session.baseline()?.at;
            let this = time(&session.sound_single()?.this_update)?;
            if this.0 <= at.0.saturating_add(SKEW) {
                Ok(Judgement::pass(this))
            } else {
                Err(Judgement::fail(this))
            }
        },
    },
    Check {
        id: "next-update",
        clause: must(LIGHT_TIMES, "nextUpdate is there"),
        run: |session| match session.sound_single()?.next_update {
            Some(_) => Ok(Judgement::pass("it is")),
            None => Err(Judgement::fail("it is not")),
        },
    },
    Check {
        id: "next-update-in-future",
        clause: says(RESPONSE_TIMES, "nextUpdate is later than now, and than thisUpdate"),
        run: |session| {
            let at = session.baseline()?.at;
            let single = session.sound_single()?;
            let Some(next) = single.next_update else { return Ok(Judgement::not_offered("there is none")) };
            let (this, next) = (time(&single.this_update)?, time(&next)?);
            if this < next && at < next {
                Ok(Judgement::pass(format!("{} s after thisUpdate", next.saturating_since(this).as_secs())))
            } else {
                Err(Judgement::fail(format!("from {this} to {next}")))
            }
        },
    },
    Check {
        id: "produced-at",
        clause: says(
            TIMES,
            "producedAt, when the response was signed, is not before thisUpdate and not in the future",
        ),
        run: |session| {
            let at = session.baseline()?.at;
            let produced = time(&session.sound()?.produced_at)?;
            let this = time(&session.sound_single()?.this_update)?;
            if this <= produced && produced.0 <= at.0.saturating_add(SKEW) {
                Ok(Judgement::pass(produced))
            } else {
                Err(Judgement::fail(format!("{produced}, thisUpdate {this}")))
            }
        },
    },
    Check {
        id: "answer-not-old",
        clause: guard(RESPONSE_TIMES, "an answer is not older than ten days"),
        run: |session| {
            let at = session.baseline()?.at;
            let this = time(&session.sound_single()?.this_update)?;
            let age = at.saturating_since(this).as_secs();
            if age <= 864_000 { Ok(Judgement::pass(format!("{age} s"))) } else { Err(Judgement::fail(this)) }
        },
    },
];

/// `18 0F` and fourteen digits and Z.
fn is_plain(der: &[u8]) -> bool {
    match der {
        [0x18, 15, digits @ .., b'Z'] => digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// The DER of the GeneralizedTime within a RevokedInfo.
fn revocation_time(status: &[u8]) -> Option<Vec<u8>> {
    let mut fields = pki_core::tlv::Cursor::into(status, 0xA1, "RevokedInfo").ok()?;
    Some(fields.next().ok()?.bytes.to_vec())
}
