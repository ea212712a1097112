//! Computers, mobile devices and users of Jamf Pro, by its API.
//!
//! Put a [`GuardedDirectory`](directory::GuardedDirectory) before a [`JamfDirectory`]. Jamf Pro asks for a bearer token:
//! of an API client ([`ClientCredentials`](rest_client::ClientCredentials) with the path [`TOKEN_PATH`]), or of a user
//! account ([`Login`]). Both need the privileges Read Computers, Read Mobile Devices and Read User.

mod jamf_directory;
mod login;

pub use jamf_directory::{JamfDirectory, Unmanaged};
pub use login::Login;

/// Where an API client gets its tokens.
pub const TOKEN_PATH: &str = "/api/oauth/token";
