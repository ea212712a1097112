//! Types and seams shared by every crate of Certbound.
//!
//! * [`SerialNumber`], [`Certificate`], [`Crl`], [`CertificationRequest`], [`Name`], [`PublicKey`], [`UnixTime`]: parsed
//!   once, original bytes kept.
//! * [`Clock`], [`SecureRandom`], [`SigningKey`], [`DecryptionKey`], [`SignatureVerifier`], [`KeyEncryptor`]: the
//!   seams behind which time, randomness and keys live. Protocol crates take them, or their products, as arguments.
//!
//! `no_std` with `alloc`; the feature `std` adds [`SystemClock`].
#![cfg_attr(not(feature = "std"), no_std)]

extern crate alloc;

mod algorithm;
mod authenticated_cipher;
mod cert_ref;
mod cert_status;
mod certificate;
mod certification_request;
mod certification_request_builder;
mod challenge_password;
mod crl;
mod crl_entry;
mod crl_extensions;
mod crl_scope;
mod digest;
mod directory_string;
mod error;
mod extension;
mod general_name;
mod issuer_id;
mod keys;
mod name;
mod oid;
pub mod oids;
mod pem;
mod public_key;
mod seams;
mod serial_number;
#[cfg(feature = "std")]
mod system_clock;
mod time;
pub mod tlv;
mod url_base64;
mod verified_request;

pub use algorithm::{AlgorithmError, KeyTransport, SignatureAlgorithm, UnknownAlgorithm};
pub use authenticated_cipher::{AuthenticatedCipher, NotAuthentic};
pub use cert_ref::CertRef;
pub use cert_status::{CertStatus, CrlReason};
pub use certificate::Certificate;
pub use certification_request::{CertificationRequest, RequestDeviation};
pub use certification_request_builder::{RequestedExtensions, UnsignedCertificationRequest};
pub use challenge_password::ChallengePassword;
pub use crl::Crl;
pub use crl_entry::{CrlEntries, CrlEntry, EncodedCrlEntries};
pub use crl_extensions::{CrlNumber, InvalidCrlNumber, distribution_points};
pub use crl_scope::{CoveredCertificates, IssuingDistributionPoint};
pub use digest::DigestAlgorithm;
pub use error::DecodeError;
pub use extension::{BasicConstraints, Extension, KeyUsage};
pub use general_name::GeneralName;
pub use issuer_id::IssuerId;
pub use keys::{
    BadSignature, ContentKey, DecryptionKey, KeyEncryptor, KeyError, SignatureVerifier, SigningKey,
    WrappedKey,
};
pub use name::{Name, NameAttribute};
pub use oid::Oid;
pub use public_key::{KeyKind, PublicKey};
pub use seams::{BoxFuture, Clock, RandomFailed, SecureRandom};
pub use serial_number::{InvalidSerialNumber, SerialNumber};
#[cfg(feature = "std")]
pub use system_clock::SystemClock;
pub use time::{UnixTime, Validity};
pub use url_base64::decode_url_base64;
pub use verified_request::VerifiedRequest;
