//! Requests in wrong envelopes or by wrong algorithms, and what servers make of them.

use conformance::{
    Verdict,
    scep::cms::{self, EnvelopedMessage, SignedMessage},
};
use pki_core::{DigestAlgorithm, KeyKind, Oid};

use super::Fault;
use crate::support::broken_scep::{
    Break::{Grant, Refuse, Reply, Status},
    Loose,
};

pub(super) const FAULTS: &[Fault] = &[
    Fault::new(Grant(|loose| content(loose) == Some(b"no envelope")), &["envelope-missing"]),
    Fault::new(
        Grant(|loose| {
            loose.signed.as_ref().is_some_and(|signed| signed.content.is_none() && signed.signers.len() == 1)
        }),
        &["content-missing"],
    ),
    Fault::new(
        Grant(|loose| content(loose).is_some_and(|it| pki_core::CertificationRequest::from_der(it).is_ok())),
        &["envelope-in-clear"],
    ),
    Fault::new(
        Grant(|loose| envelope(loose, |envelope| envelope.content_type != cms::DATA)),
        &["envelope-content-type-wrong"],
    ),
    Fault::new(
        Grant(|loose| {
            envelope(loose, |envelope| {
                envelope.recipients.len() == 1 && !names(&envelope.recipients[0], loose.ca.subject().as_der())
            })
        }),
        &["envelope-for-another"],
    ),
    Fault::new(
        Grant(|loose| envelope(loose, |envelope| envelope.recipients.is_empty())),
        &["envelope-for-nobody"],
    ),
    Fault::new(
        Grant(|loose| envelope(loose, |envelope| envelope.recipients.len() == 2)),
        &["envelope-for-two"],
    ),
    Fault::new(Grant(|loose| loose.plain.as_deref() == Some(b"\x30\x03\x02\x01\x05")), &["plain-no-csr"]),
    // Tells when a key does not unwrap.
    Fault::new(
        Reply(|reply, loose| {
            if envelope(loose, |envelope| envelope.recipients.len() == 1) && loose.content_key.is_none() {
                reply.change(|signer| signer.set(cms::FAIL_INFO, cms::printable("2")));
            }
        }),
        &["oracle-decryption"],
    ),
    // Tells when padding does not hold.
    Fault::new(
        Status(400, |loose| {
            loose.content_key.as_ref().is_some_and(|key| key.len() == 16)
                && loose.plain.is_none()
                && is_aes(loose)
        }),
        &["oracle-decryption", "oracle-request"],
    ),
    // Tells when a CSR came out that does not verify.
    Fault::new(
        Refuse(|loose| loose.csr.is_some() && !loose.csr_is_signed() && loose.is_type("19")),
        &["oracle-request"],
    ),
    Fault::new(Grant(|loose| is_digest(loose, DigestAlgorithm::Md5)), &["digest-md5"]),
    Fault::new(Grant(|loose| is_digest(loose, DigestAlgorithm::Sha1)), &["digest-sha-1"]),
    Fault::new(Refuse(|loose| is_digest(loose, DigestAlgorithm::Sha512)), &["digest-sha-512"]),
    Fault::new(Grant(|loose| is_cipher(loose, DES)), &["cipher-des"]).blocking(),
    Fault::new(Grant(|loose| is_cipher(loose, TRIPLE_DES)), &["cipher-3des"]),
    Fault::new(Status(500, |loose| is_cipher(loose, AES_256)), &["cipher-aes-256"]),
    // A server that has only AES-128, and need have no more.
    Fault::new(Refuse(|loose| is_cipher(loose, AES_256)), &[])
        .also(&[("cipher-aes-256", Verdict::NotOffered)]),
    Fault::new(Refuse(|loose| is_cipher(loose, DES)), &["algorithm-refusal-says-so"]),
    Fault::new(
        Status(500, |loose| {
            let oaep = pki_core::tlv::oid(Oid::new_unwrap("1.2.840.113549.1.1.7"));
            envelope(loose, |envelope| envelope.recipients.iter().any(|one| names(one, &oaep)))
        }),
        &["key-transport-oaep"],
    ),
    Fault::new(
        Grant(|loose| loose.signer.as_ref().is_some_and(|one| one.public_key().kind() == KeyKind::P256)),
        &["key-that-cannot-encrypt", "password-opens"],
    ),
    Fault::new(Reply(|reply, _| spoil_password(reply)), &["password-opens"]),
];

/// Spoils the key that is wrapped by a password.
fn spoil_password(reply: &mut SignedMessage) {
    let content = reply.content.clone().unwrap_or_default();
    let Ok(mut envelope) = EnvelopedMessage::read(&content) else { return };
    if let Some(recipient) = envelope.recipients.iter_mut().find(|one| one[0] == 0xA3) {
        *recipient.last_mut().unwrap() ^= 1;
        reply.put_content(envelope.encode());
    }
}

const DES: Oid = Oid::new_unwrap("1.3.14.3.2.7");
const TRIPLE_DES: Oid = Oid::new_unwrap("1.2.840.113549.3.7");
const AES_256: Oid = Oid::new_unwrap("2.16.840.1.101.3.4.1.42");

fn content(loose: &Loose) -> Option<&[u8]> {
    loose.signed.as_ref()?.content.as_deref()
}

fn envelope(loose: &Loose, what: impl Fn(&EnvelopedMessage) -> bool) -> bool {
    loose.envelope.as_ref().is_some_and(what)
}

fn is_cipher(loose: &Loose, oid: Oid) -> bool {
    envelope(loose, |envelope| envelope.cipher == oid)
}

fn is_aes(loose: &Loose) -> bool {
    is_cipher(loose, Oid::new_unwrap("2.16.840.1.101.3.4.1.2"))
}

fn is_digest(loose: &Loose, digest: DigestAlgorithm) -> bool {
    let signer = loose.signed.as_ref().and_then(|signed| signed.signer());
    signer.is_some_and(|signer| signer.digest == digest.oid())
}

fn names(recipient: &[u8], part: &[u8]) -> bool {
    recipient.windows(part.len()).any(|window| window == part)
}
