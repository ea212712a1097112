//! Certificates.

use alloc::{string::String, sync::Arc, vec::Vec};
use core::{fmt, ops::Range};

use crate::{
    BadSignature, BasicConstraints, DecodeError, Extension, GeneralName, KeyUsage, Name, Oid, PublicKey,
    SerialNumber, SignatureAlgorithm, SignatureVerifier, Validity, algorithm::AlgorithmError, extension,
    oids, pem, tlv,
};

const WHAT: &str = "a Certificate";

/// More extensions than this in one certificate are refused.
const MAX_EXTENSIONS: usize = 64;
const MAX_ALTERNATIVE_NAMES: usize = 256;

/// A certificate ([RFC 5280 §4.1](https://www.rfc-editor.org/rfc/rfc5280#section-4.1)): the DER it came as, parsed
/// once. Cheap to clone. Equal when the DER is.
///
/// Parsing checks the structure and nothing else: names, times, signatures and extensions are the caller's to judge.
/// Serial numbers that RFC 5280 does not allow are kept as octets, because foreign certificates have them.
#[derive(Clone)]
pub struct Certificate(Arc<Parsed>);

struct Parsed {
    der: Vec<u8>,
    tbs: Range<usize>,
    serial: Vec<u8>,
    issuer: Name,
    subject: Name,
    validity: Validity,
    public_key: PublicKey,
    extensions: Vec<Extension>,
    algorithm: Vec<u8>,
    signature: Vec<u8>,
}

impl Certificate {
    /// Parses DER.
    pub fn from_der(der: &[u8]) -> Result<Self, DecodeError> {
        parse(der).map(|parsed| Self(Arc::new(parsed)))
    }

    /// Parses the first `CERTIFICATE` block of PEM text.
    pub fn from_pem(pem: &str) -> Result<Self, DecodeError> {
        Self::from_der(&pem::CERTIFICATE.decode(pem)?)
    }

    /// PEM, lines ended by LF.
    pub fn to_pem(&self) -> String {
        pem::CERTIFICATE.encode(&self.0.der)
    }

    /// The exact bytes parsed.
    pub fn as_der(&self) -> &[u8] {
        &self.0.der
    }

    /// The bytes that are signed: the DER of the TBSCertificate.
    pub fn tbs(&self) -> &[u8] {
        self.0.der.get(self.0.tbs.clone()).unwrap_or_default()
    }

    /// The content octets of the serialNumber INTEGER, whatever they are.
    pub fn serial_octets(&self) -> &[u8] {
        &self.0.serial
    }

    /// The serial number, if RFC 5280 allows it.
    pub fn serial_number(&self) -> Option<SerialNumber> {
        SerialNumber::from_be_bytes(&self.0.serial).ok()
    }

    /// Who issued it.
    pub fn issuer(&self) -> &Name {
        &self.0.issuer
    }

    /// Whose it is.
    pub fn subject(&self) -> &Name {
        &self.0.subject
    }

    /// From when to when.
    pub fn validity(&self) -> Validity {
        self.0.validity
    }

    /// The subject's key.
    pub fn public_key(&self) -> &PublicKey {
        &self.0.public_key
    }

    /// Every extension, in order.
    pub fn extensions(&self) -> &[Extension] {
        &self.0.extensions
    }

    /// The extension of that type.
    pub fn extension(&self, id: Oid) -> Option<&Extension> {
        self.0.extensions.iter().find(|extension| extension.id() == id)
    }

    /// keyUsage; `None` when the certificate does not limit it.
    pub fn key_usage(&self) -> Result<Option<KeyUsage>, DecodeError> {
        self.decoded(oids::KEY_USAGE, KeyUsage::from_der)
    }

    /// extKeyUsage; empty when the certificate does not limit it.
    pub fn extended_key_usages(&self) -> Result<Vec<Oid>, DecodeError> {
        Ok(self.decoded(oids::EXTENDED_KEY_USAGE, extension::oid_list)?.unwrap_or_default())
    }

    /// basicConstraints; those of an end entity when absent.
    pub fn basic_constraints(&self) -> Result<BasicConstraints, DecodeError> {
        Ok(self.decoded(oids::BASIC_CONSTRAINTS, BasicConstraints::from_der)?.unwrap_or_default())
    }

    /// subjectAltName; empty when absent.
    pub fn subject_alt_names(&self) -> Result<Vec<GeneralName>, DecodeError> {
        let names = |der: &[u8]| GeneralName::list_from_der(der, MAX_ALTERNATIVE_NAMES);
        Ok(self.decoded(oids::SUBJECT_ALT_NAME, names)?.unwrap_or_default())
    }

    /// signatureAlgorithm.
    pub fn signature_algorithm(&self) -> Result<SignatureAlgorithm, AlgorithmError> {
        SignatureAlgorithm::from_der(&self.0.algorithm)
    }

    /// The octets of the signature.
    pub fn signature(&self) -> &[u8] {
        &self.0.signature
    }

    /// Whether `issuer`'s key signed this. Says nothing about names, times or whether `issuer` may.
    pub fn verify_signed_by(
        &self,
        issuer: &PublicKey,
        verifier: &dyn SignatureVerifier,
    ) -> Result<(), BadSignature> {
        let algorithm = self.signature_algorithm().map_err(|_| BadSignature)?;
        verifier.verify(issuer, algorithm, self.tbs(), self.signature())
    }

    /// SHA-256 over the DER, as people compare it.
    pub fn fingerprint(&self) -> [u8; 32] {
        use sha2::Digest as _;
        sha2::Sha256::digest(self.as_der()).into()
    }

    fn decoded<T>(
        &self,
        id: Oid,
        decode: impl FnOnce(&[u8]) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        self.extension(id).map(|extension| decode(extension.value())).transpose()
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.0.der == other.0.der
    }
}

impl Eq for Certificate {}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Certificate(")?;
        self.serial_octets().iter().try_for_each(|octet| write!(f, "{octet:02X}"))?;
        write!(f, ", {})", self.subject())
    }
}

/// ```text
/// Certificate ::= SEQUENCE { tbsCertificate TBSCertificate, signatureAlgorithm AlgorithmIdentifier,
///                            signatureValue BIT STRING }
/// TBSCertificate ::= SEQUENCE {
///     version [0] EXPLICIT Version DEFAULT v1, serialNumber CertificateSerialNumber,
///     signature AlgorithmIdentifier, issuer Name, validity Validity, subject Name,
///     subjectPublicKeyInfo SubjectPublicKeyInfo, issuerUniqueID [1] IMPLICIT UniqueIdentifier OPTIONAL,
///     subjectUniqueID [2] IMPLICIT UniqueIdentifier OPTIONAL, extensions [3] EXPLICIT Extensions OPTIONAL }
/// ```
fn parse(der: &[u8]) -> Result<Parsed, DecodeError> {
    let mut outer = tlv::Cursor::into(der, tlv::SEQUENCE, WHAT)?;
    let tbs = outer.expect(tlv::SEQUENCE)?;
    let algorithm = outer.expect(tlv::SEQUENCE)?.bytes.to_vec();
    let signature = outer.octet_bits()?.to_vec();
    outer.finish()?;

    let mut fields = tlv::Cursor::over(tbs.value, WHAT)?;
    fields.optional(0xA0)?;
    let serial = fields.expect(tlv::INTEGER)?.value.to_vec();
    if fields.expect(tlv::SEQUENCE)?.bytes != algorithm {
        return Err(DecodeError::new(WHAT, "two different signature algorithms"));
    }
    let issuer = Name::from_der(fields.expect(tlv::SEQUENCE)?.bytes)?;
    let mut times = fields.enter(tlv::SEQUENCE)?;
    let validity = Validity::new(times.time()?, times.time()?)?;
    times.finish()?;
    let subject = Name::from_der(fields.expect(tlv::SEQUENCE)?.bytes)?;
    let public_key = PublicKey::from_der(fields.expect(tlv::SEQUENCE)?.bytes)?;
    fields.optional(0x81)?;
    fields.optional(0x82)?;
    let extensions = match fields.optional(0xA3)? {
        Some(explicit) => Extension::list_from_der(explicit.value, MAX_EXTENSIONS)?,
        None => Vec::new(),
    };
    fields.finish()?;
    let start = tbs.bytes.as_ptr().addr().saturating_sub(der.as_ptr().addr());
    let tbs = start..start.saturating_add(tbs.bytes.len());
    Ok(Parsed {
        der: der.to_vec(),
        tbs,
        serial,
        issuer,
        subject,
        validity,
        public_key,
        extensions,
        algorithm,
        signature,
    })
}
