//! A SCEP server ([RFC 8894](https://www.rfc-editor.org/rfc/rfc8894)) as a [`hyper::service::Service`]: HTTP on one
//! side, an [`EnrollmentHandler`] on the other.
//!
//! ```no_run
//! # use scep_service::{Decision, ScepParts, ScepService, Submission, handler_fn};
//! # use {http_listener::{Listener, ListenerLimits}, scep_proto::RequestMessage, std::sync::Arc};
//! # async fn sign(_: &pki_core::CertificationRequest) -> pki_core::Certificate { unimplemented!() }
//! # async fn example(rest: ScepParts) -> Result<(), Box<dyn std::error::Error>> {
//! let handler = handler_fn(|submission: Submission| async move {
//!     match submission.request.message {
//!         RequestMessage::PkcsReq(csr) if csr.challenge_password().is_some_and(|it| it.expose() == "s3cret") => {
//!             Decision::Issue(vec![sign(&csr).await])
//!         }
//!         _ => Decision::bad_request("the challenge is wrong"),
//!     }
//! });
//! let service = ScepService::new(ScepParts { handler: Arc::new(handler), ..rest })?;
//! let listener = Listener::bind("0.0.0.0:8080", ListenerLimits::default()).await?;
//! listener.serve(service, std::future::pending()).await;
//! # Ok(()) }
//! ```
//!
//! # What is checked here, and what is the handler's
//!
//! Before a handler is asked, the message is well-formed and within [`scep_proto::limits`], has exactly one signer
//! whose signature holds over the signed attributes, uses only algorithms that the policy allows, was encrypted to the
//! RA certificate alone, and carries a CSR signed by its own key. Who may have what is the handler's: the challenge,
//! the outer signer (its key against the CSR's, its certificate on renewal), names, extensions.
//!
//! # What goes over the wire
//!
//! * GetCACaps says what is enforced: [`ScepParts::policy`] and [`ScepParts::renewal`], nothing else.
//! * Everything that goes wrong from unwrapping the content key to the CSR's own signature is one FAILURE,
//!   badMessageCheck, so that nobody learns what somebody else's recorded message decrypts to.
//! * What is no SCEP is answered with an HTTP status and a sentence. No request is ever answered with an
//!   authentication challenge.
//! * Limits: bodies and messages 64 KiB, request targets 16 KiB, 30 s for a body.

mod audit;
mod authority;
mod error;
mod handler;
mod http;
pub mod metrics;
mod parts;
mod service;
mod throttle;

pub use authority::OtherAuthority;
pub use error::ScepError;
pub use handler::{Decision, EnrollmentHandler, HandlerFn, Origin, Submission, handler_fn};
pub use parts::{PartsError, Renewal, ScepParts};
pub use service::ScepService;
pub use throttle::{Rate, Throttle, ThrottleLimits};
