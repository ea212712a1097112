//! Decides who may have a certificate.
//!
//! An [`Enroller`] takes a certification request, the certificate that signed the message around it and the name of a
//! profile, and either has the CA issue or says why not ([`Refusal`]). Each [`EnrollmentProfile`] names what it takes as
//! authority: a one-time challenge ([`OneTimeChallenges`] makes them), a static one, or what a [`ChallengeValidator`] says;
//! there is no profile without.
//! Where the profile has a [`RenewalPolicy`], a valid certificate of this CA is authority for its own successor.
//!
//! Where it has an [`ApprovalPolicy`], requests wait until a person has decided; [`Enroller::poll`] asks what was said.
//!
//! The object that a certificate will be bound to comes from the challenge, the directory or the certificate renewed,
//! never from what a requester says of itself; it must be enabled at the moment of issuance. Names come from the
//! directory: [`NameRules`] say which, and the request chooses among them at most.

mod approval;
mod challenge_key;
mod challenge_text;
mod decision;
mod delivery;
mod enroller;
mod identification;
mod lookup;
mod memory_ledger;
mod name_rules;
mod name_text;
mod names;
mod one_time;
mod profile;
mod queue;
mod refusal;
mod renewal;
mod request;
mod request_policy;
mod sealed_challenges;
mod sealed_terms;
mod sealed_text;
mod store;
mod template;
mod validator;
mod vouching;

pub use approval::{
    ApprovalPolicy, MOST_WAITING, MOST_WAITING_OF_ONE_OBJECT, PendingRequest, QueueOutcome, QueuedRequest,
    Verdict,
};
pub use challenge_key::ChallengeKey;
pub use delivery::{NoticeCarrier, Outbox, Undelivered};
pub use enroller::{Enroller, EnrollerParts, Generation, InvalidEnroller};
pub use identification::Identification;
pub use memory_ledger::MemoryLedger;
pub use name_rules::{
    AlternativeNameTemplate, ListedNames, MicrosoftIdsForm, NameChoice, NameRules, SecurityIdentifierForm,
    SubjectTemplate,
};
pub use name_text::TextFlaw;
pub use one_time::{ChallengeError, OneTimeChallenges};
pub use profile::{ChallengeAuthority, EnrollmentProfile, RenewalPolicy, StaticChallenge, WeakChallenge};
pub use refusal::{Refusal, RefusalClass};
pub use request::{CertificateLookup, Enrollment, EnrollmentRequest, PollRequest, RequestKind};
pub use sealed_challenges::{OpenedChallenge, SealError, SealedChallenges, SealingKey};
pub use sealed_terms::{InvalidTerms, SealedTerms};
pub use sealed_text::SealedText;
pub use store::{EarlierRequest, EnrollmentStore, StoreError, StoredChallenge};
pub use template::{InvalidTemplate, Template};
pub use validator::{Asked, AskedNames, ChallengeValidator, Validated};
