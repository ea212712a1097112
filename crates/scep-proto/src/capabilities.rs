//! GetCACaps.

use core::fmt;

use pki_core::DigestAlgorithm;

use crate::{AlgorithmPolicy, ContentCipher};

/// A capability of the registry that [RFC 8894 §6](https://www.rfc-editor.org/rfc/rfc8894#section-6) sets up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Capability {
    /// AES-128-CBC.
    Aes,
    /// Triple DES in CBC mode.
    Des3,
    /// GetNextCACert is answered.
    GetNextCaCert,
    /// PKIOperation may come by POST.
    PostPkiOperation,
    /// RenewalReq is answered.
    Renewal,
    /// SHA-1.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
    /// All that RFC 8894 section 2.9 makes mandatory: AES, POSTPKIOperation and SHA-256 with it.
    ScepStandard,
}

impl Capability {
    const TABLE: [(Self, &'static str); 9] = [
        (Self::Aes, "AES"),
        (Self::Des3, "DES3"),
        (Self::GetNextCaCert, "GetNextCACert"),
        (Self::PostPkiOperation, "POSTPKIOperation"),
        (Self::Renewal, "Renewal"),
        (Self::Sha1, "SHA-1"),
        (Self::Sha256, "SHA-256"),
        (Self::Sha512, "SHA-512"),
        (Self::ScepStandard, "SCEPStandard"),
    ];

    /// The keyword.
    pub fn keyword(self) -> &'static str {
        Self::TABLE.iter().find(|(known, _)| *known == self).map_or("", |(_, keyword)| keyword)
    }

    fn bit(self) -> u16 {
        Self::TABLE.iter().zip(0..).find(|((known, _), _)| *known == self).map_or(0, |(_, place)| 1 << place)
    }
}

/// The answer to GetCACaps ([RFC 8894 §3.5.2](https://www.rfc-editor.org/rfc/rfc8894#section-3.5.2)): a set of
/// [`Capability`]. Collect it from what is enforced; `Display` is the body, one keyword a line ended by LF, to be sent
/// as `text/plain`.
///
/// ```
/// # use scep_proto::{Capabilities, Capability};
/// let capabilities: Capabilities = [Capability::Renewal, Capability::ScepStandard].into_iter().collect();
/// assert_eq!(capabilities.to_string(), "Renewal\nSCEPStandard\n");
/// let read = Capabilities::parse(b"scepstandard\r\nX-Unknown\r\nRenewal");
/// assert_eq!(read, capabilities);
/// assert!(read.has(Capability::Sha256));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities(u16);

impl Capabilities {
    /// Reads a body: CRLF or LF, any case, unknown keywords ignored. A body that is no list of keywords has none,
    /// which is how RFC 8894 wants HTTP errors and web pages read.
    pub fn parse(body: &[u8]) -> Self {
        let lines = body.split(|octet| matches!(octet, b'\n' | b'\r')).map(<[u8]>::trim_ascii);
        lines
            .filter_map(|line| {
                let mut table = Capability::TABLE.into_iter();
                table.find(|(_, keyword)| line.eq_ignore_ascii_case(keyword.as_bytes()))
            })
            .map(|(capability, _)| capability)
            .collect()
    }

    /// Whether the server can do that, by the keyword itself or because SCEPStandard implies it.
    pub fn has(self, capability: Capability) -> bool {
        let implied =
            matches!(capability, Capability::Aes | Capability::PostPkiOperation | Capability::Sha256);
        self.0 & capability.bit() != 0 || (implied && self.0 & Capability::ScepStandard.bit() != 0)
    }

    /// The content cipher for a client to use: AES-128, or Triple DES where the server has nothing better and
    /// `policy` allows it. A server that says nothing gets AES-128 and not what an attacker who cut the answer would
    /// like ([RFC 8894 §7.5](https://www.rfc-editor.org/rfc/rfc8894#section-7.5)).
    pub fn cipher(self, policy: &AlgorithmPolicy) -> ContentCipher {
        let only_triple_des = !self.has(Capability::Aes) && self.has(Capability::Des3);
        if only_triple_des && policy.allows_cipher(ContentCipher::TripleDesCbc) {
            ContentCipher::TripleDesCbc
        } else {
            ContentCipher::Aes128Cbc
        }
    }

    /// The digest for a client to use: SHA-256, SHA-512 where the server has only that, or SHA-1 where it has nothing
    /// better and `policy` allows it.
    pub fn digest(self, policy: &AlgorithmPolicy) -> DigestAlgorithm {
        let only_sha1 = self.has(Capability::Sha1);
        if self.has(Capability::Sha256) {
            DigestAlgorithm::Sha256
        } else if self.has(Capability::Sha512) {
            DigestAlgorithm::Sha512
        } else if only_sha1 && policy.allows_digest(DigestAlgorithm::Sha1) {
            DigestAlgorithm::Sha1
        } else {
            DigestAlgorithm::Sha256
        }
    }

    /// The capabilities named, in the order of their keywords.
    pub fn iter(self) -> impl Iterator<Item = Capability> {
        let named = Capability::TABLE.into_iter().map(|(capability, _)| capability);
        named.filter(move |capability| self.0 & capability.bit() != 0)
    }
}

impl FromIterator<Capability> for Capabilities {
    fn from_iter<I: IntoIterator<Item = Capability>>(capabilities: I) -> Self {
        Self(capabilities.into_iter().fold(0, |bits, capability| bits | capability.bit()))
    }
}

impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.iter().try_for_each(|capability| writeln!(f, "{}", capability.keyword()))
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    // clause: RFC 8894 M27, S12, C10
    #[test]
    fn text_reads_back() {
        for bits in 0..1 << Capability::TABLE.len() {
            let set = Capabilities(bits);
            assert_eq!(Capabilities::parse(set.to_string().as_bytes()), set);
        }
    }

    // clause: RFC 8894 C10, C11, C18
    #[test]
    fn row_17_a_cut_answer_does_not_downgrade_a_client() {
        let policy = AlgorithmPolicy::default();
        for body in ["", "DES3\nSHA-1\n", "<html>no such page</html>", "DES\nMD5"] {
            let capabilities = Capabilities::parse(body.as_bytes());
            assert_eq!(capabilities.cipher(&policy), ContentCipher::Aes128Cbc, "{body}");
            assert_eq!(capabilities.digest(&policy), DigestAlgorithm::Sha256, "{body}");
        }
        let legacy = policy.with_legacy(crate::Legacy::Sha1).with_legacy(crate::Legacy::TripleDes);
        let old = Capabilities::parse(b"DES3\r\nSHA-1\r\n");
        assert_eq!(old.cipher(&legacy), ContentCipher::TripleDesCbc);
        assert_eq!(old.digest(&legacy), DigestAlgorithm::Sha1);
    }
}
