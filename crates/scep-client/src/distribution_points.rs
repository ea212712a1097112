//! Where a certificate says its CRL is.

use pki_core::{Certificate, DecodeError, GeneralName, Oid, tlv};

/// cRLDistributionPoints (RFC 5280 §4.2.1.13).
const DISTRIBUTION_POINTS: Oid = Oid::new_unwrap("2.5.29.31");

/// More names than this are not looked for in one distribution point.
const MAX_NAMES: usize = 16;

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
