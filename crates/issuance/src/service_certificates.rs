//! The certificates that a CA makes for its own service: its root, its registration authority, its responders.

use pki_core::{
    BasicConstraints, Certificate, Extension, KeyUsage, Name, PublicKey, RandomFailed, SecureRandom,
    SerialNumber, SigningKey, Validity, oids,
};

use crate::{
    Issuer, IssuingAlgorithm, PrepareError, PreparedCertificate, SignError, UnfitIssuer,
    issuer::{end_entity, key_usage, subject_key_identifier},
    prepared::TbsFields,
    profile::extended_key_usage,
};

/// A serial number of 16 octets for a certificate of the CA's own service: random, and bound to nothing. Those of other
/// certificates have 20 octets, so that neither can be taken for the other.
pub fn service_serial(random: &dyn SecureRandom) -> Result<SerialNumber, RandomFailed> {
    let mut octets = [0; 16];
    random.fill(&mut octets)?;
    // strongSwan (6.0.1) rejects every reply whose signer's serial number needs a leading 00, so keep the top bit
    // clear; the next one is set so that there are always 16 octets.
    let [first, ..] = &mut octets;
    *first = *first & 0x3F | 0x40;
    SerialNumber::from_be_bytes(&octets).map_err(|_| RandomFailed)
}

/// A self-signed CA certificate, save for its signature: a CA that certifies no further CAs (pathLenConstraint 0).
///
/// keyUsage is keyCertSign, cRLSign and digitalSignature; the last for GetNextCACert, whose answer the CA's key signs
/// (RFC 8894 §4.7.1).
pub fn prepare_root(
    subject: &Name,
    key: &PublicKey,
    algorithm: IssuingAlgorithm,
    validity: Validity,
    serial: SerialNumber,
) -> PreparedCertificate {
    let constraints = BasicConstraints { ca: true, path_len: Some(0) };
    let constraints = Extension::new(oids::BASIC_CONSTRAINTS, constraints.to_der()).critical().to_der();
    let usage = KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_CERT_SIGN | KeyUsage::CRL_SIGN;
    let fields = TbsFields { serial, algorithm, issuer: subject, validity, subject, public_key: key };
    fields.prepare([&*constraints, &key_usage(usage), &subject_key_identifier(key)])
}

/// Makes a self-signed CA certificate for `key`, as [`prepare_root`] describes it, and the [`Issuer`] that it makes.
pub async fn create_root(
    subject: &Name,
    key: &dyn SigningKey,
    validity: Validity,
    random: &dyn SecureRandom,
) -> Result<Issuer, CreateError> {
    let algorithm = IssuingAlgorithm::try_from(key.algorithm()).map_err(UnfitIssuer::from)?;
    let serial = service_serial(random)?;
    let prepared = prepare_root(subject, key.public_key(), algorithm, validity, serial);
    Ok(Issuer::of_key(prepared.sign_with(key).await?, key)?)
}

impl Issuer {
    /// A certificate for the CA's registration authority, save for its signature: its key (RSA) opens envelopes and
    /// signs replies. Its validity is cut to the CA's own.
    pub fn prepare_ra(
        &self,
        subject: &Name,
        key: &PublicKey,
        validity: Validity,
        serial: SerialNumber,
    ) -> Result<PreparedCertificate, PrepareError> {
        if !key.can_encipher() {
            return Err(PrepareError::UnfitKey { expected: "an RSA key, which can decrypt" });
        }
        let usage = KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT;
        let fields = self.fields(serial, self.clipped(validity)?, subject, key);
        Ok(fields.prepare([
            &*end_entity(),
            &key_usage(usage),
            &subject_key_identifier(key),
            self.authority_key(),
        ]))
    }

    /// A certificate for an OCSP responder of this CA, save for its signature: extKeyUsage is OCSPSigning alone, and
    /// id-pkix-ocsp-nocheck tells clients to trust it for as long as it is valid
    /// ([RFC 6960 §4.2.2.2.1](https://www.rfc-editor.org/rfc/rfc6960#section-4.2.2.2.1)), so make that short: a day.
    /// Its validity is cut to the CA's own.
    pub fn prepare_ocsp_delegate(
        &self,
        subject: &Name,
        key: &PublicKey,
        validity: Validity,
        serial: SerialNumber,
    ) -> Result<PreparedCertificate, PrepareError> {
        const NULL: [u8; 2] = [5, 0];
        let no_check = Extension::new(oids::OCSP_NOCHECK, NULL.to_vec()).to_der();
        let fields = self.fields(serial, self.clipped(validity)?, subject, key);
        Ok(fields.prepare([
            &*end_entity(),
            &key_usage(KeyUsage::DIGITAL_SIGNATURE),
            &extended_key_usage(&[oids::KP_OCSP_SIGNING]),
            &no_check,
            &subject_key_identifier(key),
            self.authority_key(),
        ]))
    }

    /// Makes a certificate for the CA's registration authority, as [`Issuer::prepare_ra`] describes it; `ca_key` signs.
    pub async fn create_ra(
        &self,
        subject: &Name,
        key: &PublicKey,
        validity: Validity,
        ca_key: &dyn SigningKey,
        random: &dyn SecureRandom,
    ) -> Result<Certificate, CreateError> {
        let prepared = self.prepare_ra(subject, key, validity, service_serial(random)?)?;
        self.signed(prepared, ca_key).await
    }

    /// Makes a certificate for an OCSP responder of this CA, as [`Issuer::prepare_ocsp_delegate`] describes it; `ca_key`
    /// signs.
    pub async fn create_ocsp_delegate(
        &self,
        subject: &Name,
        key: &PublicKey,
        validity: Validity,
        ca_key: &dyn SigningKey,
        random: &dyn SecureRandom,
    ) -> Result<Certificate, CreateError> {
        let prepared = self.prepare_ocsp_delegate(subject, key, validity, service_serial(random)?)?;
        self.signed(prepared, ca_key).await
    }

    async fn signed(
        &self,
        prepared: PreparedCertificate,
        ca_key: &dyn SigningKey,
    ) -> Result<Certificate, CreateError> {
        self.check_key(ca_key)?;
        Ok(prepared.sign_with(ca_key).await?)
    }
}

/// A certificate for the CA's own service was not made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {
    /// The CA's key or certificate is not fit for it.
    #[error(transparent)]
    Issuer(#[from] UnfitIssuer),
    /// No such certificate can be made.
    #[error(transparent)]
    Prepare(#[from] PrepareError),
    /// No serial number could be made.
    #[error(transparent)]
    Random(#[from] RandomFailed),
    /// The CA's key did not sign.
    #[error(transparent)]
    Sign(#[from] SignError),
}
