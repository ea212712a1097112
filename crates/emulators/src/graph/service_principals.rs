//! Where Intune's services are.

use serde_json::json;

use super::{Call, Refused, intune};
use crate::{
    http::{Asked, Reply},
    world::World,
};

/// Intune's application.
const INTUNE_APP: &str = "0000000a-0000-0000-c000-000000000000";

/// What a certification authority asks Intune.
pub(crate) const VALIDATION_PATH: &str =
    "/RACerts/ScepRequestValidationFEService/Gateway/StatelessScepRequestValidationService";
/// Where Intune asks for revocations.
pub(crate) const CONNECTOR_PATH: &str =
    "/RACerts/StatelessPkiConnectorService/Gateway/StatelessPkiConnectorService";

fn services(world: &World) -> [(&'static str, String); 3] {
    [
        // One that nobody here asks for.
        ("LicenseFEService", "/LicenseFEService/StatelessLicenseService"),
        ("ScepRequestValidationFEService", VALIDATION_PATH),
        ("PkiConnectorFEService", CONNECTOR_PATH),
    ]
    .map(|(name, path)| (name, format!("{}{path}", intune(world))))
}

/// GET `/servicePrincipals/appId=.../endpoints`.
pub(super) fn endpoints(call: &Call<'_>, app: &str) -> Result<Reply, Refused> {
    if app != INTUNE_APP {
        return Err(Refused::not_found(app));
    }
    let services = services(call.world).map(|(name, uri)| {
        json!({
            "id": call.world.sequence.uuid(name, 0),
            "deletedDateTime": null,
            "capability": name,
            "providerId": null,
            "providerName": name,
            "providerResourceId": null,
            "uri": uri,
        })
    });
    let context = call.context("servicePrincipals('0000000a-0000-0000-c000-000000000000')/endpoints");
    Ok(super::reply(&json!({"@odata.context": context, "value": services}), 1))
}

/// GET `/{tenant}/servicePrincipalsByAppId/{app}/serviceEndpoints` of the interface before Graph.
pub(super) fn old_endpoints(world: &World, asked: &Asked, tenant: &str, app: &str) -> Result<Reply, Refused> {
    if asked.param("api-version") != Some("1.6") {
        return Err(Refused::bad_request("The specified api-version is invalid: expected 1.6."));
    }
    let known = &world.credentials;
    if (tenant != known.tenant && tenant != known.domain) || app != INTUNE_APP {
        return Err(Refused::not_found(app));
    }
    let services = services(world).map(|(name, uri)| json!({"serviceName": name, "uri": uri}));
    Ok(Reply::json(200, &json!({"value": services})))
}
