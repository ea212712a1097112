//! Certification requests as received.

use alloc::{sync::Arc, vec::Vec};
use core::{fmt, ops::Range, time::Duration};

use crate::{
    BadSignature, BasicConstraints, ChallengePassword, DecodeError, Extension, GeneralName, KeyUsage, Name,
    Oid, PublicKey, SignatureAlgorithm, SignatureVerifier, algorithm::AlgorithmError, directory_string,
    extension, oids, tlv,
};

const WHAT: &str = "a CertificationRequest";

const MAX_ATTRIBUTES: usize = 32;
const MAX_EXTENSIONS: usize = 32;
const MAX_ALTERNATIVE_NAMES: usize = 64;

/// A PKCS #10 request ([RFC 2986 §4](https://www.rfc-editor.org/rfc/rfc2986#section-4)): the DER it came as, parsed
/// once. Cheap to clone. Equal when the DER is.
///
/// Its signature is *not* checked by parsing; see [`CertificationRequest::verify`]. At most 32 attributes, 32
/// extensions and 64 alternative names are taken.
#[derive(Clone)]
pub struct CertificationRequest(Arc<Parsed>);

struct Parsed {
    der: Vec<u8>,
    info: Range<usize>,
    subject: Name,
    public_key: PublicKey,
    challenge: Option<ChallengePassword>,
    extensions: Vec<Extension>,
    algorithm: Vec<u8>,
    signature: Vec<u8>,
    deviations: Vec<RequestDeviation>,
    period: RequestedPeriod,
}

/// Where a request departs from its standard and is read all the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RequestDeviation {
    /// A version other than v1(0), the only one there is. Apple's clients write 2.
    Version,
    /// No attributes field; RFC 2986 wants it even when it is empty.
    NoAttributes,
    /// Extensions under the attribute type of SCEP's drafts, 2.16.840.1.113733.1.9.8.
    LegacyExtensionRequest,
    /// A challengePassword that is neither PrintableString nor UTF8String (RFC 2985 section 5.4.1).
    ChallengeStringType,
}

impl CertificationRequest {
    /// Parses DER.
    pub fn from_der(der: &[u8]) -> Result<Self, DecodeError> {
        parse(der).map(|parsed| Self(Arc::new(parsed)))
    }

    /// The exact bytes parsed.
    pub fn as_der(&self) -> &[u8] {
        &self.0.der
    }

    /// The bytes that are signed: the DER of the CertificationRequestInfo. A client that asks for the same again may
    /// sign anew, and ECDSA then signs differently; these bytes stay.
    pub fn tbs(&self) -> &[u8] {
        self.0.der.get(self.0.info.clone()).unwrap_or_default()
    }

    /// The name asked for; may be empty.
    pub fn subject(&self) -> &Name {
        &self.0.subject
    }

    /// The key to be certified.
    pub fn public_key(&self) -> &PublicKey {
        &self.0.public_key
    }

    /// The challengePassword attribute.
    pub fn challenge_password(&self) -> Option<&ChallengePassword> {
        self.0.challenge.as_ref()
    }

    /// The extensions asked for.
    pub fn extensions(&self) -> &[Extension] {
        &self.0.extensions
    }

    /// The alternative names asked for.
    pub fn subject_alt_names(&self) -> Result<Vec<GeneralName>, DecodeError> {
        let names = |der: &[u8]| GeneralName::list_from_der(der, MAX_ALTERNATIVE_NAMES);
        Ok(self.decoded(oids::SUBJECT_ALT_NAME, names)?.unwrap_or_default())
    }

    /// The key usage asked for.
    pub fn key_usage(&self) -> Result<Option<KeyUsage>, DecodeError> {
        self.decoded(oids::KEY_USAGE, KeyUsage::from_der)
    }

    /// The extended key usages asked for.
    pub fn extended_key_usages(&self) -> Result<Vec<Oid>, DecodeError> {
        Ok(self.decoded(oids::EXTENDED_KEY_USAGE, extension::oid_list)?.unwrap_or_default())
    }

    /// The basic constraints asked for.
    pub fn basic_constraints(&self) -> Result<BasicConstraints, DecodeError> {
        Ok(self.decoded(oids::BASIC_CONSTRAINTS, BasicConstraints::from_der)?.unwrap_or_default())
    }

    /// What had to be overlooked to read it.
    pub fn deviations(&self) -> &[RequestDeviation] {
        &self.0.deviations
    }

    /// The algorithm of its signature.
    pub fn signature_algorithm(&self) -> Result<SignatureAlgorithm, AlgorithmError> {
        SignatureAlgorithm::from_der(&self.0.algorithm)
    }

    /// How long the certificate is to be valid, where the request says so in Microsoft's way: as name and value pairs
    /// (1.3.6.1.4.1.311.13.2.1) `ValidityPeriod`, which is a unit, and `ValidityPeriodUnits`, which is a number. A month is
    /// 30 days, a year 365. What makes no sense is passed over.
    pub fn requested_validity(&self) -> Option<Duration> {
        self.0.period.duration()
    }

    /// The same request without its challengePassword, to be stored: its signature does not hold any more, and is left
    /// out.
    pub fn without_challenge(&self) -> Result<Self, DecodeError> {
        const NO_SIGNATURE: [u8; 3] = [tlv::BIT_STRING, 1, 0];
        let mut fields = tlv::Cursor::into(self.tbs(), tlv::SEQUENCE, WHAT)?;
        let mut kept = Vec::with_capacity(self.tbs().len());
        for _ in 0..3 {
            kept.extend_from_slice(fields.next()?.bytes);
        }
        let mut attributes = Vec::new();
        if let Some(set) = fields.optional(0xA0)? {
            let mut set = tlv::Cursor::over(set.value, WHAT)?;
            while !set.is_empty() {
                let attribute = set.next()?;
                if tlv::Cursor::over(attribute.value, WHAT)?.oid()? != oids::CHALLENGE_PASSWORD {
                    attributes.extend_from_slice(attribute.bytes);
                }
            }
        }
        kept.extend_from_slice(&tlv::wrap(0xA0, &attributes));
        let info = tlv::wrap(tlv::SEQUENCE, &kept);
        Self::from_der(&tlv::sequence([&*info, &self.0.algorithm, &NO_SIGNATURE]))
    }

    /// Whether the private half of [`CertificationRequest::public_key`] signed it: the proof of possession.
    pub fn verify(&self, verifier: &dyn SignatureVerifier) -> Result<(), BadSignature> {
        let algorithm = self.signature_algorithm().map_err(|_| BadSignature)?;
        verifier.verify(self.public_key(), algorithm, self.tbs(), &self.0.signature)
    }

    fn decoded<T>(
        &self,
        id: Oid,
        decode: impl FnOnce(&[u8]) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        let found = self.0.extensions.iter().find(|extension| extension.id() == id);
        found.map(|extension| decode(extension.value())).transpose()
    }
}

impl PartialEq for CertificationRequest {
    fn eq(&self, other: &Self) -> bool {
        self.0.der == other.0.der
    }
}

impl Eq for CertificationRequest {}

impl fmt::Debug for CertificationRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CertificationRequest({}, {:?})", self.subject(), self.public_key())
    }
}

/// ```text
/// CertificationRequest ::= SEQUENCE { certificationRequestInfo CertificationRequestInfo,
///                                     signatureAlgorithm AlgorithmIdentifier, signature BIT STRING }
/// CertificationRequestInfo ::= SEQUENCE { version INTEGER { v1(0) }, subject Name,
///                                         subjectPKInfo SubjectPublicKeyInfo, attributes [0] IMPLICIT SET OF }
/// ```
fn parse(der: &[u8]) -> Result<Parsed, DecodeError> {
    let mut outer = tlv::Cursor::into(der, tlv::SEQUENCE, WHAT)?;
    let info = outer.expect(tlv::SEQUENCE)?;
    let algorithm = outer.expect(tlv::SEQUENCE)?.bytes.to_vec();
    let signature = outer.octet_bits()?.to_vec();
    outer.finish()?;

    let mut fields = tlv::Cursor::over(info.value, WHAT)?;
    // Only v1(0) exists; Apple's clients write 2 and mean it, as the rest of their request shows.
    let version = fields.expect(tlv::INTEGER)?.value;
    let subject = Name::from_der(fields.expect(tlv::SEQUENCE)?.bytes)?;
    let public_key = PublicKey::from_der(fields.expect(tlv::SEQUENCE)?.bytes)?;
    let mut attributes = Attributes::default();
    if version != [0] {
        attributes.deviations.push(RequestDeviation::Version);
    }
    // RFC 2986 requires the field even when it is empty; some clients leave it out.
    match fields.optional(0xA0)? {
        Some(set) => attributes.read(tlv::Cursor::over(set.value, WHAT)?)?,
        None => attributes.deviations.push(RequestDeviation::NoAttributes),
    }
    fields.finish()?;
    let start = info.bytes.as_ptr().addr().saturating_sub(der.as_ptr().addr());
    let info = start..start.saturating_add(info.bytes.len());
    let Attributes { challenge, extensions, deviations, period, .. } = attributes;
    Ok(Parsed {
        der: der.to_vec(),
        info,
        subject,
        public_key,
        challenge,
        extensions: extensions.unwrap_or_default(),
        algorithm,
        signature,
        deviations,
        period,
    })
}

/// ```text
/// EnrollmentNameValuePair ::= SEQUENCE { name BMPString, value BMPString }
/// ```
#[derive(Default)]
struct RequestedPeriod {
    /// In seconds.
    unit: Option<u64>,
    count: Option<u64>,
}

impl RequestedPeriod {
    const DAY: u64 = 24 * 60 * 60;

    fn read(&mut self, mut pairs: tlv::Cursor<'_>) -> Result<(), DecodeError> {
        while !pairs.is_empty() {
            let mut pair = pairs.enter(tlv::SEQUENCE)?;
            let [name, value] = [pair.next()?, pair.next()?]
                .map(|text| directory_string::text(text.tag, text.value).unwrap_or_default());
            match &*name.to_ascii_lowercase() {
                "validityperiod" => self.unit = Self::unit(&value),
                "validityperiodunits" => self.count = value.trim().parse().ok(),
                _ => {}
            }
        }
        Ok(())
    }

    fn unit(name: &str) -> Option<u64> {
        Some(match &*name.trim().to_ascii_lowercase() {
            "hours" => 60 * 60,
            "days" => Self::DAY,
            "weeks" => 7 * Self::DAY,
            "months" => 30 * Self::DAY,
            "years" => 365 * Self::DAY,
            _ => return None,
        })
    }

    fn duration(&self) -> Option<Duration> {
        let seconds = self.unit?.checked_mul(self.count?)?;
        (seconds > 0).then(|| Duration::from_secs(seconds))
    }
}

#[derive(Default)]
struct Attributes {
    challenge: Option<ChallengePassword>,
    extensions: Option<Vec<Extension>>,
    deviations: Vec<RequestDeviation>,
    period: RequestedPeriod,
    count: usize,
}

impl Attributes {
    fn read(&mut self, mut set: tlv::Cursor<'_>) -> Result<(), DecodeError> {
        while !set.is_empty() {
            self.count = self.count.saturating_add(1);
            if self.count > MAX_ATTRIBUTES {
                return Err(DecodeError::new(WHAT, format_args!("more than {MAX_ATTRIBUTES} attributes")));
            }
            let mut fields = set.enter(tlv::SEQUENCE)?;
            let id = fields.oid()?;
            let values = fields.enter(tlv::SET)?;
            fields.finish()?;
            self.read_one(id, values)?;
        }
        Ok(())
    }

    fn read_one(&mut self, id: Oid, mut values: tlv::Cursor<'_>) -> Result<(), DecodeError> {
        // The old arc of RFC 8894's forerunners names the same attribute.
        const LEGACY_EXTENSION_REQUEST: Oid = Oid::new_unwrap("2.16.840.1.113733.1.9.8");
        let repeated = match id {
            oids::CHALLENGE_PASSWORD => {
                let value = values.next()?;
                if !matches!(value.tag, 0x0C | 0x13) {
                    self.deviations.push(RequestDeviation::ChallengeStringType);
                }
                self.challenge.replace(ChallengePassword::from_tlv(value)?).is_some()
            }
            oids::EXTENSION_REQUEST | LEGACY_EXTENSION_REQUEST => {
                if id == LEGACY_EXTENSION_REQUEST {
                    self.deviations.push(RequestDeviation::LegacyExtensionRequest);
                }
                let list = Extension::list_from_der(values.next()?.bytes, MAX_EXTENSIONS)?;
                self.extensions.replace(list).is_some()
            }
            oids::ENROLLMENT_NAME_VALUE => return self.period.read(values),
            _ => return Ok(()),
        };
        values.finish()?;
        if repeated { Err(DecodeError::new(WHAT, format_args!("attribute {id} twice"))) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RequestedExtensions, UnsignedCertificationRequest};

    fn bmp(text: &str) -> Vec<u8> {
        tlv::wrap(0x1E, &text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<_>>())
    }

    fn pair(name: &str, value: &str) -> Vec<u8> {
        tlv::sequence([bmp(name), bmp(value)].iter().map(Vec::as_slice))
    }

    /// With these attributes after those that it has.
    fn with_attributes(challenge: Option<&str>, attributes: &[Vec<u8>]) -> CertificationRequest {
        let algorithm: Vec<u8> = tlv::sequence([&tlv::oid("1.2.3.4".parse().unwrap())[..]]);
        let key = PublicKey::from_der(&tlv::sequence([&*algorithm, &[3, 2, 0, 4]])).unwrap();
        let extensions = RequestedExtensions {
            subject_alt_names: alloc::vec![GeneralName::Dns("x.example.com".into())],
            ..Default::default()
        };
        let challenge = challenge.map(|text| ChallengePassword::new(text.into()));
        let name = Name::of_common_name("x");
        let unsigned = UnsignedCertificationRequest::new(&name, &key, challenge.as_ref(), &extensions);
        let mut fields = tlv::Cursor::into(unsigned.tbs(), tlv::SEQUENCE, WHAT).unwrap();
        let mut info: Vec<u8> = (0..3).flat_map(|_| fields.next().unwrap().bytes.to_vec()).collect();
        let set = [fields.next().unwrap().value, &attributes.concat()].concat();
        info.extend(tlv::wrap(0xA0, &set));
        let algorithm = SignatureAlgorithm::EcdsaSha256.to_der();
        let signature = tlv::wrap(tlv::BIT_STRING, b"\0signed");
        let info = tlv::wrap(tlv::SEQUENCE, &info);
        CertificationRequest::from_der(&tlv::sequence([&*info, &algorithm, &signature])).unwrap()
    }

    fn name_values(pairs: &[Vec<u8>]) -> Vec<u8> {
        let id = tlv::oid(oids::ENROLLMENT_NAME_VALUE);
        tlv::sequence([&*id, &tlv::wrap(tlv::SET, &pairs.concat())])
    }

    #[test]
    fn a_period_that_is_asked_for_is_read_however_it_is_spread() {
        let pairs =
            |unit: &str, count: &str| [pair("ValidityPeriod", unit), pair("ValidityPeriodUnits", count)];
        let asked = |unit: &str, count: &str| {
            let together = with_attributes(None, &[name_values(&pairs(unit, count))]);
            let [one, other] = pairs(unit, count).map(|pair| name_values(&[pair]));
            let apart = with_attributes(None, &[one, other]);
            assert_eq!(together.requested_validity(), apart.requested_validity());
            together.requested_validity().map(|validity| validity.as_secs() / 3600)
        };
        assert_eq!(asked("Days", "30"), Some(30 * 24));
        assert_eq!(asked("Hours", "8"), Some(8));
        assert_eq!(asked("weeks", " 2 "), Some(14 * 24));
        assert_eq!(asked("Months", "1"), Some(30 * 24));
        assert_eq!(asked("Years", "1"), Some(365 * 24));
        for (unit, count) in
            [("Days", "0"), ("Days", "-1"), ("Eons", "1"), ("Years", "99999999999999999999"), ("", "")]
        {
            assert_eq!(asked(unit, count), None, "{unit} {count}");
        }
        assert_eq!(with_attributes(None, &[]).requested_validity(), None);
        assert_eq!(
            with_attributes(None, &[name_values(&[pair("OSVersion", "11")])]).requested_validity(),
            None
        );
    }

    #[test]
    fn row_67_a_request_without_its_challenge_is_the_same_request() {
        let period = name_values(&[pair("ValidityPeriod", "Days"), pair("ValidityPeriodUnits", "7")]);
        let request = with_attributes(Some("a secret of ours"), &[period]);
        let stored = request.without_challenge().unwrap();
        assert!(stored.challenge_password().is_none());
        assert!(!stored.as_der().windows(8).any(|part| part == b"a secret"));
        assert_eq!((stored.subject(), stored.public_key()), (request.subject(), request.public_key()));
        assert_eq!(stored.extensions(), request.extensions());
        assert_eq!(stored.requested_validity(), request.requested_validity());
        assert_eq!(stored.without_challenge().unwrap(), stored);
    }
}
