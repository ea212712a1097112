//! What a SUCCESS delivers.

use std::rc::Rc;

use keys_software::AwsLc;
use pki_core::oids;

use crate::{
    Check, Judgement,
    scep::{
        Session, cms,
        reply::Delivery,
        sections::{
            CAPABILITIES_RESPONSE, CERT_REP, DEGENERATE, ENVELOPE, MANDATORY, PROCESSING, SUCCESS, guard,
            must, must_not, says, should,
        },
        session::Enrollment,
        weak::Cipher,
    },
};

pub(super) const CHECKS: &[Check<Session>] = &[
    Check {
        id: "enroll",
        clause: must(MANDATORY, "a PKCSReq by POST, in AES-128 and SHA-256, gets a certificate"),
        run: |session| {
            let enrollment = session.baseline()?;
            match enrollment.certificate() {
                Ok(certificate) => Ok(Judgement::pass(certificate.subject())),
                Err(trouble) => Err(trouble),
            }
        },
    },
    Check {
        id: "success-recipient",
        clause: says(
            PROCESSING,
            "a CertRep is encrypted to the certificate that signed the request, and to it alone",
        ),
        run: |session| {
            let (enrollment, delivery) = granted(session)?;
            let signer = cms::issuer_and_serial(&enrollment.draft.signer.certificate);
            match (delivery.envelope.recipients.len(), delivery.recipients.first()) {
                (1, Some(recipient)) if recipient.id == signer => {
                    Ok(Judgement::pass(format!("{:?}", recipient.transport)))
                }
                (1, _) => Err(Judgement::fail("the recipient is named otherwise")),
                (count, _) => Err(Judgement::fail(format!("{count} recipients"))),
            }
        },
    },
    Check {
        id: "success-envelope-content-type",
        clause: must(ENVELOPE, "the contentType within the envelope is data"),
        run: |session| {
            let found = granted(session)?.1.envelope.content_type;
            if found == cms::DATA { Ok(Judgement::pass(found)) } else { Err(Judgement::fail(found)) }
        },
    },
    Check {
        id: "success-no-des",
        clause: must_not(MANDATORY, "a CertRep is not encrypted with single DES"),
        run: |session| match granted(session)?.1.cipher {
            Cipher::Des => Err(Judgement::fail("DES-CBC")),
            cipher => Ok(Judgement::pass(cipher.name())),
        },
    },
    Check {
        id: "success-cipher",
        clause: should(CAPABILITIES_RESPONSE, "a request in AES is answered in AES"),
        run: |session| match granted(session)?.1.cipher {
            cipher @ (Cipher::Des | Cipher::TripleDes) => Err(Judgement::fail(cipher.name())),
            cipher => Ok(Judgement::pass(cipher.name())),
        },
    },
    Check {
        id: "success-degenerate",
        clause: says(CERT_REP, "the message data is a SignedData that nobody signed"),
        run: |session| match granted(session)?.1.degenerate.signers.len() {
            0 => Ok(Judgement::pass("it is")),
            signers => Err(Judgement::fail(format!("{signers} signers"))),
        },
    },
    Check {
        id: "success-no-content",
        clause: must(DEGENERATE, "the degenerate SignedData has no content"),
        run: |session| match granted(session)?.1.degenerate.content {
            None => Ok(Judgement::pass("it has none")),
            Some(content) => Err(Judgement::fail(format!("{} octets", content.len()))),
        },
    },
    Check {
        id: "success-certificate",
        clause: must(SUCCESS, "a certificate of the requested key is there"),
        run: |session| {
            let (enrollment, delivery) = granted(session)?;
            let certificate = enrollment.certificate()?;
            let count = delivery.certificates().len();
            Ok(Judgement::pass(format!("{}, among {count}", certificate.subject())))
        },
    },
    Check {
        id: "success-leaf",
        clause: must(SUCCESS, "the issued certificate is the leaf of those delivered"),
        run: |session| {
            let (enrollment, delivery) = granted(session)?;
            let issued = certificate(&enrollment)?;
            let mut others = delivery.certificates().into_iter().filter(|other| *other != issued);
            match others.find(|other| other.basic_constraints().is_ok_and(|found| !found.ca)) {
                Some(other) => Err(Judgement::fail(format!("{} is no CA either", other.subject()))),
                None => Ok(Judgement::pass("it is")),
            }
        },
    },
    Check {
        id: "certificate-issuer",
        clause: guard(SUCCESS, "the issued certificate is signed by the CA of GetCACert"),
        run: |session| {
            let (enrollment, _) = granted(session)?;
            let certificate = certificate(&enrollment)?;
            let known = session.certificates()?;
            let named = known.iter().find(|one| certificate.issuer().matches(one.subject()));
            let ca =
                named.ok_or_else(|| Judgement::fail(format!("its issuer is {}", certificate.issuer())))?;
            match certificate.verify_signed_by(ca.public_key(), &AwsLc) {
                Ok(()) => Ok(Judgement::pass(ca.subject())),
                Err(error) => Err(Judgement::fail(error)),
            }
        },
    },
    Check {
        id: "certificate-validity",
        clause: guard(SUCCESS, "the issued certificate is valid now"),
        run: |session| {
            let validity = certificate(&granted(session)?.0)?.validity();
            let text = format!("from {} to {}", validity.not_before(), validity.not_after());
            if validity.contains(Session::now()) {
                Ok(Judgement::pass(text))
            } else {
                Err(Judgement::fail(text))
            }
        },
    },
    Check {
        id: "certificate-serial",
        clause: guard(SUCCESS, "its serial number is positive and has at most 20 octets"),
        run: |session| {
            let certificate = certificate(&granted(session)?.0)?;
            let serial = certificate.serial_octets();
            let positive = serial.first().is_some_and(|first| first & 0x80 == 0) && serial != [0];
            if positive && serial.len() <= 20 {
                Ok(Judgement::pass(format!("{} octets", serial.len())))
            } else {
                Err(Judgement::fail(format!("{serial:02X?}")))
            }
        },
    },
    Check {
        id: "certificate-end-entity",
        clause: guard(SUCCESS, "it is no CA's and no OCSP responder's"),
        run: |session| {
            let certificate = certificate(&granted(session)?.0)?;
            let usages = certificate.extended_key_usages().map_err(Judgement::fail)?;
            let ca = certificate.basic_constraints().map_err(Judgement::fail)?.ca;
            if ca || usages.contains(&oids::KP_OCSP_SIGNING) {
                return Err(Judgement::fail(format!("CA {ca}, usages {usages:?}")));
            }
            Ok(Judgement::pass("neither"))
        },
    },
];

/// The plain enrollment and what it delivered.
fn granted(session: &mut Session) -> Result<(Rc<Enrollment>, Delivery), Judgement> {
    let enrollment = session.baseline()?;
    match &enrollment.delivery {
        Ok(delivery) if enrollment.answer.is_granted() => {
            let delivery = delivery.clone();
            Ok((enrollment, delivery))
        }
        Ok(_) => Err(Judgement::not_judged(enrollment.answer.summary())),
        Err(problem) => Err(Judgement::not_judged(format!("nothing was delivered: {problem}"))),
    }
}

fn certificate(enrollment: &Enrollment) -> Result<pki_core::Certificate, Judgement> {
    enrollment.certificate().map_err(|trouble| Judgement::not_judged(trouble.reason))
}
