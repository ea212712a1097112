//! Devices and users of Microsoft Entra and managed devices of Intune, by Microsoft Graph.
//!
//! Put a [`GuardedDirectory`](directory::GuardedDirectory) before an [`EntraDirectory`]. Graph asks for a bearer token
//! with the scope of its [`Cloud`]: of an app with a secret or a certificate
//! ([`ClientCredentials`](rest_client::ClientCredentials)), or of a machine or app in Azure
//! ([`ManagedIdentity`](rest_client::ManagedIdentity)). The app needs the application permissions
//! `Device.Read.All` and `User.Read.All`, `DeviceManagementManagedDevices.Read.All` where Intune is asked, and
//! `IdentityRiskyUser.Read.All` where the risk of users counts. What state means what is a matter of [`EntraPolicy`].

mod cloud;
mod entra_directory;
mod graph;
mod identify;
mod naming;
mod policy;
mod records;

pub use cloud::{Cloud, Endpoints};
pub use entra_directory::{EntraDirectory, EntraParts};
pub use graph::is_graph_not_found;
pub use naming::{DEVICE_ID_ATTRIBUTE, TENANT_ID_ATTRIBUTE};
pub use policy::{Compliance, DeletedUsers, DeviceDirectory, EntraPolicy, Wiped};
