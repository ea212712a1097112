//! Who is let in.

use crate::sequence::Sequence;

/// The names and secrets that the services know. They follow from the seed and protect nothing.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Credentials {
    /// The tenant's id.
    pub tenant: String,
    /// The tenant's domain, which names it as well.
    pub domain: String,
    /// The application's id in Entra.
    pub client_id: String,
    /// The application's secret.
    pub client_secret: String,
    /// What an app has to show to its managed identity's endpoint.
    pub identity_header: String,
    /// The API client's id in Jamf Pro.
    pub jamf_client_id: String,
    /// The API client's secret.
    pub jamf_client_secret: String,
    /// A user account of Jamf Pro.
    pub jamf_user: String,
    /// That account's password.
    pub jamf_password: String,
    /// The bearer token of the SCIM service.
    pub scim_token: String,
}

impl Credentials {
    pub(crate) fn new(sequence: &Sequence) -> Self {
        Self {
            tenant: sequence.uuid("tenant", 0),
            domain: String::from("contoso.onmicrosoft.com"),
            client_id: sequence.uuid("application", 0),
            client_secret: sequence.text("application secret", 0),
            identity_header: sequence.uuid("identity header", 0),
            jamf_client_id: sequence.uuid("jamf client", 0),
            jamf_client_secret: sequence.text("jamf secret", 0),
            jamf_user: String::from("api"),
            jamf_password: sequence.text("jamf password", 0),
            scim_token: sequence.text("scim token", 0),
        }
    }
}
