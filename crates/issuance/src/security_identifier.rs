//! Windows accounts, as certificates name them.

use std::{fmt, str::FromStr};

use pki_core::{Extension, GeneralName, oids, tlv};

/// The security identifier of a Windows account, such as `S-1-5-21-1004336348-1177238915-682003330-512`: what domain
/// controllers map a certificate to an account by. It comes from a directory and never from a requester.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SecurityIdentifier(String);

impl SecurityIdentifier {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As an alternative name, the way Intune writes it.
    pub fn to_uri(&self) -> GeneralName {
        GeneralName::Uri(format!("tag:microsoft.com,2022-09-14:sid:{}", self.0))
    }

    /// As the extension szOID_NTDS_CA_SECURITY_EXT of
    /// [MS-WCCE](https://learn.microsoft.com/openspecs/windows_protocols/ms-wcce/e563cff8-1af6-4e6f-a655-7571ca482e71).
    ///
    /// ```text
    /// GeneralNames ::= SEQUENCE OF GeneralName    -- one otherName
    /// AnotherName ::= SEQUENCE { type-id szOID_NTDS_OBJECTSID, value [0] EXPLICIT OCTET STRING }    -- the text
    /// ```
    pub fn to_extension(&self) -> Extension {
        const CONTEXT_0: u8 = 0xA0;
        let text = tlv::wrap(CONTEXT_0, &tlv::wrap(tlv::OCTET_STRING, self.0.as_bytes()));
        let name = tlv::wrap(CONTEXT_0, &[tlv::oid(oids::NTDS_OBJECT_SID), text].concat());
        Extension::new(oids::NTDS_CA_SECURITY, tlv::wrap(tlv::SEQUENCE, &name))
    }
}

impl FromStr for SecurityIdentifier {
    type Err = InvalidSecurityIdentifier;

    /// `S-1-`, the authority, and 1 to 15 numbers of 32 bits (MS-DTYP 2.4.2.1).
    fn from_str(text: &str) -> Result<Self, InvalidSecurityIdentifier> {
        let parts = text.strip_prefix("S-1-").map(|rest| rest.split('-').collect::<Vec<_>>());
        let is_number = |part: &str, most: u64| {
            let is_plain = part.bytes().all(|digit| digit.is_ascii_digit());
            is_plain && part.parse::<u64>().is_ok_and(|number| number <= most)
        };
        let is_sound = parts.as_deref().is_some_and(|parts| match parts {
            [authority, rest @ ..] => {
                is_number(authority, (1 << 48) - 1)
                    && (1..=15).contains(&rest.len())
                    && rest.iter().all(|part| is_number(part, u32::MAX.into()))
            }
            [] => false,
        });
        if is_sound {
            Ok(Self(text.to_owned()))
        } else {
            Err(InvalidSecurityIdentifier(text.chars().take(80).collect()))
        }
    }
}

impl fmt::Display for SecurityIdentifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text that is no security identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a security identifier such as S-1-5-21-1004336348-1177238915-682003330-512: {0:?}")]
pub struct InvalidSecurityIdentifier(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_encoded_as_windows_encodes_it() {
        let sid: SecurityIdentifier = "S-1-5-21-1004336348-1177238915-682003330-512".parse().unwrap();
        // The text has 44 characters.
        let mut expected = vec![0x30, 0x3E, 0xA0, 0x3C];
        expected.extend([0x06, 0x0A, 0x2B, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x19, 0x02, 0x01]);
        expected.extend([0xA0, 0x2E, 0x04, 0x2C]);
        expected.extend(sid.as_str().as_bytes());
        let extension = sid.to_extension();
        assert_eq!((extension.value(), extension.is_critical()), (&*expected, false));
        assert_eq!(
            sid.to_uri().to_string(),
            "URI:tag:microsoft.com,2022-09-14:sid:S-1-5-21-1004336348-1177238915-682003330-512"
        );
    }

    #[test]
    fn what_is_no_security_identifier() {
        assert!("S-1-1-0".parse::<SecurityIdentifier>().is_ok());
        for text in [
            "",
            "S-1",
            "S-1-5",
            "S-2-5-21",
            "s-1-5-21",
            "S-1-5-21-",
            "S-1-5--1",
            "S-1-5-x",
            "S-1-5-+1",
            "S-1-5-4294967296",
        ] {
            assert!(text.parse::<SecurityIdentifier>().is_err(), "{text}");
        }
        assert!(format!("S-1-5{}", "-1".repeat(16)).parse::<SecurityIdentifier>().is_err());
    }
}
