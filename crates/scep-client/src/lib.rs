//! A SCEP client ([RFC 8894](https://www.rfc-editor.org/rfc/rfc8894)): library and command line.
//!
//! [`ScepClient`] gets a CA's certificate and checks it against a fingerprint, prepares a [`Transaction`] and sees it
//! through, whatever gets lost on the way: [`Transaction::complete`] sends the same message again, then starts over;
//! [`Transaction::saved`] survives a crash. [`ScepClient::find_certificate`] and [`ScepClient::crl`] fetch what the CA
//! has; [`RenewalWindow`] says when to renew.
//!
//! What it never does: trust a CA that nobody vouched for (unless told [`Trust::FirstSeen`]), use less than AES and
//! SHA-256 whatever the server says it can (unless told by [`Algorithms`]), or hand out a certificate that is not for
//! the key it sent or not signed by that CA.
//!
//! Features: `http` is [`HttpTransport`] (reqwest with rustls); `cli` is the program `scep-client`.

mod client;
mod completion;
mod distribution_points;
mod error;
mod exchange;
#[cfg(feature = "http")]
mod http_transport;
mod key;
mod query;
mod renewal_window;
mod saved;
mod transaction;
mod transport;
mod trust;

pub use client::{Algorithms, ClientParts, Enrollment, ScepClient};
pub use completion::{Event, NotSaved, Observer, Patience};
pub use distribution_points::distribution_points;
pub use error::{ClientError, Untrusted};
#[cfg(feature = "http")]
pub use http_transport::HttpTransport;
pub use key::{ClientKey, Identity};
pub use renewal_window::{BackOff, InvalidRenewalWindow, RenewalWindow};
pub use saved::SavedTransaction;
pub use transaction::{Outcome, Transaction};
pub use transport::{HttpReply, Transport, TransportError};
pub use trust::{Trust, TrustedCa};
