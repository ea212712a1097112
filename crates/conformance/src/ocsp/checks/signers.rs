//! Who signs, and by what right.

use keys_software::AwsLc;
use pki_core::{DigestAlgorithm, SignatureAlgorithm, oids};

use crate::{
    Check, Judgement,
    ocsp::{
        Session,
        sections::{
            ALGORITHMS, DELEGATION, LIGHT_SIGNED_RESPONSE, NOCHECK, RESPONDERS, RESPONSE, guard, must,
            must_not, should,
        },
        session::time,
    },
};

pub(super) const CHECKS: &[Check<Session>] = &[
    Check {
        id: "signature",
        clause: must(RESPONSE, "a definitive response is signed, and the signature holds"),
        run: |session| {
            let basic = session.sound()?;
            session.signer(&basic).map(|signer| Judgement::pass(signer.subject()))
        },
    },
    Check {
        id: "signature-algorithm",
        clause: must_not(ALGORITHMS, "nothing is signed with a digest as weak as SHA-1"),
        run: |session| {
            let basic = session.sound()?;
            match SignatureAlgorithm::from_der(&basic.algorithm) {
                Ok(found) if matches!(found.digest(), DigestAlgorithm::Md5 | DigestAlgorithm::Sha1) => {
                    Err(Judgement::fail(format!("{found:?}")))
                }
                Ok(found) => Ok(Judgement::pass(format!("{found:?}"))),
                Err(error) => Err(Judgement::fail(error)),
            }
        },
    },
    Check {
        id: "delegate-of-the-issuer",
        clause: must(
            RESPONDERS,
            "a delegate's certificate is signed by the issuer of the certificate in question itself",
        ),
        run: |session| {
            let delegate = session.delegate()?;
            let issuer = session.target.issuer.public_key();
            match delegate.verify_signed_by(issuer, &AwsLc) {
                Ok(()) => Ok(Judgement::pass(delegate.subject())),
                Err(_) => Err(Judgement::fail(format!("it is issued by {}", delegate.issuer()))),
            }
        },
    },
    Check {
        id: "delegate-usage",
        clause: must(RESPONDERS, "a delegate's certificate has the extended key usage OCSPSigning"),
        run: |session| {
            let usages = session.delegate()?.extended_key_usages().map_err(Judgement::fail)?;
            if usages.contains(&oids::KP_OCSP_SIGNING) {
                Ok(Judgement::pass("it has"))
            } else {
                Err(Judgement::fail(format!("{usages:?}")))
            }
        },
    },
    Check {
        id: "delegate-in-response",
        clause: must(LIGHT_SIGNED_RESPONSE, "a delegate's certificate comes with the response"),
        run: |session| {
            let basic = session.sound()?;
            match session.signer(&basic) {
                Ok(_) => Ok(Judgement::pass("the signature can be checked")),
                Err(_) if basic.certificates.is_empty() => Err(Judgement::fail("no certificate came")),
                Err(trouble) => Ok(Judgement::not_judged(trouble.reason)),
            }
        },
    },
    Check {
        id: "delegate-valid",
        clause: guard(DELEGATION, "a delegate's certificate is valid now"),
        run: |session| {
            let validity = session.delegate()?.validity();
            let text = format!("from {} to {}", validity.not_before(), validity.not_after());
            if validity.contains(Session::now()) {
                Ok(Judgement::pass(text))
            } else {
                Err(Judgement::fail(text))
            }
        },
    },
    Check {
        id: "delegate-outlives-answer",
        clause: guard(DELEGATION, "an answer holds no longer than its delegate's certificate"),
        run: |session| {
            let end = session.delegate()?.validity().not_after();
            let Some(next) = session.sound_single()?.next_update else {
                return Ok(Judgement::not_judged("there is no nextUpdate"));
            };
            let next = time(&next)?;
            if next <= end {
                Ok(Judgement::pass(format!("{next}, before {end}")))
            } else {
                Err(Judgement::fail(format!("{next}, but the certificate ends {end}")))
            }
        },
    },
    Check {
        id: "delegate-nocheck",
        clause: should(NOCHECK, "a delegate's certificate has id-pkix-ocsp-nocheck, NULL and not critical"),
        run: |session| {
            let delegate = session.delegate()?;
            match delegate.extension(oids::OCSP_NOCHECK) {
                Some(found) if found.value() == [5, 0] && !found.is_critical() => {
                    Ok(Judgement::pass("it has"))
                }
                Some(found) => Err(Judgement::fail(format!("{:02X?}", found.value()))),
                None => Err(Judgement::fail("it has none: whoever asks has to ask about it as well")),
            }
        },
    },
    Check {
        id: "delegate-no-ca",
        clause: guard(RESPONDERS, "a delegate is no CA: its key signs statuses and nothing else"),
        run: |session| {
            let delegate = session.delegate()?;
            if delegate.basic_constraints().map_err(Judgement::fail)?.ca {
                return Err(Judgement::fail("it is one"));
            }
            let usages = delegate.extended_key_usages().map_err(Judgement::fail)?;
            match usages.as_slice() {
                [] | [_] => Ok(Judgement::pass("it is none")),
                _ => Err(Judgement::fail(format!("{usages:?}"))),
            }
        },
    },
];
