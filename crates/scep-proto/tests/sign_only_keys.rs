//! Keys that sign and cannot encipher: the challenge encrypts in their place, both ways, and OpenSSL agrees.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::arithmetic_side_effects)]
#![allow(clippy::cast_possible_truncation, clippy::missing_panics_doc, reason = "tests")]
#![allow(missing_docs, dead_code, unreachable_pub, reason = "tests")]

mod parties;

use keys_software::{AwsLc, RsaKey, SoftwareKey};
use parties::{Crafted, CraftedEnvelope, NOW, Pretend};
use pki_core::{
    Certificate, CertificationRequest, ChallengePassword, DecryptionKey as _, Name, RequestedExtensions,
    SerialNumber, SignatureAlgorithm, SigningKey, UnsignedCertificationRequest, Validity, tlv,
};
use scep_proto::{
    AlgorithmPolicy, AwaitedReply, CertRep, ContentCipher, EncodeError, FailInfo, Issued, OutgoingRequest,
    PkiMessage, RejectReason, Rejection, ReplyError, ReplySigner, Request, RequestMessage, Requester,
    SignOnlyKeys, TransactionId, UnsignedSignerCertificate, VerifiedMessage,
};
use testkit::{block_on, keys, run_with_input, tempdir};

fn challenge(text: &str) -> ChallengePassword {
    ChallengePassword::new(text.into())
}

fn csr(key: &dyn SigningKey, challenge: Option<&ChallengePassword>) -> CertificationRequest {
    let name: Name = "CN=sensor-1,O=Example".parse().unwrap();
    let nothing = RequestedExtensions::default();
    let unsigned = UnsignedCertificationRequest::new(&name, key.public_key(), challenge, &nothing);
    let signature = block_on(key.sign(unsigned.tbs())).unwrap();
    unsigned.finish(key.algorithm(), &signature).unwrap()
}

fn self_signed(key: &dyn SigningKey) -> Certificate {
    let validity = Validity::new(NOW, pki_core::UnixTime(NOW.0 + 604_800)).unwrap();
    let name: Name = "CN=sensor-1,O=Example".parse().unwrap();
    let unsigned =
        UnsignedSignerCertificate::new(&name, key.public_key(), key.algorithm(), validity, &AwsLc).unwrap();
    let signature = block_on(key.sign(unsigned.tbs())).unwrap();
    unsigned.finish(&signature).unwrap()
}

fn outgoing(key: &dyn SigningKey, to: Certificate, message: &RequestMessage) -> OutgoingRequest {
    let requester =
        Requester::new(self_signed(key), key.algorithm(), to).with_cipher(ContentCipher::Aes256Cbc);
    let transaction = TransactionId::generate(key.public_key(), &AwsLc).unwrap();
    let unsigned = requester.prepare(message, &transaction, &AwsLc, &AwsLc, NOW).unwrap();
    let signature = block_on(key.sign(unsigned.tbs())).unwrap();
    unsigned.finish(&signature)
}

fn verified(message: &[u8]) -> VerifiedMessage {
    PkiMessage::parse(message).unwrap().verify(&AwsLc, &AlgorithmPolicy::default()).unwrap()
}

fn opened_by_ra(message: &[u8]) -> Result<Request, Rejection> {
    let authority = testkit::ca();
    let verified = verified(message);
    let sealed = verified.sealed_for(&authority.ra_certificate).unwrap();
    let key = block_on(authority.ra_key.unwrap_key(sealed.wrapped_key())).unwrap();
    sealed.open(Some(key), &AwsLc, &AwsLc)
}

fn success(request: &Request) -> Vec<u8> {
    let ca = testkit::ca();
    let signer = ReplySigner::new(ca.ra_certificate, ca.ra_key.algorithm());
    let issued = [testkit::device_p256().certificate];
    let reply = request.exchange.success(&issued, &signer, &AwsLc, &AwsLc, NOW).unwrap();
    let signature = block_on(ca.ra_key.sign(reply.tbs())).unwrap();
    reply.finish(&signature)
}

fn read(awaited: &AwaitedReply, reply: &[u8], challenge: &ChallengePassword) -> Result<Issued, ReplyError> {
    let trusted = [testkit::ca().ra_certificate];
    let CertRep::Success(sealed) = awaited.read(reply, &trusted, &AwsLc, &AlgorithmPolicy::default())? else {
        panic!("no SUCCESS")
    };
    assert!(sealed.is_sealed_by_challenge());
    assert!(sealed.wrapped_key().as_bytes().is_empty(), "nothing for a key to unwrap");
    sealed.open_with_challenge(challenge)
}

fn signers() -> Vec<SoftwareKey> {
    let mut signers: Vec<_> =
        [keys::DEVICE_P256_PEM, keys::P384_PEM].map(|pem| SoftwareKey::from_pem(pem).unwrap()).into();
    signers.push(SoftwareKey::generate(keys_software::KeyAlgorithm::Ed25519).unwrap());
    signers
}

// clause: RFC 8894 M5, M6, S4, C3, C5
#[test]
fn a_reply_to_a_key_that_only_signs_is_encrypted_by_the_challenge() {
    let folder = tempdir().unwrap();
    for key in signers() {
        let secret = challenge("one-time challenge: größer");
        let request = RequestMessage::PkcsReq(csr(&key, Some(&secret)));
        let outgoing = outgoing(&key, testkit::ca().ra_certificate, &request);
        let request = opened_by_ra(&outgoing.message).unwrap();
        assert!(request.exchange.can_deliver());
        let reply = success(&request);
        let issued = read(&outgoing.awaited, &reply, &secret).unwrap();
        assert_eq!(issued.certificates, [testkit::device_p256().certificate]);
        let other = read(&outgoing.awaited, &reply, &challenge("another challenge"));
        assert_eq!(other, Err(ReplyError::Undecryptable));

        let run = |arguments: &[&str], input: &[u8]| {
            run_with_input(folder.path(), "openssl", arguments.iter().copied(), input)
        };
        let envelope = run(&["cms", "-verify", "-noverify", "-inform", "DER"], &reply);
        let open = ["cms", "-decrypt", "-inform", "DER", "-pwri_password", secret.expose()];
        let certificates = run(&open, &envelope);
        let text = run(&["pkcs7", "-inform", "DER", "-print_certs"], &certificates);
        let found = Certificate::from_pem(&String::from_utf8(text).unwrap()).unwrap();
        assert_eq!(found, issued.certificates[0]);
    }
}

// clause: RFC 8894 M5
#[test]
fn a_request_to_a_ca_whose_key_only_signs_is_encrypted_by_the_challenge() {
    let ca = testkit::ca().certificate;
    let key = keys::rsa(keys::DEVICE_PEM);
    let secret = challenge("s3cret");
    let message = RequestMessage::PkcsReq(csr(&*key, Some(&secret)));
    let outgoing = outgoing(&*key, ca.clone(), &message);
    let verified = verified(&outgoing.message);
    assert!(verified.is_sealed_by_challenge());
    let request = verified.open_with_challenge(&secret, &ca, &AwsLc, &AwsLc).unwrap();
    assert_eq!(request.message, message);
    assert!(request.verified_request().is_some());
    let wrong = verified.open_with_challenge(&challenge("other"), &ca, &AwsLc, &AwsLc).unwrap_err();
    assert_eq!(
        (wrong.reason(), wrong.fail_info()),
        (&RejectReason::Undecryptable, FailInfo::BadMessageCheck)
    );
    let asked_for = verified.sealed_for(&ca).unwrap_err();
    assert_eq!(asked_for.fail_info(), FailInfo::BadAlg);

    let folder = tempdir().unwrap();
    let openssl =
        |arguments: &str, input: &[u8]| run_with_input(folder.path(), "openssl", arguments.split(' '), input);
    let envelope = openssl("cms -verify -noverify -inform DER", &outgoing.message);
    let opened = openssl("cms -decrypt -inform DER -pwri_password s3cret", &envelope);
    let RequestMessage::PkcsReq(csr) = &message else { panic!() };
    assert_eq!(opened, csr.as_der());
}

#[test]
fn envelopes_that_openssl_closes_with_a_password_are_read() {
    let folder = tempdir().unwrap();
    let key = keys::rsa(keys::DEVICE_PEM);
    let secret = challenge("s3cret");
    let csr = csr(&*key, Some(&secret));
    for cipher in ["-aes128", "-aes192", "-aes256", "-des3"] {
        for form in ["", " -stream"] {
            let command = format!("cms -encrypt -binary {cipher}{form} -outform DER -pwri_password s3cret");
            let envelope = run_with_input(folder.path(), "openssl", command.split(' '), csr.as_der());
            let message = PkiMessage::parse(&Crafted::new(envelope).encode()).unwrap();
            let policy = AlgorithmPolicy::default().with_legacy(scep_proto::Legacy::TripleDes);
            let verified = message.verify(&Pretend, &policy).unwrap();
            let request = verified.open_with_challenge(&secret, &parties::ra(), &AwsLc, &AwsLc).unwrap();
            assert_eq!(request.message, RequestMessage::PkcsReq(csr.clone()), "{command}");
        }
    }
}

// clause: RFC 8894 M6, M19
#[test]
fn without_a_challenge_nothing_is_encrypted_and_nothing_is_sent_in_clear() {
    let key = SoftwareKey::from_pem(keys::DEVICE_P256_PEM).unwrap();
    let ra = testkit::ca().ra_certificate;
    let named = ra.issuer().clone();
    let serial = SerialNumber::from_be_bytes(&[7]).unwrap();
    for message in [
        RequestMessage::PkcsReq(csr(&key, None)),
        RequestMessage::RenewalReq(csr(&key, None)),
        RequestMessage::GetCert { issuer: named.clone(), serial },
        RequestMessage::GetCrl { issuer: named.clone(), serial },
    ] {
        let rejection = opened_by_ra(&outgoing(&key, ra.clone(), &message).message).unwrap_err();
        assert!(matches!(rejection.reason(), RejectReason::SignerCannotDecrypt(_)), "{rejection}");
        assert_eq!(rejection.fail_info(), FailInfo::BadAlg);
    }
    // A poll can be answered as long as it is not granted; then whoever answers has to remember the challenge.
    let poll = RequestMessage::CertPoll { issuer: named, subject: "CN=sensor-1,O=Example".parse().unwrap() };
    let outgoing = outgoing(&key, ra.clone(), &poll);
    let mut request = opened_by_ra(&outgoing.message).unwrap();
    assert!(!request.exchange.can_deliver());
    let signer = ReplySigner::new(ra.clone(), SignatureAlgorithm::RsaPkcs1Sha256);
    let issued = [testkit::device_p256().certificate];
    let granted = request.exchange.success(&issued, &signer, &AwsLc, &AwsLc, NOW);
    assert!(matches!(granted, Err(EncodeError::CannotEncipher(_))));
    assert!(request.exchange.pending(&signer, &AwsLc, NOW).is_ok());
    request.exchange = request.exchange.with_challenge(challenge("remembered"));
    let reply = success(&request);
    assert_eq!(read(&outgoing.awaited, &reply, &challenge("remembered")).unwrap().certificates, issued);

    // To a CA whose key only signs, a message without a challenge is not made at all.
    let to_ca = Requester::new(self_signed(&key), key.algorithm(), testkit::ca().certificate);
    let transaction = TransactionId::new("1").unwrap();
    let message = RequestMessage::PkcsReq(csr(&key, None));
    let made = to_ca.prepare(&message, &transaction, &AwsLc, &AwsLc, NOW);
    assert!(matches!(made, Err(EncodeError::CannotEncipher(_))));
    assert!(
        to_ca.with_challenge(challenge("x")).prepare(&message, &transaction, &AwsLc, &AwsLc, NOW).is_ok()
    );
}

#[test]
fn such_keys_can_be_refused_altogether() {
    let key = SoftwareKey::from_pem(keys::P384_PEM).unwrap();
    let request = RequestMessage::PkcsReq(csr(&key, Some(&challenge("x"))));
    let message = outgoing(&key, testkit::ca().ra_certificate, &request).message;
    let policy = AlgorithmPolicy::default().with_sign_only_keys(SignOnlyKeys::Refused);
    let rejection = PkiMessage::parse(&message).unwrap().verify(&AwsLc, &policy).unwrap_err();
    assert!(matches!(rejection.reason(), RejectReason::SignerCannotDecrypt(_)));
}

#[test]
fn row_23_a_request_under_a_password_is_no_oracle_either() {
    // Everything but the right challenge over the right content is the same refusal.
    let ca = parties::ra();
    let csr = parties::certification_request();
    let mut answers = std::collections::BTreeSet::new();
    let secret = challenge("s3cret");
    let folder = tempdir().unwrap();
    let encrypt = "cms -encrypt -binary -aes128 -outform DER -pwri_password s3cret";
    let close = |content: &[u8]| run_with_input(folder.path(), "openssl", encrypt.split(' '), content);
    let sound = close(csr.as_der());
    for at in [sound.len() - 1, sound.len() - 20, sound.len() - csr.as_der().len()] {
        let mut changed = sound.clone();
        changed[at] ^= 1;
        answers.insert(under_password(&changed, &secret, &ca));
    }
    answers.insert(under_password(&close(b"no request"), &secret, &ca));
    answers.insert(under_password(&sound, &challenge("another"), &ca));
    assert_eq!(answers, ["the envelope could not be opened".to_owned()].into());
    let sealed = CraftedEnvelope::sealing(&parties::padded(csr.as_der())).encode();
    let message = PkiMessage::parse(&Crafted::new(sealed).encode()).unwrap();
    let verified = message.verify(&Pretend, &AlgorithmPolicy::default()).unwrap();
    let other = verified.open_with_challenge(&secret, &ca, &Pretend, &AwsLc).unwrap_err();
    assert_eq!(other.reason(), &RejectReason::NotForRecipient, "a message to the RA's key");
}

fn under_password(envelope: &[u8], secret: &ChallengePassword, ca: &Certificate) -> String {
    let message = PkiMessage::parse(&Crafted::new(envelope.to_vec()).encode()).unwrap();
    let verified = message.verify(&Pretend, &AlgorithmPolicy::default()).unwrap();
    verified.open_with_challenge(secret, ca, &Pretend, &AwsLc).unwrap_err().to_string()
}

#[test]
fn a_password_recipient_beyond_the_limits_is_refused_before_any_hashing() {
    let folder = tempdir().unwrap();
    let encrypt = "cms -encrypt -binary -aes128 -outform DER -pwri_password s3cret";
    let envelope = run_with_input(folder.path(), "openssl", encrypt.split(' '), b"x");
    // OpenSSL's 2048 iterations become 2^31 - 1, with all the lengths around it.
    let at = envelope.windows(4).position(|part| part == [2, 2, 8, 0]).unwrap();
    let costly = grown(&envelope, at, &[2, 4, 0x7F, 0xFF, 0xFF, 0xFF]);
    let message = PkiMessage::parse(&Crafted::new(costly).encode()).unwrap();
    let rejection = message.verify(&Pretend, &AlgorithmPolicy::default()).unwrap_err();
    assert!(matches!(rejection.reason(), RejectReason::Envelope(_)), "{rejection}");
}

/// The element of four octets at `at` replaced by a longer one.
fn grown(der: &[u8], at: usize, replacement: &[u8]) -> Vec<u8> {
    let element = tlv::Tlv::split_first(der).unwrap().0;
    if at == 0 {
        return [replacement, &der[4..]].concat();
    }
    let header = element.bytes.len() - element.value.len();
    let mut content = Vec::new();
    let mut position = header;
    let mut rest = element.value;
    while let Some((child, after)) = tlv::Tlv::split_first(rest) {
        let end = position + child.bytes.len();
        let holds = (position..end).contains(&at);
        match holds {
            true if position == at => content.extend_from_slice(replacement),
            true => content.extend(grown(child.bytes, at - position, replacement)),
            false => content.extend_from_slice(child.bytes),
        }
        (position, rest) = (end, after);
    }
    tlv::wrap(element.tag, &content)
}

// clause: RFC 8894 M5
#[test]
fn openssl_verifies_what_each_key_signs() {
    let folder = tempdir().unwrap();
    let pss = |algorithm| {
        let SoftwareKey::Rsa(key) = SoftwareKey::from_pem(keys::DEVICE_PEM).unwrap() else { panic!() };
        SoftwareKey::Rsa(RsaKey::with_signature_algorithm(key, algorithm).unwrap())
    };
    let rsa = [
        SignatureAlgorithm::RsaPkcs1Sha384,
        SignatureAlgorithm::RsaPkcs1Sha512,
        SignatureAlgorithm::RsaPssSha256,
        SignatureAlgorithm::RsaPssSha384,
        SignatureAlgorithm::RsaPssSha512,
    ];
    for key in signers().into_iter().chain(rsa.map(pss)) {
        let algorithm = key.algorithm();
        let message = RequestMessage::PkcsReq(csr(&key, Some(&challenge("x"))));
        let outgoing = outgoing(&key, testkit::ca().ra_certificate, &message);
        assert_eq!(opened_by_ra(&outgoing.message).unwrap().message, message, "{algorithm:?}");
        if algorithm == SignatureAlgorithm::Ed25519 {
            continue; // OpenSSL 3.0 knows no Ed25519 in CMS.
        }
        let verify = "cms -verify -noverify -inform DER -binary".split(' ');
        run_with_input(folder.path(), "openssl", verify, &outgoing.message);
        let mut changed = outgoing.message.clone();
        *changed.last_mut().unwrap() ^= 1;
        let changed = PkiMessage::parse(&changed).unwrap();
        let rejection = changed.verify(&AwsLc, &AlgorithmPolicy::default()).unwrap_err();
        assert_eq!(rejection.reason(), &RejectReason::SignatureMismatch, "{algorithm:?}");
    }
}
