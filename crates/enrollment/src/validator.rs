//! The seam behind which first enrollments are judged by what is not in the store: by the challenge itself, or by a service.

use std::{fmt, future::ready};

use issuance::{Notice, Spend, TransactionKey};
use pki_core::{BoxFuture, CertificationRequest, ChallengePassword, UnixTime};
use serial_binding::BoundObject;

use crate::Refusal;

/// Decides whether a first enrollment may have a certificate, where that is known elsewhere: in the challenge itself, or
/// at a service.
///
/// It is asked after the same request was looked for in the store, so that a repeat gets its certificate without it;
/// and before the object is looked up in the directory, which must know it, enabled, whatever the validator says.
pub trait ChallengeValidator: fmt::Debug + Send + Sync {
    /// Whether, for which object, and what that spends. A no is [`Refusal::rejected_by`] or a refusal that fits better;
    /// [`Refusal::AuthorityUnavailable`] if nobody can tell now, and never a yes.
    fn validate<'a>(&'a self, asked: &'a Asked<'a>) -> BoxFuture<'a, Result<Validated, Refusal>>;

    /// A request that this validator let through was refused all the same. The reply waits for this. A refusal of the
    /// class [`TryLater`](crate::RefusalClass::TryLater) is not the last word: the same request may come again.
    fn refused<'a>(&'a self, asked: &'a Asked<'a>, refusal: &'a Refusal) -> BoxFuture<'a, ()> {
        let _ = (asked, refusal);
        Box::pin(ready(()))
    }
}

/// What a validator is asked about.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "built by enrollment and by tests of validators")]
pub struct Asked<'a> {
    /// The profile's name.
    pub profile: &'a str,
    /// The transactionID, as it came.
    pub transaction_id: &'a [u8],
    /// The transaction, unlike that of any other requester.
    pub transaction: TransactionKey,
    /// The request, challenge included. That its requester has the key is known.
    pub csr: &'a CertificationRequest,
    /// The challenge in it; `None` when there is none, or an empty one.
    pub challenge: Option<&'a ChallengePassword>,
    /// The time.
    pub now: UnixTime,
}

/// What a validator lets a request have.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_structs, reason = "built by every validator, with struct update")]
pub struct Validated {
    /// The object to bind to; `None`: the one that the directory finds by the names in the request.
    pub object: Option<BoundObject>,
    /// What is good once only.
    pub spends: Option<Spend>,
    /// The names that the certificate may carry at most, among those that the directory and the profile allow anyway:
    /// common names, and alternative names with or without what they are (`DNS:…`); `None` for all of these.
    pub names: Option<Vec<String>>,
    /// What it says of the names in the request.
    pub asked_names: AskedNames,
    /// What the authority is told once the certificate is on record. Not for profiles whose requests a person approves.
    pub notice: Option<Notice>,
}

/// What a validator says of the names in a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[expect(clippy::exhaustive_enums, reason = "there is no third case")]
pub enum AskedNames {
    /// Nothing: they are looked for among those of the directory.
    #[default]
    Unproven,
    /// They are those that it says the object has, all of them. Where the profile's rules are
    /// [`NameChoice::Validated`](crate::NameChoice::Validated), certificates carry them.
    Proven,
}
