//! A SCEP client ([RFC 8894](https://www.rfc-editor.org/rfc/rfc8894)): library and command line.
//!
//! [`ScepClient`] gets a CA's certificate and checks it against a fingerprint, prepares a [`Transaction`] and sees it
//! through. What it never does: trust a CA that nobody vouched for (unless told [`Trust::FirstSeen`]), use less than
//! AES and SHA-256 whatever the server says it can, or hand out a certificate that is not for the key it sent or not
//! signed by that CA.
//!
//! Features: `http` is [`HttpTransport`] (reqwest with rustls); `cli` is the program `scep-client`.

mod client;
mod error;
#[cfg(feature = "http")]
mod http_transport;
mod transaction;
mod transport;
mod trust;

pub use client::{ClientKey, ClientParts, Enrollment, ScepClient};
pub use error::{ClientError, Untrusted};
#[cfg(feature = "http")]
pub use http_transport::HttpTransport;
pub use transaction::{Outcome, Patience, Transaction};
pub use transport::{HttpReply, Transport, TransportError};
pub use trust::{Trust, TrustedCa};
