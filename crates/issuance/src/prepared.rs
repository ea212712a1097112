//! Certificates that lack only their signature.

use pki_core::{
    Certificate, DecodeError, KeyError, Name, PublicKey, SerialNumber, SignatureAlgorithm, SigningKey,
    Validity, tlv,
};

use crate::IssuingAlgorithm;

/// A certificate that lacks only its signature. Used once, by [`PreparedCertificate::finish`].
///
/// ```no_run
/// # async fn sign(prepared: issuance::PreparedCertificate, key: &dyn pki_core::SigningKey)
/// #     -> Result<pki_core::Certificate, Box<dyn std::error::Error>> {
/// let signature = key.sign(prepared.tbs()).await?;
/// let certificate = prepared.finish(&signature)?;
/// # Ok(certificate) }
/// ```
#[derive(Debug)]
#[must_use]
pub struct PreparedCertificate {
    serial: SerialNumber,
    algorithm: IssuingAlgorithm,
    tbs: Vec<u8>,
}

impl PreparedCertificate {
    /// One that was prepared, and recorded, before.
    pub(crate) fn on_record(serial: SerialNumber, algorithm: IssuingAlgorithm, tbs: Vec<u8>) -> Self {
        Self { serial, algorithm, tbs }
    }

    /// The bytes to sign: the DER of the TBSCertificate.
    pub fn tbs(&self) -> &[u8] {
        &self.tbs
    }

    /// Its serial number.
    pub fn serial_number(&self) -> SerialNumber {
        self.serial
    }

    /// How it is to be signed.
    pub fn algorithm(&self) -> IssuingAlgorithm {
        self.algorithm
    }

    /// Attaches the signature made over [`PreparedCertificate::tbs`].
    pub fn finish(self, signature: &[u8]) -> Result<Certificate, DecodeError> {
        let algorithm = SignatureAlgorithm::from(self.algorithm).to_der();
        let bits = tlv::wrap(tlv::BIT_STRING, &[&[0], signature].concat());
        let certificate = Certificate::from_der(&tlv::sequence([&*self.tbs, &algorithm, &bits]))?;
        if certificate.serial_number() == Some(self.serial) {
            return Ok(certificate);
        }
        Err(DecodeError::new("a TBSCertificate of the serial number claimed for it", "another serial number"))
    }

    /// Signs with `key` and finishes.
    pub async fn sign_with(self, key: &dyn SigningKey) -> Result<Certificate, SignError> {
        if key.algorithm() != self.algorithm.into() {
            return Err(SignError::OtherAlgorithm);
        }
        let signature = key.sign(self.tbs()).await?;
        Ok(self.finish(&signature)?)
    }
}

/// What every TBSCertificate has.
pub(crate) struct TbsFields<'a> {
    pub(crate) serial: SerialNumber,
    pub(crate) algorithm: IssuingAlgorithm,
    pub(crate) issuer: &'a Name,
    pub(crate) validity: Validity,
    pub(crate) subject: &'a Name,
    pub(crate) public_key: &'a PublicKey,
}

impl TbsFields<'_> {
    /// With `extensions`, each the DER of one `Extension` or of several.
    ///
    /// ```text
    /// TBSCertificate ::= SEQUENCE {
    ///     version [0] EXPLICIT Version, serialNumber CertificateSerialNumber, signature AlgorithmIdentifier,
    ///     issuer Name, validity Validity, subject Name, subjectPublicKeyInfo SubjectPublicKeyInfo,
    ///     extensions [3] EXPLICIT Extensions }
    /// ```
    pub(crate) fn prepare<'e>(self, extensions: impl IntoIterator<Item = &'e [u8]>) -> PreparedCertificate {
        const V3: [u8; 5] = [0xA0, 3, tlv::INTEGER, 1, 2];
        let serial = tlv::wrap(tlv::INTEGER, self.serial.as_be_bytes());
        let signature = SignatureAlgorithm::from(self.algorithm).to_der();
        let (not_before, not_after) =
            (tlv::time(self.validity.not_before()), tlv::time(self.validity.not_after()));
        let validity = tlv::sequence([&*not_before, &not_after]);
        let extensions = tlv::wrap(0xA3, &tlv::sequence(extensions));
        let tbs = tlv::sequence([
            &V3,
            &*serial,
            &signature,
            self.issuer.as_der(),
            &validity,
            self.subject.as_der(),
            self.public_key.as_der(),
            &extensions,
        ]);
        PreparedCertificate { serial: self.serial, algorithm: self.algorithm, tbs }
    }
}

/// A prepared certificate was not signed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// The key makes other signatures than the certificate was prepared for.
    #[error("the certificate was prepared for a key of another signature algorithm")]
    OtherAlgorithm,
    /// The key did not sign.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// What was signed is no certificate.
    #[error(transparent)]
    Malformed(#[from] DecodeError),
}
