//! The names of the fields of what SCEP carries.

use pki_core::{Oid, oids, tlv};

use crate::{cms_oids, password_recipient};

/// What an element is.
#[derive(Debug)]
pub(super) enum Shape {
    Any,
    /// Its name, and its fields in order.
    Sequence(&'static str, &'static [Field]),
    /// A SET OF or SEQUENCE OF: its name, the name of its elements, and what they are.
    SetOf(&'static str, &'static str, &'static Shape),
    /// An explicit tag around that.
    Explicit(&'static Shape),
    /// A string that holds the DER of that.
    Octets(&'static Shape),
    /// What the object identifier before it in its SEQUENCE says.
    ByType(&'static [(Oid, &'static Shape)]),
    /// What its identifier octet says.
    ByTag(&'static [(u8, &'static Shape)]),
    /// A distinguished name, on one line.
    Name,
    /// Never shown.
    Secret,
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: &'static str,
    /// `None` takes any.
    pub(super) tag: Option<u8>,
    pub(super) shape: &'static Shape,
}

const fn field(name: &'static str, tag: u8, shape: &'static Shape) -> Field {
    Field { name, tag: Some(tag), shape }
}

const fn any(name: &'static str, shape: &'static Shape) -> Field {
    Field { name, tag: None, shape }
}

const fn plain(name: &'static str, tag: u8) -> Field {
    field(name, tag, &Shape::Any)
}

static NAME: Shape = Shape::Name;

static ALGORITHM: Shape = Shape::Sequence(
    "AlgorithmIdentifier",
    &[plain("algorithm", tlv::OBJECT_IDENTIFIER), any("parameters", &Shape::Any)],
);

pub(super) static CONTENT_INFO: Shape = Shape::Sequence(
    "ContentInfo",
    &[
        plain("contentType", tlv::OBJECT_IDENTIFIER),
        field(
            "content",
            0xA0,
            &Shape::ByType(&[
                (cms_oids::SIGNED_DATA, &Shape::Explicit(&SIGNED_DATA)),
                (cms_oids::ENVELOPED_DATA, &Shape::Explicit(&ENVELOPED_DATA)),
            ]),
        ),
    ],
);

static SIGNED_DATA: Shape = Shape::Sequence(
    "SignedData",
    &[
        plain("version", tlv::INTEGER),
        field("digestAlgorithms", tlv::SET, &Shape::SetOf("digestAlgorithms", "", &ALGORITHM)),
        field(
            "encapContentInfo",
            tlv::SEQUENCE,
            &Shape::Sequence("", &[plain("eContentType", tlv::OBJECT_IDENTIFIER), plain("eContent", 0xA0)]),
        ),
        field("certificates", 0xA0, &Shape::SetOf("certificates", "", &CERTIFICATE)),
        field("crls", 0xA1, &Shape::SetOf("crls", "CertificateList", &Shape::Any)),
        field("signerInfos", tlv::SET, &Shape::SetOf("signerInfos", "", &SIGNER_INFO)),
    ],
);

static SIGNER_INFO: Shape = Shape::Sequence(
    "SignerInfo",
    &[
        plain("version", tlv::INTEGER),
        any("sid", &ISSUER_AND_SERIAL),
        field("digestAlgorithm", tlv::SEQUENCE, &ALGORITHM),
        field("signedAttrs", 0xA0, &Shape::SetOf("signedAttrs", "", &ATTRIBUTE)),
        field("signatureAlgorithm", tlv::SEQUENCE, &ALGORITHM),
        plain("signature", tlv::OCTET_STRING),
        field("unsignedAttrs", 0xA1, &Shape::SetOf("unsignedAttrs", "", &ATTRIBUTE)),
    ],
);

static ATTRIBUTE: Shape = Shape::Sequence(
    "Attribute",
    &[
        plain("attrType", tlv::OBJECT_IDENTIFIER),
        field(
            "attrValues",
            tlv::SET,
            &Shape::ByType(&[
                (oids::CHALLENGE_PASSWORD, &Shape::SetOf("", "challengePassword", &Shape::Secret)),
                (oids::EXTENSION_REQUEST, &Shape::SetOf("", "", &EXTENSIONS)),
                (LEGACY_EXTENSION_REQUEST, &Shape::SetOf("", "", &EXTENSIONS)),
            ]),
        ),
    ],
);

const LEGACY_EXTENSION_REQUEST: Oid = Oid::new_unwrap("2.16.840.1.113733.1.9.8");

pub(super) static ISSUER_AND_SERIAL: Shape = Shape::Sequence(
    "IssuerAndSerialNumber",
    &[field("issuer", tlv::SEQUENCE, &NAME), plain("serialNumber", tlv::INTEGER)],
);

pub(super) static ISSUER_AND_SUBJECT: Shape = Shape::Sequence(
    "issuerAndSubject",
    &[field("issuer", tlv::SEQUENCE, &NAME), field("subject", tlv::SEQUENCE, &NAME)],
);

static ENVELOPED_DATA: Shape = Shape::Sequence(
    "EnvelopedData",
    &[
        plain("version", tlv::INTEGER),
        plain("originatorInfo", 0xA0),
        field("recipientInfos", tlv::SET, &Shape::SetOf("recipientInfos", "", &RECIPIENT_INFO)),
        field(
            "encryptedContentInfo",
            tlv::SEQUENCE,
            &Shape::Sequence(
                "",
                &[
                    plain("contentType", tlv::OBJECT_IDENTIFIER),
                    field("contentEncryptionAlgorithm", tlv::SEQUENCE, &ALGORITHM),
                    plain("encryptedContent", 0x80),
                ],
            ),
        ),
        plain("unprotectedAttrs", 0xA1),
    ],
);

static RECIPIENT_INFO: Shape =
    Shape::ByTag(&[(tlv::SEQUENCE, &KEY_TRANSPORT), (password_recipient::TAG, &PASSWORD)]);

static KEY_TRANSPORT: Shape = Shape::Sequence(
    "KeyTransRecipientInfo",
    &[
        plain("version", tlv::INTEGER),
        any("rid", &ISSUER_AND_SERIAL),
        field("keyEncryptionAlgorithm", tlv::SEQUENCE, &ALGORITHM),
        plain("encryptedKey", tlv::OCTET_STRING),
    ],
);

static PASSWORD: Shape = Shape::Sequence(
    "PasswordRecipientInfo",
    &[
        plain("version", tlv::INTEGER),
        plain("keyDerivationAlgorithm", 0xA0),
        field("keyEncryptionAlgorithm", tlv::SEQUENCE, &ALGORITHM),
        plain("encryptedKey", tlv::OCTET_STRING),
    ],
);

pub(super) static CERTIFICATE: Shape = Shape::Sequence(
    "Certificate",
    &[
        field("tbsCertificate", tlv::SEQUENCE, &TBS_CERTIFICATE),
        field("signatureAlgorithm", tlv::SEQUENCE, &ALGORITHM),
        plain("signatureValue", tlv::BIT_STRING),
    ],
);

static TBS_CERTIFICATE: Shape = Shape::Sequence(
    "TBSCertificate",
    &[
        plain("version", 0xA0),
        plain("serialNumber", tlv::INTEGER),
        field("signature", tlv::SEQUENCE, &ALGORITHM),
        field("issuer", tlv::SEQUENCE, &NAME),
        plain("validity", tlv::SEQUENCE),
        field("subject", tlv::SEQUENCE, &NAME),
        field("subjectPublicKeyInfo", tlv::SEQUENCE, &PUBLIC_KEY),
        plain("issuerUniqueID", 0x81),
        plain("subjectUniqueID", 0x82),
        field("extensions", 0xA3, &Shape::Explicit(&EXTENSIONS)),
    ],
);

static PUBLIC_KEY: Shape = Shape::Sequence(
    "SubjectPublicKeyInfo",
    &[field("algorithm", tlv::SEQUENCE, &ALGORITHM), plain("subjectPublicKey", tlv::BIT_STRING)],
);

static EXTENSIONS: Shape = Shape::SetOf(
    "Extensions",
    "",
    &Shape::Sequence(
        "Extension",
        &[
            plain("extnID", tlv::OBJECT_IDENTIFIER),
            plain("critical", tlv::BOOLEAN),
            field("extnValue", tlv::OCTET_STRING, &Shape::Octets(&Shape::Any)),
        ],
    ),
);

pub(super) static CERTIFICATION_REQUEST: Shape = Shape::Sequence(
    "CertificationRequest",
    &[
        field(
            "certificationRequestInfo",
            tlv::SEQUENCE,
            &Shape::Sequence(
                "",
                &[
                    plain("version", tlv::INTEGER),
                    field("subject", tlv::SEQUENCE, &NAME),
                    field("subjectPKInfo", tlv::SEQUENCE, &PUBLIC_KEY),
                    field("attributes", 0xA0, &Shape::SetOf("attributes", "", &ATTRIBUTE)),
                ],
            ),
        ),
        field("signatureAlgorithm", tlv::SEQUENCE, &ALGORITHM),
        plain("signature", tlv::BIT_STRING),
    ],
);
