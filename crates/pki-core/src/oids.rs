//! The object identifiers that several crates name. Each has its source in its comment.

use crate::Oid;

macro_rules! oids {
    ($($(#[$doc:meta])* $name:ident = $dotted:literal;)*) => {
        $($(#[$doc])* pub const $name: Oid = Oid::new_unwrap($dotted);)*
    };
}

oids! {
    /// commonName (RFC 5280 appendix A.1).
    COMMON_NAME = "2.5.4.3";
    /// organizationalUnitName (RFC 5280 appendix A.1).
    ORGANIZATIONAL_UNIT_NAME = "2.5.4.11";
    /// subjectKeyIdentifier (RFC 5280 §4.2.1.2).
    SUBJECT_KEY_IDENTIFIER = "2.5.29.14";
    /// keyUsage (RFC 5280 §4.2.1.3).
    KEY_USAGE = "2.5.29.15";
    /// subjectAltName (RFC 5280 §4.2.1.6).
    SUBJECT_ALT_NAME = "2.5.29.17";
    /// cRLNumber (RFC 5280 §5.2.3).
    CRL_NUMBER = "2.5.29.20";
    /// reasonCode (RFC 5280 §5.3.1).
    REASON_CODE = "2.5.29.21";
    /// invalidityDate (RFC 5280 §5.3.2).
    INVALIDITY_DATE = "2.5.29.24";
    /// deltaCRLIndicator (RFC 5280 §5.2.4).
    DELTA_CRL_INDICATOR = "2.5.29.27";
    /// issuingDistributionPoint (RFC 5280 §5.2.5).
    ISSUING_DISTRIBUTION_POINT = "2.5.29.28";
    /// certificateIssuer (RFC 5280 §5.3.3).
    CERTIFICATE_ISSUER = "2.5.29.29";
    /// cRLDistributionPoints (RFC 5280 §4.2.1.13).
    CRL_DISTRIBUTION_POINTS = "2.5.29.31";
    /// freshestCRL (RFC 5280 §4.2.1.15, §5.2.6).
    FRESHEST_CRL = "2.5.29.46";
    /// basicConstraints (RFC 5280 §4.2.1.9).
    BASIC_CONSTRAINTS = "2.5.29.19";
    /// authorityKeyIdentifier (RFC 5280 §4.2.1.1).
    AUTHORITY_KEY_IDENTIFIER = "2.5.29.35";
    /// extKeyUsage (RFC 5280 §4.2.1.12).
    EXTENDED_KEY_USAGE = "2.5.29.37";
    /// authorityInfoAccess (RFC 5280 §4.2.2.1).
    AUTHORITY_INFO_ACCESS = "1.3.6.1.5.5.7.1.1";
    /// id-ad-ocsp (RFC 5280 §4.2.2.1).
    AD_OCSP = "1.3.6.1.5.5.7.48.1";
    /// id-ad-caIssuers (RFC 5280 §4.2.2.1).
    AD_CA_ISSUERS = "1.3.6.1.5.5.7.48.2";
    /// id-pkix-ocsp-nocheck (RFC 6960 §4.2.2.2.1).
    OCSP_NOCHECK = "1.3.6.1.5.5.7.48.1.5";
    /// id-kp-serverAuth (RFC 5280 §4.2.1.12).
    KP_SERVER_AUTH = "1.3.6.1.5.5.7.3.1";
    /// id-kp-clientAuth (RFC 5280 §4.2.1.12).
    KP_CLIENT_AUTH = "1.3.6.1.5.5.7.3.2";
    /// id-kp-OCSPSigning (RFC 6960 §4.2.2.2).
    KP_OCSP_SIGNING = "1.3.6.1.5.5.7.3.9";
    /// anyExtendedKeyUsage (RFC 5280 §4.2.1.12).
    ANY_EXTENDED_KEY_USAGE = "2.5.29.37.0";
    /// extensionRequest (RFC 2985 §5.4.2).
    EXTENSION_REQUEST = "1.2.840.113549.1.9.14";
    /// challengePassword (RFC 2985 §5.4.1).
    CHALLENGE_PASSWORD = "1.2.840.113549.1.9.7";
    /// Name and value pairs of an enrollment (Microsoft szOID_ENROLLMENT_NAME_VALUE_PAIR).
    ENROLLMENT_NAME_VALUE = "1.3.6.1.4.1.311.13.2.1";
    /// Security identifier of a Windows account, as an extension (Microsoft szOID_NTDS_CA_SECURITY_EXT).
    NTDS_CA_SECURITY = "1.3.6.1.4.1.311.25.2";
    /// Security identifier of a Windows account, as an otherName within that extension (Microsoft szOID_NTDS_OBJECTSID).
    NTDS_OBJECT_SID = "1.3.6.1.4.1.311.25.2.1";
    /// Tenant of Microsoft Entra, in certificates of Intune's.
    ENTRA_TENANT_ID = "1.2.840.113556.5.14";
    /// Device of Microsoft Entra, in certificates of its own (MS-DVRJ).
    ENTRA_DEVICE_ID = "1.2.840.113556.1.5.284.2";
    /// User principal name as an otherName (Microsoft szOID_NT_PRINCIPAL_NAME).
    USER_PRINCIPAL_NAME = "1.3.6.1.4.1.311.20.2.3";
}
