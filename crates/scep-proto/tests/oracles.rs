//! Two other readers of CMS agree about what is made here.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::arithmetic_side_effects)]
#![allow(clippy::cast_possible_truncation, clippy::missing_panics_doc, reason = "tests")]
#![allow(missing_docs, dead_code, unreachable_pub, reason = "tests")]

mod parties;

use der_07::Decode as _;
use parties::*;
use pkcs7::ContentInfo;
use scep_proto::{EmptyContent, FailInfo, PkiMessage, ber};

fn messages() -> Vec<Vec<u8>> {
    let random = Counting::default();
    let request = outgoing(&requester(), &pkcs_req()).message;
    let exchange = PkiMessage::parse(&request).unwrap().exchange().clone();
    let signer = reply_signer();
    let omitting = reply_signer().with_empty_content(EmptyContent::Omitted);
    let text = Some("für Menschen");
    vec![
        request,
        signed(exchange.success(&[device(), ra()], &signer, &Pretend, &random, NOW).unwrap()),
        signed(exchange.pending(&signer, &random, NOW).unwrap()),
        signed(exchange.pending(&omitting, &random, NOW).unwrap()),
        signed(exchange.failure(&signer, FailInfo::BadTime, text, &random, NOW).unwrap()),
    ]
}

fn rasn_signed_data(message: &[u8]) -> rasn_cms::SignedData {
    let info: rasn_cms::ContentInfo = rasn::ber::decode(message).unwrap();
    rasn::ber::decode(info.content.as_bytes()).unwrap()
}

#[test]
fn rasn_cms_reads_them() {
    let id_data = [1, 2, 840, 113_549, 1, 7, 1];
    for (at, message) in messages().iter().enumerate() {
        let data = rasn_signed_data(message);
        assert_eq!(&*data.encap_content_info.content_type, &id_data[..]);
        assert_eq!(data.signer_infos.len(), 1);
        let signer = data.signer_infos.to_vec()[0].clone();
        let attributes = signer.signed_attrs.clone().unwrap();
        // contentType, messageDigest, signingTime, messageType, transactionID, senderNonce; pkiStatus, recipientNonce;
        // failInfo, failInfoText.
        assert_eq!(attributes.len(), [6, 8, 8, 8, 10][at]);
        assert_eq!(data.certificates.unwrap().len(), 1);
        assert_eq!(
            data.encap_content_info.content.map(|content| content.is_empty()),
            [Some(false), Some(false), Some(true), None, Some(true)][at]
        );
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
