//! Messages that somebody got wrong on purpose. Each test is named after what it defends against.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use std::sync::Arc;

use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
use hyper::{Request, StatusCode};
use keys_software::AwsLc;
use pki_core::{CertificationRequest, DigestAlgorithm, Name, Oid, SecureRandom as _, SigningKey, tlv};
use scep_service::ScepParts;
use support::{
    Answer, CHALLENGE, ConstantRandom, World, csr,
    forge::{
        self, AES128_CBC, CONTENT_KEY, CONTENT_TYPE, DES_CBC, IV, MESSAGE_DIGEST, MESSAGE_TYPE, SENDER_NONCE,
        Signed, TRANSACTION_ID, encrypted, encrypted_as_is, enveloped, printable, recipient, sealed, wrapped,
    },
    keys, signer, world, world_with,
};

const BAD_ALG: &str = "0";
const BAD_MESSAGE_CHECK: &str = "1";
const BAD_REQUEST: &str = "2";
const PKCS_REQ: &str = "19";

/// A correct PKCSReq, to be spoiled.
async fn good(world: &World) -> Signed {
    let csr = csr("laptop-1", CHALLENGE).await;
    let envelope = sealed(csr.as_der(), &world.ra, &AwsLc);
    Signed::request(PKCS_REQ, envelope, &signer().await)
}

async fn around(envelope: Vec<u8>) -> Signed {
    Signed::request(PKCS_REQ, envelope, &signer().await)
}

async fn post(world: &World, message: Signed) -> Answer {
    world.post(message.sign(&*keys().client).await).await
}

#[tokio::test]
async fn a_forged_message_with_nothing_wrong_is_answered() {
    let world = world();
    let answer = post(&world, good(&world).await).await;
    assert_eq!((answer.status, world.issued()), (StatusCode::OK, 1));
}

// clause: RFC 8894 M12
#[tokio::test]
async fn row_02_unhandled_message_type_never_reaches_issuance() {
    let world = world();
    for unknown in ["18", "0", "4", "99", "3", "019", "+19", "19 "] {
        let message = good(&world).await.without(MESSAGE_TYPE).with(MESSAGE_TYPE, vec![printable(unknown)]);
        assert_eq!(post(&world, message).await.fail_info(), BAD_REQUEST, "{unknown}");
    }
    let type_19 = || printable(PKCS_REQ);
    for (what, values) in [
        ("empty", vec![printable("")]),
        ("no value", vec![]),
        ("two values", vec![type_19(), type_19()]),
        ("an INTEGER", vec![tlv::wrap(tlv::INTEGER, &[19])]),
    ] {
        let message = good(&world).await.without(MESSAGE_TYPE).with(MESSAGE_TYPE, values);
        assert_refused(what, &post(&world, message).await);
    }
    assert_refused("absent", &post(&world, good(&world).await.without(MESSAGE_TYPE)).await);
    let twice = good(&world).await.with(MESSAGE_TYPE, vec![type_19()]);
    assert_refused("twice", &post(&world, twice).await);
    let contradictory = good(&world).await.with(MESSAGE_TYPE, vec![printable("17")]);
    assert_refused("19 and 17", &post(&world, contradictory).await);
    assert_eq!((world.asked(), world.issued()), (0, 0));
}

/// HTTP 400, or a FAILURE.
#[track_caller]
fn assert_refused(what: &str, answer: &Answer) {
    if answer.status == StatusCode::OK {
        assert!([BAD_ALG, BAD_MESSAGE_CHECK, BAD_REQUEST].contains(&&*answer.fail_info()), "{what}");
    } else {
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{what}: {:?}", answer.body);
    }
}

// clause: RFC 8894 M3
#[tokio::test]
async fn row_17_downgrade_weak_algorithms_are_refused() {
    let world = world();
    let csr = csr("laptop-1", CHALLENGE).await;
    let to_ra = [recipient(&world.ra, &wrapped(&world.ra, &CONTENT_KEY, &AwsLc))];
    let rc2 = Oid::new_unwrap("1.2.840.113549.3.2");
    let triple_des = Oid::new_unwrap("1.2.840.113549.3.7");
    for (cipher, iv) in [(DES_CBC, &IV[..8]), (rc2, &IV[..8]), (triple_des, &IV[..8])] {
        let envelope = enveloped(&to_ra, cipher, iv, &encrypted(csr.as_der()));
        let answer = post(&world, around(envelope).await).await;
        assert_eq!(answer.fail_info(), BAD_ALG, "{cipher}");
    }
    for digest in [DigestAlgorithm::Md5, DigestAlgorithm::Sha1] {
        let answer = post(&world, Signed { digest, ..good(&world).await }).await;
        assert_eq!(answer.fail_info(), BAD_ALG, "{digest:?}");
    }
    assert_eq!(world.asked(), 0);
}

#[tokio::test]
async fn row_19_multi_signer_confusion_only_exactly_one_signer_is_taken() {
    let world = world();
    for signers in [0, 2, 3] {
        let answer = post(&world, Signed { signers, ..good(&world).await }).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{signers} signers");
    }
    // One signer, whose certificate is not there or is not the one whose key signed.
    let other = Signed { certificates: Vec::new(), ..good(&world).await };
    assert_refused("no certificate", &post(&world, other).await);
    let answer = world.post(good(&world).await.sign(&*keys().other).await).await;
    assert_eq!(answer.fail_info(), BAD_MESSAGE_CHECK, "another key signed");
    assert_eq!(world.asked(), 0);
}

// clause: RFC 8894 M9, M10
#[tokio::test]
async fn row_20_signed_attributes_are_there_once_and_right() {
    let world = world();
    let digest = |octets: &[u8]| tlv::wrap(tlv::OCTET_STRING, octets);
    let content_type = || tlv::oid(forge::DATA);
    let enveloped_data = tlv::oid(Oid::new_unwrap("1.2.840.113549.1.7.3"));
    for (what, spoiled) in [
        // Old clients leave this one out, for whom there is a switch.
        ("no contentType", good(&world).await.without(CONTENT_TYPE)),
        ("no messageDigest", good(&world).await.without(MESSAGE_DIGEST)),
        ("two contentTypes", good(&world).await.with(CONTENT_TYPE, vec![content_type()])),
        ("two messageDigests", good(&world).await.with(MESSAGE_DIGEST, vec![digest(&[0; 32])])),
        (
            "another contentType",
            good(&world).await.without(CONTENT_TYPE).with(CONTENT_TYPE, vec![enveloped_data]),
        ),
        (
            "another messageDigest",
            good(&world).await.without(MESSAGE_DIGEST).with(MESSAGE_DIGEST, vec![digest(&[0; 32])]),
        ),
        (
            "a short messageDigest",
            good(&world).await.without(MESSAGE_DIGEST).with(MESSAGE_DIGEST, vec![digest(&[])]),
        ),
    ] {
        assert_eq!(post(&world, spoiled).await.fail_info(), BAD_MESSAGE_CHECK, "{what}");
    }
    // The content is not what was signed.
    let mut swapped = good(&world).await;
    let csr = csr("admin", CHALLENGE).await;
    swapped.content = Some(sealed(csr.as_der(), &world.ra, &AwsLc));
    assert_eq!(post(&world, swapped).await.fail_info(), BAD_MESSAGE_CHECK, "swapped content");
    assert_eq!(world.asked(), 0);
}

#[tokio::test]
async fn row_21_signed_attributes_are_not_taken_for_content_nor_content_for_them() {
    let world = world();
    let mut bare = good(&world).await;
    bare.attributes.clear();
    assert_refused("no signed attributes", &post(&world, bare).await);

    // What a signature over attributes covers, offered as content.
    let attribute = |oid: Oid, value: Vec<u8>| tlv::sequence([&*tlv::oid(oid), &tlv::wrap(tlv::SET, &value)]);
    let attributes = [
        attribute(CONTENT_TYPE, tlv::oid(forge::DATA)),
        attribute(MESSAGE_DIGEST, tlv::wrap(tlv::OCTET_STRING, &[0; 32])),
    ];
    let ambiguous = around(tlv::wrap(tlv::SET, &attributes.concat())).await;
    assert_eq!(post(&world, ambiguous).await.fail_info(), BAD_MESSAGE_CHECK);
    assert_eq!(world.asked(), 0);
}

#[tokio::test]
async fn row_22_unsigned_attributes_count_for_nothing() {
    let world = world();
    for oid in [MESSAGE_TYPE, TRANSACTION_ID, SENDER_NONCE] {
        let mut moved = good(&world).await;
        let at = moved.attributes.iter().position(|(other, _)| *other == oid).unwrap();
        let attribute = moved.attributes.remove(at);
        moved.unsigned_attributes.push(attribute);
        assert_eq!(post(&world, moved).await.status, StatusCode::BAD_REQUEST, "{oid}");
    }
    assert_eq!(world.asked(), 0);
}

/// A service all of whose answers to one failure are equal to the last octet.
fn reproducible() -> World {
    world_with(|parts| ScepParts { random: Arc::new(ConstantRandom), ..parts })
}

#[tokio::test]
async fn rows_23_and_25_decryption_oracle_every_failure_looks_the_same() {
    let world = reproducible();
    let ra = &world.ra;
    let csr = csr("laptop-1", CHALLENGE).await;
    let whole = encrypted(csr.as_der());
    let right = wrapped(ra, &CONTENT_KEY, &AwsLc);
    let to = |wrapped: &[u8]| [recipient(ra, wrapped)];
    let of_key = |key: &[u8]| to(&forge::wrapped(ra, key, &AwsLc));
    let aes = |recipients: &[Vec<u8>], ciphertext: &[u8]| enveloped(recipients, AES128_CBC, &IV, ciphertext);
    let plain = |octets: &[u8]| aes(&of_key(&CONTENT_KEY), &encrypted_as_is(octets));
    let mut flipped = right.clone();
    flipped[100] ^= 1;
    let mut tampered = csr.as_der().to_vec();
    *tampered.last_mut().unwrap() ^= 1;

    let cases = [
        ("wrapped key that is noise", aes(&to(&[0x17; 256]), &whole)),
        ("wrapped key of zeros", aes(&to(&[0; 256]), &whole)),
        ("wrapped key above the modulus", aes(&to(&[0xFF; 256]), &whole)),
        ("one bit of the wrapped key flipped", aes(&to(&flipped), &whole)),
        ("key of 1 octet", aes(&of_key(&CONTENT_KEY[..1]), &whole)),
        ("key of 15 octets", aes(&of_key(&CONTENT_KEY[..15]), &whole)),
        ("key of 24 octets", aes(&of_key(&[0x4B; 24]), &whole)),
        ("key of 32 octets", aes(&of_key(&[0x4B; 32]), &whole)),
        ("another key", aes(&of_key(&[0x4C; 16]), &whole)),
        ("padding of 0", plain(&[0; 32])),
        ("padding of 17", plain(&[17; 32])),
        ("padding of 255", plain(&[255; 32])),
        ("uneven padding", plain(&[&[9; 30][..], &[3, 2]].concat())),
        ("nothing but padding", plain(&[16; 16])),
        ("garbage", aes(&of_key(&CONTENT_KEY), &encrypted(b"not a certification request"))),
        ("nothing", aes(&of_key(&CONTENT_KEY), &encrypted(b""))),
        ("half a request", aes(&of_key(&CONTENT_KEY), &encrypted(&csr.as_der()[..200]))),
        ("a request whose signature does not hold", aes(&of_key(&CONTENT_KEY), &encrypted(&tampered))),
        ("a request and more", aes(&of_key(&CONTENT_KEY), &encrypted(&[csr.as_der(), &[0]].concat()))),
    ];
    let mut first: Option<Answer> = None;
    for (what, envelope) in cases {
        let answer = post(&world, around(envelope).await).await;
        assert_eq!(answer.fail_info(), BAD_MESSAGE_CHECK, "{what}");
        let first = first.get_or_insert_with(|| answer.clone());
        assert_eq!(answer, *first, "{what} can be told from the others");
    }
    assert_eq!(world.asked(), 0);
}

#[tokio::test]
async fn row_25_padding_oracle_no_last_block_stands_out() {
    let world = reproducible();
    let to_ra = [recipient(&world.ra, &wrapped(&world.ra, &CONTENT_KEY, &AwsLc))];
    // A recorded message, varied in its last block by way of the one before.
    let whole = encrypted(csr("laptop-1", CHALLENGE).await.as_der());
    let mut first = None;
    for position in 0..16 {
        // Every value where padding is decided, some of them elsewhere.
        let step = if position == 15 { 1 } else { 23 };
        for change in (1..=255_u8).step_by(step) {
            let mut ciphertext = whole.clone();
            let at = ciphertext.len() - 32 + position;
            ciphertext[at] ^= change;
            let answer = post(&world, around(enveloped(&to_ra, AES128_CBC, &IV, &ciphertext)).await).await;
            let first = first.get_or_insert_with(|| answer.clone());
            assert_eq!(answer, *first, "octet {position} changed by {change}");
        }
    }
    assert_eq!(first.unwrap().fail_info(), BAD_MESSAGE_CHECK);
}

#[tokio::test]
async fn row_24_recipient_substitution_only_one_recipient_is_taken_and_only_this_ra() {
    let world = world();
    let csr = csr("laptop-1", CHALLENGE).await;
    let ciphertext = encrypted(csr.as_der());
    let good = recipient(&world.ra, &wrapped(&world.ra, &CONTENT_KEY, &AwsLc));
    let chosen = recipient(&world.ra, &[0x17; 256]);
    let stranger = recipient(&signer().await, &wrapped(&world.ra, &CONTENT_KEY, &AwsLc));
    let of_ca = recipient(&world.ca, &wrapped(&world.ra, &CONTENT_KEY, &AwsLc));
    for (what, recipients) in [
        ("good and chosen", vec![good.clone(), chosen.clone()]),
        ("chosen and good", vec![chosen, good.clone()]),
        ("good twice", vec![good.clone(), good]),
        ("someone else", vec![stranger]),
        ("the CA", vec![of_ca]),
    ] {
        let answer = post(&world, around(enveloped(&recipients, AES128_CBC, &IV, &ciphertext)).await).await;
        assert_eq!(answer.fail_info(), BAD_MESSAGE_CHECK, "{what}");
    }
    let nobody = around(enveloped(&[], AES128_CBC, &IV, &ciphertext)).await;
    assert_refused("nobody", &post(&world, nobody).await);
    assert_eq!(world.asked(), 0);
}

/// `count` elements of `tag` within each other, of definite length.
fn nested(tag: u8, count: usize) -> Vec<u8> {
    let mut lengths = Vec::new();
    let mut length = 0_usize;
    for _ in 0..count {
        let header = tlv::wrap(tag, &vec![0; length]).len() - length;
        lengths.push((header, length));
        length += header;
        if length > 65_000 {
            break;
        }
    }
    let mut out = Vec::new();
    for (header, length) in lengths.into_iter().rev() {
        let full = tlv::wrap(tag, &vec![0; length]);
        out.extend_from_slice(&full[..header]);
    }
    out
}

/// On a worker thread, whose stack is the size that servers run with.
async fn post_from_worker(world: &Arc<World>, body: Vec<u8>) -> Answer {
    let world = Arc::clone(world);
    tokio::spawn(async move { world.post(body).await }).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn row_31_nesting_bombs_are_400_and_the_process_lives() {
    let world = Arc::new(world());
    for count in [65, 4_100, 32_000] {
        let answer = post_from_worker(&world, [0x30, 0x80].repeat(count)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{count} indefinite");
        let answer = post_from_worker(&world, [0x24, 0x80].repeat(count)).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{count} indefinite strings");
    }
    for count in [33, 1_000, 64_000] {
        for tag in [0x30, 0x24, 0xA0] {
            let answer = post_from_worker(&world, nested(tag, count)).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{count} definite of {tag:02x}");
        }
    }
    // The same where it is only seen after decryption, and in the content that is signed.
    for count in [65, 2_000] {
        let envelope = sealed(&[0x30, 0x80].repeat(count), &world.ra, &AwsLc);
        let message = around(envelope).await.sign(&*keys().client).await;
        assert_eq!(post_from_worker(&world, message).await.fail_info(), BAD_MESSAGE_CHECK);
        let message = around(nested(0x30, count)).await.sign(&*keys().client).await;
        assert_refused("nested content", &post_from_worker(&world, message).await);
    }
    let message = world.pkcs_req("laptop-1", CHALLENGE).await.message;
    assert_eq!(post_from_worker(&world, message).await.status, StatusCode::OK);
}

#[tokio::test]
async fn row_32_length_bombs_are_400() {
    let world = world();
    for bomb in [
        &[0x30, 0x84, 0x7F, 0xFF, 0xFF, 0xFF][..],
        &[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF],
        &[0x30, 0x88, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
        &[0x30, 0x88, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF],
        &[0x30, 0xFF],
        &[0x30],
    ] {
        assert_eq!(world.post(bomb.to_vec()).await.status, StatusCode::BAD_REQUEST, "{bomb:02x?}");
    }
}

#[tokio::test]
async fn row_33_oid_and_integer_bombs_are_400() {
    let world = world();
    let oid = tlv::wrap(tlv::OBJECT_IDENTIFIER, &[&[0x2A][..], &vec![0x81; 59_998], &[1]].concat());
    let bomb = tlv::sequence([&*oid, &tlv::wrap(0xA0, &tlv::sequence([]))]);
    assert_eq!(world.post(bomb).await.status, StatusCode::BAD_REQUEST);
    let version = tlv::wrap(tlv::INTEGER, &vec![0x7F; 60_000]);
    let signed_data = tlv::oid(Oid::new_unwrap("1.2.840.113549.1.7.2"));
    let bomb = tlv::sequence([&*signed_data, &tlv::wrap(0xA0, &tlv::sequence([&*version]))]);
    assert_eq!(world.post(bomb).await.status, StatusCode::BAD_REQUEST);
}

/// A CSR of the client's key with those attributes, each the DER of an Attribute.
async fn csr_with(subject: &[u8], attributes: &[u8]) -> Vec<u8> {
    let key = &*keys().client;
    let info = csr_info(subject, SigningKey::public_key(key).as_der(), attributes);
    let signature = key.sign(&info).await.unwrap();
    csr_of(&info, &[&[0], &*signature].concat())
}

fn csr_info(subject: &[u8], key: &[u8], attributes: &[u8]) -> Vec<u8> {
    tlv::sequence([&[2, 1, 0][..], subject, key, &tlv::wrap(0xA0, attributes)])
}

fn csr_of(info: &[u8], bits: &[u8]) -> Vec<u8> {
    let algorithm = keys().client.algorithm().to_der();
    tlv::sequence([info, &algorithm, &tlv::wrap(tlv::BIT_STRING, bits)])
}

#[tokio::test]
async fn row_34_empty_sequences_are_refused_without_a_panic() {
    let world = world();
    let name = Name::of_common_name("laptop-1");
    let attribute = |oid: &str, values: &[u8]| {
        tlv::sequence([&*tlv::oid(Oid::new_unwrap(oid)), &tlv::wrap(tlv::SET, values)])
    };
    let challenge = attribute("1.2.840.113549.1.9.7", &tlv::wrap(0x0C, CHALLENGE.as_bytes()));
    let extension = |oid: &str, value: &[u8]| {
        let oid = tlv::oid(Oid::new_unwrap(oid));
        let one = tlv::sequence([&*oid, &tlv::wrap(tlv::OCTET_STRING, value)]);
        let list = attribute("1.2.840.113549.1.9.14", &tlv::sequence([&*one]));
        [&*challenge, &list].concat()
    };
    let empty_rdn = tlv::wrap(tlv::SEQUENCE, &tlv::wrap(tlv::SET, &[]));
    let key = SigningKey::public_key(&*keys().client).as_der();
    let info = csr_info(name.as_der(), key, &challenge);
    let cases = [
        ("empty extKeyUsage", csr_with(name.as_der(), &extension("2.5.29.37", &[0x30, 0])).await),
        ("empty subjectAltName", csr_with(name.as_der(), &extension("2.5.29.17", &[0x30, 0])).await),
        ("empty keyUsage", csr_with(name.as_der(), &extension("2.5.29.15", &[3, 0])).await),
        ("keyUsage of no octets", csr_with(name.as_der(), &extension("2.5.29.15", &[])).await),
        ("empty extension", csr_with(name.as_der(), &extension("2.5.29.37", &[])).await),
        ("empty RDN", csr_with(&empty_rdn, &challenge).await),
        ("attribute of nothing", csr_with(name.as_der(), &[0x30, 0]).await),
        ("attribute without values", csr_with(name.as_der(), &attribute("1.2.840.113549.1.9.7", &[])).await),
        ("empty BIT STRING", csr_of(&info, &[])),
        ("signature of no octets", csr_of(&info, &[0])),
        ("no key", csr_of(&csr_info(name.as_der(), &[0x30, 0], &challenge), &[0])),
        ("no subject", csr_of(&csr_info(&[], key, &challenge), &[0])),
        ("nothing in it", vec![0x30, 0]),
    ];
    for (what, csr) in cases {
        assert_refused(what, &post(&world, around(sealed(&csr, &world.ra, &AwsLc)).await).await);
    }
    assert_eq!(world.issued(), 0);
    // The way these were made is not what fails.
    let plain = csr_with(name.as_der(), &challenge).await;
    CertificationRequest::from_der(&plain).unwrap();
    post(&world, around(sealed(&plain, &world.ra, &AwsLc)).await).await;
    assert_eq!(world.issued(), 1);
}

#[tokio::test]
async fn row_34_empty_sequences_in_the_message_are_refused() {
    let world = world();
    for (what, values) in [("no value", vec![]), ("an empty string", vec![tlv::wrap(tlv::OCTET_STRING, &[])])]
    {
        let message = good(&world).await.without(SENDER_NONCE).with(SENDER_NONCE, values);
        assert_eq!(post(&world, message).await.status, StatusCode::BAD_REQUEST, "{what}");
    }
    for empty in [&[][..], &[0x30, 0], &[0x30, 0x80, 0, 0], &[5, 0], &[0]] {
        assert_eq!(world.post(empty.to_vec()).await.status, StatusCode::BAD_REQUEST, "{empty:02x?}");
        assert_refused("content", &post(&world, around(empty.to_vec()).await).await);
    }
}

// clause: RFC 8894 S16
#[tokio::test]
async fn row_37_get_base64_variants_mean_what_a_post_means() {
    let world = reproducible();
    for _ in 0..125 {
        // The answer repeats the transactionID, so it depends on what was decoded.
        let mut random = [0; 20];
        AwsLc.fill(&mut random).unwrap();
        let id = Base64::encode_string(&random);
        let message = good(&world).await.without(TRANSACTION_ID).with(TRANSACTION_ID, vec![printable(&id)]);
        let message = message.sign(&*keys().other).await;
        let posted = world.post(message.clone()).await;
        assert_eq!(posted.fail_info(), BAD_MESSAGE_CHECK);
        assert_eq!(support::attributes(&posted.body)[&TRANSACTION_ID], id.as_bytes());
        let standard = Base64::encode_string(&message);
        let lines = |end: &str| {
            let lines = standard.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap());
            lines.collect::<Vec<_>>().join(end)
        };
        for (path, text) in [
            ("/scep", standard.clone()),
            ("//scep", standard.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")),
            ("/scep/", standard.replace('=', "%3d")),
            ("/scep//pkiclient.exe", standard.replace('+', "%20")),
            ("/cgi-bin/pkiclient.exe", standard.trim_end_matches('=').to_owned()),
            ("/certsrv/mscep/mscep.dll/pkiclient.exe", Base64UrlUnpadded::encode_string(&message)),
            ("/", lines("%0A")),
            ("//", format!("{}%0D%0A", lines("%0D%0A"))),
        ] {
            let answer = world.get(&format!("{path}?operation=PKIOperation&message={text}")).await;
            assert_eq!(answer, posted, "{path} {text}");
        }
    }
}

#[tokio::test]
async fn limits_on_certificates_and_attributes_hold() {
    let world = world();
    let signer = signer().await;
    let many = Signed { certificates: vec![signer; 11], ..good(&world).await };
    assert_refused("11 certificates", &post(&world, many).await);
    let mut many = good(&world).await;
    for last in 1..=30_u32 {
        let oid = Oid::new_unwrap("1.3.6.1.4.1.99999.1");
        many = many.with(oid, vec![tlv::wrap(tlv::OCTET_STRING, &last.to_be_bytes())]);
    }
    assert_refused("35 attributes", &post(&world, many).await);
    let request = Request::get("/scep?operation=GetCACaps").body(http_body_util::Full::default()).unwrap();
    assert_eq!(world.send(request).await.status, StatusCode::OK);
    assert_eq!(world.asked(), 0);
}
