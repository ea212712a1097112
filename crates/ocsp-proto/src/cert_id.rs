//! CertID: one certificate, named by hashes of its issuer.

use core::fmt;

use pki_core::{DecodeError, DigestAlgorithm, SerialNumber};

use crate::{
    reader::{OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE},
    writer::BackWriter,
};

const WHAT: &str = "a CertID";

/// `CertID` ([RFC 6960 §4.1.1](https://www.rfc-editor.org/rfc/rfc6960#section-4.1.1)): the DER it came as, and where
/// its parts lie in it.
///
/// ```text
/// CertID ::= SEQUENCE { hashAlgorithm AlgorithmIdentifier, issuerNameHash OCTET STRING,
///                       issuerKeyHash OCTET STRING, serialNumber CertificateSerialNumber }
/// ```
#[derive(Clone, Copy)]
pub struct CertId<'a> {
    der: &'a [u8],
    digest: Option<DigestAlgorithm>,
    issuer_name_hash: &'a [u8],
    issuer_key_hash: &'a [u8],
    serial: &'a [u8],
}

impl<'a> CertId<'a> {
    pub(crate) fn from_der(der: &'a [u8]) -> Result<Self, DecodeError> {
        let mut fields = Reader::into(der, SEQUENCE, WHAT)?;
        let mut algorithm = fields.enter(SEQUENCE)?;
        let digest = digest_by_oid(algorithm.oid()?);
        // Parameters are NULL or absent; a hash with others is none that we know.
        let plain = algorithm.is_empty() || algorithm.next()?.bytes == [5, 0];
        algorithm.finish()?;
        let issuer_name_hash = fields.expect(OCTET_STRING)?.value;
        let issuer_key_hash = fields.expect(OCTET_STRING)?.value;
        let serial = fields.integer()?;
        fields.finish()?;
        Ok(Self { der, digest: digest.filter(|_| plain), issuer_name_hash, issuer_key_hash, serial })
    }

    /// The exact bytes parsed; a response carries them back unchanged.
    pub fn as_der(&self) -> &'a [u8] {
        self.der
    }

    /// hashAlgorithm; `None` when it is not one of SHA-1, SHA-256, SHA-384 and SHA-512.
    pub fn digest(&self) -> Option<DigestAlgorithm> {
        self.digest
    }

    /// issuerNameHash: over the DER of the issuer's name.
    pub fn issuer_name_hash(&self) -> &'a [u8] {
        self.issuer_name_hash
    }

    /// issuerKeyHash: over the octets of the BIT STRING of the issuer's key.
    pub fn issuer_key_hash(&self) -> &'a [u8] {
        self.issuer_key_hash
    }

    /// The content octets of serialNumber, whatever they are.
    pub fn serial_octets(&self) -> &'a [u8] {
        self.serial
    }

    /// serialNumber, if RFC 5280 allows it.
    pub fn serial_number(&self) -> Option<SerialNumber> {
        SerialNumber::from_be_bytes(self.serial).ok()
    }

    /// Whether both name the same certificate in the same way, however each is encoded.
    pub(crate) fn names_the_same(&self, other: &CertId<'_>) -> bool {
        self.der == other.der
            || self.digest.is_some()
                && self.digest == other.digest
                && self.issuer_name_hash == other.issuer_name_hash
                && self.issuer_key_hash == other.issuer_key_hash
                && self.serial == other.serial
    }
}

impl fmt::Debug for CertId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CertId({:?}, ", self.digest)?;
        self.serial.iter().try_for_each(|octet| write!(f, "{octet:02X}"))?;
        f.write_str(")")
    }
}

/// Puts the CertID of these parts. SHA-1 goes with NULL parameters as everyone writes it, and so do the others:
/// responders that compare bytes have never seen anything else.
pub(crate) fn put_cert_id(
    out: &mut BackWriter,
    digest: DigestAlgorithm,
    name_hash: &[u8],
    key_hash: &[u8],
    serial: &[u8],
) {
    out.wrap(SEQUENCE, |out| {
        out.element(crate::reader::INTEGER, serial);
        out.element(OCTET_STRING, key_hash);
        out.element(OCTET_STRING, name_hash);
        out.wrap(SEQUENCE, |out| {
            out.put(&[5, 0]);
            out.element(OBJECT_IDENTIFIER, digest.oid().as_content());
        });
    });
}

/// By its content octets, because this is done for every CertID.
fn digest_by_oid(content: &[u8]) -> Option<DigestAlgorithm> {
    match *content {
        [0x2B, 0x0E, 3, 2, 0x1A] => Some(DigestAlgorithm::Sha1),
        [0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, last] => match last {
            1 => Some(DigestAlgorithm::Sha256),
            2 => Some(DigestAlgorithm::Sha384),
            3 => Some(DigestAlgorithm::Sha512),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_known_by_their_identifiers() {
        for digest in
            [DigestAlgorithm::Sha1, DigestAlgorithm::Sha256, DigestAlgorithm::Sha384, DigestAlgorithm::Sha512]
        {
            assert_eq!(digest_by_oid(digest.oid().as_content()), Some(digest));
        }
        assert_eq!(digest_by_oid(DigestAlgorithm::Md5.oid().as_content()), None);
    }

    #[test]
    fn a_digest_with_parameters_is_none_that_we_know() {
        let digest = |parameters: &[u8]| {
            let mut out = BackWriter::with_capacity(64);
            out.wrap(SEQUENCE, |out| {
                out.put(&[OCTET_STRING, 0, OCTET_STRING, 0, 2, 1, 5]);
                out.wrap(SEQUENCE, |out| {
                    out.put(parameters);
                    out.element(OBJECT_IDENTIFIER, DigestAlgorithm::Sha1.oid().as_content());
                });
            });
            CertId::from_der(&out.finish()).map(|id| id.digest())
        };
        assert_eq!(digest(&[]), Ok(Some(DigestAlgorithm::Sha1)));
        assert_eq!(digest(&[5, 0]), Ok(Some(DigestAlgorithm::Sha1)));
        assert_eq!(digest(&[4, 1, 7]), Ok(None));
        assert!(digest(&[5, 0, 5, 0]).is_err());
    }
}
