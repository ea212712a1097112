//! The object identifiers of OCSP (RFC 6960 §4.2.1, §4.4), as the content octets that are compared and written.

/// id-pkix-ocsp-basic, 1.3.6.1.5.5.7.48.1.1: the one response type that there is.
pub(crate) const BASIC: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 48, 1, 1];
/// id-pkix-ocsp-nonce (§4.4.1, RFC 9654).
pub(crate) const NONCE: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 48, 1, 2];
/// id-pkix-ocsp-response: acceptable response types (§4.4.3).
pub(crate) const ACCEPTABLE_RESPONSES: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 48, 1, 4];
/// id-pkix-ocsp-archive-cutoff (§4.4.4).
pub(crate) const ARCHIVE_CUTOFF: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 48, 1, 6];
/// id-pkix-ocsp-service-locator (§4.4.6).
pub(crate) const SERVICE_LOCATOR: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 48, 1, 7];
/// id-pkix-ocsp-pref-sig-algs (§4.4.7).
pub(crate) const PREFERRED_ALGORITHMS: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 48, 1, 8];
/// id-pkix-ocsp-extended-revoke (§4.4.8).
pub(crate) const EXTENDED_REVOKE: &[u8] = &[0x2B, 6, 1, 5, 5, 7, 48, 1, 9];

#[cfg(test)]
mod tests {
    use pki_core::Oid;

    use super::*;

    #[test]
    fn octets_are_those_of_the_dotted_form() {
        let named = [
            BASIC,
            NONCE,
            ACCEPTABLE_RESPONSES,
            ARCHIVE_CUTOFF,
            SERVICE_LOCATOR,
            PREFERRED_ALGORITHMS,
            EXTENDED_REVOKE,
        ];
        for (octets, last) in named.into_iter().zip([1, 2, 4, 6, 7, 8, 9]) {
            let oid: Oid = format!("1.3.6.1.5.5.7.48.1.{last}").parse().unwrap();
            assert_eq!(oid.as_content(), octets);
        }
    }
}
