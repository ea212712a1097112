//! A stand-alone OCSP responder, and the parts that a server with a responder inside shares with it.
//!
//! [`ResponderParts::start`] makes the responder; `scep-server` calls the same function for the one beside its CA, so
//! that both answer alike.

pub mod data_folder;
mod delegates;
mod error;
pub mod logging;
mod responder;
pub mod server;
pub mod settings;
mod shutdown;

pub use delegates::{DelegateFiles, SelfIssuedDelegates};
pub use error::ServerError;
pub use responder::{Responder, ResponderParts, start_together};
pub use shutdown::asked_to_stop;
