//! What each state of a device and of a user means: the table of docs/directories.md, row by row.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::arithmetic_side_effects,
    unreachable_pub,
    missing_docs,
    reason = "tests"
)]

mod support;

use std::time::Duration;

use directory::{Directory as _, DirectoryError};
use directory_entra::{Compliance, DeletedUsers, DeviceDirectory, EntraPolicy, Wiped};
use serde_json::{Value, json};
use support::{
    BY_ID, DEVICE, Graph, MANAGED, NOBODY, USER, device_path, managed_list, managed_path, not_found, object,
    standing, user_path,
};

const ALWAYS: Compliance = Compliance::Always { grace: Duration::from_secs(3600) };
/// The clock of the tests stands at 12:00.
const WITHIN_GRACE: &str = "2026-11-21T11:30:00Z";
const LONG_AGO: &str = "2026-11-20T11:30:00.1234567Z";

fn policy(devices: DeviceDirectory, compliance: Compliance, wiped: Wiped) -> EntraPolicy {
    EntraPolicy { devices, compliance, wiped, ..EntraPolicy::default() }
}

#[tokio::test]
async fn a_device_of_entra() {
    let cases: &[(Compliance, Value, &str)] = &[
        (Compliance::Never, json!({"accountEnabled": true}), "good"),
        (Compliance::Never, json!({"accountEnabled": true, "isCompliant": false}), "good"),
        (Compliance::Never, json!({"accountEnabled": false}), "hold"),
        (Compliance::Never, json!({"accountEnabled": null}), "unsure"),
        (Compliance::Never, json!({}), "unsure"),
        (Compliance::Never, json!({"accountEnabled": "yes"}), "unsure"),
        (ALWAYS, json!({"accountEnabled": true, "isCompliant": true}), "good"),
        (ALWAYS, json!({"accountEnabled": false, "isCompliant": true}), "hold"),
        (ALWAYS, json!({"accountEnabled": true, "isCompliant": false}), "hold"),
        (ALWAYS, json!({"accountEnabled": true, "isCompliant": null}), "hold"),
        (
            ALWAYS,
            json!({"accountEnabled": true, "isCompliant": false, "registrationDateTime": LONG_AGO}),
            "hold",
        ),
        (
            ALWAYS,
            json!({"accountEnabled": true, "isCompliant": null, "registrationDateTime": WITHIN_GRACE}),
            "good",
        ),
        (ALWAYS, json!({"accountEnabled": false, "registrationDateTime": WITHIN_GRACE}), "hold"),
    ];
    for (compliance, record, expected) in cases {
        let graph = Graph::start();
        let fields = match compliance {
            Compliance::Never => "deviceId,accountEnabled",
            Compliance::Always { .. } => "deviceId,accountEnabled,isCompliant,registrationDateTime",
        };
        let mut record = record.clone();
        record["deviceId"] = json!(DEVICE);
        graph.page(&device_path(fields), 200, record.clone());
        let directory = graph.directory(policy(DeviceDirectory::Entra, *compliance, Wiped::Gone));
        let device = object("entra-device", DEVICE);
        assert_eq!(standing(&directory, device).await, *expected, "{compliance:?} {record}");
        graph.page(&device_path(fields), 404, not_found());
        assert_eq!(standing(&directory, device).await, "gone", "deleted");
    }
}

#[tokio::test]
async fn a_managed_device_of_intune_by_its_management_state() {
    let cases = [
        ("managed", "good"),
        ("retirePending", "gone"),
        ("retireFailed", "gone"),
        ("wipePending", "gone"),
        ("wipeFailed", "gone"),
        ("unhealthy", "gone"),
        ("deletePending", "gone"),
        ("retireIssued", "gone"),
        ("wipeIssued", "gone"),
        ("wipeCanceled", "good"),
        ("retireCanceled", "good"),
        ("discovered", "good"),
        ("Managed", "good"),
        ("WipeIssued", "gone"),
        ("unknownFutureValue", "unsure"),
        ("", "unsure"),
    ];
    let graph = Graph::start();
    let (device, record) = (
        object("intune-device", MANAGED),
        |state: &str| json!({"id": MANAGED, "managementState": state, "complianceState": "noncompliant"}),
    );
    let wiping = graph.directory(policy(DeviceDirectory::Intune, Compliance::Never, Wiped::Gone));
    let ignoring = graph.directory(policy(DeviceDirectory::Intune, Compliance::Never, Wiped::Ignored));
    for (state, expected) in cases {
        graph.page(&managed_path("beta", BY_ID), 200, record(state));
        assert_eq!(standing(&wiping, device).await, expected, "{state}");
        let without = BY_ID.strip_suffix(",managementState").unwrap();
        graph.page(&managed_path("v1.0", without), 200, record(state));
        assert_eq!(standing(&ignoring, device).await, "good", "{state}");
    }
    graph.page(&managed_path("beta", BY_ID), 200, json!({"id": MANAGED}));
    assert_eq!(standing(&wiping, device).await, "unsure", "the state is not there");
    graph.page(&managed_path("beta", BY_ID), 404, not_found());
    assert_eq!(standing(&wiping, device).await, "gone", "deleted");
}

#[tokio::test]
async fn a_managed_device_of_intune_by_its_compliance() {
    let cases = [
        ("compliant", "good"),
        ("inGracePeriod", "good"),
        ("configManager", "good"),
        ("noncompliant", "hold"),
        ("conflict", "hold"),
        ("error", "hold"),
        ("unknown", "hold"),
        ("unknownFutureValue", "unsure"),
    ];
    let graph = Graph::start();
    let device = object("intune-device", MANAGED);
    let directory = graph.directory(policy(DeviceDirectory::Intune, ALWAYS, Wiped::Gone));
    for (state, expected) in cases {
        for (enrolled, is_in_grace) in
            [(LONG_AGO, false), (WITHIN_GRACE, true), ("0001-01-01T00:00:00Z", false)]
        {
            let record = json!({
                "id": MANAGED, "managementState": "managed", "complianceState": state, "enrolledDateTime": enrolled,
            });
            graph.page(&managed_path("beta", BY_ID), 200, record);
            let expected = if is_in_grace && expected == "hold" { "good" } else { expected };
            assert_eq!(standing(&directory, device).await, expected, "{state} {enrolled}");
        }
    }
    let wiped = json!({"id": MANAGED, "managementState": "wipePending", "complianceState": "compliant"});
    graph.page(&managed_path("beta", BY_ID), 200, wiped);
    assert_eq!(standing(&directory, device).await, "gone", "a wipe counts more");
}

#[tokio::test]
async fn a_user_of_entra() {
    let graph = Graph::start();
    let (user, path) = (object("entra-user", USER), user_path("id,accountEnabled"));
    let directory = graph.directory(EntraPolicy::default());
    for (record, expected) in [
        (json!({"id": USER, "accountEnabled": true}), "good"),
        (json!({"id": USER, "accountEnabled": false}), "hold"),
        (json!({"id": USER}), "unsure"),
        (json!({"id": DEVICE, "accountEnabled": true}), "unsure"),
        (json!({"accountEnabled": true}), "unsure"),
    ] {
        graph.page(&path, 200, record.clone());
        assert_eq!(standing(&directory, user).await, expected, "{record}");
    }
    graph.page(&path, 404, not_found());
    assert_eq!(standing(&directory, user).await, "gone", "deleted");
    let holding = EntraPolicy { deleted_users: DeletedUsers::Hold, ..EntraPolicy::default() };
    let holding = graph.directory(holding);
    assert_eq!(standing(&holding, user).await, "gone", "deleted for good");
    let deleted = format!("/v1.0/directory/deletedItems/{USER}?$select=id");
    graph.page(&deleted, 200, json!({"id": USER}));
    assert_eq!(standing(&holding, user).await, "hold", "deleted, and may be restored");
    assert_eq!(standing(&directory, user).await, "gone", "which makes no difference here");
    graph.page(&deleted, 403, json!({"error": {"code": "Authorization_RequestDenied", "message": "no"}}));
    assert_eq!(standing(&holding, user).await, "unsure");
}

/// What both say of one id, as it is in a transition; what is made of a certificate by the id of Entra, of Intune.
#[tokio::test]
async fn an_id_is_looked_up_in_one_or_both() {
    use DeviceDirectory::{Both, BothOpportunistic, Entra, Intune};
    let record = |enabled: bool| (200, json!({"deviceId": DEVICE, "accountEnabled": enabled}));
    let managed = |state: &str| (200, json!({"id": DEVICE, "managementState": state}));
    let error = |status, code: &str| (status, json!({"error": {"code": code, "message": "m"}}));
    let nobody = || (404, not_found());
    // Devices in, what Entra says, what Intune says; expected by the id of Entra, by that of Intune.
    let cases = [
        (Entra, record(true), nobody(), "good", "unsure"),
        (Entra, nobody(), managed("managed"), "gone", "unsure"),
        (Intune, nobody(), managed("managed"), "unsure", "good"),
        (Intune, record(true), nobody(), "unsure", "gone"),
        (Both, record(true), managed("wipePending"), "good", "gone"),
        (Both, record(false), managed("managed"), "hold", "good"),
        (Both, nobody(), managed("managed"), "good", "good"),
        (Both, record(true), nobody(), "good", "good"),
        (Both, nobody(), nobody(), "gone", "gone"),
        (Both, nobody(), error(403, "Forbidden"), "unsure", "unsure"),
        (Both, nobody(), error(500, "InternalServerError"), "unsure", "unsure"),
        (Both, error(500, "InternalServerError"), nobody(), "unsure", "unsure"),
        (Both, record(true), error(403, "Forbidden"), "good", "unsure"),
        (BothOpportunistic, nobody(), managed("managed"), "good", "good"),
        (BothOpportunistic, nobody(), nobody(), "gone", "gone"),
        (BothOpportunistic, record(false), error(403, "Forbidden"), "hold", "unsure"),
        (BothOpportunistic, nobody(), error(403, "Forbidden"), "gone", "unsure"),
        (BothOpportunistic, nobody(), error(401, "UnknownError"), "gone", "unsure"),
        (BothOpportunistic, nobody(), error(500, "InternalServerError"), "unsure", "unsure"),
        (
            BothOpportunistic,
            error(401, "InvalidAuthenticationToken"),
            error(403, "Forbidden"),
            "unsure",
            "unsure",
        ),
    ];
    for (devices, (entra_status, entra), (intune_status, intune), by_entra, by_intune) in cases {
        let graph = Graph::start();
        graph.page(&device_path("deviceId,accountEnabled"), entra_status, entra.clone());
        graph.page(&managed_path("beta", BY_ID).replace(MANAGED, DEVICE), intune_status, intune.clone());
        let directory = graph.directory(policy(devices, Compliance::Never, Wiped::Gone));
        for (kind, expected) in [("entra-device", by_entra), ("intune-device", by_intune)] {
            let got = standing(&directory, object(kind, DEVICE)).await;
            assert_eq!(got, expected, "{kind} in {devices:?}: {entra} {intune}");
        }
    }
}

/// What both say of one device under its two ids; what is made of a certificate by the id of Entra, of Intune.
#[tokio::test]
async fn both_must_agree_where_that_is_asked_for() {
    let record = |enabled: bool| (200, json!({"deviceId": DEVICE, "accountEnabled": enabled}));
    let managed =
        |state: &str| (200, json!({"id": MANAGED, "azureADDeviceId": DEVICE, "managementState": state}));
    let broken = || (500, json!({"error": {"code": "InternalServerError", "message": "m"}}));
    let nobody = || (404, not_found());
    let cases = [
        (record(true), managed("managed"), "good", "good"),
        (record(false), managed("managed"), "hold", "hold"),
        (record(true), managed("wipePending"), "gone", "gone"),
        (record(false), managed("wipePending"), "gone", "gone"),
        (record(true), nobody(), "hold", "gone"),
        (nobody(), managed("managed"), "gone", "hold"),
        (nobody(), nobody(), "gone", "gone"),
        (record(true), broken(), "unsure", "unsure"),
        (broken(), managed("managed"), "unsure", "unsure"),
        (record(true), managed("unknownFutureValue"), "unsure", "unsure"),
    ];
    for ((entra_status, entra), (intune_status, intune), by_entra, by_intune) in cases {
        let graph = Graph::start();
        graph.page(&device_path("deviceId,accountEnabled"), entra_status, entra.clone());
        graph.page(&managed_path("beta", BY_ID), intune_status, intune.clone());
        let list = match intune_status {
            200 => (200, json!({"value": [intune]})),
            404 => (200, json!({"value": []})),
            status => (status, intune.clone()),
        };
        graph.page(&managed_list("beta", BY_ID), list.0, list.1);
        let directory = graph.directory(policy(DeviceDirectory::Agreeing, Compliance::Never, Wiped::Gone));
        let got = standing(&directory, object("entra-device", DEVICE)).await;
        assert_eq!(got, by_entra, "by Entra's id: {entra} {intune}");
        let got = standing(&directory, object("intune-device", MANAGED)).await;
        assert_eq!(got, by_intune, "by Intune's id: {entra} {intune}");
    }
}

#[tokio::test]
async fn of_several_enrollments_of_a_device_the_last_one_counts() {
    let graph = Graph::start();
    graph.page(
        &device_path("deviceId,accountEnabled"),
        200,
        json!({"deviceId": DEVICE, "accountEnabled": true}),
    );
    let enrolled = |state: &str, at: &str| json!({"id": MANAGED, "azureADDeviceId": DEVICE, "managementState": state, "enrolledDateTime": at});
    let both = json!({"value": [enrolled("managed", WITHIN_GRACE), enrolled("wipeIssued", LONG_AGO)]});
    graph.page(&managed_list("beta", BY_ID), 200, both);
    let directory = graph.directory(policy(DeviceDirectory::Agreeing, Compliance::Never, Wiped::Gone));
    let device = object("entra-device", DEVICE);
    assert_eq!(standing(&directory, device).await, "good");
    let strange =
        json!({"value": [{"id": MANAGED, "azureADDeviceId": NOBODY, "managementState": "managed"}]});
    graph.page(&managed_list("beta", BY_ID), 200, strange);
    assert_eq!(standing(&directory, device).await, "unsure", "another device than was asked for");
    graph.page(&managed_list("beta", BY_ID), 200, json!({"value": [], "@odata.nextLink": "https://x/"}));
    assert_eq!(standing(&directory, device).await, "unsure", "an end was expected");
}

#[tokio::test]
async fn who_is_not_registered_in_entra_does_not_agree() {
    let graph = Graph::start();
    let record = json!({"id": MANAGED, "azureADDeviceId": NOBODY, "managementState": "managed"});
    graph.page(&managed_path("beta", BY_ID), 200, record);
    let directory = graph.directory(policy(DeviceDirectory::Agreeing, Compliance::Never, Wiped::Gone));
    assert_eq!(standing(&directory, object("intune-device", MANAGED)).await, "hold");
}

#[tokio::test]
async fn faults_are_never_an_answer() {
    let graph = Graph::start();
    let directory = graph.directory(EntraPolicy { devices: DeviceDirectory::Both, ..EntraPolicy::default() });
    let error = |code: &str| json!({"error": {"code": code, "message": "m"}});
    let faults = [
        (401, error("InvalidAuthenticationToken")),
        (403, error("Authorization_RequestDenied")),
        (404, json!("<html>nginx</html>")),
        (404, error("ResourceNotFound")),
        (404, error("UnknownError")),
        (404, json!({})),
        (400, error("BadRequest")),
        (500, error("InternalServerError")),
        (503, error("ServiceNotAvailable")),
        (302, json!("moved")),
        (200, json!("<html>welcome to the hotel's network</html>")),
        (200, json!({})),
        (200, json!({"value": []})),
        (
            200,
            json!({"id": NOBODY, "deviceId": NOBODY, "accountEnabled": true, "managementState": "managed"}),
        ),
    ];
    let objects = [
        (object("entra-device", DEVICE), device_path("deviceId,accountEnabled")),
        (object("intune-device", MANAGED), managed_path("beta", BY_ID)),
        (object("entra-user", USER), user_path("id,accountEnabled")),
    ];
    for (object, path) in objects {
        for (status, body) in &faults {
            graph.page(&path, *status, body.clone());
            assert_eq!(standing(&directory, object).await, "unsure", "{object} {status} {body}");
        }
        graph.throttled(&path, 17);
        let throttled = directory.state(object).await;
        assert!(
            matches!(&throttled, Err(DirectoryError::Throttled { retry_after, .. }) if retry_after.as_secs() == 17),
            "{throttled:?}"
        );
    }
}

#[tokio::test]
async fn a_service_that_has_forgotten_its_canary_has_forgotten_others() {
    let graph = Graph::start();
    let canary = object("entra-user", "11111111-1111-4111-8111-111111111111");
    let directory = graph.directory_with(EntraPolicy::default(), &[canary]);
    let user = object("entra-user", USER);
    assert_eq!(standing(&directory, user).await, "unsure", "404 for everyone");
    assert_eq!(standing(&directory, canary).await, "unsure");
    let path = format!("/v1.0/users/{}?$select=id", canary.id());
    graph.page(&path, 200, json!({"id": canary.id().to_string()}));
    assert_eq!(standing(&directory, user).await, "gone");
    assert_eq!(standing(&directory, object("entra-device", DEVICE)).await, "gone", "of another kind");
}
