//! Issues certificates: prepare, record, sign, record.
//!
//! A [`CertificateAuthority`] signs what is [`Authorized`] and nothing else. It makes a serial number that is bound to
//! the object, has its [`Issuer`] prepare the TBSCertificate from the [`Profile`], records the intent in an
//! [`IssuanceLog`], signs, and records the certificate. Whenever it is stopped in between, the transaction's next run
//! signs the very bytes on record: there is no second certificate. Where nothing is on record, a [`Derivation`] makes
//! the same bytes of the same request.
//!
//! Nothing of a certification request reaches a certificate but its public key and names that somebody authorized;
//! every extension comes from the profile, and the ids of Windows accounts and Entra devices from the directory.
//!
//! A [`CrlAuthority`] makes the CA's CRLs, full and delta, in the same order: gather, number, sign, record.
//!
//! [`prepare_root`], [`Issuer::prepare_ra`] and [`Issuer::prepare_ocsp_delegate`] make the certificates that a CA needs
//! for its own service. Every certificate can be prepared here and signed elsewhere.

mod authority;
mod authorized;
mod certificate_request;
mod crl_authority;
mod crl_candidates;
mod crl_contents;
mod crl_list;
mod crl_log;
mod derivation;
mod issuer;
mod issuing_algorithm;
mod key_policy;
mod log;
mod microsoft_ids;
mod prepared;
mod profile;
mod provenance;
mod security_identifier;
mod service_certificates;

pub use authority::{CaParts, CertificateAuthority, IssueError};
pub use authorized::{Authorized, InterruptedIssuance};
pub use certificate_request::{CertificateRequest, Usages};
pub use crl_authority::{
    CrlAuthority, CrlError, CrlOccasion, CrlParts, CrlSettings, CurrentCrls, DeltaSettings,
};
pub use crl_candidates::{CandidatesUnavailable, CrlCandidate, CrlCandidates, CrlStanding};
pub use crl_list::CrlSignError;
pub use crl_log::{CrlClaim, CrlLog, CrlName, CrlOutcome, CrlPublication, CrlRecord, CrlState};
pub use derivation::{Derivation, Derived};
pub use issuer::{Issuer, PrepareError, UnfitIssuer};
pub use issuing_algorithm::{IssuingAlgorithm, NotForIssuing};
pub use key_policy::{InvalidKeyPolicy, KeyNotAllowed, KeyPolicy};
pub use log::{Earlier, Intent, IntentOutcome, IssuanceLog, LogError};
pub use microsoft_ids::MicrosoftIds;
pub use prepared::{PreparedCertificate, SignError};
pub use profile::{InvalidProfile, Profile, ProfileSettings};
pub use provenance::{ChallengeId, Notice, Provenance, Since, Spend, TransactionKey};
pub use security_identifier::{InvalidSecurityIdentifier, SecurityIdentifier};
pub use service_certificates::{CreateError, create_root, prepare_root, service_serial};
