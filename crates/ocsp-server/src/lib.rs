//! A stand-alone OCSP responder, and the parts that a server with a responder inside shares with it.
//!
//! [`ResponderParts::start`] makes the responder; `scep-server` calls the same function for the one beside its CA, so
//! that both answer alike.

mod confirmations;
pub mod data_folder;
mod delegate_issuer;
pub mod delegate_token;
mod delegates;
mod directories;
mod directory_metrics;
mod entra;
mod entra_following;
mod error;
mod foreign_crls;
mod ldap_service;
pub mod logging;
mod notification_pages;
mod own_certificates;
mod pages;
mod remote_delegates;
mod responder;
pub mod server;
pub mod settings;
mod shutdown;
mod wiring;

pub use confirmations::{CONFIRMED_CHANGES, confirm_changes};
pub use delegate_issuer::{DelegateIssuer, DelegateRefused, Shown};
pub use delegates::{DelegateFiles, SelfIssuedDelegates};
pub use directories::{Directories, ServiceDirectory};
pub use directory_metrics::register_directories;
pub use entra::EntraApp;
pub use entra_following::EntraFollowing;
pub use error::ServerError;
pub use foreign_crls::follow_crls;
pub use notification_pages::NotificationPages;
pub use remote_delegates::{Credential, RemoteDelegates};
pub use responder::{Responder, ResponderParts, start_together};
pub use shutdown::asked_to_stop;
