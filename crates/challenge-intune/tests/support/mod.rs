//! Intune as its services answer, strict about what it is sent.

use std::sync::{Arc, Mutex};

use challenge_intune::{IntuneService, IntuneServiceParts};
use keys_software::AwsLc;
use rest_client::{FixedBearer, RestClient, RestSettings, Secret};
use serde_json::{Value, json};
use testkit::{Answer, Asked, ScriptedService};

/// What it says, until told otherwise.
#[derive(Debug, Clone)]
pub struct Script {
    /// The answer to ScepActions.
    pub code: &'static str,
    /// The status and body of every answer, in place of the code's.
    pub instead: Option<(u16, &'static str)>,
    /// The requests to revoke.
    pub revocations: Value,
    /// Where Graph says that the services are.
    pub place: &'static str,
}

impl Default for Script {
    fn default() -> Self {
        Self { code: "Success", instead: None, revocations: json!([]), place: "/RACerts/Scep" }
    }
}

/// The services, and Graph, on one port.
pub struct FakeIntune {
    pub service: ScriptedService,
    pub script: Arc<Mutex<Script>>,
}

impl FakeIntune {
    pub fn start() -> Self {
        let script = Arc::<Mutex<Script>>::default();
        let told = Arc::clone(&script);
        let service = ScriptedService::start(move |asked| answer(asked, &told.lock().unwrap().clone()));
        Self { service, script }
    }

    pub fn tell(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.script.lock().unwrap());
    }

    pub fn client(&self) -> IntuneService {
        self.client_with_tokens("graph", "intune")
    }

    pub fn client_with_tokens(&self, graph: &str, intune: &str) -> IntuneService {
        let bearer = |token: &str| Arc::new(FixedBearer::new(&Secret::new(token)));
        let settings = RestSettings::new("Graph", format!("{}/v1.0", self.service.url));
        IntuneService::new(IntuneServiceParts {
            graph: RestClient::new(settings, Some(bearer(graph))).unwrap(),
            tokens: bearer(intune),
            rest: RestSettings::new("Intune", ""),
            caller: String::from("Certbound test"),
            random: Arc::new(AwsLc),
        })
    }

    /// The bodies that reached `action`.
    pub fn told(&self, action: &str) -> Vec<Value> {
        let asked = self.service.asked();
        let of_action = asked.iter().filter(|asked| asked.target.ends_with(action));
        of_action.map(|asked| serde_json::from_str(&asked.body).unwrap()).collect()
    }

    /// How often Graph was asked where the services are.
    pub fn looked_up(&self) -> usize {
        self.service.asked().iter().filter(|asked| asked.target.ends_with("/endpoints")).count()
    }
}

fn answer(asked: &Asked, script: &Script) -> Answer {
    let json = |status, body: Value| (status, Vec::new(), body.to_string());
    let id = asked.header("client-request-id").unwrap_or_default();
    assert_eq!((id.len(), &id[14..15]), (36, "4"), "{id}");
    if asked.target == "/v1.0/servicePrincipals/appId=0000000a-0000-0000-c000-000000000000/endpoints" {
        if asked.authorization.as_deref() != Some("Bearer graph") {
            return json(401, json!({"error": {"code": "InvalidAuthenticationToken"}}));
        }
        let host = asked.header("host").unwrap();
        return json(
            200,
            json!({"value": [
                {"providerName": "SomethingElse", "uri": "not a URL", "capability": "X"},
                {"providerName": "scepRequestValidationFEService", "uri": format!("http://{host}{}", script.place)},
                {"providerName": "PkiConnectorFEService", "uri": format!("http://{host}/RACerts/Pki/")},
            ]}),
        );
    }
    if asked.authorization.as_deref() != Some("Bearer intune") {
        return json(401, json!({}));
    }
    if let Some((status, body)) = script.instead {
        return (status, Vec::new(), body.to_owned());
    }
    assert_eq!(asked.header("content-type"), Some("application/json"));
    if let Some(action) = asked.target.strip_prefix(&format!("{}/ScepActions/", script.place)) {
        assert_eq!(asked.header("api-version"), Some("2018-02-20"));
        check_action(action, &asked.body);
        return json(200, json!({"code": script.code, "errorDescription": "as the test says"}));
    }
    let Some(call) = asked.target.strip_prefix("/RACerts/Pki/CertificateAuthorityRequests/") else {
        return json(404, json!({"message": "moved"}));
    };
    assert_eq!(asked.header("api-version"), Some("5019-05-05"));
    match call {
        "downloadRevocationRequests" => {
            assert_eq!(
                serde_json::from_str::<Value>(&asked.body).unwrap(),
                json!({"downloadParameters": {"maxRequests": 100, "issuerName": null}})
            );
            json(200, json!({"@odata.context": "x", "value": script.revocations}))
        }
        "uploadRevocationResults" => json(200, json!({"value": script.code == "Success"})),
        other => panic!("{other}"),
    }
}

fn check_action(action: &str, body: &str) {
    let body: Value = serde_json::from_str(body).unwrap();
    let more: &[&str] = match action {
        "validateRequest" => &[],
        "successNotification" => &[
            "certificateThumbprint",
            "certificateSerialNumber",
            "certificateExpirationDateUtc",
            "issuingCertificateAuthority",
            "caConfiguration",
            "certificateAuthority",
        ],
        "failureNotification" => &["hResult", "errorDescription"],
        other => panic!("{other}"),
    };
    let wrapper = if action == "validateRequest" { "request" } else { "notification" };
    let mut expected = ["callerInfo", "certificateRequest", "transactionId"].to_vec();
    expected.extend(more);
    expected.sort_unstable();
    let fields = body[wrapper].as_object().unwrap();
    let mut names: Vec<_> = fields.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, expected);
    assert!(fields.values().all(|value| value.as_str() != Some("") && !value.is_null()), "{fields:?}");
}
