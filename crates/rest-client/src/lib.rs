//! HTTP as the services behind directories and challenges speak it.
//!
//! [`RestClient`] sends JSON to one service and reads JSON from it, with the [`TokenSource`] that the service asks for.
//! What comes back is either an answer, or "not found" in the service's own words, or a [`RestError`] that says who is to
//! blame. A page of some proxy in between is never taken for an answer.

mod assertion;
mod client;
mod client_credentials;
mod error;
mod managed_identity;
mod time;
mod token;

pub use assertion::{AssertionAlgorithm, ClientAssertion, ClientAssertionParts};
pub use client::{NotFound, RestClient, RestSettings, escape};
pub use client_credentials::{ClientCredentials, ClientProof};
pub use error::RestError;
pub use managed_identity::ManagedIdentity;
pub use time::time;
pub use token::{Basic, Cached, FixedBearer, Secret, Token, TokenSource};
