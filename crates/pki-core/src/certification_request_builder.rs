//! Certification requests to be made.

use alloc::vec::Vec;

use crate::{
    CertificationRequest, ChallengePassword, DecodeError, Extension, GeneralName, KeyUsage, Name, Oid,
    PublicKey, SignatureAlgorithm, oids, tlv,
};

/// What a requester asks for beside its name and key. Start from `default()` and set fields.
#[derive(Debug, Clone, Default)]
#[expect(clippy::exhaustive_structs, reason = "built with struct update")]
pub struct RequestedExtensions {
    /// Alternative names.
    pub subject_alt_names: Vec<GeneralName>,
    /// Key usage.
    pub key_usage: Option<KeyUsage>,
    /// Extended key usages.
    pub extended_key_usages: Vec<Oid>,
    /// Anything else, as it is.
    pub others: Vec<Extension>,
}

/// A PKCS #10 request that lacks only its signature.
///
/// ```no_run
/// # async fn make(key: &dyn pki_core::SigningKey) -> Result<(), Box<dyn std::error::Error>> {
/// # use pki_core::{Name, RequestedExtensions, UnsignedCertificationRequest};
/// let name: Name = "CN=laptop-1".parse()?;
/// let extensions = RequestedExtensions::default();
/// let unsigned = UnsignedCertificationRequest::new(&name, key.public_key(), None, &extensions);
/// let signature = key.sign(unsigned.tbs()).await?;
/// let request = unsigned.finish(key.algorithm(), &signature)?;
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use]
pub struct UnsignedCertificationRequest {
    info: Vec<u8>,
}

impl UnsignedCertificationRequest {
    /// A request for `subject` and `key`.
    pub fn new(
        subject: &Name,
        key: &PublicKey,
        challenge: Option<&ChallengePassword>,
        extensions: &RequestedExtensions,
    ) -> Self {
        let challenge = challenge.map(|secret| attribute(oids::CHALLENGE_PASSWORD, &secret.to_der()));
        let extensions = extensions.to_der().map(|list| attribute(oids::EXTENSION_REQUEST, &list));
        // A SET OF in DER is ordered; challengePassword (…9.7) sorts by length first, so compare the encodings.
        let mut attributes: Vec<_> = challenge.into_iter().chain(extensions).collect();
        attributes.sort();
        let attributes = tlv::wrap(0xA0, &attributes.concat());
        let version: &[u8] = &[tlv::INTEGER, 1, 0];
        Self { info: tlv::sequence([version, subject.as_der(), key.as_der(), &attributes]) }
    }

    /// Bytes to sign.
    pub fn tbs(&self) -> &[u8] {
        &self.info
    }

    /// Attaches the signature made over [`UnsignedCertificationRequest::tbs`].
    pub fn finish(
        self,
        algorithm: SignatureAlgorithm,
        signature: &[u8],
    ) -> Result<CertificationRequest, DecodeError> {
        let bits = tlv::wrap(tlv::BIT_STRING, &[&[0], signature].concat());
        CertificationRequest::from_der(&tlv::sequence([&*self.info, &algorithm.to_der(), &bits]))
    }
}

impl RequestedExtensions {
    fn to_der(&self) -> Option<Vec<u8>> {
        let usage = self.key_usage.map(|usage| Extension::new(oids::KEY_USAGE, usage.to_der()).critical());
        let extended = (!self.extended_key_usages.is_empty()).then(|| {
            let list: Vec<u8> = self.extended_key_usages.iter().flat_map(|id| tlv::oid(*id)).collect();
            Extension::new(oids::EXTENDED_KEY_USAGE, tlv::wrap(tlv::SEQUENCE, &list))
        });
        let names = (!self.subject_alt_names.is_empty()).then(|| {
            Extension::new(oids::SUBJECT_ALT_NAME, GeneralName::list_to_der(&self.subject_alt_names))
        });
        let all = usage.iter().chain(&extended).chain(&names).chain(&self.others);
        let list: Vec<u8> = all.flat_map(Extension::to_der).collect();
        (!list.is_empty()).then(|| tlv::wrap(tlv::SEQUENCE, &list))
    }
}

fn attribute(id: Oid, value: &[u8]) -> Vec<u8> {
    tlv::sequence([&*tlv::oid(id), &tlv::wrap(tlv::SET, value)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> PublicKey {
        // id-ecPublicKey, prime256v1, a point that is only looked at for its shape.
        let algorithm = [
            0x30, 0x13, 0x06, 0x07, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x02, 0x01, 0x06, 0x08, 0x2A, 0x86, 0x48,
            0xCE, 0x3D, 0x03, 0x01, 0x07,
        ];
        let point = tlv::wrap(tlv::BIT_STRING, &[0, 4]);
        PublicKey::from_der(&tlv::sequence([&algorithm[..], &point])).unwrap()
    }

    #[test]
    fn what_was_asked_for_reads_back() {
        let asked = RequestedExtensions {
            subject_alt_names: alloc::vec![GeneralName::Dns("laptop-1".into())],
            key_usage: Some(KeyUsage::DIGITAL_SIGNATURE),
            extended_key_usages: alloc::vec![oids::KP_CLIENT_AUTH],
            others: Vec::new(),
        };
        let name: Name = "CN=laptop-1".parse().unwrap();
        let challenge = ChallengePassword::new("s€cret".into());
        let unsigned = UnsignedCertificationRequest::new(&name, &key(), Some(&challenge), &asked);
        let tbs = unsigned.tbs().to_vec();
        let request = unsigned.finish(SignatureAlgorithm::EcdsaSha256, b"not one").unwrap();
        assert_eq!(request.tbs(), tbs);
        assert_eq!(request.subject(), &name);
        assert_eq!(request.public_key(), &key());
        assert!(request.challenge_password().unwrap().matches(&challenge));
        assert_eq!(request.subject_alt_names().unwrap(), asked.subject_alt_names);
        assert_eq!(request.key_usage().unwrap(), asked.key_usage);
        assert_eq!(request.extended_key_usages().unwrap(), asked.extended_key_usages);
        assert!(!request.basic_constraints().unwrap().ca);
    }

    #[test]
    fn a_request_for_nothing_more_has_no_attributes() {
        let name = Name::of_common_name("x");
        let unsigned =
            UnsignedCertificationRequest::new(&name, &key(), None, &RequestedExtensions::default());
        let request = unsigned.finish(SignatureAlgorithm::EcdsaSha256, b"not one").unwrap();
        assert!(request.challenge_password().is_none());
        assert!(request.extensions().is_empty());
    }
}
