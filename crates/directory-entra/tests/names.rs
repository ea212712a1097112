//! What objects are called, and who is meant by a name.
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

use directory::{Directory as _, DirectoryError};
use directory_entra::{DeviceDirectory, EntraPolicy};
use pki_core::GeneralName;
use serde_json::json;
use support::{
    BY_ID, DEVICE, Graph, MANAGED, NOBODY, TENANT, USER, device_path, managed_list, managed_path, not_found,
    object, user_path,
};

const SID: &str = "S-1-5-21-1004336348-1177238915-682003330-1104";

fn policy(devices: DeviceDirectory) -> EntraPolicy {
    EntraPolicy { devices, ..EntraPolicy::default() }
}

fn uri(id: &str) -> GeneralName {
    GeneralName::Uri(format!("IntuneDeviceId://{id}"))
}

/// Graph with a device in Entra and in Intune and a user.
fn graph() -> Graph {
    let graph = Graph::start();
    let device = json!({"deviceId": DEVICE, "displayName": "LAPTOP", "onPremisesSecurityIdentifier": SID});
    for fields in ["deviceId", "deviceId,displayName", "deviceId,onPremisesSecurityIdentifier"] {
        graph.page(&device_path(fields), 200, device.clone());
    }
    let managed =
        json!({"id": MANAGED, "azureADDeviceId": DEVICE, "deviceName": "PC-17", "serialNumber": "DMQVGC0"});
    for fields in ["id", "id,azureADDeviceId,deviceName,serialNumber"] {
        graph.page(&managed_path("v1.0", fields), 200, managed.clone());
    }
    graph.page(&managed_list("beta", BY_ID), 200, json!({"value": [managed]}));
    let user = json!({
        "id": USER, "userPrincipalName": "ada@example.com", "displayName": "Ada Lovelace",
        "mail": "lovelace@example.com", "onPremisesSamAccountName": "ALOVELACE",
        "onPremisesSecurityIdentifier": SID, "department": "Engines",
    });
    for fields in [
        "id",
        "id,userPrincipalName,displayName,mail,onPremisesSamAccountName",
        "id,onPremisesSecurityIdentifier,department",
    ] {
        graph.page(&user_path(fields), 200, user.clone());
    }
    graph.page("/v1.0/users/ada@example.com?$select=id,userPrincipalName", 200, user.clone());
    graph.page(&by_mail("lovelace@example.com"), 200, json!({"value": [user]}));
    graph
}

fn by_mail(mail: &str) -> String {
    format!("/v1.0/users?$filter=mail eq '{mail}'&$select=id,mail")
}

#[tokio::test]
async fn objects_have_their_ids_and_names() {
    let graph = graph();
    let both = graph.directory(policy(DeviceDirectory::Both));
    let names = both.names(object("entra-device", DEVICE)).await.unwrap().unwrap();
    assert_eq!(names.common_names, [DEVICE, "LAPTOP"]);
    assert_eq!(names.alternative_names, [uri(MANAGED)]);
    let names = both.names(object("intune-device", MANAGED)).await.unwrap().unwrap();
    assert_eq!(names.common_names, [MANAGED, DEVICE, "PC-17"]);
    assert_eq!(names.alternative_names, [uri(MANAGED)]);
    let names = both.names(object("entra-user", USER)).await.unwrap().unwrap();
    let expected = ["ada@example.com", "Ada Lovelace", "lovelace@example.com", "ALOVELACE", "ada", USER];
    assert_eq!(names.common_names, expected);
    let (upn, mail) = ("ada@example.com".into(), "lovelace@example.com".into());
    assert_eq!(names.alternative_names, [GeneralName::Upn(upn), GeneralName::Email(mail)]);
    assert_eq!(both.names(object("entra-user", NOBODY)).await.unwrap(), None);
    assert_eq!(both.names(object("entra-device", NOBODY)).await.unwrap(), None);
    let entra = graph.directory(policy(DeviceDirectory::Entra));
    let names = entra.names(object("entra-device", DEVICE)).await.unwrap().unwrap();
    assert_eq!(names.alternative_names, [], "Intune is not asked");
}

#[tokio::test]
async fn an_id_that_is_in_the_other_place_has_the_names_from_there() {
    let graph = graph();
    let path = managed_path("v1.0", "id,azureADDeviceId,deviceName,serialNumber").replace(MANAGED, NOBODY);
    graph.page(&path, 200, json!({"id": NOBODY, "deviceName": "IPAD"}));
    let both = graph.directory(policy(DeviceDirectory::Both));
    let names = both.names(object("entra-device", NOBODY)).await.unwrap().unwrap();
    assert_eq!(names.common_names, [NOBODY, "IPAD"]);
    let names = both.names(object("intune-device", DEVICE)).await.unwrap().unwrap();
    assert_eq!(names.common_names, [DEVICE, "LAPTOP"]);
}

#[tokio::test]
async fn attributes_are_what_certificates_of_microsoft_carry() {
    let graph = graph();
    let both = graph.directory(policy(DeviceDirectory::Both));
    let shown = |kind: &str, id: &str| {
        let (both, object) = (both.clone(), object(kind, id));
        async move { both.attributes(object).await.unwrap().into_iter().collect::<Vec<_>>() }
    };
    let pairs = |pairs: &[(&str, &str)]| {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect::<Vec<_>>()
    };
    let expected = pairs(&[("device-id", DEVICE), ("sid", SID), ("tenant-id", TENANT)]);
    assert_eq!(shown("entra-device", DEVICE).await, expected);
    let expected =
        pairs(&[("device-id", DEVICE), ("serial-number", "DMQVGC0"), ("sid", SID), ("tenant-id", TENANT)]);
    assert_eq!(shown("intune-device", MANAGED).await, expected);
    let expected = pairs(&[("department", "Engines"), ("sid", SID), ("tenant-id", TENANT)]);
    assert_eq!(shown("entra-user", USER).await, expected);
    let refused = json!({"error": {"code": "BadRequest", "message": "no such property"}});
    graph.page(&device_path("deviceId,onPremisesSecurityIdentifier"), 400, refused);
    assert_eq!(shown("entra-device", DEVICE).await, pairs(&[("device-id", DEVICE), ("tenant-id", TENANT)]));
}

#[tokio::test]
async fn ids_and_addresses_are_names() {
    let graph = graph();
    let scheme = format!("IntuneDeviceId://{MANAGED}");
    let lower = format!("intunedeviceid://{}", MANAGED.to_uppercase());
    let spelled = format!("entra-device:{DEVICE}");
    let (device, managed, user) =
        (object("entra-device", DEVICE), object("intune-device", MANAGED), object("entra-user", USER));
    let cases: Vec<(&str, DeviceDirectory, Option<_>)> = vec![
        (DEVICE, DeviceDirectory::Both, Some(device)),
        (MANAGED, DeviceDirectory::Both, Some(managed)),
        (USER, DeviceDirectory::Both, Some(user)),
        (&scheme, DeviceDirectory::Both, Some(managed)),
        (&lower, DeviceDirectory::Intune, Some(managed)),
        (&spelled, DeviceDirectory::Agreeing, Some(device)),
        ("ADA@example.com", DeviceDirectory::Both, None),
        ("ada@example.com", DeviceDirectory::Both, Some(user)),
        ("lovelace@example.com", DeviceDirectory::Entra, Some(user)),
        ("nobody@example.com", DeviceDirectory::Entra, None),
        ("$o'hara@example.com", DeviceDirectory::Entra, None),
        (NOBODY, DeviceDirectory::Both, None),
        (MANAGED, DeviceDirectory::Entra, None),
        (&scheme, DeviceDirectory::Entra, None),
        (DEVICE, DeviceDirectory::Intune, None),
        ("IntuneDeviceId://17", DeviceDirectory::Both, None),
        ("LAPTOP", DeviceDirectory::Both, None),
        ("jamf-computer:17", DeviceDirectory::Both, None),
    ];
    for mail in ["nobody@example.com", "$o''hara@example.com", "ADA@example.com"] {
        graph.page(&by_mail(mail), 200, json!({"value": []}));
    }
    for (name, devices, expected) in cases {
        let found = graph.directory(policy(devices)).identify(name).await;
        assert_eq!(found.unwrap(), expected, "{name} in {devices:?}");
    }
}

#[tokio::test]
async fn a_name_that_several_have_or_another_has_is_nobodys() {
    let graph = graph();
    let directory = graph.directory(policy(DeviceDirectory::Both));
    let two = json!([{"id": USER, "mail": "team@example.com"}, {"id": DEVICE, "mail": "team@example.com"}]);
    graph.page(&by_mail("team@example.com"), 200, json!({ "value": two }));
    let found = directory.identify("team@example.com").await;
    assert!(matches!(found, Err(DirectoryError::Ambiguous { .. })), "{found:?}");
    graph.page(&by_mail("eve@example.com"), 200, json!({"value": [{"id": USER, "mail": "ada@example.com"}]}));
    assert!(directory.identify("eve@example.com").await.is_err());
    graph.page(
        "/v1.0/users/eve@example.com?$select=id,userPrincipalName",
        200,
        json!({"id": USER, "userPrincipalName": "ada@example.com"}),
    );
    assert!(directory.identify("eve@example.com").await.is_err());
}

#[tokio::test]
async fn who_cannot_be_asked_is_not_nobody() {
    let graph = graph();
    let refused = json!({"error": {"code": "Forbidden", "message": "no"}});
    graph.page(&managed_path("v1.0", "id").replace(MANAGED, DEVICE), 403, refused);
    let found = graph.directory(policy(DeviceDirectory::Both)).identify(DEVICE).await;
    assert!(found.is_err(), "{found:?}");
    let found = graph.directory(policy(DeviceDirectory::BothOpportunistic)).identify(DEVICE).await;
    assert_eq!(
        found.unwrap(),
        Some(object("entra-device", DEVICE)),
        "what Intune does not let us see is not there"
    );
    graph.page(&device_path("deviceId"), 500, not_found());
    assert!(graph.directory(policy(DeviceDirectory::Entra)).identify(DEVICE).await.is_err());
}
