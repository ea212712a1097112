//! A webhook on loopback: what it is sent, and what is made of its answers.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    missing_docs,
    reason = "tests"
)]

use std::{
    future::ready,
    path::Path,
    sync::{Arc, Mutex},
};

use challenge_webhook::{
    Webhook, WebhookChallenge, WebhookChallengeParts, WebhookNotices, WebhookSecret, WebhookSettings,
};
use enrollment::{
    Asked, ChallengeValidator as _, NoticeCarrier as _, Outbox, Refusal, StoreError, Undelivered, Validated,
};
use issuance::{Notice, TransactionKey};
use pki_core::{
    BoxFuture, CertRef, CertificationRequest, ChallengePassword, GeneralName, IssuerId, Name,
    RequestedExtensions, SigningKey as _, UnsignedCertificationRequest,
};
use serde_json::Value;
use testkit::{FixedClock, NOW, ScriptedService, block_on, keys};

const SECRET: &str = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// Answers with these, one after the other; the last one again and again.
fn service(answers: &[(u16, &str)]) -> ScriptedService {
    let answers: Vec<(u16, String)> =
        answers.iter().map(|(status, body)| (*status, (*body).into())).collect();
    let turn = Mutex::new(0);
    ScriptedService::start(move |_| {
        let mut turn = turn.lock().unwrap();
        let (status, body) = answers[(*turn).min(answers.len() - 1)].clone();
        *turn += 1;
        (status, Vec::new(), body)
    })
}

fn webhook(service: &ScriptedService) -> Webhook {
    let secret = WebhookSecret::from_base64(SECRET).unwrap();
    let url = format!("{}/hooks/scep", service.url);
    Webhook::new(WebhookSettings { url, id: "hook-1".into(), secret, trusted_cas: Vec::new() }).unwrap()
}

fn csr(challenge: &ChallengePassword) -> CertificationRequest {
    let names = vec![
        GeneralName::Dns("laptop-1.example.com".into()),
        GeneralName::Email("ada@example.com".into()),
        GeneralName::Uri("https://example.com/1".into()),
    ];
    let extensions = RequestedExtensions { subject_alt_names: names, ..RequestedExtensions::default() };
    let (key, name) = (keys::p256(), Name::of_common_name("laptop-1"));
    let unsigned = UnsignedCertificationRequest::new(&name, key.public_key(), Some(challenge), &extensions);
    let signature = block_on(key.sign(unsigned.tbs())).unwrap();
    unsigned.finish(key.algorithm(), &signature).unwrap()
}

#[derive(Debug, Default)]
struct Posted(Mutex<Vec<Notice>>);

impl Outbox for Posted {
    fn post<'a>(&'a self, _: TransactionKey, notice: &'a Notice) -> BoxFuture<'a, Result<(), StoreError>> {
        self.0.lock().unwrap().push(notice.clone());
        Box::pin(ready(Ok(())))
    }
}

/// Asks about a request with the challenge `s3cret`; lets `then` look at the question, too.
async fn ask_then<T>(
    validator: &WebhookChallenge,
    then: impl AsyncFnOnce(&Asked<'_>) -> T,
) -> (Result<Validated, Refusal>, T) {
    let challenge = ChallengePassword::new("s3cret".into());
    let csr = csr(&challenge);
    let transaction = TransactionKey::new("devices", b"1", &[0; 32]);
    let challenge = Some(&challenge);
    let asked =
        Asked { profile: "devices", transaction_id: b"trans-1", transaction, csr: &csr, challenge, now: NOW };
    (validator.validate(&asked).await, then(&asked).await)
}

async fn ask(answers: &[(u16, &str)]) -> (Result<Validated, Refusal>, ScriptedService) {
    let service = service(answers);
    let parts = WebhookChallengeParts { webhook: webhook(&service), told: None };
    let (outcome, ()) = ask_then(&WebhookChallenge::new(parts), async |_| ()).await;
    (outcome, service)
}

#[tokio::test]
async fn the_question_is_signed_json_as_users_of_step_ca_know_it() {
    let (outcome, service) = ask(&[(200, r#"{"allow":true}"#)]).await;
    assert_eq!(outcome, Ok(Validated::default()));
    let asked = service.asked().remove(0);
    assert_eq!((&*asked.method, &*asked.target), ("POST", "/hooks/scep"));
    assert_eq!(asked.header("x-smallstep-webhook-id"), Some("hook-1"));
    let script = "import hmac,hashlib,base64,sys;print(hmac.new(base64.b64decode(sys.argv[1]),sys.stdin.buffer.read(),\
                  hashlib.sha256).hexdigest(),end='')";
    let arguments = ["-c", script, SECRET];
    let expected = testkit::run_with_input(Path::new("."), "python3", arguments, asked.body.as_bytes());
    assert_eq!(asked.header("x-smallstep-signature").unwrap().as_bytes(), expected);
    let body: Value = serde_json::from_str(&asked.body).unwrap();
    assert_eq!(body["timestamp"], NOW.to_string());
    assert_eq!(body["provisionerName"], "devices");
    assert_eq!(body["scepChallenge"], "s3cret");
    assert_eq!(body["scepTransactionID"], "trans-1");
    let request = &body["x509CertificateRequest"];
    assert_eq!(request["subject"]["commonName"], "laptop-1");
    assert_eq!(request["dnsNames"][0], "laptop-1.example.com");
    assert_eq!(request["emailAddresses"][0], "ada@example.com");
    assert_eq!(request["uris"][0], "https://example.com/1");
    let read = "import base64,sys;sys.stdout.buffer.write(base64.b64decode(sys.argv[1]))";
    let der = testkit::run("python3", ["-c", read, request["raw"].as_str().unwrap()]);
    let read = CertificationRequest::from_der(&der).unwrap();
    assert_eq!(read.challenge_password().unwrap().expose(), "s3cret");
}

#[tokio::test]
async fn its_yes_may_name_the_object_and_the_names_and_its_no_the_reason() {
    let object = "entra-device:6fa60d52-01e7-4b18-8055-4759461fc16b";
    let yes = format!(r#"{{"allow":true,"data":{{"object":"{object}","names":["laptop-1"],"more":1}}}}"#);
    let validated = ask(&[(200, &yes)]).await.0.unwrap();
    assert_eq!(validated.object, Some(object.parse().unwrap()));
    assert_eq!(validated.names, Some(vec!["laptop-1".into()]));
    for (answer, reason) in [
        (r#"{"allow":false,"data":{"reason":"not on the list"}}"#, "not on the list"),
        (r#"{"allow":false}"#, "no reason"),
    ] {
        let refusal = ask(&[(200, answer)]).await.0.unwrap_err();
        assert_eq!(refusal.code(), "challenge-rejected");
        assert!(refusal.to_string().contains(reason), "{refusal}");
    }
    let odd = ask(&[(200, r#"{"allow":true,"data":{"object":"laptop-1"}}"#)]).await.0.unwrap_err();
    assert_eq!(odd.code(), "internal-error");
}

#[tokio::test]
async fn what_fails_is_asked_once_more_and_is_never_a_yes() {
    let (outcome, service) = ask(&[(502, "{}"), (200, r#"{"allow":true}"#)]).await;
    assert!(outcome.is_ok());
    assert_eq!(service.asked().len(), 2);
    for answers in [
        &[(500, r#"{"allow":true}"#)][..],
        &[(200, "<html>yes</html>")],
        &[(200, "{}")],
        &[(200, r#"{"allow":"true"}"#)],
        &[(401, r#"{"allow":true}"#)],
        &[(404, r#"{"allow":true}"#)],
        &[(302, "")],
    ] {
        let (outcome, service) = ask(answers).await;
        assert_eq!(outcome.unwrap_err().code(), "authority-unavailable", "{answers:?}");
        assert_eq!(
            service.asked().len(),
            if matches!(answers[0].0, 500 | 302) { 2 } else { 1 },
            "{answers:?}"
        );
    }
}

#[tokio::test]
async fn it_is_told_of_certificates_and_of_refusals_and_not_of_what_may_come_again() {
    let service = service(&[(200, r#"{"allow":true}"#)]);
    let outbox = Arc::new(Posted::default());
    let told = Some((Arc::clone(&outbox) as Arc<dyn Outbox>, "webhook devices".into()));
    let validator = WebhookChallenge::new(WebhookChallengeParts { webhook: webhook(&service), told });
    let (outcome, ()) = ask_then(&validator, async |asked| {
        validator.refused(asked, &Refusal::DirectoryUnavailable("x".into())).await;
        validator.refused(asked, &Refusal::ObjectUnknown).await;
    })
    .await;
    let carrier = WebhookNotices::new(webhook(&service), "webhook devices", Arc::new(FixedClock::new(NOW)));
    let notice = outcome.unwrap().notice.unwrap();
    assert_eq!(carrier.kind(), notice.kind);
    let certificate = testkit::device_p256().certificate;
    let serial = certificate.serial_number().unwrap();
    let issued = (CertRef { issuer: IssuerId::of(&testkit::ca().certificate), serial }, certificate);
    carrier.carry(&notice, Some(&issued)).await.unwrap();
    let failures = outbox.0.lock().unwrap().clone();
    assert_eq!(failures.len(), 1, "the directory may be there tomorrow");
    carrier.carry(&failures[0], None).await.unwrap();
    let asked = service.asked();
    let told = |at: usize| serde_json::from_str::<Value>(&asked[at].body).unwrap();
    let success = told(1);
    assert_eq!(success["x509Certificate"]["serialNumber"], serial.to_string());
    assert_eq!(
        (&success["scepTransactionID"], &success["provisionerName"]),
        (&"trans-1".into(), &"devices".into())
    );
    assert!(success.get("scepErrorCode").is_none());
    let failure = told(2);
    assert_eq!(failure["scepErrorCode"], 2);
    assert!(failure["scepErrorDescription"].as_str().unwrap().contains("no such object"));
    assert!(failure.get("x509Certificate").is_none());
}

#[tokio::test]
async fn a_notice_that_is_not_taken_is_tried_again_unless_it_never_will_be() {
    let notice =
        Notice { kind: "k".into(), body: br#"{"profile":"p","transaction_id":"t","failure":null}"#.to_vec() };
    for (status, is_later) in [(500, true), (429, true), (401, true), (400, false)] {
        let service = service(&[(status, "{}")]);
        let carrier = WebhookNotices::new(webhook(&service), "k", Arc::new(FixedClock::new(NOW)));
        let outcome = carrier.carry(&notice, None).await.unwrap_err();
        assert_eq!(matches!(outcome, Undelivered::Later { .. }), is_later, "{status}: {outcome}");
    }
    let service = service(&[(200, "{}")]);
    let carrier = WebhookNotices::new(webhook(&service), "k", Arc::new(FixedClock::new(NOW)));
    let garbage = Notice { kind: "k".into(), body: b"x".to_vec() };
    assert!(matches!(carrier.carry(&garbage, None).await, Err(Undelivered::Never { .. })));
}
