//! CRLs, as far as a client judges them.

use std::fmt;

use pki_core::{
    BadSignature, Certificate, DecodeError, GeneralName, Name, Oid, SignatureAlgorithm, SignatureVerifier,
    UnixTime, tlv,
};

const WHAT: &str = "a CertificateList";

/// cRLDistributionPoints (RFC 5280 §4.2.1.13).
const DISTRIBUTION_POINTS: Oid = Oid::new_unwrap("2.5.29.31");

/// More names than this are not looked for in one distribution point.
const MAX_NAMES: usize = 16;

/// A `CertificateList` ([RFC 5280 §5.1](https://www.rfc-editor.org/rfc/rfc5280#section-5.1)): the DER it came as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crl {
    der: Vec<u8>,
    tbs: Vec<u8>,
    issuer: Name,
    this_update: UnixTime,
    next_update: Option<UnixTime>,
    revoked: Vec<Vec<u8>>,
    algorithm: Vec<u8>,
    signature: Vec<u8>,
}

impl Crl {
    /// Parses DER. Checks the structure and nothing else.
    ///
    /// ```text
    /// CertificateList ::= SEQUENCE { tbsCertList TBSCertList, signatureAlgorithm AlgorithmIdentifier,
    ///                                signatureValue BIT STRING }
    /// TBSCertList ::= SEQUENCE {
    ///     version INTEGER OPTIONAL, signature AlgorithmIdentifier, issuer Name, thisUpdate Time,
    ///     nextUpdate Time OPTIONAL,
    ///     revokedCertificates SEQUENCE OF SEQUENCE {
    ///         userCertificate CertificateSerialNumber, revocationDate Time, crlEntryExtensions Extensions OPTIONAL
    ///     } OPTIONAL,
    ///     crlExtensions [0] Extensions OPTIONAL }
    /// ```
    pub fn from_der(der: &[u8]) -> Result<Self, DecodeError> {
        let mut outer = tlv::Cursor::into(der, tlv::SEQUENCE, WHAT)?;
        let tbs = outer.expect(tlv::SEQUENCE)?;
        let algorithm = outer.expect(tlv::SEQUENCE)?.bytes.to_vec();
        let signature = outer.octet_bits()?.to_vec();
        outer.finish()?;
        let mut fields = tlv::Cursor::over(tbs.value, WHAT)?;
        fields.optional(tlv::INTEGER)?;
        if fields.expect(tlv::SEQUENCE)?.bytes != algorithm {
            return Err(DecodeError::new(WHAT, "two different signature algorithms"));
        }
        let issuer = Name::from_der(fields.expect(tlv::SEQUENCE)?.bytes)?;
        let this_update = fields.time()?;
        let next_update = optional_time(&mut fields)?;
        let revoked = match fields.optional(tlv::SEQUENCE)? {
            Some(list) => revoked(tlv::Cursor::over(list.value, WHAT)?)?,
            None => Vec::new(),
        };
        fields.optional(0xA0)?;
        fields.finish()?;
        let (der, tbs) = (der.to_vec(), tbs.bytes.to_vec());
        Ok(Self { der, tbs, issuer, this_update, next_update, revoked, algorithm, signature })
    }

    /// The exact bytes parsed.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// Who issued it.
    pub fn issuer(&self) -> &Name {
        &self.issuer
    }

    /// When it was made.
    pub fn this_update(&self) -> UnixTime {
        self.this_update
    }

    /// When the next one is due at the latest.
    pub fn next_update(&self) -> Option<UnixTime> {
        self.next_update
    }

    /// How many certificates are on it.
    pub fn revoked_count(&self) -> usize {
        self.revoked.len()
    }

    /// Whether `certificate`, which is of the same issuer, is on it.
    pub fn lists(&self, certificate: &Certificate) -> bool {
        self.revoked.iter().any(|serial| serial == certificate.serial_octets())
    }

    /// Whether `issuer` is whom it names and signed it.
    pub fn verify_signed_by(
        &self,
        issuer: &Certificate,
        verifier: &dyn SignatureVerifier,
    ) -> Result<(), BadSignature> {
        if !self.issuer.matches(issuer.subject()) {
            return Err(BadSignature);
        }
        let algorithm = SignatureAlgorithm::from_der(&self.algorithm).map_err(|_| BadSignature)?;
        verifier.verify(issuer.public_key(), algorithm, &self.tbs, &self.signature)
    }
}

impl fmt::Display for Crl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CRL of {}, {} revoked, from {}", self.issuer, self.revoked_count(), self.this_update)?;
        self.next_update.map_or(Ok(()), |next| write!(f, ", next by {next}"))
    }
}

fn optional_time(fields: &mut tlv::Cursor<'_>) -> Result<Option<UnixTime>, DecodeError> {
    for tag in [tlv::UTC_TIME, tlv::GENERALIZED_TIME] {
        if let Some(element) = fields.optional(tag)? {
            return tlv::Cursor::over(element.bytes, WHAT)?.time().map(Some);
        }
    }
    Ok(None)
}

fn revoked(mut list: tlv::Cursor<'_>) -> Result<Vec<Vec<u8>>, DecodeError> {
    let mut serials = Vec::new();
    while !list.is_empty() {
        let mut entry = list.enter(tlv::SEQUENCE)?;
        serials.push(entry.expect(tlv::INTEGER)?.value.to_vec());
        entry.time()?;
        entry.optional(tlv::SEQUENCE)?;
        entry.finish()?;
    }
    Ok(serials)
}

/// The URLs at which `certificate` says its CRL is
/// ([RFC 5280 §4.2.1.13](https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.13)), those of HTTP alone.
///
/// ```text
/// CRLDistributionPoints ::= SEQUENCE OF SEQUENCE {
///     distributionPoint [0] CHOICE { fullName [0] GeneralNames, nameRelativeToCRLIssuer [1] ... } OPTIONAL,
///     reasons [1] ReasonFlags OPTIONAL, cRLIssuer [2] GeneralNames OPTIONAL }
/// ```
pub fn distribution_points(certificate: &Certificate) -> Vec<String> {
    let extension = certificate.extension(DISTRIBUTION_POINTS);
    let names = extension.map(|extension| full_names(extension.value()).unwrap_or_default());
    let urls = names.into_iter().flatten().filter_map(|name| match name {
        GeneralName::Uri(url) => Some(url),
        _ => None,
    });
    urls.filter(|url| ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme))).collect()
}

fn full_names(der: &[u8]) -> Result<Vec<GeneralName>, DecodeError> {
    const WHAT: &str = "CRLDistributionPoints";
    let mut points = tlv::Cursor::into(der, tlv::SEQUENCE, WHAT)?;
    let mut names = Vec::new();
    while !points.is_empty() {
        let mut point = points.enter(tlv::SEQUENCE)?;
        let Some(name) = point.optional(0xA0)? else { continue };
        if let Some(full) = tlv::Cursor::over(name.value, WHAT)?.optional(0xA0)? {
            let list = tlv::wrap(tlv::SEQUENCE, full.value);
            names.extend(GeneralName::list_from_der(&list, MAX_NAMES)?);
        }
    }
    Ok(names)
}
