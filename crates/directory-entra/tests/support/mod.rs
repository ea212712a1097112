//! A Graph of pages, which change. It answers `$batch` from the same pages.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its own part")]

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use directory::{Directory as _, DirectoryError, ObjectState};
use directory_entra::{EntraDirectory, EntraParts, EntraPolicy, is_graph_not_found};
use rest_client::{RestClient, RestSettings};
use serde_json::{Value, json};
use serial_binding::BoundObject;
use testkit::{Answer, Asked, FixedClock, ScriptedService};

/// The documentation's device.
pub const DEVICE: &str = "6fa60d52-01e7-4b18-8055-4759461fc16b";
pub const MANAGED: &str = "705c034c-034c-705c-4c03-5c704c035c70";
pub const USER: &str = "87d349ed-44d7-43e1-9a83-5f2406dee5bd";
pub const TENANT: &str = "b54dc1af-5320-4f60-b5d4-821e0cf2a359";
pub const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

pub const BY_ID: &str = "id,azureADDeviceId,enrolledDateTime,complianceState,managementState";

pub type Page = (u16, Option<u64>, Value);

#[derive(Clone)]
pub struct Graph {
    pub service: Arc<ScriptedService>,
    pub clock: Arc<FixedClock>,
    pages: Arc<Mutex<HashMap<String, Page>>>,
}

/// As Graph says it.
pub fn not_found() -> Value {
    json!({"error": {
        "code": "Request_ResourceNotFound",
        "message": "Resource 'x' does not exist or one of its queried reference-property objects are not present.",
        "innerError": {"date": "2026-11-21T12:00:00", "request-id": NOBODY, "client-request-id": NOBODY},
    }})
}

impl Graph {
    pub fn start() -> Self {
        let pages = Arc::<Mutex<HashMap<String, Page>>>::default();
        let shown = Arc::clone(&pages);
        let service = ScriptedService::start(move |asked| answer(asked, &shown.lock().unwrap()));
        Self { service: Arc::new(service), clock: Arc::default(), pages }
    }

    /// From now on `target` is answered so.
    pub fn page(&self, target: &str, status: u16, body: Value) {
        self.pages.lock().unwrap().insert(target.to_owned(), (status, None, body));
    }

    pub fn throttled(&self, target: &str, seconds: u64) {
        let said = json!({"error": {"code": "TooManyRequests", "message": "slow down"}});
        self.pages.lock().unwrap().insert(target.to_owned(), (429, Some(seconds), said));
    }

    /// The paths asked for since the last time, without their queries.
    pub fn asked(&self) -> Vec<String> {
        let paths = self.service.asked().into_iter();
        paths.map(|asked| asked.target.split('?').next().unwrap().to_owned()).collect()
    }

    pub fn client(&self) -> RestClient {
        let settings =
            RestSettings { not_found: is_graph_not_found, ..RestSettings::new("Graph", &*self.service.url) };
        RestClient::new(settings, None).unwrap()
    }

    pub fn directory(&self, policy: EntraPolicy) -> EntraDirectory {
        self.directory_with(policy, &[])
    }

    pub fn directory_with(&self, policy: EntraPolicy, canaries: &[BoundObject]) -> EntraDirectory {
        EntraDirectory::new(EntraParts {
            client: self.client(),
            policy,
            tenant: Some(TENANT.parse().unwrap()),
            canaries: canaries.to_vec(),
            max_lag: Duration::from_secs(60),
            max_risk_age: Duration::from_secs(3600),
            clock: Arc::clone(&self.clock) as _,
        })
    }
}

fn answer(asked: &Asked, pages: &HashMap<String, Page>) -> Answer {
    if asked.target.ends_with("/$batch") {
        let version = asked.target.strip_suffix("/$batch").unwrap();
        let batch: Value = serde_json::from_str(&asked.body).unwrap();
        let requests = batch["requests"].as_array().unwrap();
        assert!(requests.len() <= 20, "a batch of {}", requests.len());
        let responses: Vec<_> = requests
            .iter()
            .rev()
            .map(|request| {
                let target = format!("{version}{}", request["url"].as_str().unwrap());
                let (status, retry_after, body) = page(pages, &target);
                let headers = retry_after.map(|seconds| json!({"Retry-After": seconds.to_string()}));
                json!({"id": request["id"], "status": status, "headers": headers, "body": body})
            })
            .collect();
        return (200, vec![], json!({ "responses": responses }).to_string());
    }
    let (status, retry_after, body) = page(pages, &asked.target);
    let headers = retry_after.map(|seconds| ("retry-after", seconds.to_string())).into_iter().collect();
    // A text is what it is: pages of proxies.
    let body = if let Value::String(text) = body { text } else { body.to_string() };
    (status, headers, body)
}

/// URLs of queries are compared as the service reads them.
fn page(pages: &HashMap<String, Page>, target: &str) -> Page {
    let target = target.replace("%20", " ").replace("%27", "'").replace("%40", "@").replace("%24", "$");
    pages.get(&target).cloned().unwrap_or_else(|| (404, None, not_found()))
}

pub fn device_path(fields: &str) -> String {
    format!("/v1.0/devices(deviceId='{DEVICE}')?$select={fields}")
}

pub fn user_path(fields: &str) -> String {
    format!("/v1.0/users/{USER}?$select={fields}")
}

pub fn managed_path(version: &str, fields: &str) -> String {
    format!("/{version}/deviceManagement/managedDevices/{MANAGED}?$select={fields}")
}

pub fn managed_list(version: &str, fields: &str) -> String {
    let filter = format!("azureADDeviceId eq '{DEVICE}'");
    format!("/{version}/deviceManagement/managedDevices?$filter={filter}&$select={fields}")
}

pub fn object(kind: &str, id: &str) -> BoundObject {
    format!("{kind}:{id}").parse().unwrap()
}

/// `good`, `hold`, `gone` or `unsure`.
pub async fn standing(directory: &EntraDirectory, object: BoundObject) -> &'static str {
    word(&directory.state(object).await)
}

pub fn word(state: &Result<Option<ObjectState>, DirectoryError>) -> &'static str {
    match state {
        Ok(Some(ObjectState::Enabled)) => "good",
        Ok(Some(ObjectState::Disabled { .. })) => "hold",
        Ok(Some(ObjectState::Gone { .. }) | None) => "gone",
        Ok(Some(other)) => panic!("{other:?}"),
        Err(_) => "unsure",
    }
}
