//! OCSP (RFC 6960, 9919, 9654) messages, responder and client: bytes in, typed messages out; no I/O, no clock, no key.
//!
//! A responder parses a [`Request`], asks each [`Issuer`] it speaks for whether a [`CertId`] names one of its
//! certificates, and has its [`Delegate`] put the statuses into an [`UnsignedResponse`]. Whoever holds the key signs.
//!
//! ```
//! # use ocsp_proto::{Delegate, ErrorStatus, Request, Response, SingleStatus};
//! # use pki_core::{CertStatus, SigningKey, UnixTime};
//! async fn answer(der: &[u8], delegate: &Delegate, key: &dyn SigningKey, now: UnixTime) -> Result<Response, ErrorStatus> {
//!     let request = Request::parse(der).map_err(|error| error.status())?;
//!     let mut statuses = Vec::new();
//!     for cert_id in request.cert_ids() {
//!         let _certificate = delegate.issuer().resolve(cert_id).ok_or(ErrorStatus::Unauthorized)?;
//!         // ... look it up ...
//!         statuses.push(SingleStatus { status: CertStatus::Unknown, this_update: now, next_update: Some(now) });
//!     }
//!     let unsigned = delegate.respond(&request, &statuses, now).map_err(|_| ErrorStatus::InternalError)?;
//!     let signature = key.sign(unsigned.tbs()).await.map_err(|_| ErrorStatus::TryLater)?;
//!     Ok(unsigned.finish(&signature))
//! }
//! ```
//!
//! A client builds a [`Question`], sends its bytes, and has it verify what comes back.
#![cfg_attr(not(test), no_std)]

extern crate alloc;

mod cache_headers;
mod cert_id;
mod delegate;
mod issuer;
mod nonce;
mod oids;
mod preferred;
mod question;
mod reader;
mod request;
mod respond;
mod response;
mod status;
mod transport;
mod verify;
mod writer;

pub use cache_headers::{CacheHeaders, cache_control, http_date};
pub use cert_id::CertId;
pub use delegate::{Delegate, DelegateError};
pub use issuer::Issuer;
pub use question::{NonceDemand, Question, QuestionError};
pub use request::{Request, RequestError};
pub use respond::{NonceReply, RespondError, ResponseOptions, UnsignedResponse};
pub use response::Response;
pub use status::{ErrorStatus, SingleStatus};
pub use transport::{BasePath, MAX_GET_URL, REQUEST_MEDIA_TYPE, RESPONSE_MEDIA_TYPE, decode_get, get_url};
pub use verify::{Entitlement, NonceCheck, VerifiedResponse, VerifyError};
