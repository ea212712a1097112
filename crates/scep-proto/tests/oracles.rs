//! Two other readers of CMS agree about what is made here.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::arithmetic_side_effects)]
#![allow(clippy::cast_possible_truncation, clippy::missing_panics_doc, reason = "tests")]
#![allow(missing_docs, dead_code, unreachable_pub, reason = "tests")]

mod differential;
mod parties;

use der_07::{Decode as _, Encode as _};
use parties::*;
use pkcs7::ContentInfo;
use pki_core::{ChallengePassword, DigestAlgorithm, SignatureAlgorithm};
use proptest::prelude::*;
use scep_proto::{AlgorithmPolicy, EmptyContent, FailInfo, PkiMessage, Requester, ber, next_ca_certificates};

/// A message, how many signed attributes it has, and whether its content is empty, if there is any.
type Made = (Vec<u8>, usize, Option<bool>);

fn made() -> Vec<Made> {
    let random = Counting::default();
    let request = outgoing(&requester(), &pkcs_req()).message;
    let exchange = PkiMessage::parse(&request).unwrap().exchange().clone();
    let signer = reply_signer();
    let omitting = reply_signer().with_empty_content(EmptyContent::Omitted);
    let text = Some("für Menschen");
    let crl = [0x30, 3, 2, 1, 7];
    // contentType, messageDigest, signingTime, messageType, transactionID, senderNonce; pkiStatus, recipientNonce;
    // failInfo, failInfoText.
    vec![
        (request, 6, Some(false)),
        (
            signed(exchange.success(&[device(), ra()], &signer, &Pretend, &random, NOW).unwrap()),
            8,
            Some(false),
        ),
        (signed(exchange.success_with_crl(&crl, &signer, &Pretend, &random, NOW).unwrap()), 8, Some(false)),
        (signed(exchange.pending(&signer, &random, NOW).unwrap()), 8, Some(true)),
        (signed(exchange.pending(&omitting, &random, NOW).unwrap()), 8, None),
        (signed(exchange.failure(&signer, FailInfo::BadTime, text, &random, NOW).unwrap()), 10, Some(true)),
        (under_a_password(), 6, Some(false)),
        (next_ca(), 3, Some(false)),
    ]
}

fn messages() -> Vec<Vec<u8>> {
    made().into_iter().map(|(message, ..)| message).collect()
}

/// A request to a CA whose key only signs.
fn under_a_password() -> Vec<u8> {
    let requester =
        Requester::new(device(), SignatureAlgorithm::RsaPkcs1Sha256, certificate("ca", &ec_key()));
    outgoing(&requester.with_challenge(ChallengePassword::new("s3cret".into())), &pkcs_req()).message
}

fn next_ca() -> Vec<u8> {
    let algorithm = SignatureAlgorithm::RsaPkcs1Sha256;
    let unsigned = next_ca_certificates::prepare(&[device()], &ra(), algorithm, NOW).unwrap();
    let signature = Pretend::sign(ra().public_key(), unsigned.tbs());
    unsigned.finish(&signature)
}

fn rasn_signed_data(message: &[u8]) -> rasn_cms::SignedData {
    let info: rasn_cms::ContentInfo = rasn::ber::decode(message).unwrap();
    rasn::ber::decode(info.content.as_bytes()).unwrap()
}

#[test]
fn rasn_cms_reads_them() {
    let id_data = [1, 2, 840, 113_549, 1, 7, 1];
    for (message, attributes_made, empty) in made() {
        let data = rasn_signed_data(&message);
        assert_eq!(&*data.encap_content_info.content_type, &id_data[..]);
        assert_eq!(data.signer_infos.len(), 1);
        let signer = data.signer_infos.to_vec()[0].clone();
        let attributes = signer.signed_attrs.clone().unwrap();
        assert_eq!(attributes.len(), attributes_made);
        assert_eq!(data.certificates.unwrap().len(), 1);
        assert_eq!(data.encap_content_info.content.map(|content| content.is_empty()), empty);
    }
}

#[test]
fn rasn_cms_and_the_normalizer_read_ber_alike() {
    for message in messages() {
        let data = rasn_signed_data(&message);
        let Some(content) = data.encap_content_info.content.filter(|content| !content.is_empty()) else {
            continue;
        };
        let envelope: rasn_cms::ContentInfo = rasn::ber::decode(&content).unwrap();
        if *envelope.content_type != *rasn_cms::CONTENT_ENVELOPED_DATA.as_ref() {
            continue;
        }
        let envelope: rasn_cms::EnvelopedData = rasn::ber::decode(envelope.content.as_bytes()).unwrap();
        assert_eq!(envelope.recipient_infos.len(), 1);
        assert!(envelope.encrypted_content_info.encrypted_content.is_some());
        assert!(matches!(ber::normalize(&content), Ok(std::borrow::Cow::Borrowed(_))));
    }
}

#[test]
fn pkcs7_reads_them() {
    for message in messages() {
        let ContentInfo::SignedData(data) = ContentInfo::from_der(&message).unwrap() else { panic!() };
        assert_eq!(data.signer_infos.len(), 1);
        let signer = &data.signer_infos.as_slice()[0];
        assert!(signer.signed_attributes.is_some());
    }
}

/// They write anew what they read: other encoders, whose messages we read.
#[test]
fn what_they_write_is_read() {
    let sound = crafted().encode();
    let theirs = [
        rasn::der::encode(&rewrapped(&rasn_signed_data(&sound))).unwrap(),
        ContentInfo::from_der(&sound).unwrap().to_der().unwrap(),
    ];
    for message in theirs {
        let request = PkiMessage::parse(&message).unwrap();
        assert_eq!(request.exchange().transaction_id().as_bytes(), b"transaction-1");
        let verified = request.verify(&Pretend, &AlgorithmPolicy::default()).unwrap();
        let sealed = verified.sealed_for(&ra()).unwrap();
        let opened = sealed.open(Pretend::unwrap(sealed.wrapped_key()), &Pretend, &Counting::default());
        assert_eq!(opened.unwrap().message, pkcs_req());
    }
}

/// A message that rasn puts together: another transaction, another envelope, signed over rasn's own encoding.
#[test]
fn what_rasn_makes_is_read() {
    use rasn::prelude::*;
    let envelope = CraftedEnvelope::sealing(&padded(certification_request().as_der())).encode();
    let typed: rasn_cms::ContentInfo = rasn::ber::decode(&envelope).unwrap();
    let enveloped: rasn_cms::EnvelopedData = rasn::ber::decode(typed.content.as_bytes()).unwrap();
    let content = rasn::der::encode(&rasn_cms::ContentInfo {
        content_type: typed.content_type,
        content: Any::new(rasn::der::encode(&enveloped).unwrap()),
    });
    let content = content.unwrap();
    let digest = DigestAlgorithm::Sha256.digest(&content).unwrap();
    let mut data = rasn_signed_data(&crafted().encode());
    let mut signer = data.signer_infos.to_vec()[0].clone();
    let attributes: Vec<_> = signer.signed_attrs.take().unwrap().to_vec().into_iter().cloned().collect();
    let attributes = attributes.into_iter().map(|mut attribute| {
        let value = match attribute.r#type.last() {
            Some(4) => Some(rasn::der::encode(&OctetString::from(digest.clone())).unwrap()),
            Some(7) => Some(rasn::der::encode(&PrintableString::from_bytes(b"of rasn").unwrap()).unwrap()),
            _ => None,
        };
        if let Some(value) = value {
            attribute.values = SetOf::from_vec(vec![Any::new(value)]);
        }
        attribute
    });
    let attributes = SetOf::from_vec(attributes.collect());
    let to_be_signed = rasn::der::encode(&attributes).unwrap();
    signer.signature = Pretend::sign(device().public_key(), &to_be_signed).into();
    signer.signed_attrs = Some(attributes);
    data.signer_infos = SetOf::from_vec(vec![signer]);
    data.encap_content_info.content = Some(content.into());
    let message = rasn::der::encode(&rewrapped(&data)).unwrap();
    let request = PkiMessage::parse(&message).unwrap();
    assert_eq!(request.exchange().transaction_id().to_string(), "of rasn");
    let verified = request.verify(&Pretend, &AlgorithmPolicy::default()).unwrap();
    let sealed = verified.sealed_for(&ra()).unwrap();
    let opened = sealed.open(Pretend::unwrap(sealed.wrapped_key()), &Pretend, &Counting::default());
    assert_eq!(opened.unwrap().message, pkcs_req());
}

fn rewrapped(data: &rasn_cms::SignedData) -> rasn_cms::ContentInfo {
    rasn_cms::ContentInfo {
        content_type: rasn_cms::CONTENT_SIGNED_DATA.to_owned(),
        content: rasn::types::Any::new(rasn::der::encode(data).unwrap()),
    }
}

/// The recorded messages, and those made here, with an octet changed, left out or put in.
fn altered() -> impl Strategy<Value = Vec<u8>> {
    let vectors = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../vectors/scep");
    let recorded = std::fs::read_dir(vectors)
        .unwrap()
        .filter_map(|entry| std::fs::read(entry.unwrap().path().join("input.der")).ok());
    let mut all: Vec<Vec<u8>> = recorded.collect();
    all.extend(messages());
    all.push(crafted().encode());
    let changes = prop::collection::vec((any::<prop::sample::Index>(), 0..3_u8, any::<u8>()), 0..3);
    (prop::sample::select(all), changes).prop_map(|(mut message, changes)| {
        for (at, how, octet) in changes {
            let at = at.index(message.len());
            match how {
                0 => message[at] = octet,
                1 => message.insert(at, octet),
                _ => {
                    message.remove(at);
                }
            }
        }
        message
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn rasn_and_we_take_the_same_messages(message in altered()) {
        prop_assert_eq!(differential::disagreement(&message), None);
    }
}
