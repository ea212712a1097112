//! What RFC 8894 enumerates is closed: other values are errors, not the nearest one that is known.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::arithmetic_side_effects)]
#![allow(clippy::cast_possible_truncation, clippy::missing_panics_doc, reason = "tests")]
#![allow(missing_docs, dead_code, unreachable_pub, reason = "tests")]

mod parties;

use parties::*;
use pki_core::{Oid, tlv};
use scep_proto::{AlgorithmPolicy, AwaitedReply, CertRep, FailInfo, PkiMessage, ReplyError};

const PKI_STATUS: Oid = Oid::new_unwrap("2.16.840.1.113733.1.9.3");
const FAIL_INFO: Oid = Oid::new_unwrap("2.16.840.1.113733.1.9.4");
const RECIPIENT_NONCE: Oid = Oid::new_unwrap("2.16.840.1.113733.1.9.6");

/// What a client makes of a reply with this pkiStatus and failInfo, sound in everything else.
fn read(status: &str, fail_info: Option<&str>) -> Result<CertRep, ReplyError> {
    let request = outgoing(&requester(), &pkcs_req());
    let awaited: AwaitedReply = request.awaited;
    let nonce = PkiMessage::parse(&request.message).unwrap().exchange().sender_nonce().to_vec();
    let reply = Crafted { signer: ra(), certificates: vec![ra().as_der().to_vec()], ..Crafted::new(vec![]) };
    let reply = reply.without(oid::MESSAGE_TYPE).with(oid::MESSAGE_TYPE, &printable("3"));
    let reply = reply.with(PKI_STATUS, &printable(status));
    let reply = reply.with(RECIPIENT_NONCE, &tlv::wrap(tlv::OCTET_STRING, &nonce));
    let reply = match fail_info {
        Some(text) => reply.with(FAIL_INFO, &printable(text)),
        None => reply,
    };
    awaited.read(&reply.encode(), &[ra()], &Pretend, &AlgorithmPolicy::default())
}

// clause: RFC 8894 M13
#[test]
fn an_unknown_pki_status_is_an_error() {
    assert!(matches!(read("3", None), Ok(CertRep::Pending)));
    for status in ["1", "4", "-1", "", "03", "3 ", "PENDING"] {
        assert!(read(status, None).is_err(), "{status:?}");
    }
}

// clause: RFC 8894 M14, M22
#[test]
fn an_unknown_fail_info_is_an_error_and_so_is_none() {
    for (text, fail_info) in [
        ("0", FailInfo::BadAlg),
        ("1", FailInfo::BadMessageCheck),
        ("2", FailInfo::BadRequest),
        ("3", FailInfo::BadTime),
        ("4", FailInfo::BadCertId),
    ] {
        let reply = read("2", Some(text)).unwrap();
        assert!(matches!(reply, CertRep::Failure { fail_info: told, .. } if told == fail_info), "{text}");
    }
    for text in [Some("5"), Some("-1"), Some(""), Some("02"), Some("badRequest"), None] {
        assert!(read("2", text).is_err(), "{text:?}");
    }
}

// clause: RFC 8894 M7
#[test]
fn content_of_another_type_than_data_is_no_message() {
    let [data, signed] = [oid::DATA, oid::SIGNED_DATA].map(tlv::oid);
    let message = crafted().encode();
    // The first one is eContentType; the content type of the envelope comes later.
    let at = message.windows(data.len()).position(|window| window == data).unwrap();
    let typed = |crafted: Crafted| {
        let mut message = crafted.encode();
        message[at..at + signed.len()].copy_from_slice(&signed);
        let parsed = PkiMessage::parse(&message);
        parsed.is_ok_and(|message| message.verify(&Pretend, &AlgorithmPolicy::default()).is_ok())
    };
    assert!(!typed(crafted()));
    let agreed = crafted().without(oid::CONTENT_TYPE).with(oid::CONTENT_TYPE, &signed);
    assert!(!typed(agreed), "though the signed attribute says the same");
}
