//! Single values of the command line.

use std::{fmt, net::IpAddr, str::FromStr, time::Duration};

use clap::ValueEnum;
use keys_software::KeyAlgorithm;
use pki_core::{DigestAlgorithm, GeneralName, KeyTransport, KeyUsage, Oid, oids};
use scep_proto::ContentCipher;
use serde::{Deserialize, Serialize};

/// Kinds of keys that can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum KeyType {
    Rsa2048,
    Rsa3072,
    Rsa4096,
    P256,
    P384,
}

impl From<KeyType> for KeyAlgorithm {
    fn from(kind: KeyType) -> Self {
        match kind {
            KeyType::Rsa2048 => Self::Rsa2048,
            KeyType::Rsa3072 => Self::Rsa3072,
            KeyType::Rsa4096 => Self::Rsa4096,
            KeyType::P256 => Self::P256,
            KeyType::P384 => Self::P384,
        }
    }
}

/// Ciphers of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Cipher {
    Aes128,
    Aes192,
    Aes256,
    TripleDes,
}

impl From<Cipher> for ContentCipher {
    fn from(cipher: Cipher) -> Self {
        match cipher {
            Cipher::Aes128 => Self::Aes128Cbc,
            Cipher::Aes192 => Self::Aes192Cbc,
            Cipher::Aes256 => Self::Aes256Cbc,
            Cipher::TripleDes => Self::TripleDesCbc,
        }
    }
}

/// Key transports of requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum KeyTransportChoice {
    /// PKCS #1 v1.5, which every server reads
    #[default]
    Pkcs1,
    /// OAEP with SHA-1
    OaepSha1,
    /// OAEP with SHA-256
    OaepSha256,
}

impl From<KeyTransportChoice> for KeyTransport {
    fn from(choice: KeyTransportChoice) -> Self {
        match choice {
            KeyTransportChoice::Pkcs1 => Self::RsaPkcs1,
            KeyTransportChoice::OaepSha1 => Self::RsaOaep(DigestAlgorithm::Sha1),
            KeyTransportChoice::OaepSha256 => Self::RsaOaep(DigestAlgorithm::Sha256),
        }
    }
}

/// SHA-256 over the DER of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fingerprint(pub(crate) [u8; 32]);

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|octet| write!(f, "{octet:02x}"))
    }
}

impl FromStr for Fingerprint {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits: Vec<u8> = text.bytes().filter(|octet| !b": ".contains(octet)).collect();
        let wrong = || {
            let what = match digits.len() {
                40 => ", which may be SHA-1: that is too weak to trust a CA by".into(),
                count => format!(", got {count} characters"),
            };
            format!("expected 64 hexadecimal digits (SHA-256 of the CA certificate){what}")
        };
        let mut octets = [0; 32];
        if digits.len() != 64 {
            return Err(wrong());
        }
        for (octet, pair) in octets.iter_mut().zip(digits.chunks_exact(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
            *octet = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
        }
        Ok(Self(octets))
    }
}

pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    text.parse().map(Duration::from_secs).map_err(|_| "expected a whole number of seconds".into())
}

pub(super) fn alternative_name(text: &str) -> Result<GeneralName, String> {
    const EXPECTED: &str = "expected dns:host, email:a@b, uri:..., upn:a@b or ip:address";
    let (kind, value) = text.split_once(':').ok_or(EXPECTED)?;
    if value.is_empty() || !value.is_ascii() && !kind.eq_ignore_ascii_case("upn") {
        return Err(format!("{EXPECTED}, in ASCII (international host names as xn--...)"));
    }
    let ip = || match value.parse() {
        Ok(IpAddr::V4(v4)) => Ok(GeneralName::Ip(v4.octets().to_vec())),
        Ok(IpAddr::V6(v6)) => Ok(GeneralName::Ip(v6.octets().to_vec())),
        Err(_) => Err(format!("expected an IP address, got {value:?}")),
    };
    match kind.to_ascii_lowercase().as_str() {
        "dns" => Ok(GeneralName::Dns(value.into())),
        "email" => Ok(GeneralName::Email(value.into())),
        "uri" => Ok(GeneralName::Uri(value.into())),
        "upn" => Ok(GeneralName::Upn(value.into())),
        "ip" => ip(),
        _ => Err(EXPECTED.into()),
    }
}

pub(super) fn key_usage(text: &str) -> Result<KeyUsage, String> {
    const USAGES: [(&str, KeyUsage); 5] = [
        ("digitalSignature", KeyUsage::DIGITAL_SIGNATURE),
        ("nonRepudiation", KeyUsage::NON_REPUDIATION),
        ("keyEncipherment", KeyUsage::KEY_ENCIPHERMENT),
        ("dataEncipherment", KeyUsage::DATA_ENCIPHERMENT),
        ("keyAgreement", KeyUsage::KEY_AGREEMENT),
    ];
    let usages = text.split(',').map(|word| {
        let found = USAGES.iter().find(|(name, _)| name.eq_ignore_ascii_case(word.trim()));
        found.map(|(_, usage)| *usage).ok_or_else(|| {
            let known: Vec<_> = USAGES.iter().map(|(name, _)| *name).collect();
            format!("expected some of {}, with commas between, got {word:?}", known.join(", "))
        })
    });
    let usages: Vec<KeyUsage> = usages.collect::<Result<_, _>>()?;
    usages.into_iter().reduce(|all, usage| all | usage).ok_or_else(|| "expected a usage".into())
}

pub(super) fn extended_key_usage(text: &str) -> Result<Oid, String> {
    const PURPOSES: [(&str, Oid); 5] = [
        ("clientAuth", oids::KP_CLIENT_AUTH),
        ("serverAuth", oids::KP_SERVER_AUTH),
        ("emailProtection", Oid::new_unwrap("1.3.6.1.5.5.7.3.4")),
        ("codeSigning", Oid::new_unwrap("1.3.6.1.5.5.7.3.3")),
        ("smartcardLogon", Oid::new_unwrap("1.3.6.1.4.1.311.20.2.2")),
    ];
    let known = PURPOSES.iter().find(|(name, _)| name.eq_ignore_ascii_case(text.trim()));
    if let Some((_, purpose)) = known {
        return Ok(*purpose);
    }
    text.trim().parse().map_err(|_| {
        let known: Vec<_> = PURPOSES.iter().map(|(name, _)| *name).collect();
        format!("expected {} or an object identifier such as 1.3.6.1.5.5.7.3.2", known.join(", "))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_read_as_people_paste_them() {
        let plain = "ab".repeat(32);
        let colons = vec!["AB"; 32].join(":");
        for text in [&plain, &colons] {
            assert_eq!(text.parse(), Ok(Fingerprint([0xAB; 32])));
        }
        for text in ["", "abcd", &"ag".repeat(32), &"ü".repeat(32)] {
            assert!(text.parse::<Fingerprint>().is_err(), "{text}");
        }
        assert!("ab".repeat(20).parse::<Fingerprint>().unwrap_err().contains("SHA-1"));
    }

    #[test]
    fn alternative_names_are_read() {
        for (text, expected) in [
            ("DNS:host.example", GeneralName::Dns("host.example".into())),
            ("upn:a@b", GeneralName::Upn("a@b".into())),
            ("IP:192.0.2.1", GeneralName::Ip(vec![192, 0, 2, 1])),
            ("URI:urn:uuid:1", GeneralName::Uri("urn:uuid:1".into())),
            ("email:a@b", GeneralName::Email("a@b".into())),
        ] {
            assert_eq!(alternative_name(text), Ok(expected));
        }
        for text in ["host", "DNS:", "IP:host", "DNS:hüst", "X:y"] {
            assert!(alternative_name(text).is_err(), "{text}");
        }
    }

    #[test]
    fn usages_are_read_by_their_names() {
        let both = KeyUsage::DIGITAL_SIGNATURE | KeyUsage::KEY_ENCIPHERMENT;
        assert_eq!(key_usage("digitalSignature, keyencipherment"), Ok(both));
        assert!(key_usage("sign").unwrap_err().contains("digitalSignature"));
        assert!(key_usage("").is_err());
        assert_eq!(extended_key_usage("clientauth"), Ok(oids::KP_CLIENT_AUTH));
        assert_eq!(extended_key_usage("1.3.6.1.5.5.7.3.2"), Ok(oids::KP_CLIENT_AUTH));
        assert!(extended_key_usage("client").unwrap_err().contains("clientAuth"));
    }
}
