//! The CA at work: serial number, record, signature, record.

use std::{fmt, sync::Arc};

use pki_core::{
    CertRef, Certificate, Clock, RandomFailed, SecureRandom, SerialNumber, SignatureVerifier, SigningKey,
    UnixTime,
};
use serial_binding::{SerialBinding, opaque_serial};

use crate::{
    Authorized, CertificateRequest, Derivation, Derived, Earlier, Intent, IntentOutcome, InterruptedIssuance,
    IssuanceLog, Issuer, LogError, PrepareError, PreparedCertificate, SignError, UnfitIssuer,
};

/// So many serial numbers are tried before something other than chance must be the matter.
const MOST_SERIALS: usize = 8;

/// What a [`CertificateAuthority`] is made of.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_structs, reason = "required collaborators")]
pub struct CaParts {
    /// Its name, certificate and algorithm.
    pub issuer: Issuer,
    /// Its key, which signs nothing but certificates here.
    pub key: Arc<dyn SigningKey>,
    /// Makes serial numbers.
    pub binding: Arc<dyn SerialBinding>,
    /// Remembers what was issued.
    pub log: Arc<dyn IssuanceLog>,
    /// Tells when validity begins.
    pub clock: Arc<dyn Clock>,
    /// Feeds the serial numbers.
    pub random: Arc<dyn SecureRandom>,
}

/// Issues certificates. Every call of [`CertificateAuthority::issue`] that returns a certificate has it on record; one
/// that is cut off anywhere leaves an intent on record, which the transaction's next run finishes.
pub struct CertificateAuthority {
    parts: CaParts,
    verifier: Option<Arc<dyn SignatureVerifier>>,
    derivation: Option<Arc<dyn Derivation>>,
}

impl CertificateAuthority {
    /// Fails when the key is not the issuer's.
    pub fn new(parts: CaParts) -> Result<Self, UnfitIssuer> {
        parts.issuer.check_key(&*parts.key)?;
        Ok(Self { parts, verifier: None, derivation: None })
    }

    /// Verifies every signature before it is recorded, for keys whose home might sign with another key than it shows.
    ///
    /// Off unless asked for. It costs one verification per certificate: 3 % of an RSA-2048 signature, but more than
    /// twice a P-256 signature. Libraries that keep keys in memory check their RSA results themselves.
    #[must_use]
    pub fn with_verifier(self, verifier: Arc<dyn SignatureVerifier>) -> Self {
        Self { verifier: Some(verifier), ..self }
    }

    /// Dates and numbers certificates by the request, and not by clock and chance. With a key whose signatures of one
    /// message are all the same, a repeated request then gets the same certificate though none is on record.
    #[must_use]
    pub fn with_derivation(self, derivation: Arc<dyn Derivation>) -> Self {
        Self { derivation: Some(derivation), ..self }
    }

    /// Its name, certificate and algorithm.
    pub fn issuer(&self) -> &Issuer {
        &self.parts.issuer
    }

    /// What its serial numbers are bound to.
    pub fn binding(&self) -> &dyn SerialBinding {
        &*self.parts.binding
    }

    /// Issues what was asked for; for a transaction that got its certificate before, that one again.
    pub async fn issue(&self, request: Authorized<CertificateRequest>) -> Result<Certificate, IssueError> {
        let Derived { at, random } = self.origin(&request)?;
        for _ in 0..MOST_SERIALS {
            let serial = self.serial(request.value(), &*random)?;
            let prepared = self.parts.issuer.prepare(&request, serial, at)?;
            let intent = self.intent(&request, &prepared, at)?;
            match self.parts.log.record_intent(&intent).await? {
                IntentOutcome::Recorded => return self.sign_and_record(prepared).await,
                IntentOutcome::SerialTaken => {}
                IntentOutcome::ChallengeSpent => return Err(IssueError::ChallengeSpent),
                IntentOutcome::TransactionTaken => return Err(IssueError::TransactionTaken),
                IntentOutcome::Repeated(Earlier::Issued(certificate)) => return Ok(certificate),
                IntentOutcome::Repeated(Earlier::Prepared { certificate, tbs }) => {
                    return self.finish(certificate, tbs).await;
                }
            }
        }
        Err(IssueError::NoFreeSerial)
    }

    /// Finishes an issuance that is on record: signs the very bytes that were recorded.
    pub async fn resume(
        &self,
        interrupted: Authorized<InterruptedIssuance>,
    ) -> Result<Certificate, IssueError> {
        let InterruptedIssuance { certificate, tbs } = interrupted.value();
        self.finish(*certificate, tbs.clone()).await
    }

    async fn finish(&self, certificate: CertRef, tbs: Vec<u8>) -> Result<Certificate, IssueError> {
        if certificate.issuer != self.parts.issuer.id() {
            return Err(IssueError::OtherIssuer);
        }
        let algorithm = self.parts.issuer.algorithm();
        self.sign_and_record(PreparedCertificate::on_record(certificate.serial, algorithm, tbs)).await
    }

    async fn sign_and_record(&self, prepared: PreparedCertificate) -> Result<Certificate, IssueError> {
        let issued = self.parts.issuer.certificate_ref(prepared.serial_number());
        let certificate = prepared.sign_with(&*self.parts.key).await?;
        if let Some(verifier) = &self.verifier {
            let key = self.parts.issuer.certificate().public_key();
            certificate.verify_signed_by(key, &**verifier).map_err(|_| IssueError::OwnSignature)?;
        }
        Ok(self.parts.log.record_issued(issued, &certificate).await?)
    }

    fn intent(
        &self,
        request: &Authorized<CertificateRequest>,
        prepared: &PreparedCertificate,
        at: UnixTime,
    ) -> Result<Intent, PrepareError> {
        let request_made = request.value();
        let CertificateRequest { subject, object, profile, .. } = request_made;
        let issuer = &self.parts.issuer;
        Ok(Intent {
            certificate: issuer.certificate_ref(prepared.serial_number()),
            tbs: prepared.tbs().to_vec(),
            profile: profile.name().to_owned(),
            subject: subject.to_string(),
            object: *object,
            not_after: issuer.validity(request_made, at)?.not_after(),
            at,
            provenance: request.provenance().clone(),
        })
    }

    /// Of the clock and of chance, unless they are derived.
    fn origin(&self, request: &Authorized<CertificateRequest>) -> Result<Derived, PrepareError> {
        let now = self.parts.clock.now();
        match &self.derivation {
            None => Ok(Derived { at: now, random: Arc::clone(&self.parts.random) }),
            Some(derivation) => derivation.derive(request, &self.parts.issuer, now),
        }
    }

    fn serial(
        &self,
        request: &CertificateRequest,
        random: &dyn SecureRandom,
    ) -> Result<SerialNumber, RandomFailed> {
        match &request.object {
            Some(object) => self.parts.binding.bind(object, random),
            None => opaque_serial(random),
        }
    }
}

impl fmt::Debug for CertificateAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CertificateAuthority({:?})", self.parts.issuer.certificate())
    }
}

/// No certificate was issued.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IssueError {
    /// The request and the profile, or the CA's own certificate, do not allow it.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// The challenge was spent by another transaction, or expired meanwhile.
    #[error("the challenge has been spent, or expired while the request was looked at")]
    ChallengeSpent,
    /// The transaction belongs to another request.
    #[error("another request of the same transaction came first")]
    TransactionTaken,
    /// Eight serial numbers in a row had been given before.
    #[error(
        "no unused serial number was found in {MOST_SERIALS} tries: too many certificates for one object, or no randomness"
    )]
    NoFreeSerial,
    /// What is on record was prepared by another CA.
    #[error("the interrupted issuance on record belongs to another CA")]
    OtherIssuer,
    /// The CA's own signature does not verify.
    #[error("the CA's key made a signature that its certificate does not verify")]
    OwnSignature,
    /// No serial number could be made.
    #[error(transparent)]
    Random(#[from] RandomFailed),
    /// The CA's key did not sign. The intent is on record; the same transaction may be tried again.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The record failed; nothing was handed out.
    #[error(transparent)]
    Log(#[from] LogError),
}
