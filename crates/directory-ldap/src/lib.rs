//! Devices and users in LDAP directories: Active Directory and its likes, and those with the attributes of
//! [RFC 4519](https://www.rfc-editor.org/rfc/rfc4519).
//!
//! An [`LdapDirectory`] asks one or several servers that hold the same entries. What an entry's attributes mean is a
//! matter of its [`Schema`]. Put a [`GuardedDirectory`](directory::GuardedDirectory) before it.
//!
//! | the entry | its certificates |
//! |---|---|
//! | is there and enabled | good |
//! | is there and disabled, expired, or fits [`LdapSettings::disabled`] | on hold |
//! | is locked because of wrong passwords | by [`Schema::locked`] |
//! | is not below the base on any server, and each of them shows base and canary | revoked for ever |
//! | is not shown, and one of those is missing | nothing is known |
//!
//! The protocol is spoken by this crate itself ([RFC 4511](https://www.rfc-editor.org/rfc/rfc4511)); see
//! docs/adr/0006-own-ldap.md.

mod address;
mod ber;
mod connection;
mod error;
mod filter;
mod follower;
mod ldap_directory;
mod ldap_settings;
mod message;
mod open;
mod schema;
mod server;
mod values;

pub use address::Protection;
pub use error::LdapError;
pub use filter::{Filter, InvalidFilter, NameParts};
pub use follower::LdapFollower;
pub use ldap_directory::LdapDirectory;
pub use ldap_settings::LdapSettings;
pub use schema::{Accounts, Locked, Schema};
pub use server::Login;
pub use values::IdForm;
