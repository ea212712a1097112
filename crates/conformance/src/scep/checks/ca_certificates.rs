//! GetCACert.

use keys_software::AwsLc;
use pki_core::{Certificate, KeyUsage};
use scep_proto::ca_certificates::{CA_CERT_MEDIA_TYPE, CA_RA_CERT_MEDIA_TYPE};

use crate::{
    Check, Judgement,
    scep::{
        Session,
        cms::SignedMessage,
        sections::{
            CA, CA_CERT_RESPONSE, CA_CERTIFICATES, CA_KEY, DEGENERATE, GET_CA_CERT, MANDATORY, guard, must,
            says,
        },
    },
};

pub(super) const CHECKS: &[Check<Session>] = &[
    Check {
        id: "ca-cert-answered",
        clause: must(MANDATORY, "GetCACert brings certificates"),
        run: |session| {
            let certificates = session.certificates()?;
            let names: Vec<String> =
                certificates.iter().map(|certificate| certificate.subject().to_string()).collect();
            Ok(Judgement::pass(names.join("; ")))
        },
    },
    Check {
        id: "ca-cert-media-type",
        clause: says(
            CA_CERT_RESPONSE,
            "one certificate comes as x-x509-ca-cert, several as x-x509-ca-ra-cert",
        ),
        run: |session| {
            let response = session.certificates_response()?;
            let found = response.media_type().unwrap_or_else(|| "none".into());
            let expected = match SignedMessage::read(&response.body) {
                Ok(_) => CA_RA_CERT_MEDIA_TYPE,
                Err(_) => CA_CERT_MEDIA_TYPE,
            };
            if found == expected {
                Ok(Judgement::pass(found))
            } else {
                Err(Judgement::fail(format!("{found}, where {expected} belongs")))
            }
        },
    },
    Check {
        id: "ca-cert-degenerate",
        clause: must(DEGENERATE, "several certificates come in a SignedData without content and signers"),
        run: |session| {
            let response = session.certificates_response()?;
            let Ok(message) = SignedMessage::read(&response.body) else {
                return Ok(Judgement::not_offered("a single certificate"));
            };
            match (&message.content, message.signers.len()) {
                (None, 0) => Ok(Judgement::pass(format!("{} certificates", message.certificates.len()))),
                (Some(_), _) => Err(Judgement::fail("it has content")),
                (None, signers) => Err(Judgement::fail(format!("it has {signers} signers"))),
            }
        },
    },
    Check {
        id: "ca-cert-key-usage",
        clause: must(CA, "keyUsage allows to sign replies, and to encrypt to the server"),
        run: |session| {
            let authority = session.authority()?;
            let needs = [
                (&authority.encryption, KeyUsage::KEY_ENCIPHERMENT, "keyEncipherment"),
                (&authority.signing, KeyUsage::DIGITAL_SIGNATURE, "digitalSignature"),
                (&authority.ca, KeyUsage::KEY_CERT_SIGN, "keyCertSign"),
            ];
            for (certificate, usage, name) in needs {
                let found = certificate.key_usage().map_err(Judgement::fail)?;
                if found.is_none_or(|found| !found.contains(usage)) {
                    return Err(Judgement::fail(format!("{}: no {name}", certificate.subject())));
                }
            }
            Ok(Judgement::pass("digitalSignature, keyEncipherment and keyCertSign are there"))
        },
    },
    Check {
        id: "ca-cert-ra-issued-by-ca",
        clause: guard(CA_CERTIFICATES, "an RA's certificate is signed by the CA that comes with it"),
        run: |session| {
            let authority = session.authority()?;
            if authority.encryption == authority.ca {
                return Ok(Judgement::not_offered("the CA answers for itself"));
            }
            let ca = authority.ca.public_key();
            for ra in [&authority.encryption, &authority.signing] {
                ra.verify_signed_by(ca, &AwsLc)
                    .map_err(|_| Judgement::fail(format!("{} is not signed by it", ra.subject())))?;
            }
            Ok(Judgement::pass(authority.encryption.subject()))
        },
    },
    Check {
        id: "ca-cert-ca-key-apart",
        clause: guard(CA_KEY, "the key that decrypts requests is not the one that signs certificates"),
        run: |session| {
            let authority = session.authority()?;
            if authority.encryption.public_key() == authority.ca.public_key() {
                return Ok(Judgement::tolerated(
                    "the CA's own key decrypts: whoever turns it into an oracle signs with it",
                ));
            }
            Ok(Judgement::pass(format!("{} decrypts", authority.encryption.subject())))
        },
    },
    Check {
        id: "ca-cert-validity",
        clause: guard(CA_CERTIFICATES, "the certificates are valid now"),
        run: |session| {
            let now = Session::now();
            let late = |certificate: &Certificate| !certificate.validity().contains(now);
            match session.certificates()?.iter().find(|certificate| late(certificate)) {
                Some(certificate) => {
                    let validity = certificate.validity();
                    let (start, end) = (validity.not_before(), validity.not_after());
                    Err(Judgement::fail(format!("{}: from {start} to {end}", certificate.subject())))
                }
                None => Ok(Judgement::pass("all are")),
            }
        },
    },
    Check {
        id: "ca-cert-fingerprint",
        clause: guard(CA_CERTIFICATES, "a certificate has the fingerprint that was handed out"),
        run: |session| {
            let Some(expected) = session.target.ca_fingerprint else {
                return Ok(Judgement::not_offered("no fingerprint was given to this run"));
            };
            match session.certificates()?.iter().find(|one| one.fingerprint() == expected) {
                Some(certificate) => Ok(Judgement::pass(certificate.subject())),
                None => Err(Judgement::fail("no certificate has it")),
            }
        },
    },
    Check {
        id: "ca-cert-any-message",
        clause: guard(
            GET_CA_CERT,
            "message= is a hint: absent, empty, 0 and CAIdentifier are answered alike",
        ),
        run: |session| {
            let expected = session.get("operation=GetCACert")?.body;
            for message in ["", "0", "CAIdentifier"] {
                let response = session.get(&format!("operation=GetCACert&message={message}"))?;
                if response.status != 200 {
                    return Err(Judgement::fail(format!("message={message}: {}", response.summary())));
                }
                if response.body != expected {
                    return Ok(Judgement::tolerated(format!("message={message} names another CA")));
                }
            }
            Ok(Judgement::pass("all are"))
        },
    },
];
