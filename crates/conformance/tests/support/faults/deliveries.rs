//! What a SUCCESS delivers, and in what envelope.

use cipher::{BlockModeEncrypt as _, KeyIvInit as _, block_padding::Pkcs7};
use conformance::scep::cms::{self, EnvelopedMessage, SignedMessage, Signer};
use pki_core::{Certificate, KeyTransport, Oid, oids, tlv};
use testkit::keys;

use super::Fault;
use crate::support::{
    authority::{Authority, CONTENT_KEY, open_as_client, recipient_info, reissue, validity},
    broken_scep::Break::{Deliver, Envelope},
};

const RENEWAL: &[&str] = &[
    "renewal",
    "renewal-by-pkcs-req",
    "renewal-other-subject",
    "renewal-of-another-ca",
    "renewal-serial-of-another",
    "get-cert",
    "get-crl",
    "get-crl-issuer",
    "get-crl-signature",
    "get-crl-current",
    "get-crl-next-update",
];

pub(super) const FAULTS: &[Fault] = &[
    Fault::new(
        Envelope(|envelope, _| envelope.recipients.push(envelope.recipients[0].clone())),
        &["success-recipient"],
    ),
    Fault::new(
        Envelope(|envelope, _| envelope.content_type = cms::SIGNED_DATA),
        &["success-envelope-content-type"],
    ),
    Fault::new(Envelope(in_des), &["success-no-des", "success-cipher"]),
    Fault::new(Envelope(in_triple_des), &["success-cipher"]),
    Fault::new(
        Deliver(|delivery, authority| {
            delivery.signers.push(Signer {
                id: cms::issuer_and_serial(&authority.ra),
                digest: cms::DATA,
                signed_attributes: Vec::new(),
                unsigned_attributes: Vec::new(),
                algorithm: KeyTransport::RsaPkcs1.to_der(),
                signature: vec![1],
            });
        }),
        &["success-degenerate"],
    ),
    Fault::new(Deliver(|delivery, _| delivery.content = Some(vec![1])), &["success-no-content"]),
    Fault::new(Deliver(|delivery, _| delivery.certificates.clear()), &["success-certificate", "enroll"])
        .blocking(),
    Fault::new(
        Deliver(|delivery, authority| {
            if !delivery.certificates.is_empty() {
                delivery.certificates.push(authority.ra.as_der().to_vec());
            }
        }),
        &["success-leaf"],
    ),
    Fault::new(
        Deliver(|delivery, _| {
            let stranger = keys::rsa(keys::STRANGER_PEM);
            each(delivery, |one| reissue(one, &*stranger, |_| {}));
        }),
        &["certificate-issuer"],
    )
    .may(RENEWAL),
    Fault::new(
        Deliver(|delivery, authority| {
            changed(delivery, authority, |parts| parts[4] = validity("200101000000Z", "210101000000Z"));
        }),
        &["certificate-validity"],
    )
    .may(RENEWAL),
    Fault::new(
        Deliver(|delivery, authority| {
            changed(delivery, authority, |parts| {
                let serial = [&[0x7A; 4], &parts[1][2..]].concat();
                parts[1] = tlv::wrap(tlv::INTEGER, &serial);
            });
        }),
        &["certificate-serial"],
    )
    .may(RENEWAL),
    Fault::new(
        Deliver(|delivery, authority| {
            changed(delivery, authority, |parts| {
                let usages = tlv::wrap(tlv::SEQUENCE, &tlv::oid(oids::KP_OCSP_SIGNING));
                let usages = pki_core::Extension::new(oids::EXTENDED_KEY_USAGE, usages).to_der();
                parts[7] = tlv::wrap(0xA3, &tlv::wrap(tlv::SEQUENCE, &usages));
            });
        }),
        &["certificate-end-entity"],
    )
    .may(RENEWAL),
];

fn each(delivery: &mut SignedMessage, change: impl Fn(&Certificate) -> Certificate) {
    let changed = delivery.parsed_certificates().iter().map(|one| change(one).as_der().to_vec()).collect();
    delivery.certificates = changed;
}

fn changed(delivery: &mut SignedMessage, authority: &Authority, change: impl Fn(&mut Vec<Vec<u8>>)) {
    each(delivery, |one| authority.reissue(one, &change));
}

fn in_des(envelope: &mut EnvelopedMessage, recipient: &Certificate) {
    let plain = open_as_client(envelope).unwrap();
    let cipher = cbc::Encryptor::<des::Des>::new_from_slices(&CONTENT_KEY[..8], &[0x1F; 8]).unwrap();
    let sealed = cipher.encrypt_padded_vec::<Pkcs7>(&plain);
    envelope.cipher = Oid::new_unwrap("1.3.14.3.2.7");
    envelope.recipients = vec![recipient_info(recipient, &CONTENT_KEY[..8])];
    (envelope.iv, envelope.ciphertext) = (vec![0x1F; 8], sealed);
}

fn in_triple_des(envelope: &mut EnvelopedMessage, recipient: &Certificate) {
    let plain = open_as_client(envelope).unwrap();
    let cipher = cbc::Encryptor::<des::TdesEde3>::new_from_slices(&CONTENT_KEY, &[0x1F; 8]).unwrap();
    let sealed = cipher.encrypt_padded_vec::<Pkcs7>(&plain);
    envelope.cipher = Oid::new_unwrap("1.2.840.113549.3.7");
    envelope.recipients = vec![recipient_info(recipient, &CONTENT_KEY)];
    (envelope.iv, envelope.ciphertext) = (vec![0x1F; 8], sealed);
}
