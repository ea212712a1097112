//! How CMS points at a certificate.

use alloc::vec::Vec;

use pki_core::{Certificate, DecodeError, Name, oids, tlv};

/// `SignerIdentifier` and `RecipientIdentifier`, which are the same
/// ([RFC 5652 §5.3](https://www.rfc-editor.org/rfc/rfc5652#section-5.3)).
///
/// ```text
/// SignerIdentifier ::= CHOICE { issuerAndSerialNumber IssuerAndSerialNumber,
///                               subjectKeyIdentifier [0] SubjectKeyIdentifier }
/// ```
#[derive(Debug, Clone)]
pub(crate) enum CertificateId {
    IssuerAndSerial {
        issuer: Name,
        /// Content octets of the INTEGER: sscep's self-signed certificates have 32 of them.
        serial: Vec<u8>,
    },
    KeyIdentifier(Vec<u8>),
}

impl CertificateId {
    pub(crate) fn read(fields: &mut tlv::Cursor<'_>) -> Result<Self, DecodeError> {
        const KEY_IDENTIFIER: u8 = 0x80;
        if let Some(identifier) = fields.optional(KEY_IDENTIFIER)? {
            return Ok(Self::KeyIdentifier(identifier.value.to_vec()));
        }
        let mut fields = fields.enter(tlv::SEQUENCE)?;
        let issuer = Name::from_der(fields.expect(tlv::SEQUENCE)?.bytes)?;
        let serial = fields.expect(tlv::INTEGER)?.value.to_vec();
        fields.finish()?;
        Ok(Self::IssuerAndSerial { issuer, serial })
    }

    /// Whether it names the issuer of `certificate`, at which it points, in other octets.
    pub(crate) fn re_encodes_issuer_of(&self, certificate: &Certificate) -> bool {
        matches!(self, Self::IssuerAndSerial { issuer, .. } if issuer.as_der() != certificate.issuer().as_der())
    }

    /// Whether it points at `certificate`. Issuers are compared by what they mean, because embedded stacks re-encode
    /// them.
    pub(crate) fn matches(&self, certificate: &Certificate) -> bool {
        match self {
            Self::IssuerAndSerial { issuer, serial } => {
                serial == certificate.serial_octets() && issuer.matches(certificate.issuer())
            }
            Self::KeyIdentifier(identifier) => match certificate.extension(oids::SUBJECT_KEY_IDENTIFIER) {
                Some(extension) => extension.value() == tlv::wrap(tlv::OCTET_STRING, identifier),
                None => *identifier == certificate.public_key().key_identifier(),
            },
        }
    }
}

/// The IssuerAndSerialNumber of `certificate`, in its own octets.
pub(crate) fn issuer_and_serial(certificate: &Certificate) -> Vec<u8> {
    let serial = tlv::wrap(tlv::INTEGER, certificate.serial_octets());
    tlv::sequence([certificate.issuer().as_der(), &serial])
}
