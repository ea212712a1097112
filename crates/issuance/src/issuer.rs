//! A CA's name and key, as its certificates show them.

use pki_core::{
    BasicConstraints, CertRef, Certificate, DecodeError, Extension, GeneralName, IssuerId, KeyUsage, Name,
    PublicKey, SerialNumber, SigningKey, UnixTime, Validity, oids, tlv,
};

use crate::{
    Authorized, CertificateRequest, IssuingAlgorithm, KeyNotAllowed, NotForIssuing, PreparedCertificate,
    prepared::TbsFields,
};

/// A CA as far as its certificates need it. Pure: it neither signs nor records.
#[derive(Debug, Clone)]
pub struct Issuer {
    certificate: Certificate,
    algorithm: IssuingAlgorithm,
    id: IssuerId,
    /// The DER of the authorityKeyIdentifier extension of what it issues.
    authority_key: Vec<u8>,
}

impl Issuer {
    /// The CA that holds `certificate` and signs with `algorithm`. Fails unless that is a CA which may sign
    /// certificates (RFC 5280 §4.2.1.3, §4.2.1.9).
    pub fn new(certificate: Certificate, algorithm: IssuingAlgorithm) -> Result<Self, UnfitIssuer> {
        if !certificate.basic_constraints()?.ca {
            return Err(UnfitIssuer::NotACa);
        }
        if certificate.key_usage()?.is_some_and(|usage| !usage.contains(KeyUsage::KEY_CERT_SIGN)) {
            return Err(UnfitIssuer::MayNotSignCertificates);
        }
        if certificate.subject().is_empty() {
            return Err(UnfitIssuer::NoName);
        }
        if !algorithm.fits(certificate.public_key()) {
            return Err(UnfitIssuer::OtherKind);
        }
        let authority_key = authority_key_identifier(&subject_key_identifier_of(&certificate)?);
        Ok(Self { id: IssuerId::of(&certificate), certificate, algorithm, authority_key })
    }

    /// The CA that holds `certificate` and `key`. Fails as well when these do not belong together, or the key signs
    /// with SHA-1.
    pub fn of_key(certificate: Certificate, key: &dyn SigningKey) -> Result<Self, UnfitIssuer> {
        let issuer = Self::new(certificate, key.algorithm().try_into()?)?;
        issuer.check_key(key)?;
        Ok(issuer)
    }

    /// The CA's certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Names the CA.
    pub fn id(&self) -> IssuerId {
        self.id
    }

    /// How its certificates are signed.
    pub fn algorithm(&self) -> IssuingAlgorithm {
        self.algorithm
    }

    /// Names the certificate of that serial number.
    pub fn certificate_ref(&self, serial: SerialNumber) -> CertRef {
        CertRef { issuer: self.id, serial }
    }

    /// The certificate that was asked for, save for its signature.
    ///
    /// Its extensions are basicConstraints (not a CA), keyUsage, extKeyUsage, authorityInfoAccess, cRLDistributionPoints,
    /// freshestCRL and others where the profile has them, subjectAltName where there are alternative names, the security
    /// identifier and Microsoft's ids where there are any, and both key identifiers: no more, and none from the request.
    pub fn prepare(
        &self,
        request: &Authorized<CertificateRequest>,
        serial: SerialNumber,
        now: UnixTime,
    ) -> Result<PreparedCertificate, PrepareError> {
        let request = request.value();
        let CertificateRequest { subject, subject_alt_names, public_key, profile, .. } = request;
        profile.check_key(public_key)?;
        let validity = self.validity(request, now)?;
        let (usage, extended) = profile.usages(public_key.kind(), request.usages.as_ref())?;
        let identifier = request.security_identifier.as_ref().map(|sid| sid.to_extension().to_der());
        let alternative_names = alternative_names(subject, subject_alt_names)?;
        let fields = self.fields(serial, validity, subject, public_key);
        Ok(fields.prepare([
            &*end_entity(),
            &key_usage(usage),
            &extended,
            profile.fixed_extensions(),
            &alternative_names,
            identifier.as_deref().unwrap_or_default(),
            &request.microsoft_ids.to_extensions(),
            &subject_key_identifier(public_key),
            &self.authority_key,
        ]))
    }

    pub(crate) fn check_key(&self, key: &dyn SigningKey) -> Result<(), UnfitIssuer> {
        if key.public_key() != self.certificate.public_key() {
            return Err(UnfitIssuer::OtherKey);
        }
        if key.algorithm() != self.algorithm.into() {
            return Err(UnfitIssuer::OtherKind);
        }
        Ok(())
    }

    /// Of a certificate that is issued now.
    pub(crate) fn validity(
        &self,
        request: &CertificateRequest,
        now: UnixTime,
    ) -> Result<Validity, PrepareError> {
        let own = self.certificate.validity();
        if !own.contains(now) {
            return Err(PrepareError::CaNotValid { now, not_after: own.not_after() });
        }
        let begin = now.saturating_sub(request.profile.settings().backdating);
        self.clipped(Validity::new(begin, now.saturating_add(request.life()))?)
    }

    /// As much of `validity` as lies within the CA's own.
    pub(crate) fn clipped(&self, validity: Validity) -> Result<Validity, PrepareError> {
        let own = self.certificate.validity();
        let not_before = validity.not_before().max(own.not_before());
        Ok(Validity::new(not_before, validity.not_after().min(own.not_after()))?)
    }

    pub(crate) fn fields<'a>(
        &'a self,
        serial: SerialNumber,
        validity: Validity,
        subject: &'a Name,
        public_key: &'a PublicKey,
    ) -> TbsFields<'a> {
        let issuer = self.certificate.subject();
        TbsFields { serial, algorithm: self.algorithm, issuer, validity, subject, public_key }
    }

    pub(crate) fn authority_key(&self) -> &[u8] {
        &self.authority_key
    }
}

pub(crate) fn end_entity() -> Vec<u8> {
    Extension::new(oids::BASIC_CONSTRAINTS, BasicConstraints::default().to_der()).critical().to_der()
}

pub(crate) fn key_usage(usage: KeyUsage) -> Vec<u8> {
    Extension::new(oids::KEY_USAGE, usage.to_der()).critical().to_der()
}

pub(crate) fn subject_key_identifier(key: &PublicKey) -> Vec<u8> {
    let identifier = tlv::wrap(tlv::OCTET_STRING, &key.key_identifier());
    Extension::new(oids::SUBJECT_KEY_IDENTIFIER, identifier).to_der()
}

/// Critical when there is no other name (RFC 5280 §4.2.1.6).
fn alternative_names(subject: &Name, names: &[GeneralName]) -> Result<Vec<u8>, PrepareError> {
    match (subject.is_empty(), names) {
        (true, []) => Err(PrepareError::NoName),
        (false, []) => Ok(Vec::new()),
        (no_subject, names) => {
            let extension = Extension::new(oids::SUBJECT_ALT_NAME, GeneralName::list_to_der(names));
            Ok(if no_subject { extension.critical() } else { extension }.to_der())
        }
    }
}

/// What the CA's certificate says, so that chains match by it whatever method made it.
fn subject_key_identifier_of(certificate: &Certificate) -> Result<Vec<u8>, DecodeError> {
    let Some(extension) = certificate.extension(oids::SUBJECT_KEY_IDENTIFIER) else {
        return Ok(certificate.public_key().key_identifier().to_vec());
    };
    let mut cursor = tlv::Cursor::over(extension.value(), "a SubjectKeyIdentifier")?;
    let identifier = cursor.expect(tlv::OCTET_STRING)?.value.to_vec();
    cursor.finish()?;
    Ok(identifier)
}

/// ```text
/// AuthorityKeyIdentifier ::= SEQUENCE { keyIdentifier [0] IMPLICIT KeyIdentifier OPTIONAL, ... }
/// ```
fn authority_key_identifier(identifier: &[u8]) -> Vec<u8> {
    let value = tlv::wrap(tlv::SEQUENCE, &tlv::wrap(0x80, identifier));
    Extension::new(oids::AUTHORITY_KEY_IDENTIFIER, value).to_der()
}

/// A certificate, or a certificate and a key, that make no issuer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnfitIssuer {
    /// basicConstraints do not say CA.
    #[error("expected a CA certificate: its basicConstraints do not say that it is one")]
    NotACa,
    /// keyUsage lacks keyCertSign.
    #[error("expected a CA certificate that may sign certificates: its keyUsage lacks keyCertSign")]
    MayNotSignCertificates,
    /// keyUsage lacks cRLSign.
    #[error("expected a CA certificate that may sign CRLs: its keyUsage lacks cRLSign")]
    MayNotSignCrls,
    /// The subject is empty.
    #[error("expected a CA certificate with a subject: its subject is empty")]
    NoName,
    /// The certificate is of another key.
    #[error("the CA certificate and the key do not belong together: their public keys differ")]
    OtherKey,
    /// The key cannot make such signatures, or makes others.
    #[error("the signature algorithm does not go with the CA's key")]
    OtherKind,
    /// The key signs with SHA-1.
    #[error(transparent)]
    Algorithm(#[from] NotForIssuing),
    /// An extension of the certificate cannot be read.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
}

/// No certificate can be made of this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PrepareError {
    /// The profile does not take the key.
    #[error(transparent)]
    Key(#[from] KeyNotAllowed),
    /// More than the profile gives was to be given.
    #[error("the profile gives no certificate for {0}")]
    BeyondProfile(String),
    /// Neither a subject nor an alternative name.
    #[error("a certificate must name somebody: there is neither a subject nor an alternative name")]
    NoName,
    /// The key cannot do what the certificate is for.
    #[error("expected {expected}: the key is of another kind")]
    UnfitKey {
        /// What was expected.
        expected: &'static str,
    },
    /// The CA's own certificate has expired, or is not valid yet.
    #[error(
        "the CA's certificate is not valid at {now} (it ends at {not_after}): renew it, or correct the clock"
    )]
    CaNotValid {
        /// The time.
        now: UnixTime,
        /// When it ends.
        not_after: UnixTime,
    },
    /// The certificate would end before it begins: nothing of it lies within the CA's own validity.
    #[error(transparent)]
    Validity(#[from] DecodeError),
}
