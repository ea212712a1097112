//! What CertReps say.

use conformance::{
    Verdict,
    scep::cms::{self, SignedMessage, Signer},
};
use pki_core::{DigestAlgorithm, tlv};

use super::Fault;
use crate::support::broken_scep::Break::{Pend, Reply, Signed};

pub(super) const FAULTS: &[Fault] = &[
    Fault::new(
        Signed(|reply| {
            if is(reply, "0") {
                reply.change(|signer| signer.signature[7] ^= 1);
            }
        }),
        &["reply-signature"],
    ),
    Fault::new(
        Reply(|reply, _| success(reply, |signer| signer.signed_attributes.clear())),
        &[
            "enroll",
            "reply-signed-attributes",
            "reply-cms-attributes",
            "reply-transaction-id",
            "reply-message-type",
            "reply-status",
            "reply-recipient-nonce",
            "reply-sender-nonce",
        ],
    )
    .blocking(),
    Fault::new(
        Reply(|reply, _| {
            reply.content_type = cms::SIGNED_DATA;
            reply.change(|signer| signer.set(cms::CONTENT_TYPE, tlv::oid(cms::SIGNED_DATA)));
        }),
        &["reply-e-content-type"],
    ),
    Fault::new(
        Reply(|reply, _| {
            success(reply, |signer| signer.set(cms::MESSAGE_DIGEST, tlv::wrap(tlv::OCTET_STRING, &[1; 32])));
        }),
        &["reply-cms-attributes"],
    ),
    Fault::new(
        Reply(|reply, _| {
            success(reply, |signer| signer.set(cms::PKI_STATUS, tlv::wrap(cms::UTF8_STRING, b"0")));
        }),
        &["reply-attribute-types"],
    ),
    Fault::new(
        Reply(|reply, _| success(reply, |signer| signer.set(cms::TRANSACTION_ID, cms::printable("another")))),
        &["reply-transaction-id"],
    ),
    Fault::new(
        Reply(|reply, _| success(reply, |signer| signer.set(cms::MESSAGE_TYPE, cms::printable("19")))),
        &["reply-message-type"],
    ),
    Fault::new(
        Reply(|reply, _| success(reply, |signer| signer.set(cms::PKI_STATUS, cms::printable("9")))),
        &["reply-status", "enroll"],
    )
    .blocking(),
    Fault::new(
        Reply(|reply, _| success(reply, |signer| signer.remove(cms::RECIPIENT_NONCE))),
        &["reply-recipient-nonce"],
    ),
    Fault::new(
        Reply(|reply, _| {
            success(reply, |signer| signer.set(cms::SENDER_NONCE, tlv::wrap(tlv::OCTET_STRING, &random_8())));
        }),
        &["reply-sender-nonce"],
    ),
    Fault::new(
        Reply(|reply, loose| {
            let theirs = loose.attribute(cms::SENDER_NONCE).unwrap_or_default();
            success(reply, |signer| signer.set(cms::SENDER_NONCE, theirs));
        }),
        &["reply-sender-nonce-fresh"],
    ),
    Fault::new(Reply(|reply, _| digest(reply, DigestAlgorithm::Md5)), &["reply-no-md5", "reply-digest"]),
    Fault::new(Reply(|reply, _| digest(reply, DigestAlgorithm::Sha1)), &["reply-digest"]),
    Fault::new(
        Reply(|reply, _| failure(reply, |signer| signer.remove(cms::FAIL_INFO))),
        &["failure-fail-info", "algorithm-refusal-says-so"],
    )
    .blocking(),
    Fault::new(
        Reply(|reply, _| {
            failure(reply, |signer| {
                if signer.attribute_value(cms::FAIL_INFO).as_deref() == Some(b"2") {
                    signer.set(cms::FAIL_INFO, cms::printable("7"));
                }
            });
        }),
        &["failure-fail-info-known"],
    ),
    Fault::new(
        Reply(|reply, _| failure(reply, |signer| signer.set(cms::FAIL_INFO_TEXT, cms::printable("no")))),
        &["failure-fail-info-text"],
    ),
    Fault::new(
        Reply(|reply, _| {
            if is(reply, "2") {
                reply.put_content(vec![0]);
            }
        }),
        &["failure-no-envelope"],
    ),
    Fault::new(
        Reply(|reply, _| failure(reply, |signer| signer.set(cms::TRANSACTION_ID, cms::printable("another")))),
        &["failure-transaction-id"],
    ),
    Fault::new(
        Reply(|reply, _| failure(reply, |signer| signer.remove(cms::RECIPIENT_NONCE))),
        &["failure-recipient-nonce"],
    ),
    Fault::new(
        Reply(|reply, loose| {
            if let [(_, challenge)] = loose.challenges().as_slice() {
                let text = [b"wrong challenge: ", challenge.as_slice()].concat();
                failure(reply, |signer| {
                    signer.set(cms::FAIL_INFO_TEXT, tlv::wrap(cms::UTF8_STRING, &text));
                });
            }
        }),
        // What a challenge is in depends on whether the CSR was read.
        &["failure-tells-no-secret", "oracle-request"],
    ),
    Fault::new(Pend(|loose| is_guess(&loose.challenges())), &["pending-no-envelope"])
        .also(&[("challenge-wrong", Verdict::Tolerated)])
        .blocking(),
];

/// Whether this is the wrong challenge that the checks make up, which no server handed out.
pub(super) fn is_guess(challenges: &[(u8, Vec<u8>)]) -> bool {
    matches!(challenges, [(_, text)] if text.len() == 16 && text.iter().all(u8::is_ascii_hexdigit))
}

fn is(reply: &SignedMessage, status: &str) -> bool {
    let found = reply.signer().and_then(|signer| signer.attribute_value(cms::PKI_STATUS));
    found.as_deref() == Some(status.as_bytes())
}

fn success(reply: &mut SignedMessage, change: impl FnOnce(&mut Signer)) {
    if is(reply, "0") {
        reply.change(change);
    }
}

fn failure(reply: &mut SignedMessage, change: impl FnOnce(&mut Signer)) {
    if is(reply, "2") {
        reply.change(change);
    }
}

fn digest(reply: &mut SignedMessage, digest: DigestAlgorithm) {
    reply.change(|signer| signer.digest = digest.oid());
    reply.put_content(reply.content.clone().unwrap_or_default());
}

fn random_8() -> [u8; 8] {
    use pki_core::SecureRandom as _;
    let mut octets = [0; 8];
    keys_software::AwsLc.fill(&mut octets).unwrap();
    octets
}
