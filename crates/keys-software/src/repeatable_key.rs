//! Keys whose signature of a message is always the same octets.

use std::{fmt, future::ready, sync::Arc};

use aws_lc_rs::{
    encoding::{AsBigEndian as _, EcPrivateKeyBin},
    signature::EcdsaKeyPair,
};
use ml_dsa::MlDsa65;
use p256::ecdsa::signature::{SignatureEncoding as _, Signer as _};
use pki_core::{BoxFuture, DecodeError, KeyError, KeyKind, PublicKey, SignatureAlgorithm, SigningKey, tlv};
use zeroize::Zeroizing;

use crate::SoftwareKey;

/// A private key that makes the same signature of the same message every time, wherever it is.
///
/// | key | how |
/// |---|---|
/// | RSA, PKCS #1 v1.5 | the padding is fixed |
/// | Ed25519 | [RFC 8032](https://www.rfc-editor.org/rfc/rfc8032) leaves no choice |
/// | ECDSA | the nonce is that of [RFC 6979](https://www.rfc-editor.org/rfc/rfc6979#section-3.2) |
/// | ML-DSA-65 | the deterministic variant of FIPS 204, algorithm 2 |
///
/// aws-lc-rs draws nonces at random, so that the last two are made by the pure Rust of RustCrypto, more slowly.
/// Whoever can disturb the machine while it signs one message twice learns such a key: have the signatures
/// verified before they leave.
pub struct RepeatableKey {
    key: Arc<SoftwareKey>,
    signer: Signer,
}

enum Signer {
    /// The key itself.
    Own,
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    MlDsa(Box<ml_dsa::SigningKey<MlDsa65>>),
}

impl RepeatableKey {
    /// Fails for RSA keys that sign by PSS, which salts, and for ML-DSA keys whose seed is not known.
    pub fn new(key: Arc<SoftwareKey>) -> Result<Self, NotRepeatable> {
        let no = || NotRepeatable(key.algorithm());
        let signer = match &*key {
            SoftwareKey::Rsa(rsa) if is_salted(rsa.algorithm()) => return Err(no()),
            SoftwareKey::Rsa(_) | SoftwareKey::Ed25519(_) => Signer::Own,
            SoftwareKey::Ecdsa(ec) => of_curve(ec.public_key().kind(), ec.pair()).ok_or_else(no)?,
            SoftwareKey::MlDsa(key) => {
                let pkcs8 = key.to_pkcs8_der().map_err(|_| no())?;
                let seed = ml_dsa_seed(&pkcs8).map_err(|_| no())?;
                Signer::MlDsa(Box::new(ml_dsa::SigningKey::from_seed(&(*seed).into())))
            }
        };
        Ok(Self { key, signer })
    }

    fn sign_now(&self, message: &[u8]) -> Option<Result<Vec<u8>, KeyError>> {
        let signature = match &self.signer {
            Signer::Own => return None,
            Signer::P256(key) => key.try_sign(message).map(|it: p256::ecdsa::DerSignature| it.to_vec()),
            Signer::P384(key) => key.try_sign(message).map(|it: p384::ecdsa::DerSignature| it.to_vec()),
            Signer::MlDsa(key) => key.try_sign(message).map(|it: ml_dsa::Signature<MlDsa65>| it.to_vec()),
        };
        Some(signature.map_err(|_| KeyError::Refused))
    }
}

impl SigningKey for RepeatableKey {
    fn algorithm(&self) -> SignatureAlgorithm {
        self.key.algorithm()
    }

    fn public_key(&self) -> &PublicKey {
        self.key.public_key()
    }

    fn sign<'a>(&'a self, message: &'a [u8]) -> BoxFuture<'a, Result<Vec<u8>, KeyError>> {
        match self.sign_now(message) {
            Some(signature) => Box::pin(ready(signature)),
            None => self.key.sign(message),
        }
    }
}

fn is_salted(algorithm: SignatureAlgorithm) -> bool {
    use SignatureAlgorithm::{RsaPssSha256, RsaPssSha384, RsaPssSha512};
    matches!(algorithm, RsaPssSha256 | RsaPssSha384 | RsaPssSha512)
}

fn of_curve(kind: KeyKind, pair: &EcdsaKeyPair) -> Option<Signer> {
    let secret: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().ok()?;
    match kind {
        KeyKind::P256 => p256::ecdsa::SigningKey::from_slice(secret.as_ref()).ok().map(Signer::P256),
        KeyKind::P384 => p384::ecdsa::SigningKey::from_slice(secret.as_ref()).ok().map(Signer::P384),
        _ => None,
    }
}

/// ```text
/// PrivateKeyInfo       ::= SEQUENCE { version INTEGER, algorithm SEQUENCE, privateKey OCTET STRING, .. }
/// ML-DSA-65-PrivateKey ::= CHOICE { seed [0] OCTET STRING (SIZE (32)), .. }
/// ```
fn ml_dsa_seed(pkcs8: &[u8]) -> Result<Zeroizing<[u8; 32]>, DecodeError> {
    const WHAT: &str = "an ML-DSA-65 key";
    const SEED: u8 = 0x80;
    let mut fields = tlv::Cursor::into(pkcs8, tlv::SEQUENCE, WHAT)?;
    fields.expect(tlv::INTEGER)?;
    fields.expect(tlv::SEQUENCE)?;
    let mut key = fields.enter(tlv::OCTET_STRING)?;
    let seed = key.expect(SEED)?.value;
    let mut octets = Zeroizing::new([0; 32]);
    if seed.len() != octets.len() {
        return Err(DecodeError::new(WHAT, "a seed of another length than 32"));
    }
    octets.copy_from_slice(seed);
    Ok(octets)
}

impl fmt::Debug for RepeatableKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RepeatableKey({}, ..)", self.key.public_key().kind())
    }
}

/// The key's signatures of one message differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a key whose signature of a message is always the same: this one signs with {} \
     (RSA must sign by PKCS #1 v1.5, an ML-DSA key must come with its seed)",
    .0.oid()
)]
#[expect(clippy::exhaustive_structs, reason = "the algorithm says it all")]
pub struct NotRepeatable(pub SignatureAlgorithm);
