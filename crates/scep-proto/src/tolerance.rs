//! Departures from the RFC that are read all the same, each with a name and a switch.

use core::{fmt, str::FromStr};

use pki_core::{DecodeError, RequestDeviation};

/// A departure from RFC 8894, or from what it stands on, that clients and servers in the field are known for. Closed,
/// so that whoever counts them has a counter for each.
///
/// `docs/divergences.md` tells who does what, and which test shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "a new one wants a switch, a counter and a test everywhere")]
pub enum Tolerance {
    /// GET: a `+` that is not percent-encoded, or became a space on the way (iOS, macOS, ChromeOS).
    GetRawPlus,
    /// GET: the URL alphabet of base64, `-` and `_`.
    GetUrlAlphabet,
    /// GET: line breaks in the base64, raw or as `%0A` (Cisco IOS, iOS 11).
    GetLineBreaks,
    /// GET: base64 without its padding.
    GetMissingPadding,
    /// POST: a query that names no operation.
    PostWithoutOperation,
    /// An operation in another case, such as `pkioperation`.
    OperationCase,
    /// BER where DER would do: indefinite lengths, long lengths, strings in segments (Apple, Java).
    Ber,
    /// A senderNonce of 8 to 64 octets other than 16 (Apple sends 8).
    NonceLength,
    /// Signed attributes that are not in DER order, whichever order was signed.
    UnsortedAttributes,
    /// No contentType among the signed attributes (old jscep, OpenXPKI's clients).
    MissingContentType,
    /// messageType, pkiStatus or failInfo in UTF8String or IA5String.
    AttributeStringType,
    /// A transactionID in another string type than PrintableString.
    TransactionIdStringType,
    /// A transactionID with characters that no PrintableString has.
    TransactionIdCharacters,
    /// A transactionID of 32 hexadecimal digits: MD5 over the key, as sscep makes it. The same key gives the same
    /// transaction, however often it asks.
    Md5TransactionId,
    /// `rsaEncryption` as the signatureAlgorithm, which names the key and not the signature.
    RsaEncryptionSignature,
    /// A critical authorityKeyIdentifier in the signer's certificate (Windows).
    CriticalAuthorityKeyIdentifier,
    /// A serial number that RFC 5280 forbids in the signer's certificate (sscep: 32 octets).
    SignerSerialNumber,
    /// An issuer in the RecipientInfo or SignerInfo whose octets are not the certificate's, though the name is.
    ReEncodedIssuer,
    /// A PKCS #10 request of a version other than v1 (Apple).
    RequestVersion,
    /// A PKCS #10 request without the attributes field.
    RequestWithoutAttributes,
    /// Extensions requested under the attribute type of SCEP's drafts.
    LegacyExtensionRequest,
    /// A challengePassword in BMPString, TeletexString, UniversalString, IA5String or NumericString.
    ChallengeStringType,
    /// A reply FAILURE or PENDING with content (NDES: `04 01 00`).
    ReplyContent,
    /// A reply whose senderNonce is absent, or the requester's own sent back (micromdm, step-ca).
    ReplyNonce,
}

/// In the order of the variants.
struct Entry {
    tolerance: Tolerance,
    name: &'static str,
    default: bool,
    clause: &'static str,
}

const fn on(tolerance: Tolerance, name: &'static str, clause: &'static str) -> Entry {
    Entry { tolerance, name, default: true, clause }
}

const fn off(tolerance: Tolerance, name: &'static str, clause: &'static str) -> Entry {
    Entry { tolerance, name, default: false, clause }
}

const TABLE: [Entry; 24] = [
    on(Tolerance::GetRawPlus, "get-raw-plus", "RFC 8894 §4.1"),
    on(Tolerance::GetUrlAlphabet, "get-url-alphabet", "RFC 8894 §4.1"),
    on(Tolerance::GetLineBreaks, "get-line-breaks", "RFC 8894 §4.1"),
    on(Tolerance::GetMissingPadding, "get-missing-padding", "RFC 8894 §4.1"),
    on(Tolerance::PostWithoutOperation, "post-without-operation", "RFC 8894 §4.3"),
    on(Tolerance::OperationCase, "operation-case", "RFC 8894 §4.1"),
    on(Tolerance::Ber, "ber", "RFC 5652 §5.1"),
    on(Tolerance::NonceLength, "nonce-length", "RFC 8894 §3.2.1.5"),
    on(Tolerance::UnsortedAttributes, "unsorted-attributes", "RFC 5652 §5.3"),
    off(Tolerance::MissingContentType, "missing-content-type", "RFC 5652 §11.1"),
    on(Tolerance::AttributeStringType, "attribute-string-type", "RFC 8894 §3.2.1"),
    on(Tolerance::TransactionIdStringType, "transaction-id-string-type", "RFC 8894 §3.2.1.1"),
    on(Tolerance::TransactionIdCharacters, "transaction-id-characters", "RFC 8894 §3.2.1.1"),
    on(Tolerance::Md5TransactionId, "md5-transaction-id", "RFC 8894 §3.2.1.1"),
    on(Tolerance::RsaEncryptionSignature, "rsa-encryption-signature", "RFC 5754 §3.2"),
    on(Tolerance::CriticalAuthorityKeyIdentifier, "critical-authority-key-identifier", "RFC 5280 §4.2.1.1"),
    on(Tolerance::SignerSerialNumber, "signer-serial-number", "RFC 5280 §4.1.2.2"),
    on(Tolerance::ReEncodedIssuer, "re-encoded-issuer", "RFC 5652 §10.2.4"),
    on(Tolerance::RequestVersion, "request-version", "RFC 2986 §4.1"),
    on(Tolerance::RequestWithoutAttributes, "request-without-attributes", "RFC 2986 §4.1"),
    on(Tolerance::LegacyExtensionRequest, "legacy-extension-request", "RFC 2985 §5.4.2"),
    on(Tolerance::ChallengeStringType, "challenge-string-type", "RFC 2985 §5.4.1"),
    on(Tolerance::ReplyContent, "reply-content", "RFC 8894 §3.3.2.2"),
    on(Tolerance::ReplyNonce, "reply-nonce", "RFC 8894 §3.2.1.5"),
];

impl Tolerance {
    /// Every one, in the order of their bits.
    pub fn all() -> impl ExactSizeIterator<Item = Self> + Clone {
        TABLE.iter().map(|entry| entry.tolerance)
    }

    /// Its stable name, for configuration files, counters and reports.
    pub fn name(self) -> &'static str {
        self.entry().map_or("", |entry| entry.name)
    }

    /// Whether it is granted unless switched off.
    pub fn is_default(self) -> bool {
        self.entry().is_some_and(|entry| entry.default)
    }

    /// The section that is departed from, such as `RFC 8894 §4.1`.
    pub fn clause(self) -> &'static str {
        self.entry().map_or("", |entry| entry.clause)
    }

    fn entry(self) -> Option<&'static Entry> {
        TABLE.get(self as usize)
    }

    fn bit(self) -> u32 {
        1 << self as u32
    }
}

impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Tolerance {
    type Err = DecodeError;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let found = TABLE.iter().find(|entry| entry.name == name).map(|entry| entry.tolerance);
        found.ok_or_else(|| DecodeError::new("the name of a tolerance, such as get-raw-plus", name))
    }
}

impl From<RequestDeviation> for Tolerances {
    fn from(deviation: RequestDeviation) -> Self {
        match deviation {
            RequestDeviation::Version => Self::from(Tolerance::RequestVersion),
            RequestDeviation::NoAttributes => Self::from(Tolerance::RequestWithoutAttributes),
            RequestDeviation::LegacyExtensionRequest => Self::from(Tolerance::LegacyExtensionRequest),
            RequestDeviation::ChallengeStringType => Self::from(Tolerance::ChallengeStringType),
            _ => Self::NONE,
        }
    }
}

/// A set of [`Tolerance`]: those that are granted, or those that a message needed.
///
/// ```
/// # use scep_proto::{Tolerance, Tolerances};
/// let granted = Tolerances::default().without(Tolerance::GetRawPlus).with(Tolerance::MissingContentType);
/// assert!(!granted.contains(Tolerance::GetRawPlus) && granted.contains(Tolerance::NonceLength));
/// let needed = Tolerances::from(Tolerance::GetRawPlus);
/// assert_eq!(needed.beyond(granted), Some(Tolerance::GetRawPlus));
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tolerances(u32);

impl Tolerances {
    /// No departure at all.
    pub const NONE: Self = Self(0);

    /// Every departure there is a name for.
    pub fn all() -> Self {
        Tolerance::all().collect()
    }

    /// These and that one.
    #[must_use]
    pub fn with(self, tolerance: Tolerance) -> Self {
        Self(self.0 | tolerance.bit())
    }

    /// These, but not that one.
    #[must_use]
    pub fn without(self, tolerance: Tolerance) -> Self {
        Self(self.0 & !tolerance.bit())
    }

    /// These and those.
    #[must_use]
    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether that one is among them.
    pub fn contains(self, tolerance: Tolerance) -> bool {
        self.0 & tolerance.bit() != 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The first of these that is not among `granted`.
    pub fn beyond(self, granted: Self) -> Option<Tolerance> {
        Self(self.0 & !granted.0).iter().next()
    }

    /// Those in it.
    pub fn iter(self) -> impl Iterator<Item = Tolerance> {
        Tolerance::all().filter(move |tolerance| self.contains(*tolerance))
    }

    pub(crate) fn with_if(self, tolerance: Tolerance, needed: bool) -> Self {
        if needed { self.with(tolerance) } else { self }
    }
}

/// Those that are granted unless somebody says otherwise: all but [`Tolerance::MissingContentType`].
impl Default for Tolerances {
    fn default() -> Self {
        Tolerance::all().filter(|tolerance| tolerance.is_default()).collect()
    }
}

impl From<Tolerance> for Tolerances {
    fn from(tolerance: Tolerance) -> Self {
        Self(tolerance.bit())
    }
}

impl FromIterator<Tolerance> for Tolerances {
    fn from_iter<I: IntoIterator<Item = Tolerance>>(tolerances: I) -> Self {
        tolerances.into_iter().fold(Self::NONE, Self::with)
    }
}

impl fmt::Debug for Tolerances {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use alloc::{collections::BTreeSet, string::ToString};

    use super::*;

    #[test]
    fn each_has_a_name_and_a_bit_of_its_own() {
        let names: BTreeSet<_> = Tolerance::all().map(Tolerance::name).collect();
        assert_eq!(names.len(), TABLE.len());
        assert_eq!(Tolerances::all().iter().count(), TABLE.len());
        for tolerance in Tolerance::all() {
            assert_eq!(tolerance.to_string().parse(), Ok(tolerance));
            assert_eq!(tolerance.entry().unwrap().tolerance, tolerance);
            assert!(tolerance.clause().starts_with("RFC "), "{tolerance}");
            assert_eq!(Tolerances::from(tolerance).iter().collect::<BTreeSet<_>>(), [tolerance].into());
        }
        assert!("no-such-thing".parse::<Tolerance>().is_err());
    }

    #[test]
    fn sets_add_up_and_come_off() {
        let default = Tolerances::default();
        assert_eq!(Tolerances::all().beyond(default), Some(Tolerance::MissingContentType));
        assert_eq!(default.with(Tolerance::MissingContentType), Tolerances::all());
        assert!(default.without(Tolerance::Ber).union(Tolerance::Ber.into()) == default);
        assert!(Tolerances::NONE.is_empty() && !default.is_empty());
    }
}
