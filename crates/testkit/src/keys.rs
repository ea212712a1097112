//! Ready keys: making RSA keys in tests takes too long. They are public; `pem/ORIGIN.md` lists them.

use std::sync::Arc;

use keys_software::{EcdsaKey, RsaKey, SoftwareKey};

/// PEM (PKCS #8) of the key of [`ca`](crate::ca), on P-256.
pub const CA_PEM: &str = include_str!("../pem/ca.key.pem");
/// PEM (PKCS #8) of the key of [`rsa_ca`](crate::rsa_ca), RSA-2048.
pub const RSA_CA_PEM: &str = include_str!("../pem/ca-rsa.key.pem");
/// PEM (PKCS #8) of the key of both registration authorities, RSA-2048.
pub const RA_PEM: &str = include_str!("../pem/ra.key.pem");
/// PEM (PKCS #8) of the key of [`device`](crate::device), RSA-2048.
pub const DEVICE_PEM: &str = include_str!("../pem/device.key.pem");
/// PEM (PKCS #8) of the key of [`device_p256`](crate::device_p256).
pub const DEVICE_P256_PEM: &str = include_str!("../pem/device-p256.key.pem");
/// PEM (PKCS #8) of an RSA-2048 key that nobody certified.
pub const STRANGER_PEM: &str = include_str!("../pem/stranger.key.pem");
/// PEM (PKCS #8) of an RSA-3072 key that nobody certified.
pub const RSA_3072_PEM: &str = include_str!("../pem/rsa-3072.key.pem");
/// PEM (PKCS #8) of a key on P-384 that nobody certified.
pub const P384_PEM: &str = include_str!("../pem/p384.key.pem");

/// The key of [`STRANGER_PEM`].
pub fn rsa_2048() -> Arc<RsaKey> {
    rsa(STRANGER_PEM)
}

/// The key of [`RSA_3072_PEM`].
pub fn rsa_3072() -> Arc<RsaKey> {
    rsa(RSA_3072_PEM)
}

/// The key of [`DEVICE_P256_PEM`].
pub fn p256() -> Arc<EcdsaKey> {
    ecdsa(DEVICE_P256_PEM)
}

/// The key of [`P384_PEM`].
pub fn p384() -> Arc<EcdsaKey> {
    ecdsa(P384_PEM)
}

/// The RSA key in PEM text.
pub fn rsa(pem: &str) -> Arc<RsaKey> {
    match SoftwareKey::from_pem(pem) {
        Ok(SoftwareKey::Rsa(key)) => Arc::new(key),
        other => panic!("expected an RSA key: {other:?}"),
    }
}

/// The EC key in PEM text.
pub fn ecdsa(pem: &str) -> Arc<EcdsaKey> {
    match SoftwareKey::from_pem(pem) {
        Ok(SoftwareKey::Ecdsa(key)) => Arc::new(key),
        other => panic!("expected an EC key: {other:?}"),
    }
}
