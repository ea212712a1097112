//! Alternative names.

use alloc::{string::String, vec::Vec};
use core::fmt;

use crate::{DecodeError, Name, Oid, directory_string, oids, tlv};

const WHAT: &str = "GeneralNames";

/// `GeneralName` ([RFC 5280 §4.2.1.6](https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.6)), with Microsoft's user
/// principal name told from the other otherNames.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum GeneralName {
    /// rfc822Name `[1]`.
    Email(String),
    /// dNSName `[2]`.
    Dns(String),
    /// uniformResourceIdentifier `[6]`.
    Uri(String),
    /// iPAddress `[7]`: 4 or 16 octets.
    Ip(Vec<u8>),
    /// directoryName `[4]`.
    Directory(Name),
    /// otherName `[0]` of type 1.3.6.1.4.1.311.20.2.3: a user principal name.
    Upn(String),
    /// Any other form, by its identifier octet and content.
    Other {
        /// The identifier octet, such as 0xA0 for otherName.
        tag: u8,
        /// The content octets.
        content: Vec<u8>,
    },
}

impl GeneralName {
    /// Reads `GeneralNames ::= SEQUENCE SIZE (1..MAX) OF GeneralName`, at most `limit` of them.
    pub fn list_from_der(der: &[u8], limit: usize) -> Result<Vec<Self>, DecodeError> {
        let mut cursor = tlv::Cursor::into(der, tlv::SEQUENCE, WHAT)?;
        let mut names = Vec::new();
        while !cursor.is_empty() {
            if names.len() >= limit {
                return Err(DecodeError::new(WHAT, format_args!("more than {limit}")));
            }
            names.push(Self::from_tlv(cursor.next()?)?);
        }
        if names.is_empty() { Err(DecodeError::new(WHAT, "an empty list")) } else { Ok(names) }
    }

    /// The DER of a list of names.
    pub fn list_to_der(names: &[Self]) -> Vec<u8> {
        tlv::wrap(tlv::SEQUENCE, &names.iter().flat_map(Self::to_der).collect::<Vec<_>>())
    }

    fn from_tlv(element: tlv::Tlv<'_>) -> Result<Self, DecodeError> {
        let ia5 = || {
            let text = core::str::from_utf8(element.value).ok().filter(|text| text.is_ascii());
            text.map(String::from).ok_or_else(|| DecodeError::new("an IA5String", "octets above 7F"))
        };
        Ok(match element.tag {
            0xA0 => return Self::other_name(element),
            0x81 => Self::Email(ia5()?),
            0x82 => Self::Dns(ia5()?),
            0x86 => Self::Uri(ia5()?),
            0xA4 => Self::Directory(Name::from_der(element.value)?),
            0x87 if matches!(element.value.len(), 4 | 16) => Self::Ip(element.value.to_vec()),
            0xA3 | 0xA5 | 0x88 => Self::Other { tag: element.tag, content: element.value.to_vec() },
            tag => return Err(DecodeError::new(WHAT, format_args!("tag {tag:#04x}"))),
        })
    }

    /// ```text
    /// AnotherName ::= SEQUENCE { type-id OBJECT IDENTIFIER, value [0] EXPLICIT ANY DEFINED BY type-id }
    /// ```
    fn other_name(element: tlv::Tlv<'_>) -> Result<Self, DecodeError> {
        let mut fields = tlv::Cursor::over(element.value, "an AnotherName")?;
        let type_id = fields.oid()?;
        let mut explicit = fields.enter(0xA0)?;
        let value = explicit.next()?;
        explicit.finish()?;
        fields.finish()?;
        if type_id == oids::USER_PRINCIPAL_NAME {
            let text = directory_string::text(value.tag, value.value);
            return text.map(Self::Upn).ok_or_else(|| DecodeError::new("a user principal name", "no string"));
        }
        Ok(Self::Other { tag: element.tag, content: element.value.to_vec() })
    }

    fn to_der(&self) -> Vec<u8> {
        match self {
            Self::Email(text) => tlv::wrap(0x81, text.as_bytes()),
            Self::Dns(text) => tlv::wrap(0x82, text.as_bytes()),
            Self::Uri(text) => tlv::wrap(0x86, text.as_bytes()),
            Self::Ip(octets) => tlv::wrap(0x87, octets),
            Self::Directory(name) => tlv::wrap(0xA4, name.as_der()),
            Self::Upn(text) => Self::other_der(oids::USER_PRINCIPAL_NAME, &tlv::wrap(0x0C, text.as_bytes())),
            Self::Other { tag, content } => tlv::wrap(*tag, content),
        }
    }

    fn other_der(type_id: Oid, value: &[u8]) -> Vec<u8> {
        tlv::wrap(0xA0, &[tlv::oid(type_id), tlv::wrap(0xA0, value)].concat())
    }
}

impl fmt::Display for GeneralName {
    /// `DNS:host`, `email:a@b`, `URI:…`, `UPN:…`, `IP:…`; control characters escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Email(text) => write!(f, "email:{}", text.escape_debug()),
            Self::Dns(text) => write!(f, "DNS:{}", text.escape_debug()),
            Self::Uri(text) => write!(f, "URI:{}", text.escape_debug()),
            Self::Upn(text) => write!(f, "UPN:{}", text.escape_debug()),
            Self::Directory(name) => write!(f, "DN:{name}"),
            Self::Ip(octets) => match (<[u8; 4]>::try_from(&**octets), <[u8; 16]>::try_from(&**octets)) {
                (Ok(v4), _) => write!(f, "IP:{}", core::net::Ipv4Addr::from(v4)),
                (_, Ok(v6)) => write!(f, "IP:{}", core::net::Ipv6Addr::from(v6)),
                _ => f.write_str("IP:?"),
            },
            Self::Other { tag, .. } => write!(f, "other name of tag {tag:#04x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_reads_back() {
        let names = [
            GeneralName::Email("a@example.com".into()),
            GeneralName::Dns("host.example.com".into()),
            GeneralName::Uri("IntuneDeviceId://x".into()),
            GeneralName::Ip([127, 0, 0, 1].into()),
            GeneralName::Directory(Name::of_common_name("x")),
            GeneralName::Upn("zoë@example.com".into()),
            GeneralName::Other { tag: 0x88, content: [0x2A].into() },
        ];
        assert_eq!(GeneralName::list_from_der(&GeneralName::list_to_der(&names), 7).unwrap(), names);
        assert!(GeneralName::list_from_der(&GeneralName::list_to_der(&names), 6).is_err());
    }

    #[test]
    fn an_empty_list_is_an_error() {
        assert!(GeneralName::list_from_der(&[0x30, 0], 64).is_err());
        assert!(GeneralName::list_from_der(&[0x30, 2, 0x82, 1], 64).is_err());
        assert!(GeneralName::list_from_der(&[0x30, 3, 0x82, 1, 0xE9], 64).is_err());
    }
}
