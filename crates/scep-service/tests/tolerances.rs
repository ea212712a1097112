//! Each departure from the RFC that is read all the same: enrolled and counted where it is granted, refused where it is
//! switched off.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]
#![allow(clippy::arithmetic_side_effects, reason = "tests")]

mod support;

use base64ct::{Base64, Encoding as _};
use bytes::Bytes;
use http_body_util::Full;
use hyper::{Request, StatusCode};
use keys_software::AwsLc;
use pki_core::{Certificate, Extension, Name, Oid, SignatureAlgorithm, SigningKey, oids, tlv};
use prometheus_client::{encoding::text::encode, registry::Registry};
use scep_proto::{AlgorithmPolicy, Tolerance, Tolerances};
use scep_service::{ScepParts, metrics::ScepMetrics};
use support::{
    CHALLENGE, World, csr,
    forge::{
        self, AES128_CBC, CONTENT_KEY, CONTENT_TYPE, IV, MESSAGE_TYPE, SENDER_NONCE, Signed, TRANSACTION_ID,
        encrypted, enveloped, printable, recipient_called, sealed, wrapped,
    },
    keys, signer, world, world_with,
};

const UTF8_STRING: u8 = 0x0C;
const BMP_STRING: u8 = 0x1E;
const RSA_ENCRYPTION: Oid = Oid::new_unwrap("1.2.840.113549.1.1.1");
/// extensionReq of SCEP's drafts.
const LEGACY_EXTENSION_REQUEST: Oid = Oid::new_unwrap("2.16.840.1.113733.1.9.8");

type Sent = Request<Full<Bytes>>;

async fn signed(message: Signed) -> Vec<u8> {
    message.sign(&*keys().client).await
}

fn post_to(target: &str, message: Vec<u8>) -> Sent {
    Request::post(target).body(Full::new(message.into())).unwrap()
}

async fn post(message: Signed) -> Sent {
    post_to("/scep?operation=PKIOperation", signed(message).await)
}

/// The base64 of a sound message, escaped as the RFC has it, with both characters that differ between the alphabets and
/// padding in it; as `spoil` leaves it.
async fn get(world: &World, spoil: fn(&str) -> String) -> Sent {
    for attempt in 0..50 {
        let id = printable(&"t".repeat(20 + attempt));
        let base64 = Base64::encode_string(&signed(proper(world).await.replacing(TRANSACTION_ID, id)).await);
        if ['+', '/', '='].iter().all(|&character| base64.contains(character)) {
            let escaped = base64.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
            let target = format!("/scep?operation=PKIOperation&message={}", spoil(&escaped));
            return Request::get(target).body(Full::default()).unwrap();
        }
    }
    panic!("no message in fifty has all of base64");
}

/// A request that needs nothing.
async fn proper(world: &World) -> Signed {
    around(world, csr("laptop-1", CHALLENGE).await.as_der()).await
}

async fn around(world: &World, csr: &[u8]) -> Signed {
    Signed::request("19", sealed(csr, &world.ra, &AwsLc), &signer().await)
}

fn attribute(oid: Oid, value: &[u8]) -> Vec<u8> {
    tlv::sequence([&*tlv::oid(oid), &tlv::wrap(tlv::SET, value)])
}

fn challenge() -> Vec<u8> {
    attribute(oids::CHALLENGE_PASSWORD, &printable(CHALLENGE))
}

/// A PKCS #10 request of that version and those attributes, with which the CA of these tests is content.
async fn request(version: u8, attributes: Option<&[u8]>) -> Vec<u8> {
    let (key, name) = (&*keys().client, Name::of_common_name("laptop-1"));
    let attributes = attributes.map(|content| tlv::wrap(0xA0, content)).unwrap_or_default();
    let public_key = SigningKey::public_key(key).as_der();
    let info = tlv::sequence([&[2, 1, version][..], name.as_der(), public_key, &attributes]);
    let signature = [&[0], &*key.sign(&info).await.unwrap()].concat();
    let algorithm = SignatureAlgorithm::RsaPkcs1Sha256.to_der();
    tlv::sequence([&*info, &algorithm, &tlv::wrap(tlv::BIT_STRING, &signature)])
}

/// The certificate that a client makes for itself, with this number and these extensions.
async fn self_signed(serial: &[u8], extensions: &[Extension]) -> Certificate {
    let (key, name) = (&*keys().client, Name::of_common_name("client"));
    let public_key = SigningKey::public_key(key);
    forge::numbered_certificate(serial, &name, key, &name, public_key, extensions).await
}

async fn signed_by(world: &World, certificate: Certificate) -> Sent {
    let envelope = sealed(csr("laptop-1", CHALLENGE).await.as_der(), &world.ra, &AwsLc);
    post(Signed::request("19", envelope, &certificate)).await
}

/// The outermost element with an indefinite length.
fn indefinite(der: &[u8]) -> Vec<u8> {
    let element = tlv::Cursor::over(der, "an element").unwrap().next().unwrap();
    [&[element.tag, 0x80], element.value, &[0, 0]].concat()
}

/// To the RA, whose issuer is written in another string type than in its certificate.
async fn re_encoded(world: &World) -> Signed {
    let mut issuer = world.ra.issuer().as_der().to_vec();
    // The string after each attribute type `2.5.4.x`.
    let types = issuer.windows(5).enumerate().filter(|(_, octets)| octets.starts_with(&[6, 3, 0x55, 4]));
    for at in types.map(|(at, _)| at + 5).collect::<Vec<_>>() {
        assert_eq!(std::mem::replace(&mut issuer[at], 0x13), UTF8_STRING);
    }
    let id = tlv::sequence([&*issuer, &tlv::wrap(tlv::INTEGER, world.ra.serial_octets())]);
    let recipients = [recipient_called(&id, &wrapped(&world.ra, &CONTENT_KEY, &AwsLc))];
    let csr = csr("laptop-1", CHALLENGE).await;
    let envelope = enveloped(&recipients, AES128_CBC, &IV, &encrypted(csr.as_der()));
    Signed::request("19", envelope, &signer().await)
}

/// What a client sends that needs this tolerance and no other; `None` for what servers send.
async fn needing(tolerance: Tolerance, world: &World) -> Option<Sent> {
    let id = async |tag: u8, text: &str| {
        post(proper(world).await.replacing(TRANSACTION_ID, tlv::wrap(tag, text.as_bytes()))).await
    };
    let asking = async |csr: Vec<u8>| post(around(world, &csr).await).await;
    Some(match tolerance {
        Tolerance::GetRawPlus => get(world, |text| text.replace("%2B", "+")).await,
        Tolerance::GetUrlAlphabet => get(world, |text| text.replace("%2B", "-").replace("%2F", "_")).await,
        Tolerance::GetLineBreaks => get(world, |text| format!("{}%0A{}", &text[..64], &text[64..])).await,
        Tolerance::GetMissingPadding => get(world, |text| text.replace("%3D", "")).await,
        Tolerance::PostWithoutOperation => post_to("/scep", signed(proper(world).await).await),
        Tolerance::OperationCase => {
            post_to("/scep?operation=pkioperation", signed(proper(world).await).await)
        }
        Tolerance::Ber => {
            let csr = csr("laptop-1", CHALLENGE).await;
            let envelope = indefinite(&sealed(csr.as_der(), &world.ra, &AwsLc));
            post(Signed::request("19", envelope, &signer().await)).await
        }
        Tolerance::NonceLength => {
            let nonce = tlv::wrap(tlv::OCTET_STRING, &[7; 8]);
            post(proper(world).await.replacing(SENDER_NONCE, nonce)).await
        }
        Tolerance::UnsortedAttributes => post(Signed { sorted: false, ..proper(world).await }).await,
        Tolerance::MissingContentType => post(proper(world).await.without(CONTENT_TYPE)).await,
        Tolerance::AttributeStringType => {
            post(proper(world).await.replacing(MESSAGE_TYPE, tlv::wrap(UTF8_STRING, b"19"))).await
        }
        Tolerance::TransactionIdStringType => id(UTF8_STRING, "transaction-1").await,
        Tolerance::TransactionIdCharacters => id(0x13, "SSCEP_transactionId").await,
        Tolerance::Md5TransactionId => id(0x13, "9D4C8B1E5D6A0F3B7C2E4A6D8F0B1C3E").await,
        Tolerance::RsaEncryptionSignature => {
            let algorithm = tlv::sequence([&*tlv::oid(RSA_ENCRYPTION), &[5, 0]]);
            post(Signed { signature_algorithm: Some(algorithm), ..proper(world).await }).await
        }
        Tolerance::CriticalAuthorityKeyIdentifier => {
            let value = tlv::wrap(tlv::SEQUENCE, &tlv::wrap(0x80, &[0x18; 20]));
            let extension = Extension::new(oids::AUTHORITY_KEY_IDENTIFIER, value).critical();
            signed_by(world, self_signed(&[0x40], &[extension]).await).await
        }
        Tolerance::SignerSerialNumber => {
            signed_by(world, self_signed(&[0x37; 32], &forge::ra_extensions()).await).await
        }
        Tolerance::ReEncodedIssuer => post(re_encoded(world).await).await,
        Tolerance::RequestVersion => asking(request(2, Some(&challenge())).await).await,
        // Without attributes there is no challenge: only a certificate of the CA is authority then.
        Tolerance::RequestWithoutAttributes => {
            let envelope = sealed(&request(0, None).await, &world.ra, &AwsLc);
            post(Signed::request("17", envelope, &issued(world).await)).await
        }
        Tolerance::LegacyExtensionRequest => {
            let attributes = [challenge(), attribute(LEGACY_EXTENSION_REQUEST, &[0x30, 0])].concat();
            asking(request(0, Some(&attributes)).await).await
        }
        Tolerance::ChallengeStringType => {
            let text: Vec<u8> = CHALLENGE.encode_utf16().flat_map(u16::to_be_bytes).collect();
            let attribute = attribute(oids::CHALLENGE_PASSWORD, &tlv::wrap(BMP_STRING, &text));
            asking(request(0, Some(&attribute)).await).await
        }
        Tolerance::ReplyContent | Tolerance::ReplyNonce => return None,
    })
}

/// A certificate of the CA for the client's key.
async fn issued(world: &World) -> Certificate {
    let key = SigningKey::public_key(&*keys().client);
    let (subject, extensions) = (Name::of_common_name("laptop-1"), forge::ra_extensions());
    forge::certificate(9, world.ca.subject(), &*keys().ca, &subject, key, &extensions).await
}

/// The services of a CA that grants `granted`, and what they count.
fn granting(granted: Tolerances) -> (World, Registry) {
    let (metrics, mut registry) = (ScepMetrics::new(), Registry::default());
    metrics.register(&mut registry);
    let policy = AlgorithmPolicy::default().tolerating(granted);
    let world = world_with(|parts| ScepParts { policy, ..parts });
    let service = world.service.clone().with_metrics(metrics.of_profile("p"));
    (World { service, ..world }, registry)
}

/// The names of the tolerances that were counted.
fn counted(registry: &Registry) -> Vec<String> {
    let mut text = String::new();
    encode(&mut text, registry).unwrap();
    let lines = text.lines().filter_map(|line| line.strip_prefix("certbound_scep_tolerated_total{"));
    let names =
        lines.filter(|line| !line.ends_with(" 0")).map(|line| line.split('"').nth(3).unwrap().to_owned());
    names.collect()
}

// clause: RFC 8894 M10, M11, M16, S16, S18
#[tokio::test]
async fn each_enrolls_and_is_counted_where_it_is_granted_and_is_refused_where_it_is_not() {
    for tolerance in Tolerance::all() {
        let (world, registry) = granting(Tolerances::NONE.with(tolerance));
        let Some(sent) = needing(tolerance, &world).await else { continue };
        let answer = world.send(sent).await;
        assert_eq!((answer.status, world.issued()), (StatusCode::OK, 1), "{tolerance}");
        assert_eq!(counted(&registry), [tolerance.name()]);

        let (world, _) = granting(Tolerances::all().without(tolerance));
        let answer = world.send(needing(tolerance, &world).await.unwrap()).await;
        if answer.status == StatusCode::OK {
            // What makes a signature doubtful is answered as one that failed.
            let is_of_signature =
                matches!(tolerance, Tolerance::MissingContentType | Tolerance::UnsortedAttributes);
            assert_eq!(answer.fail_info(), if is_of_signature { "1" } else { "2" }, "{tolerance}");
        } else {
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{tolerance}");
            assert!(answer.text().contains(tolerance.name()), "{}", answer.text());
        }
        assert_eq!(world.asked(), 0, "{tolerance}");
    }
}

#[tokio::test]
async fn a_sound_request_needs_none() {
    let (strict, registry) = granting(Tolerances::NONE);
    let sent = post(proper(&world()).await).await;
    assert_eq!((strict.send(sent).await.status, strict.issued()), (StatusCode::OK, 1));
    let sent = get(&strict, str::to_owned).await;
    assert_eq!((strict.send(sent).await.status, strict.issued()), (StatusCode::OK, 2));
    assert_eq!(counted(&registry), [""; 0]);
}
