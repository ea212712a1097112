//! Object identifiers of CMS, PKCS #9 and SCEP.

use pki_core::Oid;

macro_rules! oids {
    ($($(#[$doc:meta])* $name:ident = $dotted:literal;)*) => {
        $($(#[$doc])* pub(crate) const $name: Oid = Oid::new_unwrap($dotted);)*
    };
}

oids! {
    /// id-data (RFC 5652 §4).
    DATA = "1.2.840.113549.1.7.1";
    /// id-signedData (RFC 5652 §5.1).
    SIGNED_DATA = "1.2.840.113549.1.7.2";
    /// id-envelopedData (RFC 5652 §6.1).
    ENVELOPED_DATA = "1.2.840.113549.1.7.3";
    /// id-contentType (RFC 5652 §11.1).
    CONTENT_TYPE = "1.2.840.113549.1.9.3";
    /// id-messageDigest (RFC 5652 §11.2).
    MESSAGE_DIGEST = "1.2.840.113549.1.9.4";
    /// id-signingTime (RFC 5652 §11.3).
    SIGNING_TIME = "1.2.840.113549.1.9.5";
    /// rsaEncryption (RFC 3370 §3.2).
    RSA_ENCRYPTION = "1.2.840.113549.1.1.1";
    /// id-alg-PWRI-KEK (RFC 3211 §2.3).
    PWRI_KEK = "1.2.840.113549.1.9.16.3.9";
    /// id-PBKDF2 (RFC 8018 appendix A.2).
    PBKDF2 = "1.2.840.113549.1.5.12";
    /// messageType (RFC 8894 §3.2.1).
    MESSAGE_TYPE = "2.16.840.1.113733.1.9.2";
    /// pkiStatus (RFC 8894 §3.2.1).
    PKI_STATUS = "2.16.840.1.113733.1.9.3";
    /// failInfo (RFC 8894 §3.2.1).
    FAIL_INFO = "2.16.840.1.113733.1.9.4";
    /// senderNonce (RFC 8894 §3.2.1).
    SENDER_NONCE = "2.16.840.1.113733.1.9.5";
    /// recipientNonce (RFC 8894 §3.2.1).
    RECIPIENT_NONCE = "2.16.840.1.113733.1.9.6";
    /// transactionID (RFC 8894 §3.2.1).
    TRANSACTION_ID = "2.16.840.1.113733.1.9.7";
    /// id-scep-failInfoText (RFC 8894 §3.2.1.4).
    FAIL_INFO_TEXT = "1.3.6.1.5.5.7.24.1";
}
