//! Certificate revocation lists.

use alloc::{string::String, sync::Arc, vec::Vec};
use core::{fmt, ops::Range};

use crate::{
    BadSignature, CrlEntries, CrlNumber, DecodeError, Extension, IssuingDistributionPoint, Name, Oid,
    PublicKey, SignatureAlgorithm, SignatureVerifier, UnixTime, algorithm::AlgorithmError, oids, pem, tlv,
};

const WHAT: &str = "a CertificateList";

/// More extensions than this on one CRL are refused.
const MAX_EXTENSIONS: usize = 32;

/// A CRL ([RFC 5280 §5.1](https://www.rfc-editor.org/rfc/rfc5280#section-5.1)), full or delta: the DER it came as. Cheap
/// to clone. Equal when the DER is.
///
/// Parsing reads every entry and keeps none: [`Crl::entries`] reads them again where they stand, so that a list of a
/// million entries costs its own octets and no more. Signature, times, scope and issuer are the caller's to judge, and
/// [`Crl::unknown_critical`] before anything.
#[derive(Clone)]
pub struct Crl(Arc<Parsed>);

struct Parsed {
    der: Vec<u8>,
    tbs: Range<usize>,
    entries: Range<usize>,
    count: usize,
    issuer: Name,
    this_update: UnixTime,
    next_update: Option<UnixTime>,
    known: Known,
    unknown_critical: Option<Oid>,
    names_issuers: bool,
    algorithm: Vec<u8>,
    signature: Vec<u8>,
}

/// What the extensions of a list say.
#[derive(Default)]
struct Known {
    list: Vec<Extension>,
    number: Option<CrlNumber>,
    base: Option<CrlNumber>,
    scope: Option<IssuingDistributionPoint>,
    authority_key: Option<Vec<u8>>,
}

impl Crl {
    /// Parses DER.
    pub fn from_der(der: &[u8]) -> Result<Self, DecodeError> {
        Self::from_vec(der.to_vec())
    }

    /// The same, without copying what may be many megabytes.
    pub fn from_vec(der: Vec<u8>) -> Result<Self, DecodeError> {
        let parsed = parse(&der)?;
        Ok(Self(Arc::new(Parsed { der, ..parsed })))
    }

    /// Parses the first `X509 CRL` block of PEM text.
    pub fn from_pem(pem: &str) -> Result<Self, DecodeError> {
        Self::from_vec(pem::CRL.decode(pem)?)
    }

    /// PEM, lines ended by LF.
    pub fn to_pem(&self) -> String {
        pem::CRL.encode(&self.0.der)
    }

    /// The exact bytes parsed.
    pub fn as_der(&self) -> &[u8] {
        &self.0.der
    }

    /// [`as_der`](Self::as_der) for whoever must own what it refers to; nothing is copied.
    pub fn into_octets(self) -> impl AsRef<[u8]> + Send + Sync + 'static {
        struct Octets(Crl);
        impl AsRef<[u8]> for Octets {
            fn as_ref(&self) -> &[u8] {
                self.0.as_der()
            }
        }
        Octets(self)
    }

    /// The bytes that are signed: the DER of the TBSCertList.
    pub fn tbs(&self) -> &[u8] {
        self.0.der.get(self.0.tbs.clone()).unwrap_or_default()
    }

    /// Who issued it.
    pub fn issuer(&self) -> &Name {
        &self.0.issuer
    }

    /// When it was issued.
    pub fn this_update(&self) -> UnixTime {
        self.0.this_update
    }

    /// When the next one is issued at the latest. RFC 5280 wants it; foreign lists may lack it.
    pub fn next_update(&self) -> Option<UnixTime> {
        self.0.next_update
    }

    /// cRLNumber.
    pub fn number(&self) -> Option<CrlNumber> {
        self.0.known.number
    }

    /// For a delta CRL, the number of the full one that it starts from; `None` for a full one.
    pub fn delta_base(&self) -> Option<CrlNumber> {
        self.0.known.base
    }

    /// issuingDistributionPoint; `None` for a list that covers everything and is the only one.
    pub fn scope(&self) -> Option<&IssuingDistributionPoint> {
        self.0.known.scope.as_ref()
    }

    /// keyIdentifier of the authorityKeyIdentifier.
    pub fn authority_key(&self) -> Option<&[u8]> {
        self.0.known.authority_key.as_deref()
    }

    /// Every extension of the list, in order.
    pub fn extensions(&self) -> &[Extension] {
        &self.0.known.list
    }

    /// The extension of that type.
    pub fn extension(&self, id: Oid) -> Option<&Extension> {
        self.extensions().iter().find(|extension| extension.id() == id)
    }

    /// A critical extension, of the list or of an entry, that this type does not read. Whoever meets one must not tell
    /// any certificate's status from the list (RFC 5280 §5.2, §5.3).
    pub fn unknown_critical(&self) -> Option<Oid> {
        self.0.unknown_critical
    }

    /// Whether entries name issuers of their own: the list is an indirect one.
    pub fn names_issuers(&self) -> bool {
        self.0.names_issuers
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.0.count
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.0.count == 0
    }

    /// The entries, read one after the other.
    pub fn entries(&self) -> CrlEntries<'_> {
        CrlEntries::over(self.0.der.get(self.0.entries.clone()).unwrap_or_default())
    }

    /// signatureAlgorithm.
    pub fn signature_algorithm(&self) -> Result<SignatureAlgorithm, AlgorithmError> {
        SignatureAlgorithm::from_der(&self.0.algorithm)
    }

    /// Whether `issuer`'s key signed this. Says nothing about names, times or whether `issuer` may.
    pub fn verify_signed_by(
        &self,
        issuer: &PublicKey,
        verifier: &dyn SignatureVerifier,
    ) -> Result<(), BadSignature> {
        let algorithm = self.signature_algorithm().map_err(|_| BadSignature)?;
        verifier.verify(issuer, algorithm, self.tbs(), &self.0.signature)
    }
}

impl PartialEq for Crl {
    fn eq(&self, other: &Self) -> bool {
        self.0.der == other.0.der
    }
}

impl Eq for Crl {}

impl fmt::Debug for Crl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, count) = (self.number(), self.len());
        write!(f, "Crl({}, {number:?}, {}, {count} entries)", self.issuer(), self.this_update())
    }
}

/// All but the DER itself.
///
/// ```text
/// CertificateList ::= SEQUENCE { tbsCertList TBSCertList, signatureAlgorithm AlgorithmIdentifier,
///                                signatureValue BIT STRING }
/// TBSCertList ::= SEQUENCE {
///     version Version OPTIONAL, signature AlgorithmIdentifier, issuer Name, thisUpdate Time,
///     nextUpdate Time OPTIONAL, revokedCertificates SEQUENCE OF SEQUENCE { ... } OPTIONAL,
///     crlExtensions [0] EXPLICIT Extensions OPTIONAL }
/// ```
fn parse(der: &[u8]) -> Result<Parsed, DecodeError> {
    let mut outer = tlv::Cursor::into(der, tlv::SEQUENCE, WHAT)?;
    let tbs = outer.expect(tlv::SEQUENCE)?;
    let algorithm = outer.expect(tlv::SEQUENCE)?.bytes.to_vec();
    let signature = outer.octet_bits()?.to_vec();
    outer.finish()?;

    let mut fields = tlv::Cursor::over(tbs.value, WHAT)?;
    if fields.optional(tlv::INTEGER)?.is_some_and(|version| version.value != [1]) {
        return Err(DecodeError::new(WHAT, "a version that is neither 1 nor 2"));
    }
    if fields.expect(tlv::SEQUENCE)?.bytes != algorithm {
        return Err(DecodeError::new(WHAT, "two different signature algorithms"));
    }
    let issuer = Name::from_der(fields.expect(tlv::SEQUENCE)?.bytes)?;
    let this_update = fields.time()?;
    let next_update = next_update(&mut fields)?;
    let entries = fields.optional(tlv::SEQUENCE)?.map_or(&[][..], |entries| entries.value);
    let known = match fields.optional(0xA0)? {
        Some(explicit) => Known::read(Extension::list_from_der(explicit.value, MAX_EXTENSIONS)?)?,
        None => Known::default(),
    };
    fields.finish()?;
    let (mut count, mut names_issuers) = (0_usize, false);
    let mut unknown_critical = known.unknown_critical();
    CrlEntries::check(entries, |entry| {
        count = count.saturating_add(1);
        names_issuers |= entry.names_its_issuer;
        unknown_critical = unknown_critical.or(entry.unknown_critical);
    })?;
    Ok(Parsed {
        der: Vec::new(),
        tbs: range(der, tbs.bytes),
        entries: range(der, entries),
        count,
        issuer,
        this_update,
        next_update,
        known,
        unknown_critical,
        names_issuers,
        algorithm,
        signature,
    })
}

/// nextUpdate, told from revokedCertificates by its type.
fn next_update(fields: &mut tlv::Cursor<'_>) -> Result<Option<UnixTime>, DecodeError> {
    for tag in [tlv::UTC_TIME, tlv::GENERALIZED_TIME] {
        if let Some(time) = fields.optional(tag)? {
            return tlv::Cursor::over(time.bytes, WHAT)?.time().map(Some);
        }
    }
    Ok(None)
}

/// Where `part` stands within `whole`.
fn range(whole: &[u8], part: &[u8]) -> Range<usize> {
    if part.is_empty() {
        return 0..0;
    }
    let start = part.as_ptr().addr().saturating_sub(whole.as_ptr().addr());
    start..start.saturating_add(part.len())
}

impl Known {
    fn read(list: Vec<Extension>) -> Result<Self, DecodeError> {
        let mut known = Self::default();
        for extension in &list {
            match extension.id() {
                oids::CRL_NUMBER => known.number = Some(CrlNumber::from_der(extension.value())?),
                oids::DELTA_CRL_INDICATOR => known.base = Some(CrlNumber::from_der(extension.value())?),
                oids::ISSUING_DISTRIBUTION_POINT => {
                    known.scope = Some(IssuingDistributionPoint::from_der(extension.value())?);
                }
                oids::AUTHORITY_KEY_IDENTIFIER => known.authority_key = key_identifier(extension.value())?,
                _ => {}
            }
        }
        known.list = list;
        Ok(known)
    }

    fn unknown_critical(&self) -> Option<Oid> {
        const KNOWN: [Oid; 4] = [
            oids::CRL_NUMBER,
            oids::DELTA_CRL_INDICATOR,
            oids::ISSUING_DISTRIBUTION_POINT,
            oids::AUTHORITY_KEY_IDENTIFIER,
        ];
        let mut unknown = self.list.iter().filter(|extension| !KNOWN.contains(&extension.id()));
        unknown.find(|extension| extension.is_critical()).map(Extension::id)
    }
}

/// ```text
/// AuthorityKeyIdentifier ::= SEQUENCE { keyIdentifier [0] IMPLICIT KeyIdentifier OPTIONAL, ... }
/// ```
fn key_identifier(value: &[u8]) -> Result<Option<Vec<u8>>, DecodeError> {
    let mut fields = tlv::Cursor::into(value, tlv::SEQUENCE, "an AuthorityKeyIdentifier")?;
    Ok(fields.optional(0x80)?.map(|identifier| identifier.value.to_vec()))
}
