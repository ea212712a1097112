//! The certificate that responses are signed under.

use alloc::{sync::Arc, vec::Vec};
use core::fmt;

use pki_core::{
    Certificate, DecodeError, KeyKind, KeyUsage, Oid, SignatureAlgorithm, SignatureVerifier, UnixTime, oids,
};

use crate::{
    Issuer,
    reader::{OCTET_STRING, SEQUENCE, explicit},
    writer::BackWriter,
};

/// An authorized responder ([RFC 6960 §4.2.2.2](https://www.rfc-editor.org/rfc/rfc6960#section-4.2.2.2)): a certificate
/// that a CA issued so that its key may sign responses for that CA. Its key stays outside. Cheap to clone.
///
/// Every part of a response that is the same in all of them is encoded here, once.
#[derive(Clone)]
pub struct Delegate(Arc<Inner>);

struct Inner {
    certificate: Certificate,
    issuer: Issuer,
    algorithm: SignatureAlgorithm,
    responder_id: Vec<u8>,
    algorithm_der: Vec<u8>,
    certs: Vec<u8>,
}

impl Delegate {
    /// Takes `certificate` if the strictest client would: issued by `issuer` directly and by a strong signature, valid
    /// at `now`, for id-kp-OCSPSigning, digitalSignature and id-pkix-ocsp-nocheck (which is not critical), no CA, without
    /// critical extensions that a client may not know, with a key that is long enough and makes signatures of
    /// `algorithm`.
    pub fn new(
        certificate: Certificate,
        issuer: Issuer,
        algorithm: SignatureAlgorithm,
        now: UnixTime,
        verifier: &dyn SignatureVerifier,
    ) -> Result<Self, DelegateError> {
        is_issued_by(&certificate, issuer.certificate(), verifier)?;
        is_valid_at(&certificate, now)?;
        may_answer(&certificate)?;
        if !has_nocheck(&certificate) {
            return Err(DelegateError::NoNocheck);
        }
        is_strong(&certificate)?;
        if !makes(certificate.public_key().kind(), algorithm) {
            return Err(DelegateError::Algorithm { key: certificate.public_key().kind(), algorithm });
        }
        Ok(Self(Arc::new(Inner {
            responder_id: responder_id(&certificate),
            algorithm_der: algorithm.to_der(),
            certs: certs(&certificate),
            certificate,
            issuer,
            algorithm,
        })))
    }

    /// Its certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.0.certificate
    }

    /// The CA that it speaks for.
    pub fn issuer(&self) -> &Issuer {
        &self.0.issuer
    }

    /// The algorithm of the signatures that it is to be given.
    pub fn algorithm(&self) -> SignatureAlgorithm {
        self.0.algorithm
    }

    /// The DER of `responderID`: always byKey (RFC 9919 §3.2.2).
    pub(crate) fn responder_id(&self) -> &[u8] {
        &self.0.responder_id
    }

    pub(crate) fn algorithm_der(&self) -> &[u8] {
        &self.0.algorithm_der
    }

    /// The DER of `certs`: this one certificate.
    pub(crate) fn certs(&self) -> &[u8] {
        &self.0.certs
    }
}

impl AsRef<Delegate> for Delegate {
    fn as_ref(&self) -> &Delegate {
        self
    }
}

impl fmt::Debug for Delegate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Delegate({:?})", self.certificate())
    }
}

/// A certificate that must not sign responses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DelegateError {
    /// Its issuer is not the CA in question, or that CA's key did not sign it.
    #[error("the responder certificate was not issued directly by the CA that it is to speak for")]
    NotIssuedByCa,
    /// `now` is outside its validity.
    #[error("the responder certificate is valid from {not_before} to {not_after}, and it is {now}")]
    NotValid {
        /// First second of validity.
        not_before: UnixTime,
        /// Last second of validity.
        not_after: UnixTime,
        /// The time of the check.
        now: UnixTime,
    },
    /// extKeyUsage does not name id-kp-OCSPSigning.
    #[error("the responder certificate lacks the extended key usage OCSPSigning")]
    NotForOcsp,
    /// keyUsage is there and lacks digitalSignature.
    #[error("the responder certificate lacks the key usage digitalSignature")]
    NotForSignatures,
    /// basicConstraints say CA.
    #[error("the responder certificate is that of a CA")]
    IsCa,
    /// id-pkix-ocsp-nocheck is absent or not NULL.
    #[error("the responder certificate lacks id-pkix-ocsp-nocheck; clients would ask it about itself")]
    NoNocheck,
    /// The CA signed it with SHA-1.
    #[error("the responder certificate is signed by an algorithm that is too weak")]
    WeakSignature,
    /// An extension that must not be ignored (RFC 5280 §4.2) and that not every client knows.
    #[error("the responder certificate has the critical extension {0}, for which clients reject it")]
    UnknownCriticalExtension(Oid),
    /// The key cannot make such signatures, or they are too weak to be made.
    #[error("a responder key of type {key} does not sign responses by {algorithm:?}")]
    Algorithm {
        /// The key.
        key: KeyKind,
        /// The algorithm it was to be used with.
        algorithm: SignatureAlgorithm,
    },
    /// An extension of the certificate cannot be read.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
}

/// RFC 6960 §4.2.2.2: a delegate is issued directly by the CA, under the key that issued the certificate in question.
pub(crate) fn is_issued_by(
    certificate: &Certificate,
    issuer: &Certificate,
    verifier: &dyn SignatureVerifier,
) -> Result<(), DelegateError> {
    let named = certificate.issuer().matches(issuer.subject());
    let signed = named && certificate.verify_signed_by(issuer.public_key(), verifier).is_ok();
    if signed { Ok(()) } else { Err(DelegateError::NotIssuedByCa) }
}

pub(crate) fn is_valid_at(certificate: &Certificate, now: UnixTime) -> Result<(), DelegateError> {
    let validity = certificate.validity();
    if validity.contains(now) {
        return Ok(());
    }
    Err(DelegateError::NotValid { not_before: validity.not_before(), not_after: validity.not_after(), now })
}

/// Whether its extensions let it sign responses; a keyUsage that is absent limits nothing.
pub(crate) fn may_answer(certificate: &Certificate) -> Result<(), DelegateError> {
    if !certificate.extended_key_usages()?.contains(&oids::KP_OCSP_SIGNING) {
        return Err(DelegateError::NotForOcsp);
    }
    if certificate.key_usage()?.is_some_and(|usage| !usage.contains(KeyUsage::DIGITAL_SIGNATURE)) {
        return Err(DelegateError::NotForSignatures);
    }
    if certificate.basic_constraints()?.ca {
        return Err(DelegateError::IsCa);
    }
    let unknown = certificate.extensions().iter().find(|one| one.is_critical() && !KNOWN.contains(&one.id()));
    unknown.map_or(Ok(()), |extension| Err(DelegateError::UnknownCriticalExtension(extension.id())))
}

/// What a delegate's certificate may have marked critical.
const KNOWN: [Oid; 5] = [
    oids::BASIC_CONSTRAINTS,
    oids::KEY_USAGE,
    oids::EXTENDED_KEY_USAGE,
    oids::SUBJECT_ALT_NAME,
    oids::OCSP_NOCHECK,
];

/// RFC 6960 §5.1.1. Clients that believe SHA-1 are too many to be told otherwise; what we sign under is ours to choose.
fn is_strong(certificate: &Certificate) -> Result<(), DelegateError> {
    if certificate.signature_algorithm() == Ok(SignatureAlgorithm::RsaPkcs1Sha1) {
        return Err(DelegateError::WeakSignature);
    }
    let nocheck = certificate.extension(oids::OCSP_NOCHECK);
    if nocheck.is_some_and(pki_core::Extension::is_critical) {
        return Err(DelegateError::UnknownCriticalExtension(oids::OCSP_NOCHECK));
    }
    Ok(())
}

pub(crate) fn has_nocheck(certificate: &Certificate) -> bool {
    certificate.extension(oids::OCSP_NOCHECK).is_some_and(|extension| extension.value() == [5, 0])
}

/// RFC 6960 §5.1.1: nothing is signed by a weak algorithm or a short key, whoever asks.
fn makes(key: KeyKind, algorithm: SignatureAlgorithm) -> bool {
    let is_weak =
        algorithm == SignatureAlgorithm::RsaPkcs1Sha1 || matches!(key, KeyKind::Rsa { bits: ..2048 });
    !is_weak && algorithm.fits(key)
}

/// ```text
/// ResponderID ::= CHOICE { byName [1] EXPLICIT Name, byKey [2] EXPLICIT KeyHash }
/// KeyHash ::= OCTET STRING -- SHA-1 of the octets of the key's BIT STRING
/// ```
fn responder_id(certificate: &Certificate) -> Vec<u8> {
    let mut out = BackWriter::with_capacity(24);
    out.wrap(explicit(2), |out| out.element(OCTET_STRING, &certificate.public_key().key_identifier()));
    out.finish()
}

fn certs(certificate: &Certificate) -> Vec<u8> {
    let mut out = BackWriter::with_capacity(certificate.as_der().len().saturating_add(8));
    out.wrap(explicit(0), |out| out.element(SEQUENCE, certificate.as_der()));
    out.finish()
}
