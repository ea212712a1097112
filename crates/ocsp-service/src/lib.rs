//! An OCSP responder as a hyper service.
//!
//! [`OcspService`] answers OCSP (RFC 6960, RFC 9919) over HTTP GET, HEAD and POST for one or several CAs. It signs with
//! delegates, which a [`DelegateKeeper`] gets from a [`DelegateSource`], checks and renews; status comes from a
//! [`RevocationSource`](revocation::RevocationSource).
//!
//! ```
//! # use std::sync::Arc;
//! # use ocsp_service::{DelegateKeeper, DelegateParts, FixedDelegate, NoDelegate, OcspParts, OcspService};
//! # use pki_core::{Certificate, Clock, SignatureVerifier, SigningKey};
//! # use revocation::RevocationSource;
//! async fn service(
//!     issuer: Certificate,
//!     certificate: Certificate,
//!     key: Arc<dyn SigningKey>,
//!     source: Arc<dyn RevocationSource>,
//!     clock: Arc<dyn Clock>,
//!     verifier: Arc<dyn SignatureVerifier>,
//! ) -> Result<OcspService, NoDelegate> {
//!     let delegates = Arc::new(FixedDelegate::new(certificate, key));
//!     let parts = DelegateParts { issuer, source: delegates, clock: clock.clone(), verifier };
//!     let keeper = DelegateKeeper::start(parts).await?;
//!     let service = OcspService::new(OcspParts { issuers: vec![keeper], source, clock });
//!     tokio::spawn(service.clone().run());
//!     Ok(service)
//! }
//! ```

mod admission;
mod answer;
mod answer_policy;
mod body;
mod cache;
mod clock_guard;
mod delegate_keeper;
mod delegate_source;
mod flights;
mod http;
mod issuers;
mod metrics;
mod nonce_policy;
mod refusal;
mod responder;
mod service;

pub use answer::Answer;
pub use answer_policy::{AnswerPolicy, HoldAnswer, NotIssuedAnswer, Preset};
pub use delegate_keeper::{DelegateKeeper, DelegateParts, NoDelegate};
pub use delegate_source::{DelegateSource, DelegateSourceError, FixedDelegate, IssuedDelegate};
pub use metrics::OcspMetrics;
pub use nonce_policy::NoncePolicy;
pub use refusal::Refusal;
pub use service::{NotReady, OcspParts, OcspService};
