//! Which public keys are certified.

use std::{fmt, ops::RangeInclusive};

use pki_core::{KeyKind, PublicKey};

/// Which public keys a profile certifies. By default RSA of 2048 to 4096 bits, P-256 and P-384.
///
/// ```
/// use issuance::KeyPolicy;
///
/// let long_keys = KeyPolicy::default().with_rsa_bits(3072..=8192)?.without_curves();
/// assert_eq!(long_keys.to_string(), "RSA of 3072 to 8192 bits");
/// # Ok::<(), issuance::InvalidKeyPolicy>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPolicy {
    rsa_bits: Option<RangeInclusive<u32>>,
    curves: &'static [KeyKind],
}

const BOTH_CURVES: &[KeyKind] = &[KeyKind::P256, KeyKind::P384];

impl KeyPolicy {
    /// Shorter RSA keys can be had from nobody's profile.
    const FEWEST_BITS: u32 = 2048;
    /// Longer RSA keys are slow for everyone who meets them.
    const MOST_BITS: u32 = 8192;

    /// RSA keys whose modulus has that many bits; within 2048 to 8192.
    pub fn with_rsa_bits(self, bits: RangeInclusive<u32>) -> Result<Self, InvalidKeyPolicy> {
        if bits.is_empty() || *bits.start() < Self::FEWEST_BITS || *bits.end() > Self::MOST_BITS {
            return Err(InvalidKeyPolicy { least: *bits.start(), most: *bits.end() });
        }
        Ok(Self { rsa_bits: Some(bits), ..self })
    }

    /// No RSA keys.
    #[must_use]
    pub fn without_rsa(self) -> Self {
        Self { rsa_bits: None, ..self }
    }

    /// No keys on elliptic curves.
    #[must_use]
    pub fn without_curves(self) -> Self {
        Self { curves: &[], ..self }
    }

    /// No keys on P-256, but those on P-384.
    #[must_use]
    pub fn with_p384_alone(self) -> Self {
        Self { curves: &[KeyKind::P384], ..self }
    }

    /// No keys on P-384, but those on P-256.
    #[must_use]
    pub fn with_p256_alone(self) -> Self {
        Self { curves: &[KeyKind::P256], ..self }
    }

    /// Whether this takes `key`.
    pub fn check(&self, key: &PublicKey) -> Result<(), KeyNotAllowed> {
        let allowed = match key.kind() {
            KeyKind::Rsa { bits } => self.rsa_bits.as_ref().is_some_and(|range| range.contains(&bits)),
            other => self.curves.contains(&other),
        };
        if allowed { Ok(()) } else { Err(KeyNotAllowed { found: key.kind(), policy: self.clone() }) }
    }

    pub(crate) fn takes_rsa(&self) -> bool {
        self.rsa_bits.is_some()
    }

    pub(crate) fn takes_curves(&self) -> bool {
        !self.curves.is_empty()
    }
}

impl Default for KeyPolicy {
    fn default() -> Self {
        Self { rsa_bits: Some(Self::FEWEST_BITS..=4096), curves: BOTH_CURVES }
    }
}

impl fmt::Display for KeyPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rsa = self.rsa_bits.as_ref().map(|bits| match (bits.start(), bits.end()) {
            (least, most) if least == most => format!("RSA of {least} bits"),
            (least, most) => format!("RSA of {least} to {most} bits"),
        });
        let all: Vec<_> = rsa.into_iter().chain(self.curves.iter().map(KeyKind::to_string)).collect();
        if all.is_empty() { f.write_str("no key at all") } else { f.write_str(&all.join(", ")) }
    }
}

/// Lengths of RSA keys that no profile may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected lengths of RSA keys between 2048 and 8192 bits, the smaller first: {least} to {most}")]
pub struct InvalidKeyPolicy {
    least: u32,
    most: u32,
}

/// A key that the profile does not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected a key of {policy}: {found}")]
pub struct KeyNotAllowed {
    found: KeyKind,
    policy: KeyPolicy,
}

impl KeyNotAllowed {
    /// What the key is.
    pub fn found(&self) -> KeyKind {
        self.found
    }
}

#[cfg(test)]
mod tests {
    use pki_core::SigningKey;
    use testkit::keys;

    use super::*;

    #[test]
    fn takes_what_it_says() {
        let (rsa2048, rsa3072) = (keys::rsa_2048(), keys::rsa_3072());
        let (p256, p384) = (keys::p256(), keys::p384());
        let keys: [&dyn SigningKey; 4] = [&*rsa2048, &*rsa3072, &*p256, &*p384];
        let taken = |policy: &KeyPolicy| keys.map(|key| policy.check(key.public_key()).is_ok());
        let default = KeyPolicy::default();
        assert_eq!(taken(&default), [true; 4]);
        assert_eq!(taken(&default.clone().without_rsa()), [false, false, true, true]);
        assert_eq!(taken(&default.clone().without_curves()), [true, true, false, false]);
        assert_eq!(taken(&default.clone().with_p256_alone()), [true, true, true, false]);
        assert_eq!(taken(&default.clone().without_rsa().with_p384_alone()), [false, false, false, true]);
        assert_eq!(default.clone().without_rsa().without_curves().to_string(), "no key at all");
        let long = default.with_rsa_bits(3072..=4096).unwrap();
        assert_eq!(taken(&long), [false, true, true, true]);
        let refused = long.check(SigningKey::public_key(&*rsa2048)).unwrap_err();
        assert_eq!(refused.to_string(), "expected a key of RSA of 3072 to 4096 bits, P-256, P-384: RSA-2048");
    }

    #[test]
    fn short_and_endless_rsa_keys_cannot_be_allowed() {
        for bits in [1024..=4096, 2048..=16_384, RangeInclusive::new(4096, 2048)] {
            assert!(KeyPolicy::default().with_rsa_bits(bits).is_err());
        }
    }
}
