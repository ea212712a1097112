//! SignedData: a pkiMessage of either direction, or an answer to one of the Get operations.

use alloc::{borrow::Cow, format, string::ToString as _};

use pki_core::{Certificate, CertificationRequest, DecodeError, DigestAlgorithm, KeyKind, KeyUsage, Oid};

use super::{Aids, Explanation, Weight, answers, content, schema, tree};
use crate::{
    AlgorithmPolicy, FailInfo, Legacy, MessageType, PkiStatus, RejectReason, Tolerance, Tolerances,
    attributes::SignedAttributes,
    ber, cms_oids,
    limits::{MAX_MESSAGE_LEN, NONCE_LEN},
    message::of_signer,
    signature_check::SignatureCheck,
    signed_data::{SignedData, SignerInfo, content_of},
};

/// Every algorithm that can be spoken at all, and every tolerance.
pub(super) fn permissive() -> AlgorithmPolicy {
    let old = [Legacy::Sha1, Legacy::TripleDes, Legacy::ShortRsaKeys];
    let policy = old.into_iter().fold(AlgorithmPolicy::default(), AlgorithmPolicy::with_legacy);
    policy.tolerating(Tolerances::all())
}

pub(super) fn explain(input: &[u8], aids: &Aids<'_>, told: &mut Explanation) {
    told.title = "octets that are no ASN.1".to_string();
    let der = match ber::normalize(input) {
        Ok(der) => der,
        Err(error) => return told.breaks("not-asn1", "RFC 5652 §3", error),
    };
    if let Ok(certificate) = Certificate::from_der(&der) {
        return answers::certificates(&der, &[certificate], told);
    }
    if let Ok(request) = CertificationRequest::from_der(&der) {
        told.title = "a certification request, without a message around it".to_string();
        return content::of_certification_request(&der, &request, aids, told);
    }
    let written = if matches!(der, Cow::Owned(_)) { "BER" } else { "DER" };
    if content_of(&der, cms_oids::ENVELOPED_DATA, "an envelope").is_ok() {
        told.title = "a pkcsPKIEnvelope, without a message around it".to_string();
        return content::of_envelope(&der, aids, told);
    }
    told.title = format!("a structure that is no SignedData ({} octets of {written})", input.len());
    told.section("message", tree::lines(&der, &schema::CONTENT_INFO));
    if written == "BER" {
        told.tolerated(Tolerance::Ber.into());
    }
    let data = match SignedData::read(&der) {
        Ok(data) => data,
        Err(error) => return told.breaks("not-signed-data", "RFC 8894 §3.2", error),
    };
    if data.has_no_signer() {
        let certificates: alloc::vec::Vec<_> = data.parsed_certificates().collect();
        return answers::certificates(&der, &certificates, told);
    }
    match data.signer() {
        Ok(signer) => signed(&data, &signer, aids, told),
        Err(error) => told.breaks("signers", "RFC 8894 §3.2", error),
    }
    if input.len() > MAX_MESSAGE_LEN && told.title.starts_with("CertRep") {
        told.note("long-reply", "RFC 8894 §3.2", format_args!("{} octets", input.len()));
    } else if input.len() > MAX_MESSAGE_LEN {
        let text = format_args!("expected at most {MAX_MESSAGE_LEN} octets: {}", input.len());
        told.breaks("too-long", "RFC 8894 §3.2", text);
    }
}

fn signed(data: &SignedData<'_>, signer: &SignerInfo<'_>, aids: &Aids<'_>, told: &mut Explanation) {
    told.title = "a signed message".to_string();
    let attributes = match SignedAttributes::read(signer.signed_attributes) {
        Ok(attributes) => attributes,
        Err(error) => return told.breaks("signed-attributes", "RFC 5652 §5.3", error),
    };
    let signature = SignatureCheck::new(data, signer, &attributes);
    told.tolerated(attributes.tolerated().union(signature.tolerated()));
    // Who reads a reply knows who should have signed it.
    let weight = match attributes.message_type() {
        Ok(Ok(MessageType::CertRep)) => Weight::Note,
        _ => Weight::Breaks,
    };
    let certificate = signer_certificate(data, signer, weight, told);
    check_signature(&signature, certificate.as_ref(), aids, told);
    let message_type = attributes.single(cms_oids::MESSAGE_TYPE);
    if matches!(message_type, Ok(None)) && answers::next_ca(signature.content(), told) {
        return;
    }
    check_common(&attributes, told);
    match attributes.message_type() {
        Ok(Ok(MessageType::CertRep)) => {
            told.title = "CertRep".to_string();
            reply(&attributes, &signature, aids, told);
        }
        Ok(Ok(message_type)) => {
            told.title = format!("{message_type}, a request");
            let signer = certificate.as_ref();
            check_requester(signer, told);
            content::of_request(message_type, signature.content(), signer, aids, told);
        }
        Ok(Err(text)) => {
            told.title = "a pkiMessage of no known type".to_string();
            let reason = RejectReason::UnknownMessageType(text);
            told.breaks(reason.code(), "RFC 8894 §3.2.1.2", reason);
        }
        Err(_) => told.title = "a signed message without a messageType".to_string(),
    }
}

/// The certificate that the signer points at, judged.
fn signer_certificate(
    data: &SignedData<'_>,
    signer: &SignerInfo<'_>,
    weight: Weight,
    told: &mut Explanation,
) -> Option<Certificate> {
    let mut matching = data.parsed_certificates().filter(|certificate| signer.id.matches(certificate));
    let certificate = matching.next();
    let more = matching.count();
    if more > 0 {
        let text = format_args!("{} certificates answer to the signer's name", more.saturating_add(1));
        told.find("two-signer-certificates", weight, "RFC 5652 §5.3", text);
    }
    let Some(certificate) = certificate else {
        let text = "the certificate of the signer is not among the certificates";
        told.find("no-signer-certificate", weight, "RFC 8894 §2.3", text);
        return None;
    };
    told.tolerated(of_signer(&certificate, &signer.id));
    Some(certificate)
}

/// What the signer of a request needs beyond what the signer of a reply does.
fn check_requester(signer: Option<&Certificate>, told: &mut Explanation) {
    let usage = signer.and_then(|signer| signer.key_usage().ok().flatten());
    if let Some(KeyKind::Rsa { bits: bits @ ..2048 }) = signer.map(|signer| signer.public_key().kind()) {
        let text = format_args!("the signer's RSA key has {bits} bits; expected 2048 or more");
        told.breaks("short-key", "RFC 8894 §7", text);
    }
    if usage.is_some_and(|usage| !usage.contains(KeyUsage::DIGITAL_SIGNATURE)) {
        let text = "the keyUsage of the signer's certificate has no digitalSignature";
        told.find("signer-key-usage", Weight::Tolerated, "RFC 8894 §2.3", text);
    }
}

fn check_signature(
    signature: &SignatureCheck,
    certificate: Option<&Certificate>,
    aids: &Aids<'_>,
    told: &mut Explanation,
) {
    if signature.digest() == Some(DigestAlgorithm::Sha1) {
        told.note("legacy-digest", "RFC 8894 §2.9", "SHA-1: refused unless it is allowed");
    }
    let (Some(verifier), Some(certificate)) = (aids.verifier, certificate) else { return };
    if let Err(fault) = signature.check(certificate.public_key(), verifier, &permissive()) {
        let reason = RejectReason::from(fault);
        let clause = match &reason {
            RejectReason::AlgorithmNotAllowed { .. } => "RFC 8894 §2.9",
            RejectReason::SignedAttribute(_) => "RFC 5652 §11",
            _ => "RFC 5652 §5.6",
        };
        told.breaks(reason.code(), clause, reason);
    }
}

fn check_common(attributes: &SignedAttributes<'_>, told: &mut Explanation) {
    let is_reply = attributes.message_type() == Ok(Ok(MessageType::CertRep));
    let found: [(&str, &str, Result<(), DecodeError>); 3] = [
        ("message-type", "RFC 8894 §3.2.1.2", attributes.message_type().map(drop)),
        ("transaction-id", "RFC 8894 §3.2.1.1", attributes.transaction_id().map(drop)),
        ("sender-nonce", "RFC 8894 §3.2.1.5", attributes.sender_nonce().map(drop)),
    ];
    for (code, clause, read) in found {
        match read {
            Err(_) if is_reply && code == "sender-nonce" => told.tolerated(Tolerance::ReplyNonce.into()),
            Err(error) => told.breaks(code, clause, error),
            Ok(()) => {}
        }
    }
    let absent = |id: Oid| matches!(attributes.single(id), Ok(None));
    if absent(cms_oids::MESSAGE_DIGEST) {
        told.breaks("no-message-digest", "RFC 5652 §11.2", "no messageDigest among the signed attributes");
    }
}

fn reply(
    attributes: &SignedAttributes<'_>,
    signature: &SignatureCheck,
    aids: &Aids<'_>,
    told: &mut Explanation,
) {
    match attributes.recipient_nonce() {
        Err(error) => told.breaks("recipient-nonce", "RFC 8894 §3.2.1.5", error),
        Ok(nonce) if nonce.len() != NONCE_LEN => {
            let text =
                format_args!("the recipientNonce has {} octets, as the request's may have had", nonce.len());
            told.note("recipient-nonce-length", "RFC 8894 §3.2.1.5", text);
        }
        Ok(_) => {}
    }
    let status = match attributes.pki_status() {
        Ok(status) => status,
        Err(error) => return told.breaks("pki-status", "RFC 8894 §3.2.1.3", error),
    };
    let empty = signature.content().is_empty();
    match status {
        PkiStatus::Success => {
            told.title = "CertRep SUCCESS".to_string();
            content::of_success(signature.content(), aids, told);
        }
        PkiStatus::Pending => {
            told.title = "CertRep PENDING".to_string();
            told.tolerated(Tolerances::NONE.with_if(Tolerance::ReplyContent, !empty));
        }
        PkiStatus::Failure => {
            told.tolerated(Tolerances::NONE.with_if(Tolerance::ReplyContent, !empty));
            failure(attributes, told);
        }
    }
}

fn failure(attributes: &SignedAttributes<'_>, told: &mut Explanation) {
    match attributes.fail_info() {
        Ok(info) => {
            told.title = format!("CertRep FAILURE, {info}: {}", meaning(info));
        }
        Err(error) => {
            told.title = "CertRep FAILURE".to_string();
            told.breaks("fail-info", "RFC 8894 §3.2.1.4", error);
        }
    }
    if let Some(text) = attributes.fail_info_text() {
        told.note("fail-info-text", "RFC 8894 §3.2.1.4", format_args!("it says {text:?}"));
    }
}

fn meaning(info: FailInfo) -> &'static str {
    match info {
        FailInfo::BadAlg => "an algorithm that is not spoken",
        FailInfo::BadMessageCheck => "signature or encryption does not hold",
        FailInfo::BadRequest => "not permitted, or not supported",
        FailInfo::BadTime => "signingTime too far from the time of the CA",
        FailInfo::BadCertId => "no such certificate",
    }
}
