//! Each tolerance: a message that needs it and nothing else is read where it is granted, and refused where it is not.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::arithmetic_side_effects)]
#![allow(clippy::cast_possible_truncation, clippy::missing_panics_doc, reason = "tests")]
#![allow(missing_docs, dead_code, unreachable_pub, reason = "tests")]

mod parties;

use base64ct::{Base64, Encoding as _};
use parties::*;
use pki_core::{Certificate, Extension, Name, Oid, SignatureAlgorithm, oids, tlv};
use scep_proto::{
    AlgorithmPolicy, AwaitedReply, CertRep, Exchange, FailInfo, Method, Operation, PkiMessage, RejectReason,
    ReplyError, Tolerance, Tolerances, TransportError,
};

const SHA256_WITH_RSA: Oid = Oid::new_unwrap("1.2.840.113549.1.1.11");

/// Something that arrives.
enum Sent {
    Http(Method, String),
    Request(Crafted),
    Reply(AwaitedReply, Vec<u8>),
}

/// A sound request in DER order that needs nothing.
fn proper(content: Vec<u8>) -> Crafted {
    let mut crafted = Crafted { algorithm: SHA256_WITH_RSA, ..Crafted::new(content) };
    crafted.attributes.sort();
    crafted
}

fn around(csr: &[u8]) -> Crafted {
    proper(CraftedEnvelope::sealing(&padded(csr)).encode())
}

fn proper_request() -> Crafted {
    around(certification_request().as_der())
}

fn with(id: Oid, value: &[u8]) -> Sent {
    let mut crafted = proper_request().without(id).with(id, value);
    crafted.attributes.sort();
    Sent::Request(crafted)
}

/// A PKCS #10 request that the device signs, of this version and these attributes.
fn csr(version: u8, attributes: Option<&[u8]>) -> Vec<u8> {
    let key = rsa_key(0x44);
    let attributes = attributes.map(|content| tlv::wrap(0xA0, content)).unwrap_or_default();
    let name = Name::of_common_name("laptop-1");
    let info = tlv::sequence([&[2, 1, version][..], name.as_der(), key.as_der(), &attributes]);
    let signature = [&[0], &*Pretend::sign(&key, &info)].concat();
    tlv::sequence([
        &*info,
        &SignatureAlgorithm::RsaPkcs1Sha256.to_der(),
        &tlv::wrap(tlv::BIT_STRING, &signature),
    ])
}

/// The certificate of the device, with another serial number or more extensions.
fn signer(serial: &[u8], extension: Option<&Extension>) -> Certificate {
    let device = device();
    let mut fields = tlv::Cursor::into(device.tbs(), tlv::SEQUENCE, "a TBSCertificate").unwrap();
    let mut parts = Vec::new();
    while !fields.is_empty() {
        parts.push(fields.next().unwrap().bytes.to_vec());
    }
    parts[1] = tlv::wrap(tlv::INTEGER, serial);
    if let Some(extension) = extension {
        parts[7] = tlv::wrap(0xA3, &tlv::wrap(tlv::SEQUENCE, &extension.to_der()));
    }
    let tbs = tlv::wrap(tlv::SEQUENCE, &parts.concat());
    let algorithm = SignatureAlgorithm::RsaPkcs1Sha256.to_der();
    let bits = tlv::wrap(tlv::BIT_STRING, &[0, 1]);
    Certificate::from_der(&tlv::sequence([&*tbs, &algorithm, &bits])).unwrap()
}

fn signed_by(signer: Certificate) -> Sent {
    Sent::Request(Crafted { certificates: vec![signer.as_der().to_vec()], signer, ..proper_request() })
}

/// Octets whose base64 has both characters that differ between the alphabets, and padding.
const OCTETS: [u8; 49] = [0xFB; 49];

fn get(message: &str) -> Sent {
    Sent::Http(Method::Get, format!("operation=PKIOperation&message={message}"))
}

fn reply(status: &str, nonce: Option<&[u8]>, content: &[u8]) -> Sent {
    let awaited = AwaitedReply::from(exchange());
    let mut crafted = proper(content.to_vec())
        .without(oid::MESSAGE_TYPE)
        .with(oid::MESSAGE_TYPE, &printable("3"))
        .with(Oid::new_unwrap("2.16.840.1.113733.1.9.3"), &printable(status))
        .with(Oid::new_unwrap("2.16.840.1.113733.1.9.6"), &tlv::wrap(tlv::OCTET_STRING, &[7; 16]))
        .without(oid::SENDER_NONCE);
    if let Some(nonce) = nonce {
        crafted = crafted.with(oid::SENDER_NONCE, &tlv::wrap(tlv::OCTET_STRING, nonce));
    }
    if status == "2" {
        crafted = crafted.with(Oid::new_unwrap("2.16.840.1.113733.1.9.4"), &printable("2"));
    }
    crafted.attributes.sort();
    crafted.certificates = vec![ra().as_der().to_vec()];
    Sent::Reply(awaited, Crafted { signer: ra(), ..crafted }.encode())
}

fn exchange() -> &'static Exchange {
    static EXCHANGE: std::sync::OnceLock<Exchange> = std::sync::OnceLock::new();
    EXCHANGE.get_or_init(|| PkiMessage::parse(&proper_request().encode()).unwrap().exchange().clone())
}

/// What the clients and servers named in the documentation of each send, and nothing besides.
fn needing(tolerance: Tolerance) -> Sent {
    let base64 = Base64::encode_string(&OCTETS);
    let escaped = base64.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
    let id = |tag: u8, text: &str| with(oid::TRANSACTION_ID, &tlv::wrap(tag, text.as_bytes()));
    let challenge = |tag: u8, octets: &[u8]| {
        let attribute = attribute(oids::CHALLENGE_PASSWORD, &tlv::wrap(tag, octets));
        Sent::Request(around(&csr(0, Some(&attribute))))
    };
    match tolerance {
        Tolerance::GetRawPlus => get(&escaped.replace("%2B", "+")),
        Tolerance::GetUrlAlphabet => get(&escaped.replace("%2B", "-").replace("%2F", "_")),
        Tolerance::GetLineBreaks => get(&(escaped + "%0A")),
        Tolerance::GetMissingPadding => get(&escaped.replace("%3D", "")),
        Tolerance::PostWithoutOperation => Sent::Http(Method::Post, String::new()),
        Tolerance::OperationCase => Sent::Http(Method::Get, "operation=getcacaps".into()),
        Tolerance::Ber => {
            let content = proper_request();
            let envelope = indefinite(&content.content);
            let mut crafted = proper(envelope);
            crafted.attributes.sort();
            Sent::Request(crafted)
        }
        Tolerance::NonceLength => with(oid::SENDER_NONCE, &tlv::wrap(tlv::OCTET_STRING, &[7; 8])),
        Tolerance::UnsortedAttributes => {
            let mut crafted = proper_request();
            crafted.attributes.reverse();
            let signed = Some(tlv::wrap(tlv::SET, &crafted.attributes.concat()));
            Sent::Request(Crafted { signed, ..crafted })
        }
        Tolerance::MissingContentType => Sent::Request(proper_request().without(oid::CONTENT_TYPE)),
        Tolerance::AttributeStringType => with(oid::MESSAGE_TYPE, &tlv::wrap(0x0C, b"19")),
        Tolerance::TransactionIdStringType => id(0x0C, "transaction-1"),
        Tolerance::TransactionIdCharacters => id(0x13, "SSCEP_transactionId"),
        Tolerance::Md5TransactionId => id(0x13, "9D4C8B1E5D6A0F3B7C2E4A6D8F0B1C3E"),
        Tolerance::RsaEncryptionSignature => {
            Sent::Request(Crafted { algorithm: oid::RSA_ENCRYPTION, ..proper_request() })
        }
        Tolerance::CriticalAuthorityKeyIdentifier => {
            let value = tlv::wrap(tlv::SEQUENCE, &tlv::wrap(0x80, &[0x18; 20]));
            let extension = Extension::new(oids::AUTHORITY_KEY_IDENTIFIER, value).critical();
            signed_by(signer(&[7], Some(&extension)))
        }
        Tolerance::SignerSerialNumber => signed_by(signer(&[0x37; 32], None)),
        Tolerance::ReEncodedIssuer => {
            let common_name = tlv::sequence([&*tlv::oid(oids::COMMON_NAME), &printable("Example RA")]);
            let issuer = tlv::wrap(tlv::SEQUENCE, &tlv::wrap(tlv::SET, &common_name));
            let id = tlv::sequence([&*issuer, &tlv::wrap(tlv::INTEGER, ra().serial_octets())]);
            let envelope = CraftedEnvelope::sealing(&padded(certification_request().as_der()));
            let recipients = vec![recipient(&id, oid::RSA_ENCRYPTION)];
            Sent::Request(proper(CraftedEnvelope { recipients, ..envelope }.encode()))
        }
        Tolerance::RequestVersion => Sent::Request(around(&csr(2, Some(b"")))),
        Tolerance::RequestWithoutAttributes => Sent::Request(around(&csr(0, None))),
        Tolerance::LegacyExtensionRequest => {
            let legacy = Oid::new_unwrap("2.16.840.1.113733.1.9.8");
            Sent::Request(around(&csr(0, Some(&attribute(legacy, &[0x30, 0])))))
        }
        Tolerance::ChallengeStringType => challenge(0x1E, b"\0s\0e\0c\0r\0e\0t"),
        Tolerance::ReplyContent => reply("2", Some(&[8; 16]), &[4, 1, 0]),
        Tolerance::ReplyNonce => reply("3", Some(&[7; 16]), b""),
    }
}

/// The outermost element with an indefinite length.
fn indefinite(der: &[u8]) -> Vec<u8> {
    let element = tlv::Cursor::over(der, "an element").unwrap().next().unwrap();
    [&[element.tag, 0x80], element.value, &[0, 0]].concat()
}

/// What `sent` needs where `granted` are; or the one for which it was refused.
fn judged(sent: &Sent, granted: Tolerances) -> Result<Tolerances, Tolerance> {
    match sent {
        Sent::Http(method, query) => {
            let parsed = Operation::parse_with(*method, Some(query.as_bytes()), b"x", granted);
            match parsed {
                Ok((_, needed)) => Ok(needed),
                Err(TransportError::NotTolerated(tolerance)) => Err(tolerance),
                Err(other) => panic!("{query}: {other}"),
            }
        }
        Sent::Request(crafted) => opened(&crafted.encode(), granted),
        Sent::Reply(awaited, reply) => {
            let (policy, mut needed) = (AlgorithmPolicy::default().tolerating(granted), Tolerances::NONE);
            match awaited.read_noting(reply, &[ra()], &Pretend, &policy, &mut needed) {
                Ok(CertRep::Pending | CertRep::Failure { .. }) => Ok(needed),
                Err(ReplyError::NotTolerated(tolerance)) => Err(tolerance),
                other => panic!("{other:?}"),
            }
        }
    }
}

fn opened(message: &[u8], granted: Tolerances) -> Result<Tolerances, Tolerance> {
    let message = PkiMessage::parse(message).unwrap();
    let policy = AlgorithmPolicy::default().tolerating(granted);
    let opened = message.verify(&Pretend, &policy).and_then(|verified| {
        let sealed = verified.sealed_for(&ra())?;
        sealed.open(Pretend::unwrap(sealed.wrapped_key()), &Pretend, &Counting::default())
    });
    match opened {
        Ok(request) => Ok(request.exchange.tolerated()),
        Err(rejection) => {
            let RejectReason::NotTolerated(tolerance) = *rejection.reason() else { panic!("{rejection}") };
            assert_eq!(rejection.reason().code(), "not-tolerated");
            let about_the_signature =
                matches!(tolerance, Tolerance::MissingContentType | Tolerance::UnsortedAttributes);
            let told = if about_the_signature { FailInfo::BadMessageCheck } else { FailInfo::BadRequest };
            assert_eq!(rejection.fail_info(), told, "{tolerance}");
            Err(tolerance)
        }
    }
}

// clause: RFC 8894 M10, M11, M16, S16, S18, C13
#[test]
fn each_is_needed_reported_and_refused_when_switched_off() {
    for tolerance in Tolerance::all() {
        let sent = needing(tolerance);
        let granted = Tolerances::from(tolerance);
        assert_eq!(judged(&sent, granted), Ok(granted), "{tolerance}: granted alone");
        assert_eq!(judged(&sent, Tolerances::all()), Ok(granted), "{tolerance}: nothing besides");
        let without = Tolerances::all().without(tolerance);
        assert_eq!(judged(&sent, without), Err(tolerance), "{tolerance}: switched off");
        let by_default = judged(&sent, Tolerances::default());
        assert_eq!(by_default.is_ok(), tolerance.is_default(), "{tolerance}: by default");
    }
}

#[test]
fn what_keeps_to_the_rfc_needs_none() {
    for sent in [
        Sent::Request(proper_request()),
        get("%2BAAA"),
        get("AAAA"),
        get("AA%3D%3D"),
        get("AAA="),
        Sent::Http(Method::Get, "operation=GetCACert&message=anything".into()),
        Sent::Http(Method::Post, "operation=PKIOperation".into()),
        reply("2", Some(&[8; 16]), b""),
        reply("3", Some(&[8; 16]), b""),
    ] {
        assert_eq!(judged(&sent, Tolerances::NONE), Ok(Tolerances::NONE));
    }
}

#[test]
fn several_at_once_are_all_reported() {
    let spelled = get("-_%0A+AAA");
    let needed = judged(&spelled, Tolerances::default()).unwrap();
    let expected = [
        Tolerance::GetUrlAlphabet,
        Tolerance::GetLineBreaks,
        Tolerance::GetRawPlus,
        Tolerance::GetMissingPadding,
    ];
    assert_eq!(needed, expected.into_iter().collect());
    let outer = indefinite(
        &proper_request()
            .without(oid::SENDER_NONCE)
            .with(oid::SENDER_NONCE, &tlv::wrap(tlv::OCTET_STRING, &[1; 8]))
            .encode(),
    );
    let needed = opened(&outer, Tolerances::default()).unwrap();
    let expected = [Tolerance::Ber, Tolerance::NonceLength, Tolerance::UnsortedAttributes];
    assert_eq!(needed, expected.into_iter().collect());
}

#[test]
fn every_string_type_of_a_challenge_is_read() {
    for (tag, octets, usual) in [
        (0x0C, "Zoë".as_bytes(), true),
        (0x13, b"Zoe", true),
        (0x14, b"Zo\xEB", false),
        (0x16, b"Zoe", false),
        (0x1C, b"\0\0\0Z\0\0\0o\0\0\0\xEB", false),
        (0x1E, b"\0Z\0o\0\xEB", false),
    ] {
        let attribute = attribute(oids::CHALLENGE_PASSWORD, &tlv::wrap(tag, octets));
        let csr = csr(0, Some(&attribute));
        pki_core::CertificationRequest::from_der(&csr).unwrap_or_else(|error| panic!("{tag:#x} {error}"));
        let sent = Sent::Request(around(&csr));
        let needed = judged(&sent, Tolerances::all()).unwrap();
        assert_eq!(needed.is_empty(), usual, "{tag:#x}");
    }
}

/// Even where it is tolerated, the attribute is not wrong or twice.
#[test]
fn a_content_type_that_is_there_is_right() {
    let granting = AlgorithmPolicy::default().tolerating(Tolerances::all());
    for crafted in [
        proper_request().with(oid::CONTENT_TYPE, &tlv::oid(oid::DATA)),
        proper_request().without(oid::CONTENT_TYPE).with(oid::CONTENT_TYPE, &tlv::oid(oid::SIGNED_DATA)),
        proper_request().without(oid::CONTENT_TYPE).with(oid::CONTENT_TYPE, &[5, 0]),
    ] {
        let rejection =
            PkiMessage::parse(&crafted.encode()).unwrap().verify(&Pretend, &granting).unwrap_err();
        assert_eq!(rejection.reason(), &RejectReason::SignedAttribute("contentType"));
    }
}
