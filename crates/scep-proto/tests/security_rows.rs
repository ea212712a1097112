//! What attackers of CMS and SCEP implementations have tried; each test is named after its row of the threat list.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::arithmetic_side_effects)]
#![allow(clippy::cast_possible_truncation, clippy::missing_panics_doc, reason = "tests")]
#![allow(missing_docs, dead_code, unreachable_pub, reason = "tests")]

mod parties;

use parties::*;
use pki_core::{Certificate, ContentKey, DecodeError, DigestAlgorithm, Name, Oid, oids, tlv};
use scep_proto::{
    AlgorithmPolicy, FailInfo, Legacy, MessageType, PkiMessage, RejectReason, Rejection, Request,
    RequestMessage, Tolerance, VerifiedMessage,
};

fn parsed(crafted: &Crafted) -> Result<PkiMessage, DecodeError> {
    PkiMessage::parse(&crafted.encode())
}

fn verified(crafted: &Crafted) -> Result<VerifiedMessage, Rejection> {
    parsed(crafted).unwrap().verify(&Pretend, &AlgorithmPolicy::default())
}

fn refused(crafted: &Crafted) -> RejectReason {
    verified(crafted).unwrap_err().reason().clone()
}

fn opened(crafted: &Crafted) -> Result<Request, Rejection> {
    let verified = verified(crafted)?;
    let sealed = verified.sealed_for(&ra())?;
    sealed.open(Pretend::unwrap(sealed.wrapped_key()), &Pretend, &Counting::default())
}

#[test]
fn the_crafted_message_is_sound() {
    assert_eq!(opened(&crafted()).unwrap().message, pkcs_req());
}

// clause: RFC 8894 M12
#[test]
fn row_02_an_unknown_message_type_reaches_no_handler() {
    for text in ["18", "0", "4", "99", "", "019", "19 ", "-19", "1"] {
        let crafted = crafted().without(oid::MESSAGE_TYPE).with(oid::MESSAGE_TYPE, &printable(text));
        assert_eq!(parsed(&crafted).unwrap().message_type(), None, "{text}");
        let rejection = verified(&crafted).unwrap_err();
        assert_eq!(rejection.reason(), &RejectReason::UnknownMessageType(text.into()));
        assert_eq!(rejection.fail_info(), FailInfo::BadRequest);
    }
    let reply = crafted().without(oid::MESSAGE_TYPE).with(oid::MESSAGE_TYPE, &printable("3"));
    assert_eq!(refused(&reply), RejectReason::NotARequest(MessageType::CertRep));
}

// clause: RFC 8894 M10, M12
#[test]
fn row_02_a_message_type_absent_or_twice_or_of_another_asn1_type_is_no_message() {
    let untyped = crafted().without(oid::MESSAGE_TYPE);
    assert!(parsed(&untyped).is_err());
    assert!(parsed(&crafted().with(oid::MESSAGE_TYPE, &printable("19"))).is_err());
    assert!(parsed(&crafted().with(oid::MESSAGE_TYPE, &printable("20"))).is_err());
    for value in [&[2, 1, 19][..], &[4, 2, b'1', b'9'], &[0x13, 2, b'1', b'9', 0x13, 2, b'1', b'9'], &[]] {
        assert!(parsed(&untyped.clone().with(oid::MESSAGE_TYPE, value)).is_err(), "{value:?}");
    }
}

// clause: RFC 8894 M2, M3
#[test]
fn row_17_old_algorithms_are_refused_unless_asked_for() {
    let bad_alg = |crafted: &Crafted, policy: &AlgorithmPolicy| {
        let rejection = parsed(crafted).unwrap().verify(&Pretend, policy).unwrap_err();
        assert!(matches!(rejection.reason(), RejectReason::AlgorithmNotAllowed { .. }), "{rejection}");
        assert_eq!(rejection.fail_info(), FailInfo::BadAlg);
    };
    let everything = AlgorithmPolicy::default()
        .with_legacy(Legacy::Sha1)
        .with_legacy(Legacy::TripleDes)
        .with_legacy(Legacy::SingleDesReplies)
        .with_legacy(Legacy::ShortRsaKeys);
    let md5 = Crafted { digest: DigestAlgorithm::Md5.oid(), ..crafted() };
    bad_alg(&md5, &everything);
    for cipher in
        [oid::DES_CBC, Oid::new_unwrap("1.2.840.113549.3.2"), Oid::new_unwrap("2.16.840.1.101.3.4.1.6")]
    {
        let envelope = CraftedEnvelope::sealing(&padded(b"x"));
        let crafted = Crafted::new(CraftedEnvelope { cipher, ..envelope }.encode());
        bad_alg(&crafted, &everything);
    }
    let triple_des = outgoing(&requester().with_cipher(scep_proto::ContentCipher::TripleDesCbc), &pkcs_req());
    let triple_des = PkiMessage::parse(&triple_des.message).unwrap();
    let refused = triple_des.verify(&Pretend, &AlgorithmPolicy::default()).unwrap_err();
    assert_eq!(refused.fail_info(), FailInfo::BadAlg);
    assert!(triple_des.verify(&Pretend, &everything).is_ok());

    let sha1 = DigestAlgorithm::Sha1;
    let digest = tlv::wrap(tlv::OCTET_STRING, &sha1.digest(&crafted().content).unwrap());
    let sha1 = Crafted { digest: sha1.oid(), ..crafted() };
    let sha1 = sha1.without(oid::MESSAGE_DIGEST).with(oid::MESSAGE_DIGEST, &digest);
    bad_alg(&sha1, &AlgorithmPolicy::default());
    assert!(parsed(&sha1).unwrap().verify(&Pretend, &everything).is_ok());
}

#[test]
fn row_19_multi_signer_confusion_is_no_message() {
    for signers in [0, 2, 3] {
        assert!(parsed(&Crafted { signers, ..crafted() }).is_err(), "{signers}");
    }
    let mut two_of_one_id = crafted();
    two_of_one_id.certificates.push(device().as_der().to_vec());
    assert!(parsed(&two_of_one_id).is_err());
    let without = Crafted { certificates: vec![ra().as_der().to_vec()], ..crafted() };
    assert!(parsed(&without).is_err());
    // Other certificates beside the signer's change nothing, wherever they stand.
    let beside = Crafted {
        certificates: vec![ra().as_der().to_vec(), vec![0x30, 0], device().as_der().to_vec()],
        ..crafted()
    };
    assert_eq!(parsed(&beside).unwrap().exchange().signer(), &device());
    assert!(opened(&beside).is_ok());
}

// clause: RFC 8894 M9, M10
#[test]
fn row_20_content_type_and_message_digest_are_each_there_once_and_right() {
    let digest = |octets: &[u8]| tlv::wrap(tlv::OCTET_STRING, octets);
    let right = digest(&DigestAlgorithm::Sha256.digest(&crafted().content).unwrap());
    for (crafted, name) in [
        (crafted().without(oid::MESSAGE_DIGEST), "messageDigest"),
        (crafted().with(oid::MESSAGE_DIGEST, &right), "messageDigest"),
        (
            crafted().without(oid::MESSAGE_DIGEST).with(oid::MESSAGE_DIGEST, &digest(&[0; 32])),
            "messageDigest",
        ),
        (crafted().without(oid::MESSAGE_DIGEST).with(oid::MESSAGE_DIGEST, &digest(&[])), "messageDigest"),
        (crafted().with(oid::CONTENT_TYPE, &tlv::oid(oid::DATA)), "contentType"),
        (
            crafted().without(oid::CONTENT_TYPE).with(oid::CONTENT_TYPE, &tlv::oid(oid::SIGNED_DATA)),
            "contentType",
        ),
        (Crafted { content: b"another content".to_vec(), ..crafted() }, "messageDigest"),
    ] {
        let rejection = verified(&crafted).unwrap_err();
        assert_eq!(rejection.reason(), &RejectReason::SignedAttribute(name));
        assert_eq!(rejection.fail_info(), FailInfo::BadMessageCheck);
    }
    let untyped = refused(&crafted().without(oid::CONTENT_TYPE));
    assert_eq!(untyped, RejectReason::NotTolerated(Tolerance::MissingContentType));
    assert!(parsed(&Crafted { attributes: vec![], ..crafted() }).is_err());
}

#[test]
fn row_20_the_signature_is_over_the_attributes_in_der_order_or_as_sent() {
    let mut reversed = crafted();
    reversed.attributes.sort();
    reversed.attributes.reverse();
    assert!(opened(&reversed).is_ok(), "signed in DER order, sent otherwise");
    let as_sent = tlv::wrap(tlv::SET, &reversed.attributes.concat());
    assert!(opened(&Crafted { signed: Some(as_sent), ..reversed.clone() }).is_ok(), "signed as sent");
    let mut third_order = reversed.clone();
    third_order.attributes.swap(0, 1);
    let third_order = tlv::wrap(tlv::SET, &third_order.attributes.concat());
    for signed in [third_order, crafted().content, vec![]] {
        let crafted = Crafted { signed: Some(signed), ..reversed.clone() };
        let rejection = verified(&crafted).unwrap_err();
        assert_eq!(rejection.reason(), &RejectReason::SignatureMismatch);
        assert_eq!(rejection.fail_info(), FailInfo::BadMessageCheck);
    }
}

#[test]
fn row_21_content_that_reads_as_signed_attributes_is_refused() {
    // Someone signed, without signed attributes, a content that is the DER of signed attributes; now it comes back with
    // that content as attributes. To rule it out, no content may read so, and attributes may never be absent.
    let content = crafted().sorted_attributes();
    let rejection = verified(&Crafted::new(content)).unwrap_err();
    assert_eq!(rejection.reason(), &RejectReason::AmbiguousContent);
    assert_eq!(rejection.fail_info(), FailInfo::BadMessageCheck);
    let plain = Crafted { attributes: vec![], signed: Some(crafted().content), ..crafted() };
    assert!(parsed(&plain).is_err());
}

// clause: RFC 8894 M9, M10
#[test]
fn row_22_scep_attributes_outside_the_signature_do_not_count() {
    for (id, value) in [
        (oid::MESSAGE_TYPE, printable("19")),
        (oid::TRANSACTION_ID, printable("transaction-1")),
        (oid::SENDER_NONCE, tlv::wrap(tlv::OCTET_STRING, &[7; 16])),
    ] {
        let mut moved = crafted().without(id);
        moved.unsigned_attributes.push(attribute(id, &value));
        assert!(parsed(&moved).is_err(), "{id}");
        let mut contradicted = crafted();
        contradicted.unsigned_attributes.push(attribute(id, &value));
        assert!(opened(&contradicted).is_ok(), "{id}");
    }
}

// clause: RFC 8894 M17
#[test]
fn row_23_every_failure_to_open_is_the_same_answer() {
    let csr = certification_request();
    let broken_padding = {
        let mut padded = padded(csr.as_der());
        let last = padded.len() - 1;
        padded[last] = 0xFF;
        padded
    };
    let key = |octets: &[u8]| Some(ContentKey::new(octets.to_vec()));
    let right = &CraftedEnvelope::KEY;
    let unproven = {
        let mut der = csr.as_der().to_vec();
        let last = der.len() - 1;
        der[last] ^= 1;
        der
    };
    let cases: [(&str, Vec<u8>, Option<ContentKey>); 10] = [
        ("a request that its key did not sign", padded(&unproven), key(right)),
        ("unwrapping failed", padded(csr.as_der()), None),
        ("a key of no octets", padded(csr.as_der()), key(b"")),
        ("a short key", padded(csr.as_der()), key(&right[1..])),
        ("a long key", padded(csr.as_der()), key(&[right, &[0][..]].concat())),
        ("another key", padded(csr.as_der()), key(&[0; 16])),
        ("bad content padding", broken_padding, key(right)),
        ("no request within", padded(b"not a request"), key(right)),
        ("a request with something behind it", padded(&[csr.as_der(), &[0]].concat()), key(right)),
        ("nothing within", padded(b""), key(right)),
    ];
    let mut answers = Vec::new();
    for (case, padded, key) in cases {
        let crafted = Crafted::new(CraftedEnvelope::sealing(&padded).encode());
        let verified = verified(&crafted).unwrap();
        let sealed = verified.sealed_for(&ra()).unwrap();
        let rejection = sealed.open(key, &Pretend, &Counting::default()).unwrap_err();
        assert_eq!(rejection.reason(), &RejectReason::Undecryptable, "{case}");
        assert_eq!(rejection.fail_info(), FailInfo::BadMessageCheck, "{case}");
        let (signer, info) = (reply_signer(), rejection.fail_info());
        let answer = rejection.exchange().failure(&signer, info, None, &Counting::default(), NOW).unwrap();
        answers.push((rejection.to_string(), signed(answer)));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1);
}

#[test]
fn row_23_without_randomness_nothing_is_opened() {
    let verified = verified(&crafted()).unwrap();
    for key in [Some(ContentKey::new(CraftedEnvelope::KEY.to_vec())), None] {
        let sealed = verified.sealed_for(&ra()).unwrap();
        let rejection = sealed.open(key, &Pretend, &Exhausted).unwrap_err();
        assert_eq!(rejection.reason(), &RejectReason::NoRandomness);
    }
}

#[test]
fn row_24_the_one_recipient_is_the_ra() {
    let sound = CraftedEnvelope::sealing(&padded(certification_request().as_der()));
    let to =
        |recipients: Vec<Vec<u8>>| Crafted::new(CraftedEnvelope { recipients, ..sound.clone() }.encode());
    let ktri = |id: &[u8]| recipient(id, oid::RSA_ENCRYPTION);
    let mine = ktri(&issuer_and_serial(&ra()));
    let other = ktri(&issuer_and_serial(&device()));
    for recipients in [
        vec![],
        vec![mine.clone(), other.clone()],
        vec![other.clone(), mine.clone()],
        vec![mine.clone(); 2],
        vec![other],
    ] {
        let rejection = opened(&to(recipients)).unwrap_err();
        assert_eq!(rejection.reason(), &RejectReason::NotForRecipient);
        assert_eq!(rejection.fail_info(), FailInfo::BadMessageCheck);
    }
    let agreement = tlv::wrap(0xA1, &[2, 1, 0]);
    let rejection = opened(&to(vec![agreement])).unwrap_err();
    assert_eq!(rejection.fail_info(), FailInfo::BadAlg);
    let broken_password = tlv::wrap(0xA3, &[2, 1, 0]);
    let rejection = verified(&to(vec![broken_password])).unwrap_err();
    assert_eq!(rejection.fail_info(), FailInfo::BadMessageCheck);
    let pss = recipient(&issuer_and_serial(&ra()), Oid::new_unwrap("1.2.840.113549.1.1.10"));
    assert_eq!(verified(&to(vec![pss])).unwrap_err().fail_info(), FailInfo::BadAlg);
    assert!(verified(&to(vec![mine; 11])).is_err());

    // By key identifier, and by an issuer that the device wrote down in another string type.
    let identifier = tlv::wrap(0x80, &ra().public_key().key_identifier());
    assert!(opened(&to(vec![ktri(&identifier)])).is_ok());
    let common_name = tlv::sequence([&*tlv::oid(oids::COMMON_NAME), &printable("example RA")]);
    let issuer = Name::from_der(&tlv::wrap(tlv::SEQUENCE, &tlv::wrap(tlv::SET, &common_name))).unwrap();
    let serial = tlv::wrap(tlv::INTEGER, ra().serial_octets());
    assert!(opened(&to(vec![ktri(&tlv::sequence([issuer.as_der(), &serial]))])).is_ok());
    let serial = tlv::wrap(tlv::INTEGER, &[1]);
    let id = tlv::sequence([ra().issuer().as_der(), &serial]);
    assert!(opened(&to(vec![ktri(&id)])).is_err());
}

#[test]
fn row_25_the_padding_of_the_content_is_no_oracle() {
    let plaintext = padded(certification_request().as_der());
    let sound = CraftedEnvelope::sealing(&plaintext);
    let before_last = sound.ciphertext.len() - 32;
    let mut outcomes = std::collections::BTreeMap::new();
    for at in 0..16 {
        for value in 0..=255 {
            let mut envelope = sound.clone();
            envelope.ciphertext[before_last + at] = value;
            let changed = envelope.ciphertext != sound.ciphertext;
            let outcome = opened(&Crafted::new(envelope.encode())).map_err(|rejection| rejection.to_string());
            *outcomes.entry((changed, outcome.is_ok(), outcome.err())).or_insert(0) += 1;
        }
    }
    assert_eq!(outcomes.len(), 2, "{outcomes:?}");
    assert_eq!(outcomes.get(&(false, true, None)), Some(&16));
}

// clause: RFC 8894 M8, M17, M18
#[test]
fn row_25_a_recorded_envelope_under_another_message_type_is_no_oracle() {
    // A poll whose subject swallows what is not known: it would parse whenever the padding is right.
    let name = Name::of_common_name("0123456789");
    let poll = RequestMessage::CertPoll { issuer: ra().issuer().clone(), subject: name };
    let garbage = CraftedEnvelope::sealing(&[0x11; 64]).encode();
    let serial = pki_core::SerialNumber::from_be_bytes(&[7]).unwrap();
    let typed = |text: &str, content: Vec<u8>| {
        Crafted::new(content).without(oid::MESSAGE_TYPE).with(oid::MESSAGE_TYPE, &printable(text))
    };
    let asked = |issuer: &Name| {
        let serial = tlv::wrap(tlv::INTEGER, serial.as_be_bytes());
        CraftedEnvelope::sealing(&padded(&tlv::sequence([issuer.as_der(), &serial]))).encode()
    };
    let sent = outgoing(&requester(), &poll);
    let sent = PkiMessage::parse(&sent.message).unwrap();
    let sent = sent.verify(&Pretend, &AlgorithmPolicy::default()).unwrap();
    let sealed = sent.sealed_for(&ra()).unwrap();
    let understood = sealed.open(None, &Pretend, &Counting::default()).unwrap().message;
    assert_eq!(opened(&typed("20", garbage.clone())).unwrap().message, understood);

    let other = Name::of_common_name("Another CA");
    for (text, content) in
        [("21", &garbage), ("22", &garbage), ("21", &asked(&other)), ("22", &asked(&other))]
    {
        let rejection = opened(&typed(text, content.clone())).unwrap_err();
        assert_eq!(rejection.reason(), &RejectReason::Undecryptable);
    }
    let issuer = ra().issuer().clone();
    let get_cert = opened(&typed("21", asked(&issuer))).unwrap().message;
    assert_eq!(get_cert, RequestMessage::GetCert { issuer, serial });
}

#[test]
fn row_25_content_that_is_not_whole_blocks_is_refused_before_any_key_is_used() {
    let sound = CraftedEnvelope::sealing(&padded(b"x"));
    for (iv, ciphertext) in [(16, 0), (16, 15), (16, 17), (0, 16), (8, 16), (17, 16)] {
        let envelope = CraftedEnvelope { iv: vec![0; iv], ciphertext: vec![0; ciphertext], ..sound.clone() };
        let rejection = verified(&Crafted::new(envelope.encode())).unwrap_err();
        assert!(matches!(rejection.reason(), RejectReason::Envelope(_)), "{iv} {ciphertext}");
        assert_eq!(rejection.fail_info(), FailInfo::BadMessageCheck);
    }
    for content in [&b""[..], b"\x04\x01\x00", b"\x30\x00", b"junk"] {
        let rejection = verified(&Crafted::new(content.to_vec())).unwrap_err();
        assert!(matches!(rejection.reason(), RejectReason::Envelope(_)));
    }
}

#[test]
fn row_34_emptied_elements_are_errors_and_no_panics() {
    let message = crafted().encode();
    let whole = tlv::Cursor::over(&message, "the message").unwrap().next().unwrap();
    let mut emptied = 0;
    for variant in variants(whole) {
        emptied += 1;
        if let Ok(message) = PkiMessage::parse(&variant) {
            let _ = message.verify(&Pretend, &AlgorithmPolicy::default());
        }
    }
    assert!(emptied > 50, "{emptied}");
}

/// The element with each one within it emptied in turn, and itself.
fn variants(element: tlv::Tlv<'_>) -> Vec<Vec<u8>> {
    let mut out = vec![tlv::wrap(element.tag, &[])];
    if element.tag & 0x20 == 0 {
        return out;
    }
    let mut children = Vec::new();
    let mut cursor = tlv::Cursor::over(element.value, "elements").unwrap();
    while !cursor.is_empty() {
        children.push(cursor.next().unwrap());
    }
    for (at, child) in children.iter().enumerate() {
        for variant in variants(*child) {
            let parts: Vec<&[u8]> = children.iter().map(|child| child.bytes).collect();
            let content = [&parts[..at].concat(), &variant[..], &parts[at + 1..].concat()].concat();
            out.push(tlv::wrap(element.tag, &content));
        }
    }
    out
}

#[test]
fn row_35_certificates_to_build_paths_from_are_few() {
    let mut many = crafted();
    many.certificates.extend((0..9).map(|n| certificate("other", &rsa_key(n)).as_der().to_vec()));
    assert!(parsed(&many).is_ok());
    many.certificates.push(ra().as_der().to_vec());
    assert!(parsed(&many).is_err());
}

#[test]
fn row_36_a_time_that_is_no_text_is_an_error() {
    let mut der = device().as_der().to_vec();
    let at = der.windows(2).position(|header| header == [0x17, 13]).unwrap();
    der[at + 4] = 0xFF;
    assert!(parsed(&Crafted { certificates: vec![der], ..crafted() }).is_err());
}

// clause: RFC 8894 M6
#[test]
fn a_signer_that_cannot_read_the_reply_is_refused_before_anything_is_issued() {
    let signer = certificate("laptop-1", &ec_key());
    let crafted = Crafted { certificates: vec![signer.as_der().to_vec()], signer, ..crafted() };
    let rejection = opened(&crafted).unwrap_err();
    assert!(matches!(rejection.reason(), RejectReason::SignerCannotDecrypt(_)));
    assert_eq!(rejection.fail_info(), FailInfo::BadAlg);
}

#[test]
fn nonces_and_transaction_ids_have_limits() {
    let nonce = |length| {
        let value = tlv::wrap(tlv::OCTET_STRING, &vec![7; length]);
        parsed(&crafted().without(oid::SENDER_NONCE).with(oid::SENDER_NONCE, &value)).is_ok()
    };
    assert_eq!([0, 7, 8, 16, 64, 65].map(nonce), [false, false, true, true, true, false]);
    let id = |value: &[u8]| {
        parsed(&crafted().without(oid::TRANSACTION_ID).with(oid::TRANSACTION_ID, value)).is_ok()
    };
    assert!(id(&tlv::wrap(0x0C, "ü".as_bytes())) && id(&printable(&"x".repeat(256))));
    assert!(!id(&printable("")) && !id(&printable(&"x".repeat(257))) && !id(&[2, 1, 1]));
    let many =
        (0..28).fold(crafted(), |crafted, n| crafted.with(Oid::from_content(&[0x2A, n]).unwrap(), &[5, 0]));
    assert!(parsed(&many).is_err(), "33 attributes");
}

// clause: RFC 8894 M11
#[test]
fn the_transaction_id_is_echoed_in_the_string_type_it_came_in() {
    let utf8 = tlv::wrap(0x0C, "Gerät_1".as_bytes());
    let crafted = crafted().without(oid::TRANSACTION_ID).with(oid::TRANSACTION_ID, &utf8);
    let message = parsed(&crafted).unwrap();
    let reply = message.exchange().pending(&reply_signer(), &Counting::default(), NOW).unwrap();
    assert!(reply.tbs().windows(utf8.len()).any(|window| window == utf8));
    assert!(reply.tbs().windows(18).any(|window| window == tlv::wrap(tlv::OCTET_STRING, &[7; 16])));
}

#[test]
fn a_certificate_that_rfc_5280_forbids_still_signs() {
    // sscep: a serial number of 32 octets, the last of them zero. Windows: a critical authorityKeyIdentifier.
    let der = device();
    let mut fields = tlv::Cursor::into(der.tbs(), tlv::SEQUENCE, "a TBSCertificate").unwrap();
    let mut parts = Vec::new();
    while !fields.is_empty() {
        parts.push(fields.next().unwrap().bytes.to_vec());
    }
    parts[1] = tlv::wrap(tlv::INTEGER, &[&[0x37; 31][..], &[0]].concat());
    let identifier = pki_core::Extension::new(oids::AUTHORITY_KEY_IDENTIFIER, vec![0x30, 2, 0x80, 0]);
    parts[7] = tlv::wrap(0xA3, &tlv::wrap(tlv::SEQUENCE, &identifier.critical().to_der()));
    let tbs = tlv::wrap(tlv::SEQUENCE, &parts.concat());
    let algorithm = pki_core::SignatureAlgorithm::RsaPkcs1Sha256.to_der();
    let signer =
        Certificate::from_der(&tlv::sequence([&*tbs, &algorithm, &tlv::wrap(tlv::BIT_STRING, &[0, 1])]))
            .unwrap();
    let crafted = Crafted { certificates: vec![signer.as_der().to_vec()], signer, ..crafted() };
    let RequestMessage::PkcsReq(request) = opened(&crafted).unwrap().message else { panic!() };
    assert_eq!(request, certification_request());
}
