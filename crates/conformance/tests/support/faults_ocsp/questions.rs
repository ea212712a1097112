//! Ways to ask that are not understood, and nonces.

use conformance::ocsp::message::extension;
use pki_core::{DigestAlgorithm, Extension, Oid, SignatureAlgorithm, tlv};

use super::Fault;
use crate::support::{
    broken_ocsp::{
        Asked,
        Break::{Basic, Error, Good, Http},
        NONCE, contains,
    },
    proxy::Outgoing,
};

const UNHEARD_OF: Oid = Oid::new_unwrap("1.3.6.1.4.1.32473.6.1");
const PREFERRED_ALGORITHMS: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.48.1.8");

pub(super) const FAULTS: &[Fault] = &[
    Fault::new(Error(6, |asked| by(asked, DigestAlgorithm::Sha256)), &["cert-id-sha-256"]),
    Fault::new(
        Basic(|basic, asked| {
            if by(asked, DigestAlgorithm::Sha384) {
                basic.responses[0].cert_id = another_id(asked, DigestAlgorithm::Sha1);
            }
        }),
        &["cert-id-sha-384"],
    ),
    Fault::new(
        Basic(|basic, asked| {
            if by(asked, DigestAlgorithm::Sha512) {
                basic.responses[0].cert_id = another_id(asked, DigestAlgorithm::Sha1);
            }
        }),
        &["cert-id-sha-512"],
    ),
    Fault::new(
        Basic(|basic, asked| {
            if asked.is_about_good()
                && by(asked, DigestAlgorithm::Sha1)
                && !contains(&asked.ids[0], &[5, 0, 4])
            {
                basic.responses[0].cert_id = another_id(asked, DigestAlgorithm::Sha1);
            }
        }),
        &["cert-id-without-parameters"],
    ),
    Fault::new(
        Good(|asked| asked.ids.len() == 1 && contains(&asked.ids[0], UNHEARD_OF.as_content())),
        &["cert-id-unknown-digest"],
    ),
    Fault::new(
        Basic(|basic, asked| {
            if asked.ids.len() == 2 {
                basic.responses.truncate(1);
            }
        }),
        &["several-questions"],
    ),
    Fault::new(Good(|asked| asked.ids.len() == 2), &["several-questions-apart"]),
    Fault::new(Good(|asked| asked.ids.len() == 1000), &["many-questions"]),
    Fault::new(
        Http(|asked, answer| fail_if(answer, asked.body == [0x30, 4, 0x30, 2, 0x30, 0])),
        &["no-question"],
    ),
    Fault::new(
        Http(|asked, answer| fail_if(answer, contains(&asked.body, &[0xA0, 3, tlv::INTEGER, 1, 1]))),
        &["version-2"],
    ),
    Fault::new(
        Error(1, |asked| {
            asked.extension(UNHEARD_OF).is_some_and(|value| value == [5, 0]) && !is_critical(asked)
        }),
        &["extension-unknown", "extension-not-echoed"],
    ),
    Fault::new(
        Error(1, |asked| {
            asked.extensions.is_empty()
                && asked.is_about_issuer()
                && contains(&asked.body, UNHEARD_OF.as_content())
        }),
        &["single-extension-unknown"],
    ),
    Fault::new(Http(|asked, answer| fail_if(answer, is_critical(asked))), &["extension-unknown-critical"]),
    Fault::new(Error(5, |asked| has_requestor(asked) && !is_signed(asked)), &["requestor-name-unsigned"]),
    Fault::new(
        Http(|asked, answer| fail_if(answer, has_requestor(asked) && is_signed(asked))),
        &["request-signed"],
    ),
    Fault::new(
        Error(1, |asked| prefers(asked, SignatureAlgorithm::RsaPkcs1Sha256)),
        &["preferred-algorithms"],
    ),
    Fault::new(
        Basic(|basic, asked| {
            if prefers(asked, SignatureAlgorithm::RsaPkcs1Sha1) {
                basic.algorithm = SignatureAlgorithm::RsaPkcs1Sha1.to_der();
            }
        }),
        &["preferred-algorithm-weak"],
    ),
    Fault::new(
        Basic(|basic, asked| {
            if nonce_len(asked) == Some(16) {
                put_nonce(basic, &Extension::new(NONCE, tlv::wrap(tlv::OCTET_STRING, &[9; 16])));
            }
        }),
        &["nonce-of-16"],
    ),
    Fault::new(Error(1, |asked| nonce_len(asked) == Some(32)), &["nonce-of-32"]),
    Fault::new(Error(1, |asked| nonce_len(asked) == Some(1)), &["nonce-of-1"]),
    Fault::new(Error(1, |asked| nonce_len(asked) == Some(128)), &["nonce-of-128"]),
    Fault::new(Good(|asked| nonce_len(asked) == Some(0)), &["nonce-of-0"]),
    Fault::new(Good(|asked| nonce_len(asked) == Some(129)), &["nonce-of-129"]),
    Fault::new(
        Basic(|basic, asked| {
            if asked.extension(NONCE).is_some() && nonce_len(asked).is_none() {
                put_nonce(basic, &Extension::new(NONCE, vec![9; 16]));
            }
        }),
        &["nonce-bare"],
    ),
    Fault::new(
        Basic(|basic, asked| {
            if let Some((true, value)) = extension(&asked.extensions, NONCE) {
                put_nonce(basic, &Extension::new(NONCE, value).critical());
            }
        }),
        &["nonce-critical"],
    ),
    Fault::new(
        Basic(|basic, asked| {
            if let Some(value) = asked.extension(NONCE) {
                basic.responses[0].extensions.push(Extension::new(NONCE, value).to_der());
            }
        }),
        &["nonce-in-place"],
    ),
];

fn by(asked: &Asked, digest: DigestAlgorithm) -> bool {
    asked.ids.len() == 1 && contains(&asked.ids[0], &tlv::oid(digest.oid()))
}

/// The CertID of the good certificate by that digest.
fn another_id(asked: &Asked, digest: DigestAlgorithm) -> Vec<u8> {
    let hash = |octets: &[u8]| tlv::wrap(tlv::OCTET_STRING, &digest.digest(octets).unwrap());
    tlv::sequence([
        &*tlv::sequence([&*tlv::oid(digest.oid()), &[5, 0]]),
        &hash(asked.ca.subject().as_der()),
        &hash(asked.ca.public_key().key_octets()),
        &tlv::wrap(tlv::INTEGER, &asked.good),
    ])
}

fn fail_if(answer: &mut Outgoing, such: bool) {
    if such {
        *answer = Outgoing::new(500, "text/plain", "oops");
    }
}

fn is_critical(asked: &Asked) -> bool {
    extension(&asked.extensions, UNHEARD_OF).is_some_and(|(critical, _)| critical)
}

fn has_requestor(asked: &Asked) -> bool {
    contains(&asked.body, asked.ca.subject().as_der())
}

fn is_signed(asked: &Asked) -> bool {
    contains(&asked.body, &[0; 60])
}

fn prefers(asked: &Asked, algorithm: SignatureAlgorithm) -> bool {
    asked.extension(PREFERRED_ALGORITHMS).is_some_and(|value| contains(&value, &algorithm.to_der()))
}

/// The length of the nonce, where it is wrapped.
fn nonce_len(asked: &Asked) -> Option<usize> {
    let value = asked.extension(NONCE)?;
    let mut cursor = tlv::Cursor::over(&value, "a nonce").ok()?;
    let element = cursor.expect(tlv::OCTET_STRING).ok()?;
    cursor.finish().ok()?;
    Some(element.value.len())
}

fn put_nonce(basic: &mut conformance::ocsp::message::BasicMessage, nonce: &Extension) {
    basic.extensions.retain(|der| extension(std::slice::from_ref(der), NONCE).is_none());
    basic.extensions.push(nonce.to_der());
}
