//! The seam behind which responder certificates are made.

use std::{fmt, sync::Arc};

use pki_core::{BoxFuture, Certificate, SigningKey};

/// Gives out responder certificates of one CA: makes a key and has the CA certify it, reads both from where an
/// operator put them, asks another process.
pub trait DelegateSource: fmt::Debug + Send + Sync {
    /// A responder certificate and its key. Called at the start, and from half of the certificate's life on until
    /// another one is given.
    fn delegate(&self) -> BoxFuture<'_, Result<IssuedDelegate, DelegateSourceError>>;

    /// Whether this may have none for a while though nothing is wrong here, because it asks someone elsewhere. Then a
    /// responder starts without one ([`DelegateKeeper::start_without`](crate::DelegateKeeper::start_without)).
    fn may_be_late(&self) -> bool {
        false
    }
}

/// A responder certificate and its key.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "built by every source")]
pub struct IssuedDelegate {
    /// Issued by the CA for id-kp-OCSPSigning, with id-pkix-ocsp-nocheck.
    pub certificate: Certificate,
    /// The key that it certifies.
    pub key: Arc<dyn SigningKey>,
}

/// No delegate can be had now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no responder certificate can be had now: {0}")]
#[expect(clippy::exhaustive_structs, reason = "a reason for the log, and no more")]
pub struct DelegateSourceError(pub String);

/// The one certificate and key that it is given. Whoever uses this restarts the service in time.
#[derive(Debug, Clone)]
pub struct FixedDelegate(IssuedDelegate);

impl FixedDelegate {
    /// Always gives these.
    pub fn new(certificate: Certificate, key: Arc<dyn SigningKey>) -> Self {
        Self(IssuedDelegate { certificate, key })
    }
}

impl DelegateSource for FixedDelegate {
    fn delegate(&self) -> BoxFuture<'_, Result<IssuedDelegate, DelegateSourceError>> {
        Box::pin(async { Ok(self.0.clone()) })
    }
}
