//! Intune's services find what is wrong with a request, and remember what they are told.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    reason = "tests"
)]

mod support;

use std::time::Duration;

use emulators::{Action, ChallengeTerms, Fault, Faulty, Kind, Options, Service};
use pki_core::{
    ChallengePassword, GeneralName, Name, RequestedExtensions, SigningKey as _, UnsignedCertificationRequest,
    oids,
};
use reqwest::Method;
use serde_json::{Value, json};
use support::{INTUNE_SCOPE, World, answer};

const ID: &str = "d6b58414-60ed-426b-b382-276a3e8d626d";

struct Intune {
    world: World,
    device: String,
    validation: String,
    connector: String,
    token: String,
}

async fn intune() -> Intune {
    let world = World::start(Options::default()).await;
    let path = "/v1.0/servicePrincipals/appId=0000000a-0000-0000-c000-000000000000/endpoints";
    let body = world.found(path).await;
    let old = format!(
        "/{}/servicePrincipalsByAppId/0000000a-0000-0000-c000-000000000000/serviceEndpoints?api-version=1.6",
        world.emulators.credentials().tenant
    );
    let old = world.found(&old).await;
    let uri = |body: &Value, field: &str, name: &str| {
        let all = body["value"].as_array().unwrap();
        all.iter().find(|service| service[field] == name).unwrap()["uri"].as_str().unwrap().to_owned()
    };
    let [validation, connector] = ["ScepRequestValidationFEService", "PkiConnectorFEService"].map(|name| {
        assert_eq!(uri(&body, "providerName", name), uri(&old, "serviceName", name));
        uri(&body, "providerName", name)
    });
    assert!(validation.starts_with(world.emulators.intune()), "{validation}");
    let device = world.emulators.ids(Kind::IntuneDevice).remove(0);
    let token = world.token(INTUNE_SCOPE).await;
    Intune { world, device, validation, connector, token }
}

impl Intune {
    fn post(&self, url: String, version: &str) -> reqwest::RequestBuilder {
        let request = self.world.http.post(url).bearer_auth(&self.token);
        request.header("api-version", version).header("client-request-id", ID)
    }

    async fn act(&self, action: &str, body: &Value) -> (u16, Value) {
        let url = format!("{}/ScepActions/{action}", self.validation);
        answer(self.post(url, "2018-02-20").json(body)).await
    }

    async fn verdict(&self, csr: &[u8]) -> String {
        let request = json!({"transactionId": "t", "certificateRequest": base64(csr), "callerInfo": "test"});
        let (status, body) = self.act("validateRequest", &json!({"request": request})).await;
        assert_eq!(status, 200, "{body}");
        body["code"].as_str().unwrap().to_owned()
    }

    fn challenge(&self, terms: ChallengeTerms) -> String {
        self.world.emulators.challenge(ChallengeTerms { device: self.device.clone(), ..terms }).unwrap()
    }
}

fn base64(octets: &[u8]) -> String {
    use base64ct::{Base64, Encoding as _};
    Base64::encode_string(octets)
}

fn csr(subject: &Name, names: &[GeneralName], challenge: Option<&str>) -> Vec<u8> {
    let key = testkit::keys::rsa_2048();
    let challenge = challenge.map(|text| ChallengePassword::new(text.to_owned()));
    let extensions =
        RequestedExtensions { subject_alt_names: names.to_vec(), ..RequestedExtensions::default() };
    let unsigned =
        UnsignedCertificationRequest::new(subject, key.public_key(), challenge.as_ref(), &extensions);
    let signature = testkit::block_on(key.sign(unsigned.tbs())).unwrap();
    unsigned.finish(key.algorithm(), &signature).unwrap().as_der().to_vec()
}

#[tokio::test]
async fn a_request_is_good_when_it_is_what_the_challenge_was_made_for() {
    let intune = intune().await;
    let (device, plain) = (Name::of_common_name(&intune.device), intune.challenge(ChallengeTerms::default()));
    let uri = GeneralName::Uri(format!("IntuneDeviceId://{}", intune.device));
    let named = intune.challenge(ChallengeTerms {
        alternative_names: vec![uri.clone()],
        key_bits: Some(3072),
        ..ChallengeTerms::default()
    });
    let usages = intune.challenge(ChallengeTerms {
        extended_key_usages: vec![oids::KP_CLIENT_AUTH],
        ..ChallengeTerms::default()
    });
    let (right, other) = ([uri], [GeneralName::Dns("example.com".into())]);
    let empty = Name::from_der(&[0x30, 0]).unwrap();
    for (subject, names, challenge, expected) in [
        (&device, &[][..], Some(&*plain), "Success"),
        (&device, &[], Some(&*plain), "Success"),
        (&device, &[], None, "ChallengePasswordMissing"),
        (&device, &[], Some("not base64!"), "ChallengeDecodingError"),
        (&device, &[], Some("bm90IG91cnM="), "ChallengeDecryptionError"),
        (&empty, &[], Some(&*plain), "SubjectNameMissing"),
        (&Name::of_common_name("somebody else"), &[], Some(&*plain), "SubjectNameMismatch"),
        (&device, &other, Some(&*plain), "SubjectAltNameMismatch"),
        (&device, &[], Some(&*named), "SubjectAltNameMissing"),
        (&device, &other, Some(&*named), "SubjectAltNameMismatch"),
        (&device, &right, Some(&*named), "KeyLengthMismatch"),
        (&device, &[], Some(&*usages), "EnhancedKeyUsageMissing"),
    ] {
        let csr = csr(subject, names, challenge);
        assert_eq!(intune.verdict(&csr).await, expected, "{subject:?} {names:?} {challenge:?}");
    }
    assert_eq!(intune.verdict(b"no request").await, "CertificateRequestDecodingFailed");
    let mut forged = csr(&device, &[], Some(&plain));
    *forged.last_mut().unwrap() ^= 1;
    assert_eq!(intune.verdict(&forged).await, "SignatureValidationFailed");
}

#[tokio::test]
async fn a_challenge_ends_with_its_time_and_its_device() {
    let intune = intune().await;
    let user = intune.world.emulators.ids(Kind::EntraUser).remove(0);
    let challenge =
        intune.challenge(ChallengeTerms { user: Some(user.clone()), ..ChallengeTerms::default() });
    let csr = csr(&Name::of_common_name(&intune.device), &[], Some(&challenge));
    let act = |kind, id: &str, action| drop(intune.world.emulators.act(kind, id, &action).unwrap());
    assert_eq!(intune.verdict(&csr).await, "Success");
    act(Kind::EntraUser, &user, Action::Delete);
    assert_eq!(intune.verdict(&csr).await, "BadUserIdInChallenge");
    act(Kind::IntuneDevice, &intune.device, Action::Retire);
    assert_eq!(intune.verdict(&csr).await, "ScepProfileNoLongerTargetedToTheClient");
    act(Kind::IntuneDevice, &intune.device, Action::Delete);
    assert_eq!(intune.verdict(&csr).await, "BadDeviceIdInChallenge");
    intune.world.clock.advance(Duration::from_secs(3600));
    let intune = Intune { token: intune.world.token(INTUNE_SCOPE).await, ..intune };
    assert_eq!(intune.verdict(&csr).await, "ChallengeExpired");
    let fault =
        Faulty { path: Some("/validateRequest".into()), ..Fault::Code("KeyUsageMismatch".into()).into() };
    intune.world.emulators.set_fault(Service::Intune, fault);
    assert_eq!(intune.verdict(&csr).await, "KeyUsageMismatch");
}

#[tokio::test]
async fn a_request_that_is_not_in_order_is_refused() {
    let intune = intune().await;
    let url = format!("{}/ScepActions/validateRequest", intune.validation);
    let body = json!({"request": {"transactionId": "t", "certificateRequest": "AA==", "callerInfo": "test"}});
    let request = |version: &str| intune.post(url.clone(), version);
    let bare = |token: &str| intune.world.http.post(&url).bearer_auth(token).json(&body);
    let graph = intune.world.token(support::GRAPH_SCOPE).await;
    let slash = intune.world.token("https://api.manage.microsoft.com/.default").await;
    for (request, expected) in [
        (request("2018-02-20").json(&body), 200),
        (request("5019-05-05").json(&body), 400),
        (bare(&intune.token), 400),
        (bare(&graph), 401),
        (bare(&slash), 401),
        (bare(""), 401),
        (bare(&intune.token).header("api-version", "2018-02-20").header("client-request-id", "17"), 400),
        (request("2018-02-20").body(body.to_string()), 415),
        (request("2018-02-20").json(&json!({})), 400),
        (request("2018-02-20").json(&json!({"request": {"transactionId": "t"}})), 400),
        (intune.world.http.get(&url).bearer_auth(&intune.token), 405),
        (intune.post(format!("{}/ScepActions/forget", intune.validation), "2018-02-20").json(&body), 404),
        (
            intune.post(format!("{}/elsewhere", intune.world.emulators.intune()), "2018-02-20").json(&body),
            404,
        ),
    ] {
        let (status, said) = answer(request).await;
        assert_eq!(status, expected, "{said}");
    }
}

#[tokio::test]
async fn what_became_of_a_request_is_remembered() {
    let intune = intune().await;
    let success = json!({
        "transactionId": "t", "certificateRequest": "AA==", "callerInfo": "test",
        "certificateThumbprint": "0".repeat(40), "certificateSerialNumber": "20EB",
        "certificateExpirationDateUtc": "2027-01-31T12:00:00.000Z", "issuingCertificateAuthority": "CN=CA",
        "caConfiguration": "", "certificateAuthority": "",
    });
    let failure = json!({
        "transactionId": "t", "certificateRequest": "AA==", "callerInfo": "test",
        "hResult": 2_147_942_405_u64, "errorDescription": "no",
    });
    for (action, notification) in [("successNotification", &success), ("failureNotification", &failure)] {
        let whole = json!({"notification": notification});
        assert_eq!(
            intune.act(action, &whole).await,
            (200, json!({"code": "Success", "errorDescription": ""}))
        );
        for name in notification.as_object().unwrap().keys() {
            let mut whole = whole.clone();
            whole["notification"].as_object_mut().unwrap().remove(name);
            assert_eq!(intune.act(action, &whole).await.0, 400, "{action} without {name}");
        }
    }
    for (action, name, value) in [
        ("successNotification", "certificateThumbprint", json!("0")),
        ("successNotification", "certificateExpirationDateUtc", json!("2027-01-31T12:00:00Z")),
        ("failureNotification", "errorDescription", json!("x".repeat(256))),
        ("failureNotification", "hResult", json!("2147942405")),
    ] {
        let mut notification =
            if action == "successNotification" { success.clone() } else { failure.clone() };
        notification[name] = value;
        assert_eq!(intune.act(action, &json!({"notification": notification})).await.0, 400, "{name}");
    }
    let told = intune.world.emulators.notifications();
    assert_eq!(told.iter().map(|entry| &entry["kind"]).collect::<Vec<_>>(), ["success", "failure"]);
    assert_eq!(told[0]["notification"], success);
}

#[tokio::test]
async fn revocations_are_handed_out_until_they_are_answered() {
    let intune = intune().await;
    for serial in ["01", "02", "03"] {
        let body = json!({"serialNumber": serial, "issuerName": "CN=CA", "caConfiguration": "default"});
        assert_eq!(intune.world.control(Method::POST, "/revocation-requests", Some(body)).await.0, 201);
    }
    let act = async |action: &str, body: Value| {
        let url = format!("{}/CertificateAuthorityRequests/{action}", intune.connector);
        answer(intune.post(url, "5019-05-05").json(&body)).await
    };
    let download = async |most: u64, issuer: Option<&str>| {
        let body = json!({"downloadParameters": {"maxRequests": most, "issuerName": issuer}});
        act("downloadRevocationRequests", body).await
    };
    let open = download(500, Some("CN=CA")).await.1["value"].as_array().unwrap().clone();
    assert_eq!(open.iter().map(|request| &request["serialNumber"]).collect::<Vec<_>>(), ["01", "02", "03"]);
    assert_eq!(download(2, None).await.1["value"].as_array().unwrap().len(), 2);
    assert_eq!(download(500, Some("CN=other")).await.1["value"], json!([]));
    for most in [0, 501] {
        assert_eq!(download(most, None).await.0, 400);
    }
    let result = |at: usize, succeeded: bool, code: &str| {
        json!({"requestContext": open[at]["requestContext"], "succeeded": succeeded, "errorCode": code,
            "errorMessage": null})
    };
    let results =
        [result(0, true, "None"), result(1, false, "4101"), result(2, false, "CertificateNotFoundError")];
    assert_eq!(
        act("uploadRevocationResults", json!({"results": results})).await,
        (200, json!({"value": true}))
    );
    let left = download(500, None).await.1["value"].clone();
    assert_eq!(left, json!([open[1]]), "an error that may pass is asked for again");
    assert_eq!(act("uploadRevocationResults", json!({"results": [result(1, true, "Nothing")]})).await.0, 400);
    assert_eq!(act("uploadRevocationResults", json!({})).await.0, 400);
}
