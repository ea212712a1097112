//! The seams behind which authorities outside are told what became of requests.

use std::{fmt, time::Duration};

use issuance::{Notice, TransactionKey};
use pki_core::{BoxFuture, CertRef, Certificate};

use crate::StoreError;

/// Keeps notices until they are delivered. Those about certificates are put down with the
/// [`Intent`](issuance::Intent); the others are posted here.
pub trait Outbox: fmt::Debug + Send + Sync {
    /// Takes a notice that there is no certificate in `transaction`.
    fn post<'a>(
        &'a self,
        transaction: TransactionKey,
        notice: &'a Notice,
    ) -> BoxFuture<'a, Result<(), StoreError>>;
}

/// Carries notices of one kind to whom they are for.
pub trait NoticeCarrier: fmt::Debug + Send + Sync {
    /// The [`kind`](Notice::kind) of its notices.
    fn kind(&self) -> &str;

    /// Delivers a notice, about the certificate `issued` if there is one. The same may be delivered again: when the process
    /// ends before it is noted that it was.
    fn carry<'a>(
        &'a self,
        notice: &'a Notice,
        issued: Option<&'a (CertRef, Certificate)>,
    ) -> BoxFuture<'a, Result<(), Undelivered>>;
}

/// A notice was not delivered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(clippy::exhaustive_enums, reason = "whoever delivers must decide each case")]
pub enum Undelivered {
    /// It should be tried again.
    #[error("{why}")]
    Later {
        /// What happened.
        why: String,
        /// Not before so long from now; `None` where nobody asks for patience.
        after: Option<Duration>,
    },
    /// It is not taken, and never will be.
    #[error("{why}")]
    Never {
        /// What was said.
        why: String,
    },
}
