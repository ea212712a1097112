//! Devices and users of Microsoft Entra and managed devices of Intune, by Microsoft Graph.
//!
//! Put a [`GuardedDirectory`](directory::GuardedDirectory) before an [`EntraDirectory`]. Graph asks for a bearer token
//! with the scope of its [`Cloud`]: of an app with a secret or a certificate
//! ([`ClientCredentials`](rest_client::ClientCredentials)), or of a machine or app in Azure
//! ([`ManagedIdentity`](rest_client::ManagedIdentity)). The app needs the application permissions
//! `Device.Read.All` and `User.Read.All`, `DeviceManagementManagedDevices.Read.All` where Intune is asked, and
//! `IdentityRiskyUser.Read.All` where the risk of users counts. What state means what is a matter of [`EntraPolicy`].
//!
//! A large tenant is followed rather than asked: see [`Follower`], and [`Notifications`].

mod cloud;
mod entra_directory;
mod followed;
mod follower;
mod graph;
mod identify;
mod naming;
mod notifications;
mod policy;
mod records;
mod risk;

pub use cloud::{Cloud, Endpoints};
pub use entra_directory::{EntraDirectory, EntraParts};
pub use follower::{Follower, FollowerParts};
pub use graph::is_graph_not_found;
pub use naming::{DEVICE_ID_ATTRIBUTE, TENANT_ID_ATTRIBUTE};
pub use notifications::{MAX_NOTIFICATION, NotificationAnswer, NotificationParts, Notifications};
pub use policy::{Compliance, DeletedUsers, DeviceDirectory, EntraPolicy, Wiped};
pub use risk::RiskLevel;
