//! What one side makes, the other side reads.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::arithmetic_side_effects)]
#![allow(clippy::cast_possible_truncation, clippy::missing_panics_doc, reason = "tests")]
#![allow(missing_docs, dead_code, unreachable_pub, reason = "tests")]

mod parties;

use parties::*;
use pki_core::{Certificate, DigestAlgorithm, KeyTransport, SerialNumber, SignatureAlgorithm};
use proptest::prelude::*;
use scep_proto::{
    AlgorithmPolicy, AwaitedReply, CertRep, ContentCipher, EmptyContent, EncodeError, Exchange, FailInfo,
    Issued, Legacy, PkiMessage, ReplyError, ReplySigner, Request, RequestMessage, Requester, TransactionId,
};

fn everything() -> AlgorithmPolicy {
    AlgorithmPolicy::default().with_legacy(Legacy::Sha1).with_legacy(Legacy::TripleDes)
}

fn received(message: &[u8]) -> Request {
    let message = PkiMessage::parse(message).unwrap();
    let verified = message.verify(&Pretend, &everything()).unwrap();
    let sealed = verified.sealed_for(&ra()).unwrap();
    sealed.open(Pretend::unwrap(sealed.wrapped_key()), &Pretend, &Counting::default()).unwrap()
}

fn read(awaited: &AwaitedReply, reply: &[u8]) -> Result<CertRep, ReplyError> {
    awaited.read(reply, &[ra()], &Pretend, &everything())
}

fn issued(awaited: &AwaitedReply, reply: &[u8]) -> Issued {
    let CertRep::Success(sealed) = read(awaited, reply).unwrap() else { panic!("no SUCCESS") };
    sealed.open(&Pretend::unwrap(sealed.wrapped_key()).unwrap()).unwrap()
}

fn exchange() -> (AwaitedReply, Exchange) {
    let outgoing = outgoing(&requester(), &pkcs_req());
    (outgoing.awaited, received(&outgoing.message).exchange)
}

fn serial() -> impl Strategy<Value = SerialNumber> {
    prop::collection::vec(1..=0x7F_u8, 1..=20)
        .prop_map(|octets| SerialNumber::from_be_bytes(&octets).unwrap())
}

fn message() -> impl Strategy<Value = RequestMessage> {
    prop_oneof![
        Just(pkcs_req()),
        Just(RequestMessage::RenewalReq(certification_request())),
        Just(RequestMessage::CertPoll { issuer: ra().issuer().clone(), subject: device().subject().clone() }),
        serial().prop_map(|serial| RequestMessage::GetCert { issuer: ra().issuer().clone(), serial }),
        serial().prop_map(|serial| RequestMessage::GetCrl { issuer: ra().issuer().clone(), serial }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    // clause: RFC 8894 M5, M10, M11, M17, M18, M24, M25, C5
    #[test]
    fn requests_read_back(
        message in message(),
        cipher in prop::sample::select(&ALL_CIPHERS[..]),
        oaep in prop::option::of(prop::sample::select(&[DigestAlgorithm::Sha1, DigestAlgorithm::Sha256][..])),
        transaction in "[A-Za-z0-9+/=]{1,256}",
    ) {
        let transport = oaep.map_or(KeyTransport::RsaPkcs1, KeyTransport::RsaOaep);
        let requester = requester().with_cipher(cipher).with_key_transport(transport);
        let transaction = TransactionId::new(&transaction).unwrap();
        let unsigned = requester.prepare(&message, &transaction, &Pretend, &Counting::default(), NOW).unwrap();
        let signature = Pretend::sign(device().public_key(), unsigned.tbs());
        let request = received(&unsigned.finish(&signature).message);
        prop_assert_eq!(&request.message, &message);
        let proven = match &message {
            RequestMessage::PkcsReq(csr) | RequestMessage::RenewalReq(csr) => Some(csr),
            _ => None,
        };
        prop_assert_eq!(request.verified_request().map(|csr| &**csr), proven);
        prop_assert_eq!(request.exchange.transaction_id(), &transaction);
        prop_assert_eq!(request.exchange.signer(), &device());
        prop_assert_eq!(request.exchange.sender_nonce().len(), 16);
        prop_assert_eq!(request.exchange.cipher(), cipher);
        prop_assert_eq!(request.exchange.key_transport(), transport);
    }

    // clause: RFC 8894 M20, M21, M22
    #[test]
    fn replies_read_back(
        cipher in prop::sample::select(&ALL_CIPHERS[..]),
        count in 1..=10_u8,
        text in prop::option::of("\\PC{0,40}"),
    ) {
        let outgoing = outgoing(&requester().with_cipher(cipher), &pkcs_req());
        let exchange = received(&outgoing.message).exchange;
        let (signer, random) = (reply_signer(), Counting::default());
        let sent: Vec<Certificate> = (0..count).map(|n| certificate(&format!("device {n}"), &rsa_key(n))).collect();

        let reply = exchange.success(&sent, &signer, &Pretend, &random, NOW).unwrap();
        prop_assert_eq!(issued(&outgoing.awaited, &signed(reply)).certificates, sent);

        let failure = exchange.failure(&signer, FailInfo::BadCertId, text.as_deref(), &random, NOW).unwrap();
        match read(&outgoing.awaited, &signed(failure)).unwrap() {
            CertRep::Failure { fail_info, text: told } => {
                prop_assert_eq!(fail_info, FailInfo::BadCertId);
                prop_assert_eq!(told, text);
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }

    #[test]
    fn any_octets_get_an_answer(octets in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = PkiMessage::parse(&octets);
        let _ = read(&exchange().0, &octets);
        let _ = scep_proto::ca_certificates::parse(&octets);
    }

    /// One octet changed anywhere is noticed, or changes nothing that anybody acts on.
    #[test]
    fn a_changed_message_is_never_another_message(at in any::<prop::sample::Index>(), bit in 0..8_u32) {
        let outgoing = outgoing(&requester(), &pkcs_req());
        let mut changed = outgoing.message.clone();
        changed[at.index(outgoing.message.len())] ^= 1 << bit;
        let Ok(message) = PkiMessage::parse(&changed) else { return Ok(()) };
        let Ok(verified) = message.verify(&Pretend, &everything()) else { return Ok(()) };
        let Ok(sealed) = verified.sealed_for(&ra()) else { return Ok(()) };
        let key = Pretend::unwrap(sealed.wrapped_key());
        if let Ok(request) = sealed.open(key, &Pretend, &Counting::default()) {
            prop_assert_eq!(request.message, pkcs_req());
            prop_assert_eq!(request.exchange.transaction_id().as_bytes(), b"transaction-1");
        }
    }
}

// clause: RFC 8894 M21
#[test]
fn the_issued_certificate_comes_first_whatever_der_would_sort() {
    let (awaited, exchange) = exchange();
    let mut certificates = [certificate("z", &rsa_key(1)), certificate("a", &rsa_key(2))];
    for _ in 0..2 {
        let reply =
            exchange.success(&certificates, &reply_signer(), &Pretend, &Counting::default(), NOW).unwrap();
        assert_eq!(issued(&awaited, &signed(reply)).certificates, certificates);
        certificates.reverse();
    }
    let issued = Issued::default();
    assert_eq!(issued.certificate_for(&rsa_key(1)), None);
}

// clause: RFC 8894 M21, M26
#[test]
fn a_crl_is_delivered() {
    let (awaited, exchange) = exchange();
    let crl = [0x30, 3, 2, 1, 7];
    let reply =
        exchange.success_with_crl(&crl, &reply_signer(), &Pretend, &Counting::default(), NOW).unwrap();
    let issued = issued(&awaited, &signed(reply));
    assert_eq!((issued.crls, issued.certificates), (vec![crl.to_vec()], vec![]));
}

// clause: RFC 8894 M4, M22, M23
#[test]
fn pending_and_failure_have_an_empty_content_that_can_be_left_out() {
    let (awaited, exchange) = exchange();
    // encapContentInfo of id-data, with an empty OCTET STRING and without.
    let oid = [0x06, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 7, 1];
    let empty = [&[0x30, 15][..], &oid, &[0xA0, 2, 0x04, 0]].concat();
    let omitted = [&[0x30, 11][..], &oid].concat();
    for (form, expected) in [(EmptyContent::OctetString, &empty), (EmptyContent::Omitted, &omitted)] {
        let signer = reply_signer().with_empty_content(form);
        let pending = signed(exchange.pending(&signer, &Counting::default(), NOW).unwrap());
        assert!(pending.windows(expected.len()).any(|window| window == expected), "{form:?}");
        assert!(matches!(read(&awaited, &pending), Ok(CertRep::Pending)));
        let failure =
            exchange.failure(&signer, FailInfo::BadRequest, None, &Counting::default(), NOW).unwrap();
        let failure = read(&awaited, &signed(failure)).unwrap();
        assert!(matches!(failure, CertRep::Failure { fail_info: FailInfo::BadRequest, text: None }));
    }
}

// clause: RFC 8894 M16
#[test]
fn every_reply_has_a_nonce_of_its_own() {
    let (_, exchange) = exchange();
    let (signer, random) = (reply_signer(), Counting::default());
    let first = exchange.pending(&signer, &random, NOW).unwrap();
    let second = exchange.pending(&signer, &random, NOW).unwrap();
    assert_ne!(first.tbs(), second.tbs());
    assert!(!first.tbs().windows(16).any(|window| window == [0; 16]));
}

// clause: RFC 8894 M11, M16
#[test]
fn a_client_takes_no_reply_but_its_own() {
    let (awaited, exchange) = exchange();
    let requester = requester();
    let other = {
        let transaction = TransactionId::new("transaction-2").unwrap();
        let unsigned =
            requester.prepare(&pkcs_req(), &transaction, &Pretend, &Counting::default(), NOW).unwrap();
        let signature = Pretend::sign(device().public_key(), unsigned.tbs());
        received(&unsigned.finish(&signature).message).exchange
    };
    let reply = signed(other.pending(&reply_signer(), &Counting::default(), NOW).unwrap());
    assert_eq!(read(&awaited, &reply).unwrap_err(), ReplyError::NotTheReply("transactionID"));

    // The same transaction, sent again under another nonce.
    let random = Counting::default();
    let _ = TransactionId::generate(&rsa_key(1), &random);
    let unsigned = requester
        .prepare(&pkcs_req(), &TransactionId::new("transaction-1").unwrap(), &Pretend, &random, NOW)
        .unwrap();
    let signature = Pretend::sign(device().public_key(), unsigned.tbs());
    let again = unsigned.finish(&signature).awaited;
    let reply = signed(exchange.pending(&reply_signer(), &Counting::default(), NOW).unwrap());
    assert_eq!(read(&again, &reply).unwrap_err(), ReplyError::NotTheReply("recipientNonce"));

    // Another signer, and a message that is no reply.
    let signer = ReplySigner::new(device(), SignatureAlgorithm::RsaPkcs1Sha256);
    let reply = exchange.pending(&signer, &Counting::default(), NOW).unwrap();
    let signature = Pretend::sign(device().public_key(), reply.tbs());
    assert_eq!(read(&awaited, &reply.finish(&signature)).unwrap_err(), ReplyError::UnknownSigner);
    let request = outgoing(&Requester::new(ra(), SignatureAlgorithm::RsaPkcs1Sha256, ra()), &pkcs_req());
    assert!(read(&awaited, &request.message).is_err());
}

#[test]
fn a_reply_with_a_bad_signature_or_algorithm_is_refused() {
    let (awaited, exchange) = exchange();
    let pending =
        exchange.pending(&reply_signer(), &Counting::default(), NOW).unwrap().finish(b"no signature");
    assert!(matches!(read(&awaited, &pending), Err(ReplyError::Signature(_))));
    let old = ReplySigner::new(ra(), SignatureAlgorithm::RsaPkcs1Sha1);
    let pending = signed(exchange.pending(&old, &Counting::default(), NOW).unwrap());
    let policy = AlgorithmPolicy::default();
    let refused = awaited.read(&pending, &[ra()], &Pretend, &policy).unwrap_err();
    assert_eq!(refused, ReplyError::AlgorithmNotAllowed(DigestAlgorithm::Sha1.oid()));
    assert!(matches!(read(&awaited, &pending), Ok(CertRep::Pending)));
}

#[test]
fn a_sealed_reply_opens_with_its_key_alone() {
    let (awaited, exchange) = exchange();
    let reply = exchange.success(&[device()], &reply_signer(), &Pretend, &Counting::default(), NOW).unwrap();
    let reply = signed(reply);
    let CertRep::Success(sealed) = read(&awaited, &reply).unwrap() else { panic!("no SUCCESS") };
    for key in [vec![], vec![7; 16], vec![7; 15], vec![7; 32]] {
        let opened = sealed.open(&pki_core::ContentKey::new(key));
        assert_eq!(opened, Err(ReplyError::Undecryptable));
    }
}

#[test]
fn what_cannot_be_encrypted_or_drawn_is_said_so() {
    let (_, exchange) = exchange();
    let signer = reply_signer();
    let to_nobody = Requester::new(device(), SignatureAlgorithm::RsaPkcs1Sha256, certificate("x", &ec_key()));
    let transaction = TransactionId::new("1").unwrap();
    let prepared = to_nobody.prepare(&pkcs_req(), &transaction, &Pretend, &Counting::default(), NOW);
    assert!(matches!(prepared, Err(EncodeError::CannotEncipher(_))));
    let nothing = exchange.success(&[], &signer, &Pretend, &Counting::default(), NOW);
    assert!(matches!(nothing, Err(EncodeError::NothingToDeliver)));
    assert!(matches!(exchange.pending(&signer, &Exhausted, NOW), Err(EncodeError::Random(_))));
}

// clause: RFC 8894 C3
#[test]
fn the_signer_certificate_is_what_rfc_8894_asks_for() {
    use pki_core::KeyUsage;
    let certificate = device();
    assert_eq!(certificate.subject(), certificate.issuer());
    let usage = certificate.key_usage().unwrap().unwrap();
    assert_eq!(usage, KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT);
    assert!(certificate.validity().contains(NOW));
    assert!(certificate.serial_number().is_some());
    assert!(certificate.verify_signed_by(certificate.public_key(), &Pretend).is_ok());
    let signs_only = parties::certificate("x", &ec_key()).key_usage().unwrap().unwrap();
    assert_eq!(signs_only, KeyUsage::DIGITAL_SIGNATURE);
}

// clause: RFC 8894 M11
#[test]
fn transaction_ids_are_fresh_and_forty_digits() {
    let random = Counting::default();
    let (first, second) = (
        TransactionId::generate(&rsa_key(1), &random).unwrap(),
        TransactionId::generate(&rsa_key(1), &random).unwrap(),
    );
    assert_ne!(first, second);
    assert_eq!(first.as_bytes().len(), 40);
    assert!(first.as_bytes().iter().all(u8::is_ascii_hexdigit));
}

// clause: RFC 8894 M1, C11
#[test]
fn cipher_of_the_default_is_what_every_server_reads() {
    let outgoing = outgoing(&requester(), &pkcs_req());
    assert_eq!(received(&outgoing.message).exchange.cipher(), ContentCipher::Aes128Cbc);
}
