//! SCEP messages ([RFC 8894](https://www.rfc-editor.org/rfc/rfc8894)), both sides. Bytes in, typed messages out; no
//! I/O, no clock, no random generator, no private key: time, randomness and the products of keys are arguments.
//!
//! A CA reads a request in three steps, between which its keys do their work wherever they live:
//!
//! ```no_run
//! # use pki_core::{Certificate, DecryptionKey, KeyEncryptor, SecureRandom, SignatureVerifier, SigningKey, UnixTime};
//! # use scep_proto::{AlgorithmPolicy, FailInfo, PkiMessage, Rejection, ReplySigner, Request};
//! # struct Ra { certificate: Certificate, decryption: Box<dyn DecryptionKey>, signing: Box<dyn SigningKey> }
//! # struct Parts<'a> { verifier: &'a dyn SignatureVerifier, encryptor: &'a dyn KeyEncryptor,
//! #                    random: &'a dyn SecureRandom, now: UnixTime }
//! async fn open(message: &PkiMessage, ra: &Ra, parts: &Parts<'_>) -> Result<Request, Rejection> {
//!     let verified = message.verify(parts.verifier, &AlgorithmPolicy::default())?;
//!     let sealed = verified.sealed_for(&ra.certificate)?;
//!     let key = ra.decryption.unwrap_key(sealed.wrapped_key()).await.ok(); // a failure here must not show
//!     sealed.open(key, parts.verifier, parts.random)
//! }
//!
//! # async fn serve(body: &[u8], ra: &Ra, parts: &Parts<'_>) -> Result<Vec<u8>, Box<dyn std::error::Error>> {
//! let message = PkiMessage::parse(body)?; // an error here is HTTP 400
//! let signer = ReplySigner::new(ra.certificate.clone(), ra.signing.algorithm());
//! let unsigned = match open(&message, ra, parts).await {
//!     Ok(request) => request.exchange.pending(&signer, parts.random, parts.now)?,
//!     Err(rejection) => {
//!         rejection.exchange().failure(&signer, rejection.fail_info(), None, parts.random, parts.now)?
//!     }
//! };
//! let signature = ra.signing.sign(unsigned.tbs()).await?;
//! let body = unsigned.finish(&signature);
//! # Ok(body) }
//! ```
//!
//! A key that signs and cannot decrypt, of ECDSA say, gets its reply encrypted by the challenge of its request: nothing
//! changes above, and [`Exchange::can_deliver`] tells of the one case that needs more, a CertPoll. A CA without an RA on
//! RSA is served by [`VerifiedMessage::open_with_challenge`].
//!
//! A client goes the other way: [`Requester::prepare`], sign, send, [`AwaitedReply::read`].
//!
//! # What is read beside RFC 8894
//!
//! Clients are older than their RFC. [`ber`] brings their encodings to DER; [`limits`] says how much of anything is
//! taken; each departure that is read all the same is a [`Tolerance`], granted by an [`AlgorithmPolicy`] and reported by
//! [`Exchange::tolerated`].
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

pub mod ber;
pub mod ca_certificates;
pub mod explain;
pub mod limits;
pub mod next_ca_certificates;

mod attributes;
mod awaited_reply;
mod capabilities;
mod certificate_id;
mod cms_oids;
mod content_cipher;
mod enveloped_data;
mod error;
mod exchange;
mod message;
mod password_recipient;
mod policy;
mod rejection;
mod reply;
mod request;
mod requester;
mod sealed_request;
mod signature_check;
mod signed_data;
mod signer_certificate;
mod tolerance;
mod transaction;
mod transport;
mod vocabulary;

pub use awaited_reply::{AwaitedReply, CertRep, Issued, SealedReply};
pub use capabilities::{Capabilities, Capability};
pub use content_cipher::ContentCipher;
pub use error::{EncodeError, ReplyError};
pub use exchange::Exchange;
pub use message::{PkiMessage, VerifiedMessage};
pub use policy::{AlgorithmPolicy, Legacy, SignOnlyKeys};
pub use rejection::{RejectReason, Rejection};
pub use reply::{EmptyContent, ReplySigner, UnsignedReply};
pub use request::{Request, RequestMessage};
pub use requester::{OutgoingRequest, Requester, UnsignedRequest};
pub use sealed_request::SealedRequest;
pub use signer_certificate::UnsignedSignerCertificate;
pub use tolerance::{Tolerance, Tolerances};
pub use transaction::TransactionId;
pub use transport::{
    Method, Operation, PKI_MESSAGE_MEDIA_TYPE, TransportError, ca_identifier, pki_operation_query,
};
pub use vocabulary::{FailInfo, MessageType, PkiStatus};
