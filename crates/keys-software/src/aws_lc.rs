//! The operations that need no key of ours: randomness, signature checks, wrapping keys for others.

use aws_lc_rs::{
    rand,
    rsa::{
        OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepAlgorithm, OaepPublicEncryptingKey,
        Pkcs1PublicEncryptingKey, PublicEncryptingKey,
    },
    signature::{self, UnparsedPublicKey, VerificationAlgorithm},
};
use pki_core::{
    BadSignature, ContentKey, DigestAlgorithm, KeyEncryptor, KeyError, KeyKind, KeyTransport, PublicKey,
    RandomFailed, SecureRandom, SignatureAlgorithm, SignatureVerifier,
};

/// aws-lc-rs behind the seams that need no private key.
///
/// * Randomness: the generator of AWS-LC, one per thread, seeded by the operating system.
/// * Signatures: PKCS #1 v1.5 by RSA keys of 1024 to 8192 bits (SHA-384: from 2048), PSS from 2048;
///   ECDSA on P-256 and P-384 with SHA-256, SHA-384 or SHA-512; Ed25519; ML-DSA-65. Which of these are good enough is for the caller's policy.
/// * Key wrapping: PKCS #1 v1.5 and OAEP (SHA-1, SHA-256) for RSA keys of 2048 to 8192 bits.
#[derive(Debug, Clone, Copy, Default)]
#[expect(clippy::exhaustive_structs, reason = "it has no state and never will")]
pub struct AwsLc;

impl SecureRandom for AwsLc {
    fn fill(&self, out: &mut [u8]) -> Result<(), RandomFailed> {
        rand::fill(out).map_err(|_| RandomFailed)
    }
}

impl SignatureVerifier for AwsLc {
    fn verify(
        &self,
        key: &PublicKey,
        algorithm: SignatureAlgorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), BadSignature> {
        let verification = verification(key.kind(), algorithm).ok_or(BadSignature)?;
        // Each is the form that aws-lc-rs tries first.
        let octets = match key.kind() {
            KeyKind::P256 | KeyKind::P384 => key.as_der(),
            _ => key.key_octets(),
        };
        UnparsedPublicKey::new(verification, octets).verify(message, signature).map_err(|_| BadSignature)
    }
}

fn verification(kind: KeyKind, algorithm: SignatureAlgorithm) -> Option<&'static dyn VerificationAlgorithm> {
    use SignatureAlgorithm as Signature;
    Some(match (kind, algorithm) {
        (KeyKind::Rsa { .. }, Signature::RsaPkcs1Sha1) => {
            &signature::RSA_PKCS1_1024_8192_SHA1_FOR_LEGACY_USE_ONLY
        }
        (KeyKind::Rsa { .. }, Signature::RsaPkcs1Sha256) => {
            &signature::RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY
        }
        (KeyKind::Rsa { .. }, Signature::RsaPkcs1Sha384) => &signature::RSA_PKCS1_2048_8192_SHA384,
        (KeyKind::Rsa { .. }, Signature::RsaPkcs1Sha512) => {
            &signature::RSA_PKCS1_1024_8192_SHA512_FOR_LEGACY_USE_ONLY
        }
        (KeyKind::Rsa { .. }, Signature::RsaPssSha256) => &signature::RSA_PSS_2048_8192_SHA256,
        (KeyKind::Rsa { .. }, Signature::RsaPssSha384) => &signature::RSA_PSS_2048_8192_SHA384,
        (KeyKind::Rsa { .. }, Signature::RsaPssSha512) => &signature::RSA_PSS_2048_8192_SHA512,
        (KeyKind::Ed25519, Signature::Ed25519) => &signature::ED25519,
        (KeyKind::MlDsa65, Signature::MlDsa65) => &signature::ML_DSA_65,
        (KeyKind::P256, Signature::EcdsaSha256) => &signature::ECDSA_P256_SHA256_ASN1,
        (KeyKind::P256, Signature::EcdsaSha384) => &signature::ECDSA_P256_SHA384_ASN1,
        (KeyKind::P256, Signature::EcdsaSha512) => &signature::ECDSA_P256_SHA512_ASN1,
        (KeyKind::P384, Signature::EcdsaSha256) => &signature::ECDSA_P384_SHA256_ASN1,
        (KeyKind::P384, Signature::EcdsaSha384) => &signature::ECDSA_P384_SHA384_ASN1,
        (KeyKind::P384, Signature::EcdsaSha512) => &signature::ECDSA_P384_SHA512_ASN1,
        _ => return None,
    })
}

impl KeyEncryptor for AwsLc {
    fn wrap_key(
        &self,
        recipient: &PublicKey,
        transport: KeyTransport,
        key: &ContentKey,
    ) -> Result<Vec<u8>, KeyError> {
        wrap(recipient, transport, key.expose()).ok_or(KeyError::Refused)
    }
}

fn wrap(recipient: &PublicKey, transport: KeyTransport, secret: &[u8]) -> Option<Vec<u8>> {
    let recipient = PublicEncryptingKey::from_der(recipient.as_der()).ok()?;
    let mut out = vec![0; recipient.key_size_bytes()];
    let written = match transport {
        KeyTransport::RsaPkcs1 => Pkcs1PublicEncryptingKey::new(recipient).ok()?.encrypt(secret, &mut out),
        KeyTransport::RsaOaep(digest) => {
            let recipient = OaepPublicEncryptingKey::new(recipient).ok()?;
            recipient.encrypt(oaep(digest)?, secret, &mut out, None)
        }
        _ => return None,
    };
    let length = written.ok()?.len();
    out.truncate(length);
    Some(out)
}

pub(crate) fn oaep(digest: DigestAlgorithm) -> Option<&'static OaepAlgorithm> {
    match digest {
        DigestAlgorithm::Sha1 => Some(&OAEP_SHA1_MGF1SHA1),
        DigestAlgorithm::Sha256 => Some(&OAEP_SHA256_MGF1SHA256),
        _ => None,
    }
}
