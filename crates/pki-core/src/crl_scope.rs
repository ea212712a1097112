//! Which certificates a CRL covers.

use alloc::vec::Vec;

use crate::{DecodeError, GeneralName, crl_extensions::distribution_point_name, tlv};

const WHAT: &str = "an IssuingDistributionPoint";
const MAX_NAMES: usize = 64;

/// Which certificates of the issuer are within the scope of a CRL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(clippy::exhaustive_enums, reason = "closed on the wire")]
pub enum CoveredCertificates {
    /// All of them.
    #[default]
    All,
    /// Those of end entities: onlyContainsUserCerts.
    EndEntities,
    /// Those of CAs: onlyContainsCACerts.
    Authorities,
    /// Attribute certificates: onlyContainsAttributeCerts.
    Attributes,
}

/// `IssuingDistributionPoint` ([RFC 5280 §5.2.5](https://www.rfc-editor.org/rfc/rfc5280#section-5.2.5)): the scope of a
/// CRL that does not cover everything, or that is one of several.
///
/// ```text
/// IssuingDistributionPoint ::= SEQUENCE {
///     distributionPoint [0] DistributionPointName OPTIONAL, onlyContainsUserCerts [1] BOOLEAN DEFAULT FALSE,
///     onlyContainsCACerts [2] BOOLEAN DEFAULT FALSE, onlySomeReasons [3] ReasonFlags OPTIONAL,
///     indirectCRL [4] BOOLEAN DEFAULT FALSE, onlyContainsAttributeCerts [5] BOOLEAN DEFAULT FALSE }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuingDistributionPoint {
    der: Vec<u8>,
    names: Option<Vec<GeneralName>>,
    covers: CoveredCertificates,
    restriction: Option<&'static str>,
}

impl IssuingDistributionPoint {
    /// The one of a CRL that covers everything and is found at `uris`, of which there must be one at least.
    pub fn at<'a>(uris: impl IntoIterator<Item = &'a str>) -> Result<Self, DecodeError> {
        Self::from_der(&tlv::wrap(tlv::SEQUENCE, &distribution_point_name(uris)))
    }

    /// Reads the value of the extension. An empty one is refused, as are two scopes at once.
    pub fn from_der(der: &[u8]) -> Result<Self, DecodeError> {
        let mut fields = tlv::Cursor::into(der, tlv::SEQUENCE, WHAT)?;
        if fields.is_empty() {
            return Err(DecodeError::new(WHAT, "an empty one"));
        }
        let names = match fields.optional(0xA0)? {
            Some(explicit) => Some(names(explicit.value)?),
            None => None,
        };
        let end_entities = flag(&mut fields, 0x81)?;
        let authorities = flag(&mut fields, 0x82)?;
        let some_reasons = fields.optional(0x83)?.map(|_| "onlySomeReasons");
        let indirect = flag(&mut fields, 0x84)?.then_some("indirectCRL");
        let attributes = flag(&mut fields, 0x85)?;
        fields.finish()?;
        let covers = match (end_entities, authorities, attributes) {
            (false, false, false) => CoveredCertificates::All,
            (true, false, false) => CoveredCertificates::EndEntities,
            (false, true, false) => CoveredCertificates::Authorities,
            (false, false, true) => CoveredCertificates::Attributes,
            _ => return Err(DecodeError::new(WHAT, "several scopes, which no certificate is within")),
        };
        Ok(Self { der: der.to_vec(), names, covers, restriction: indirect.or(some_reasons) })
    }

    /// The DER, as it came or as it goes.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// Which certificates are covered.
    pub fn covers(&self) -> CoveredCertificates {
        self.covers
    }

    /// What keeps the CRL from being the whole word on certificates of its issuer: `indirectCRL` or `onlySomeReasons`.
    pub fn restriction(&self) -> Option<&'static str> {
        self.restriction
    }

    /// Whether the CRL may be one of several and, if so, the URIs that name this one.
    pub fn uris(&self) -> Option<impl Iterator<Item = &str>> {
        let uris = self.names.as_ref()?.iter().filter_map(|name| match name {
            GeneralName::Uri(uri) => Some(uri.as_str()),
            _ => None,
        });
        Some(uris)
    }
}

/// A name relative to the CRL's issuer names no URI.
fn names(choice: &[u8]) -> Result<Vec<GeneralName>, DecodeError> {
    let mut choice = tlv::Cursor::over(choice, WHAT)?;
    let name = choice.next()?;
    choice.finish()?;
    match name.tag {
        0xA0 => GeneralName::list_from_der(&tlv::wrap(tlv::SEQUENCE, name.value), MAX_NAMES),
        0xA1 => Ok(Vec::new()),
        tag => Err(DecodeError::new(WHAT, format_args!("tag {tag:#04x}"))),
    }
}

fn flag(fields: &mut tlv::Cursor<'_>, tag: u8) -> Result<bool, DecodeError> {
    match fields.optional(tag)?.map(|element| element.value) {
        // DER leaves a default out; some write it all the same.
        None | Some([0]) => Ok(false),
        Some([0xFF]) => Ok(true),
        Some(_) => Err(DecodeError::new(WHAT, "a BOOLEAN that is neither 00 nor FF")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // clause: RFC 5280 133
    #[test]
    fn scopes_are_told_apart() {
        for (fields, covers, restriction) in [
            (&[0x81, 1, 0xFF][..], CoveredCertificates::EndEntities, None),
            (&[0x82, 1, 0xFF], CoveredCertificates::Authorities, None),
            (&[0x85, 1, 0xFF], CoveredCertificates::Attributes, None),
            (&[0x84, 1, 0xFF], CoveredCertificates::All, Some("indirectCRL")),
            (&[0x83, 2, 1, 0x40], CoveredCertificates::All, Some("onlySomeReasons")),
            (&[0x81, 1, 0], CoveredCertificates::All, None),
        ] {
            let point = IssuingDistributionPoint::from_der(&tlv::wrap(tlv::SEQUENCE, fields)).unwrap();
            assert_eq!((point.covers(), point.restriction()), (covers, restriction), "{fields:02x?}");
            assert!(point.uris().is_none());
        }
        let both = tlv::wrap(tlv::SEQUENCE, &[0x81, 1, 0xFF, 0x82, 1, 0xFF]);
        for wrong in [&[0x30, 0][..], &both, &[0x30, 3, 0x81, 1, 1], &[0x30, 2, 0xA0, 0]] {
            assert!(IssuingDistributionPoint::from_der(wrong).is_err(), "{wrong:02x?}");
        }
    }

    #[test]
    fn uris_read_back() {
        let point = IssuingDistributionPoint::at(["http://a/crl", "http://b/crl"]).unwrap();
        assert_eq!(point.uris().unwrap().collect::<Vec<_>>(), ["http://a/crl", "http://b/crl"]);
        assert_eq!(point.covers(), CoveredCertificates::All);
        let relative = tlv::wrap(tlv::SEQUENCE, &[0xA0, 2, 0xA1, 0]);
        assert_eq!(IssuingDistributionPoint::from_der(&relative).unwrap().uris().unwrap().count(), 0);
        assert!(IssuingDistributionPoint::at([]).is_err());
    }
}
