//! The signed attributes of a pkiMessage.

use alloc::{string::String, vec::Vec};

use pki_core::{DecodeError, Oid, UnixTime, tlv};

use crate::{
    FailInfo, MessageType, PkiStatus, Tolerance, Tolerances, TransactionId, cms_oids,
    limits::{MAX_ATTRIBUTES, MAX_NONCE_LEN, MIN_NONCE_LEN, NONCE_LEN},
};

const WHAT: &str = "SCEP attributes";

const PRINTABLE_STRING: u8 = 0x13;

/// `SignedAttributes` ([RFC 5652 §5.3](https://www.rfc-editor.org/rfc/rfc5652#section-5.3)) as received.
///
/// ```text
/// SignedAttributes ::= SET SIZE (1..MAX) OF Attribute
/// Attribute ::= SEQUENCE { attrType OBJECT IDENTIFIER, attrValues SET OF AttributeValue }
/// ```
pub(crate) struct SignedAttributes<'a> {
    attributes: Vec<Attribute<'a>>,
}

struct Attribute<'a> {
    id: Oid,
    values: tlv::Cursor<'a>,
    bytes: &'a [u8],
}

impl<'a> SignedAttributes<'a> {
    /// Reads the content of the SET.
    pub(crate) fn read(set: &'a [u8]) -> Result<Self, DecodeError> {
        let mut set = tlv::Cursor::over(set, WHAT)?;
        let mut attributes = Vec::new();
        while !set.is_empty() {
            if attributes.len() >= MAX_ATTRIBUTES {
                return Err(DecodeError::new(WHAT, format_args!("more than {MAX_ATTRIBUTES}")));
            }
            let bytes = set.expect(tlv::SEQUENCE)?.bytes;
            let mut fields = tlv::Cursor::into(bytes, tlv::SEQUENCE, WHAT)?;
            let (id, values) = (fields.oid()?, fields.enter(tlv::SET)?);
            fields.finish()?;
            attributes.push(Attribute { id, values, bytes });
        }
        Ok(Self { attributes })
    }

    /// The one value of the one attribute of that type, if there is one.
    pub(crate) fn single(&self, id: Oid) -> Result<Option<tlv::Tlv<'a>>, DecodeError> {
        let mut found = self.attributes.iter().filter(|attribute| attribute.id == id);
        let Some(attribute) = found.next() else { return Ok(None) };
        if found.next().is_some() {
            return Err(DecodeError::new(WHAT, format_args!("attribute {id} twice")));
        }
        let mut values = attribute.values.clone();
        let value = values.next()?;
        values.finish()?;
        Ok(Some(value))
    }

    /// What has to be tolerated about SCEP's own attributes.
    pub(crate) fn tolerated(&self) -> Tolerances {
        let value = |id| self.single(id).ok().flatten();
        let texts = [cms_oids::MESSAGE_TYPE, cms_oids::PKI_STATUS, cms_oids::FAIL_INFO].map(value);
        let other_string = texts.iter().flatten().any(|text| text.tag != PRINTABLE_STRING);
        let odd_nonce = value(cms_oids::SENDER_NONCE).is_some_and(|nonce| nonce.value.len() != NONCE_LEN);
        let transaction = self.transaction_id().map_or(Tolerances::NONE, |id| id.tolerated());
        transaction
            .with_if(Tolerance::AttributeStringType, other_string)
            .with_if(Tolerance::NonceLength, odd_nonce)
    }

    /// The encodings of the attributes, in the order received.
    pub(crate) fn encodings(&self) -> Vec<&'a [u8]> {
        self.attributes.iter().map(|attribute| attribute.bytes).collect()
    }

    pub(crate) fn transaction_id(&self) -> Result<TransactionId, DecodeError> {
        TransactionId::from_tlv(self.required(cms_oids::TRANSACTION_ID, "transactionID")?)
    }

    pub(crate) fn sender_nonce(&self) -> Result<Vec<u8>, DecodeError> {
        let nonce = self.required(cms_oids::SENDER_NONCE, "senderNonce")?;
        let fits =
            nonce.tag == tlv::OCTET_STRING && (MIN_NONCE_LEN..=MAX_NONCE_LEN).contains(&nonce.value.len());
        if fits {
            return Ok(nonce.value.to_vec());
        }
        let found = format_args!("tag {:#04x} with {} octets", nonce.tag, nonce.value.len());
        Err(DecodeError::new("a senderNonce of 8 to 64 octets", found))
    }

    pub(crate) fn recipient_nonce(&self) -> Result<&'a [u8], DecodeError> {
        Ok(self.required(cms_oids::RECIPIENT_NONCE, "recipientNonce")?.value)
    }

    /// messageType, or its text when no such type exists.
    pub(crate) fn message_type(&self) -> Result<Result<MessageType, String>, DecodeError> {
        let text = self.decimal(cms_oids::MESSAGE_TYPE, "messageType")?;
        Ok(MessageType::from_text(text).ok_or_else(|| excerpt(text)))
    }

    pub(crate) fn pki_status(&self) -> Result<PkiStatus, DecodeError> {
        let text = self.decimal(cms_oids::PKI_STATUS, "pkiStatus")?;
        PkiStatus::from_text(text).ok_or_else(|| DecodeError::new("a pkiStatus of 0, 2 or 3", excerpt(text)))
    }

    pub(crate) fn fail_info(&self) -> Result<FailInfo, DecodeError> {
        let text = self.decimal(cms_oids::FAIL_INFO, "failInfo")?;
        FailInfo::from_text(text).ok_or_else(|| DecodeError::new("a failInfo of 0 to 4", excerpt(text)))
    }

    /// failInfoText, for people: what is not UTF-8 in it is replaced, and a malformed one is none.
    pub(crate) fn fail_info_text(&self) -> Option<String> {
        let value = self.single(cms_oids::FAIL_INFO_TEXT).ok().flatten()?;
        Some(String::from_utf8_lossy(value.value).into_owned())
    }

    /// PrintableString says RFC 8894; UTF8String and IA5String are read as well.
    fn decimal(&self, id: Oid, name: &'static str) -> Result<&'a [u8], DecodeError> {
        let value = self.required(id, name)?;
        if matches!(value.tag, PRINTABLE_STRING | 0x0C | 0x16) {
            return Ok(value.value);
        }
        Err(DecodeError::new(WHAT, format_args!("{name} with tag {:#04x}", value.tag)))
    }

    fn required(&self, id: Oid, name: &'static str) -> Result<tlv::Tlv<'a>, DecodeError> {
        self.single(id)?.ok_or_else(|| DecodeError::new(WHAT, format_args!("no {name}")))
    }
}

fn excerpt(text: &[u8]) -> String {
    alloc::format!("{}", text.get(..16).unwrap_or(text).escape_ascii())
}

/// Signed attributes to be sent.
#[derive(Debug, Default)]
pub(crate) struct AttributeList(Vec<Vec<u8>>);

impl AttributeList {
    pub(crate) fn with(mut self, id: Oid, value: &[u8]) -> Self {
        self.0.push(tlv::sequence([&*tlv::oid(id), &tlv::wrap(tlv::SET, value)]));
        self
    }

    pub(crate) fn with_text(self, id: Oid, text: &str) -> Self {
        self.with(id, &tlv::wrap(PRINTABLE_STRING, text.as_bytes()))
    }

    pub(crate) fn with_octets(self, id: Oid, octets: &[u8]) -> Self {
        self.with(id, &tlv::wrap(tlv::OCTET_STRING, octets))
    }

    pub(crate) fn with_signing_time(self, now: UnixTime) -> Self {
        self.with(cms_oids::SIGNING_TIME, &tlv::time(now))
    }

    /// The DER of the SET: what is signed.
    pub(crate) fn to_der(&self) -> Vec<u8> {
        set_of(self.0.iter().map(Vec::as_slice).collect())
    }
}

/// The DER of a SET OF these elements ([X.690 §11.6](https://www.itu.int/rec/T-REC-X.690)): in ascending order.
pub(crate) fn set_of(mut elements: Vec<&[u8]>) -> Vec<u8> {
    elements.sort_unstable();
    tlv::wrap(tlv::SET, &elements.concat())
}
