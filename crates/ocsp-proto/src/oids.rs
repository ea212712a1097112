//! The object identifiers of OCSP (RFC 6960 §4.2.1, §4.4).

use pki_core::Oid;

/// id-pkix-ocsp-basic: the one response type that there is.
pub(crate) const BASIC: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.48.1.1");
/// id-pkix-ocsp-nonce (§4.4.1, RFC 9654).
pub(crate) const NONCE: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.48.1.2");
/// id-pkix-ocsp-response: acceptable response types (§4.4.3).
pub(crate) const ACCEPTABLE_RESPONSES: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.48.1.4");
/// id-pkix-ocsp-service-locator (§4.4.6).
pub(crate) const SERVICE_LOCATOR: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.48.1.7");
/// id-pkix-ocsp-pref-sig-algs (§4.4.7).
pub(crate) const PREFERRED_ALGORITHMS: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.48.1.8");
/// id-pkix-ocsp-extended-revoke (§4.4.8).
pub(crate) const EXTENDED_REVOKE: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.48.1.9");
