//! Self-signed certificates for clients that have none yet.

use alloc::vec::Vec;

use pki_core::{
    Certificate, DecodeError, Extension, KeyUsage, Name, PublicKey, RandomFailed, SecureRandom,
    SignatureAlgorithm, Validity, oids, tlv,
};

/// The self-signed certificate that a client without one signs its first request with
/// ([RFC 8894 §2.3](https://www.rfc-editor.org/rfc/rfc8894#section-2.3)): the subject and the key of the PKCS #10
/// request, and a keyUsage of digitalSignature and, where the key can, keyEncipherment. It lacks only its signature.
///
/// ```no_run
/// # use pki_core::{Name, SecureRandom, SigningKey, UnixTime, Validity};
/// # use scep_proto::UnsignedSignerCertificate;
/// # async fn make(key: &dyn SigningKey, random: &dyn SecureRandom, now: UnixTime) -> Result<(), Box<dyn std::error::Error>> {
/// use std::time::Duration;
/// let day = Duration::from_secs(24 * 60 * 60);
/// let validity = Validity::new(now.saturating_sub(day), now.saturating_add(day * 7))?; // clocks differ, people take days
/// let subject: Name = "CN=laptop-1".parse()?;
/// let unsigned = UnsignedSignerCertificate::new(&subject, key.public_key(), key.algorithm(), validity, random)?;
/// let signature = key.sign(unsigned.tbs()).await?;
/// let certificate = unsigned.finish(&signature)?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use]
pub struct UnsignedSignerCertificate {
    tbs: Vec<u8>,
    algorithm: SignatureAlgorithm,
}

impl UnsignedSignerCertificate {
    /// For `subject` and `key`, whose private half will sign with `algorithm`.
    pub fn new(
        subject: &Name,
        key: &PublicKey,
        algorithm: SignatureAlgorithm,
        validity: Validity,
        random: &dyn SecureRandom,
    ) -> Result<Self, RandomFailed> {
        let mut serial = [0; 16];
        random.fill(&mut serial)?;
        if let Some(first) = serial.first_mut() {
            // Positive, and of full length whatever was drawn.
            *first = *first & 0x3F | 0x40;
        }
        let times = [tlv::time(validity.not_before()), tlv::time(validity.not_after())].concat();
        let usage = KeyUsage::DIGITAL_SIGNATURE;
        let usage = if key.can_encipher() { usage | KeyUsage::KEY_ENCIPHERMENT } else { usage };
        let usage = Extension::new(oids::KEY_USAGE, usage.to_der()).critical().to_der();
        let version_3: &[u8] = &[0xA0, 3, tlv::INTEGER, 1, 2];
        let tbs = tlv::sequence([
            version_3,
            &tlv::wrap(tlv::INTEGER, &serial),
            &algorithm.to_der(),
            subject.as_der(),
            &tlv::wrap(tlv::SEQUENCE, &times),
            subject.as_der(),
            key.as_der(),
            &tlv::wrap(0xA3, &tlv::wrap(tlv::SEQUENCE, &usage)),
        ]);
        Ok(Self { tbs, algorithm })
    }

    /// Bytes to sign: the DER of the TBSCertificate.
    pub fn tbs(&self) -> &[u8] {
        &self.tbs
    }

    /// Attaches the signature made over [`UnsignedSignerCertificate::tbs`].
    pub fn finish(self, signature: &[u8]) -> Result<Certificate, DecodeError> {
        let bits = tlv::wrap(tlv::BIT_STRING, &[&[0], signature].concat());
        Certificate::from_der(&tlv::sequence([&*self.tbs, &self.algorithm.to_der(), &bits]))
    }
}
