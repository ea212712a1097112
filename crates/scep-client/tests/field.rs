//! Servers as they are found in the field, rebuilt from what was seen of them.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

mod support;

use std::sync::{Arc, atomic::Ordering};

use pki_core::{Certificate, ChallengePassword, Name, RequestedExtensions, SigningKey as _};
use scep_client::{
    Algorithms, ClientError, ClientKey, Enrollment, Outcome, Patience, ScepClient, Trust, Untrusted,
};
use scep_proto::{ContentCipher, FailInfo, Legacy, ReplyError, RequestMessage, Tolerance};
use support::{
    CHALLENGE, client,
    field::{FieldServer, Style, micromdm, ndes, step_ca},
    key,
};
use testkit::keys::{DEVICE_PEM, STRANGER_PEM};

/// A server, and a client that is told to put up with it.
struct World {
    server: Arc<FieldServer>,
    client: ScepClient,
}

fn world(style: Style, tolerating: &[Tolerance], legacy: &[Legacy]) -> World {
    let server = FieldServer::new(style);
    let policy = Algorithms::default().policy;
    let tolerances = tolerating.iter().fold(policy.tolerances(), |all, one| all.with(*one));
    let policy = legacy.iter().fold(policy.tolerating(tolerances), |policy, one| policy.with_legacy(*one));
    let algorithms = Algorithms { policy, ..Algorithms::default() };
    let client = client(Arc::<FieldServer>::clone(&server)).with_algorithms(algorithms);
    World { server, client }
}

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

impl World {
    async fn enroll(&self, challenge: &str, key: &ClientKey) -> Result<Outcome, ClientError> {
        let ca = self.client.ca(Trust::Fingerprint(self.server.fingerprint())).await?;
        let mut transaction = self.client.enroll(&ca, &wanted(Some(challenge)), key).await?;
        transaction.complete(Patience { retries: 0, ..Patience::default() }).await
    }

    async fn renew(
        &self,
        challenge: Option<&str>,
        new: &ClientKey,
        (current, key): (&Certificate, &ClientKey),
    ) -> Result<Outcome, ClientError> {
        let ca = self.client.ca(Trust::Fingerprint(self.server.fingerprint())).await?;
        let mut transaction = self.client.renew(&ca, &wanted(challenge), new, current, key).await?;
        transaction.complete(Patience { retries: 0, ..Patience::default() }).await
    }

    fn last(&self) -> RequestMessage {
        self.server.last.lock().unwrap().clone().unwrap().message
    }
}

#[tokio::test]
async fn micromdm_enrolls_and_renews_with_the_challenge() {
    let ((old, _), (new, new_key)) = (key(STRANGER_PEM), key(DEVICE_PEM));
    let legacy = [Legacy::Sha1, Legacy::SingleDesReplies];
    let world = world(micromdm(), &[Tolerance::ReplyNonce], &legacy);
    let first = issued(world.enroll(CHALLENGE, &old).await);
    let refused = world.renew(None, &new, (&first, &old)).await;
    assert!(matches!(refused, Err(ClientError::Refused { fail_info: FailInfo::BadRequest, .. })));
    let second = issued(world.renew(Some(CHALLENGE), &new, (&first, &old)).await);
    assert_eq!(second.public_key(), new_key.public_key());
}

// clause: RFC 8894 M3
#[tokio::test]
async fn replies_in_single_des_are_read_when_told_and_requests_are_never_made_in_it() {
    let (key, _) = key(STRANGER_PEM);
    let sha1 = [Legacy::Sha1, Legacy::TripleDes];
    let error = world(micromdm(), &[Tolerance::ReplyNonce], &sha1).enroll(CHALLENGE, &key).await.unwrap_err();
    let expected = ReplyError::AlgorithmNotAllowed(ContentCipher::DesCbc.oid());
    assert_eq!(error, ClientError::Untrusted(Untrusted::Reply(expected)));

    let told = world(micromdm(), &[Tolerance::ReplyNonce], &[Legacy::Sha1, Legacy::SingleDesReplies]);
    issued(told.enroll(CHALLENGE, &key).await);
    let exchange = told.server.last.lock().unwrap().clone().unwrap().exchange;
    assert_eq!(exchange.cipher(), ContentCipher::Aes128Cbc);
    let des = Algorithms { cipher: Some(ContentCipher::DesCbc), ..Algorithms::default() };
    let des = World { client: told.client.clone().with_algorithms(des), ..told };
    let error = des.enroll(CHALLENGE, &key).await.unwrap_err();
    assert!(matches!(error, ClientError::Request(_)), "{error}");
}

#[tokio::test]
async fn step_ca_enrolls_and_renews_with_the_challenge() {
    let ((old, _), (new, new_key)) = (key(STRANGER_PEM), key(DEVICE_PEM));
    let world = world(step_ca().await, &[Tolerance::ReplyNonce], &[]);
    let first = issued(world.enroll(CHALLENGE, &old).await);
    let refused = world.renew(None, &new, (&first, &old)).await;
    assert!(matches!(refused, Err(ClientError::Refused { fail_info: FailInfo::BadRequest, .. })));
    let second = issued(world.renew(Some(CHALLENGE), &new, (&first, &old)).await);
    assert_eq!(second.public_key(), new_key.public_key());
    assert!(matches!(world.last(), RequestMessage::RenewalReq(_)));

    // The root is trusted, the intermediate issues; or the intermediate is trusted itself.
    let root = world.client.ca(Trust::Fingerprint(world.server.fingerprint())).await.unwrap();
    assert_eq!(root.certificate(), &testkit::ca().certificate);
    assert_eq!(root.issuer().subject().to_string(), "CN=Example Intermediate CA,O=Example");
    let intermediate = Trust::Fingerprint(root.issuer().fingerprint());
    assert_eq!(world.client.ca(intermediate).await.unwrap().recipient(), root.recipient());
}

// clause: RFC 8894 M16
#[tokio::test]
async fn a_reply_without_a_nonce_of_its_own_is_refused_unless_told() {
    let (key, _) = key(STRANGER_PEM);
    let error = world(step_ca().await, &[], &[]).enroll(CHALLENGE, &key).await.unwrap_err();
    let expected = ReplyError::NotTolerated(Tolerance::ReplyNonce);
    assert_eq!(error, ClientError::Untrusted(Untrusted::Reply(expected)));
}

// clause: RFC 8894 C12, C10
#[tokio::test]
async fn ndes_enrolls_and_renews_with_two_ra_certificates_oaep_and_no_capabilities() {
    let ((old, _), (new, new_key)) = (key(STRANGER_PEM), key(DEVICE_PEM));
    let world = world(ndes().await, &[], &[Legacy::TripleDes]);
    assert_eq!(world.client.capabilities().await, Ok(scep_proto::Capabilities::default()));
    let first = issued(world.enroll(CHALLENGE, &old).await);
    let second = issued(world.renew(None, &new, (&first, &old)).await);
    assert_eq!(second.public_key(), new_key.public_key());
    // It has not said that it knows RenewalReq.
    assert!(matches!(world.last(), RequestMessage::PkcsReq(_)));
}

#[tokio::test]
async fn a_failure_of_ndes_is_a_refusal_whatever_it_holds() {
    let (key, _) = key(STRANGER_PEM);
    let world = world(ndes().await, &[], &[Legacy::TripleDes]);
    let error = world.enroll("wrong", &key).await.unwrap_err();
    assert!(matches!(error, ClientError::Refused { fail_info: FailInfo::BadRequest, .. }), "{error}");
}

// clause: RFC 8894 C7
#[tokio::test]
async fn an_old_certificate_is_not_taken_for_a_new_one() {
    let (old, _) = key(STRANGER_PEM);
    let world = world(ndes().await, &[], &[Legacy::TripleDes]);
    let first = issued(world.enroll(CHALLENGE, &old).await);
    let error = world.renew(None, &old, (&first, &old)).await.unwrap_err();
    assert_eq!(error, ClientError::SameCertificate);
    assert!(error.to_string().contains("Ask with a new key"), "{error}");
}

// clause: RFC 8894 C11
#[tokio::test]
async fn nothing_below_aes_and_sha_256_is_taken_unless_told() {
    let (key, _) = key(STRANGER_PEM);
    let error = world(ndes().await, &[], &[]).enroll(CHALLENGE, &key).await.unwrap_err();
    let triple_des = "1.2.840.113549.3.7".parse().unwrap();
    assert_eq!(error, ClientError::Untrusted(Untrusted::Reply(ReplyError::AlgorithmNotAllowed(triple_des))));

    let sha1 = Style { cipher: "aes-256-cbc", ..micromdm() };
    let told = world(sha1, &[Tolerance::ReplyNonce], &[]).enroll(CHALLENGE, &key).await.unwrap_err();
    assert!(matches!(told, ClientError::Untrusted(Untrusted::Reply(ReplyError::AlgorithmNotAllowed(_)))));
    let sha1 = Style { cipher: "aes-256-cbc", ..micromdm() };
    issued(world(sha1, &[Tolerance::ReplyNonce], &[Legacy::Sha1]).enroll(CHALLENGE, &key).await);
}

#[tokio::test]
async fn every_style_enrolls_in_one_message() {
    let (key, _) = key(STRANGER_PEM);
    for style in [micromdm(), ndes().await, step_ca().await] {
        let legacy = [Legacy::TripleDes, Legacy::Sha1, Legacy::SingleDesReplies];
        let world = world(style, &[Tolerance::ReplyNonce], &legacy);
        issued(world.enroll(CHALLENGE, &key).await);
        assert_eq!(world.server.operations.load(Ordering::SeqCst), 1);
    }
}

/// Runs the program against a server on a socket; what it says.
async fn run(url: &str, server: &FieldServer, more: &[&str], code: i32) -> String {
    let folder = testkit::tempdir().unwrap();
    std::fs::write(folder.path().join("challenge"), CHALLENGE).unwrap();
    let fingerprint = support::program::hex(&server.fingerprint());
    let fixed = ["enroll", url, "--ca-fingerprint", &fingerprint, "--subject", "CN=laptop-1"];
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_scep-client"));
    command.args(fixed).args(["--challenge-file", "challenge"]).args(more).current_dir(folder.path());
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    if code == 0 {
        let arguments = ["x509", "-in", "cert.pem", "-noout", "-subject"];
        testkit::run_in(folder.path(), "openssl", arguments);
    }
    support::program::assert_code(&output, code)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_program_says_what_to_allow_until_it_works() {
    let allowances = [
        (micromdm(), &["sha1", "reply-nonce", "single-des"][..]),
        (step_ca().await, &["reply-nonce"]),
        (ndes().await, &["triple-des"]),
    ];
    for (style, allowances) in allowances {
        let server = FieldServer::new(style);
        let url = server.serve().await;
        let mut allowed: Vec<&str> = Vec::new();
        for _ in allowances {
            let text = run(&url, &server, &allowed, 4).await;
            let next =
                allowances.iter().find(|next| text.contains(&format!("--allow {next} puts up with it")));
            allowed.extend(["--allow", next.unwrap_or_else(|| panic!("{text}"))]);
        }
        run(&url, &server, &allowed, 0).await;
    }
}
