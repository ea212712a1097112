//! The CA that comes next, and keys that cannot decrypt.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::sync::Arc;

use keys_software::AwsLc;
use pki_core::{Certificate, ChallengePassword, Name, RequestedExtensions, SigningKey};
use scep_client::{
    ClientError, ClientKey, Enrollment, Outcome, Patience, ScepClient, Trust, TrustedCa, Untrusted,
};
use scep_proto::{ReplyError, next_ca_certificates};
use scep_service::Renewal;
use support::{
    CHALLENGE, InProcess, SmallCa, client,
    field::{FieldServer, Style, ndes},
    key, reply, service,
};
use testkit::keys::STRANGER_PEM;

fn wanted(challenge: Option<&str>) -> Enrollment {
    Enrollment {
        subject: Name::of_common_name("laptop-1"),
        challenge: challenge.map(|secret| ChallengePassword::new(secret.into())),
        extensions: RequestedExtensions::default(),
    }
}

fn issued(outcome: Result<Outcome, ClientError>) -> Certificate {
    match outcome {
        Ok(Outcome::Issued(certificate)) => certificate,
        other => panic!("{other:?}"),
    }
}

async fn trusted(client: &ScepClient) -> TrustedCa {
    client.ca(Trust::Fingerprint(testkit::ca().certificate.fingerprint())).await.unwrap()
}

/// GetNextCACert of [`testkit::ca`], which announces [`testkit::rsa_ca`], signed by `signer`.
async fn announcement(ca: &Certificate, signer: &dyn SigningKey) -> Vec<u8> {
    let next = testkit::rsa_ca();
    let next = [next.certificate, next.ra_certificate];
    let unsigned = next_ca_certificates::prepare(&next, ca, signer.algorithm(), testkit::NOW).unwrap();
    let signature = signer.sign(unsigned.tbs()).await.unwrap();
    unsigned.finish(&signature)
}

/// A server at whose URL the next CA already answers what is encrypted to it.
fn rolling_over(announcement: &[u8]) -> ScepClient {
    let next = Arc::new(SmallCa::new(testkit::rsa_ca(), None));
    let mut transport = InProcess::new(service(next, Renewal::Offered));
    let current = testkit::ca();
    let (_, list) = scep_proto::ca_certificates::encode(&[current.ra_certificate, current.certificate]);
    transport.instead.insert("GetCACert", reply(200, &list));
    transport.instead.insert("GetNextCACert", reply(200, announcement));
    client(Arc::new(transport))
}

// clause: RFC 8894 C16, S24
#[tokio::test]
async fn the_next_ca_is_taken_from_the_current_one_and_issues() {
    let (current, next) = (testkit::ca(), testkit::rsa_ca());
    let client = rolling_over(&announcement(&current.certificate, &*current.key).await);
    let coming = client.next_ca(&trusted(&client).await).await.unwrap();
    assert_eq!((coming.certificate(), coming.issuer()), (&next.certificate, &next.certificate));
    assert_eq!(coming.recipient(), &next.ra_certificate);
    let (key, _) = key(STRANGER_PEM);
    let mut transaction = client.enroll(&coming, &wanted(Some(CHALLENGE)), &key).await.unwrap();
    let certificate = issued(transaction.complete(Patience::default()).await);
    certificate.verify_signed_by(next.certificate.public_key(), &AwsLc).unwrap();
}

// clause: RFC 8894 C16
#[tokio::test]
async fn a_next_ca_that_the_current_one_has_not_signed_is_not_taken() {
    let (current, next) = (testkit::ca(), testkit::rsa_ca());
    let by_itself = announcement(&next.certificate, &*next.key).await;
    let in_the_name = announcement(&current.certificate, &*testkit::keys::p256()).await;
    let (_, unsigned) = scep_proto::ca_certificates::encode(&[next.certificate, next.ra_certificate]);
    let mut altered = announcement(&current.certificate, &*current.key).await;
    let at = altered.windows(11).position(|window| window == b"Example RSA").unwrap();
    altered[at] = b'e';
    let unknown = |error: &ReplyError| matches!(error, ReplyError::UnknownSigner);
    for (at, body) in [by_itself, in_the_name, unsigned, altered, b"<html>".to_vec()].iter().enumerate() {
        let client = rolling_over(body);
        let error = client.next_ca(&trusted(&client).await).await.unwrap_err();
        let ClientError::Untrusted(Untrusted::Reply(error)) = error else { panic!("{at}: {error}") };
        assert_eq!(unknown(&error), at == 0, "{at}: {error}");
    }
}

// clause: RFC 8894 C16
#[tokio::test(flavor = "multi_thread")]
async fn the_program_writes_the_next_ca_and_no_other() {
    let (current, next) = (testkit::ca(), testkit::rsa_ca());
    let sound = announcement(&current.certificate, &*current.key).await;
    let by_itself = announcement(&next.certificate, &*next.key).await;
    for (body, code) in [(sound, 0), (by_itself, 4)] {
        let style = Style { next_ca: Some(body), ..ndes().await };
        let url = FieldServer::new(style).serve().await;
        let folder = testkit::tempdir().unwrap();
        std::fs::write(folder.path().join("ca.pem"), current.certificate.to_pem()).unwrap();
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_scep-client"));
        command.args(["get-next-ca", &url, "--ca-cert", "ca.pem", "--out", "next.pem"]);
        command.current_dir(folder.path());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        support::program::assert_code(&output, code);
        let written = std::fs::read_to_string(folder.path().join("next.pem")).ok();
        assert_eq!(written, (code == 0).then(|| next.certificate.to_pem()));
    }
}

fn small_ca() -> (ScepClient, Arc<InProcess>) {
    let ca = Arc::new(SmallCa::new(testkit::ca(), None));
    let transport = Arc::new(InProcess::new(service(ca, Renewal::Offered)));
    (client(Arc::<InProcess>::clone(&transport)), transport)
}

// clause: RFC 8894 M5, M6
#[tokio::test]
async fn keys_that_cannot_decrypt_get_their_replies_under_the_challenge() {
    for key in [testkit::keys::p256(), testkit::keys::p384()] {
        let (client, transport) = small_ca();
        let ca = trusted(&client).await;
        let key = ClientKey::signing_only(key);
        let mut transaction = client.enroll(&ca, &wanted(Some(CHALLENGE)), &key).await.unwrap();
        let first = issued(transaction.complete(Patience::default()).await);
        assert_eq!(first.public_key(), key.signing.public_key());

        // A renewal needs no challenge; what its reply is encrypted under is made up.
        for _ in 0..2 {
            let mut renewal = client.renew(&ca, &wanted(None), &key, &first, &key).await.unwrap();
            assert_ne!(issued(renewal.complete(Patience::default()).await), first);
        }
        assert_eq!(transport.posted().len(), 3);
    }
}

// clause: RFC 8894 M5, C8
#[tokio::test(start_paused = true)]
async fn a_key_that_cannot_decrypt_asks_again_by_its_request_and_its_challenge() {
    let (client, transport) = small_ca();
    let ca = trusted(&client).await;
    let key = ClientKey::signing_only(testkit::keys::p256());
    let slow = Enrollment { subject: Name::of_common_name("slow-1"), ..wanted(Some(CHALLENGE)) };
    let mut transaction = client.enroll(&ca, &slow, &key).await.unwrap();
    let patience = Patience { max_wait: std::time::Duration::from_secs(60), ..Patience::default() };
    assert_eq!(issued(transaction.complete(patience).await).public_key(), key.signing.public_key());
    let posted = transport.posted();
    assert_eq!(posted.len(), 3);
    assert!(posted.iter().all(|message| *message == posted[0]));
}

#[tokio::test]
async fn without_anything_to_open_the_reply_with_nothing_is_sent() {
    let (client, transport) = small_ca();
    let ca = trusted(&client).await;
    let key = ClientKey::signing_only(testkit::keys::p256());
    let error = client.enroll(&ca, &wanted(None), &key).await.unwrap_err();
    assert!(matches!(error, ClientError::CannotDecrypt(_)), "{error}");
    assert!(error.to_string().contains("or a challenge to encrypt it under: the key is P-256"), "{error}");
    let identity = client.self_signed(&Name::of_common_name("x"), &key).await.unwrap();
    let serial = pki_core::SerialNumber::from_be_bytes(&[9]).unwrap();
    let error = client.find_certificate(&ca, &serial, &identity).await.unwrap_err();
    assert!(matches!(error, ClientError::CannotDecrypt(_)), "{error}");
    assert!(transport.posted().is_empty());
}

#[tokio::test]
async fn a_key_that_decrypts_may_renew_for_one_that_does_not() {
    let (client, _) = small_ca();
    let ca = trusted(&client).await;
    let (rsa, _) = key(STRANGER_PEM);
    let mut transaction = client.enroll(&ca, &wanted(Some(CHALLENGE)), &rsa).await.unwrap();
    let first = issued(transaction.send().await);
    let new = ClientKey::signing_only(testkit::keys::p384());
    let mut renewal = client.renew(&ca, &wanted(None), &new, &first, &rsa).await.unwrap();
    assert!(renewal.request().challenge_password().is_none());
    let second = issued(renewal.send().await);
    assert_eq!(second.public_key(), new.signing.public_key());
}
