//! What is sent to Intune's services, and what is made of their answers.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    unreachable_pub,
    dead_code,
    missing_docs,
    reason = "tests"
)]

mod support;

use base64ct::{Base64, Encoding as _};
use challenge_intune::{HResult, IntuneError, ResultCode, RevocationResult, ScepTransaction};
use pki_core::{
    CertificationRequest, ChallengePassword, IssuerId, Name, RequestedExtensions, SigningKey as _,
    UnsignedCertificationRequest,
};
use rest_client::RestError;
use serde_json::{Value, json};
use support::FakeIntune;
use testkit::block_on;

fn csr() -> CertificationRequest {
    let (key, challenge) = (testkit::keys::rsa(testkit::keys::DEVICE_PEM), "an opaque challenge");
    let challenge = ChallengePassword::new(challenge.to_owned());
    let subject = Name::of_common_name("d6b58414-60ed-426b-b382-276a3e8d626d");
    let unsigned = UnsignedCertificationRequest::new(
        &subject,
        pki_core::SigningKey::public_key(&*key),
        Some(&challenge),
        &RequestedExtensions::default(),
    );
    let signature = block_on(key.sign(unsigned.tbs())).unwrap();
    unsigned.finish(key.algorithm(), &signature).unwrap()
}

fn transaction() -> ScepTransaction {
    ScepTransaction::new(b"transaction-1", &csr())
}

#[tokio::test]
async fn a_request_is_validated_and_its_fate_told() {
    let intune = FakeIntune::start();
    let client = intune.client();
    client.validate(&transaction()).await.unwrap();
    let expected = json!({"request": {
        "transactionId": "transaction-1",
        "certificateRequest": Base64::encode_string(csr().as_der()),
        "callerInfo": "Certbound test",
    }});
    assert_eq!(intune.told("validateRequest"), [expected]);
    let (ca, device) = (testkit::ca(), testkit::device());
    let issuer = IssuerId::of(&ca.certificate);
    client.notify_success(&transaction(), &device.certificate, issuer).await.unwrap();
    let told = &intune.told("successNotification")[0]["notification"];
    let serial = device.certificate.serial_number().unwrap().to_string();
    assert_eq!(told["certificateSerialNumber"], json!(serial));
    let thumbprint = told["certificateThumbprint"].as_str().unwrap();
    assert!(thumbprint.len() == 40 && thumbprint.to_uppercase() == thumbprint, "{thumbprint}");
    let expires = told["certificateExpirationDateUtc"].as_str().unwrap();
    assert!(expires.len() == 24 && expires.contains(".000Z"), "{expires}");
    let name = device.certificate.issuer().to_string();
    assert_eq!(told["issuingCertificateAuthority"], json!(name));
    assert_eq!(told["caConfiguration"].as_str().unwrap().len(), 64);
    let long = "ü".repeat(300);
    client.notify_failure(&transaction(), HResult::AccessDenied, &long).await.unwrap();
    let told = &intune.told("failureNotification")[0]["notification"];
    assert_eq!(told["hResult"], json!(2_147_942_405_u32));
    assert_eq!(told["errorDescription"].as_str().unwrap().chars().count(), 255);
    assert_eq!(intune.looked_up(), 1, "where the services are is remembered");
}

#[tokio::test]
async fn only_success_lets_a_request_pass() {
    let intune = FakeIntune::start();
    let client = intune.client();
    for code in ResultCode::all() {
        intune.tell(|script| script.code = code.name());
        let answer = client.validate(&transaction()).await;
        let why = || String::from("as the test says");
        let expected = match code {
            ResultCode::Success => Ok(()),
            ResultCode::Unknown => Err(IntuneError::Undecided { code: "Unknown".into(), why: why() }),
            code => Err(IntuneError::Rejected { code, why: why() }),
        };
        assert_eq!(answer, expected);
        let notified = client.notify_failure(&transaction(), HResult::Failed, "x").await;
        assert_eq!(notified.is_ok(), code == ResultCode::Success, "a notification is judged the same way");
    }
    intune.tell(|script| script.code = "YesOfCourse");
    let error = client.validate(&transaction()).await.unwrap_err();
    assert!(matches!(error, IntuneError::Undecided { .. }) && error.to_string().contains("YesOfCourse"));
}

#[tokio::test]
async fn whatever_is_no_answer_is_neither_yes_nor_no() {
    let intune = FakeIntune::start();
    let client = intune.client();
    for (status, body) in [
        (200, ""),
        (200, "{}"),
        (200, "[]"),
        (200, "<html>Success</html>"),
        (200, r#"{"code":null}"#),
        (200, r#"{"Code":"Success"}"#),
        (200, r#"{"code":"Success""#),
        (400, r#"{"code":"Success"}"#),
        (401, "{}"),
        (403, "{}"),
        (404, "{}"),
        (404, "not found"),
        (429, ""),
        (500, r#"{"code":"Success","errorDescription":""}"#),
        (503, ""),
    ] {
        intune.tell(|script| script.instead = Some((status, body)));
        let error = client.validate(&transaction()).await.unwrap_err();
        assert!(matches!(error, IntuneError::Unreachable(_)), "{status} {body}: {error}");
    }
    intune.tell(|script| script.instead = None);
    client.validate(&transaction()).await.unwrap();
}

#[tokio::test]
async fn services_that_move_are_found_again() {
    let intune = FakeIntune::start();
    let client = intune.client();
    client.validate(&transaction()).await.unwrap();
    intune.tell(|script| script.place = "/Elsewhere/Scep");
    client.validate(&transaction()).await.unwrap();
    assert_eq!(intune.looked_up(), 2);
    // Where they are is not in doubt when they ask for patience.
    intune.tell(|script| script.instead = Some((429, "")));
    let error = client.validate(&transaction()).await.unwrap_err();
    assert!(matches!(error, IntuneError::Unreachable(RestError::Throttled { .. })), "{error}");
    assert_eq!(intune.looked_up(), 2);
}

#[tokio::test]
async fn many_who_ask_at_once_look_the_services_up_once() {
    let intune = FakeIntune::start();
    let client = intune.client();
    let asking = (0..8).map(|_| {
        let client = client.clone();
        tokio::spawn(async move { client.validate(&transaction()).await })
    });
    for asked in asking.collect::<Vec<_>>() {
        asked.await.unwrap().unwrap();
    }
    assert_eq!(intune.looked_up(), 1);
}

#[tokio::test]
async fn credentials_that_are_not_taken_are_told_from_a_no() {
    let intune = FakeIntune::start();
    for (graph, service) in [("another", "intune"), ("graph", "another")] {
        let error = intune.client_with_tokens(graph, service).validate(&transaction()).await.unwrap_err();
        assert!(matches!(error, IntuneError::Unreachable(RestError::Unauthorized { .. })), "{error}");
    }
}

#[tokio::test]
async fn requests_to_revoke_are_fetched_and_their_results_told() {
    let intune = FakeIntune::start();
    let client = intune.client();
    assert_eq!(client.download_revocations().await, Ok(Vec::new()));
    let listed = json!([
        {"requestContext": "one", "serialNumber": "20EB1AB6", "issuerName": "CN=x", "caConfiguration": "00"},
        {"requestContext": "two", "serialNumber": "0a:0b", "issuerName": null},
    ]);
    intune.tell(|script| script.revocations = listed);
    let fetched = client.download_revocations().await.unwrap();
    let serials: Vec<_> = fetched.iter().map(|one| one.serial().unwrap().to_string()).collect();
    assert_eq!(serials, ["20EB1AB6", "0A0B"]);
    let results = [
        RevocationResult::Revoked,
        RevocationResult::NotFound,
        RevocationResult::Malformed,
        RevocationResult::TryAgain,
    ];
    let results: Vec<_> = results.into_iter().map(|result| (format!("{result:?}"), result)).collect();
    client.upload_revocations(&results).await.unwrap();
    let told = intune.told("uploadRevocationResults")[0]["results"].clone();
    let codes: Vec<_> = told.as_array().unwrap().iter().map(|one| one["errorCode"].clone()).collect();
    let expected =
        ["None", "CertificateNotFoundError", "ParameterDataInvalidError", "RetryableServiceException"];
    assert_eq!(codes, expected.map(Value::from));
    let first =
        json!({"requestContext": "Revoked", "succeeded": true, "errorCode": "None", "errorMessage": null});
    assert_eq!(told[0], first);
    assert_eq!(told[1]["succeeded"], json!(false));
    intune.tell(|script| script.code = "No");
    client.upload_revocations(&results).await.unwrap_err();
}
