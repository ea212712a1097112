//! SignedData and EnvelopedData taken apart, and put together again with anything in them wrong.
//!
//! [`scep_proto`] neither reads nor writes what is malformed. Here is for whoever has to: the hostile client of the
//! checks, and the broken servers that prove them.

use pki_core::{Certificate, DecodeError, Oid, tlv};
use scep_proto::ber;

use super::weak;

/// An attribute: its type, and the DER of its values.
pub type Attribute = (Oid, Vec<Vec<u8>>);

/// messageType.
pub const MESSAGE_TYPE: Oid = Oid::new_unwrap("2.16.840.1.113733.1.9.2");
/// pkiStatus.
pub const PKI_STATUS: Oid = Oid::new_unwrap("2.16.840.1.113733.1.9.3");
/// failInfo.
pub const FAIL_INFO: Oid = Oid::new_unwrap("2.16.840.1.113733.1.9.4");
/// senderNonce.
pub const SENDER_NONCE: Oid = Oid::new_unwrap("2.16.840.1.113733.1.9.5");
/// recipientNonce.
pub const RECIPIENT_NONCE: Oid = Oid::new_unwrap("2.16.840.1.113733.1.9.6");
/// transactionID.
pub const TRANSACTION_ID: Oid = Oid::new_unwrap("2.16.840.1.113733.1.9.7");
/// id-scep-failInfoText.
pub const FAIL_INFO_TEXT: Oid = Oid::new_unwrap("1.3.6.1.5.5.7.24.1");
/// contentType.
pub const CONTENT_TYPE: Oid = Oid::new_unwrap("1.2.840.113549.1.9.3");
/// messageDigest.
pub const MESSAGE_DIGEST: Oid = Oid::new_unwrap("1.2.840.113549.1.9.4");
/// signingTime.
pub const SIGNING_TIME: Oid = Oid::new_unwrap("1.2.840.113549.1.9.5");
/// id-data.
pub const DATA: Oid = Oid::new_unwrap("1.2.840.113549.1.7.1");
/// id-signedData.
pub const SIGNED_DATA: Oid = Oid::new_unwrap("1.2.840.113549.1.7.2");
/// id-envelopedData.
pub const ENVELOPED_DATA: Oid = Oid::new_unwrap("1.2.840.113549.1.7.3");

/// Identifier octet of PrintableString.
pub const PRINTABLE_STRING: u8 = 0x13;
/// Identifier octet of UTF8String.
pub const UTF8_STRING: u8 = 0x0C;

/// A SignedData, inside its ContentInfo.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "everything in it may be changed")]
pub struct SignedMessage {
    /// eContentType.
    pub content_type: Oid,
    /// What is in the eContent's OCTET STRING; `None` when there is no eContent.
    pub content: Option<Vec<u8>>,
    /// The DER of the certificates, as they come.
    pub certificates: Vec<Vec<u8>>,
    /// The DER of the CRLs.
    pub crls: Vec<Vec<u8>>,
    /// The SignerInfos.
    pub signers: Vec<Signer>,
}

/// A SignerInfo.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "everything in it may be changed")]
pub struct Signer {
    /// The DER of the SignerIdentifier.
    pub id: Vec<u8>,
    /// digestAlgorithm.
    pub digest: Oid,
    /// signedAttrs in the order in which they are written.
    pub signed_attributes: Vec<Attribute>,
    /// unsignedAttrs.
    pub unsigned_attributes: Vec<Attribute>,
    /// The DER of signatureAlgorithm.
    pub algorithm: Vec<u8>,
    /// The signature.
    pub signature: Vec<u8>,
}

impl SignedMessage {
    /// Reads BER or DER.
    pub fn read(octets: &[u8]) -> Result<Self, DecodeError> {
        const WHAT: &str = "a SignedData";
        let der = ber::normalize(octets)?;
        let mut fields = enter(&der, SIGNED_DATA, WHAT)?;
        fields.expect(tlv::INTEGER)?;
        fields.expect(tlv::SET)?;
        let mut encapsulated = fields.enter(tlv::SEQUENCE)?;
        let content_type = encapsulated.oid()?;
        let content = match encapsulated.optional(0xA0)? {
            Some(explicit) => Some(octet_string(explicit.value)?),
            None => None,
        };
        let certificates = list(fields.optional(0xA0)?, WHAT)?;
        let crls = list(fields.optional(0xA1)?, WHAT)?;
        let mut set = fields.enter(tlv::SET)?;
        let mut signers = Vec::new();
        while !set.is_empty() {
            signers.push(Signer::read(set.expect(tlv::SEQUENCE)?.bytes)?);
        }
        Ok(Self { content_type, content, certificates, crls, signers })
    }

    /// The DER of its ContentInfo, but for whatever was made wrong in it.
    pub fn encode(&self) -> Vec<u8> {
        let digests: Vec<u8> =
            self.signers.iter().flat_map(|signer| tlv::sequence([&*tlv::oid(signer.digest)])).collect();
        let content =
            self.content.as_ref().map(|octets| tlv::wrap(0xA0, &tlv::wrap(tlv::OCTET_STRING, octets)));
        let tagged = |tag: u8, list: &[Vec<u8>]| {
            if list.is_empty() { Vec::new() } else { tlv::wrap(tag, &list.concat()) }
        };
        let signers: Vec<u8> = self.signers.iter().flat_map(Signer::encode).collect();
        let data = tlv::sequence([
            &[tlv::INTEGER, 1, 1][..],
            &tlv::wrap(tlv::SET, &digests),
            &tlv::sequence([&*tlv::oid(self.content_type), &content.unwrap_or_default()]),
            &tagged(0xA0, &self.certificates),
            &tagged(0xA1, &self.crls),
            &tlv::wrap(tlv::SET, &signers),
        ]);
        content_info(SIGNED_DATA, &data)
    }

    /// The certificates that can be parsed.
    pub fn parsed_certificates(&self) -> Vec<Certificate> {
        self.certificates.iter().filter_map(|der| Certificate::from_der(der).ok()).collect()
    }

    /// The first SignerInfo.
    pub fn signer(&self) -> Option<&Signer> {
        self.signers.first()
    }

    /// Does something to the first SignerInfo, if there is one.
    pub fn change(&mut self, change: impl FnOnce(&mut Signer)) {
        if let Some(signer) = self.signers.first_mut() {
            change(signer);
        }
    }

    /// Puts other content in, and its digest among the signed attributes of the first SignerInfo.
    pub fn put_content(&mut self, content: Vec<u8>) {
        self.change(|signer| {
            let digest = weak::digest(signer.digest, &content);
            signer.set(MESSAGE_DIGEST, tlv::wrap(tlv::OCTET_STRING, &digest));
        });
        self.content = Some(content);
    }

    /// What the first SignerInfo signs: its attributes, or the content where it has none.
    pub fn to_be_signed(&self) -> Vec<u8> {
        match self.signer() {
            Some(signer) if !signer.signed_attributes.is_empty() => {
                tlv::wrap(tlv::SET, &encode_attributes(&signer.signed_attributes))
            }
            _ => self.content.clone().unwrap_or_default(),
        }
    }
}

impl Signer {
    fn read(der: &[u8]) -> Result<Self, DecodeError> {
        const WHAT: &str = "a SignerInfo";
        let mut fields = tlv::Cursor::into(der, tlv::SEQUENCE, WHAT)?;
        fields.expect(tlv::INTEGER)?;
        let id = fields.next()?.bytes.to_vec();
        let digest = fields.enter(tlv::SEQUENCE)?.oid()?;
        let signed_attributes = read_attributes(fields.optional(0xA0)?)?;
        let algorithm = fields.expect(tlv::SEQUENCE)?.bytes.to_vec();
        let signature = fields.expect(tlv::OCTET_STRING)?.value.to_vec();
        let unsigned_attributes = read_attributes(fields.optional(0xA1)?)?;
        Ok(Self { id, digest, signed_attributes, unsigned_attributes, algorithm, signature })
    }

    fn encode(&self) -> Vec<u8> {
        let tagged = |tag: u8, list: &[Attribute]| {
            if list.is_empty() { Vec::new() } else { tlv::wrap(tag, &encode_attributes(list)) }
        };
        tlv::sequence([
            &[tlv::INTEGER, 1, 1][..],
            &self.id,
            &tlv::sequence([&*tlv::oid(self.digest)]),
            &tagged(0xA0, &self.signed_attributes),
            &self.algorithm,
            &tlv::wrap(tlv::OCTET_STRING, &self.signature),
            &tagged(0xA1, &self.unsigned_attributes),
        ])
    }

    /// The DER of the first value of the first signed attribute of that type.
    pub fn attribute(&self, id: Oid) -> Option<&[u8]> {
        let (_, values) = self.signed_attributes.iter().find(|(known, _)| *known == id)?;
        values.first().map(Vec::as_slice)
    }

    /// Its content octets alone.
    pub fn attribute_value(&self, id: Oid) -> Option<Vec<u8>> {
        let der = self.attribute(id)?;
        Some(tlv::Cursor::over(der, "an attribute").ok()?.next().ok()?.value.to_vec())
    }

    /// Takes every signed attribute of that type out.
    pub fn remove(&mut self, id: Oid) {
        self.signed_attributes.retain(|(known, _)| *known != id);
    }

    /// Makes `value`, as DER, the one value of the one signed attribute of that type, and sorts them as DER does.
    pub fn set(&mut self, id: Oid, value: Vec<u8>) {
        self.remove(id);
        self.add(id, value);
    }

    /// Adds a signed attribute, whether there is one of that type or not, and sorts them as DER does.
    pub fn add(&mut self, id: Oid, value: Vec<u8>) {
        self.signed_attributes.push((id, vec![value]));
        self.signed_attributes.sort_by_key(encode_attribute);
    }
}

/// An EnvelopedData, inside its ContentInfo.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "everything in it may be changed")]
pub struct EnvelopedMessage {
    /// The DER of the RecipientInfos.
    pub recipients: Vec<Vec<u8>>,
    /// contentType of the encryptedContentInfo.
    pub content_type: Oid,
    /// contentEncryptionAlgorithm.
    pub cipher: Oid,
    /// The initialization vector, its parameter.
    pub iv: Vec<u8>,
    /// encryptedContent.
    pub ciphertext: Vec<u8>,
}

impl EnvelopedMessage {
    /// Reads BER or DER.
    pub fn read(octets: &[u8]) -> Result<Self, DecodeError> {
        const WHAT: &str = "an EnvelopedData";
        let der = ber::normalize(octets)?;
        let mut fields = enter(&der, ENVELOPED_DATA, WHAT)?;
        fields.expect(tlv::INTEGER)?;
        fields.optional(0xA0)?;
        let recipients = list(Some(fields.expect(tlv::SET)?), WHAT)?;
        let mut info = fields.enter(tlv::SEQUENCE)?;
        let content_type = info.oid()?;
        let mut algorithm = info.enter(tlv::SEQUENCE)?;
        let cipher = algorithm.oid()?;
        let iv = if algorithm.is_empty() { Vec::new() } else { algorithm.next()?.value.to_vec() };
        let ciphertext = info.next()?.value.to_vec();
        Ok(Self { recipients, content_type, cipher, iv, ciphertext })
    }

    /// The DER of its ContentInfo.
    pub fn encode(&self) -> Vec<u8> {
        let info = tlv::sequence([
            &*tlv::oid(self.content_type),
            &tlv::sequence([&*tlv::oid(self.cipher), &tlv::wrap(tlv::OCTET_STRING, &self.iv)]),
            &tlv::wrap(0x80, &self.ciphertext),
        ]);
        let recipients = tlv::wrap(tlv::SET, &self.recipients.concat());
        content_info(ENVELOPED_DATA, &tlv::sequence([&[tlv::INTEGER, 1, 0][..], &recipients, &info]))
    }
}

/// The DER of the IssuerAndSerialNumber of `certificate`.
pub fn issuer_and_serial(certificate: &Certificate) -> Vec<u8> {
    let serial = tlv::wrap(tlv::INTEGER, certificate.serial_octets());
    tlv::sequence([certificate.issuer().as_der(), &serial])
}

/// A PrintableString.
pub fn printable(text: &str) -> Vec<u8> {
    tlv::wrap(PRINTABLE_STRING, text.as_bytes())
}

fn enter<'a>(der: &'a [u8], content_type: Oid, what: &'static str) -> Result<tlv::Cursor<'a>, DecodeError> {
    let mut outer = tlv::Cursor::into(der, tlv::SEQUENCE, what)?;
    let found = outer.oid()?;
    if found != content_type {
        return Err(DecodeError::new(what, format_args!("content of type {found}")));
    }
    outer.enter(0xA0)?.enter(tlv::SEQUENCE)
}

fn octet_string(explicit: &[u8]) -> Result<Vec<u8>, DecodeError> {
    Ok(tlv::Cursor::over(explicit, "an eContent")?.expect(tlv::OCTET_STRING)?.value.to_vec())
}

fn list(element: Option<tlv::Tlv<'_>>, what: &'static str) -> Result<Vec<Vec<u8>>, DecodeError> {
    let Some(element) = element else { return Ok(Vec::new()) };
    let mut cursor = tlv::Cursor::over(element.value, what)?;
    let mut found = Vec::new();
    while !cursor.is_empty() {
        found.push(cursor.next()?.bytes.to_vec());
    }
    Ok(found)
}

fn read_attributes(element: Option<tlv::Tlv<'_>>) -> Result<Vec<Attribute>, DecodeError> {
    const WHAT: &str = "an Attribute";
    let mut attributes = Vec::new();
    for der in list(element, WHAT)? {
        let mut fields = tlv::Cursor::into(&der, tlv::SEQUENCE, WHAT)?;
        let id = fields.oid()?;
        attributes.push((id, list(Some(fields.expect(tlv::SET)?), WHAT)?));
    }
    Ok(attributes)
}

fn encode_attributes(attributes: &[Attribute]) -> Vec<u8> {
    attributes.iter().flat_map(encode_attribute).collect()
}

pub(super) fn encode_attribute((id, values): &Attribute) -> Vec<u8> {
    tlv::sequence([&*tlv::oid(*id), &tlv::wrap(tlv::SET, &values.concat())])
}

fn content_info(id: Oid, content: &[u8]) -> Vec<u8> {
    tlv::sequence([&*tlv::oid(id), &tlv::wrap(0xA0, content)])
}
