//! CSRs that ask for too much, or are none.

use pki_core::{BasicConstraints, Certificate, Extension, KeyUsage, Oid, oids, tlv};

use crate::{
    Check, Judgement,
    scep::{
        Session,
        draft::CsrDraft,
        sections::{MANDATORY, PKCS_REQ, guard, must_not},
        session::Enrollment,
    },
};

pub(super) const CHECKS: &[Check<Session>] = &[
    Check {
        id: "csr-ca-true",
        clause: guard(PKCS_REQ, "a CSR that asks to be a CA gets no CA's certificate"),
        run: |session| {
            let constraints = BasicConstraints { ca: true, path_len: None }.to_der();
            let asked = [Extension::new(oids::BASIC_CONSTRAINTS, constraints).critical()];
            asking(session, &asked, |certificate| {
                certificate
                    .basic_constraints()
                    .map_or(true, |found| found.ca)
                    .then(|| "a CA's certificate".into())
            })
        },
    },
    Check {
        id: "csr-key-cert-sign",
        clause: guard(PKCS_REQ, "a CSR that asks to sign certificates and CRLs is not let"),
        run: |session| {
            let usage = KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN;
            let asked = [Extension::new(oids::KEY_USAGE, usage.to_der()).critical()];
            asking(session, &asked, |certificate| {
                let found = certificate.key_usage().ok().flatten()?;
                let signs =
                    [KeyUsage::KEY_CERT_SIGN, KeyUsage::CRL_SIGN].iter().any(|one| found.contains(*one));
                signs.then(|| "keyUsage lets it sign them".into())
            })
        },
    },
    Check {
        id: "csr-ocsp-signing",
        clause: guard(PKCS_REQ, "a CSR that asks to answer OCSP for the CA is not let"),
        run: |session| usage(session, oids::KP_OCSP_SIGNING),
    },
    Check {
        id: "csr-any-usage",
        clause: guard(PKCS_REQ, "a CSR that asks for anyExtendedKeyUsage does not get it"),
        run: |session| usage(session, oids::ANY_EXTENDED_KEY_USAGE),
    },
    Check {
        id: "csr-request-agent",
        clause: guard(
            PKCS_REQ,
            "a CSR that asks to enroll for others (Microsoft's request agent) is not let",
        ),
        run: |session| usage(session, Oid::new_unwrap("1.3.6.1.4.1.311.20.2.1")),
    },
    Check {
        id: "csr-security-identifier",
        clause: guard(PKCS_REQ, "a security identifier that the requester made up is not certified"),
        run: |session| {
            const SECURITY_IDENTIFIER: Oid = Oid::new_unwrap("1.3.6.1.4.1.311.25.2");
            const TYPE: Oid = Oid::new_unwrap("1.3.6.1.4.1.311.25.2.1");
            let text = tlv::wrap(tlv::OCTET_STRING, b"S-1-5-21-1-2-3-500");
            let other = tlv::wrap(0xA0, &[tlv::oid(TYPE), tlv::wrap(0xA0, &text)].concat());
            let asked = [Extension::new(SECURITY_IDENTIFIER, tlv::wrap(tlv::SEQUENCE, &other))];
            asking(session, &asked, |certificate| {
                let value = certificate.extension(SECURITY_IDENTIFIER)?.value().to_vec();
                value.windows(18).any(|window| window == b"S-1-5-21-1-2-3-500").then(|| "it is".into())
            })
        },
    },
    Check {
        id: "csr-empty-elements",
        clause: guard(PKCS_REQ, "empty extensions in a CSR break nothing"),
        run: |session| {
            for id in [oids::EXTENDED_KEY_USAGE, oids::SUBJECT_ALT_NAME, oids::KEY_USAGE] {
                let empty = Extension::new(id, tlv::wrap(tlv::SEQUENCE, &[]));
                let sent = request(session, |csr| csr.ask_for(&[empty]))?;
                sent.answer.may_be_granted("it was left out")?;
            }
            session.is_alive()?;
            Ok(Judgement::pass("refused, or left out"))
        },
    },
    Check {
        id: "csr-malformed",
        clause: guard(PKCS_REQ, "a CSR that ends too early, or goes on too long, is refused"),
        run: |session| {
            for spoil in [
                (|csr: &mut Vec<u8>| csr.truncate(csr.len().saturating_sub(40))) as fn(&mut Vec<u8>),
                |csr| csr.extend([0; 40]),
                Vec::clear,
            ] {
                session.spoiled(|draft| draft.on_plain = spoil)?.answer.must_be_refused()?;
            }
            Ok(Judgement::pass("both are, and nothing is refused as well"))
        },
    },
    Check {
        id: "csr-signed-with-md5",
        clause: must_not(MANDATORY, "a CSR that is signed with MD5 is refused"),
        run: |session| {
            let sent = request(session, |csr| csr.digest = pki_core::DigestAlgorithm::Md5)?;
            sent.answer.must_be_refused()
        },
    },
    Check {
        id: "csr-control-characters",
        clause: guard(PKCS_REQ, "names with line breaks, NUL and turned writing are not certified"),
        run: |session| {
            for name in ["a\0b", "a\r\nb", "a\u{202e}b", "\u{1b}[2J"] {
                let subject = pki_core::Name::of_common_name(name).as_der().to_vec();
                let sent = request(session, |csr| csr.subject = subject)?;
                if !sent.answer.is_granted() {
                    sent.answer.must_be_refused()?;
                    continue;
                }
                let certified = sent.certificate()?.subject().common_name().unwrap_or_default();
                if certified.contains(name) {
                    return Err(Judgement::fail(format!("certified: {}", name.escape_debug())));
                }
            }
            Ok(Judgement::pass("refused, or another name was certified"))
        },
    },
];

fn request(session: &mut Session, spoil: impl FnOnce(&mut CsrDraft)) -> Result<Enrollment, Judgement> {
    session.spoiled(|draft| spoil(&mut draft.csr))
}

/// Asks for `extensions`: to be refused, or granted without what `harm` looks for.
fn asking(
    session: &mut Session,
    extensions: &[Extension],
    harm: fn(&Certificate) -> Option<String>,
) -> Result<Judgement, Judgement> {
    let sent = request(session, |csr| csr.ask_for(extensions))?;
    if !sent.answer.is_granted() {
        return sent.answer.must_be_refused();
    }
    match harm(&sent.certificate()?) {
        Some(harm) => Err(Judgement::fail(format!("granted: {harm}"))),
        None => Ok(Judgement::pass("granted without it")),
    }
}

fn usage(session: &mut Session, usage: Oid) -> Result<Judgement, Judgement> {
    let list = tlv::wrap(tlv::SEQUENCE, &tlv::oid(usage));
    let sent = request(session, |csr| csr.ask_for(&[Extension::new(oids::EXTENDED_KEY_USAGE, list)]))?;
    if !sent.answer.is_granted() {
        return sent.answer.must_be_refused();
    }
    let usages = sent.certificate()?.extended_key_usages().map_err(Judgement::fail)?;
    if usages.contains(&usage) {
        Err(Judgement::fail("granted"))
    } else {
        Ok(Judgement::pass("granted without it"))
    }
}
