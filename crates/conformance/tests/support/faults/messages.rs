//! Requests whose attributes, signers or signatures are wrong, and are taken.

use conformance::scep::cms::{self, SignedMessage};
use keys_software::AwsLc;
use pki_core::{Certificate, SignatureAlgorithm, SignatureVerifier as _, tlv};

use super::Fault;
use crate::support::broken_scep::{
    Break::{Grant, Status},
    Loose, is_signed_by_stranger, is_strangers,
};

pub(super) const FAULTS: &[Fault] = &[
    Fault::new(
        Grant(|loose| signer_has(loose, |signer| signer.signed_attributes.is_empty()) && !is_a_set(loose)),
        &["signed-attributes-missing"],
    ),
    Fault::new(
        Grant(|loose| signer_has(loose, |signer| signer.signed_attributes.is_empty()) && is_a_set(loose)),
        &["signature-over-content"],
    ),
    Fault::new(
        Grant(|loose| signer_has(loose, |signer| !signer.unsigned_attributes.is_empty())),
        &["attributes-unsigned"],
    ),
    Fault::new(
        Grant(|loose| loose.count(cms::MESSAGE_DIGEST) == 0 && loose.count(cms::MESSAGE_TYPE) == 1),
        &["message-digest-missing"],
    ),
    Fault::new(
        Grant(|loose| {
            let digest = loose.attribute(cms::MESSAGE_DIGEST);
            loose.count(cms::MESSAGE_DIGEST) == 1 && digest == Some(tlv::wrap(tlv::OCTET_STRING, &[0x5A; 32]))
        }),
        &["message-digest-wrong"],
    ),
    Fault::new(Grant(|loose| loose.count(cms::MESSAGE_DIGEST) == 2), &["message-digest-twice"]),
    Fault::new(
        Grant(|loose| {
            is_data(loose) && loose.attribute(cms::CONTENT_TYPE) == Some(tlv::oid(cms::SIGNED_DATA))
        }),
        &["content-type-wrong"],
    ),
    Fault::new(
        Status(500, |loose| loose.count(cms::CONTENT_TYPE) == 0 && loose.count(cms::MESSAGE_TYPE) == 1),
        &["content-type-missing"],
    ),
    Fault::new(Status(500, is_unsorted), &["signed-attributes-unsorted"]),
    Fault::new(
        Grant(|loose| loose.count(cms::TRANSACTION_ID) == 0 && is_pkcs_req(loose)),
        &["transaction-id-missing"],
    ),
    Fault::new(
        Grant(|loose| loose.text(cms::TRANSACTION_ID).as_deref() == Some("")),
        &["transaction-id-empty"],
    ),
    Fault::new(
        Status(500, |loose| {
            loose.attribute(cms::TRANSACTION_ID).is_some_and(|value| value.starts_with(&[cms::UTF8_STRING]))
        }),
        &["transaction-id-as-utf8-string"],
    ),
    Fault::new(
        Grant(|loose| loose.count(cms::MESSAGE_TYPE) == 0 && loose.count(cms::TRANSACTION_ID) == 1),
        &["message-type-missing"],
    ),
    Fault::new(
        Grant(|loose| loose.count(cms::MESSAGE_TYPE) == 2 && signers(loose) == 1),
        &["message-type-twice"],
    ),
    Fault::new(Grant(|loose| loose.is_type("18")), &["message-type-18"]),
    Fault::new(Grant(|loose| loose.is_type("019")), &["message-type-unknown"]),
    Fault::new(Grant(|loose| loose.is_type("3")), &["message-type-cert-rep"]),
    Fault::new(
        Grant(|loose| loose.attribute(cms::MESSAGE_TYPE) == Some(vec![tlv::INTEGER, 1, 19])),
        &["message-type-as-integer"],
    ),
    Fault::new(
        Grant(|loose| loose.count(cms::SENDER_NONCE) == 0 && is_pkcs_req(loose)),
        &["sender-nonce-missing"],
    ),
    Fault::new(Status(500, |loose| nonce(loose) == Some(8)), &["sender-nonce-of-8-octets"]),
    Fault::new(Grant(|loose| nonce(loose) == Some(0)), &["sender-nonce-empty"]),
    Fault::new(Grant(has_one_wrong_bit), &["signature-wrong"]),
    Fault::new(Grant(is_signed_by_stranger), &["signature-of-another-key"])
        .may(&["signer-certificate-other"]),
    Fault::new(Grant(|loose| !is_data(loose)), &["e-content-type-wrong"]),
    Fault::new(Grant(|loose| loose.signed.is_some() && signers(loose) == 0), &["signers-none"]),
    Fault::new(Grant(|loose| signers(loose) == 2), &["signers-two"]),
    Fault::new(
        Grant(|loose| loose.signed.as_ref().is_some_and(|signed| signed.certificates.is_empty())),
        &["signer-certificate-missing"],
    ),
    Fault::new(
        Grant(|loose| {
            signers(loose) == 1
                && loose.signer.is_none()
                && loose.signed.as_ref().is_some_and(|signed| !signed.certificates.is_empty())
        }),
        &["signer-certificate-other"],
    ),
    Fault::new(
        Status(500, |loose| {
            is_pkcs_req(loose)
                && loose.is_self_signed()
                && is_strangers(loose.signer.as_ref())
                && loose.csr.as_ref().is_some_and(|csr| {
                    Some(csr.public_key()) != loose.signer.as_ref().map(Certificate::public_key)
                })
        }),
        &["signer-key-not-the-csrs"],
    ),
    Fault::new(
        Status(500, |loose| {
            loose.signer.as_ref().and_then(|one| one.subject().common_name()).as_deref() == Some("another")
        }),
        &["signer-other-subject"],
    ),
    Fault::new(
        Grant(|loose| is_pkcs_req(loose) && loose.csr.is_some() && !loose.csr_is_signed() && !is_md5(loose)),
        &["csr-signature-wrong", "oracle-request"],
    ),
    Fault::new(
        Grant(|loose| loose.is_type("17") && loose.csr.is_some() && !loose.csr_is_signed()),
        &["renewal-csr-unsigned"],
    ),
];

fn signer_has(loose: &Loose, what: impl Fn(&cms::Signer) -> bool) -> bool {
    loose.signed.as_ref().and_then(SignedMessage::signer).is_some_and(what)
}

fn signers(loose: &Loose) -> usize {
    loose.signed.as_ref().map_or(0, |signed| signed.signers.len())
}

/// Whether the content is what another message signs.
fn is_a_set(loose: &Loose) -> bool {
    loose
        .signed
        .as_ref()
        .and_then(|signed| signed.content.as_ref())
        .is_some_and(|it| it.starts_with(&[tlv::SET]))
}

fn is_data(loose: &Loose) -> bool {
    loose.signed.as_ref().is_none_or(|signed| signed.content_type == cms::DATA)
}

fn is_pkcs_req(loose: &Loose) -> bool {
    loose.is_type("19")
}

/// Its signature is by MD5, which these tests do not check.
fn is_md5(loose: &Loose) -> bool {
    loose.csr.as_ref().is_some_and(|csr| csr.signature_algorithm().is_err())
}

fn is_unsorted(loose: &Loose) -> bool {
    let Some(signer) = loose.signed.as_ref().and_then(SignedMessage::signer) else { return false };
    let mut sorted = signer.clone();
    sorted.signed_attributes.clear();
    for (id, values) in &signer.signed_attributes {
        sorted.add(*id, values[0].clone());
    }
    sorted.signed_attributes != signer.signed_attributes
}

fn nonce(loose: &Loose) -> Option<usize> {
    let value = loose.signed.as_ref()?.signer()?.attribute_value(cms::SENDER_NONCE)?;
    Some(value.len())
}

fn has_one_wrong_bit(loose: &Loose) -> bool {
    let (Some(message), Some(certificate)) = (&loose.signed, &loose.signer) else { return false };
    let Some(signer) = message.signer() else { return false };
    let mut signature = signer.signature.clone();
    signature.last_mut().into_iter().for_each(|octet| *octet ^= 1);
    let algorithm = SignatureAlgorithm::RsaPkcs1Sha256;
    AwsLc.verify(certificate.public_key(), algorithm, &message.to_be_signed(), &signature).is_ok()
}
