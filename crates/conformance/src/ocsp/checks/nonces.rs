//! Nonces.

use pki_core::{Extension, tlv};

use crate::{
    Check, Judgement,
    ocsp::{
        Session,
        message::extension,
        question::NONCE,
        sections::{NONCE as NONCE_SECTION, NONCE_SYNTAX, guard, must, says},
    },
};

pub(super) const CHECKS: &[Check<Session>] = &[
    Check {
        id: "nonce-of-16",
        clause: says(
            NONCE_SYNTAX,
            "a nonce of 16 octets is answered, and repeated where nonces are supported",
        ),
        run: |session| of_length(session, 16),
    },
    Check {
        id: "nonce-of-32",
        clause: says(NONCE_SYNTAX, "a nonce of 32 octets, as new clients send it, is answered"),
        run: |session| of_length(session, 32),
    },
    Check {
        id: "nonce-of-1",
        clause: says(NONCE_SYNTAX, "a nonce of 1 octet is answered, with or without it"),
        run: |session| of_length(session, 1),
    },
    Check {
        id: "nonce-of-128",
        clause: says(NONCE_SYNTAX, "a nonce of 128 octets is answered, with or without it"),
        run: |session| of_length(session, 128),
    },
    Check {
        id: "nonce-of-0",
        clause: must(NONCE_SYNTAX, "an empty nonce is answered malformedRequest"),
        run: |session| {
            let question = session.question().with_nonce(&[]);
            session.ask_soundly(&question)?.must_be_malformed()
        },
    },
    Check {
        id: "nonce-of-129",
        clause: must(NONCE_SYNTAX, "a nonce of 129 octets is answered malformedRequest"),
        run: |session| {
            let question = session.question().with_nonce(&[0x4E; 129]);
            session.ask_soundly(&question)?.must_be_malformed()
        },
    },
    Check {
        id: "nonce-bare",
        clause: guard(
            NONCE_SYNTAX,
            "a nonce that is not wrapped in an OCTET STRING is repeated as it is, or refused",
        ),
        run: |session| {
            let bare = Session::random(16);
            let mut question = session.question();
            question.extensions.push(Extension::new(NONCE, bare.clone()));
            let answer = session.ask_soundly(&question)?;
            let Ok(basic) = answer.basic() else { return answer.must_not_be_good() };
            match extension(&basic.extensions, NONCE) {
                None => Ok(Judgement::pass("answered without it")),
                Some((_, value)) if value == bare => {
                    Ok(Judgement::tolerated("repeated, as old clients need it"))
                }
                Some((_, value)) => Err(Judgement::fail(format!("another one came back: {value:02X?}"))),
            }
        },
    },
    Check {
        id: "nonce-critical",
        clause: guard(NONCE_SECTION, "a nonce that came critical does not go back critical"),
        run: |session| {
            let mut question = session.question();
            let value = tlv::wrap(tlv::OCTET_STRING, &Session::random(16));
            question.extensions.push(Extension::new(NONCE, value).critical());
            let answer = session.ask_soundly(&question)?;
            let Ok(basic) = answer.basic() else {
                return answer.must_not_be_good().map(|refused| Judgement::not_offered(refused.reason));
            };
            match extension(&basic.extensions, NONCE) {
                None => Ok(Judgement::not_offered("there is no nonce in the response")),
                Some((false, _)) => Ok(Judgement::pass("it does not")),
                Some((true, _)) => Err(Judgement::fail("it does")),
            }
        },
    },
    Check {
        id: "nonce-in-place",
        clause: says(NONCE_SECTION, "a nonce goes back among the responseExtensions, once"),
        run: |session| {
            let question = session.question().with_nonce(&Session::random(16));
            let basic = session.ask_soundly(&question)?.basic()?;
            let nonces = |list: &[Vec<u8>]| {
                list.iter().filter(|der| extension(std::slice::from_ref(*der), NONCE).is_some()).count()
            };
            let misplaced: usize = basic.responses.iter().map(|single| nonces(&single.extensions)).sum();
            match (nonces(&basic.extensions), misplaced) {
                (0, 0) => Ok(Judgement::not_offered("there is no nonce in the response")),
                (1, 0) => Ok(Judgement::pass("it does")),
                (count, misplaced) => Err(Judgement::fail(format!("{count}, and {misplaced} elsewhere"))),
            }
        },
    },
];

fn of_length(session: &mut Session, length: usize) -> Result<Judgement, Judgement> {
    let nonce = Session::random(length);
    let question = session.question().with_nonce(&nonce);
    let answer = session.ask_soundly(&question)?;
    answer.must_be_good()?;
    match extension(&answer.basic()?.extensions, NONCE) {
        Some((_, value)) if value == tlv::wrap(tlv::OCTET_STRING, &nonce) => Ok(Judgement::pass("repeated")),
        Some((_, value)) => Err(Judgement::fail(format!("another one came back: {value:02X?}"))),
        None => Ok(Judgement::not_offered("answered without it")),
    }
}
