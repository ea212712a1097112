//! Which algorithms are accepted.

use pki_core::{DigestAlgorithm, KeyKind, KeyTransport};

use crate::{ContentCipher, Tolerances};

/// Which digests, content ciphers and key transports are accepted, and so also which are used in replies; and which
/// departures from the RFC.
///
/// The default takes SHA-256, SHA-384 and SHA-512, AES-128, AES-192 and AES-256 in CBC mode, and RSA key transport by
/// PKCS #1 v1.5 (which every client but Windows uses) or OAEP with SHA-1 (Windows) or SHA-256. SHA-1 within OAEP does
/// not rest on collision resistance, so it does not count as the legacy digest. Signers have RSA keys of 2048 to 8192
/// bits, or keys that only sign, if they send a challenge by which to encrypt the reply.
///
/// DES, RC2 and MD5 can not be allowed: [RFC 8894 §2.9](https://www.rfc-editor.org/rfc/rfc8894#section-2.9); except that
/// a client may be told to read replies in DES, from servers that have nothing else
/// ([`Legacy::SingleDesReplies`]).
///
/// ```
/// # use scep_proto::{AlgorithmPolicy, ContentCipher, Legacy};
/// assert!(!AlgorithmPolicy::default().allows_cipher(ContentCipher::TripleDesCbc));
/// let policy = AlgorithmPolicy::default().with_legacy(Legacy::TripleDes);
/// assert!(policy.allows_cipher(ContentCipher::TripleDesCbc));
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AlgorithmPolicy {
    sha1: bool,
    triple_des: bool,
    short_rsa: bool,
    sign_only: SignOnlyKeys,
    single_des: SingleDes,
    tolerances: Tolerances,
}

/// What becomes of messages in DES.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum SingleDes {
    #[default]
    Refused,
    /// Refused, unless it is a reply.
    InReplies,
    /// A reply is being read.
    Read,
}

/// An old algorithm, off unless asked for. RFC 8894 section 2.9 lets implementations have them, except for
/// [`Legacy::SingleDesReplies`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Legacy {
    /// SHA-1 as the message digest.
    Sha1,
    /// Triple DES in CBC mode as the content cipher.
    TripleDes,
    /// DES in CBC mode, in replies that a client reads (micromdm's are in nothing else). Requests are neither made nor
    /// read in it.
    SingleDesReplies,
    /// Signer keys of 1024 to 2047 bits, as Apple's clients had until 2016.
    ShortRsaKeys,
}

/// What becomes of signers whose keys sign and cannot encipher: ECDSA, Ed25519, ML-DSA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(clippy::exhaustive_enums, reason = "there is nothing between")]
pub enum SignOnlyKeys {
    /// Replies are encrypted by the challenge
    /// ([RFC 8894 §3.1](https://www.rfc-editor.org/rfc/rfc8894#section-3.1)); without one the request is refused.
    #[default]
    Served,
    /// They are refused.
    Refused,
}

impl AlgorithmPolicy {
    /// The same with `legacy` allowed as well.
    #[must_use]
    pub fn with_legacy(self, legacy: Legacy) -> Self {
        match legacy {
            Legacy::Sha1 => Self { sha1: true, ..self },
            Legacy::TripleDes => Self { triple_des: true, ..self },
            Legacy::SingleDesReplies => Self { single_des: SingleDes::InReplies, ..self },
            Legacy::ShortRsaKeys => Self { short_rsa: true, ..self },
        }
    }

    /// The same, with signers whose keys cannot encipher served or not.
    #[must_use]
    pub fn with_sign_only_keys(self, sign_only: SignOnlyKeys) -> Self {
        Self { sign_only, ..self }
    }

    /// The same, granting these tolerances and no others.
    #[must_use]
    pub fn tolerating(self, tolerances: Tolerances) -> Self {
        Self { tolerances, ..self }
    }

    /// The departures from the RFC that are read all the same.
    pub fn tolerances(&self) -> Tolerances {
        self.tolerances
    }

    /// Whether messages may be signed with that digest.
    pub fn allows_digest(&self, digest: DigestAlgorithm) -> bool {
        match digest {
            DigestAlgorithm::Sha256 | DigestAlgorithm::Sha384 | DigestAlgorithm::Sha512 => true,
            DigestAlgorithm::Sha1 => self.sha1,
            _ => false,
        }
    }

    /// Whether the signer of a request may have such a key. It is the key that the reply is encrypted to, so it is an
    /// RSA key, or one of those for which the challenge stands in.
    pub fn allows_signer_key(&self, kind: KeyKind) -> bool {
        let shortest = if self.short_rsa { 1024 } else { 2048 };
        match kind {
            KeyKind::Rsa { bits } => (shortest..=8192).contains(&bits),
            KeyKind::P256 | KeyKind::P384 | KeyKind::Ed25519 | KeyKind::MlDsa65 => {
                self.sign_only == SignOnlyKeys::Served
            }
            _ => false,
        }
    }

    /// Whether messages may be encrypted with that cipher.
    pub fn allows_cipher(&self, cipher: ContentCipher) -> bool {
        match cipher {
            ContentCipher::Aes128Cbc | ContentCipher::Aes192Cbc | ContentCipher::Aes256Cbc => true,
            ContentCipher::TripleDesCbc => self.triple_des,
            ContentCipher::DesCbc => self.single_des == SingleDes::Read,
        }
    }

    /// The same, for what a client reads.
    pub(crate) fn for_replies(&self) -> Self {
        match self.single_des {
            SingleDes::Refused => self.clone(),
            SingleDes::InReplies | SingleDes::Read => Self { single_des: SingleDes::Read, ..self.clone() },
        }
    }

    /// Whether content keys may be wrapped that way.
    pub fn allows_key_transport(&self, transport: KeyTransport) -> bool {
        matches!(
            transport,
            KeyTransport::RsaPkcs1 | KeyTransport::RsaOaep(DigestAlgorithm::Sha1 | DigestAlgorithm::Sha256)
        )
    }
}
