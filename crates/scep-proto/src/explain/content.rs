//! The envelope, and what is in it.

use alloc::{string::ToString as _, vec::Vec};

use pki_core::{Certificate, CertificationRequest, ContentKey, KeyTransport};

use super::{Aids, Explanation, message::permissive, schema, schema::Shape, tree};
use crate::{
    ContentCipher, MessageType, RejectReason, RequestMessage, ber,
    enveloped_data::{Envelope, Recipient},
    sealed_request::of_request as tolerances_of,
    signed_data::SignedData,
};

pub(super) fn of_request(
    message_type: MessageType,
    content: &[u8],
    signer: Option<&Certificate>,
    aids: &Aids<'_>,
    told: &mut Explanation,
) {
    if CertificationRequest::from_der(content).is_ok() {
        let text = "the certification request, challenge and all, is not encrypted";
        told.breaks("cleartext-message-data", "RFC 8894 §3.1", text);
        return request(message_type, content, signer, aids, told);
    }
    let Some(plaintext) = opened(content, aids, told) else { return };
    request(message_type, &plaintext, signer, aids, told);
}

pub(super) fn of_success(content: &[u8], aids: &Aids<'_>, told: &mut Explanation) {
    let Some(plaintext) = opened(content, aids, told) else { return };
    delivered(&plaintext, told);
}

pub(super) fn of_certification_request(
    der: &[u8],
    csr: &CertificationRequest,
    aids: &Aids<'_>,
    told: &mut Explanation,
) {
    told.section("request", tree::lines(der, &schema::CERTIFICATION_REQUEST));
    told.tolerated(tolerances_of(&RequestMessage::PkcsReq(csr.clone())));
    certification_request(MessageType::PkcsReq, csr, None, aids, told);
}

/// An envelope by itself: what its content is, the message around it would say.
pub(super) fn of_envelope(der: &[u8], aids: &Aids<'_>, told: &mut Explanation) {
    let Some(plaintext) = opened(der, aids, told) else { return };
    let shape: &'static Shape = match CertificationRequest::from_der(&plaintext) {
        Ok(_) => &schema::CERTIFICATION_REQUEST,
        Err(_) => &schema::CONTENT_INFO,
    };
    told.section("content", tree::lines(&plaintext, shape));
}

/// Reads the envelope; decrypts it where there is something to decrypt it with.
fn opened(content: &[u8], aids: &Aids<'_>, told: &mut Explanation) -> Option<Vec<u8>> {
    if content.is_empty() {
        told.breaks("no-envelope", "RFC 8894 §3.2", "expected a pkcsPKIEnvelope: no content");
        return None;
    }
    if let Ok(der) = ber::normalize(content) {
        told.section("pkcsPKIEnvelope", tree::lines(&der, &schema::CONTENT_INFO));
    }
    let envelope = match Envelope::read(content, &permissive()) {
        Ok(envelope) => envelope,
        Err(fault) => {
            let reason = RejectReason::from(fault);
            let not_allowed = matches!(reason, RejectReason::AlgorithmNotAllowed { .. });
            let clause = if not_allowed { "RFC 8894 §2.9" } else { "RFC 8894 §3.2.2" };
            told.breaks(reason.code(), clause, reason);
            return None;
        }
    };
    told.tolerated(envelope.tolerated);
    if envelope.cipher() == ContentCipher::TripleDesCbc {
        told.note("legacy-cipher", "RFC 8894 §2.9", "triple DES: refused unless it is allowed");
    }
    let key = content_key(&envelope, aids, told)?;
    let plaintext = if key.expose().len() == envelope.cipher().key_len() {
        envelope.decrypt(&key).read(|octets| Some(octets.to_vec()))
    } else {
        None
    };
    if plaintext.is_none() {
        let reason = RejectReason::Undecryptable;
        told.breaks(
            reason.code(),
            "RFC 8894 §3.2.2",
            "the content key does not fit, or the padding is wrong",
        );
    }
    plaintext
}

fn content_key(envelope: &Envelope, aids: &Aids<'_>, told: &mut Explanation) -> Option<ContentKey> {
    let recipient = match envelope.recipients.as_slice() {
        [recipient] => recipient,
        several => {
            let text = alloc::format!("expected one recipient, the RA: {}", several.len());
            told.breaks(RejectReason::NotForRecipient.code(), "RFC 8894 §3.2.2", text);
            several.first()?
        }
    };
    let unwrapped = match recipient {
        Recipient::KeyTransport { wrapped, .. } => {
            if let KeyTransport::RsaOaep(digest) = wrapped.transport() {
                let text = alloc::format!("RSAES-OAEP with {digest:?}, which the RFC does not mention");
                told.note("oaep", "RFC 8894 §3.1", text);
            }
            aids.unwrap.map(|unwrap| unwrap(wrapped))?
        }
        Recipient::Password(password) => aids.challenge.map(|challenge| password.unwrap(challenge))?,
        Recipient::Unsupported => {
            let reason = RejectReason::UnsupportedRecipient;
            told.breaks(reason.code(), "RFC 8894 §3.1", reason);
            return None;
        }
    };
    if unwrapped.is_none() {
        let text = "the key that was given does not open it: it is for another one, or was changed";
        told.breaks(RejectReason::Undecryptable.code(), "RFC 8894 §3.2.2", text);
    }
    unwrapped
}

fn request(
    message_type: MessageType,
    plaintext: &[u8],
    signer: Option<&Certificate>,
    aids: &Aids<'_>,
    told: &mut Explanation,
) {
    let shape: &'static Shape = match message_type {
        MessageType::PkcsReq | MessageType::RenewalReq => &schema::CERTIFICATION_REQUEST,
        MessageType::CertPoll => &schema::ISSUER_AND_SUBJECT,
        _ => &schema::ISSUER_AND_SERIAL,
    };
    told.section("messageData", tree::lines(plaintext, shape));
    match RequestMessage::from_der(message_type, plaintext) {
        Err(error) => told.breaks("message-data", "RFC 8894 §3.3", error),
        Ok(message) => {
            told.tolerated(tolerances_of(&message));
            if let RequestMessage::PkcsReq(csr) | RequestMessage::RenewalReq(csr) = &message {
                certification_request(message_type, csr, signer, aids, told);
            }
        }
    }
}

fn certification_request(
    message_type: MessageType,
    csr: &CertificationRequest,
    signer: Option<&Certificate>,
    aids: &Aids<'_>,
    told: &mut Explanation,
) {
    if aids.verifier.is_some_and(|verifier| csr.verify(verifier).is_err()) {
        let text = "the signature of the certification request does not verify";
        told.breaks("proof-of-possession", "RFC 2986 §3", text);
    }
    if csr.subject().rdns().is_empty() {
        told.note("no-subject", "RFC 8894 §3.3.1", "the certification request has an empty subject");
    }
    if message_type == MessageType::PkcsReq && csr.challenge_password().is_none() {
        let text = "no challengePassword: it has to be authorized in another way";
        told.note("no-challenge", "RFC 8894 §3.3.1", text);
    }
    let Some(signer) = signer.filter(|signer| signer.subject() == signer.issuer()) else { return };
    if signer.public_key() != csr.public_key() {
        let text = "the self-signed certificate has another key than the certification request";
        told.note("signer-key-differs", "RFC 8894 §2.3", text);
    }
    if !signer.subject().matches(csr.subject()) {
        let text = "the self-signed certificate has another subject than the certification request";
        told.note("signer-subject-differs", "RFC 8894 §2.3", text);
    }
}

fn delivered(plaintext: &[u8], told: &mut Explanation) {
    let Ok(der) = ber::normalize(plaintext) else {
        return told.breaks("message-data", "RFC 8894 §3.4", "expected a degenerate SignedData: no ASN.1");
    };
    told.section("messageData", tree::lines(&der, &schema::CONTENT_INFO));
    let data = match SignedData::read(&der) {
        Ok(data) => data,
        Err(error) => return told.breaks("message-data", "RFC 8894 §3.4", error),
    };
    if data.certificates.is_empty() && data.crls.is_empty() {
        told.breaks("nothing-delivered", "RFC 8894 §3.3.2.1", "neither a certificate nor a CRL");
    }
    if data.content.is_some() {
        told.breaks("degenerate-content", "RFC 8894 §3.4", "a degenerate SignedData has no content");
    }
    if let (Some(first), count @ 2..) = (data.parsed_certificates().next(), data.certificates.len()) {
        let first = first.subject().to_string();
        let text = alloc::format!("{count} certificates, the first for {first:?}");
        told.note("more-certificates", "RFC 8894 §3.3.2.1", text);
    }
}
